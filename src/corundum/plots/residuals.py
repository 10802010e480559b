"""The distance of a population from each measurement: in numbers, and drawn point by point."""

from collections.abc import Sequence
from itertools import cycle
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from scipy.stats import chi2 as chi2_distribution

from ..observables import AbstractRegression, Measurement
from ..observables.redshifts import SAME_REDSHIFT
from ..printing import in_short
from .data_points import MARKERS, SHADES, short_name
from .style import in_empty_panel, new_axes, styled

__all__ = ["Residual", "residual", "residual_panel"]


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
    use, distance, covariance = _distances(galaxies, measurement, regression, redshift_tolerance)
    if use.size == 0:
        return Residual(measurement, len(measurement), 0, np.nan, np.nan, np.nan)
    chi2 = float(distance @ np.linalg.solve(covariance, distance))
    p_value = np.nan if measurement.error_kind == "scatter" else float(chi2_distribution.sf(chi2, use.size))
    largest = float(distance[np.argmax(np.abs(distance))])
    return Residual(measurement, len(measurement), use.size, float(distance.mean()), largest, chi2, p_value)


@styled
def residual_panel(
    galaxies: Any,
    measurements: Sequence[Measurement],
    ax: Axes | None = None,
    *,
    regression: AbstractRegression | None = None,
) -> Axes:
    """Model minus data at each point that enough galaxies reach; bars are data and model errors together.

    Parameters
    ----------
    galaxies : Galaxies
    measurements : sequence of Measurement
        Of one relation; their symbols are those of `scaling_relation`.
    ax : Axes, optional
    regression : AbstractRegression, optional
        Default that of each measurement.

    Examples
    --------
    >>> ax = co.plots.residual_panel(population.at(0.0), [co.observables.load("shmr_moster18")])
    >>> ax.get_ylabel()
    'model minus\\ndata [dex]'
    """
    ax = new_axes(size=(5.4, 2.2)) if ax is None else ax
    ax.axhline(0.0, color="0.5", linewidth=0.8)
    ends = [np.zeros(1)]
    for data, marker, shade in zip(measurements, cycle(MARKERS), cycle(SHADES), strict=False):
        use, distance, covariance = _distances(galaxies, data, regression, np.inf)  # legends name another redshift
        face = "white" if data.error_kind == "scatter" else shade
        style: dict[str, Any] = dict(color=shade, markerfacecolor=face, markersize=4.5, elinewidth=1.1, capsize=2.5)
        error = np.sqrt(np.diag(covariance))
        ax.errorbar(np.asarray(data.x)[use], distance, error, fmt=marker, label=short_name(data), **style)
        ends += [distance - error, distance + error]
    low, high = np.min(np.concatenate(ends)), np.max(np.concatenate(ends))
    pad = 0.08 * (high - low) or 0.1
    ax.set_ylim(low - pad, high + pad)
    if low == high:
        in_empty_panel(ax, "no point is reached by enough galaxies")
    ax.set_ylabel("model minus\ndata [dex]")
    return ax


def _distances(galaxies, measurement, regression, redshift_tolerance):
    """Rows of the points that are compared, model minus data there, and the covariance of that."""
    model = measurement.predict(galaxies, regression, redshift_tolerance=redshift_tolerance)
    use = np.asarray(model.reached)
    if measurement.upper_limit is not None:
        use = use & ~np.asarray(measurement.upper_limit)
    rows = np.flatnonzero(use)
    distance = np.asarray(model.mean)[rows] - np.asarray(measurement.y)[rows]
    covariance = np.asarray(measurement.total_covariance)[np.ix_(rows, rows)]
    return rows, distance, covariance + np.diag(np.asarray(model.standard_error)[rows] ** 2)
