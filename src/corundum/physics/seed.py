"""What a galaxy holds when its halo starts."""

import equinox as eqx
from jaxtyping import Array, Float

from ..parameters import parameter
from ..units import KM_CM, MSUN_G

__all__ = ["GasSeed", "TurbulentSeed"]


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
        scale="log10",
    )
    metallicity: Float[Array, ""] = parameter(
        2e-6,
        unit="1",
        meaning="metal mass fraction at the start",
        source="Pandya et al. 2026",
        bounds=(1e-9, 1e-2),
        scale="log10",
    )

    def gas(self, mvir: Float[Array, "..."], baryon_fraction: Float[Array, "..."]) -> Float[Array, "..."]:
        """CGM mass [Msun]."""
        return self.gas_share * baryon_fraction * mvir

    def energy(self, gas: Float[Array, "..."], vvir: Float[Array, "..."]) -> Float[Array, "..."]:
        """CGM thermal energy [erg]."""
        return gas * MSUN_G * self.specific_energy * (vvir * KM_CM) ** 2


class TurbulentSeed(eqx.Module):
    """A thin CGM that is part turbulent, and token stars and ISM, which accretion soon outweighs.

    Pandya et al. 2023 start from 1 Msun and 1 erg of everything, which is forgotten as soon as gas falls in; a small
    share of the cosmic baryons at the virial energy is forgotten as well and costs no steps.
    """

    gas_share: Float[Array, ""] = parameter(
        0.01, unit="f_b Mvir", meaning="CGM mass at the start", source="choice", bounds=(1e-3, 1.0), scale="log10"
    )
    specific_energy: Float[Array, ""] = parameter(
        0.75, unit="V^2", meaning="CGM energy per mass at the start", source="virial", bounds=(0.1, 2.0)
    )
    turbulent_share: Float[Array, ""] = parameter(
        0.5, unit="1", meaning="turbulent share of that energy", source="choice", bounds=(1e-4, 0.99)
    )
    mass: Float[Array, ""] = parameter(
        1.0, unit="Msun", meaning="stellar and ISM mass at the start", source="Pandya et al. 2023", bounds=(1e-3, 1e6),
        scale="log10",
    )  # fmt: skip
    metallicity: Float[Array, ""] = parameter(
        2e-6, unit="1", meaning="metal mass fraction at the start", source="Pandya et al. 2023", bounds=(1e-9, 1e-2),
        scale="log10",
    )  # fmt: skip

    def gas(self, mvir: Float[Array, "..."], baryon_fraction: Float[Array, "..."]) -> Float[Array, "..."]:
        """CGM mass [Msun]."""
        return self.gas_share * baryon_fraction * mvir

    def energies(
        self, gas: Float[Array, "..."], vvir: Float[Array, "..."]
    ) -> tuple[Float[Array, "..."], Float[Array, "..."]]:
        """Thermal and turbulent energy of the CGM [erg]."""
        total = gas * MSUN_G * self.specific_energy * (vvir * KM_CM) ** 2
        return (1.0 - self.turbulent_share) * total, self.turbulent_share * total
