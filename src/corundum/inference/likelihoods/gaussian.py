"""The multivariate normal likelihood."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from ...numerics.linear_algebra import quadratic_form
from ..batches import AnyArray
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
        self, residual: Float[AnyArray, " m"], covariance: Float[AnyArray, "m m"], groups: Sequence[np.ndarray]
    ) -> Float[AnyArray, ""]:
        square, ln_volume = quadratic_form(residual, covariance)
        return -0.5 * (square + ln_volume + residual.shape[0] * LN_2PI)

    def information(self, size: int) -> float:
        return 1.0
