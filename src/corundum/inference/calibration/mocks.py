"""Calibrations of mock surveys whose truth is known, to check whether the intervals of a calibration can be believed.

Each mock draws its numbers from the prior, takes what the model makes of them in halos of its own as measured, with
errors drawn from the covariance that the calibration counts with, and is calibrated from the best of several points.
These points, and slopes at them, are the same for all mocks and are evaluated once.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import scipy

from ...arguments import strategy, whole_number
from ...halos import HaloHistories
from ...models import AbstractModel
from ...numerics.random_keys import seed
from ...numerics.solvers.base import AbstractSolver
from ...numerics.solvers.lanes import LaneSolver
from ...observables import Survey
from ...storage.checkpoints import Checkpoint, fingerprint
from ..reach import MAX_FAILED
from ..studies.mock_fits import MOCK_STATUS
from ..studies.mocks import Campaign
from ..summaries import TOLERANCE
from .evaluations import Evaluations
from .least_squares import best_start, least_squares, misfit_of
from .predictions import SurveyPrediction, predict_survey
from .problem import check_calibration

__all__ = ["calibrate_mocks"]

_FITTED, _NOT_SOLVED = MOCK_STATUS.index("fitted"), MOCK_STATUS.index("model fails at the truth")


def calibrate_mocks(
    model: AbstractModel,
    halos: HaloHistories | Sequence[HaloHistories],
    tests: Survey | str,
    free: Sequence[str],
    number: int,
    priors: Mapping[str, Any] | None = None,
    *,
    truth_halos: Callable[[int], HaloHistories | Sequence[HaloHistories]] | None = None,
    ties: Mapping[str, str] | None = None,
    starts: int = 8,
    key: int = 0,
    rounds: int = 2,
    difference: float = 0.15,
    damping: float = 1.0,
    solver: AbstractSolver | None = None,
    store: Checkpoint | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Campaign:
    """Calibrate a model on mock surveys of planted numbers, and compare intervals with the truth.

    Parameters
    ----------
    model, halos, tests, free, priors, ties, rounds, difference, damping, solver
        As for `calibrate`.
    number : int
        Mocks.
    truth_halos : callable, optional
        Halos of the truth of each mock, by its number: more of them than in the calibration, because the error of a
        finite number of halos counts once.  By default those of the calibration, whose error the mocks then lack.
    starts : int
        Points spread over the prior, the model as it is among them.
    key : int
        Seed of truths, errors and these points.
    store : Checkpoint, optional
        Keeps every evaluation in the halos of the calibration, so that an interrupted run goes on, bit for bit.
    progress : callable, optional
        Called as ``progress(done, total)``.

    Returns
    -------
    Campaign
        `gain` is half of the misfit at the truth minus that at the mode.

    Raises
    ------
    ValueError
        As `calibrate`, or the number is not positive.

    Examples
    --------
    >>> halos = co.halos.complete_roots(0.0, 24, log_mvir=(10.5, 13.0))
    >>> survey = co.observables.survey("reference").at([0.0])
    >>> one = [t._replace(calibrates=True) for t in survey.tests if "shmr" in t.measurement.name]
    >>> stars = co.observables.Survey("stars", "stars and halos", tuple(one))
    >>> mocks = co.inference.calibrate_mocks(model, halos, stars, ["mass_loading.amplitude"], 2, rounds=1)
    >>> mocks.truth.shape, mocks.status_counts()
    ((2, 1), {'fitted': 2})
    """
    problem = check_calibration(model, halos, tests, free, priors, ties=ties)
    counts = (("number", number, "mocks"), ("starts", starts, "points"), ("rounds", rounds, "rounds"))
    number, starts, rounds = (whole_number(name, value, meaning=meaning) for name, value, meaning in counts)
    solver = strategy("solver", solver, LaneSolver(tolerance=TOLERANCE))
    evaluations = Evaluations(problem, solver, store, {"inputs": fingerprint((problem, solver))})
    predict = evaluations.of(problem.fitted, problem.samples)
    correlation = np.asarray(problem.data.sampling_correlation)
    rows = []
    for mock in range(number):
        rng = np.random.default_rng([key, mock])
        truth, errors = rng.normal(size=len(problem.parameters)), rng.normal(size=len(problem.y))
        samples = problem.samples if truth_halos is None else _samples(truth_halos(mock))
        rows_of_truth, failed = predict_survey(model, samples, problem.fitted, problem.numbers(truth), solver=solver)
        prediction = SurveyPrediction.of(rows_of_truth, failed)
        y = prediction.mean + np.linalg.cholesky(problem.covariance) @ errors
        y = np.where(prediction.reached & np.isfinite(problem.y), y, np.nan)
        if failed > MAX_FAILED * sum(len(sample) for sample in samples) or not np.isfinite(y).any():
            rows.append(_row(problem, truth, y, np.full_like(truth, np.nan), np.eye(len(truth)), np.nan, _NOT_SOLVED))
        else:
            start = best_start(predict, y, problem.covariance, problem.start, starts, key=seed(key))
            best = least_squares(
                predict, y, problem.covariance, correlation, start, rounds=rounds, difference=difference,
                damping=damping,
            )  # fmt: skip
            at_truth = misfit_of(predict(truth), y, problem.covariance, correlation, truth, best.counted)
            gain = 0.5 * (at_truth - best.misfit[-1])
            rows.append(_row(problem, truth, y, best.u, best.covariance, gain, _FITTED))
        if progress is not None:
            progress(mock + 1, number)
    columns = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    names, units = zip(*((parameter.name, parameter.unit) for parameter in problem.parameters), strict=True)
    return Campaign(names, units, **columns)


def _samples(halos) -> tuple[HaloHistories, ...]:
    return (halos,) if isinstance(halos, HaloHistories) else tuple(halos)


def _row(problem, truth, y, mode, covariance, gain, status):
    sigma = np.sqrt(np.diag(covariance))
    low, middle, high = (_theta(problem, u) for u in (mode - sigma, mode, mode + sigma))
    return {
        "truth": _theta(problem, truth), "low": low, "middle": middle, "high": high,
        "rank": scipy.stats.norm.cdf((truth - mode) / sigma),
        "condition": np.linalg.cond(covariance / np.outer(sigma, sigma)), "gain": gain, "status": status,
        "points": int(np.sum(np.isfinite(y))),
    }  # fmt: skip


def _theta(problem, u):
    return np.array([float(p.theta(np.array(x))) for p, x in zip(problem.parameters, u, strict=True)])
