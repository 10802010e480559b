"""LHaloTree in the HDF5 layout of IllustrisTNG: a group ``/Tree0``, ``/Tree1``, ... per tree, times in ``/Header``."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ....storage.files import open_foreign_hdf5
from ....units import MPC_PER_KPC
from ..forests import Forest
from .base import AbstractTreeFormat, Simulation, mass_definition, split_rows
from .hdf5 import has_members, read_columns
from .lhalotree import lhalo_forest

__all__ = ["LHaloTreeHDF5"]

DEFINITIONS = {"Group_M_TopHat200": "vir", "Group_M_Crit200": "200c", "Group_M_Mean200": "200m"}
_COLUMNS = {
    "descendant": "Descendant", "first_progenitor": "FirstProgenitor", "host": "FirstHaloInFOFGroup",
    "snapshot": "SnapNum", "vmax": "SubhaloVMax", "position": "SubhaloPos?",
}  # fmt: skip


class LHaloTreeHDF5(AbstractTreeFormat):
    """HDF5 LHaloTree files ``trees_sf1_099.0.hdf5``, ...

    Parameters
    ----------
    mass : str
        The mass to take: ``"Group_M_TopHat200"`` (Bryan & Norman), ``"Group_M_Crit200"`` or ``"Group_M_Mean200"``, of
        the group around each central halo; where a halo lies in another, its snapshot counts as missing.

    Examples
    --------
    >>> from pathlib import Path
    >>> tree_format = co.halos.LHaloTreeHDF5(mass="Group_M_Crit200")
    >>> tree_format.simulation(Path("trees_sf1_099.0.hdf5")).definition
    '200c'
    """

    mass: str = "Group_M_TopHat200"

    def recognises(self, path: Path) -> bool:
        files = self.files(path)
        return bool(files) and has_members(files[0], "Header/Redshifts", "Tree0/Descendant")

    def files(self, path: Path) -> list[Path]:
        return sorted(path.glob("trees_*.hdf5")) if path.is_dir() else [path]

    def simulation(self, path: Path) -> Simulation:
        definition = mass_definition("LHaloTreeHDF5", self.mass, DEFINITIONS)
        description = (
            f"mass = {self.mass} [1e10 Msun/h], vmax = SubhaloVMax [km/s], SubhaloPos [comoving kpc/h]; main "
            "progenitors by FirstProgenitor"
        )
        return Simulation(None, None, definition, description)

    def forests(self, path: Path, h: float, chunk: int) -> Iterator[Forest]:
        with open_foreign_hdf5(path) as file:
            scales = 1.0 / (1.0 + np.asarray(file["Header/Redshifts"][()], float))
            trees = sum(name.startswith("Tree") for name in file)
            stated = int(file["Header"].attrs.get("NtreesPerFile", trees))
            if trees != stated:
                raise ValueError(f"{path}: states {stated} trees but has {trees}; the file is incomplete")
            sizes = np.array([len(file[f"Tree{number}/Descendant"]) for number in range(trees)], int)
            columns = _COLUMNS | {"mass": self.mass}
            for first, last in split_rows(sizes, chunk):
                parts = [
                    read_columns(file[f"Tree{number}"], columns, slice(None), path) for number in range(first, last)
                ]
                rows = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
                if "position" in rows:
                    rows["position"] = rows["position"] * MPC_PER_KPC
                place = f"{path} (trees {first} to {last - 1})"
                yield lhalo_forest(rows, sizes[first:last], scales, h, place, int(sizes[:first].sum()))
