"""Calling a function by its kept trace: the way from arguments to a file, and from a file to a compiled program.

The program of a file is compiled as JAX compiles any other, from its own folder of compiled programs.  The process
that writes a file runs the same program as those that read it, so that all have the same numbers.
"""

import functools
import hashlib
import importlib.util
import json
import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import jaxprs_in_params, unsafe_am_i_under_a_jit_DO_NOT_USE
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from ...configuration import kept_programs
from ...messages import warnings_issued
from .circumstances import circumstances, is_as_written, momentary_settings
from .files import read_trace, write_trace
from .structures import Indescribable, described, home_of, restored

__all__ = ["KeptTraces"]

_LEAST_STEPS = 1000  # of a program, below which it is traced about as fast as it is read
_MOST_PROGRAMS = 256  # of one function that a process remembers
_SUFFIX = "-trace"
_CAN_WRITE = importlib.util.find_spec("flatbuffers") is not None  # with which JAX writes programs
_UNKNOWN: Any = object()


class _Program(NamedTuple):
    """A compiled function of arrays, and how its results are put together.

    Attributes
    ----------
    call : callable
        From arrays to a list of arrays.
    results : tree structure
    others : list
        Results that are no arrays, and None in the place of each array.
    kept : bool
        Whether it runs as files have it.
    """

    call: Callable
    results: Any
    others: list[Any]
    kept: bool


class KeptTraces:
    """The programs of one function: read where another process has kept them, else traced, and kept where long.

    Parameters
    ----------
    function : callable
        Of this package; its arguments are trees of arrays and of settings, as for ``eqx.filter_jit``.

    Examples
    --------
    >>> KeptTraces(jnp.sin)((jnp.ones(2),), {}) is None  # nothing is kept in this process
    True
    """

    def __init__(self, function: Callable):
        self._function = function
        self._programs: OrderedDict[tuple, _Program | None] = OrderedDict()
        self._lock, self._under_way = threading.Lock(), dict[tuple, threading.Lock]()

    def __call__(self, arguments: tuple, named: dict[str, Any]) -> tuple[Any] | None:
        """The function's result in a tuple; None where no trace can stand for the call, which is then to be traced."""
        folder = kept_programs()
        if folder is None or unsafe_am_i_under_a_jit_DO_NOT_USE() or jax.process_count() > 1:
            return None
        leaves, structure = jax.tree.flatten((arguments, named))
        settings = momentary_settings()
        if settings is None or not all(map(_is_movable, leaves)):
            return None
        arrays = [leaf for leaf in leaves if eqx.is_array(leaf)]
        others = tuple(None if eqx.is_array(leaf) else (type(leaf), leaf) for leaf in leaves)
        signature = structure, others, tuple(map(_kind_of, arrays)), settings
        try:
            program = self._programs.get(signature, _UNKNOWN)
        except TypeError:  # a setting that cannot be compared, of which JAX says what it says
            return None
        return self._first(folder, signature, arrays) if program is _UNKNOWN else self._run(program, signature, arrays)

    def _first(self, folder, signature, arrays):
        """The first call with such arguments, for which other threads wait instead of tracing and compiling it too."""
        with self._lock:
            lock = self._under_way.setdefault(signature, threading.Lock())
        with lock:
            program = self._programs.get(signature, _UNKNOWN)
            if program is _UNKNOWN:
                try:
                    program = self._programs[signature] = self._program(folder, signature, arrays)
                    return self._run(program, signature, arrays, first=True)
                finally:
                    self._under_way.pop(signature, None)
                    self._forget()
        return self._run(program, signature, arrays)

    def _forget(self):
        with self._lock:
            if len(self._programs) > _MOST_PROGRAMS:
                self._programs.popitem(last=False)

    def _run(self, program, signature, arrays, *, first=False):
        if program is None:
            return None
        try:
            results = program.call(*arrays)
            if first:  # what a file holds may fail while it runs; later calls leave the device to work by itself
                jax.block_until_ready(results)
        except Exception:
            if not program.kept:
                raise
            self._programs[signature] = None  # what JAX cannot run from a file is traced, and says what is wrong
            return None
        remaining = iter(results)
        whole = [next(remaining) if other is None else other for other in program.others]
        return (jax.tree.unflatten(program.results, whole),)

    def _program(self, folder, signature, arrays):
        """The program of such arguments; None where they cannot be described."""
        try:
            key = _key(self._function, signature)
        except Indescribable:
            return None
        if key is None:
            return None
        path = folder.path / f"{key}{_SUFFIX}"
        program = _from_file(path, key, self._function, arrays) if path.exists() and is_as_written() else None
        return program or self._traced(signature, arrays, path if folder.writable else None)

    def _traced(self, signature, arrays, path):
        structure, others, *_ = signature
        parts = {}

        @functools.wraps(self._function)
        def on_arrays(*arrays):
            remaining = iter(arrays)
            leaves = [next(remaining) if other is None else other[1] for other in others]
            arguments, named = jax.tree.unflatten(structure, leaves)
            leaves, parts["results"] = jax.tree.flatten(self._function(*arguments, **named))
            parts["others"] = [None if eqx.is_array(leaf) else leaf for leaf in leaves]
            return [leaf for leaf in leaves if eqx.is_array(leaf)]

        compiled, before = jax.jit(on_arrays), warnings_issued()
        traced = compiled.trace(*arrays)
        program = _Program(compiled, parts["results"], parts["others"], kept=False)
        if path is None or not _CAN_WRITE or before != warnings_issued():
            return program
        if _steps(traced.jaxpr.jaxpr) < _LEAST_STEPS:
            return program
        try:
            if not is_as_written():
                return program
            header = {name: described(part) for name, part in parts.items()}
            if restored(json.loads(json.dumps(header["results"]))) != program.results:
                return program
            exported = jax.export.export(compiled)(*arrays)
            kept = write_trace(path, path.name.removesuffix(_SUFFIX), header, bytes(exported.serialize()))
        except (Indescribable, ValueError, NotImplementedError, TypeError):
            return program  # results or operations that no file can hold
        return program._replace(call=_called(exported, self._function), kept=True) if kept else program


def _key(function, signature):
    """Hash of all that the trace depends on; None where files of the code have changed meanwhile."""
    structure, others, kinds, settings = signature
    surroundings = circumstances()
    if surroundings is None:
        return None
    arguments = described((structure, [other and other[1] for other in others]))
    text = json.dumps([home_of(function), arguments, [str(kind) for kind in kinds], str(settings), surroundings])
    return hashlib.sha256(text.encode()).hexdigest()


def _from_file(path: Path, key, function, arrays):
    kept = read_trace(path, key)
    if kept is None:
        return None
    header, program = kept
    try:
        results, others = restored(header["results"]), restored(header["others"])
        exported = jax.export.deserialize(bytearray(program))
        fits = [(one.shape, one.dtype) for one in exported.in_avals] == [(one.shape, one.dtype) for one in arrays]
        fits &= exported.nr_devices <= jax.local_device_count()
        fits &= results.num_leaves == len(others) and others.count(None) == len(exported.out_avals)
        return _Program(_called(exported, function), results, others, kept=True) if fits else None
    except Exception:  # whatever is wrong with a file costs only the time to trace
        return None


def _called(exported, function):
    """A compiled function that runs an exported program on the devices it is for."""
    number = exported.nr_devices

    @functools.wraps(function)
    def on_arrays(*arrays):
        results = exported.call(*arrays)
        if number == 1:
            return results
        # Of a program from a file, JAX does not know on how many devices it runs: a number that lies on them says it.
        mesh = Mesh(np.array(jax.local_devices()[:number]), ("row",))
        return [*results, jax.lax.with_sharding_constraint(jnp.zeros(()), NamedSharding(mesh, PartitionSpec()))]

    compiled = jax.jit(on_arrays)
    return compiled if number == 1 else lambda *arrays: compiled(*arrays)[:-1]


def _is_movable(leaf):
    """Whether a leaf is a setting, or an array whose place says nothing about the program."""
    if isinstance(leaf, jax.core.Tracer):
        return False
    return not isinstance(leaf, jax.Array) or leaf.devices() == {jax.local_devices()[0]}


def _kind_of(array):
    return array.shape, array.dtype, getattr(array, "weak_type", False)


def _steps(jaxpr):
    """Operations of a traced program, those of its loops and functions counted once each."""
    return len(jaxpr.eqns) + sum(_steps(inner) for one in jaxpr.eqns for inner in jaxprs_in_params(one.params))
