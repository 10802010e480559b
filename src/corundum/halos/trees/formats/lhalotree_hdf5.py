"""LHaloTree in the HDF5 layout of IllustrisTNG: a group ``/Tree0``, ``/Tree1``, ... per tree, times in ``/Header``."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ..forests import Forest
from .base import AbstractTreeFormat, Simulation, split_rows
from .hdf5 import has_members, open_trees, read_columns
from .lhalotree import lhalo_forest

__all__ = ["LHaloTreeHDF5"]

_NAMES = {
    "Descendant": "Descendant", "FirstProgenitor": "FirstProgenitor", "SnapNum": "SnapNum",
    "host": "FirstHaloInFOFGroup", "Vmax": "SubhaloVMax", "position": "SubhaloPos?",
}  # fmt: skip
DEFINITIONS = {"Group_M_TopHat200": "vir", "Group_M_Crit200": "200c", "Group_M_Mean200": "200m"}


class LHaloTreeHDF5(AbstractTreeFormat):
    """HDF5 LHaloTree files ``trees_sf1_099.0.hdf5``, ...

    Parameters
    ----------
    mass : str
        Which mass: ``"Group_M_TopHat200"`` (Bryan & Norman), ``"Group_M_Crit200"`` or ``"Group_M_Mean200"``, of the
        group around each central halo; where a halo lies in another, its snapshot counts as missing.
    """

    mass: str = "Group_M_TopHat200"

    def recognises(self, path: Path) -> bool:
        files = self.files(path)
        return bool(files) and has_members(files[0], "Header/Redshifts", "Tree0/Descendant")

    def files(self, path: Path) -> list[Path]:
        return sorted(path.glob("trees_*.hdf5")) if path.is_dir() else [path]

    def simulation(self, path: Path) -> Simulation:
        if self.mass not in DEFINITIONS:
            raise ValueError(f"LHaloTreeHDF5: got mass={self.mass!r}; allowed {', '.join(DEFINITIONS)}")
        words = (
            f"mass = {self.mass} [1e10 Msun/h], vmax = SubhaloVMax [km/s], SubhaloPos [comoving kpc/h]; main "
            "progenitors by FirstProgenitor"
        )
        return Simulation(None, None, DEFINITIONS[self.mass], words)

    def forests(self, path: Path, h: float, chunk: int) -> Iterator[Forest]:
        with open_trees(path) as file:
            scales = 1.0 / (1.0 + np.asarray(file["Header/Redshifts"][()], float))
            trees = sum(name.startswith("Tree") for name in file)
            stated = int(file["Header"].attrs.get("NtreesPerFile", trees))
            if trees != stated:
                raise ValueError(f"{path}: states {stated} trees but has {trees}; the file is incomplete")
            sizes = [len(file[f"Tree{number}/Descendant"]) for number in range(trees)]
            for first, last in split_rows(sizes, chunk):
                parts = [
                    read_columns(file[f"Tree{number}"], _NAMES | {"mass": self.mass}, slice(None), path)
                    for number in range(first, last)
                ]
                columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
                if "position" in columns:
                    columns["position"] = columns["position"] * 1e-3
                here = np.asarray(sizes[first:last])
                offset = np.repeat(np.cumsum(here) - here, here)
                place = f"{path} (trees {first} to {last - 1})"
                yield lhalo_forest(columns, offset, np.repeat(here, here), scales, h, place, sum(sizes[:first]))
