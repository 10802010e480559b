"""Branches of one file of merger trees with their hosts: what is known of each before histories are made smooth."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from ....cosmology import Cosmology, circular_velocity
from ....parameters import require_float64
from ....units import KPC_PER_KMS_GYR, MPC_PER_KPC
from ...branches.branch import Branch
from ...concentration import AbstractConcentration
from ...cosmic_times import ages
from ...definitions import virial_quantities
from ..branch_sets import ASSUMED_CONCENTRATIONS, add_counts
from ..forests import NONE, Forest
from ..formats import AbstractTreeFormat
from .orbits import orbits
from .systems import Infalls, find_infalls

__all__ = ["FileForest", "forest_of_file"]

_FEWEST = 4  # snapshots of a satellite as a halo of its own
_WHOLE = 1 << 40  # halos: hosts may be in other trees of the file, which is read at once
_SAFETY = 3.0  # masses of other definitions are less than this times smaller than virial ones


class FileForest(NamedTuple):
    """The branches of one file, B of them, with those that fell into each other.

    Attributes
    ----------
    branches : list of Branch
        Centrals to the end, satellites to the last snapshot before they fell in.
    system, host : array, shape (B,)
        Which of these each belongs to and fell into; -1 for the host of a central.
    infall : array, shape (B,)
        Cosmic age [Gyr]; infinite for centrals.
    circularity, radius : array, shape (B,)
        Of the orbit at infall; NaN where not known.
    orphan : array, shape (B,)
        Whether a satellite is lost before the end.
    times : array
        Cosmic ages [Gyr] of the snapshots.
    counts : dict of str to int
    """

    branches: list[Branch]
    system: Int[np.ndarray, " b"]
    host: Int[np.ndarray, " b"]
    infall: Float[np.ndarray, " b"]
    circularity: Float[np.ndarray, " b"]
    radius: Float[np.ndarray, " b"]
    orphan: np.ndarray
    times: Float[np.ndarray, " s"]
    counts: dict[str, int]

    @classmethod
    def join(cls, parts: "list[FileForest]") -> "FileForest":
        """Several of them as one."""
        shift = np.cumsum([0, *(len(part.branches) for part in parts)])[:-1]
        joined: dict[str, np.ndarray] = {
            name: np.concatenate([getattr(part, name) for part in parts])
            for name in ("infall", "circularity", "radius", "orphan")
        }
        for name in ("system", "host"):
            rows = [(getattr(part, name), first) for part, first in zip(parts, shift, strict=True)]
            joined[name] = np.concatenate([np.where(row != NONE, row + first, NONE) for row, first in rows])
        counts: dict[str, int] = {}
        for part in parts:
            counts = add_counts(counts, part.counts)
        branches = [branch for part in parts for branch in part.branches]
        return cls(branches, **joined, times=np.unique(np.concatenate([part.times for part in parts])), counts=counts)


def forest_of_file(
    file: Path,
    *,
    tree_format: AbstractTreeFormat,
    definition: str,
    cosmology: Cosmology,
    log_mvir: tuple[float, float],
    smallest_log_mvir: float,
    relation: AbstractConcentration,
    box: float | None,
) -> FileForest:
    """Centrals of one file within a range of masses, with every branch that may be massive enough to be followed.

    Parameters
    ----------
    file : Path
        One of the files of the source.
    tree_format : AbstractTreeFormat
    definition : str
        Definition of the masses (`corundum.halos.nfw.reference_density`).
    cosmology, log_mvir, smallest_log_mvir
        As for `read_forest`.
    relation : AbstractConcentration
        Assumed where the conversion of a mass needs a concentration and the source has none.
    box : float or None
        Side of the periodic box [comoving Mpc].
    """
    require_float64()
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        parts = [
            _part(forest, definition, cosmology, log_mvir, smallest_log_mvir, relation, box)
            for forest in tree_format.forests(file, float(cosmology.h), _WHOLE)
            if len(forest.name)
        ]
    none = np.zeros(0)
    empty = FileForest([], none.astype(int), none.astype(int), none, none, none, none.astype(bool), none, {})
    return FileForest.join(parts or [empty])


def _part(forest, definition, cosmology, log_mvir, smallest_log_mvir, relation, box) -> FileForest:
    infalls = find_infalls(forest)
    counts = {"trees": int(np.sum(infalls.system == np.arange(len(infalls.last)))), **infalls.counts}
    mass, rows = _own_rows(forest, infalls, log_mvir, smallest_log_mvir, counts)
    numbers = {name: values[rows] for name, values in forest.columns.items()}
    redshift = 1.0 / forest.scale_factor[rows] - 1.0
    virial = virial_quantities(numbers, mass[rows], redshift, definition, cosmology, relation, forest.place)
    counts[ASSUMED_CONCENTRATIONS] = virial.assumed
    age = ages(cosmology, 1.0 / forest.scale_factor - 1.0)
    # Branch after branch, the earliest snapshot first.
    order = np.lexsort((age[rows], infalls.branch[rows]))
    kept, first = np.unique(infalls.branch[rows[order]], return_index=True)
    branches = []
    for number, part in zip(kept, np.split(order, first[1:]), strict=False):
        row = infalls.last[number]
        ratio = None if virial.log_radius_ratio is None else virial.log_radius_ratio[part]
        branches.append(
            Branch(
                str(forest.name[row]), age[rows[part]], virial.log_mvir[part], virial.log_concentration[part], ratio,
            )
        )  # fmt: skip
    place = np.full(len(infalls.last) + 1, NONE)
    place[kept] = np.arange(len(kept))
    host = infalls.host[kept]
    falls_in = host != NONE
    infall = np.full(len(kept), np.inf)
    before, after = infalls.before[kept[falls_in]], infalls.after[kept[falls_in]]
    infall[falls_in] = np.sqrt(age[before] * age[after])
    circularity, radius = np.full((2, len(kept)), np.nan)
    log_mass = np.full(len(forest.name), np.nan)
    log_mass[rows] = virial.log_mvir
    seen = np.where(forest.scale_factor[after] > forest.scale_factor[infalls.last[kept[falls_in]]], before, after)
    circularity[falls_in], radius[falls_in] = _orbits(forest, infalls, seen, host[falls_in], log_mass, cosmology, box)
    end = forest.scale_factor[infalls.last[kept]]
    orphan = falls_in & (end < forest.scale_factor.max())
    # A host that is too light to be followed hands its satellites on to its own host.
    while np.any(light := (host != NONE) & (place[host] == NONE)):
        host = np.where(light, infalls.host[host], host)
    system = place[infalls.system[kept]]
    return FileForest(
        branches, system, place[host], infall, circularity, radius, orphan, np.unique(age), counts
    )  # fmt: skip


def _own_rows(forest: Forest, infalls: Infalls, log_mvir, smallest_log_mvir, counts):
    """Masses, and the rows of branches while they are halos of their own, of those that may be followed."""
    scale, branch = forest.scale_factor, infalls.branch
    number = np.arange(len(infalls.last))
    mass = np.where(np.isfinite(forest.mass), forest.mass, np.nan)
    falls_in = infalls.host != NONE
    until = np.where(falls_in, np.where(infalls.before != NONE, scale[infalls.before], 0.0), np.inf)
    own = np.isfinite(mass) & (scale <= until[branch])
    peak = np.full(len(number), -np.inf)
    np.maximum.at(peak, branch[own], np.log10(mass[own]))
    snapshots = np.bincount(branch[own], minlength=len(number))
    final = np.full(len(number), -np.inf)
    order = np.flatnonzero(own)[np.argsort(scale[own], kind="stable")]
    final[branch[order]] = np.log10(mass[order])  # of several assignments, the last one remains
    central = infalls.system == number
    chosen = central & (final >= log_mvir[0]) & (final <= log_mvir[1])
    counts["outside the range of mass"] = int(np.sum(central & ~chosen))
    inside = np.where(infalls.system != NONE, chosen[infalls.system], False)
    counts["branches in no tree that ends in a central"] = int(np.sum(infalls.system == NONE))
    heavy = falls_in & inside & (peak >= smallest_log_mvir - np.log10(_SAFETY))
    unseen = falls_in & inside & (infalls.before == NONE)
    counts["never a halo of their own"] = int(np.sum(unseen))
    short = heavy & ~unseen & (snapshots < _FEWEST)
    counts[f"halos of their own in fewer than {_FEWEST} snapshots"] = int(np.sum(short))
    kept = chosen | heavy & ~unseen & ~short
    return mass, np.flatnonzero(own & kept[branch])


def _orbits(forest, infalls, seen, host, log_mass, cosmology, box):
    """Circularity and radius of orbits around the branches `host` when satellites are at the rows `seen`."""
    unknown = np.full((2, len(seen)), np.nan)
    if forest.position is None or forest.velocity is None or np.all(np.ptp(forest.position, axis=0) == 0.0):
        return unknown
    scales, snapshot = np.unique(forest.scale_factor, return_inverse=True)
    key = infalls.branch * len(scales) + snapshot
    order = np.argsort(key)
    at = np.minimum(np.searchsorted(key[order], host * len(scales) + snapshot[seen]), len(order) - 1)
    row = order[at]
    has_row = key[row] == host * len(scales) + snapshot[seen]
    offset = forest.position[seen] - forest.position[row]
    if box is not None:
        offset = offset - box * np.round(offset / box)
    scale = forest.scale_factor[seen]
    redshift = 1.0 / scale - 1.0
    offset = offset * (scale / MPC_PER_KPC)[:, None]  # proper kpc
    hubble = np.asarray(cosmology.hubble_rate(redshift)) * KPC_PER_KMS_GYR  # [km/s/kpc]
    velocity = forest.velocity[seen] - forest.velocity[row] + hubble[:, None] * offset
    mvir = np.where(has_row, 10.0 ** log_mass[row], np.nan)
    rvir = np.asarray(cosmology.virial_radius(mvir, redshift))
    return np.array(orbits(offset, velocity, rvir, np.asarray(circular_velocity(mvir, rvir))))
