"""Datasets that say what they are: every one carries a unit, a description and a log flag.

The three attributes are those of `corundum.units.Quantity`.  Text and free-form values (run information,
provenance) are stored by the same functions, with the unit ``"none"``.
"""

import json
from collections.abc import Mapping
from typing import Any

import h5py
import numpy as np

from ..units import Quantity

__all__ = [
    "write_array",
    "read_array",
    "write_values",
    "read_values",
]


def write_array(group: h5py.Group, name: str, value: Any, quantity: Quantity) -> h5py.Dataset:
    """Store an array, a number or a text under `name` with what it is."""
    dataset = group.create_dataset(name, data=value if isinstance(value, str) else np.asarray(value))
    dataset.attrs["unit"] = quantity.unit
    dataset.attrs["description"] = quantity.meaning
    dataset.attrs["log"] = bool(quantity.log)
    return dataset


def read_array(group: h5py.Group, name: str) -> tuple[np.ndarray, Quantity]:
    """An array and what it is."""
    dataset = group[name]
    quantity = Quantity(str(dataset.attrs["unit"]), str(dataset.attrs["description"]), bool(dataset.attrs["log"]))
    return dataset[()], quantity


def write_values(group: h5py.Group, values: Mapping[str, Any], about: str) -> None:
    """Store a nested mapping of texts, numbers, arrays and lists; `about` opens every description.

    Lists and None are stored as JSON text.

    Raises
    ------
    ValueError
        A key is not a name or a value is of a kind that cannot be stored; the message names it.
    """
    for key, value in values.items():
        if not isinstance(key, str) or not key or "/" in key or key == ".":
            raise ValueError(f"{about}: got the key {key!r}; use a text without '/'")
        described = f"{about}: {key}"
        if isinstance(value, Mapping):
            write_values(group.create_group(key, track_order=True), value, described)
            continue
        is_json = value is None or isinstance(value, (list, tuple))
        if is_json:
            value = _as_json(value, described)
        elif not isinstance(value, (str, np.bool_)) and np.asarray(value).dtype.kind not in "biuf":
            raise ValueError(f"{described}: cannot store a {type(value).__name__}; give text, numbers, lists or arrays")
        unit = "1" if np.asarray(value).dtype.kind in "iuf" else "none"
        dataset = write_array(group, key, value, Quantity(unit, described, log=False))
        dataset.attrs["json"] = is_json


def read_values(group: h5py.Group) -> dict[str, Any]:
    """The mapping stored by `write_values`; scalars come back as Python numbers."""
    return {key: read_values(item) if isinstance(item, h5py.Group) else _value(item) for key, item in group.items()}


def _as_json(value: Any, described: str) -> str:
    try:
        return json.dumps(value, allow_nan=True)
    except TypeError:
        raise ValueError(f"{described}: a list may hold texts, numbers, lists and tables only") from None


def _value(dataset: h5py.Dataset) -> Any:
    if h5py.check_string_dtype(dataset.dtype) is not None:
        text = dataset.asstr()[()]
        return json.loads(text) if dataset.attrs["json"] else text
    value = dataset[()]
    return value if np.ndim(value) else value.item()
