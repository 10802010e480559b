"""From the snapshots of single halos to `HaloHistories`: checks, mass loss, smoothing, one grid of times.

Every reader of measured histories ends here.  Nothing is left out or altered silently: a halo that cannot be
used is an error unless the caller asks to drop such halos, and what was dropped or changed is counted in the
provenance.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import equinox as eqx
import numpy as np
from jaxtyping import Array, Float

from ...cosmology import Cosmology
from ...numerics.row_blocks import in_blocks
from ..concentration import AbstractConcentration, limit_concentration
from ..cosmic_times import densities, redshifts
from ..histories import HaloHistories
from ..mergers import Mergers
from .provenance import complaint, concentration_words, listed, mass_loss_words, repair_words, smoothing_words
from .repair import AbstractBranchRepair
from .smoothing import AbstractMassLoss, AbstractSmoothing

__all__ = ["Branch", "Smoothed", "smooth_branches"]

_FEWEST_POINTS = 4
_LEVEL = 0.2  # ln(t)
_TOGETHER = 2_000  # halos smoothed at once; bounds the memory
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

    @property
    def label(self) -> str:
        """Its name, with the file in front where names may be those of halos in other files too."""
        return f"{self.file}:{self.name}" if self.file else self.name


class Smoothed(NamedTuple):
    """Histories and the raw branches they were made of, halo by halo.

    Attributes
    ----------
    halos : HaloHistories
    branches : list of Branch, in the order of `halos`, earliest snapshot first, repaired snapshots left out
    removed : number of snapshots the repairs left out of each
    dropped : dict of label to reason, for halos that could not be used
    dropped_files : name of the file of each of these
    """

    halos: HaloHistories
    branches: list[Branch]
    removed: list[int]
    dropped: dict[str, str]
    dropped_files: list[str]


def smooth_branches(
    branches: Sequence[Branch],
    *,
    cosmology: Cosmology,
    concentration: AbstractConcentration,
    mass_loss: AbstractMassLoss,
    smoothing: AbstractSmoothing,
    repairs: Sequence[AbstractBranchRepair] = (),
    times: Float[Array, " t"] | None = None,
    drop_bad: bool = False,
    provenance: Mapping[str, str] | None = None,
) -> Smoothed:
    """Histories on one grid of times, with what became of each branch.

    Parameters
    ----------
    branches : sequence of Branch
        Each may start whenever it likes, but all must reach the end: the last of `times`, or else the latest
        snapshot.
    cosmology : Cosmology
    concentration : AbstractConcentration
        Fills snapshots without concentration, shifted to the mean of the halo's own ones where it has some.
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
        Words to keep before those added here.

    Raises
    ------
    ValueError
        There are no halos, or some cannot be used and `drop_bad` is false.
    """
    if not branches:
        raise ValueError("histories: got no halos; the source must hold at least one")
    end = _end(branches) if times is None else float(np.asarray(times)[-1])
    bad, bad_files, kept, removed = {}, [], [], []
    for branch in branches:
        usable, reason = _usable(branch, end, mass_loss, repairs)
        if reason:
            bad[branch.label] = reason
            bad_files.append(branch.file)
        else:
            kept.append(usable)
            removed.append(len(branch.time) - len(usable.time))
    if bad and not drop_bad or not kept:
        raise ValueError(complaint(bad, len(branches), drop_bad))
    if times is None:
        time = np.geomspace(min(branch.time[0] for branch in kept), end, 128)
        time[-1] = end
    else:
        time = np.asarray(times, dtype=np.float64)
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
            "halos": f"{len(branches)} read, {len(kept)} kept" + listed(bad),
            **repair_words(repairs, removed),
            "mass loss": mass_loss_words(kept, mass_loss),
            "smoothing": smoothing_words(smoothing),
            "concentration": concentration_words(missing, kept, concentration),
            "start": "each halo at its first snapshot, or at the first time if that is later",
        },
    )
    return Smoothed(halos, kept, removed, bad, bad_files)


def _usable(branch, end, mass_loss, repairs):
    """A branch forwards in time and repaired, and why it cannot be used, or nothing."""
    reason = _problem(branch, end)
    if reason:
        return branch, reason
    branch = _forwards(branch)
    before = len(branch.time)
    for repair in repairs:
        keep = repair(branch.log_mvir)
        branch = branch if np.all(keep) else _cut(branch, keep)
    if len(branch.time) < _FEWEST_POINTS:
        return branch, f"has {len(branch.time)} of {before} snapshots left after repair, fewer than {_FEWEST_POINTS}"
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
    """Why a halo cannot be used as it is in its source, or nothing."""
    time, log_mvir = branch.time, branch.log_mvir
    if len(time) < _FEWEST_POINTS:
        return f"has {len(time)} snapshot{'s' * (len(time) > 1)} where a history needs at least {_FEWEST_POINTS}"
    if not np.all(np.isfinite(time)):
        return "has a time that is not a number"
    if not np.all(np.isfinite(log_mvir)):
        return "has a mass that is not a positive number"
    if branch.log_radius_ratio is not None and not np.all(np.isfinite(branch.log_radius_ratio)):
        return "has a radius that is not a positive number"
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


def _fill_concentrations(branches, model, cosmology):
    """log10 c of every snapshot, and how many were missing in each halo."""
    missing = [int(np.sum(~np.isfinite(branch.log_concentration))) for branch in branches]
    if not any(missing):
        return [branch.log_concentration for branch in branches], missing
    lengths = [len(branch.time) for branch in branches]
    log_mvir = np.concatenate([branch.log_mvir for branch in branches])
    redshift = redshifts(cosmology, np.concatenate([branch.time for branch in branches]))
    median = in_blocks(_median, log_mvir, redshift, size=_SNAPSHOTS, shared=(model,))
    filled = []
    for branch, expected in zip(branches, np.split(median, np.cumsum(lengths)[:-1]), strict=True):
        known = np.isfinite(branch.log_concentration)
        offset = np.mean((branch.log_concentration - expected)[known]) if np.any(known) else 0.0
        filled.append(np.where(known, branch.log_concentration, expected + offset))
    return filled, missing


@eqx.filter_jit
def _median(model, log_mvir, redshift):
    return model(log_mvir, redshift)


def _smooth_all(branches, log_concentration, at, mass_loss, smoothing):
    """log10 of mass and concentration at ln(t) = `at`, and of radius over the Bryan & Norman one or None.

    Halos with the same snapshots are smoothed together: there are few sets of snapshots and many halos.
    """
    together: dict[bytes, list[int]] = {}
    for row, branch in enumerate(branches):
        together.setdefault(branch.time.tobytes(), []).append(row)
    with_radius = branches[0].log_radius_ratio is not None
    log_mvir, log_c = np.empty((2, len(branches), len(at)))
    ratio = np.empty((len(branches), len(at))) if with_radius else None
    for group in together.values():
        for first in range(0, len(group), _TOGETHER):
            rows = group[first : first + _TOGETHER]
            log_time = np.log(branches[rows[0]].time)
            # Before the halo starts its mass follows the tangent, but tangents of noisy flat curves level off,
            # without a bend.
            before = np.maximum(log_time[0] - at, 0.0)
            levelled = at + before - _LEVEL * np.tanh(before / _LEVEL)
            masses = np.array([mass_loss(branches[row].log_mvir) for row in rows])
            log_mvir[rows] = smoothing(log_time, masses, at)
            log_c[rows] = smoothing(log_time, np.array([log_concentration[row] for row in rows]), levelled)
            if with_radius:
                radii = np.array([branches[row].log_radius_ratio for row in rows])
                ratio[rows] = smoothing(log_time, radii, levelled)
    return log_mvir, log_c, ratio
