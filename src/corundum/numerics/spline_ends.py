"""Slopes of cubic splines with twice continuous derivatives, as matrices that act on the values at the knots.

The knots of a law stay where they are while its values change, so that the equations of the spline are solved once, on
the host, and every evaluation is a product with a small matrix.

References
----------
de Boor 1978, A Practical Guide to Splines, ch. IV.
"""

import numpy as np

__all__ = ["flat_ends", "natural_ends"]


def flat_ends(knots: np.ndarray) -> np.ndarray:
    """Slopes per value of the spline whose slope vanishes at both ends, (n, n).

    Parameters
    ----------
    knots : array, shape (n,)
        Strictly increasing, at least two.

    Examples
    --------
    >>> flat_ends(np.array([0.0, 1.0, 2.0])) @ np.array([0.0, 1.0, 2.0])
    array([0. , 1.5, 0. ])
    """
    system, right = _interior(knots)
    system[[0, -1], [0, -1]] = 1.0
    return np.linalg.solve(system, right)


def natural_ends(knots: np.ndarray) -> np.ndarray:
    """Slopes per value of the spline whose second derivative vanishes at both ends, (n, n).

    Parameters
    ----------
    knots : array, shape (n,)
        Strictly increasing, at least two.

    Examples
    --------
    >>> (natural_ends(np.array([0.0, 1.0, 3.0])) @ np.array([0.0, 2.0, 6.0])).round(12)
    array([2., 2., 2.])
    """
    system, right = _interior(knots)
    width = np.diff(knots)
    for end, other, gap in ((0, 1, width[0]), (-1, -2, width[-1])):
        first, second = sorted((end % len(knots), other % len(knots)))
        system[end, [end, other]] = 2.0, 1.0
        right[end, [first, second]] = -3.0 / gap, 3.0 / gap
    return np.linalg.solve(system, right)


def _interior(knots: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The equations of continuous curvature at inner knots: (matrix on slopes, matrix on values), (n, n) each."""
    knots = np.asarray(knots, np.float64)
    size, width = len(knots), np.diff(knots)
    system, right = np.zeros((size, size)), np.zeros((size, size))
    for i in range(1, size - 1):
        before, after = width[i - 1], width[i]
        system[i, i - 1 : i + 2] = after, 2.0 * (before + after), before
        right[i, i - 1 : i + 2] = -3.0 * after / before, 3.0 * (after / before - before / after), 3.0 * before / after
    return system, right
