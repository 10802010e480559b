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
_PLAIN = (bool, int, float, str, type(None))


def write_component(group: h5py.Group, component: eqx.Module) -> None:
    """Store a component; a field that is no number, array, component or plain value leaves its text only."""
    kind = type(component)
    fields = dataclasses.fields(component)
    plain, lost = {}, {}
    for field in fields:
        note = field.metadata.get("corundum")
        value = getattr(component, field.name)
        if note is not None:
            about = Quantity(note["unit"], note["meaning"], note["scale"] == "log10")
            dataset = write_array(group, field.name, value, about)
            dataset.attrs["source"] = note["source"]
            dataset.attrs["bounds"] = note["bounds"]
        elif isinstance(value, eqx.Module):
            write_component(group.create_group(field.name), value)
        elif isinstance(value, (jax.Array, np.ndarray)):
            write_array(group, field.name, value, Quantity("none", f"{field.name} of {kind.__name__}", log=False))
        elif isinstance(value, _PLAIN):
            plain[field.name] = value
        else:
            lost[field.name] = repr(value)
    group.attrs["kind"] = f"{kind.__module__}.{kind.__qualname__}"
    group.attrs["fields"] = json.dumps([field.name for field in fields])
    group.attrs["plain"] = json.dumps(plain)
    group.attrs["not_stored"] = json.dumps(lost)


def read_component(group: h5py.Group) -> Any:
    """The object stored by `write_component`; None where a class of it is not at hand or was not storable."""
    kind = find_class(group.attrs["kind"])
    if kind is None or not issubclass(kind, eqx.Module) or json.loads(group.attrs["not_stored"]):
        return None
    values = json.loads(group.attrs["plain"])
    for name, item in group.items():
        values[name] = read_component(item) if isinstance(item, h5py.Group) else jnp.asarray(item[()])
        if values[name] is None:
            return None
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
