"""What a galaxy holds when its halo starts."""

import equinox as eqx
from jaxtyping import Array, Float

from ..parameters import parameter
from ..units import KM_CM, MSUN_G

__all__ = ["GasSeed"]


class GasSeed(eqx.Module):
    """A CGM of half the cosmic baryon share at the virial temperature, and token stars and ISM."""

    gas_share: Float[Array, ""] = parameter(
        0.5, unit="f_b Mvir", meaning="CGM mass at the start", source="Pandya et al. 2026", bounds=(0.01, 1.0)
    )
    specific_energy: Float[Array, ""] = parameter(
        0.75,
        unit="V^2",
        meaning="CGM thermal energy per mass at the start",
        source="virial",
        bounds=(0.1, 2.0),
    )
    mass: Float[Array, ""] = parameter(
        1.0,
        unit="Msun",
        meaning="stellar and ISM mass at the start",
        source="Pandya et al. 2026",
        bounds=(1e-3, 1e6),
    )
    metallicity: Float[Array, ""] = parameter(
        2e-6,
        unit="1",
        meaning="metal mass fraction at the start",
        source="Pandya et al. 2026",
        bounds=(1e-9, 1e-2),
    )

    def gas(self, mvir: Float[Array, "..."], baryon_fraction: Float[Array, "..."]) -> Float[Array, "..."]:
        """CGM mass [Msun]."""
        return self.gas_share * baryon_fraction * mvir

    def energy(self, gas: Float[Array, "..."], vvir: Float[Array, "..."]) -> Float[Array, "..."]:
        """CGM thermal energy [erg]."""
        return gas * MSUN_G * self.specific_energy * (vvir * KM_CM) ** 2
