"""Structure of the circumgalactic medium: from its mass and energy to densities, temperatures and radiated power.

Density and temperature are power laws of x = r/Rvir for 0.1 <= x <= 1: n = n0 x^a_n, T = T0 x^a_T, with n the total
particle density (Pandya et al. 2023, section 1.4 of its model description).
"""

import abc
from collections.abc import Callable
from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ...numerics.special import power_integral
from ...parameters import parameter
from ...units import KBOLTZMANN, KPC_CM, LN10, MPROTON_G, MSUN_G
from .virial import MEAN_WEIGHT

__all__ = ["AbstractCGMProfile", "IsothermalCGM", "IsothermalShells", "PowerLawCGM"]

_FEW, _MANY = (np.polynomial.legendre.leggauss(n) for n in (16, 32))


class AbstractCGMProfile(eqx.Module):
    """Spherical gas between a tenth of the virial radius and the virial radius.

    Attributes
    ----------
    resolves_density : bool
        Whether `luminosity` asks for Lambda at the density of each shell.
    """

    resolves_density: eqx.AbstractClassVar[bool]

    @abc.abstractmethod
    def density(self, mcgm: Float[Array, "..."], rvir: Float[Array, "..."]) -> Float[Array, "..."]:
        """Total particle density at Rvir [cm^-3] for gas mass [Msun] and radius [kpc]."""

    @abc.abstractmethod
    def temperature(
        self, eth: Float[Array, "..."], density: Float[Array, "..."], rvir: Float[Array, "..."]
    ) -> Float[Array, "..."]:
        """Temperature at Rvir [K] for thermal energy [erg]."""

    @abc.abstractmethod
    def luminosity(
        self,
        density: Float[Array, "..."],
        temperature: Float[Array, "..."],
        rvir: Float[Array, "..."],
        cooling: Callable[[Float[Array, "..."], Float[Array, "..."]], Float[Array, "..."]],
    ) -> Float[Array, "..."]:
        """Integral of n^2 Lambda over the volume [erg/s].

        `cooling` maps lg T [K] and lg n [cm^-3] to Lambda [erg cm^3/s].
        """


def _density_slope():
    return parameter(
        -1.5,
        unit="1",
        meaning="power of density with radius",
        source="Pandya et al. 2023",
        bounds=(-3.0, 0.0),
    )


def _inner_radius():
    return parameter(
        0.1, unit="Rvir", meaning="inner radius of the CGM", source="Pandya et al. 2023", bounds=(0.01, 0.5)
    )


class AbstractPowerLaws(AbstractCGMProfile):
    """Density and temperature as power laws of radius."""

    density_slope: eqx.AbstractVar[Float[Array, ""]]
    inner_radius: eqx.AbstractVar[Float[Array, ""]]

    @property
    @abc.abstractmethod
    def pressure_slope(self) -> Float[Array, ""]:
        """Power of pressure with radius."""

    def density(self, mcgm: Float[Array, "..."], rvir: Float[Array, "..."]) -> Float[Array, "..."]:
        volume = 4.0 * jnp.pi * (rvir * KPC_CM) ** 3 * power_integral(3.0 + self.density_slope, self.inner_radius)
        return mcgm * MSUN_G / (MEAN_WEIGHT * MPROTON_G * volume)

    def temperature(
        self, eth: Float[Array, "..."], density: Float[Array, "..."], rvir: Float[Array, "..."]
    ) -> Float[Array, "..."]:
        volume = 6.0 * jnp.pi * (rvir * KPC_CM) ** 3 * power_integral(3.0 + self.pressure_slope, self.inner_radius)
        return eth / (volume * density * KBOLTZMANN)


class IsothermalCGM(AbstractPowerLaws):
    """A power law in density at one temperature: every integral in closed form, for any slope.

    Its one value of Lambda is that at Rvir, so that Lambda must not depend on density.
    """

    resolves_density: ClassVar[bool] = False

    density_slope: Float[Array, ""] = _density_slope()
    inner_radius: Float[Array, ""] = _inner_radius()

    @property
    def pressure_slope(self) -> Float[Array, ""]:
        return self.density_slope

    def luminosity(
        self,
        density: Float[Array, "..."],
        temperature: Float[Array, "..."],
        rvir: Float[Array, "..."],
        cooling: Callable[[Float[Array, "..."], Float[Array, "..."]], Float[Array, "..."]],
    ) -> Float[Array, "..."]:
        volume = 4.0 * jnp.pi * (rvir * KPC_CM) ** 3 * power_integral(3.0 + 2.0 * self.density_slope, self.inner_radius)
        return volume * density**2 * cooling(jnp.log(temperature) / LN10, jnp.log(density) / LN10)


class IsothermalShells(AbstractPowerLaws):
    """A power law in density at one temperature, with the radiated power of every shell: for Lambda(n).

    Gauss-Legendre quadrature in ln(r) on 16 shells.
    """

    resolves_density: ClassVar[bool] = True

    density_slope: Float[Array, ""] = _density_slope()
    inner_radius: Float[Array, ""] = _inner_radius()

    @property
    def pressure_slope(self) -> Float[Array, ""]:
        return self.density_slope

    def luminosity(
        self,
        density: Float[Array, "..."],
        temperature: Float[Array, "..."],
        rvir: Float[Array, "..."],
        cooling: Callable[[Float[Array, "..."], Float[Array, "..."]], Float[Array, "..."]],
    ) -> Float[Array, "..."]:
        log_temperature = jnp.log(temperature)[..., None] / LN10  # one value for all shells
        return _shells(self, _FEW, density, rvir, log_temperature, cooling)


class PowerLawCGM(AbstractPowerLaws):
    """Power laws in density and temperature; the radiated power by Gauss-Legendre quadrature in ln(r)."""

    resolves_density: ClassVar[bool] = True

    density_slope: Float[Array, ""] = _density_slope()
    temperature_slope: Float[Array, ""] = parameter(
        0.0,
        unit="1",
        meaning="power of temperature with radius",
        source="Pandya et al. 2023",
        bounds=(-2.0, 1.0),
    )
    inner_radius: Float[Array, ""] = _inner_radius()

    @property
    def pressure_slope(self) -> Float[Array, ""]:
        return self.density_slope + self.temperature_slope

    def luminosity(
        self,
        density: Float[Array, "..."],
        temperature: Float[Array, "..."],
        rvir: Float[Array, "..."],
        cooling: Callable[[Float[Array, "..."], Float[Array, "..."]], Float[Array, "..."]],
    ) -> Float[Array, "..."]:
        log_temperature = (jnp.log(temperature)[..., None] + self.temperature_slope * _log_shells(self, _MANY)) / LN10
        return _shells(self, _MANY, density, rvir, log_temperature, cooling)


def _log_shells(profile, rule):
    """ln(r / Rvir) of the shells of a quadrature rule."""
    return -0.5 * jnp.log(profile.inner_radius) * (rule[0] - 1.0)


def _shells(profile, rule, density, rvir, log_temperature, cooling):
    """Radiated power shell by shell; shells on the last axis."""
    log_x = _log_shells(profile, rule)
    log_density = (jnp.log(density)[..., None] + profile.density_slope * log_x) / LN10
    weight = -0.5 * jnp.log(profile.inner_radius) * rule[1] * jnp.exp((3.0 + 2.0 * profile.density_slope) * log_x)
    shells = jnp.sum(weight * cooling(log_temperature, log_density), axis=-1)
    return 4.0 * jnp.pi * (rvir * KPC_CM) ** 3 * density**2 * shells
