"""Tridiagonal systems and inverses of covariance matrices, for many right-hand sides or parameter sets at once.

XLA's batched LAPACK routines on CPUs wait, in a thread of a small pool, for other threads of the same pool: two devices
that call one at the same time can wait for each other for ever.  Here covariance matrices are factorised one after
another, and derivatives are products of matrices, which never wait.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Float

from ..annotations import Array

__all__ = ["cholesky", "inverse", "quadratic_form", "tridiagonal_solve"]


@jax.custom_jvp
def inverse(matrix: Float[Array, "m m"]) -> tuple[Float[Array, "m m"], Float[Array, ""]]:
    """Inverse of a symmetric positive definite matrix, and the natural logarithm of its determinant.

    Parameters
    ----------
    matrix : array, shape (m, m)

    Returns
    -------
    inverse : array, shape (m, m)
    ln_determinant : scalar
        Both are NaN where the matrix is not positive definite.

    Examples
    --------
    >>> inverted, ln_determinant = inverse(jnp.diag(jnp.array([2.0, 4.0])))
    >>> jnp.diagonal(inverted).tolist(), round(float(ln_determinant), 3)
    ([0.5, 0.25], 2.079)
    """
    lower = cholesky(matrix)
    white = _lower_inverse(lower)
    return white.T @ white, 2.0 * jnp.sum(jnp.log(jnp.diagonal(lower)))


@inverse.defjvp
def _inverse_jvp(primals, tangents):
    inverted, ln_determinant = inverse(*primals)
    (change,) = tangents
    return (inverted, ln_determinant), (-inverted @ change @ inverted, jnp.sum(inverted * change))


@jax.custom_jvp
def quadratic_form(
    vector: Float[Array, " m"], matrix: Float[Array, "m m"]
) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """``vector @ inverse @ vector`` and ln(determinant), with derivatives that need no product of matrices.

    Parameters
    ----------
    vector : array, shape (m,)
    matrix : array, shape (m, m)
        Symmetric and positive definite; the results are NaN otherwise.

    Examples
    --------
    >>> chi2, ln_determinant = quadratic_form(jnp.ones(2), jnp.diag(jnp.array([2.0, 4.0])))
    >>> round(float(chi2), 3), round(float(ln_determinant), 3)
    (0.75, 2.079)
    """
    inverted, ln_determinant = inverse(matrix)
    return vector @ inverted @ vector, ln_determinant


@quadratic_form.defjvp
def _quadratic_form_jvp(primals, tangents):
    vector, matrix = primals
    vector_change, change = tangents
    inverted, ln_determinant = inverse(matrix)
    pull = inverted @ vector
    slope = 2.0 * pull @ vector_change - pull @ change @ pull
    return (vector @ pull, ln_determinant), (slope, jnp.sum(inverted * change))


@jax.custom_batching.sequential_vmap
def cholesky(matrix: Float[Array, "m m"]) -> Float[Array, "m m"]:
    """Lower Cholesky factor of a symmetric positive definite matrix; it has no derivative.

    Examples
    --------
    >>> cholesky(jnp.array([[4.0, 2.0], [2.0, 5.0]])).tolist()
    [[2.0, 0.0], [1.0, 2.0]]
    """
    return jnp.linalg.cholesky(matrix)


def _lower_inverse(lower):
    """Inverse by forward substitution, row by row: LAPACK's starts threads that cost two devices 7 ms each time."""
    unit = jnp.eye(len(lower))

    def fill(row, inverted):
        return inverted.at[row].set((unit[row] - lower[row] @ inverted) / lower[row, row])

    return jax.lax.fori_loop(0, len(lower), fill, jnp.zeros_like(lower))


def tridiagonal_solve(
    lower: Float[Array, " m"], diagonal: Float[Array, " m"], upper: Float[Array, " m"], right: Float[Array, "m ..."]
) -> Float[Array, "m ..."]:
    """Solution of one tridiagonal system for many right-hand sides, by elimination without pivoting.

    All right-hand sides are solved together: LAPACK solves them one by one, with each row's numbers far apart in
    memory, and takes twice as long for the splines of a thousand halos.

    Parameters
    ----------
    lower, diagonal, upper : arrays, shape (m,)
        The rows of the matrix; the first of `lower` and the last of `upper` are not used.
    right : array, shape (m, ...)
        Right-hand sides.

    Returns
    -------
    array, shape (m, ...)

    Examples
    --------
    >>> ones = jnp.ones(3)
    >>> jnp.round(tridiagonal_solve(ones, 4.0 * ones, ones, jnp.array([5.0, 6.0, 5.0])), 6).tolist()
    [1.0, 1.0, 1.0]
    """

    def eliminate(above, row):
        ratio, value = above
        low, middle, high, entry = row
        pivot = middle - low * ratio
        eliminated = high / pivot, (entry - low * value) / pivot
        return eliminated, eliminated

    def substitute(below, row):
        ratio, value = row
        solution = value - ratio * below
        return solution, solution

    start = jnp.zeros_like(right[0])
    rows = (lower.at[0].set(0.0), diagonal, upper, right)
    _, eliminated = jax.lax.scan(eliminate, (jnp.zeros_like(diagonal[0]), start), rows)
    return jax.lax.scan(substitute, start, eliminated, reverse=True)[1]
