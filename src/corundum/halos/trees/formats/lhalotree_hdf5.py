"""LHaloTree in the HDF5 layout of IllustrisTNG: a group ``/Tree0``, ``/Tree1``, ... per tree, times in ``/Header``."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ....messages import one_line
from ....storage.files import open_foreign_hdf5
from ....units import MPC_PER_KPC
from ..file_sets import files_in, require_whole_set
from ..forests import Forest
from .base import AbstractTreeFormat, Simulation, mass_definition, simulation, split_rows
from .hdf5 import as_ids, has_members, open_columns, read_columns, stated_count, stated_in_header
from .lhalotree import lhalo_forest

__all__ = ["LHaloTreeHDF5"]

_NUMBERED = r"trees_.*?(\d+)\.hdf5"
DEFINITIONS = {"Group_M_TopHat200": "vir", "Group_M_Crit200": "200c", "Group_M_Mean200": "200m"}
_COLUMNS = {
    "descendant": "Descendant", "first_progenitor": "FirstProgenitor", "host": "FirstHaloInFOFGroup",
    "snapshot": "SnapNum", "vmax": "SubhaloVMax", "position": "SubhaloPos?",
    "velocity": "SubhaloVel?",
}  # fmt: skip
_WHOLE_NUMBERS = ("descendant", "first_progenitor", "host", "snapshot")


class LHaloTreeHDF5(AbstractTreeFormat):
    """HDF5 LHaloTree files ``trees_sf1_099.0.hdf5``, ...

    Parameters
    ----------
    mass : str
        The mass to take: ``"Group_M_TopHat200"`` (Bryan & Norman), ``"Group_M_Crit200"`` or ``"Group_M_Mean200"``, of
        the group around each central halo; where a halo lies in another, its snapshot counts as missing.

    Examples
    --------
    >>> import h5py
    >>> with h5py.File("trees_sf1_099.0.hdf5", "w") as file:
    ...     file["Header/Redshifts"] = [3.0, 1.0, 0.0]
    ...     file["Tree0/Descendant"], file["Tree0/FirstProgenitor"] = [-1, 0, 1], [1, 2, -1]
    ...     file["Tree0/FirstHaloInFOFGroup"], file["Tree0/SnapNum"] = [0, 1, 2], [2, 1, 0]
    ...     file["Tree0/Group_M_Crit200"], file["Tree0/SubhaloVMax"] = [70.0, 20.0, 5.0], [150.0, 120.0, 90.0]
    >>> tree_format = co.halos.LHaloTreeHDF5(mass="Group_M_Crit200")
    >>> trees = co.halos.read_branches("trees_sf1_099.0.hdf5", format=tree_format, cosmology=co.cosmology.planck15())
    >>> len(trees.branches), trees.branches[0].time.shape
    (1, (3,))
    """

    mass: str = "Group_M_TopHat200"

    def recognises(self, path: Path) -> bool:
        for file in _listed(path):  # the first ones may hold no trees
            if has_members(file, "Header/Redshifts", "Tree0/Descendant"):
                return True
            if not has_members(file, "Header/Redshifts"):
                return False
        return False

    def files(self, path: Path) -> list[Path]:
        files = _listed(path)
        if path.is_dir():
            require_whole_set(files, _NUMBERED)
        return files

    def simulation(self, path: Path) -> Simulation:
        definition = mass_definition("LHaloTreeHDF5", self.mass, DEFINITIONS)
        description = (
            f"mass = {self.mass} [1e10 Msun/h], vmax = SubhaloVMax [km/s], SubhaloPos [comoving kpc/h]; main "
            "progenitors by FirstProgenitor"
        )
        return simulation(stated_in_header(path), definition, description)

    def forests(self, path: Path, h: float, chunk: int) -> Iterator[Forest]:
        with open_foreign_hdf5(path) as file:
            redshifts = read_columns(file["Header"], {"redshift": "Redshifts"}, slice(None), path)["redshift"]
            scales = 1.0 / (1.0 + redshifts.astype(float))
            trees = sum(one_line(name).startswith("Tree") for name in file)
            stated = stated_count(file["Header"].attrs, "NtreesPerFile", trees, path)
            if trees != stated:
                raise ValueError(f"{path}: states {stated} trees but has {trees}; the file is incomplete")
            if not trees:
                return
            links = [open_columns(file[f"Tree{number}"], {"descendant": "Descendant"}, path) for number in range(trees)]
            sizes = np.array([len(link["descendant"]) for link in links], int)
            columns = _COLUMNS | {"mass": self.mass}
            for first, last in split_rows(sizes, chunk):
                parts = [
                    read_columns(file[f"Tree{number}"], columns, slice(None), path) for number in range(first, last)
                ]
                shared = [name for name in parts[0] if all(name in part for part in parts)]
                rows = {name: np.concatenate([part[name] for part in parts]) for name in shared}
                if "position" in rows:
                    rows["position"] = np.asarray(rows["position"], float) * MPC_PER_KPC
                place = f"{path} (trees {first} to {last - 1})"
                rows |= {name: as_ids(rows[name], _COLUMNS[name], place) for name in _WHOLE_NUMBERS}
                yield lhalo_forest(rows, sizes[first:last], scales, h, place, int(sizes[:first].sum()))


def _listed(path: Path) -> list[Path]:
    return files_in(path, "trees_*.hdf5") if path.is_dir() else [path]
