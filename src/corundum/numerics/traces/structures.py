"""Structures of arguments and results as plain text, and back.

A kept trace has to say which arguments it is for and how its results are put together.  Python's own way to write
objects down runs code when it reads them, so a file could do anything; here a description holds names and numbers
alone.  Names are looked up in modules that are imported already, and only in this package and the libraries below.
"""

import dataclasses
import enum
import functools
import inspect
import math
import sys
from collections.abc import Callable
from types import FunctionType
from typing import Any

import equinox as eqx
import jax
import numpy as np

__all__ = ["Indescribable", "described", "home_of", "restored"]

PACKAGE = __name__.partition(".")[0]
LIBRARIES = ("diffmah", "diffrax", "equinox", "jax", "jaxtyping", "lineax", "numpy", "numpyro", "optax", "optimistix")
"""Packages whose versions are part of every key, so that names of theirs say what they stand for."""

_STRUCTURE: Any = type(jax.tree.structure(0))
_ADDS_NOTHING = frozenset(
    {"__module__", "__doc__", "__signature__"}
)  # in a class that joins others and is described by them
_CONTAINERS = (tuple, list, dict, type(None))


class _Probe(eqx.Module):
    number: float = 0.0


_PROBE: Any = jax.tree.structure(_Probe())
_ABSENT = _PROBE.node_data()[1][0]  # what equinox writes beside the static fields of a module


class Indescribable(Exception):
    """What a description cannot say: a function or class from elsewhere, a closure, an array among settings."""


def described(part: Any) -> Any:
    """`part` in lists, dictionaries, texts and numbers that JSON can hold.

    Parameters
    ----------
    part : object
        A setting (a static field), a structure of JAX, or a tree of modules without arrays.

    Raises
    ------
    Indescribable
        Part of it has no description.

    Examples
    --------
    >>> described(("Chabrier", 3, 0.5))
    {'tuple': ['Chabrier', 3, {'float': '0x1.0000000000000p-1'}]}
    >>> described(jax.tree.structure({"a": 1.0}))
    {'structure': {'node': 'builtins:dict', 'static': {'list': ['a']}, 'children': [None]}}
    """
    kind = type(part)
    if part is None or kind in (bool, int, str):
        return part
    if kind is float:
        return {"float": part.hex() if math.isfinite(part) else str(part)}
    if kind in (tuple, list):
        return {kind.__name__: [described(one) for one in part]}
    if kind is dict:
        return {"dict": [[described(name), described(one)] for name, one in part.items()]}
    if kind is _STRUCTURE:
        return {"structure": _nodes(part)}
    if part is _ABSENT:
        return {"absent": 0}
    if isinstance(part, type | FunctionType):
        return {"name": home_of(part)}
    return _object(part)


def _object(part):
    """Objects of classes that have a name."""
    if isinstance(part, np.dtype):
        return {"dtype": part.str}
    if isinstance(part, frozenset):
        return {"set": sorted(map(repr, map(described, part)))}
    if isinstance(part, functools.partial):
        return {"partial": [described(one) for one in (part.func, part.args, part.keywords)]}
    if isinstance(part, eqx.Module):
        leaves, structure = jax.tree.flatten(part)
        return {"tree": [described(leaves), _nodes(structure)]}
    if callable(part) and hasattr(part, "__wrapped__"):
        return {"name": home_of(part)}  # a function that JAX has wrapped
    name = home_of(type(part))
    if isinstance(part, enum.Enum):
        return {"enum": [name, part.name]}
    if isinstance(part, tuple) and hasattr(part, "_fields"):
        return {"record": [name, [described(one) for one in part]]}
    if dataclasses.is_dataclass(part):
        names = [field.name for field in dataclasses.fields(part)]
        return {"dataclass": [name, [[field, described(getattr(part, field))] for field in names]]}
    raise Indescribable(f"{name} has no description")


def _nodes(structure):
    """The nodes of a structure of JAX; None for a leaf."""
    node = structure.node_data()
    if node is None:
        return None
    kind, static = node
    return {"node": home_of(kind), "static": described(static), "children": list(map(_nodes, structure.children()))}


def home_of(member: Any) -> str:
    """``module:name`` of a class or function of this package or its libraries.

    Raises
    ------
    Indescribable
        It is from elsewhere, or its module does not hold it under this name, as with functions inside functions.

    Examples
    --------
    >>> home_of(jnp.sin).partition(":")[2]
    'sin'
    >>> home_of(print)
    Traceback (most recent call last):
    corundum.numerics.traces.structures.Indescribable: print is from elsewhere
    """
    module, name = getattr(member, "__module__", None) or "", getattr(member, "__qualname__", "")
    if isinstance(member, type) and _ADDS_NOTHING.issuperset(vars(member)):
        return f"{name}({', '.join(map(home_of, member.__bases__))})"
    if module.partition(".")[0] not in (PACKAGE, *LIBRARIES) and member not in _CONTAINERS:
        raise Indescribable(f"{name} is from elsewhere")
    if _member(module, name) is not member and member is not type(None):
        own = inspect.unwrap(_member(module, name)) if callable(_member(module, name)) else None
        if own is None or own is not inspect.unwrap(member):
            raise Indescribable(f"{module} does not hold {name}")
    return f"{module}:{name}"


def _member(module, name):
    member = sys.modules.get(module)
    for part in name.split("."):
        member = getattr(member, part, None)
    return member


def restored(description: Any) -> Any:
    """What `described` was called with, of which this package's classes and Python's containers can be parts.

    Raises
    ------
    Indescribable
        The description names something else, or a class that is not imported.

    Examples
    --------
    >>> structure = jax.tree.structure({"a": (1.0, None)})
    >>> restored(described(structure)) == structure
    True
    """
    if not isinstance(description, dict):
        return description
    (kind, content), *rest = description.items()
    if rest or kind not in _READERS:
        raise Indescribable(f"a description of {kind}")
    return _READERS[kind](content)


def _class(name):
    if name == "builtins:NoneType":
        return type(None)
    module, _, qualified = str(name).partition(":")
    member = _member(module, qualified)
    known = module.partition(".")[0] == PACKAGE or member in _CONTAINERS
    if not known or not isinstance(member, type):
        raise Indescribable(f"{name} is no class of {PACKAGE} that is imported")
    return member


def _record(content):
    kind = _class(content[0])
    if not issubclass(kind, tuple) or len(content[1]) != len(getattr(kind, "_fields", ())):
        raise Indescribable(f"{content[0]} has other fields")
    return tuple.__new__(kind, [restored(one) for one in content[1]])


def _dataclass(content):
    kind = _class(content[0])
    if not dataclasses.is_dataclass(kind):
        raise Indescribable(f"{content[0]} has no fields")
    instance = object.__new__(kind)
    for field, one in content[1]:
        object.__setattr__(instance, str(field), restored(one))
    return instance


def _structure(content):
    if content is None:
        return jax.tree.structure(0)
    node = (_class(content["node"]), restored(content["static"]))
    children = [_structure(one) for one in content["children"]]
    return _STRUCTURE.from_node_data_and_children(jax.tree_util.default_registry, node, children)


_READERS: dict[str, Callable[[Any], Any]] = {
    "float": lambda content: float.fromhex(content),
    "tuple": lambda content: tuple(restored(one) for one in content),
    "list": lambda content: [restored(one) for one in content],
    "dict": lambda content: {restored(name): restored(one) for name, one in content},
    "absent": lambda content: _ABSENT,
    "record": _record,
    "dataclass": _dataclass,
    "structure": _structure,
}
