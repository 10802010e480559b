"""Compiled functions, of which the first call waits neither for Python's garbage collector nor, as a rule, for JAX.

Tracing a model makes some hundred thousand small objects that stay.  Python's collector looks through all of them again
and again and finds next to nothing; this took a fifth of the time to trace a Jacobian.  It pauses during these calls.
A program that another process has traced is not traced again (`corundum.numerics.traces`).
"""

import contextlib
import functools
import gc
import threading
from collections.abc import Callable, Iterator
from typing import Any, ParamSpec, TypeVar

import equinox as eqx

from .traces import KeptTraces

__all__ = ["collection_paused", "compiled"]

_P = ParamSpec("_P")
_T = TypeVar("_T")
_LOCK = threading.Lock()
_PAUSED: dict[str, Any] = {"calls": 0, "was_enabled": False}


@contextlib.contextmanager
def collection_paused() -> Iterator[None]:
    """No search for circular garbage inside; nested and in several threads, until the last of them ends.

    A collector that was off before is off afterwards.

    Examples
    --------
    >>> import gc
    >>> with collection_paused():
    ...     gc.isenabled()
    False
    >>> gc.isenabled()
    True
    """
    with _LOCK:
        if not _PAUSED["calls"]:
            _PAUSED["was_enabled"] = gc.isenabled()
            gc.disable()
        _PAUSED["calls"] += 1
    try:
        yield
    finally:
        with _LOCK:
            _PAUSED["calls"] -= 1
            if not _PAUSED["calls"] and _PAUSED["was_enabled"]:
                gc.enable()


def compiled(function: Callable[_P, _T]) -> Callable[_P, _T]:
    """`function` compiled by ``eqx.filter_jit``, with `collection_paused` while a call traces, compiles and starts.

    Where `corundum.configure` keeps programs, a call whose program has been traced before, in this or another process,
    takes it from there.

    Examples
    --------
    >>> doubled = compiled(lambda x: 2.0 * x)
    >>> float(doubled(jnp.array(3.0)))
    6.0
    """
    inner, kept = eqx.filter_jit(function), KeptTraces(function)

    @functools.wraps(function)
    def call(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        with collection_paused():
            result = kept(args, kwargs)
            return result[0] if result is not None else inner(*args, **kwargs)

    return call
