"""The error of a prediction from the finite number of halos, by comparing parts of them.

The standard error of a relation takes its galaxies for independent draws.  Halos at equal steps of mass are not: their
number at each mass is known, so that counts of their galaxies are more certain; galaxies of one tree share their host,
so that counts of satellites are less certain.  Trees next to each other in mass are
therefore taken in pairs, and replicates of the prediction give one of each pair more weight than the other, in balanced
patterns (McCarthy 1969, Rev. Int. Stat. Inst. 37, 239; with the smaller change of weights of Fay: Judkins 1990, J.
Official Stat. 6, 223).  Their scatter is that of halos of the same mass.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy

from ...halos import HaloHistories
from ...halos.satellites.links import levels_and_roots
from ...observables import Residuals, Survey, residuals
from ...population import Population

__all__ = ["with_sampling_errors"]

_REPLICATES = 8  # a power of two
_CHANGE = 0.5  # of weights in a replicate
_FEWEST = 16  # trees


def with_sampling_errors(
    rows: Residuals, survey: Survey, populations: Sequence[Population], samples: Sequence[HaloHistories]
) -> Residuals:
    """The same residuals with standard errors from pairs of trees: one factor for each test, over its points.

    Where a sample has less than 16 trees, or less than two points of a test are reached, the standard errors stay as
    they are.

    Parameters
    ----------
    rows : Residuals
        Of these populations.
    survey : Survey
    populations : sequence of Population
    samples : sequence of HaloHistories
        The halos of each.

    Examples
    --------
    >>> from corundum.inference.calibration.sampling import with_sampling_errors
    >>> halos = co.halos.complete_roots(0.0, 30, log_mvir=(10.5, 13.0))
    >>> galaxies = co.evolve(model, halos, [0.0])
    >>> survey = co.observables.survey("reference").at([0.0])
    >>> survey = survey._replace(tests=tuple(t for t in survey.tests if t.measurement.name == "smf_driver22"))
    >>> rows = co.observables.residuals(survey, galaxies)
    >>> better = with_sampling_errors(rows, survey, [galaxies], [halos])
    >>> used = np.asarray(rows.rows[0].prediction.reached)
    >>> errors = [np.asarray(one.rows[0].prediction.standard_error)[used] for one in (rows, better)]
    >>> float(np.ptp(errors[1] / errors[0])) < 1e-9  # one factor for all points
    True
    """
    trees = [_ranks(halos) for halos in samples]
    if min(int(rank.max()) + 1 for rank in trees) < _FEWEST:
        return rows
    replicates = [
        residuals(survey, [_replicate(one, rank, number) for one, rank in zip(populations, trees, strict=True)])
        for number in range(_REPLICATES)
    ]
    mended = []
    for i, row in enumerate(rows.rows):
        prediction: Any = row.prediction
        predictions: list[Any] = [replicate.rows[i].prediction for replicate in replicates]
        error, mean = np.asarray(prediction.standard_error), np.asarray(prediction.mean)
        used = np.all([np.asarray(one.reached) for one in (prediction, *predictions)], axis=0)
        used &= np.isfinite(error) & (error > 0.0)
        if used.sum() > 1:
            moved = np.array([(np.asarray(one.mean) - mean)[used] for one in predictions]) / _CHANGE
            factor = np.sqrt(np.mean(moved**2) / np.mean(error[used] ** 2))
            row = row._replace(prediction=prediction._replace(standard_error=factor * error))
        mended.append(row)
    return rows._replace(rows=tuple(mended))


def _ranks(halos: HaloHistories) -> np.ndarray:
    """Of each halo, the rank of its tree by final mass."""
    _, root = levels_and_roots(np.full(len(halos), -1) if halos.satellites is None else np.asarray(halos.host))
    centrals = np.unique(root)
    order = np.argsort(np.asarray(halos.log_mvir)[centrals, -1], kind="stable")
    rank = np.zeros(len(halos), int)
    rank[centrals[order]] = np.arange(len(centrals))
    return rank[root]


def _replicate(population: Population, rank: np.ndarray, number: int) -> Population:
    """With one tree of each pair of neighbours in mass up and the other down, by a row of a Hadamard matrix.

    In every other pair the lighter tree comes first, so that what changes with mass does not add up.
    """
    pair = rank // 2
    first = (rank + pair) % 2 == 0
    signs = scipy.linalg.hadamard(_REPLICATES)[number][(pair % (_REPLICATES - 1)) + 1]
    signs = np.where(pair == (rank.max() + 1) // 2, 0.0, signs)  # one tree may be left over
    weights = np.asarray(population.weights) * (1.0 + _CHANGE * np.where(first, signs, -signs))
    return dataclasses.replace(population, weights=weights)
