"""Inverses of covariance matrices that may be needed for many parameter sets at once, on several devices.

XLA's batched LAPACK routines on CPUs wait, in a thread of a small pool, for other threads of the same pool: two devices
that come to one at the same time can wait for ever.  Here matrices are taken one after another, and derivatives are
products of matrices, which never wait.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

__all__ = ["cholesky", "inverse", "quadratic_form"]


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
