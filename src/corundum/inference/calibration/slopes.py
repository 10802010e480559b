"""Slopes of predictions that are rough: all numbers are moved at once, in the pattern of a two-level design.

A difference along one number at a time sees the roughness that single galaxies leave in counts twice, and divides it
by a small step.  In the rows of a Hadamard matrix every number is moved up as often as down, and independently of all
others, so that all evaluations serve every slope: with N of them the roughness enters divided by the root of N.  Each
row is also taken with all signs turned around, in which curvature cancels (Plackett & Burman 1946, Biometrika 33, 305;
Box & Wilson 1951, J. R. Stat. Soc. B 13, 1).
"""

from collections.abc import Callable

import numpy as np
import scipy
from jaxtyping import Bool, Float

from ...annotations import Array
from .predictions import SurveyPrediction

__all__ = ["designed_slopes", "evaluations_for_slopes"]

_FEWEST = 0.75  # share of evaluations in which galaxies reach a point, for the point to have slopes


def evaluations_for_slopes(size: int) -> int:
    """Evaluations that the slopes along so many numbers take.

    Examples
    --------
    >>> from corundum.inference.calibration.slopes import evaluations_for_slopes
    >>> [evaluations_for_slopes(size) for size in (1, 2, 8, 27)]
    [2, 4, 16, 64]
    """
    return 2 * 2 ** max(size - 1, 0).bit_length()


def designed_slopes(
    predict: Callable[[np.ndarray], SurveyPrediction],
    u: Float[Array, " p"],
    reach: Float[Array, " p"],
    say: Callable[[str], None],
) -> Float[Array, "m p"]:
    """d mean / d u from evaluations in which every number is moved by its `reach`, up or down.

    Points that galaxies reach in fewer than three quarters of the evaluations have slopes of zero.

    Parameters
    ----------
    predict : callable
        Maps u (P,) to a `SurveyPrediction` of M points.
    u : array, shape (P,)
    reach : array, shape (P,)
        How far each number is moved.
    say : callable
        Called with a sentence after each evaluation.

    Examples
    --------
    >>> from corundum.inference.calibration.slopes import designed_slopes
    >>> matrix = np.array([[1.0, 2.0, 4.0], [5.0, -1.0, 3.0]])
    >>> curved = lambda u: SurveyPrediction(matrix @ u + u @ u, np.zeros(2), np.ones(2, bool), 0)
    >>> designed_slopes(curved, np.zeros(3), np.full(3, 0.1), lambda sentence: None).round(9)
    array([[ 1.,  2.,  4.],
           [ 5., -1.,  3.]])
    """
    half = evaluations_for_slopes(len(u)) // 2
    signs = scipy.linalg.hadamard(half)[:, half - len(u) :].astype(float)
    moves = np.concatenate([signs, -signs]) * np.asarray(reach)
    means, reached = [], []
    for number, move in enumerate(moves, 1):
        prediction = predict(u + move)
        means.append(prediction.mean)
        reached.append(prediction.reached)
        say(f"slopes: evaluation {number} of {len(moves)}")
    return _regressed(moves, np.stack(means), np.stack(reached))


def _regressed(moves: np.ndarray, means: np.ndarray, reached: Bool[Array, "n m"]) -> np.ndarray:
    """Slopes (M, P) of a plane through the evaluations that reach each point."""
    slopes = np.zeros((means.shape[1], moves.shape[1]))
    everywhere = reached.all(axis=0)
    slopes[everywhere] = (means[:, everywhere].T @ moves) / np.sum(moves**2, axis=0)
    for point in np.flatnonzero(~everywhere & (reached.mean(axis=0) >= _FEWEST)):
        rows = reached[:, point]
        plane = np.column_stack([np.ones(rows.sum()), moves[rows]])
        slopes[point] = np.linalg.lstsq(plane, means[rows, point], rcond=None)[0][1:]
    return slopes
