"""Outflow of overpressured circumgalactic gas from the halo: how much energy is in excess, and how fast it leaves."""

import abc

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Float

from ...annotations import Array
from ...numerics.limiters import AbstractPositivePart, SmoothPositivePart
from ...parameters import parameter
from ...printing import Component
from ...units import KBOLTZMANN, KM_CM, MPROTON_G
from ..composition import MEAN_WEIGHT

__all__ = ["AbstractEscapeSpeed", "OverpressureOutflow", "SonicEscape", "VirialEscape"]

_SOUND_SPEED_SQUARED = 5.0 * KBOLTZMANN / (3.0 * MEAN_WEIGHT * MPROTON_G * KM_CM**2)  # [(km/s)^2 / K]


class AbstractEscapeSpeed(Component):
    """The speed at which excess energy crosses the halo.

    Examples
    --------
    >>> class Twice(co.physics.AbstractEscapeSpeed):
    ...     def __call__(self, temperature, vvir):
    ...         return 2.0
    >>> outflow = co.physics.OverpressureOutflow(speed=Twice())
    >>> print(f"{float(outflow(3e58, 1e58, 2.0, 1e6, 130.0)):.0e}")
    2e+58
    """

    @abc.abstractmethod
    def __call__(self, temperature: Float[Array, "..."], vvir: Float[Array, "..."]) -> Float[Array, "..."]:
        """Escape speed over Vvir, for the temperature of the CGM at Rvir [K] and Vvir [km/s]."""


class SonicEscape(AbstractEscapeSpeed):
    """sqrt(V^2 + c_s^2): gas that is hotter than virial expands at its own sound speed.

    c_s^2 = 5 k T / (3 mu m_p) is (5/6) V^2 T/Tvir, so that excess energy leaves in R/V over 1.35, 1.87 and 3.06 where
    the gas has 1, 3 and 10 times its virial temperature.

    Examples
    --------
    >>> temperature = co.physics.VirialTemperature()(130.0)
    >>> round(float(co.physics.SonicEscape()(10.0 * temperature, 130.0)), 2)
    3.06
    """

    def __call__(self, temperature: Float[Array, "..."], vvir: Float[Array, "..."]) -> Float[Array, "..."]:
        return jnp.sqrt(1.0 + _SOUND_SPEED_SQUARED * temperature / vvir**2)


class VirialEscape(AbstractEscapeSpeed):
    """Vvir at any temperature, as in Pandya et al. 2023 and 2026; strongly heated gas stays much hotter than virial.

    Examples
    --------
    >>> float(co.physics.VirialEscape()(1e7, 130.0))
    1.0
    """

    def __call__(self, temperature: Float[Array, "..."], vvir: Float[Array, "..."]) -> Float[Array, "..."]:
        return jnp.ones_like(temperature)


class OverpressureOutflow(Component):
    """CGM energy above the binding energy escapes in the time in which it crosses the halo (Pandya et al. 2023).

    Parameters
    ----------
    escape_time : float
        Time for excess energy to escape, over Rvir / speed.
    relative_energy : float
        Energy per mass of the gas that escapes over that of the CGM.
    excess : AbstractPositivePart
        How the positive part of energy minus binding energy is taken: smooth by default.
    speed : AbstractEscapeSpeed
        Speed of the energy that escapes: with its own sound speed by default, `VirialEscape` as published.

    Examples
    --------
    >>> outflow = co.physics.OverpressureOutflow(speed=co.physics.VirialEscape())
    >>> print(f"{float(outflow(3e58, 1e58, 2.0, 1e6, 130.0)):.2e}")  # the excess of 2e58 erg in 2 Gyr [erg/Gyr]
    1.00e+58
    """

    escape_time: Float[Array, ""] = parameter(
        1.0,
        unit="1",
        meaning="time for excess energy to escape, over the time in which it crosses Rvir",
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
    speed: AbstractEscapeSpeed = eqx.field(default_factory=SonicEscape)

    def __call__(
        self,
        energy: Float[Array, "..."],
        binding: Float[Array, "..."],
        t_dyn: Float[Array, "..."],
        temperature: Float[Array, "..."],
        vvir: Float[Array, "..."],
    ) -> Float[Array, "..."]:
        """Energy loss rate [erg/Gyr].

        Parameters
        ----------
        energy, binding : arrays
            Energy of the CGM and the energy that binds it [erg].
        t_dyn : array
            Rvir / Vvir [Gyr].
        temperature : array
            Of the CGM at Rvir [K].
        vvir : array
            [km/s].
        """
        return self.excess(energy - binding, binding) / (self.escape_time * t_dyn) * self.speed(temperature, vvir)

    def mass(self, share: Float[Array, "..."]) -> Float[Array, "..."]:
        """Mass loss rate; `share` is the CGM mass times the energy loss rate over the CGM energy, in the same unit."""
        return share / self.relative_energy
