"""Datasets that say what they are: each one carries a unit, a description and a log flag.

The three attributes are those of `corundum.units.Quantity`.  Text and free-form values (run information,
provenance) are stored by the same functions, with the unit ``"none"``.
"""

import json
from collections.abc import Mapping
from typing import Any

import h5py
import numpy as np

from ..units import Quantity

__all__ = ["write_array", "read_array", "write_values", "read_values"]

_TEXT = h5py.h5t.py_create(h5py.string_dtype(), logical=True)
_FLAG = h5py.h5t.py_create(np.dtype(bool), logical=True)
_SCALAR = h5py.h5s.create(h5py.h5s.SCALAR)


def write_array(group: h5py.Group, name: str, value: Any, quantity: Quantity) -> h5py.Dataset:
    """Store an array, a number or a text in a group, together with its unit and meaning.

    Parameters
    ----------
    group : h5py.Group
        An open file or a group in it.
    name : str
        Name of the new dataset.
    value : array, number or str
    quantity : Quantity
        Unit, description and log flag, which become attributes of the dataset.

    Returns
    -------
    h5py.Dataset

    Examples
    --------
    >>> import h5py
    >>> from corundum.storage.arrays import read_array, write_array
    >>> from corundum.units import Quantity
    >>> with h5py.File("galaxies.h5", "w") as file:
    ...     dataset = write_array(file, "mstar", [1.0e10, 2.0e10], Quantity("Msun", "stellar mass"))
    ...     read_array(file, "mstar")
    (array([1.e+10, 2.e+10]), Quantity(unit='Msun', meaning='stellar mass', log=True))
    """
    dataset = group.create_dataset(name, data=value if isinstance(value, str) else np.asarray(value))
    # By the low-level interface: a run writes twenty thousand attributes, which took half of its time for saving.
    for attribute, text in (("unit", quantity.unit), ("description", quantity.meaning)):
        h5py.h5a.create(dataset.id, attribute.encode(), _TEXT, _SCALAR).write(np.array(text, dtype=object))
    h5py.h5a.create(dataset.id, b"log", _FLAG, _SCALAR).write(np.array(bool(quantity.log)))
    return dataset


def read_array(group: h5py.Group, name: str) -> tuple[Any, Quantity]:
    """An array, or a number, stored by `write_array`, and its unit and meaning.

    Raises
    ------
    KeyError
        The group has no such dataset, or the dataset lacks an attribute.
    """
    dataset = group[name]
    quantity = Quantity(str(dataset.attrs["unit"]), str(dataset.attrs["description"]), bool(dataset.attrs["log"]))
    return dataset[()], quantity


def write_values(group: h5py.Group, values: Mapping[Any, Any], about: str) -> None:
    """Store a nested mapping of texts, numbers, arrays and lists.

    Lists and None are stored as JSON text.

    Parameters
    ----------
    group : h5py.Group
        An open file or a group in it.
    values : mapping of str to text, number, array, list, None or mapping
    about : str
        What the values describe; it opens every description and every error message.

    Raises
    ------
    ValueError
        A key is not a name, or a value is of a kind that cannot be stored; the message names it.

    Examples
    --------
    >>> import h5py
    >>> from corundum.storage.arrays import read_values, write_values
    >>> with h5py.File("run.h5", "w") as file:
    ...     write_values(file, {"seed": 3, "redshifts": [0.0, 2.0], "machine": {"devices": "cpu"}}, "run")
    ...     read_values(file)
    {'machine': {'devices': 'cpu'}, 'redshifts': [0.0, 2.0], 'seed': 3}
    """
    for key, value in values.items():
        if not isinstance(key, str) or not key or "/" in key or key == ".":
            raise ValueError(f"{about}: got the key {key!r}; use a text without '/'")
        description = f"{about}: {key}"
        if isinstance(value, Mapping):
            write_values(group.create_group(key, track_order=True), value, description)
            continue
        is_json = value is None or isinstance(value, (list, tuple))
        if is_json:
            value = _json_text(value, description)
        elif not isinstance(value, (str, np.bool_)) and np.asarray(value).dtype.kind not in "biuf":
            raise ValueError(
                f"{description}: cannot store a {type(value).__name__}; give text, numbers, lists or arrays"
            )
        unit = "1" if np.asarray(value).dtype.kind in "iuf" else "none"
        dataset = write_array(group, key, value, Quantity(unit, description, log=False))
        dataset.attrs["json"] = is_json


def read_values(group: h5py.Group) -> dict[str, Any]:
    """The mapping stored by `write_values`; scalars come back as Python numbers."""
    return {
        key: read_values(item) if isinstance(item, h5py.Group) else _read_value(item) for key, item in group.items()
    }


def _json_text(value: Any, description: str) -> str:
    try:
        return json.dumps(value, allow_nan=True)
    except TypeError:
        raise ValueError(f"{description}: a list may hold texts, numbers, lists and tables only") from None


def _read_value(dataset: h5py.Dataset) -> Any:
    if h5py.check_string_dtype(dataset.dtype) is not None:
        text = dataset.asstr()[()]
        return json.loads(text) if dataset.attrs["json"] else text
    value = dataset[()]
    return value if np.ndim(value) else value.item()
