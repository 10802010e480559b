"""Relations of model galaxies as numbers to draw: their mean at nodes, and the spread of galaxies about it."""

from typing import Any, NamedTuple

import numpy as np

from ..observables import AbstractRegression, AbstractRelation, RegressedRelation
from .binning import weighted_quantiles

__all__ = ["Spread", "difference_of", "relation_points", "regress", "spread_about"]

_NODES = 61  # always the same number, so that the regression is compiled once
_FEWEST = 5  # galaxies within a kernel for which a spread is given


class Spread(NamedTuple):
    """16th and 84th percentile of galaxies at the nodes of a regressed relation; NaN where it is not reached."""

    low: np.ndarray
    high: np.ndarray


def relation_points(galaxies: Any, relation: AbstractRelation) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Both axes of every galaxy, and whether it was solved and has a value on both."""
    x, y = np.asarray(relation.x(galaxies)), np.asarray(relation.y(galaxies))
    valid = getattr(galaxies, "valid", None)
    good = np.isfinite(x) & np.isfinite(y)
    return x, y, good if valid is None else good & np.asarray(valid)


def regress(
    galaxies: Any, relation: AbstractRelation, regression: AbstractRegression, nodes: np.ndarray | None = None
) -> RegressedRelation:
    """The relation of these galaxies at `nodes` (default: spread over them), as NumPy arrays."""
    x, _, good = relation_points(galaxies, relation)
    if not relation.single_galaxies:  # each galaxy has a value on one axis only
        good = np.isfinite(x) & np.asarray(getattr(galaxies, "valid", True))
    if nodes is None:
        if not good.any():
            raise ValueError("scaling relation: no galaxy has values on both axes; see population.status_counts()")
        nodes = np.linspace(x[good].min(), x[good].max(), _NODES)
    return RegressedRelation(*map(np.asarray, relation.regressed(galaxies, nodes, regression)))


def spread_about(
    galaxies: Any, relation: AbstractRelation, estimate: RegressedRelation, bandwidth: float
) -> Spread:  # fmt: skip
    """Percentiles of galaxies about a regressed mean, which need not be symmetric about it.

    Quantiles are those of the distances from the mean, so that its slope within a kernel does not widen them.

    Examples
    --------
    >>> from corundum.plots.regressed import regress, spread_about
    >>> relation, x = co.observables.StellarToHaloMass(), np.linspace(11.0, 12.0, 200)
    >>> galaxies = {"mvir": 10.0**x, "mstar": 10.0 ** (2.0 * x - 14.0)}
    >>> spread = spread_about(galaxies, relation, regress(galaxies, relation, co.observables.LocalLinear()), 0.2)
    >>> bool(np.nanmax(np.abs(spread.high - spread.low)) < 1e-6)
    True
    """
    x, y, good = relation_points(galaxies, relation)
    low, high = np.full((2, len(estimate.nodes)), np.nan)
    reached = np.flatnonzero(estimate.reached)
    if not reached.size or not relation.single_galaxies:
        return Spread(low, high)
    weights = getattr(galaxies, "weights", None)
    weights = np.ones_like(x) if weights is None else np.asarray(weights)
    order = np.flatnonzero(good & (weights > 0))
    order = order[np.argsort(x[order])]
    x, y, weights = x[order], y[order], weights[order]
    distance = y - np.interp(x, estimate.nodes[reached], estimate.mean[reached])
    for node in reached:
        first, last = np.searchsorted(x, estimate.nodes[node] + np.array([-3.0, 3.0]) * bandwidth)
        if last - first < _FEWEST:
            continue
        kernel = weights[first:last] * np.exp(-0.5 * ((x[first:last] - estimate.nodes[node]) / bandwidth) ** 2)
        ends = weighted_quantiles(distance[first:last], kernel, (0.16, 0.84))
        low[node], high[node] = estimate.mean[node] + ends
    return Spread(low, high)


def difference_of(first: RegressedRelation, second: RegressedRelation) -> tuple[np.ndarray, np.ndarray]:
    """Second minus first where both are reached, NaN elsewhere, and the standard error of that [dex]."""
    reached = first.reached & second.reached
    error = np.hypot(first.standard_error, second.standard_error)
    return np.where(reached, second.mean - first.mean, np.nan), np.where(reached, error, np.nan)
