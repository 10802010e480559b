"""Damped Gauss-Newton steps for predictions that can only be evaluated: slopes by design, mended after each step.

Derivatives of whole trees pass through every level of them and are compiled for minutes, and see the roughness that
single galaxies leave in counts; evaluations in a two-level design (`slopes`) average over it.  After a step the slopes
are corrected so that they predict what it did (Broyden 1965), and only a new round evaluates the design again, with
moves as long as each number is uncertain.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import scipy
from jaxtyping import Float

from ...annotations import Array
from .predictions import SurveyPrediction
from .slopes import designed_slopes

__all__ = ["LeastSquares", "best_start", "least_squares", "ln_evidence_of", "misfit_of"]

_LONGEST = 1.0  # step of any coordinate, in standard deviations of its prior
_MOST_TRIES = 6  # of steps in one round
_LARGEST_DAMPING = 1e4
_GAINED = 0.003  # share of the misfit that a step must promise, and a round must gain, to go on


class LeastSquares(NamedTuple):
    """Where the steps have ended.

    Attributes
    ----------
    u : array, shape (P,)
    prediction : SurveyPrediction
    slope : array, shape (M, P)
        d mean / d u of the last round.
    covariance : array, shape (P, P)
        Of u, in the Gaussian approximation.
    misfit : list of float
        chi^2 plus |u|^2 at the start and after each round.
    counted : boolean array, shape (M,)
        Points that count: those that galaxies reached at the start.

    Examples
    --------
    >>> line = lambda u: SurveyPrediction(np.array([1.0, 2.0]) * u[0], np.zeros(2), np.ones(2, bool), 0)
    >>> best = least_squares(line, np.array([0.5, 1.0]), 0.01 * np.eye(2), np.eye(2), np.zeros(1), rounds=3)
    >>> best.u.round(3).tolist()
    [0.499]
    """

    u: Float[Array, " p"]
    prediction: SurveyPrediction
    slope: Float[Array, "m p"]
    covariance: Float[Array, "p p"]
    misfit: list[float]
    counted: Any


def least_squares(
    predict: Callable[[np.ndarray], SurveyPrediction],
    y: Float[Array, " m"],
    covariance: Float[Array, "m m"],
    sampling_correlation: Float[Array, "m m"],
    u: Float[Array, " p"],
    *,
    rounds: int = 4,
    difference: float = 0.15,
    damping: float = 1.0,
    predict_slopes: Callable[[np.ndarray], SurveyPrediction] | None = None,
    progress: Callable[[str], None] | None = None,
) -> LeastSquares:
    """Minimise chi^2 of the points plus |u|^2, the prior.

    Parameters
    ----------
    predict : callable
        Maps u (P,) to a `SurveyPrediction` of M points.
    y, covariance : arrays, shapes (M,) and (M, M)
    sampling_correlation : array, shape (M, M)
        Correlation of the errors of the prediction between points.
    u : array, shape (P,)
        Where to start, in coordinates whose prior is the standard normal.
    rounds : int
        Times that all slopes are taken anew.
    difference : float
        By which numbers are moved for their slopes, at most: from the second round on, by their standard deviations
        where these are smaller.
    damping : float
        That of the first step, in units of the information of each parameter.
    predict_slopes : callable, optional
        As `predict`, at less cost, of which slopes are taken; by default `predict` itself.
    progress : callable, optional
        Called with a sentence after each evaluation.

    Raises
    ------
    ValueError
        Galaxies reach no point at the start.
    """
    y, u = np.asarray(y, float), np.array(u, float)
    say = progress or (lambda sentence: None)
    current = predict(u)
    counted = current.reached & np.isfinite(y)
    if not counted.any():
        raise ValueError("calibrate: galaxies reach no point of the survey at the start; give halos of other masses")
    misfit = _Misfit(y, np.asarray(covariance), np.asarray(sampling_correlation), counted)
    misfit.fix(current.error)
    course, slope = [misfit(current, u)], np.zeros((len(y), len(u)))
    say(f"misfit {course[0]:.1f} of {counted.sum()} points at the start")
    reach = np.full(len(u), float(difference))
    for turn in range(max(rounds, 1)):
        misfit.fix(current.error)
        value = misfit(current, u)
        slope = designed_slopes(predict_slopes or predict, u, reach, say)
        value, u, current, slope, damping = _round(predict, misfit, value, u, current, slope, damping, say)
        course.append(value)
        covariance_of_u = _covariance(misfit, current, slope)
        reach = np.minimum(difference, np.sqrt(np.diag(covariance_of_u)))
        say(f"round {turn + 1} of {rounds}: misfit {value:.1f}")
        if turn and course[-2] - value < _GAINED * value:  # the second round has moves of its own
            break
    return LeastSquares(u, current, slope, covariance_of_u, course, counted)


def best_start(
    predict: Callable[[np.ndarray], SurveyPrediction],
    y: Float[Array, " m"],
    covariance: Float[Array, "m m"],
    u: Float[Array, " p"],
    number: int,
    *,
    key: int = 0,
    progress: Callable[[str], None] | None = None,
) -> Float[Array, " p"]:
    """The point with the least misfit among `u` and others, spread over the prior in a Latin hypercube.

    Points of the data count that galaxies of any of them reach; one that they do not reach counts like the mean of the
    others.  The errors of a finite number of halos are left out.

    Parameters
    ----------
    predict, y, covariance, u, progress
        As for `least_squares`.
    number : int
        How many points in all.
    key : int
        Seed of the hypercube.

    Examples
    --------
    >>> line = lambda u: SurveyPrediction(np.ones(2) * u[0], np.zeros(2), np.ones(2, bool), 0)
    >>> best = best_start(line, np.full(2, -1.0), 0.01 * np.eye(2), np.array([1.0]), 20)
    >>> bool(abs(best[0] + 1.0) < 0.3)
    True
    """
    say = progress or (lambda sentence: None)
    unit = scipy.stats.qmc.LatinHypercube(len(u), rng=np.random.default_rng(key)).random(max(number - 1, 0))
    points = [np.asarray(u, float), *scipy.special.ndtri(0.02 + 0.96 * unit)]
    predictions: list[SurveyPrediction] = []
    for turn, point in enumerate(points, 1):
        predictions.append(predict(point))
        say(f"start {turn} of {len(points)}")
    counted = np.any([prediction.reached for prediction in predictions], axis=0) & np.isfinite(y)
    misfit = _Misfit(np.asarray(y, float), np.asarray(covariance), np.zeros(np.shape(covariance)), counted)
    values = [misfit(prediction, point) for prediction, point in zip(predictions, points, strict=True)]
    say(f"misfits of {len(points)} starts: {min(values):.1f} to {max(values):.1f}")
    return points[int(np.argmin(values))]


def misfit_of(
    prediction: SurveyPrediction,
    y: Float[Array, " m"],
    covariance: Float[Array, "m m"],
    sampling_correlation: Float[Array, "m m"],
    u: Float[Array, " p"],
    counted: Any,
) -> float:
    """chi^2 of the points that count plus |u|^2, as `least_squares` minimises it.

    Examples
    --------
    >>> from corundum.inference.calibration.least_squares import misfit_of
    >>> one = co.inference.SurveyPrediction(np.ones(2), np.zeros(2), np.ones(2, bool), 0)
    >>> misfit_of(one, np.array([1.0, 3.0]), np.eye(2), np.eye(2), np.array([2.0]), np.ones(2, bool))
    8.0
    """
    misfit = _Misfit(np.asarray(y, float), np.asarray(covariance), np.asarray(sampling_correlation), counted)
    misfit.fix(prediction.error)
    return misfit(prediction, np.asarray(u))


def ln_evidence_of(
    fit: LeastSquares,
    y: Float[Array, " m"],
    covariance: Float[Array, "m m"],
    sampling_correlation: Float[Array, "m m"],
    points: Any = True,
) -> float:
    """ln of the probability of the points that count, in the Gaussian approximation about the mode.

    Parameters
    ----------
    fit : LeastSquares
    y, covariance, sampling_correlation
        As for `least_squares`.
    points : boolean array, shape (M,)
        Only these count.

    Examples
    --------
    One number with prior N(0, 1), measured as 1 with error 1: the probability is that of N(0, 2) at 1.

    >>> from corundum.inference.calibration.least_squares import ln_evidence_of
    >>> line = lambda u: SurveyPrediction(u, np.zeros(1), np.ones(1, bool), 0)
    >>> y, one = np.ones(1), np.eye(1)
    >>> fit = least_squares(line, y, one, one, np.zeros(1), rounds=3)
    >>> round(ln_evidence_of(fit, y, one, one), 3), round(float(-0.25 - 0.5 * np.log(4.0 * np.pi)), 3)
    (-1.516, -1.516)
    """
    misfit = _Misfit(np.asarray(y), np.asarray(covariance), np.asarray(sampling_correlation), fit.counted & points)
    misfit.fix(fit.prediction.error)
    information = fit.slope.T @ misfit.weight(fit.prediction) @ fit.slope + np.eye(len(fit.u))
    volume = misfit.ln_volume(fit.prediction) + np.linalg.slogdet(information)[1]
    return float(-0.5 * (misfit(fit.prediction, fit.u) + volume))


class _Misfit:
    """chi^2 plus |u|^2; a point that galaxies no longer reach counts like the mean of the others."""

    def __init__(self, y, covariance, sampling_correlation, counted):
        self._y, self._covariance, self._correlation, self._counted = y, covariance, sampling_correlation, counted
        self._total = covariance

    def fix(self, error):
        """Take the error of the prediction as that of this one until it is fixed again."""
        self._total = self._covariance + self._correlation * error[:, None] * error[None, :]

    def weight(self, prediction):
        """The inverse covariance of the points that count (M, M), zero elsewhere."""
        used = np.flatnonzero(self._counted & prediction.reached)
        weight = np.zeros(self._total.shape)
        weight[np.ix_(used, used)] = np.linalg.inv(self._total[np.ix_(used, used)])
        return weight

    def ln_volume(self, prediction):
        """ln det(2 pi C) of the points that count."""
        used = np.flatnonzero(self._counted & prediction.reached)
        _, ln_determinant = np.linalg.slogdet(2.0 * np.pi * self._total[np.ix_(used, used)])
        return ln_determinant * np.sum(self._counted) / len(used)

    def residual(self, prediction):
        return np.where(self._counted & prediction.reached, self._y - prediction.mean, 0.0)

    def __call__(self, prediction, u):
        used = int(np.sum(self._counted & prediction.reached))
        if not used:
            return np.inf
        residual = self.residual(prediction)
        chi2 = residual @ self.weight(prediction) @ residual
        return float(chi2 * np.sum(self._counted) / used + u @ u)


def _covariance(misfit, prediction, slope):
    return np.linalg.inv(slope.T @ misfit.weight(prediction) @ slope + np.eye(slope.shape[1]))


def _round(predict, misfit, value, u, current, slope, damping, say):
    """Steps until none promises much, each along slopes that the one before has corrected.

    The next step is longer where the last one gained what it promised, and shorter where it did not.
    """
    for _ in range(_MOST_TRIES):
        weight, residual = misfit.weight(current), misfit.residual(current)
        curvature = slope.T @ weight @ slope
        downhill = slope.T @ weight @ residual - u
        damped = curvature + damping * np.diag(np.diag(curvature)) + np.eye(len(u))
        step = np.linalg.solve(damped, downhill)
        step *= min(1.0, _LONGEST / max(np.abs(step).max(), 1e-300))
        promised = 2.0 * step @ downhill - step @ (curvature + np.eye(len(u))) @ step
        if promised < _GAINED * value:
            break
        moved = predict(u + step)
        new = misfit(moved, u + step)
        say(f"step of {np.abs(step).max():.2f}: misfit {new:.1f}")
        both = current.reached & moved.reached
        unforeseen = np.where(both, moved.mean - current.mean - slope @ step, 0.0)
        slope = slope + np.outer(unforeseen, step) / max(step @ step, 1e-300)
        kept = (value - new) / promised
        damping *= 0.25 if kept > 0.75 else 1.0 if kept > 0.25 else 4.0
        if new < value:
            value, u, current = new, u + step, moved
        elif damping > _LARGEST_DAMPING:
            break
    return value, u, current, slope, damping
