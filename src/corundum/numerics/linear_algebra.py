"""Inverses of covariance matrices that may be needed for many parameter sets at once, on several devices.

XLA's batched LAPACK routines on CPUs wait, in a thread of a small pool, for other threads of the same pool: two devices
that come to one at the same time can wait for ever.  Here matrices are taken one after another, and derivatives are
products of matrices, which never wait.
"""

import jax
import jax.numpy as jnp
from jax.scipy.linalg import solve_triangular
from jaxtyping import Array, Float

__all__ = ["cholesky", "inverse"]


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


@jax.custom_batching.sequential_vmap
def cholesky(matrix: Float[Array, "m m"]) -> Float[Array, "m m"]:
    """Lower Cholesky factor of a symmetric positive definite matrix; not to be differentiated."""
    return jnp.linalg.cholesky(matrix)


@jax.custom_batching.sequential_vmap
def _lower_inverse(lower):
    return solve_triangular(lower, jnp.eye(len(lower)), lower=True)
