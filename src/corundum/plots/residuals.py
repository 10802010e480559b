"""How far a population is from each measurement, in numbers."""

from typing import Any, NamedTuple

import numpy as np

from ..observables import AbstractRegression, Measurement

__all__ = ["Residual", "residual"]


class Residual(NamedTuple):
    """A population against one measurement, at the points its galaxies reach.

    Attributes
    ----------
    measurement : Measurement
    points, reached : int
        Points of the measurement, and how many of them enough model galaxies surround.
    offset : float
        Mean of model minus data [dex].
    largest : float
        Largest distance of model from data [dex], with its sign.
    chi2 : float
        d^T C^-1 d, with C the total covariance of the data plus the variance of the model's mean.
    """

    measurement: Measurement
    points: int
    reached: int
    offset: float
    largest: float
    chi2: float


def residual(galaxies: Any, measurement: Measurement, regression: AbstractRegression | None = None) -> Residual:
    """Compare galaxies of one redshift with a measurement; NaN where none of its points is reached."""
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
