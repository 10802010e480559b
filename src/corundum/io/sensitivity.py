"""Sensitivities on disk: labelled arrays in one HDF5 file.

``/arrays/<name>/values`` is an array with its unit and meaning; its dimensions are listed in the attribute ``dims``
and the labels along each lie beside it, as ``/arrays/<name>/<dimension>``.
"""

import json
import os
from collections.abc import Mapping
from typing import Any

import h5py
import numpy as np

from ..sensitivity import Labelled
from ..storage.arrays import read_array, read_values, write_array, write_values
from ..storage.files import create_hdf5, open_hdf5
from ..units import Quantity

__all__ = ["save_sensitivity", "load_sensitivity"]


def save_sensitivity(
    path: str | os.PathLike, arrays: Mapping[str, Labelled], run_info: Mapping[Any, Any] | None = None
) -> None:
    """Write labelled arrays to an HDF5 file, in one step.

    Parameters
    ----------
    path : path
    arrays : mapping of str to Labelled
        A ``/`` in a name makes groups.
    run_info : mapping, optional
        What was run, with which versions: texts, numbers, arrays, lists and mappings of them.

    Raises
    ------
    OSError
        The folder is missing or not writable, or the disk is full.

    Examples
    --------
    >>> slope = co.sensitivity.Labelled(
    ...     np.array([1.0, -0.5]), ("parameter",), {"parameter": ("loading", "time")}, "1", "slope of each parameter"
    ... )
    >>> co.io.save_sensitivity("sensitivity.h5", {"jacobian": slope})
    >>> arrays, run_info = co.io.load_sensitivity("sensitivity.h5")
    >>> float(arrays["jacobian"].sel(parameter="time").values)
    -0.5
    """
    with create_hdf5(path, "sensitivity") as file:
        write_values(file.create_group("run_info", track_order=True), run_info or {}, "run")
        group = file.create_group("arrays", track_order=True)
        for name, array in arrays.items():
            _write(group.create_group(name), array)


def load_sensitivity(path: str | os.PathLike) -> tuple[dict[str, Labelled], dict[str, Any]]:
    """Labelled arrays by name, and the run information, of a file written by `save_sensitivity`.

    Raises
    ------
    FileNotFoundError, ValueError
        There is no such file, or it cannot be read; the message says why.

    Examples
    --------
    >>> rate = co.sensitivity.Labelled(np.array([0.2, 1.1]), ("mode",), {"mode": (1, 2)}, "1/Gyr", "rate of each mode")
    >>> arrays = {"modes/rate": rate}
    >>> co.io.save_sensitivity("sensitivity.h5", arrays, {"halos": 8})
    >>> arrays, run_info = co.io.load_sensitivity("sensitivity.h5")
    >>> list(arrays), run_info, arrays["modes/rate"].unit
    (['modes/rate'], {'halos': 8}, '1/Gyr')
    """
    with open_hdf5(path, "sensitivity") as file:
        arrays: dict[str, Labelled] = {}

        def visit(name, item):
            if isinstance(item, h5py.Group) and "dims" in item.attrs:
                arrays[name] = _read(item)

        file["arrays"].visititems(visit)
        return arrays, read_values(file["run_info"])


def _write(group: h5py.Group, array: Labelled) -> None:
    group.attrs["dims"] = json.dumps(array.dims)
    group.attrs["label_units"] = json.dumps(array.label_units)
    write_array(group, "values", array.values, Quantity(array.unit, array.meaning, log=False))
    for dim in array.dims:
        labels = array.labels(dim)
        if labels and isinstance(labels[0], str):
            dataset = group.create_dataset(dim, data=labels, dtype=h5py.string_dtype())
            dataset.attrs["unit"], dataset.attrs["description"], dataset.attrs["log"] = (
                "none",
                f"labels of {dim}",
                False,
            )
        else:
            write_array(group, dim, np.asarray(labels), Quantity("1", f"labels of {dim}", log=False))


def _read(group: h5py.Group) -> Labelled:
    values, quantity = read_array(group, "values")
    dims = tuple(json.loads(group.attrs["dims"]))
    units = {dim: tuple(names) for dim, names in json.loads(group.attrs["label_units"]).items()}
    coords = {dim: _labels(group[dim]) for dim in dims}
    return Labelled(values, dims, coords, quantity.unit, quantity.meaning, units)


def _labels(dataset: h5py.Dataset) -> Any:
    text = h5py.check_string_dtype(dataset.dtype) is not None
    return tuple(dataset.asstr()[()].tolist()) if text else dataset[()]
