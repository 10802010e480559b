"""A close look at what reading and smoothing did to merger trees: counts, jumps, gaps, and the worst halos.

Smooth histories that look healthy can hide raw ones that were not.  The report compares each smooth history with
the raw branch it came from, keeps the worst of them to be looked at, and sets the mean histories beside the built-in
population.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from ..units import GYR_YR
from .branches.branch import Branch, Smoothed
from .branches.provenance import listed
from .branches.repair import count_jumps
from .generate.diffmah import diffmah_population
from .histories import HaloHistories

__all__ = ["BranchReport", "RawAndSmooth", "MeanHistory", "report_on"]

_REDSHIFTS = (0.5, 1.0, 2.0, 4.0)
_FILES_TOLD = 12  # most files named in the text
_CHECKED = 64  # halos whose growth is integrated


class RawAndSmooth(NamedTuple):
    """One halo before and after smoothing: cosmic age [Gyr], log10 of raw and of smooth mass [Msun] at it."""

    name: str
    time: Float[np.ndarray, " s"]
    raw: Float[np.ndarray, " s"]
    smooth: Float[np.ndarray, " s"]

    @property
    def rms(self) -> float:
        """Root mean square of the difference [dex]."""
        return float(np.sqrt(np.mean((self.raw - self.smooth) ** 2)))


class MeanHistory(NamedTuple):
    """Mean log10 of mass over final mass of halos in a range of final mass, here and in the built-in population."""

    low: float
    high: float
    halos: int
    redshift: tuple[float, ...]
    mean: tuple[float, ...]
    built_in: tuple[float, ...]


class BranchReport(NamedTuple):
    """What became of the branches of a source.

    Attributes
    ----------
    counts : dict of str to int, in words
    dropped : dict of label to reason
    worst : halos that smoothing changed most, the worst first
    rms : array, root mean square of raw minus smooth log10 mass of every halo [dex]
    growth_error : largest difference between the integral of the growth rate and the mass gained, over the final mass
    means : mean histories beside those of the built-in population
    provenance : dict of str to str
    files : dict of file name to counts in words, where there are several files
    """

    counts: dict[str, int]
    dropped: dict[str, str]
    worst: list[RawAndSmooth]
    rms: Float[np.ndarray, " n"]
    growth_error: float
    means: list[MeanHistory]
    provenance: dict[str, str]
    files: dict[str, dict[str, int]]

    def text(self) -> str:
        """The report as plain text."""
        lines = [f"{name}: {words}" for name, words in self.provenance.items()]
        lines += [f"{count} {name}" for name, count in self.counts.items()]
        if self.dropped:
            lines.append("left out" + listed(self.dropped))
        for name, counts in list(self.files.items())[:_FILES_TOLD]:
            lines.append(f"  {name}: " + ", ".join(f"{count} {words}" for words, count in counts.items() if count))
        if len(self.files) > _FILES_TOLD:
            lines.append(f"  and {len(self.files) - _FILES_TOLD} more files, in the report")
        quantiles = np.quantile(self.rms, [0.5, 0.9, 1.0])
        lines.append("raw minus smooth, rms: median {:.3f}, 90% {:.3f}, largest {:.3f} dex".format(*quantiles))
        lines += [f"  halo {halo.name}: {halo.rms:.3f} dex" for halo in self.worst]
        lines.append(f"integral of the growth rate against the mass gained: within {self.growth_error:.1e}")
        for mean in self.means:
            lines.append(f"mean log10 M/M0, final log10 M {mean.low:.2f} to {mean.high:.2f}, {mean.halos} halos:")
            for redshift, here, there in zip(mean.redshift, mean.mean, mean.built_in, strict=True):
                lines.append(f"  z = {redshift:g}: {here:.3f}, built-in population {there:.3f}")
        return "\n".join(lines)


def report_on(
    smoothed: Smoothed,
    counts: dict[str, int] | None = None,
    files: dict[str, dict[str, int]] | None = None,
    *,
    worst: int = 6,
    width: float = 0.5,
) -> BranchReport:
    """Compare smooth histories with the branches they came from.

    Parameters
    ----------
    smoothed : Smoothed
        From `smooth_branches` or `smooth_trees`.
    counts : dict of str to int, optional
        What was counted before.
    files : dict of str to dict, optional
        The same of each file, where there are several.
    worst : int
        How many of the worst halos to keep.
    width : float
        Width of the ranges of final mass that are compared with the built-in population [dex].
    """
    halos, branches = smoothed.halos, smoothed.branches
    log_time, log_mvir = np.log(np.asarray(halos.time)), np.asarray(halos.log_mvir)
    compared = [_compared(branch, log_time, row) for branch, row in zip(branches, log_mvir, strict=True)]
    rms = np.array([halo.rms for halo in compared])
    order = np.argsort(-rms)[:worst]
    jumps = np.array([count_jumps(branch.log_mvir) for branch in branches])
    gaps = _gaps(branches)
    falls = [int(np.sum(np.diff(branch.log_mvir) < 0.0)) for branch in branches]
    removed = np.asarray(smoothed.removed)
    return BranchReport(
        counts={
            **(counts or {}),
            "branches read": len(branches) + len(smoothed.dropped),
            "halos kept": len(branches),
            "halos left out": len(smoothed.dropped),
            "snapshots of halos kept": sum(len(branch.time) for branch in branches),
            "snapshots left out by repairs": int(removed.sum()),
            "halos with repaired snapshots": int(np.sum(removed > 0)),
            "snapshots missing inside a branch": int(gaps.sum()),
            "jumps of more than 0.3 dex that stay": int(jumps.sum()),
            "halos with such jumps": int(np.sum(jumps > 0)),
            "steps over which mass falls": int(np.sum(falls)),
        },
        dropped=smoothed.dropped,
        worst=[compared[row] for row in order],
        rms=rms,
        growth_error=_growth_error(halos),
        means=_means(halos, width),
        provenance=dict(halos.provenance),
        files=_by_file(smoothed, jumps, files or {}),
    )


def _by_file(smoothed: Smoothed, jumps, counted: dict[str, dict[str, int]]) -> dict[str, dict[str, int]]:
    """What was counted before of each file, and what became of its halos."""
    found = {}
    kept = np.array([branch.file for branch in smoothed.branches])
    dropped, removed = np.array(smoothed.dropped_files, dtype=str), np.asarray(smoothed.removed)
    for name, counts in counted.items():
        mine = kept == name
        found[name] = {
            **counts,
            "halos kept": int(np.sum(mine)),
            "halos left out": int(np.sum(dropped == name)),
            "snapshots left out by repairs": int(np.sum(removed[mine])),
            "jumps of more than 0.3 dex that stay": int(np.sum(jumps[mine])),
        }
    return found


def _compared(branch: Branch, log_time, smooth) -> RawAndSmooth:
    at = np.interp(np.log(branch.time), log_time, smooth)
    return RawAndSmooth(branch.label, branch.time, branch.log_mvir, at)


def _gaps(branches: Sequence[Branch]):
    """Snapshots that other halos have between the first and the last one of each."""
    snapshots = np.unique(np.concatenate([np.round(branch.time, 6) for branch in branches]))
    first = np.searchsorted(snapshots, [np.round(branch.time[0], 6) for branch in branches])
    last = np.searchsorted(snapshots, [np.round(branch.time[-1], 6) for branch in branches])
    return last - first + 1 - np.array([len(branch.time) for branch in branches])


def _growth_error(halos: HaloHistories) -> float:
    few = halos[np.linspace(0, len(halos) - 1, _CHECKED).astype(int)]  # always as many: one compilation
    time = np.geomspace(float(few.time[0]), float(few.time[-1]), 1001)
    halo = few.along(time)
    growth, mass = np.asarray(halo.growth) * GYR_YR, np.asarray(halo.mvir)
    gained = np.trapezoid(growth, time, axis=1)
    return float(np.max(np.abs(gained - (mass[:, -1] - mass[:, 0])) / mass[:, -1]))


def _means(halos: HaloHistories, width: float) -> list[MeanHistory]:
    final = np.asarray(halos.log_mvir[:, -1])
    log_time = np.log(np.asarray(halos.time))
    redshifts = [z for z in _REDSHIFTS if float(halos.cosmology.age(z)) > float(halos.time[0])]
    at = np.log(np.asarray(halos.cosmology.age(np.array(redshifts)))) if redshifts else np.zeros(0)
    found = []
    for low in np.arange(max(np.floor(final.min() / width) * width, 9.0), min(final.max(), 15.0 - width), width):
        rows = np.flatnonzero((final >= low) & (final < low + width))
        if len(rows) < 10 or not redshifts:
            continue
        middle = float(np.mean(final[rows]))
        built_in = diffmah_population(
            1000, log_mvir=(middle, middle), cosmology=halos.cosmology, key=0, first_log_mvir=6.0
        )
        here, there = (_mean(h, rows_, log_t, at) for h, rows_, log_t in (
            (halos, rows, log_time), (built_in, slice(None), np.log(np.asarray(built_in.time))),
        ))  # fmt: skip
        found.append(MeanHistory(low, low + width, len(rows), tuple(redshifts), here, there))
    return found


def _mean(halos, rows, log_time, at) -> tuple[float, ...]:
    masses = np.asarray(halos.log_mvir)[rows]
    return tuple(float(np.mean([np.interp(t, log_time, m) - m[-1] for m in masses])) for t in at)
