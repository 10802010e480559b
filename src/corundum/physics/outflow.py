"""Outflow of overpressured circumgalactic gas from the halo."""

import equinox as eqx
from jaxtyping import Array, Float

from ..numerics.limiters import AbstractPositivePart, SmoothPositivePart
from ..parameters import parameter

__all__ = ["OverpressureOutflow"]


class OverpressureOutflow(eqx.Module):
    """CGM energy above the binding energy escapes in a dynamical time (Pandya et al. 2023)."""

    escape_time: Float[Array, ""] = parameter(
        1.0,
        unit="t_dyn",
        meaning="time for excess energy to escape",
        source="Pandya et al. 2023",
        bounds=(0.1, 10.0),
        scale="log10",
    )
    excess: AbstractPositivePart = eqx.field(default_factory=SmoothPositivePart)

    def __call__(
        self, eth: Float[Array, "..."], binding: Float[Array, "..."], t_dyn: Float[Array, "..."]
    ) -> Float[Array, "..."]:
        """Energy loss rate [erg/Gyr] for thermal and binding energy [erg] and dynamical time [Gyr]."""
        return self.excess(eth - binding, binding) / (self.escape_time * t_dyn)
