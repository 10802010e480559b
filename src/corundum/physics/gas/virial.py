"""Virial temperature, binding energy, and the two times of a halo: dynamical and free-fall time."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Float

from ...annotations import Array
from ...numerics.limiters import AbstractMinimum, SmoothMinimum
from ...parameters import NOT_NEGATIVE, parameter
from ...printing import Component
from ...units import KBOLTZMANN, KM_CM, KPC_PER_KMS_GYR, MPROTON_G, MSUN_G
from ..composition import MEAN_WEIGHT

__all__ = ["VirialTemperature", "FreeFall", "dynamical_time"]

_COEFFICIENT = MEAN_WEIGHT * MPROTON_G * KM_CM**2 / (2.0 * KBOLTZMANN)


class VirialTemperature(Component):
    """T_vir = coefficient V^2, and the energy per mass e_vir = (3/2) k T_vir / (mu m_p) of gas at that temperature.

    The default coefficient is mu m_p / (2 k) with mu = 0.59, so that e_vir = (3/4) V^2.

    Parameters
    ----------
    coefficient : float
        T_vir / V^2 [K/(km/s)^2].

    Examples
    --------
    >>> print(f"{float(co.physics.VirialTemperature()(200.0)):.2e}")  # [K]
    1.43e+06
    """

    coefficient: Float[Array, ""] = parameter(
        _COEFFICIENT,
        unit="K/(km/s)^2",
        meaning="T_vir / V^2",
        source="virial theorem, mu = 0.59",
        bounds=(30.0, 40.0),
        allowed=NOT_NEGATIVE,
    )

    def __call__(self, vvir: Float[Array, "..."]) -> Float[Array, "..."]:
        """Virial temperature [K] for `vvir` [km/s]."""
        return self.coefficient * vvir**2

    def specific_energy(self, vvir: Float[Array, "..."]) -> Float[Array, "..."]:
        """Thermal energy per mass of gas at the virial temperature [erg/Msun]; also the binding energy of the CGM."""
        return 1.5 * KBOLTZMANN * self(vvir) / (MEAN_WEIGHT * MPROTON_G) * MSUN_G


def dynamical_time(rvir: Float[Array, "..."], vvir: Float[Array, "..."]) -> Float[Array, "..."]:
    """R/V [Gyr] for `rvir` [kpc] and `vvir` [km/s].

    Examples
    --------
    >>> round(float(co.physics.dynamical_time(200.0, 160.0)), 2)
    1.22
    """
    return rvir / vvir * KPC_PER_KMS_GYR


class FreeFall(Component):
    """Free-fall time from the radius of the NFW rotation maximum, r = 2.16 r_s (Pandya et al. 2023).

    In a halo of concentration below 2.16 that radius would lie outside the halo; the limit keeps it inside.

    Parameters
    ----------
    scale_radii : float
        Radius from which gas falls [r_s].
    limit : AbstractMinimum
        How that radius is kept inside the halo.

    Examples
    --------
    >>> round(float(co.physics.FreeFall()(200.0, 160.0, 8.0)), 2)  # [Gyr]
    0.29
    """

    scale_radii: Float[Array, ""] = parameter(
        2.16,
        unit="r_s",
        meaning="radius of maximum circular velocity",
        source="NFW profile",
        bounds=(1.0, 4.0),
        allowed=NOT_NEGATIVE,
    )
    limit: AbstractMinimum = eqx.field(default_factory=lambda: SmoothMinimum(8))

    def __call__(
        self, rvir: Float[Array, "..."], vvir: Float[Array, "..."], concentration: Float[Array, "..."]
    ) -> Float[Array, "..."]:
        """Free-fall time [Gyr] for `rvir` [kpc], `vvir` [km/s] and NFW `concentration`."""
        radius = self.radius(concentration)
        return dynamical_time(radius * rvir, vvir * self.relative_velocity(radius, concentration))

    def radius(self, concentration: Float[Array, "..."]) -> Float[Array, "..."]:
        """Radius from which gas falls, over Rvir."""
        return self.limit(self.scale_radii / concentration, jnp.ones(()))

    def relative_velocity(self, radius: Float[Array, "..."], concentration: Float[Array, "..."]) -> Float[Array, "..."]:
        """Circular velocity of the NFW halo at `radius` [Rvir] over the virial velocity."""
        return jnp.sqrt(_nfw_mass(concentration * radius) / (radius * _nfw_mass(concentration)))


def _nfw_mass(x):
    """Mass of an NFW halo inside x scale radii, over 4 pi rho_s r_s^3."""
    return jnp.log(1.0 + x) - x / (1.0 + x)
