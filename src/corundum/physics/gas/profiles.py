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
from jaxtyping import Float

from ...annotations import Array
from ...numerics.special import power_integral
from ...parameters import NOT_NEGATIVE, parameter
from ...printing import Component
from ...units import KBOLTZMANN, KPC_CM, LN10, MPROTON_G, MSUN_G
from ..composition import MEAN_WEIGHT

__all__ = ["AbstractCGMProfile", "IsothermalCGM", "IsothermalShells", "PowerLawCGM"]

_RULE_16, _RULE_32 = (np.polynomial.legendre.leggauss(n) for n in (16, 32))


class AbstractCGMProfile(Component):
    """Spherical gas between an inner radius and the virial radius.

    Attributes
    ----------
    resolves_density : bool
        Whether `luminosity` evaluates Lambda at the density of each shell.

    Examples
    --------
    >>> class UniformCGM(co.physics.AbstractCGMProfile):
    ...     resolves_density = False
    ...
    ...     def _volume(self, rvir):
    ...         return 4.0 / 3.0 * jnp.pi * (rvir * co.units.KPC_CM) ** 3
    ...
    ...     def density(self, mcgm, rvir):
    ...         return mcgm * co.units.MSUN_G / (0.59 * co.units.MPROTON_G * self._volume(rvir))
    ...
    ...     def temperature(self, eth, density, rvir):
    ...         return eth / (1.5 * self._volume(rvir) * density * co.units.KBOLTZMANN)
    ...
    ...     def luminosity(self, density, temperature, rvir, cooling):
    ...         return self._volume(rvir) * density**2 * cooling(jnp.log10(temperature), jnp.log10(density))
    >>> print(f"{float(UniformCGM().density(1e11, 200.0)):.1e}")  # [cm^-3]
    2.0e-04
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

        Parameters
        ----------
        density, temperature : arrays
            Total particle density [cm^-3] and temperature [K] at Rvir.
        rvir : array
            Virial radius [kpc].
        cooling : callable
            Maps log10 T [K] and log10 n [cm^-3] to Lambda [erg cm^3/s].
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
        0.1,
        unit="Rvir",
        meaning="inner radius of the CGM",
        source="Pandya et al. 2023",
        bounds=(0.01, 0.5),
        allowed=NOT_NEGATIVE,
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

    Lambda is evaluated once, at Rvir, so that it must not depend on density.

    Parameters
    ----------
    density_slope : float
        Power of density with radius.
    inner_radius : float
        Inner radius of the CGM [Rvir].

    Examples
    --------
    >>> profile = co.physics.IsothermalCGM(density_slope=-1.2)
    >>> density = profile.density(1e11, 200.0)
    >>> print(f"{float(density):.1e}")  # at Rvir [cm^-3]
    1.2e-04
    >>> luminosity = profile.luminosity(density, 1e6, 200.0, lambda log_t, log_n: 1e-23)
    >>> round(float(jnp.log10(luminosity)), 2)  # [erg/s]
    41.76
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

    Parameters
    ----------
    density_slope : float
        Power of density with radius.
    inner_radius : float
        Inner radius of the CGM [Rvir].

    Examples
    --------
    >>> profile = co.physics.IsothermalShells()
    >>> density = profile.density(1e11, 200.0)
    >>> luminosity = profile.luminosity(density, jnp.array(1e6), 200.0, lambda log_t, log_n: 1e-23)
    >>> closed = co.physics.IsothermalCGM().luminosity(density, 1e6, 200.0, lambda log_t, log_n: 1e-23)
    >>> round(float(luminosity / closed), 6)
    1.0
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
        log_temperature = jnp.log(temperature)[..., None] / LN10  # the same in all shells
        return _luminosity_of_shells(self, _RULE_16, density, rvir, log_temperature, cooling)


class PowerLawCGM(AbstractPowerLaws):
    """Power laws in density and temperature; the radiated power by Gauss-Legendre quadrature in ln(r) on 32 shells.

    Parameters
    ----------
    density_slope, temperature_slope : float
        Powers of density and temperature with radius.
    inner_radius : float
        Inner radius of the CGM [Rvir].

    Examples
    --------
    >>> profile = co.physics.PowerLawCGM(temperature_slope=-0.3)
    >>> density = profile.density(1e11, 200.0)
    >>> print(f"{float(profile.temperature(1e59, density, 200.0)):.1e}")  # at Rvir [K]
    2.0e+06
    """

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
        log_temperature = (jnp.log(temperature)[..., None] + self.temperature_slope * _ln_radii(self, _RULE_32)) / LN10
        return _luminosity_of_shells(self, _RULE_32, density, rvir, log_temperature, cooling)


def _ln_radii(profile, rule):
    """ln(r / Rvir) of the shells of a quadrature rule."""
    return -0.5 * jnp.log(profile.inner_radius) * (rule[0] - 1.0)


def _luminosity_of_shells(profile, rule, density, rvir, log_temperature, cooling):
    """Radiated power shell by shell; shells on the last axis."""
    ln_x = _ln_radii(profile, rule)
    log_density = (jnp.log(density)[..., None] + profile.density_slope * ln_x) / LN10
    weight = -0.5 * jnp.log(profile.inner_radius) * rule[1] * jnp.exp((3.0 + 2.0 * profile.density_slope) * ln_x)
    integral = jnp.sum(weight * cooling(log_temperature, log_density), axis=-1)
    return 4.0 * jnp.pi * (rvir * KPC_CM) ** 3 * density**2 * integral
