"""What a galaxy holds when its halo starts.

All seeds start with a share of the cosmic baryons as CGM, with an energy of the order of its binding energy, and with
stars and ISM of negligible mass, so that no reservoir is empty.
"""

from typing import Any

import equinox as eqx
from jaxtyping import Float

from ..annotations import Array
from ..parameters import FRACTION, NOT_NEGATIVE, parameter
from ..printing import Component
from ..units import KM_CM, MSUN_G

__all__ = ["AbstractSeed", "GasSeed", "TurbulentSeed"]


def _mass(source: str) -> Any:
    return parameter(
        1.0, unit="Msun", meaning="stellar and ISM mass at the start", source=source, bounds=(1e-3, 1e6), scale="log10"
    )


def _metallicity(source: str) -> Any:
    return parameter(
        2e-6, unit="1", meaning="metal mass fraction at the start", source=source, bounds=(1e-9, 1e-2), scale="log10"
    )


class AbstractSeed(Component):
    """CGM gas and its energy at the start of a halo.

    Attributes
    ----------
    gas_share : array
        CGM mass over the cosmic baryon share of the halo.
    specific_energy : array
        CGM energy per mass over Vvir^2.
    mass : array
        Mass of stars, and of the ISM [Msun].
    metallicity : array
        Metal mass fraction of all reservoirs.

    Examples
    --------
    >>> class ColdSeed(co.physics.AbstractSeed):
    ...     gas_share: float = 0.1
    ...     specific_energy: float = 0.2
    ...     mass: float = 1.0
    ...     metallicity: float = 1e-6
    >>> float(ColdSeed().gas(1e10, 0.15))
    150000000.0
    """

    gas_share: eqx.AbstractVar[Float[Array, ""]]
    specific_energy: eqx.AbstractVar[Float[Array, ""]]
    mass: eqx.AbstractVar[Float[Array, ""]]
    metallicity: eqx.AbstractVar[Float[Array, ""]]

    def gas(self, mvir: Float[Array, "..."], baryon_fraction: Float[Array, "..."]) -> Float[Array, "..."]:
        """CGM mass [Msun] in a halo of `mvir` [Msun]."""
        return self.gas_share * baryon_fraction * mvir

    def energy(self, gas: Float[Array, "..."], vvir: Float[Array, "..."]) -> Float[Array, "..."]:
        """CGM energy [erg] of a mass of gas [Msun] in a halo of `vvir` [km/s]."""
        return gas * MSUN_G * self.specific_energy * (vvir * KM_CM) ** 2


class GasSeed(AbstractSeed):
    """A CGM of half the cosmic baryon share at the virial temperature, and stars and ISM of negligible mass.

    Parameters
    ----------
    gas_share : float
        CGM mass over the cosmic baryon share of the halo.
    specific_energy : float
        CGM thermal energy per mass over Vvir^2.
    mass : float
        Mass of stars, and of the ISM [Msun].
    metallicity : float
        Metal mass fraction of all reservoirs.

    Examples
    --------
    >>> seed = co.physics.GasSeed(gas_share=0.4)
    >>> print(f"{float(seed.gas(1e10, 0.15)):.1e}")  # [Msun]
    6.0e+08
    """

    gas_share: Float[Array, ""] = parameter(
        0.5,
        unit="f_b Mvir",
        meaning="CGM mass at the start",
        source="Pandya et al. 2026",
        bounds=(0.01, 1.0),
        allowed=NOT_NEGATIVE,
    )
    specific_energy: Float[Array, ""] = parameter(
        0.75,
        unit="V^2",
        meaning="CGM thermal energy per mass at the start",
        source="virial",
        bounds=(0.1, 2.0),
        allowed=NOT_NEGATIVE,
    )
    mass: Float[Array, ""] = _mass("Pandya et al. 2026")
    metallicity: Float[Array, ""] = _metallicity("Pandya et al. 2026")


class TurbulentSeed(AbstractSeed):
    """A thin CGM that is part turbulent, and stars and ISM of negligible mass, which accretion soon outweighs.

    Pandya et al. 2023 start from 1 Msun and 1 erg of everything, which is forgotten as soon as gas falls in; a small
    share of the cosmic baryons at the virial energy is forgotten as well and costs no steps.

    Parameters
    ----------
    gas_share : float
        CGM mass over the cosmic baryon share of the halo.
    specific_energy : float
        CGM energy per mass over Vvir^2.
    turbulent_share : float
        Turbulent share of that energy.
    mass : float
        Mass of stars, and of the ISM [Msun].
    metallicity : float
        Metal mass fraction of all reservoirs.

    Examples
    --------
    >>> seed = co.physics.TurbulentSeed(turbulent_share=0.25)
    >>> thermal, turbulent = seed.energies(seed.gas(1e10, 0.15), 30.0)
    >>> round(float(thermal / turbulent), 3)
    3.0
    """

    gas_share: Float[Array, ""] = parameter(
        0.01, unit="f_b Mvir", meaning="CGM mass at the start", source="choice", bounds=(1e-3, 1.0), scale="log10"
    )
    specific_energy: Float[Array, ""] = parameter(
        0.75,
        unit="V^2",
        meaning="CGM energy per mass at the start",
        source="virial",
        bounds=(0.1, 2.0),
        allowed=NOT_NEGATIVE,
    )
    turbulent_share: Float[Array, ""] = parameter(
        0.5, unit="1", meaning="turbulent share of that energy", source="choice", bounds=(1e-4, 0.99), allowed=FRACTION
    )
    mass: Float[Array, ""] = _mass("Pandya et al. 2023")
    metallicity: Float[Array, ""] = _metallicity("Pandya et al. 2023")

    def energies(
        self, gas: Float[Array, "..."], vvir: Float[Array, "..."]
    ) -> tuple[Float[Array, "..."], Float[Array, "..."]]:
        """Thermal and turbulent energy of the CGM [erg]."""
        total = self.energy(gas, vvir)
        return (1.0 - self.turbulent_share) * total, self.turbulent_share * total
