"""Turbulence in the CGM: how fast it dissipates and how it holds gas up against free fall (Pandya et al. 2023)."""

import abc

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ...halos import Halo
from ...parameters import parameter
from ...units import KM_CM, KPC_PER_KMS_GYR, MSUN_G

__all__ = ["AbstractDrivingScale", "VirialScale", "SlidingScale", "Turbulence"]

_SLOWEST = 1e-3  # [km/s], keeps the square root smooth where there is no turbulence


class AbstractDrivingScale(eqx.Module):
    """The length over which turbulent energy dissipates in a crossing time."""

    @abc.abstractmethod
    def __call__(self, halo: Halo, inner: Float[Array, "..."]) -> Float[Array, "..."]:
        """Length [kpc]; `inner` is the free-fall radius over Rvir."""


class VirialScale(AbstractDrivingScale):
    """The virial radius at all times."""

    def __call__(self, halo: Halo, inner: Float[Array, "..."]) -> Float[Array, "..."]:
        return halo.rvir


class SlidingScale(AbstractDrivingScale):
    """From the virial radius at early times to the free-fall radius at late times, a logistic in cosmic age.

    References
    ----------
    Pandya et al. 2023, ApJ 956, 118 (their fiducial choice, the same for all halos).
    """

    steepness: Float[Array, ""] = parameter(
        2.0, unit="1/Gyr", meaning="steepness of the change in age", source="Pandya et al. 2023", bounds=(0.2, 5.0)
    )
    transition: Float[Array, ""] = parameter(
        7.0, unit="Gyr", meaning="age half way", source="Pandya et al. 2023", bounds=(1.0, 13.0)
    )

    def __call__(self, halo: Halo, inner: Float[Array, "..."]) -> Float[Array, "..."]:
        early = jax.nn.sigmoid(-self.steepness * (halo.time - self.transition))
        return halo.rvir * (inner + (1.0 - inner) * early)


class Turbulence(eqx.Module):
    """Dissipation at E v / L, and t_ff sqrt(1 + (s v / V_c)^2) for the free fall of supported gas."""

    support: Float[Array, ""] = parameter(
        1.0, unit="1", meaning="s, turbulent support of free fall", source="Pandya et al. 2023", bounds=(0.0, 3.0)
    )
    efficiency: Float[Array, ""] = parameter(
        1.0,
        unit="1",
        meaning="dissipation per crossing time",
        source="Pandya et al. 2023",
        bounds=(0.1, 10.0),
        scale="log10",
    )
    scale: AbstractDrivingScale = eqx.field(default_factory=SlidingScale)

    def velocity(self, energy: Float[Array, "..."], mcgm: Float[Array, "..."]) -> Float[Array, "..."]:
        """sqrt(2 E / M) [km/s] for [erg] and [Msun]."""
        squared = 2.0 * energy / (mcgm * MSUN_G * KM_CM**2)
        return jnp.sqrt(jnp.maximum(squared, 0.0) + _SLOWEST**2)

    def dissipation_rate(self, velocity: Float[Array, "..."], length: Float[Array, "..."]) -> Float[Array, "..."]:
        """Share of the turbulent energy that dissipates per Gyr, for [km/s] and [kpc]."""
        return self.efficiency * velocity / (length * KPC_PER_KMS_GYR)

    def delay(self, velocity: Float[Array, "..."], circular: Float[Array, "..."]) -> Float[Array, "..."]:
        """Free-fall time over that without support; `circular` is the velocity at the free-fall radius [km/s]."""
        return jnp.sqrt(1.0 + (self.support * velocity / circular) ** 2)
