"""The systems of splines, and inverses of covariance matrices, for many right-hand sides or parameter sets at once.

XLA's batched LAPACK routines on CPUs wait, in a thread of a small pool, for other threads of the same pool: two devices
that come to one at the same time can wait for ever.  Here covariance matrices are taken one after another, and
derivatives are products of matrices, which never wait.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

__all__ = ["cholesky", "inverse", "quadratic_form", "tridiagonal_solve"]


@jax.custom_jvp
def inverse(matrix: Float[Array, "m m"]) -> tuple[Float[Array, "m m"], Float[Array, ""]]:
    """Inverse of a symmetric positive definite matrix and the logarithm of its determinant; NaN where it is not."""
    lower = cholesky(matrix)
    white = _lower_inverse(lower)
    return white.T @ white, 2.0 * jnp.sum(jnp.log(jnp.diagonal(lower)))


@inverse.defjvp
def _inverse_jvp(primals, tangents):
    inverted, log_determinant = inverse(*primals)
    (change,) = tangents
    return (inverted, log_determinant), (-inverted @ change @ inverted, jnp.sum(inverted * change))


@jax.custom_jvp
def quadratic_form(
    vector: Float[Array, " m"], matrix: Float[Array, "m m"]
) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """``vector @ inverse @ vector`` and the logarithm of the determinant, whose slopes need no product of matrices."""
    inverted, log_determinant = inverse(matrix)
    return vector @ inverted @ vector, log_determinant


@quadratic_form.defjvp
def _quadratic_form_jvp(primals, tangents):
    vector, matrix = primals
    moved, change = tangents
    inverted, log_determinant = inverse(matrix)
    pull = inverted @ vector
    slope = 2.0 * pull @ moved - pull @ change @ pull
    return (vector @ pull, log_determinant), (slope, jnp.sum(inverted * change))


@jax.custom_batching.sequential_vmap
def cholesky(matrix: Float[Array, "m m"]) -> Float[Array, "m m"]:
    """Lower Cholesky factor of a symmetric positive definite matrix; not to be differentiated."""
    return jnp.linalg.cholesky(matrix)


def _lower_inverse(lower):
    """By forward substitution, row by row: the library's starts threads, for which two devices wait 7 ms each time."""
    unit = jnp.eye(len(lower))

    def fill(row, inverted):
        return inverted.at[row].set((unit[row] - lower[row] @ inverted) / lower[row, row])

    return jax.lax.fori_loop(0, len(lower), fill, jnp.zeros_like(lower))


def tridiagonal_solve(
    lower: Float[Array, " m"], diagonal: Float[Array, " m"], upper: Float[Array, " m"], right: Float[Array, "m ..."]
) -> Float[Array, "m ..."]:
    """Solution of one tridiagonal system for many right-hand sides, by elimination without pivoting.

    All of them at once: LAPACK takes them one by one, with each row's numbers far apart in memory, and takes twice as
    long for the splines of a thousand halos.

    Parameters
    ----------
    lower, diagonal, upper : arrays, shape (m,)
        The rows of the matrix; the first of `lower` and the last of `upper` are not used.
    """

    def eliminate(above, row):
        ratio, value = above
        low, middle, high, this = row
        pivot = middle - low * ratio
        now = high / pivot, (this - low * value) / pivot
        return now, now

    def substitute(below, row):
        ratio, value = row
        this = value - ratio * below
        return this, this

    start = jnp.zeros_like(right[0])
    rows = (lower.at[0].set(0.0), diagonal, upper, right)
    _, eliminated = jax.lax.scan(eliminate, (jnp.zeros_like(diagonal[0]), start), rows)
    return jax.lax.scan(substitute, start, eliminated, reverse=True)[1]
