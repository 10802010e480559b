"""Turbulence in the CGM: how fast it dissipates and how it holds gas up against free fall (Pandya et al. 2023)."""

import abc

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Float

from ...annotations import Array
from ...halos import Halo
from ...parameters import NOT_NEGATIVE, parameter
from ...printing import Component
from ...units import KM_CM, KPC_PER_KMS_GYR, MSUN_G

__all__ = ["AbstractDrivingScale", "VirialScale", "SlidingScale", "Turbulence"]

_SLOWEST = 1e-3  # [km/s], keeps the square root smooth where there is no turbulence


class AbstractDrivingScale(Component):
    """The length over which turbulent energy dissipates in a crossing time.

    Examples
    --------
    >>> class FixedScale(co.physics.AbstractDrivingScale):
    ...     def __call__(self, halo, inner):
    ...         return 30.0 * jnp.ones_like(halo.rvir)
    >>> model = co.models.TurbulentCGM(turbulence=co.physics.Turbulence(scale=FixedScale()))
    """

    @abc.abstractmethod
    def __call__(self, halo: Halo, inner: Float[Array, "..."]) -> Float[Array, "..."]:
        """Length [kpc]; `inner` is the free-fall radius over Rvir."""


class VirialScale(AbstractDrivingScale):
    """The virial radius at all times.

    Examples
    --------
    >>> model = co.models.TurbulentCGM(turbulence=co.physics.Turbulence(scale=co.physics.VirialScale()))
    """

    def __call__(self, halo: Halo, inner: Float[Array, "..."]) -> Float[Array, "..."]:
        return halo.rvir


class SlidingScale(AbstractDrivingScale):
    """From the virial radius at early times to the free-fall radius at late times, a logistic in cosmic age.

    Parameters
    ----------
    steepness : float
        Steepness of the change in age [1/Gyr].
    transition : float
        Cosmic age [Gyr] half way.

    References
    ----------
    Pandya et al. 2023, ApJ 956, 118 (their fiducial choice, the same for all halos).

    Examples
    --------
    >>> scale = co.physics.SlidingScale(transition=5.0)
    >>> halo = halos.at(redshift=0.0)
    >>> bool(jnp.all(scale(halo, 0.2) < 0.3 * halo.rvir))  # close to 0.2 Rvir today
    True
    """

    steepness: Float[Array, ""] = parameter(
        2.0, unit="1/Gyr", meaning="steepness of the change in age", source="Pandya et al. 2023", bounds=(0.2, 5.0)
    )
    transition: Float[Array, ""] = parameter(
        7.0, unit="Gyr", meaning="age half way", source="Pandya et al. 2023", bounds=(1.0, 13.0), allowed=NOT_NEGATIVE
    )

    def __call__(self, halo: Halo, inner: Float[Array, "..."]) -> Float[Array, "..."]:
        early = jax.nn.sigmoid(-self.steepness * (halo.time - self.transition))
        return halo.rvir * (inner + (1.0 - inner) * early)


class Turbulence(Component):
    """Turbulent energy dissipates at E v / L, and turbulence delays free fall to t_ff sqrt(1 + (s v / V_c)^2).

    Parameters
    ----------
    support : float
        s, how strongly turbulence holds gas up against free fall.
    efficiency : float
        Share of the turbulent energy that dissipates per crossing time.
    scale : AbstractDrivingScale
        L, over which turbulence dissipates.

    Examples
    --------
    >>> turbulence = co.physics.Turbulence()
    >>> velocity = turbulence.velocity(1e57, 1e10)  # of 1e57 erg in 1e10 Msun [km/s]
    >>> round(float(velocity)), round(float(turbulence.dissipation_rate(velocity, 50.0)), 2)  # [1/Gyr]
    (100, 2.05)
    """

    support: Float[Array, ""] = parameter(
        1.0,
        unit="1",
        meaning="s, turbulent support of free fall",
        source="Pandya et al. 2023",
        bounds=(0.0, 3.0),
        allowed=NOT_NEGATIVE,
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
        """Free-fall time over that without turbulence; `circular` is the velocity at the free-fall radius [km/s]."""
        return jnp.sqrt(1.0 + (self.support * velocity / circular) ** 2)
