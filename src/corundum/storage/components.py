"""Models, cosmologies and interpolation rules on disk: the class of every part and the value of every number.

A component is an `equinox.Module`.  Its group holds the dotted name of its class, one dataset for each
physical number (with unit, meaning, source and range) and one subgroup for each part.  Reading builds the
same object again for classes of corundum, and of modules the reader has imported already; nothing is ever
imported because a file names it, except corundum itself.
"""

import dataclasses
import importlib
import json
import sys
from collections.abc import Mapping
from typing import Any

import equinox as eqx
import h5py
import jax
import jax.numpy as jnp
import numpy as np

from ..parameters import Parameter
from ..units import Quantity
from .arrays import read_array, write_array

__all__ = ["write_component", "read_component", "read_parameters", "find_class"]

_PACKAGE = __name__.partition(".")[0]
_DICTIONARY = "dict"
_PLAIN = (bool, int, float, str, type(None))


def write_component(group: h5py.Group, component: eqx.Module | Mapping[str, Any]) -> None:
    """Store a component; a field that is no number, array, component or plain value leaves its text only."""
    members = list(_members(component))
    plain, lost = {}, {}
    for name, value, note in members:
        if isinstance(value, Mapping) and note is not None:
            _write_numbers(group.create_group(name), value, note)
        elif note is not None:
            _write_number(group, name, value, note)
        elif isinstance(value, eqx.Module | Mapping):
            write_component(group.create_group(name), value)
        elif isinstance(value, (jax.Array, np.ndarray)):
            write_array(group, name, value, Quantity("none", f"{name} of {type(component).__name__}", log=False))
        elif isinstance(value, _PLAIN):
            plain[name] = value
        else:
            lost[name] = repr(value)
    kind = type(component)
    group.attrs["kind"] = _DICTIONARY if isinstance(component, Mapping) else f"{kind.__module__}.{kind.__qualname__}"
    group.attrs["fields"] = json.dumps([name for name, _, _ in members])
    group.attrs["plain"] = json.dumps(plain)
    group.attrs["not_stored"] = json.dumps(lost)


def _members(component):
    """(name, value, what is known of the number or None) of every part of a component."""
    if isinstance(component, Mapping):
        return [(name, value, None) for name, value in component.items()]
    fields = dataclasses.fields(component)
    return [(field.name, getattr(component, field.name), field.metadata.get("corundum")) for field in fields]


def _write_number(group, name, value, note):
    about = Quantity(note["unit"], note["meaning"].format(name=name), note["scale"] == "log10")
    dataset = write_array(group, name, value, about)
    dataset.attrs["source"] = note["source"]
    dataset.attrs["bounds"] = note["bounds"]


def _write_numbers(group, values, note):
    for name, value in values.items():
        _write_number(group, name, value, note)
    group.attrs.update(kind=_DICTIONARY, fields=json.dumps(list(values)), plain="{}", not_stored="{}")


def read_component(group: h5py.Group) -> Any:
    """The object stored by `write_component`; None where a class of it is not at hand or was not storable."""
    named = group.attrs["kind"] == _DICTIONARY
    kind = dict if named else find_class(group.attrs["kind"])
    if kind is None or not (named or issubclass(kind, eqx.Module)) or json.loads(group.attrs["not_stored"]):
        return None
    values = json.loads(group.attrs["plain"])
    for name, item in group.items():
        values[name] = read_component(item) if isinstance(item, h5py.Group) else jnp.asarray(item[()])
        if values[name] is None:
            return None
    if named:
        return values
    if sorted(values) != sorted(field.name for field in dataclasses.fields(kind)):
        return None  # the class has changed since
    # As JAX rebuilds a pytree: the values were checked when the object was first made, and must not be
    # changed now.
    component = object.__new__(kind)
    for name, value in values.items():
        object.__setattr__(component, name, value)
    return component


def read_parameters(group: h5py.Group, prefix: str = "") -> dict[str, Parameter]:
    """All physical numbers of a stored component by dotted name, even where its class is not at hand."""
    found: dict[str, Parameter] = {}
    for name in json.loads(group.attrs["fields"]):
        item = group.get(name)
        if isinstance(item, h5py.Group):
            found.update(read_parameters(item, f"{prefix}{name}."))
        elif item is not None and "source" in item.attrs:
            value, about = read_array(group, name)
            bounds = tuple(float(edge) for edge in item.attrs["bounds"])
            scale = "log10" if about.log else "linear"
            source = str(item.attrs["source"])
            found[prefix + name] = Parameter(jnp.asarray(value), about.unit, about.meaning, source, bounds, scale)
    return found


def find_class(dotted: str) -> type | None:
    """The class of this dotted name, or None unless corundum has it or its module is imported already."""
    module, _, name = str(dotted).rpartition(".")
    if module.partition(".")[0] == _PACKAGE:
        try:
            importlib.import_module(module)
        except ImportError:
            return None
    found = getattr(sys.modules.get(module), name, None)
    return found if isinstance(found, type) else None
