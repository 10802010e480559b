"""The leading combinations of unknowns that data determine, from products of a slope with vectors alone."""

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy
from jaxtyping import Float

__all__ = ["leading_combinations"]

_ALL_IF_FEWER = 3  # times the rank: Lanczos iterations take about as many products in both directions
_BLOCK = 8  # products at a time


def leading_combinations(
    pushed: Callable[[Any], Any], pulled: Callable[[Any], Any], residuals: Float[np.ndarray, " m"], columns: int,
    rank: int,
) -> tuple[Float[np.ndarray, " k"], Float[np.ndarray, "k n"], Float[np.ndarray, " n"]]:  # fmt: skip
    """The largest eigenvalues of J^T J with their eigenvectors, and J^T r.

    Parameters
    ----------
    pushed : callable
        ``pushed(v)``, J v for each row of v, (B, N) -> (B, M).
    pulled : callable
        ``pulled(r)``, J^T r for each row of r, (B, M) -> (B, N).
    residuals : array, shape (M,)
        r.
    columns : int
        N.
    rank : int

    Returns
    -------
    values : array, shape (K,)
        From the largest; K is at most `rank`, or min(M, N) where that is at most three times the rank.
    vectors : array, shape (K, N)
    pulled_residuals : array, shape (N,)

    Examples
    --------
    >>> from corundum.inference.training.leading import leading_combinations
    >>> slope = np.diag([3.0, 1.0, 2.0])
    >>> products = (lambda v: v @ slope.T), (lambda r: r @ slope)
    >>> values, vectors, pulled_residuals = leading_combinations(*products, np.ones(3), 3, 2)
    >>> values.round(6).tolist(), pulled_residuals.tolist()
    ([9.0, 4.0, 1.0], [3.0, 1.0, 2.0])
    """
    rows = len(residuals)
    if min(rows, columns) <= _ALL_IF_FEWER * rank:
        slope = _in_blocks(pushed, columns).T if columns <= rows else _in_blocks(pulled, rows)
        _, singular, vectors = np.linalg.svd(slope, full_matrices=False)
        return singular**2, vectors, slope.T @ residuals
    operator = scipy.sparse.linalg.LinearOperator(
        (rows, columns),
        matvec=lambda v: np.asarray(pushed(np.ravel(v)[None]))[0],
        rmatvec=lambda r: np.asarray(pulled(np.ravel(r)[None]))[0],
        dtype=np.float64,
    )
    start = np.random.default_rng(0).normal(size=min(rows, columns))
    _, singular, vectors = scipy.sparse.linalg.svds(operator, k=rank, v0=start, tol=1e-6)
    order = np.argsort(-singular)
    return singular[order] ** 2, vectors[order], np.asarray(pulled(residuals[None]))[0]


def _in_blocks(product: Callable[[Any], Any], size: int) -> np.ndarray:
    """Products with all unit vectors, a row for each."""
    unit = np.eye(size)
    padded = np.concatenate([unit, np.zeros((-size % _BLOCK, size))])
    return np.concatenate([np.asarray(product(block)) for block in np.split(padded, len(padded) // _BLOCK)])[:size]
