"""How fast CGM gas that cools reaches the interstellar medium, given its cooling and free-fall times."""

import abc

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ...parameters import parameter

__all__ = ["AbstractCondensation", "HarmonicCondensation", "SlowerTimeCondensation", "PrecipitationThreshold"]


class AbstractCondensation(eqx.Module):
    """Condensation rate of the CGM.

    References
    ----------
    White & Frenk 1991, ApJ 379, 52 (cooling or free fall, whichever is slower).
    """

    @abc.abstractmethod
    def __call__(self, cooling_rate: Float[Array, "..."], t_ff: Float[Array, "..."]) -> Float[Array, "..."]:
        """Fraction of the CGM that condenses per Gyr, for 1/t_cool >= 0 [1/Gyr] and t_ff [Gyr]."""


class HarmonicCondensation(AbstractCondensation):
    """1 / (t_cool + t_ff): one after the other (Pandya et al. 2023)."""

    def __call__(self, cooling_rate: Float[Array, "..."], t_ff: Float[Array, "..."]) -> Float[Array, "..."]:
        return cooling_rate / (1.0 + cooling_rate * t_ff)


class SlowerTimeCondensation(AbstractCondensation):
    """1 / max(t_cool, t_ff), the classical sharp switch between rapid and slow cooling (White & Frenk 1991)."""

    def __call__(self, cooling_rate: Float[Array, "..."], t_ff: Float[Array, "..."]) -> Float[Array, "..."]:
        return jnp.minimum(cooling_rate, 1.0 / t_ff)


class PrecipitationThreshold(AbstractCondensation):
    """Condensation only where t_cool / t_ff falls below a threshold of about ten, switched smoothly.

    1 / (t_cool + t_ff) times a logistic in ln(t_cool / t_ff).  The switch is our form; the threshold is that of the
    papers.

    References
    ----------
    Sharma et al. 2012, MNRAS 420, 3174; McCourt et al. 2012, MNRAS 419, 3319; Voit et al. 2015, Nature 519, 203.
    """

    threshold: Float[Array, ""] = parameter(
        10.0,
        unit="1",
        meaning="t_cool / t_ff below which gas condenses",
        source="Sharma et al. 2012",
        bounds=(1.0, 30.0),
        scale="log10",
    )
    width: Float[Array, ""] = parameter(
        0.3, unit="1", meaning="width of the switch in ln(t_cool / t_ff)", source="choice", bounds=(0.05, 2.0)
    )

    def __call__(self, cooling_rate: Float[Array, "..."], t_ff: Float[Array, "..."]) -> Float[Array, "..."]:
        below = jnp.log(self.threshold) + jnp.log(jnp.maximum(cooling_rate * t_ff, 1e-100))
        return cooling_rate / (1.0 + cooling_rate * t_ff) * jax.nn.sigmoid(below / self.width)
