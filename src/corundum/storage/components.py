"""Models, cosmologies and interpolation rules on disk: the class of every part and the value of every number.

A component is an `equinox.Module`.  Its group holds the public name of its class, one dataset for each physical number
(with unit, meaning, source and range) or other array, one subgroup for each part (dictionaries, tuples and lists
included), and texts for plain values and for functions that have a public name.  What cannot be stored is said in the
file and by a warning.  Reading builds the same object again from classes and functions of modules that are imported
already (see `corundum.storage.public_names`); nothing is imported or evaluated because a file names it.
"""

import dataclasses
import json
import warnings
from collections.abc import Mapping
from typing import Any, NamedTuple

import equinox as eqx
import h5py
import jax
import jax.numpy as jnp
import numpy as np

from ..declarations import ANY_NUMBER
from ..parameters import Parameter
from ..units import Quantity
from .arrays import read_array, write_array
from .public_names import find_class, find_function, public_name

__all__ = ["Restored", "find_class", "read_component", "read_parameters", "restore_component", "write_component"]

_CONTAINERS = {"dict": dict, "tuple": tuple, "list": list}
_PLAIN = (bool, int, float, str, type(None))
_ABSENT = object()
_NAME_IT = "define it by def at the top level of a module and use that"


class Restored(NamedTuple):
    """A component that was read from a file.

    Attributes
    ----------
    component : object or None
        None where a part of it is missing.
    missing : tuple of str
        What is missing and why, one sentence for each part.

    Examples
    --------
    >>> from corundum.storage.components import Restored
    >>> Restored(co.physics.MassLoading(), ()).missing
    ()
    """

    component: Any
    missing: tuple[str, ...]


def write_component(group: h5py.Group, component: Any) -> None:
    """Store a component.

    Parameters
    ----------
    group : h5py.Group
        An empty group of an open file.
    component : equinox.Module, mapping, tuple or list

    Warns
    -----
    UserWarning
        A part cannot be stored, so that the component will not come back; its parameters will.

    Examples
    --------
    >>> import h5py
    >>> from corundum.storage.components import read_component, write_component
    >>> with h5py.File("law.h5", "w") as file:
    ...     write_component(file.create_group("law"), co.physics.MassLoading(slope=-2.0))
    ...     float(read_component(file["law"]).slope)
    -2.0
    """
    lost: dict[str, str] = {}
    _write(group, component, "", lost)
    if lost:
        parts = "; ".join(f"{place}: {reason}" for place, reason in lost.items())
        warnings.warn(
            f"{_place(group)} will not come back from this file as an object, because a part of it cannot be stored "
            f"({parts}); its parameters are stored",
            stacklevel=2,
        )


def _write(group: h5py.Group, component: Any, prefix: str, lost: dict[str, str]) -> None:
    members = list(_members(component))
    plain: dict[str, Any] = {}
    functions: dict[str, str] = {}
    reasons: dict[str, str] = {}
    kind = _kind(component)
    if kind is None:
        kind = f"{type(component).__module__}.{type(component).__qualname__}"
        reasons["class"] = f"the class {kind} is not at the top level of a module; move it there"
    for name, value, note in members:
        if isinstance(value, Mapping) and note is not None:
            _write_numbers(group.create_group(name), value, note)
        elif note is not None:
            _write_number(group, name, value, note)
        elif isinstance(value, eqx.Module | tuple | list) or _is_named(value):
            _write(group.create_group(name), value, f"{prefix}{name}.", lost)
        elif _is_storable(value):
            dataset = write_array(group, name, value, Quantity("none", f"{name} of {kind}", log=False))
            dataset.attrs["numpy"] = isinstance(value, np.ndarray)
        elif isinstance(value, _PLAIN):
            plain[name] = value
        elif callable(value) and (function := public_name(value)) is not None:
            functions[name] = function
        else:
            reasons[name] = _reason(value)
    lost |= {f"{prefix}{name}": reason for name, reason in reasons.items()}
    _describe(group, kind, [name for name, _, _ in members], plain, functions, reasons)


def _describe(
    group: h5py.Group,
    kind: str,
    fields: list[str],
    plain: Mapping[str, Any],
    functions: Mapping[str, str],
    reasons: Mapping[str, str],
) -> None:
    group.attrs["kind"] = kind
    group.attrs["fields"] = json.dumps(fields)
    group.attrs["plain"] = json.dumps(plain)
    group.attrs["functions"] = json.dumps(functions)
    group.attrs["not_stored"] = json.dumps(reasons)


def _kind(component: Any) -> str | None:
    if isinstance(component, Mapping):
        return "dict"
    return type(component).__name__ if type(component) in (tuple, list) else public_name(type(component))


def _members(component: Any) -> list[tuple[str, Any, Any]]:
    """(name, value, what is known of the number or None) of every part of a component."""
    if isinstance(component, Mapping):
        return [(name, value, None) for name, value in component.items()]
    if isinstance(component, tuple | list):
        names = getattr(component, "_fields", range(len(component)))
        return [(str(name), value, None) for name, value in zip(names, component, strict=True)]
    fields = dataclasses.fields(component)
    return [(field.name, getattr(component, field.name), field.metadata.get("corundum")) for field in fields]


def _is_named(value: Any) -> bool:
    """Whether this is a dictionary whose keys can be names in a file."""
    return isinstance(value, Mapping) and all(isinstance(key, str) and key and "/" not in key for key in value)


def _is_storable(value: Any) -> bool:
    """Whether this is an array of numbers or truth values that HDF5 knows."""
    if not isinstance(value, jax.Array | np.ndarray) or jax.dtypes.issubdtype(value.dtype, jax.dtypes.extended):
        return False  # a key of JAX's random numbers, for example
    return np.dtype(value.dtype).kind in "biufc"


def _reason(value: Any) -> str:
    if isinstance(value, type):
        return f"the class {value.__qualname__} has no public name; {_NAME_IT}"
    if callable(value):
        name = getattr(value, "__qualname__", type(value).__name__)
        return f"the function {name} has no public name; {_NAME_IT}"
    return f"a {type(value).__name__} is no number, array, component, text or function"


def _write_number(group: h5py.Group, name: str, value: Any, note: Mapping[str, Any]) -> None:
    about = Quantity(note["unit"], note["meaning"].format(name=name), note["scale"] == "log10")
    dataset = write_array(group, name, value, about)
    dataset.attrs["source"] = note["source"]
    dataset.attrs["bounds"] = note["bounds"]
    dataset.attrs["allowed"] = note["allowed"]


def _write_numbers(group: h5py.Group, values: Mapping[str, Any], note: Mapping[str, Any]) -> None:
    for name, value in values.items():
        _write_number(group, name, value, note)
    _describe(group, "dict", list(values), {}, {}, {})


def read_component(group: h5py.Group) -> Any:
    """The object stored by `write_component`; None, with a warning that says why, where a part of it is missing.

    Warns
    -----
    UserWarning
        A class or function is not imported, has changed since, or was not storable.

    Examples
    --------
    >>> import h5py
    >>> from corundum.storage.components import read_component, write_component
    >>> with h5py.File("law.h5", "w") as file:
    ...     write_component(file.create_group("law"), co.physics.ConstantLoading(2.0))
    ...     read_component(file["law"])(100.0, 0.0)
    Array(2., dtype=float64)
    """
    component, missing = restore_component(group)
    if missing:
        warnings.warn(f"{_place(group)} is not restored: {'; '.join(missing)}", stacklevel=2)
    return component


def restore_component(group: h5py.Group) -> Restored:
    """The object stored by `write_component`, or what of it is missing.

    Examples
    --------
    >>> import h5py
    >>> from corundum.storage.components import restore_component, write_component
    >>> with h5py.File("law.h5", "w") as file:
    ...     write_component(file.create_group("law"), co.physics.MassLoading())
    ...     file["law"].attrs["kind"] = "mymodule.MyLoading"
    ...     restore_component(file["law"]).missing
    ('law: the class mymodule.MyLoading is not imported; import its module and load again',)
    """
    missing: list[str] = []
    component = _read(group, missing)
    return Restored(None if missing else component, tuple(missing))


def _read(group: h5py.Group, missing: list[str]) -> Any:
    place, kind = _place(group), str(group.attrs["kind"])
    values = dict(json.loads(group.attrs["plain"]))
    for name, reason in json.loads(group.attrs["not_stored"]).items():
        missing.append(f"{place}.{name}: it was not stored, because {reason}")
    for name, function in json.loads(group.attrs.get("functions", "{}")).items():
        values[name] = find_function(function)
        if values[name] is None:
            missing.append(f"{place}.{name}: the function {function} is not imported; import its module and load again")
    for name, item in group.items():
        values[name] = _read(item, missing) if isinstance(item, h5py.Group) else _read_array(item)
    fields = json.loads(group.attrs["fields"])
    if kind == "dict":
        return {name: values[name] for name in fields if name in values}
    if kind in _CONTAINERS:
        return _CONTAINERS[kind](values.get(name) for name in fields)
    return _build(place, kind, values, missing)


def _build(place: str, kind: str, values: dict[str, Any], missing: list[str]) -> Any:
    cls: Any = find_class(kind)
    if cls is None:
        missing.append(f"{place}: the class {kind} is not imported; import its module and load again")
        return _ABSENT
    is_named_tuple = issubclass(cls, tuple) and hasattr(cls, "_fields")
    if not is_named_tuple and not issubclass(cls, eqx.Module):
        missing.append(f"{place}: the class {kind} is no component")
        return _ABSENT
    fields = cls._fields if is_named_tuple else [field.name for field in dataclasses.fields(cls)]
    if sorted(values) != sorted(fields):
        if not missing:
            missing.append(
                f"{place}: the class {kind} has changed since; it had {', '.join(sorted(values))} and has "
                f"{', '.join(sorted(fields))}"
            )
        return _ABSENT
    if is_named_tuple:
        return cls(**values)
    # As JAX rebuilds a pytree, without __init__: the values were checked when the object was first made, and must not
    # be changed now.
    component: Any = object.__new__(cls)
    for name, value in values.items():
        object.__setattr__(component, name, value)
    return component


def _read_array(dataset: h5py.Dataset) -> Any:
    value = dataset[()]
    return np.asarray(value) if dataset.attrs.get("numpy", False) else jnp.asarray(value)


def _place(group: h5py.Group) -> str:
    """Where a group stands, as a dotted name: ``model.mass_loading``."""
    return group.name.strip("/").replace("/", ".")


def read_parameters(group: h5py.Group, prefix: str = "") -> dict[str, Parameter]:
    """All physical numbers of a stored component by dotted name, even where its class is not at hand.

    Examples
    --------
    >>> import h5py
    >>> from corundum.storage.components import read_parameters, write_component
    >>> with h5py.File("law.h5", "w") as file:
    ...     write_component(file.create_group("law"), co.physics.MassLoading(slope=-2.0))
    ...     float(read_parameters(file["law"])["slope"].value)
    -2.0
    """
    parameters: dict[str, Parameter] = {}
    for name in json.loads(group.attrs["fields"]):
        item = group.get(name)
        if isinstance(item, h5py.Group):
            parameters |= read_parameters(item, f"{prefix}{name}.")
        elif isinstance(item, h5py.Dataset) and "source" in item.attrs:
            value, about = read_array(group, name)
            low, high = (float(edge) for edge in item.attrs["bounds"])
            least, most = (float(edge) for edge in item.attrs.get("allowed", ANY_NUMBER))
            scale = "log10" if about.log else "linear"
            source = str(item.attrs["source"])
            parameters[prefix + name] = Parameter(
                jnp.asarray(value), about.unit, about.meaning, source, (low, high), scale, (least, most)
            )
    return parameters
