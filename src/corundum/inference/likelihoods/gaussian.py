"""The multivariate normal likelihood."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from ...annotations import Array
from ...numerics.linear_algebra import quadratic_form
from .base import LN_2PI, AbstractLikelihood

__all__ = ["Gaussian"]


class Gaussian(AbstractLikelihood):
    """Multivariate normal with the covariance of all points; the default.

    Examples
    --------
    >>> ln_density = co.inference.Gaussian()(jnp.array([0.1, -0.1]), 0.01 * jnp.eye(2), [np.arange(2)])
    >>> round(float(ln_density), 3)
    1.767
    """

    def __call__(
        self, residual: Float[Array, " m"], covariance: Float[Array, "m m"], groups: Sequence[np.ndarray]
    ) -> Float[Array, ""]:
        square, ln_volume = quadratic_form(residual, covariance)
        return -0.5 * (square + ln_volume + residual.shape[0] * LN_2PI)

    def information(self, size: int) -> float:
        return 1.0
