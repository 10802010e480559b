"""The multivariate Student t likelihood, robust against a measurement that disagrees with the rest."""

from collections.abc import Sequence

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import gammaln
from jaxtyping import Float

from ...annotations import Array
from ...numerics.linear_algebra import quadratic_form
from .base import AbstractLikelihood

__all__ = ["StudentT"]


class StudentT(AbstractLikelihood):
    """Multivariate Student t of each measurement by itself: one that disagrees with the rest has less weight.

    Parameters
    ----------
    degrees : float
        Degrees of freedom, positive; the covariance is the scale matrix.  Few degrees mean heavy tails.

    Raises
    ------
    ValueError
        `degrees` is not positive.

    Examples
    --------
    >>> residual, covariance, groups = jnp.array([0.5]), jnp.array([[0.01]]), [np.array([0])]
    >>> gaussian = co.inference.Gaussian()(residual, covariance, groups)
    >>> student = co.inference.StudentT(degrees=4.0)(residual, covariance, groups)
    >>> round(float(student - gaussian), 1)  # five standard deviations off are less improbable
    7.5
    """

    degrees: float = eqx.field(static=True, default=4.0)

    def __check_init__(self):
        if not self.degrees > 0:
            raise ValueError(f"StudentT degrees: got {self.degrees}; allowed a positive number")

    def __call__(
        self, residual: Float[Array, " m"], covariance: Float[Array, "m m"], groups: Sequence[np.ndarray]
    ) -> Float[Array, ""]:
        total: Float[Array, ""] = 0.0
        nu = self.degrees
        for positions in groups:
            size = len(positions)
            if not size:
                continue
            square, ln_volume = quadratic_form(residual[positions], covariance[np.ix_(positions, positions)])
            total += gammaln(0.5 * (nu + size)) - gammaln(0.5 * nu) - 0.5 * size * jnp.log(nu * jnp.pi)
            total += -0.5 * ln_volume - 0.5 * (nu + size) * jnp.log1p(square / nu)
        return total

    def information(self, size: int) -> float:
        return (self.degrees + size) / (self.degrees + size + 2.0)
