"""Statistics of galaxies in bins of one quantity, weighted by the number of halos that each galaxy represents."""

from typing import Any, NamedTuple

import numpy as np

__all__ = ["Running", "equal_bins", "running", "spread_rows", "weighted_quantiles"]


class Running(NamedTuple):
    """Statistics in bins; NaN where a bin holds too few galaxies.

    Attributes
    ----------
    center : array, shape (bins,)
    low, median, high : arrays, shape (bins,)
        Weighted 16th, 50th and 84th percentiles.
    mean : array, shape (bins,)
        Weighted mean.
    counts : array, shape (bins,)
        Number of galaxies.
    """

    center: np.ndarray
    low: np.ndarray
    median: np.ndarray
    high: np.ndarray
    mean: np.ndarray
    counts: np.ndarray


def equal_bins(x: np.ndarray, width: float = 0.2) -> np.ndarray:
    """Edges of bins of about `width` that cover all finite values of `x`."""
    x = np.asarray(x)[np.isfinite(x)]
    if x.size == 0:
        raise ValueError("bins: no value is finite; see population.status_counts() for halos that failed")
    bins = max(int(np.ceil(np.ptp(x) / width)), 1)
    pad = 0.5 * width if np.ptp(x) == 0 else 0.0
    return np.linspace(x.min() - pad, x.max() + pad, bins + 1)


def weighted_quantiles(values: np.ndarray, weights: np.ndarray, fractions: tuple[float, ...]) -> np.ndarray:
    """Quantiles of a weighted sample, by interpolation between the midpoints of the cumulative weight."""
    order = np.argsort(values)
    values, weights = values[order], weights[order]
    cumulative = np.cumsum(weights) - 0.5 * weights
    return np.interp(fractions, cumulative / weights.sum(), values)


def running(x: np.ndarray, y: np.ndarray, weights: np.ndarray, edges: np.ndarray, fewest: int = 3) -> Running:
    """Statistics of `y` in bins of `x`; pairs that are not finite do not count.

    Parameters
    ----------
    x, y, weights : arrays, shape (N,)
    edges : array, shape (bins + 1,)
    fewest : int
        Bins with fewer galaxies hold NaN.
    """
    x, y, weights = (np.asarray(array, float) for array in (x, y, weights))
    good = np.isfinite(x) & np.isfinite(y) & (weights > 0)
    x, y, weights = x[good], y[good], weights[good]
    bin_of = np.clip(np.searchsorted(edges, x, side="right") - 1, 0, len(edges) - 2)
    bin_of = np.where((x < edges[0]) | (x > edges[-1]), -1, bin_of)
    table = np.full((5, len(edges) - 1), np.nan)
    for k in range(len(edges) - 1):
        members = bin_of == k
        table[4, k] = members.sum()
        if members.sum() >= max(fewest, 1):
            table[:3, k] = weighted_quantiles(y[members], weights[members], (0.16, 0.5, 0.84))
            table[3, k] = np.average(y[members], weights=weights[members])
    low, median, high, mean, counts = table
    return Running(0.5 * (edges[1:] + edges[:-1]), low, median, high, mean, counts.astype(int))


def spread_rows(population: Any, count: int = 3) -> np.ndarray:
    """Rows of a few solved halos, spread evenly in final log mass.

    Parameters
    ----------
    population : Population
    count : int

    Raises
    ------
    ValueError
        No halo was solved.

    Examples
    --------
    >>> len(co.plots.spread_rows(population, 3))
    3
    """
    latest = int(np.argmin(np.asarray(population.redshifts)))
    log_mass = np.log10(np.asarray(population["mvir"])[:, latest])
    rows = np.flatnonzero(np.asarray(population.valid)[:, latest])
    if rows.size == 0:
        raise ValueError("growth histories: no halo of this population was solved; see population.status_counts()")
    mass = log_mass[rows]
    targets = mass.min() + (np.arange(count) + 0.5) / count * np.ptp(mass)
    nearest = [int(rows[np.argmin(np.abs(mass - target))]) for target in targets]
    return np.array(list(dict.fromkeys(nearest)))
