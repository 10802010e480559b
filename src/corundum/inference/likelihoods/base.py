"""What every likelihood is, and the terms that do not depend on which one is chosen."""

import abc
from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np
from jax.scipy.special import log_ndtr
from jaxtyping import Bool, Float

from ...annotations import Array
from ...numerics.linear_algebra import inverse
from ...printing import Component

__all__ = ["AbstractLikelihood", "LN_2PI", "only_used", "upper_limits", "pointwise"]

LN_2PI = float(np.log(2.0 * np.pi))
"""Natural logarithm of 2 pi, of the normalisation of a Gaussian."""


class AbstractLikelihood(Component):
    """The distribution of data about a prediction.

    A likelihood of your own is one class with the two methods below.

    Examples
    --------
    A Laplace distribution of independent points, which gives outliers less weight than a Gaussian:

    >>> class Laplacian(co.inference.AbstractLikelihood):
    ...     def __call__(self, residual, covariance, groups):
    ...         scale = jnp.sqrt(0.5 * jnp.diagonal(covariance))
    ...         return -jnp.sum(jnp.abs(residual) / scale + jnp.log(2.0 * scale))
    ...     def information(self, size):
    ...         return 2.0
    >>> round(float(Laplacian()(jnp.array([0.1]), jnp.array([[0.02]]), [np.array([0])])), 3)
    0.609
    """

    @abc.abstractmethod
    def __call__(
        self, residual: Float[Array, " m"], covariance: Float[Array, "m m"], groups: Sequence[np.ndarray]
    ) -> Float[Array, ""]:
        """Natural logarithm of the probability density of `residual`, data minus prediction.

        Parameters
        ----------
        residual : array, shape (M,)
        covariance : array, shape (M, M)
            Of the residual.
        groups : sequence of integer arrays
            Positions of the points of each measurement.
        """

    @abc.abstractmethod
    def information(self, size: int) -> float:
        """Expected information over that of a Gaussian with the same matrix, for a group of `size` points."""


def only_used(covariance: Float[Array, "m m"], used: Bool[Array, " m"]) -> Float[Array, "m m"]:
    """The covariance with points that do not count replaced by independent ones of unit variance."""
    return jnp.where(used[:, None] & used[None, :], covariance, jnp.eye(covariance.shape[-1]))


def upper_limits(residual: Float[Array, " m"], variance: Float[Array, " m"]) -> Float[Array, ""]:
    """ln of the probability that the true values lie below limits; `residual` is limit minus prediction."""
    return jnp.sum(log_ndtr(residual / jnp.sqrt(variance)))


def pointwise(residual: Float[Array, " m"], covariance: Float[Array, "m m"]) -> Float[Array, " m"]:
    """ln of the density of each point of a Gaussian given all others (Buerkner, Gabry & Vehtari 2021)."""
    precision, _ = inverse(covariance)
    pull, variance = precision @ residual, 1.0 / jnp.diagonal(precision)
    return -0.5 * (jnp.log(variance) + LN_2PI + pull**2 * variance)
