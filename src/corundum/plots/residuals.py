"""The distance of a population from each measurement, in numbers."""

from typing import Any, NamedTuple

import numpy as np

from ..observables import AbstractRegression, Measurement

__all__ = ["Residual", "residual"]


class Residual(NamedTuple):
    """A population compared with one measurement, at the points that its galaxies reach.

    Attributes
    ----------
    measurement : Measurement
    points, reached : int
        Number of points of the measurement, and of those that enough model galaxies surround.
    offset : float
        Mean of model minus data [dex].
    largest : float
        Largest distance of model from data [dex], with its sign.
    chi2 : float
        d^T C^-1 d, with C the total covariance of the data plus the variance of the model's mean.

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


def residual(galaxies: Any, measurement: Measurement, regression: AbstractRegression | None = None) -> Residual:
    """Compare galaxies of one redshift with a measurement; NaN where none of its points is reached.

    Parameters
    ----------
    galaxies : Galaxies
    measurement : Measurement
    regression : AbstractRegression, optional
        Default that of the measurement.

    Examples
    --------
    >>> residual = co.plots.residual(population.at(0.0), co.observables.load("shmr_moster18"))
    >>> residual.reached <= residual.points
    True
    """
    model = measurement.predict(galaxies, regression)
    use = np.flatnonzero(np.asarray(model.reached))
    if use.size == 0:
        return Residual(measurement, len(measurement), 0, np.nan, np.nan, np.nan)
    distance = np.asarray(model.mean - measurement.y)[use]
    covariance = np.asarray(measurement.total_covariance)[np.ix_(use, use)]
    covariance = covariance + np.diag(np.asarray(model.standard_error)[use] ** 2)
    chi2 = float(distance @ np.linalg.solve(covariance, distance))
    largest = float(distance[np.argmax(np.abs(distance))])
    return Residual(measurement, len(measurement), use.size, float(distance.mean()), largest, chi2)
