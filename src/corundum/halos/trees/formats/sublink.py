"""SubLink merger trees (Rodriguez-Gomez et al. 2015, MNRAS 449, 49) of Illustris and IllustrisTNG.

``tree_extended.0.hdf5`` and its siblings hold one dataset per column, tree after tree, with depth-first ids.  Masses
are those of the group around a central subhalo.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from ..forests import Forest, rows_of_ids
from .base import AbstractTreeFormat, Simulation, checked_mass, scale_factor_list, snapshot_scales, split_rows
from .hdf5 import has_members, open_trees, read_columns
from .lhalotree_hdf5 import DEFINITIONS

__all__ = ["SubLink"]

_NAMES = {
    "id": "SubhaloID", "descendant": "DescendantID", "first": "FirstProgenitorID", "host": "FirstSubhaloInFOFGroupID",
    "snapshot": "SnapNum", "vmax": "SubhaloVmax?", "position": "SubhaloPos?",
}  # fmt: skip


class SubLink(AbstractTreeFormat):
    """SubLink HDF5 files ``tree_extended.*.hdf5``.

    Parameters
    ----------
    scale_factors : list of numbers or path
        Scale factor of every snapshot, the first one first.
    mass : str
        Which mass: ``"Group_M_TopHat200"`` (Bryan & Norman), ``"Group_M_Crit200"`` or ``"Group_M_Mean200"``; where
        a subhalo is not the central one of its group, its snapshot counts as missing.
    """

    scale_factors: str | Path | Sequence[float] | None = None
    mass: str = "Group_M_TopHat200"

    def recognises(self, path: Path) -> bool:
        files = self.files(path)
        return bool(files) and has_members(files[0], "SubhaloID", "DescendantID", "TreeID")

    def files(self, path: Path) -> list[Path]:
        return sorted(path.glob("tree_extended*.hdf5")) if path.is_dir() else [path]

    def simulation(self, path: Path) -> Simulation:
        if self.mass not in DEFINITIONS:
            raise ValueError(f"SubLink: got mass={self.mass!r}; allowed {', '.join(DEFINITIONS)}")
        words = (
            f"mass = {self.mass} [1e10 Msun/h], vmax = SubhaloVmax [km/s], SubhaloPos [comoving kpc/h]; main "
            "progenitors by FirstProgenitorID"
        )
        return Simulation(None, None, DEFINITIONS[self.mass], words)

    def forests(self, path: Path, h: float, chunk: int) -> Iterator[Forest]:
        scales = scale_factor_list(self.scale_factors, "SubLink")
        names = _NAMES | {"mass": self.mass}
        with open_trees(path) as file:
            read_columns(file, names | {"tree": "TreeID"}, slice(0, 0), path)
            starts = _tree_starts(file["TreeID"], chunk)
            sizes = np.diff(starts)
            for first, last in split_rows(sizes, chunk):
                rows = slice(int(starts[first]), int(starts[last]))
                place = f"{path} (rows {rows.start} to {rows.stop - 1})"
                yield _forest(read_columns(file, names, rows, path), scales, h, place)


def _tree_starts(dataset, chunk: int) -> np.ndarray:
    """First row of every tree, and the number of rows, read a piece at a time."""
    starts, last = [np.zeros(1, np.int64)], None
    for first in range(0, len(dataset), chunk):
        piece = dataset[first : first + chunk]
        before = piece[:1] if last is None else last
        starts.append(np.flatnonzero(np.diff(piece, prepend=before)) + first)
        last = piece[-1:]
    return np.append(np.concatenate(starts), len(dataset))


def _forest(rows: dict[str, np.ndarray], scales, h: float, place: str) -> Forest:
    ids = rows["id"].astype(np.int64)
    preferred = np.zeros(len(ids), bool)
    firsts = rows_of_ids(ids, rows["first"].astype(np.int64), place, "first progenitor")
    preferred[firsts[firsts >= 0]] = True
    central = rows["host"] == ids
    vmax = {"vmax": np.where(central, rows["vmax"].astype(float), np.nan)} if "vmax" in rows else {}
    return Forest(
        place=place,
        name=ids,
        descendant=rows_of_ids(ids, rows["descendant"].astype(np.int64), place, "descendant"),
        scale_factor=snapshot_scales(rows["snapshot"], scales, place),
        mass=checked_mass(np.where(central, rows["mass"] * (1e10 / h), np.nan), place),
        central=central,
        preferred=preferred,
        columns=vmax,
        position=rows["position"] * (1e-3 / h) if "position" in rows else None,
    )
