"""Relations of model galaxies as numbers: their mean at nodes, the spread about it, and the distance from data."""

from typing import Any, NamedTuple

import numpy as np
import scipy

from ..array_library import on_host
from ..observables import AbstractRegression, AbstractRelation, Measurement, RegressedRelation
from ..observables.redshifts import SAME_REDSHIFT
from ..printing import in_short
from .binning import weighted_quantiles

__all__ = [
    "Residual", "Spread", "difference_of", "distances", "regress", "relation_points", "residual", "spread_about",
]  # fmt: skip

_NODES = 61
_FEWEST = 5  # galaxies within a kernel for which a spread is given


class Spread(NamedTuple):
    """16th and 84th percentile of galaxies at the nodes of a regressed relation; NaN where it is not reached."""

    low: np.ndarray
    high: np.ndarray


def relation_points(galaxies: Any, relation: AbstractRelation) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Both axes of every galaxy, and whether it was solved and has a value on both."""
    relation, galaxies = on_host(relation, galaxies)
    x, y = np.asarray(relation.x(galaxies)), np.asarray(relation.y(galaxies))
    valid = getattr(galaxies, "valid", None)
    good = np.isfinite(x) & np.isfinite(y)
    return x, y, good if valid is None else good & np.asarray(valid)


def regress(
    galaxies: Any, relation: AbstractRelation, regression: AbstractRegression, nodes: np.ndarray | None = None
) -> RegressedRelation:
    """The relation of these galaxies at `nodes` (default: spread over them), as NumPy arrays."""
    relation, galaxies, regression = on_host(relation, galaxies, regression)
    x, _, good = relation_points(galaxies, relation)
    if not relation.single_galaxies:  # each galaxy has a value on one axis only
        good = np.isfinite(x) & np.asarray(getattr(galaxies, "valid", True))
    if nodes is None and relation.drawn_over is not None:
        nodes = np.linspace(*relation.drawn_over, _NODES)
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


class Residual(NamedTuple):
    """A population compared with one measurement, at the points that its galaxies reach.

    Attributes
    ----------
    measurement : Measurement
    points, reached : int
        Number of points of the measurement, and of those that are compared: enough model galaxies surround them, and
        they are no upper limits.
    offset : float
        Mean of model minus data [dex].
    largest : float
        Largest distance of model from data [dex], with its sign.
    chi2 : float
        d^T C^-1 d, with C the total covariance of the data plus the variance of the model's mean.
    p_value : float
        Probability of a larger chi2 if the model were right, with `reached` degrees of freedom, since nothing was
        fitted.  NaN where the errors of the data are the scatter of galaxies, which says nothing of their mean.

    Examples
    --------
    >>> measurement = co.observables.load("shmr_moster18")
    >>> co.plots.Residual(measurement, points=9, reached=4, offset=-0.1, largest=-0.2, chi2=3.1).reached
    4
    """

    measurement: Measurement
    points: int
    reached: int
    offset: float
    largest: float
    chi2: float
    p_value: float = float("nan")

    @property
    def sentence(self) -> str:
        """The distance in a few words, with the number of points that are left out: not reached, or upper limits.

        Examples
        --------
        >>> measurement = co.observables.load("coldgas_xgass")
        >>> co.plots.Residual(measurement, 10, 8, -0.1, -0.2, 3.1, 0.93).sentence
        'χ² = 3.1 for 8 points, p = 0.93 (2 of 10 points left out)'
        """
        missed = self.points - self.reached
        if not self.reached:
            return f"none of its {self.points} points is reached by enough galaxies"
        p = f"p = {self.p_value:.2g}" if np.isfinite(self.p_value) else "no p: bars are a scatter"
        rest = f" ({missed} of {self.points} points left out)" if missed else ""
        return f"χ² = {self.chi2:.3g} for {self.reached} point{'s' * (self.reached > 1)}, {p}{rest}"

    def __repr__(self) -> str:
        return in_short(self)


def residual(
    galaxies: Any,
    measurement: Measurement,
    regression: AbstractRegression | None = None,
    *,
    redshift_tolerance: float = SAME_REDSHIFT,
) -> Residual:
    """Compare galaxies of one redshift with a measurement; NaN where none of its points is reached.

    Parameters
    ----------
    galaxies : Galaxies
    measurement : Measurement
    regression : AbstractRegression, optional
        Default that of the measurement.
    redshift_tolerance : float
        As for `corundum.observables.Measurement.predict`.

    Examples
    --------
    >>> residual = co.plots.residual(population.at(0.0), co.observables.load("shmr_moster18"))
    >>> residual.reached <= residual.points
    True
    """
    use, distance, covariance = distances(galaxies, measurement, regression, redshift_tolerance)
    if use.size == 0:
        return Residual(measurement, len(measurement), 0, np.nan, np.nan, np.nan)
    chi2 = float(distance @ np.linalg.solve(covariance, distance))
    p_value = np.nan if measurement.error_kind == "scatter" else float(scipy.special.chdtrc(use.size, chi2))
    largest = float(distance[np.argmax(np.abs(distance))])
    return Residual(measurement, len(measurement), use.size, float(distance.mean()), largest, chi2, p_value)


def distances(
    galaxies: Any, measurement: Measurement, regression: AbstractRegression | None, redshift_tolerance: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows of the points that are compared, model minus data there, and the covariance of that."""
    model = measurement.predict(galaxies, regression, redshift_tolerance=redshift_tolerance)
    use = np.asarray(model.reached)
    if measurement.upper_limit is not None:
        use = use & ~np.asarray(measurement.upper_limit)
    rows = np.flatnonzero(use)
    distance = np.asarray(model.mean)[rows] - np.asarray(measurement.y)[rows]
    covariance = np.asarray(measurement.total_covariance)[np.ix_(rows, rows)]
    return rows, distance, covariance + np.diag(np.asarray(model.standard_error)[rows] ** 2)
