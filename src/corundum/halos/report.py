"""A report on what reading and smoothing did to merger trees: counts, jumps, gaps, and the halos that changed most.

Smooth histories can look healthy where the raw ones were not.  The report compares each smooth history with the raw
branch it came from, keeps the halos that changed most so that they can be looked at, and sets the mean histories beside
the built-in population.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from ..printing import in_short
from ..units import GYR_YR
from .branches.branch import Branch, Smoothed
from .branches.notes import dropped_note
from .branches.repair import count_jumps
from .generate.tree_population import monte_carlo_trees
from .histories import HaloHistories

__all__ = ["BranchReport", "RawAndSmooth", "MeanHistory", "report_on"]

_REDSHIFTS = (0.5, 1.0, 2.0, 4.0)
_MOST_FILES_IN_TEXT = 12
_GROWTH_HALOS = 64  # halos whose growth rate is integrated; always as many, so that there is one compilation
_COMPARISON_HALOS = 1000
_FEWEST_HALOS = 10  # of a mean history
_LOWEST_LOG_MASS, _HIGHEST_LOG_MASS = 9.0, 15.0  # of mean histories


class RawAndSmooth(NamedTuple):
    """One halo before and after smoothing.

    Attributes
    ----------
    name : str
    time : array, shape (s,)
        Cosmic age of every snapshot [Gyr].
    raw, smooth : array, shape (s,)
        log10 of mass [Msun] before and after.

    Examples
    --------
    >>> from corundum.halos.report import RawAndSmooth
    >>> halo = RawAndSmooth("7", np.array([5.0, 10.0]), np.array([11.0, 12.0]), np.array([11.3, 12.4]))
    >>> round(halo.rms, 3)
    0.354
    """

    name: str
    time: Float[np.ndarray, " s"]
    raw: Float[np.ndarray, " s"]
    smooth: Float[np.ndarray, " s"]

    @property
    def rms(self) -> float:
        """Root mean square of the difference [dex]."""
        return float(np.sqrt(np.mean((self.raw - self.smooth) ** 2)))


class MeanHistory(NamedTuple):
    """Mean of log10 of mass over final mass of halos in a range of final mass, and that of the built-in population.

    Attributes
    ----------
    low, high : float
        Range of log10 of final mass [Msun].
    halos : int
        Number of halos in it.
    redshift : tuple of float
    mean, built_in : tuple of float
        At each redshift, of these halos and of the built-in population.
    """

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
    counts : dict of str to int
        How many trees, halos and snapshots, by what happened to them.
    dropped : dict of str to str
        Reason for each halo that was left out, by its label.
    worst : list of RawAndSmooth
        Halos that smoothing changed most, the largest change first.
    rms : array, shape (n,)
        Root mean square of raw minus smooth log10 mass of every halo [dex].
    growth_error : float
        Largest difference between the integral of the growth rate and the mass gained, over the final mass.
    means : list of MeanHistory
        Mean histories beside those of the built-in population.
    provenance : dict of str to str
    files : dict of str to dict
        The counts of each file by its name, where there are several.

    Examples
    --------
    >>> from pathlib import Path
    >>> rows = [f"{k},{k - 1},{z},{70.0 / (1.0 + z) ** 2}" for k, z in enumerate(np.linspace(0.0, 4.0, 25))]
    >>> header = ["#SQL= select ... from MPAHaloTrees..MHalo", "haloId,descendantId,redshift,m_tophat"]
    >>> _ = Path("query.csv").write_text("\\n".join([*header, *rows]) + "\\n")
    >>> report = co.halos.report_on(co.halos.smooth_trees(co.halos.read_branches("query.csv")))
    >>> print(report.text().splitlines()[0])
    source: MillenniumCSV query.csv, 1 file
    """

    counts: dict[str, int]
    dropped: dict[str, str]
    worst: list[RawAndSmooth]
    rms: Float[np.ndarray, " n"]
    growth_error: float
    means: list[MeanHistory]
    provenance: dict[str, str]
    files: dict[str, dict[str, int]]

    def __repr__(self) -> str:
        return in_short(self)

    def text(self) -> str:
        """The report as plain text, one fact a line."""
        lines = [f"{name}: {description}" for name, description in self.provenance.items()]
        lines += [f"{count} {name}" for name, count in self.counts.items()]
        if self.dropped:
            lines.append("left out" + dropped_note(self.dropped))
        for file, counts in list(self.files.items())[:_MOST_FILES_IN_TEXT]:
            lines.append(f"  {file}: " + ", ".join(f"{count} {name}" for name, count in counts.items() if count))
        if len(self.files) > _MOST_FILES_IN_TEXT:
            lines.append(f"  and {len(self.files) - _MOST_FILES_IN_TEXT} more files, in the report")
        quantiles = np.quantile(self.rms, [0.5, 0.9, 1.0])
        lines.append("raw minus smooth, rms: median {:.3f}, 90% {:.3f}, largest {:.3f} dex".format(*quantiles))
        lines += [f"  halo {halo.name}: {halo.rms:.3f} dex" for halo in self.worst]
        lines.append(f"integral of the growth rate against the mass gained: within {self.growth_error:.1e}")
        for mean in self.means:
            lines.append(f"mean log10 M/M0, final log10 M {mean.low:.2f} to {mean.high:.2f}, {mean.halos} halos:")
            for redshift, value, built_in in zip(mean.redshift, mean.mean, mean.built_in, strict=True):
                lines.append(f"  z = {redshift:g}: {value:.3f}, built-in population {built_in:.3f}")
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
        Counts of the reader, such as those of a `BranchSet`; they open those of the report.
    files : dict of str to dict, optional
        The same of each file, where there are several.
    worst : int
        How many of the halos that changed most to keep.
    width : float
        Width of the ranges of final mass that are compared with the built-in population [dex].

    Returns
    -------
    BranchReport

    Examples
    --------
    >>> from pathlib import Path
    >>> rows = [f"{k},{k - 1},{z},{70.0 / (1.0 + z) ** 2}" for k, z in enumerate(np.linspace(0.0, 4.0, 9))]
    >>> header = ["#SQL= select ... from MPAHaloTrees..MHalo", "haloId,descendantId,redshift,m_tophat"]
    >>> _ = Path("query.csv").write_text("\\n".join([*header, *rows]) + "\\n")
    >>> branches = co.halos.read_branches("query.csv")
    >>> report = co.halos.report_on(co.halos.smooth_trees(branches), branches.counts)
    >>> report.counts["halos kept"], report.counts["jumps of more than 0.3 dex that stay"]
    (1, 1)
    """
    halos, branches = smoothed.halos, smoothed.branches
    ln_time, log_mvir = np.log(np.asarray(halos.time)), np.asarray(halos.log_mvir)
    compared = [_compare(branch, ln_time, row) for branch, row in zip(branches, log_mvir, strict=True)]
    rms = np.array([halo.rms for halo in compared])
    most_changed = np.argsort(-rms)[:worst]
    jumps = np.array([count_jumps(branch.log_mvir) for branch in branches])
    gaps = _missing_snapshots(branches)
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
        worst=[compared[row] for row in most_changed],
        rms=rms,
        growth_error=_growth_error(halos),
        means=_mean_histories(halos, width),
        provenance=dict(halos.provenance),
        files=_counts_of_files(smoothed, jumps, files or {}),
    )


def _counts_of_files(
    smoothed: Smoothed, jumps: Int[np.ndarray, " n"], files: dict[str, dict[str, int]]
) -> dict[str, dict[str, int]]:
    """The counts of the reader of each file, and what became of the halos of that file."""
    kept = np.array([branch.file for branch in smoothed.branches])
    dropped, removed = np.array(smoothed.dropped_files, dtype=str), np.asarray(smoothed.removed)
    counts_of_files = {}
    for file, counts in files.items():
        in_file = kept == file
        counts_of_files[file] = {
            **counts,
            "halos kept": int(np.sum(in_file)),
            "halos left out": int(np.sum(dropped == file)),
            "snapshots left out by repairs": int(np.sum(removed[in_file])),
            "jumps of more than 0.3 dex that stay": int(np.sum(jumps[in_file])),
        }
    return counts_of_files


def _compare(branch: Branch, ln_time: Float[np.ndarray, " t"], log_mvir: Float[np.ndarray, " t"]) -> RawAndSmooth:
    smooth = np.interp(np.log(branch.time), ln_time, log_mvir)
    return RawAndSmooth(branch.label, branch.time, branch.log_mvir, smooth)


def _missing_snapshots(branches: Sequence[Branch]) -> Int[np.ndarray, " n"]:
    """Number of snapshots that other halos have between the first and the last one of each branch."""
    snapshots = np.unique(np.concatenate([np.round(branch.time, 6) for branch in branches]))
    first = np.searchsorted(snapshots, [np.round(branch.time[0], 6) for branch in branches])
    last = np.searchsorted(snapshots, [np.round(branch.time[-1], 6) for branch in branches])
    return last - first + 1 - np.array([len(branch.time) for branch in branches])


def _growth_error(halos: HaloHistories) -> float:
    sample = halos[np.linspace(0, len(halos) - 1, _GROWTH_HALOS).astype(int)]
    time = np.geomspace(float(sample.time[0]), float(sample.time[-1]), 1001)
    halo = sample.along(time)
    growth, mass = np.asarray(halo.growth) * GYR_YR, np.asarray(halo.mvir)
    mass_gained = np.trapezoid(growth, time, axis=1)
    return float(np.max(np.abs(mass_gained - (mass[:, -1] - mass[:, 0])) / mass[:, -1]))


def _mean_histories(halos: HaloHistories, width: float) -> list[MeanHistory]:
    final = np.asarray(halos.log_mvir[:, -1])
    redshifts = [z for z in _REDSHIFTS if float(halos.cosmology.age(z)) > float(halos.time[0])]
    if not redshifts:
        return []
    ln_time = np.log(np.asarray(halos.cosmology.age(np.array(redshifts))))
    lowest = max(np.floor(final.min() / width) * width, _LOWEST_LOG_MASS)
    means = []
    for low in np.arange(lowest, min(final.max(), _HIGHEST_LOG_MASS - width), width):
        rows = np.flatnonzero((final >= low) & (final < low + width))
        if len(rows) < _FEWEST_HALOS:
            continue
        middle = float(np.mean(final[rows]))
        built_in = monte_carlo_trees(
            _COMPARISON_HALOS, log_mvir=(middle, middle), cosmology=halos.cosmology, key=0, first_log_mvir=6.0
        )
        mean, mean_built_in = _mean_growth(halos, rows, ln_time), _mean_growth(built_in, slice(None), ln_time)
        means.append(MeanHistory(low, low + width, len(rows), tuple(redshifts), mean, mean_built_in))
    return means


def _mean_growth(
    halos: HaloHistories, rows: Int[np.ndarray, " k"] | slice, ln_time: Float[np.ndarray, " t"]
) -> tuple[float, ...]:
    """Mean of log10 of mass over final mass of some halos at these times."""
    grid, masses = np.log(np.asarray(halos.time)), np.asarray(halos.log_mvir)[rows]
    return tuple(float(np.mean([np.interp(time, grid, mass) - mass[-1] for mass in masses])) for time in ln_time)
