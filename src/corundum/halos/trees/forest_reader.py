"""From merger-tree files to histories with satellites: every halo that fell into another one is followed.

A subhalo is a halo of its own until it falls in, and a satellite of the halo it fell into from then on, whether the
simulation still finds it or not: resolution does not decide when its galaxy ends.
"""

import functools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float

from ...annotations import Array
from ...arguments import one_number, strategy, whole_number
from ...cosmology import Cosmology
from ...parameters import require_float64
from ..branches.branch import Branch, Smoothed
from ..branches.repair import AbstractBranchRepair
from ..branches.smoothing import AbstractMassLoss, AbstractSmoothing
from ..concentration import AbstractConcentration, Diemer19
from ..cosmic_times import densities, redshifts
from ..histories import HaloHistories
from ..satellites.frozen import frozen_structure
from ..satellites.record import Satellites
from .branch_sets import ASSUMED_CONCENTRATIONS, BranchSet, in_one_sentence, provenance_of
from .file_workers import check_workers, map_files
from .formats import AbstractTreeFormat
from .formats.hlist import with_every_halo
from .reader import smooth_trees
from .satellites.file_forests import FileForest, forest_of_file
from .sources import TreeSource, find_trees

__all__ = ["read_forest"]

_EARLIEST = 12.0  # last age over that of the first infall, as for drawn trees
_ALONE = 0.05  # in ln(t), least time that a halo is a central before it falls in


def read_forest(
    path: str | Path,
    *,
    format: AbstractTreeFormat | None = None,
    cosmology: Cosmology | None = None,
    log_mvir: tuple[float, float] = (0.0, 20.0),
    smallest: float = 1e-3,
    smallest_log_mvir: float = 10.0,
    mass_loss: AbstractMassLoss | None = None,
    smoothing: AbstractSmoothing | None = None,
    concentration: AbstractConcentration | None = None,
    repairs: Sequence[AbstractBranchRepair] | None = None,
    times: Sequence[float] | Float[Array, " t"] | None = None,
    workers: int = 1,
    latent: int = 0,
    key: int = 0,
) -> HaloHistories:
    """Halo histories of the centrals of merger trees with every halo that fell into them.

    A halo is a satellite of the one whose subhalo it became, from the first time on, if it ends in the same system: as
    a subhalo of that central or of one of its satellites, or merged with them.  One that leaves and returns stays a
    satellite; one that is a central at the end is a central, whatever it passed through.  Satellites that the
    simulation loses are followed to the end like all others.  Orbits are those at infall where the files have
    positions and velocities, else typical ones.  The provenance counts what was followed and left out, and why.

    Parameters
    ----------
    path, format, cosmology, log_mvir, mass_loss, smoothing, concentration, repairs, times, workers
        As for `read_trees`; a file is read at once, as a host may be in another of its trees.
    smallest : float
        Least mass of satellites at infall over the final mass of the central.
    smallest_log_mvir : float
        Least log10 of their mass [Msun]; of the two, the larger mass counts.  Lower masses than those of a hundred
        particles have no meaning.
    latent : int
        Standard normal numbers drawn for every halo.
    key : int
        Of these numbers.

    Returns
    -------
    HaloHistories
        Tree after tree, centrals first, with `satellites`.  Radius, concentration and mass of a satellite stay what
        they were at infall.

    Raises
    ------
    ValueError
        As for `read_trees`, or the files do not say which halo a subhalo lies in.

    Examples
    --------
    A halo with a subhalo that fell in between the scale factors 0.6 and 0.7:

    >>> from pathlib import Path
    >>> lines = ["#scale id desc_id pid mmp? mvir", "#Omega_M = 0.3; h0 = 0.7", "#tree 0"]
    >>> for k, a in enumerate(np.linspace(1.0, 0.2, 9)):
    ...     lines.append(f"{a} {k} {k - 1} -1 1 {7e11 * a**2}")
    ...     lines.append(f"{a} {100 + k} {99 + k if k else -1} {k if a > 0.65 else -1} 1 {7e10 * a**2}")
    >>> _ = Path("tree_0_0_0.dat").write_text("\\n".join(lines) + "\\n")
    >>> halos = co.halos.read_forest("tree_0_0_0.dat", smallest_log_mvir=9.0)
    >>> halos.host.tolist(), round(float(halos.satellites.infall[1]), 1)
    ([-1, 0], 8.1)
    """
    require_float64()
    check_workers(workers)
    smallest = one_number("smallest", smallest, meaning="a share of the final mass")
    smallest_log_mvir = one_number("smallest_log_mvir", smallest_log_mvir, meaning="log10 of a mass [Msun]")
    latent = whole_number("latent", latent, least=0, meaning="numbers")
    rng = np.random.default_rng(whole_number("key", key, least=0, meaning="a key of random numbers"))
    source = find_trees(path, format, cosmology)
    low, high = log_mvir
    read_file = functools.partial(
        forest_of_file, tree_format=with_every_halo(source.format), definition=source.simulation.definition,
        cosmology=source.cosmology, log_mvir=(low, high), smallest_log_mvir=smallest_log_mvir,
        relation=strategy("concentration", concentration, Diemer19()), box=source.simulation.box,
    )  # fmt: skip
    forest = FileForest.join(list(map_files(read_file, source.files, workers)))
    counts = {reason: count for reason, count in forest.counts.items() if reason != ASSUMED_CONCENTRATIONS}
    branches = BranchSet(_to_the_end(forest), source.cosmology, counts, provenance_of(source, forest.counts), {})
    smoothed = smooth_trees(
        branches, mass_loss=mass_loss, smoothing=smoothing, concentration=concentration, repairs=repairs, times=times
    )
    return _with_satellites(forest, smoothed, source, smallest, smallest_log_mvir, (rng, latent))


def _to_the_end(forest: FileForest) -> list[Branch]:
    """Branches of satellites with what they were at infall at all later snapshots."""
    return [
        branch if np.isinf(infall) else _continued(branch, forest.times[forest.times > infall])
        for branch, infall in zip(forest.branches, forest.infall, strict=True)
    ]


def _continued(branch: Branch, times: Float[np.ndarray, " s"]) -> Branch:
    def steady(values):
        known = values[np.isfinite(values)]
        return np.concatenate([values, np.full(len(times), known[-1] if len(known) else np.nan)])

    ratio = branch.log_radius_ratio
    return branch._replace(
        time=np.concatenate([branch.time, times]),
        log_mvir=np.concatenate([branch.log_mvir, np.full(len(times), np.max(branch.log_mvir))]),
        log_concentration=steady(branch.log_concentration),
        log_radius_ratio=None if ratio is None else steady(ratio),
    )


def _with_satellites(
    forest: FileForest, smoothed: Smoothed, source: TreeSource, smallest, smallest_log_mvir, numbers
) -> HaloHistories:
    """The histories tree after tree with their satellites, of which those are left out that cannot be followed."""
    halos, rows = smoothed.halos, np.asarray(smoothed.rows)
    place = np.full(len(forest.branches) + 1, -1)
    place[rows] = np.arange(len(rows))
    system, host, infall = place[forest.system[rows]], forest.host[rows], forest.infall[rows]
    time, start = np.asarray(halos.time), np.asarray(halos.start)
    central = np.isinf(infall)
    final = np.asarray(halos.log_mvir)[:, -1]
    counts = {
        "in a tree that was left out": system < 0,
        "below the least mass": final < np.maximum(smallest_log_mvir, final[system] + np.log10(smallest)),
        "that fell in before a twelfth of the last age": infall < time[-1] / _EARLIEST,
        "that fell in before histories begin": infall < np.maximum(start, time[0]) * np.exp(_ALONE),
        "that fell in before their central was resolved": infall <= start[system],
    }
    left = {}
    kept = np.ones(len(rows), bool)
    for reason, unfit in counts.items():
        lost = kept & ~central & unfit
        left[reason] = int(np.sum(lost))
        kept &= ~lost
    # A host that is not followed, or not yet there, hands its satellites on to its own host.
    above = forest.host
    at = np.where(host >= 0, place[host], -1)
    while np.any(
        gone := kept & (host >= 0) & ~np.where(at >= 0, kept[at] & (infall > start[np.maximum(at, 0)]), False)
    ):
        host = np.where(gone, above[host], host)
        at = np.where(host >= 0, place[host], -1)
    chosen = np.flatnonzero(kept)
    root = np.where(central, np.arange(len(rows)), system)
    chosen = chosen[np.lexsort((-infall[chosen], root[chosen]))]
    back = np.full(len(rows) + 1, -1)
    back[chosen] = np.arange(len(chosen))
    ratio = [_ratio(forest, int(rows[row]), int(host[row])) for row in chosen]
    ratio_of_radius = _radius_ratio(halos, source.cosmology)
    log_mass, log_c = np.asarray(halos.log_mvir)[chosen], np.asarray(halos.log_concentration)[chosen]
    log_rvir, log_c = frozen_structure(
        log_mass, log_c, infall[chosen], time, source.cosmology,
        None if ratio_of_radius is None else ratio_of_radius[chosen],
    )  # fmt: skip
    rng, latent = numbers
    lost = forest.orphan[rows][chosen]
    unknown = np.sum(~central[chosen] & ~np.isfinite(forest.radius[rows][chosen]))
    satellites = int(np.sum(~central[chosen]))
    return HaloHistories(
        time,
        log_mass,
        log_c,
        start=start[chosen],
        log_rvir=log_rvir,
        host=back[at[chosen]],
        satellites=Satellites(
            infall[chosen], ratio, forest.circularity[rows][chosen], forest.radius[rows][chosen],
            rng.normal(size=(len(chosen), latent)) if latent else None,
        ),
        cosmology=source.cosmology,
        provenance={
            **{name: text for name, text in halos.provenance if name != "start"},
            "satellites": f"{satellites} followed: {satellites - int(np.sum(lost))} to the end by the simulation, "
            f"{int(np.sum(lost))} that it lost before; {int(unknown)} on typical orbits",
            "satellites left out": in_one_sentence(left) or "none",
            "start": "each halo at its first snapshot, or at the first time if that is later",
        },
    )  # fmt: skip


def _ratio(forest: FileForest, row: int, host: int) -> float:
    """Mass of a satellite over that of its host when it was last seen outside; NaN for centrals."""
    if host < 0:
        return np.nan
    own, other = forest.branches[row], forest.branches[host]
    earlier = other.log_mvir[other.time <= own.time[-1] * (1.0 + 1e-9)]
    of_host = np.max(earlier) if len(earlier) else other.log_mvir[0]
    return float(10.0 ** (np.max(own.log_mvir) - of_host))


def _radius_ratio(halos: HaloHistories, cosmology: Cosmology):
    if halos.log_rvir is None:
        return None
    density = densities(cosmology, "vir", redshifts(cosmology, np.asarray(halos.time)))
    return np.asarray(halos.log_rvir) - (np.asarray(halos.log_mvir) - np.log10(4.0 * np.pi / 3.0 * density)) / 3.0
