"""Consistent-Trees forests in the HDF5 layout of ``convert_ctrees_to_h5`` (as released by the Uchuu simulations).

``/Forests`` holds one dataset per column, or one table of all columns called ``halos``; ``/ForestInfo`` holds the first
row of each forest and its number of halos.
"""

from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np

from ....storage.files import open_foreign_hdf5
from ..forests import Forest
from .base import AbstractTreeFormat, Simulation, split_rows
from .consistent_trees import consistent_forest
from .hdf5 import has_members
from .text import INTEGERS, Header, choose_columns, parse_header, simulation_of

__all__ = ["ConsistentTreesHDF5"]

_METADATA = "Consistent Trees_metadata"


class ConsistentTreesHDF5(AbstractTreeFormat):
    """HDF5 files of Consistent-Trees forests.

    Parameters
    ----------
    mass : str
        Column of the mass.
    definition : str
        Definition of that mass.

    Examples
    --------
    >>> import h5py
    >>> from pathlib import Path
    >>> a = np.linspace(1.0, 0.2, 9)
    >>> columns = {"scale": a, "id": np.arange(9), "desc_id": np.arange(9) - 1, "pid": np.full(9, -1)}
    >>> columns |= {"mmp?": np.ones(9, int), "Mvir": 7e11 * a**2}
    >>> with h5py.File("forest_0.h5", "w") as file:
    ...     file["ForestInfo/ForestHalosOffset"], file["ForestInfo/ForestNhalos"] = [0], [9]
    ...     for name, values in columns.items():
    ...         file[f"Forests/{name}"] = values
    >>> trees = co.halos.read_branches("forest_0.h5", format=co.halos.ConsistentTreesHDF5(mass="Mvir"))
    >>> len(trees.branches)
    1
    """

    mass: str = "mvir"
    definition: str = "vir"

    def recognises(self, path: Path) -> bool:
        files = self.files(path)
        return bool(files) and has_members(files[0], "Forests", "ForestInfo")

    def files(self, path: Path) -> list[Path]:
        return sorted(path.glob("*forest*.h5")) if path.is_dir() else [path]

    def simulation(self, path: Path) -> Simulation:
        with open_foreign_hdf5(path) as file:
            header = _header(file)
        return simulation_of(header, choose_columns(header, self.mass, path), self.definition)

    def forests(self, path: Path, h: float, chunk: int) -> Iterator[Forest]:
        with open_foreign_hdf5(path) as file:
            columns = choose_columns(_header(file), self.mass, path)
            stored_names = {name.lower(): name for name in _names(file)}
            table = file["Forests"].get("halos")
            offsets, sizes = file["ForestInfo/ForestHalosOffset"][()], file["ForestInfo/ForestNhalos"][()]
            stored = len(file["Forests"][stored_names["id"]] if table is None else table)
            if len(offsets) and offsets[-1] + sizes[-1] > stored:
                raise ValueError(
                    f"{path}: /ForestInfo counts {offsets[-1] + sizes[-1]} halos but /Forests has {stored}; the file "
                    "is incomplete, so copy it again"
                )
            for first, last in split_rows(sizes, chunk):
                rows = slice(int(offsets[first]), int(offsets[last - 1] + sizes[last - 1]))
                source = file["Forests"] if table is None else table[rows]  # of a table, all columns are read at once
                values = {quantity: source[stored_names[name]] for quantity, name in columns.items()}
                if table is None:
                    values = {quantity: dataset[rows] for quantity, dataset in values.items()}
                yield consistent_forest(_in_full_precision(values), h, f"{path} (forests {first} to {last - 1})")


def _names(file: h5py.File) -> list[str]:
    group = file["Forests"]
    return list(group["halos"].dtype.names) if "halos" in group else list(group)


def _header(file: h5py.File) -> Header:
    lines = np.atleast_1d(file.attrs.get(_METADATA, "")).ravel()
    text = "\n".join(line.decode("latin-1") if isinstance(line, bytes) else str(line) for line in lines)
    return parse_header([name.lower() for name in _names(file)], text)


def _in_full_precision(values: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name: column.astype(np.int64 if name in INTEGERS else np.float64) for name, column in values.items()}
