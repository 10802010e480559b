"""What every cooling function is.

A cooling function Lambda(T, Z) [erg cm^3/s] gives the power that a plasma radiates per volume and per product of two
densities; `corundum.physics.cooling.densities` says which product.  Its metallicity is relative to the solar mixture of
its own table, so that it also says what that is: between 0.013 and 0.02 in published tables.
"""

import abc
from typing import Any, ClassVar

import jax.numpy as jnp
from jaxtyping import Float

from ...annotations import Array
from ...parameters import FRACTION, parameter
from ...units import LN10, SOLAR_METALLICITY
from ..galaxy import AbstractLaw, Galaxy

__all__ = ["AbstractCooling", "AbstractNetCooling", "AbstractSolarUnits", "solar_field"]


def solar_field(value: float, source: str) -> Any:
    """Declare what a table calls solar as the field ``solar_metallicity`` of its class."""
    return parameter(
        value,
        unit="1",
        meaning="metal mass fraction of the solar mixture of the table",
        source=source,
        bounds=(0.01, 0.025),
        allowed=FRACTION,
    )


class AbstractSolarUnits(AbstractLaw):
    """Metallicities relative to the solar mixture of a table: ``solar_metallicity`` where a class has it, else 0.02.

    Examples
    --------
    >>> cooling = co.physics.SutherlandDopita93(solar_metallicity=0.0142)
    >>> round(float(cooling.log_metallicity(0.0142)), 12)
    0.0
    """

    def log_metallicity(self, metal_fraction: Float[Array, "..."]) -> Float[Array, "..."]:
        """log10 Z/Zsun of a metal mass fraction."""
        solar = getattr(self, "solar_metallicity", SOLAR_METALLICITY)
        return jnp.log(metal_fraction * (1.0 / solar)) / LN10

    def value(self, imposed: Any, galaxy: Galaxy) -> Float[Array, "..."]:
        """Cooling minus heating for gas whose ``log_temperature``, ``log_density`` and ``z_cgm`` are known."""
        law: Any = self
        known, z = galaxy.quantities, self.log_metallicity(galaxy.quantities["z_cgm"])
        return law.net(known["log_temperature"], z, known["log_density"], galaxy.halo.redshift)


class AbstractCooling(AbstractSolarUnits):
    """A cooling function of temperature and metallicity, the same at any density and redshift.

    Attributes
    ----------
    per : str
        The density product that Lambda is given per.
    can_heat : bool
        Whether `net` may be negative.
    depends_on_density : bool
        Whether `net` depends on density.

    Examples
    --------
    >>> class Bremsstrahlung(co.physics.AbstractCooling):
    ...     def __call__(self, log_temperature, log_metallicity):
    ...         return 2e-27 * jnp.sqrt(10.0**log_temperature) * jnp.ones_like(log_metallicity)
    >>> model = co.models.ThermalCGM(cooling=Bremsstrahlung())
    >>> print(f"{float(model.cooling(7.0, -1.0)):.1e}")
    6.3e-24
    """

    per: ClassVar[str] = "n_e n_i"
    can_heat: ClassVar[bool] = False
    depends_on_density: ClassVar[bool] = False

    @abc.abstractmethod
    def __call__(
        self, log_temperature: Float[Array, "..."], log_metallicity: Float[Array, "..."]
    ) -> Float[Array, "..."]:
        """Lambda [erg cm^3/s] at log10 T [K] and log10 Z/Zsun."""

    def net(
        self,
        log_temperature: Float[Array, "..."],
        log_metallicity: Float[Array, "..."],
        log_density: Float[Array, "..."],
        redshift: Float[Array, "..."],
    ) -> Float[Array, "..."]:
        """Cooling minus heating [erg cm^3/s]; the arguments are those of `AbstractNetCooling.net`."""
        return self(log_temperature, log_metallicity)


class AbstractNetCooling(AbstractSolarUnits):
    """Cooling minus heating of gas in a radiation background, per n_H^2; negative where the gas is heated.

    Attributes
    ----------
    per : str
        The density product that the rate is given per.
    can_heat : bool
        Whether `net` may be negative.
    depends_on_density : bool
        Whether `net` depends on density.

    Examples
    --------
    >>> class HeatedBelow(co.physics.AbstractNetCooling):
    ...     def net(self, log_temperature, log_metallicity, log_density, redshift):
    ...         return 1e-23 * (log_temperature - 4.0)
    >>> bool(HeatedBelow().net(3.5, -1.0, -3.0, 0.0) < 0.0)
    True
    """

    per: ClassVar[str] = "n_H^2"
    can_heat: ClassVar[bool] = True
    depends_on_density: ClassVar[bool] = True

    @abc.abstractmethod
    def net(
        self,
        log_temperature: Float[Array, "..."],
        log_metallicity: Float[Array, "..."],
        log_density: Float[Array, "..."],
        redshift: Float[Array, "..."],
    ) -> Float[Array, "..."]:
        """Cooling minus heating [erg cm^3/s].

        Parameters
        ----------
        log_temperature : array
            log10 T [K].
        log_metallicity : array
            log10 Z/Zsun.
        log_density : array
            log10 of the total particle density [cm^-3].
        redshift : array
        """
