"""From the snapshots of single halos to `HaloHistories`: checks, mass loss, smoothing, one grid of times.

Every reader of measured histories ends with `smooth_branches`.  Nothing is left out or altered silently: a halo that
cannot be used is an error unless such halos are to be dropped (`drop_bad`), and what was dropped or changed is counted
in the provenance.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from ...annotations import Array
from ...cosmology import Cosmology
from ...numerics.compiling import compiled
from ...numerics.row_blocks import in_blocks
from ...plain_numbers import plain_numbers
from ...plausible import check_ages, mass_problem, radius_problem, weight_problem
from ...printing import in_short
from ..concentration import AbstractConcentration, limit_concentration
from ..cosmic_times import ages, densities, redshifts
from ..histories import HaloHistories
from ..mergers import Mergers
from .notes import concentration_note, dropped_note, mass_loss_note, repair_note, smoothing_note, unusable_message
from .repair import AbstractBranchRepair
from .smoothing import AbstractMassLoss, AbstractSmoothing

__all__ = ["Branch", "Smoothed", "smooth_branches"]

_FEWEST_POINTS = 4
_LEVELLING = 0.2  # ln(t) before the start over which a noisy curve becomes level
_HALOS = 2_000  # halos smoothed at once; bounds the memory
_SNAPSHOTS = 65_536  # concentrations filled in at once


class Branch(NamedTuple):
    """The snapshots of one halo, in the order of its source.

    Attributes
    ----------
    name : what its source calls it
    time : cosmic age [Gyr]
    log_mvir : log10 of virial mass [Msun]; NaN where the source has no positive mass
    log_concentration : log10 of NFW concentration; NaN where unknown
    log_radius_ratio : log10 of virial radius over that of Bryan & Norman 1998 for the same mass, or None for
        no change
    weight : number or number density of halos it stands for
    mergers : times [Gyr] and mass ratios of the progenitors that merged onto it, shape (2, m), or None if not known
    file : name of the file it comes from, where there are several
    position : comoving position at the last snapshot [Mpc], or None if not known
    separation : distance from a heavier halo (see `HaloHistories`), or None if not known

    Examples
    --------
    >>> time = np.linspace(1.0, 13.7, 20)
    >>> branch = co.halos.Branch("17", time, 10.0 + 0.15 * time, np.full(20, 0.9), file="tree_0.dat")
    >>> branch.label
    'tree_0.dat:17'
    """

    name: str
    time: Float[np.ndarray, " s"]
    log_mvir: Float[np.ndarray, " s"]
    log_concentration: Float[np.ndarray, " s"]
    log_radius_ratio: Float[np.ndarray, " s"] | None = None
    weight: float = 1.0
    mergers: Float[np.ndarray, "2 m"] | None = None
    file: str = ""
    position: Float[np.ndarray, " 3"] | None = None
    separation: float | None = None

    def __repr__(self) -> str:
        return in_short(self)

    @property
    def label(self) -> str:
        """Its name, with the file in front where names may be those of halos in other files too."""
        return f"{self.file}:{self.name}" if self.file else self.name


class Smoothed(NamedTuple):
    """Histories and the raw branches they come from, halo by halo.

    Attributes
    ----------
    halos : HaloHistories
    branches : list of Branch, in the order of `halos`, earliest snapshot first, without what repairs left out
    removed : number of snapshots that repairs left out of each branch
    dropped : dict of label to reason, for halos that could not be used; dropped_files : the file of each
    rows : which of the branches that were given each halo is
    """

    halos: HaloHistories
    branches: list[Branch]
    removed: list[int]
    dropped: dict[str, str]
    dropped_files: list[str]
    rows: list[int]


def smooth_branches(
    branches: Sequence[Branch],
    *,
    cosmology: Cosmology,
    concentration: AbstractConcentration,
    mass_loss: AbstractMassLoss,
    smoothing: AbstractSmoothing,
    repairs: Sequence[AbstractBranchRepair] = (),
    times: Sequence[float] | Float[Array, " t"] | None = None,
    drop_bad: bool = False,
    provenance: Mapping[str, str] | None = None,
) -> Smoothed:
    """Histories on one grid of times, with what became of each branch.

    Parameters
    ----------
    branches : sequence of Branch
        Each may start at any time, but all must reach the last of `times` or, without `times`, the latest snapshot.
    cosmology : Cosmology
    concentration : AbstractConcentration
        Relation for snapshots without a concentration, shifted to the mean of the halo's own concentrations where it
        has some.
    mass_loss : AbstractMassLoss
        What to do where a mass falls.
    smoothing : AbstractSmoothing
        How noisy snapshots become smooth curves of log10 of mass, concentration and radius against ln(t).
    repairs : sequence of AbstractBranchRepair
        Which snapshots to leave out, one after the other.
    times : array, shape (t,), optional
        Cosmic ages [Gyr]; default 128, uniform in ln(t) from the first snapshot of any halo to the last.
    drop_bad : bool
        Leave out halos that cannot be used, with their reasons in the provenance, instead of refusing all.
    provenance : mapping of str to str, optional
        Entries that come before those added here.

    Raises
    ------
    ValueError
        There are no halos, or some cannot be used and `drop_bad` is false.

    Examples
    --------
    >>> time = np.linspace(1.0, 13.7, 40)
    >>> noise = 0.02 * np.random.default_rng(0).normal(size=(3, 40))
    >>> branches = [co.halos.Branch(str(n), time, 10.0 + 0.15 * time + noise[n], np.full(40, np.nan)) for n in range(3)]
    >>> smoothed = co.halos.smooth_branches(
    ...     branches, cosmology=co.cosmology.planck18(), concentration=co.halos.DuttonMaccio14(),
    ...     mass_loss=co.halos.RunningMaximum(), smoothing=co.halos.GaussianInLogTime(),
    ... )
    >>> len(smoothed.halos), dict(smoothed.halos.provenance)["halos"]
    (3, '3 read, 3 kept')
    """
    if not branches:
        raise ValueError("histories: got no halos; the source must hold at least one")
    branches = [_plain(branch) for branch in branches]
    times = None if times is None else _grid(times, cosmology)
    end = _end(branches) if times is None else float(times[-1])
    dropped, dropped_files, kept, removed, rows = {}, [], [], [], []
    for row, branch in enumerate(branches):
        usable, problem = _usable(branch, end, mass_loss, repairs)
        if problem:
            dropped[branch.label] = problem
            dropped_files.append(branch.file)
        else:
            kept.append(usable)
            rows.append(row)
            removed.append(len(branch.time) - len(usable.time))
    if dropped and not drop_bad or not kept:
        raise ValueError(unusable_message(dropped, len(branches), drop_bad))
    if times is None:
        time = np.geomspace(min(branch.time[0] for branch in kept), end, 128)
        time[-1] = end
    else:
        time = times
    filled, missing = _fill_concentrations(kept, concentration, cosmology)
    log_mvir, log_c, ratio = _smooth_all(kept, filled, np.log(time), mass_loss, smoothing)
    log_rvir = None
    if ratio is not None:
        density = densities(cosmology, "vir", redshifts(cosmology, time))
        log_rvir = (log_mvir - np.log10(4.0 * np.pi / 3.0 * density)) / 3.0 + ratio
    halos = HaloHistories(
        time,
        log_mvir,
        limit_concentration(log_c),
        start=[max(time[0], branch.time[0]) for branch in kept],
        weights=[branch.weight for branch in kept],
        log_rvir=log_rvir,
        mergers=_mergers(kept),
        separation=_separation(kept),
        cosmology=cosmology,
        provenance={
            **(provenance or {}),
            "halos": f"{len(branches)} read, {len(kept)} kept" + dropped_note(dropped),
            **repair_note(repairs, removed),
            "mass loss": mass_loss_note(kept, mass_loss),
            "smoothing": smoothing_note(smoothing),
            "concentration": concentration_note(missing, kept, concentration),
            "start": "each halo at its first snapshot, or at the first time if that is later",
        },
    )
    return Smoothed(halos, kept, removed, dropped, dropped_files, rows)


def _plain(branch):
    """A branch with plain float64 arrays, NaN where its source has masked a number."""
    ratio = branch.log_radius_ratio
    return branch._replace(
        time=plain_numbers("time", branch.time, "Gyr", hidden_as_nan=True),
        log_mvir=plain_numbers("log_mvir", branch.log_mvir, "Msun", log=True, hidden_as_nan=True),
        log_concentration=plain_numbers("log_concentration", branch.log_concentration, log=True, hidden_as_nan=True),
        log_radius_ratio=None if ratio is None else plain_numbers("log_radius_ratio", ratio, hidden_as_nan=True),
    )


def _grid(times, cosmology):
    """The cosmic ages that histories are to have."""
    times = np.asarray(plain_numbers("times", times, "Gyr"))
    if times.ndim != 1 or len(times) < 2 or not np.all(np.diff(times) > 0.0):
        raise ValueError("times: give a list of at least two cosmic ages [Gyr], strictly increasing")
    check_ages("times", times, float(ages(cosmology, np.zeros(1))[0]))
    return times


def _usable(branch, end, mass_loss, repairs):
    """A branch forwards in time and repaired, and the problem that makes it unusable, an empty text for none."""
    problem = _problem(branch, end)
    if problem:
        return branch, problem
    branch = _forwards(branch)
    snapshots = len(branch.time)
    for repair in repairs:
        keep = repair(branch.log_mvir)
        branch = branch if np.all(keep) else _cut(branch, keep)
    if len(branch.time) < _FEWEST_POINTS:
        return branch, f"has {len(branch.time)} of {snapshots} snapshots left after repair, fewer than {_FEWEST_POINTS}"
    if branch.time[-1] < end * (1.0 - 1e-6):
        return branch, f"ends at {branch.time[-1]:.6g} Gyr after repair, before the last time of {end:.6g} Gyr"
    if not mass_loss.accepts(branch.log_mvir):
        return branch, "loses mass, which this choice of mass_loss refuses"
    return branch, ""


def _cut(branch, rows):
    ratio = None if branch.log_radius_ratio is None else branch.log_radius_ratio[rows]
    return branch._replace(
        time=branch.time[rows],
        log_mvir=branch.log_mvir[rows],
        log_concentration=branch.log_concentration[rows],
        log_radius_ratio=ratio,
    )


def _mergers(branches):
    if any(branch.mergers is None for branch in branches):
        return None
    counts = [branch.mergers.shape[1] for branch in branches]
    time, ratio = np.concatenate([branch.mergers for branch in branches], axis=1)
    return Mergers.from_list(np.repeat(np.arange(len(branches)), counts), time, ratio, len(branches))


def _separation(branches):
    known = [branch.separation for branch in branches]
    return None if any(value is None for value in known) else known


def _end(branches):
    times = [np.max(branch.time[np.isfinite(branch.time)], initial=0.0) for branch in branches]
    return float(max(times))


def _problem(branch, end):
    """The problem that makes a halo unusable as it is in its source, an empty text for none."""
    time, log_mvir = branch.time, branch.log_mvir
    if len(time) < _FEWEST_POINTS:
        return f"has {len(time)} snapshot{'s' * (len(time) > 1)} where a history needs at least {_FEWEST_POINTS}"
    if np.any(np.isnan(time)):
        return "has a time that is not a number"
    if not np.all(np.isfinite(time)):
        return "has a time at which no halo can be"
    ratio = np.zeros(len(time)) if branch.log_radius_ratio is None else branch.log_radius_ratio
    problem = mass_problem(log_mvir, time) or radius_problem(ratio, time) or weight_problem(branch.weight)
    if problem:
        return problem
    if branch.separation is not None and branch.separation < 0.0:
        return f"has the separation {branch.separation:.6g}, where distances are not negative"
    steps = np.diff(time)
    if np.any(steps == 0.0):
        return f"has two snapshots at {time[:-1][steps == 0.0][0]:.6g} Gyr"
    if not (np.all(steps > 0.0) or np.all(steps < 0.0)):
        return "has snapshots that are not in the order of time"
    if max(time[0], time[-1]) < end * (1.0 - 1e-6):
        return f"ends at {max(time[0], time[-1]):.6g} Gyr, before the last time of {end:.6g} Gyr"
    if min(time[0], time[-1]) >= end:
        return f"starts at {min(time[0], time[-1]):.6g} Gyr, after the last time of {end:.6g} Gyr"
    return ""


def _forwards(branch):
    return branch if branch.time[-1] > branch.time[0] else _cut(branch, slice(None, None, -1))


def _fill_concentrations(branches, relation, cosmology):
    """log10 c of every snapshot, and how many were missing in each halo."""
    missing = [int(np.sum(~np.isfinite(branch.log_concentration))) for branch in branches]
    if not any(missing):
        return [branch.log_concentration for branch in branches], missing
    lengths = [len(branch.time) for branch in branches]
    log_mvir = np.concatenate([branch.log_mvir for branch in branches])
    redshift = redshifts(cosmology, np.concatenate([branch.time for branch in branches]))
    median = in_blocks(_median, log_mvir, redshift, size=_SNAPSHOTS, shared=(relation,))
    filled = []
    for branch, expected in zip(branches, np.split(median, np.cumsum(lengths)[:-1]), strict=True):
        known = np.isfinite(branch.log_concentration)
        offset = np.mean((branch.log_concentration - expected)[known]) if np.any(known) else 0.0
        filled.append(np.where(known, branch.log_concentration, expected + offset))
    return filled, missing


@compiled
def _median(relation, log_mvir, redshift):
    return relation(log_mvir, redshift)


def _smooth_all(branches, log_concentration, ln_times, mass_loss, smoothing):
    """log10 of mass and concentration at `ln_times`, and of radius over the Bryan & Norman one or None.

    Halos with the same snapshots are smoothed together: there are few sets of snapshots and many halos.
    """
    same_snapshots: dict[bytes, list[int]] = {}
    for row, branch in enumerate(branches):
        same_snapshots.setdefault(branch.time.tobytes(), []).append(row)
    with_radius = branches[0].log_radius_ratio is not None
    log_mvir, log_c = np.empty((2, len(branches), len(ln_times)))
    ratio = np.empty((len(branches), len(ln_times))) if with_radius else None
    for group in same_snapshots.values():
        for first in range(0, len(group), _HALOS):
            rows = group[first : first + _HALOS]
            ln_snapshots = np.log(branches[rows[0]].time)
            # Before its start the mass of a halo follows its tangent.  Concentration and radius are noisy and flat,
            # so that their tangents would lead far away: they become level smoothly.
            before = np.maximum(ln_snapshots[0] - ln_times, 0.0)
            levelled = ln_times + before - _LEVELLING * np.tanh(before / _LEVELLING)
            masses = np.array([mass_loss(branches[row].log_mvir) for row in rows])
            log_mvir[rows] = smoothing(ln_snapshots, masses, ln_times)
            log_c[rows] = smoothing(ln_snapshots, np.array([log_concentration[row] for row in rows]), levelled)
            if with_radius:
                radii = np.array([branches[row].log_radius_ratio for row in rows])
                ratio[rows] = smoothing(ln_snapshots, radii, levelled)
    return log_mvir, log_c, ratio
