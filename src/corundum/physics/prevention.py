"""Preventive feedback: the fraction of infalling gas that a halo of given virial velocity lets in."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ..parameters import parameter
from .galaxy import AbstractScaling

__all__ = ["AbstractPrevention", "LogisticPrevention"]

_LN10 = 2.302585092994046


class AbstractPrevention(AbstractScaling):
    """Accreted over available gas, before reionisation: a fraction in [0, 1]."""


class LogisticPrevention(AbstractPrevention):
    """A logistic in lg Vvir between two plateaus, fitted to FIRE-2 halos (Pandya et al. 2023)."""

    floor: Float[Array, ""] = parameter(
        0.25,
        unit="1",
        meaning="fraction in the smallest halos",
        source="Pandya et al. 2023",
        bounds=(0.0, 1.0),
    )
    ceiling: Float[Array, ""] = parameter(
        0.9641,
        unit="1",
        meaning="fraction in the largest halos",
        source="Pandya et al. 2023",
        bounds=(0.0, 1.0),
    )
    steepness: Float[Array, ""] = parameter(
        7.1348, unit="1/dex", meaning="steepness in lg Vvir", source="Pandya et al. 2023", bounds=(1.0, 20.0)
    )
    log_pivot: Float[Array, ""] = parameter(
        1.8775, unit="dex(km/s)", meaning="lg Vvir half way", source="Pandya et al. 2023", bounds=(1.0, 2.5)
    )

    def __call__(self, vvir: Float[Array, "..."], redshift: Float[Array, "..."]) -> Float[Array, "..."]:
        rise = jax.nn.sigmoid(self.steepness * (jnp.log(vvir) / _LN10 - self.log_pivot))
        return self.floor + (self.ceiling - self.floor) * rise
