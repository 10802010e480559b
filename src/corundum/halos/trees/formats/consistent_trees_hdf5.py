"""Consistent-Trees forests in the HDF5 layout of ``convert_ctrees_to_h5`` (as released by the Uchuu simulations).

``/Forests`` holds one dataset per column, or one table of all columns called ``halos``; ``/ForestInfo`` says where
each forest begins and how many halos it has.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ..forests import Forest
from .base import AbstractTreeFormat, Simulation, split_rows
from .consistent_trees import forest_of
from .hdf5 import has_members, open_trees
from .text import Header, choose_columns, header_of, simulation_of

__all__ = ["ConsistentTreesHDF5"]

_METADATA = "Consistent Trees_metadata"


class ConsistentTreesHDF5(AbstractTreeFormat):
    """HDF5 files of Consistent-Trees forests.

    Parameters
    ----------
    mass : str
        Column of the mass.
    definition : str
        Its definition.
    """

    mass: str = "mvir"
    definition: str = "vir"

    def recognises(self, path: Path) -> bool:
        files = self.files(path)
        return bool(files) and has_members(files[0], "Forests", "ForestInfo")

    def files(self, path: Path) -> list[Path]:
        return sorted(path.glob("*forest*.h5")) if path.is_dir() else [path]

    def simulation(self, path: Path) -> Simulation:
        with open_trees(path) as file:
            header, _ = _header(file)
        return simulation_of(header, choose_columns(header, self.mass, path), self.definition)

    def forests(self, path: Path, h: float, chunk: int) -> Iterator[Forest]:
        with open_trees(path) as file:
            header, table = _header(file)
            columns = choose_columns(header, self.mass, path)
            spelt = {name.lower(): name for name in _names(file)}
            offsets, sizes = file["ForestInfo/ForestHalosOffset"][()], file["ForestInfo/ForestNhalos"][()]
            stored = len(table) if table is not None else len(file["Forests"][spelt["id"]])
            if len(offsets) and offsets[-1] + sizes[-1] > stored:
                raise ValueError(
                    f"{path}: /ForestInfo counts {offsets[-1] + sizes[-1]} halos but /Forests has {stored}; the file "
                    "is incomplete, so copy it again"
                )
            for first, last in split_rows(sizes, chunk):
                rows = slice(int(offsets[first]), int(offsets[last - 1] + sizes[last - 1]))
                if table is not None:
                    part = table[rows]
                    values = {quantity: part[spelt[name]] for quantity, name in columns.items()}
                else:
                    values = {quantity: file["Forests"][spelt[name]][rows] for quantity, name in columns.items()}
                yield forest_of(_wide(values), h, f"{path} (forests {first} to {last - 1})")


def _names(file) -> list[str]:
    group = file["Forests"]
    return list(group["halos"].dtype.names) if "halos" in group else list(group)


def _header(file) -> tuple[Header, object]:
    text = file.attrs.get(_METADATA, "")
    lines = np.atleast_1d(text)
    words = "\n".join(line.decode("latin-1") if isinstance(line, bytes) else str(line) for line in lines.ravel())
    header = header_of([name.lower() for name in _names(file)], words)
    return header, file["Forests"].get("halos")


def _wide(values: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    integers = ("id", "desc_id", "pid")
    return {name: column.astype(np.int64 if name in integers else np.float64) for name, column in values.items()}
