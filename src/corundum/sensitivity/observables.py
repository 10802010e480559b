"""What measurements tell about parameters: measurement sets in the form that `corundum.sensitivity` weighs.

`observable_of` turns a `Measurement` into a `corundum.sensitivity.Observable`, so that expected Fisher matrices and
greedy designs can be made of any set of data: how well would, or does, each relation tell the parameters apart?
"""

from typing import Any

import numpy as np

from ..observables.measurement import Measurement
from .fisher import Observable

__all__ = ["observable_of"]


def observable_of(measurement: Measurement, population: Any, redshift: float | None = None) -> Observable:
    """A measurement as an observable of populations like `population`.

    Its covariance is that of the data, systematic included, plus the variance of the regressed mean of the model
    galaxies; points that too few galaxies of `population` reach do not count.

    Parameters
    ----------
    measurement : Measurement
    population : Population
        A fiducial one, of the same halos and redshifts.
    redshift : float, optional
        The output redshift to compare at; default the one nearest to that of the measurement.

    Raises
    ------
    ValueError
        The redshift was not kept.
    """
    if redshift is None:
        kept = np.asarray(population.redshifts)
        redshift = float(kept[np.argmin(np.abs(np.log1p(kept) - np.log1p(measurement.redshift)))])
    told = measurement.predict(population.at(redshift))
    variance = np.where(np.asarray(told.reached), np.asarray(told.standard_error) ** 2, 0.0)
    covariance = np.asarray(measurement.total_covariance) + np.diag(variance)

    def summary(population):
        return measurement.predict(population.at(redshift)).mean

    return Observable(measurement.name, summary, covariance, np.asarray(told.reached))
