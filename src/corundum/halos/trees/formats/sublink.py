"""SubLink merger trees (Rodriguez-Gomez et al. 2015, MNRAS 449, 49) of Illustris and IllustrisTNG.

``tree_extended.0.hdf5`` and the other files of a simulation hold one dataset per column, tree after tree, with
depth-first ids.  Masses are those of the group around a central subhalo.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import h5py
import numpy as np
from jaxtyping import Float, Int

from ....storage.files import open_foreign_hdf5
from ....units import MPC_PER_KPC
from ..file_sets import files_in, require_whole_set
from ..forests import Forest, host_rows, rows_of_ids
from .base import (
    AbstractTreeFormat,
    Simulation,
    central_values,
    group_masses,
    mass_definition,
    scale_factor_list,
    simulation,
    snapshot_scales,
    split_rows,
)
from .hdf5 import as_ids, has_members, read_columns, stated_in_header
from .lhalotree_hdf5 import DEFINITIONS

__all__ = ["SubLink"]

_NUMBERED = r"tree_extended\.(\d+)\.hdf5"
_COLUMNS = {
    "id": "SubhaloID", "descendant": "DescendantID", "first_progenitor": "FirstProgenitorID",
    "host": "FirstSubhaloInFOFGroupID", "snapshot": "SnapNum", "vmax": "SubhaloVmax?", "position": "SubhaloPos?",
    "velocity": "SubhaloVel?",
}  # fmt: skip


class SubLink(AbstractTreeFormat):
    """SubLink HDF5 files ``tree_extended.*.hdf5``.

    Parameters
    ----------
    scale_factors : list of numbers or path
        Scale factor of every snapshot, the first one first.
    mass : str
        The mass to take: ``"Group_M_TopHat200"`` (Bryan & Norman), ``"Group_M_Crit200"`` or ``"Group_M_Mean200"``;
        where a subhalo is not the central one of its group, its snapshot counts as missing.

    Examples
    --------
    >>> import h5py
    >>> with h5py.File("tree_extended.0.hdf5", "w") as file:
    ...     ids = file["SubhaloID"] = file["FirstSubhaloInFOFGroupID"] = np.arange(3)
    ...     file["DescendantID"], file["FirstProgenitorID"] = ids - 1, [1, 2, -1]
    ...     file["TreeID"], file["SnapNum"], file["Group_M_Mean200"] = np.zeros(3), [2, 1, 0], [70.0, 20.0, 5.0]
    >>> tree_format = co.halos.SubLink(scale_factors=[0.25, 0.5, 1.0], mass="Group_M_Mean200")
    >>> trees = co.halos.read_branches("tree_extended.0.hdf5", format=tree_format, cosmology=co.cosmology.planck15())
    >>> len(trees.branches), trees.branches[0].time.shape
    (1, (3,))
    """

    scale_factors: str | Path | Sequence[float] | None = None
    mass: str = "Group_M_TopHat200"

    def recognises(self, path: Path) -> bool:
        return any(has_members(file, "SubhaloID", "DescendantID", "TreeID") for file in _listed(path)[:1])

    def files(self, path: Path) -> list[Path]:
        files = _listed(path)
        if path.is_dir():
            require_whole_set(files, _NUMBERED)
        return files

    def simulation(self, path: Path) -> Simulation:
        definition = mass_definition("SubLink", self.mass, DEFINITIONS)
        scale_factor_list(self.scale_factors, "SubLink")  # asked for before the cosmology
        description = (
            f"mass = {self.mass} [1e10 Msun/h], vmax = SubhaloVmax [km/s], SubhaloPos [comoving kpc/h]; main "
            "progenitors by FirstProgenitorID"
        )
        return simulation(stated_in_header(path), definition, description)

    def forests(self, path: Path, h: float, chunk: int) -> Iterator[Forest]:
        scales = scale_factor_list(self.scale_factors, "SubLink")
        columns = _COLUMNS | {"mass": self.mass}
        with open_foreign_hdf5(path) as file:
            read_columns(file, columns | {"tree": "TreeID"}, slice(0, 0), path)  # checks that they are complete
            starts = _tree_starts(file["TreeID"], chunk)
            for first, last in split_rows(np.diff(starts), chunk):
                rows = slice(int(starts[first]), int(starts[last]))
                place = f"{path} (rows {rows.start} to {rows.stop - 1})"
                yield _forest(read_columns(file, columns, rows, path), scales, h, place)


def _listed(path: Path) -> list[Path]:
    return files_in(path, "tree_extended*.hdf5") if path.is_dir() else [path]


def _tree_starts(tree_id: h5py.Dataset, chunk: int) -> Int[np.ndarray, " t"]:
    """First row of every tree, and the number of rows, read `chunk` rows at a time."""
    starts, previous = [np.zeros(1, np.int64)], None
    for first in range(0, len(tree_id), chunk):
        values = tree_id[first : first + chunk]
        starts.append(np.flatnonzero(np.diff(values, prepend=values[:1] if previous is None else previous)) + first)
        previous = values[-1:]
    return np.append(np.concatenate(starts), len(tree_id))


def _forest(rows: dict[str, np.ndarray], scales: Float[np.ndarray, " s"], h: float, place: str) -> Forest:
    links = ("id", "descendant", "first_progenitor", "host")
    ids, descendant, first_progenitor, host = (as_ids(rows[name], _COLUMNS[name], place) for name in links)
    preferred = np.zeros(len(ids), bool)
    firsts = rows_of_ids(ids, first_progenitor, place, "first progenitor")
    preferred[firsts[firsts >= 0]] = True
    central = host == ids
    return Forest(
        place=place,
        name=ids,
        descendant=rows_of_ids(ids, descendant, place, "descendant"),
        scale_factor=snapshot_scales(as_ids(rows["snapshot"], _COLUMNS["snapshot"], place), scales, place),
        mass=group_masses(rows["mass"], central, h, place),
        central=central,
        preferred=preferred,
        columns={"vmax": central_values(rows["vmax"], central)} if "vmax" in rows else {},
        position=np.asarray(rows["position"], float) * (MPC_PER_KPC / h) if "position" in rows else None,
        host=host_rows(ids, host, central),
        velocity=np.asarray(rows["velocity"], float) if "velocity" in rows else None,
    )
