"""The likelihood of the observed spread of galaxies about a relation."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Float

from ...annotations import Array
from ...printing import Component
from ..summaries import Prediction
from .base import LN_2PI

__all__ = ["ScatterLikelihood"]


class ScatterLikelihood(Component):
    """Gaussian likelihood of the observed spread of galaxies, in addition to that of the mean relation.

    Parameters
    ----------
    error : float
        Uncertainty of each observed spread [dex].
    measurement : float
        Spread that errors of single galaxies add, in quadrature [dex].

    Examples
    --------
    >>> none = jnp.zeros(1)
    >>> prediction = co.inference.Prediction(none, none, jnp.array([0.2]), jnp.array([True]), 0.0)
    >>> likelihood = co.inference.ScatterLikelihood(error=0.02)
    >>> round(float(likelihood(prediction, jnp.array([0.2]))), 3)
    2.993
    """

    error: float = eqx.field(static=True, default=0.02)
    measurement: float = eqx.field(static=True, default=0.0)

    def __call__(self, prediction: Prediction, scatter: Float[Array, " m"]) -> Float[Array, ""]:
        """ln of the probability density of the observed `scatter`, (M,); points that are NaN do not count."""
        known = jnp.isfinite(scatter)
        spread = jnp.sqrt(prediction.scatter**2 + self.measurement**2 + 1e-12)
        # A spread from n galaxies is known to spread / sqrt(2 n), and error = spread / sqrt(n).
        variance = self.error**2 + 0.5 * prediction.error**2
        terms = -0.5 * ((spread - jnp.where(known, scatter, 0.0)) ** 2 / variance + jnp.log(variance) + LN_2PI)
        return jnp.sum(jnp.where(known, terms, 0.0))
