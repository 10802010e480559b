"""Outflow of overpressured circumgalactic gas from the halo."""

import equinox as eqx
from jaxtyping import Float

from ...annotations import Array
from ...numerics.limiters import AbstractPositivePart, SmoothPositivePart
from ...parameters import parameter

__all__ = ["OverpressureOutflow"]


class OverpressureOutflow(eqx.Module):
    """CGM energy above the binding energy escapes in a dynamical time (Pandya et al. 2023).

    Parameters
    ----------
    escape_time : float
        Time for excess energy to escape [t_dyn].
    relative_energy : float
        Energy per mass of the gas that escapes over that of the CGM.
    excess : AbstractPositivePart
        How the positive part of energy minus binding energy is taken: smooth by default.

    Examples
    --------
    >>> outflow = co.physics.OverpressureOutflow()
    >>> print(f"{float(outflow(3e58, 1e58, 2.0)):.2e}")  # the excess of 2e58 erg in 2 Gyr [erg/Gyr]
    1.00e+58
    """

    escape_time: Float[Array, ""] = parameter(
        1.0,
        unit="t_dyn",
        meaning="time for excess energy to escape",
        source="Pandya et al. 2023",
        bounds=(0.1, 10.0),
        scale="log10",
    )
    relative_energy: Float[Array, ""] = parameter(
        1.0,
        unit="1",
        meaning="energy per mass of the gas that escapes over that of the CGM",
        source="Pandya et al. 2023",
        bounds=(0.3, 10.0),
        scale="log10",
    )
    excess: AbstractPositivePart = eqx.field(default_factory=SmoothPositivePart)

    def __call__(
        self, energy: Float[Array, "..."], binding: Float[Array, "..."], t_dyn: Float[Array, "..."]
    ) -> Float[Array, "..."]:
        """Energy loss rate [erg/Gyr] for CGM energy and binding energy [erg] and dynamical time [Gyr]."""
        return self.excess(energy - binding, binding) / (self.escape_time * t_dyn)

    def mass(self, share: Float[Array, "..."]) -> Float[Array, "..."]:
        """Mass loss rate; `share` is the CGM mass times the energy loss rate over the CGM energy, in the same unit."""
        return share / self.relative_energy
