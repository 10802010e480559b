"""Depletion times other than the default power law: dynamical, and regulated by molecular gas.

Both need the size of the disc, and take the place ``depletion_time`` of a model.
"""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ...annotations import Array
from ...parameters import NOT_NEGATIVE, parameter
from ...units import GRAVITY, GRAVITY_CGS, KBOLTZMANN, KPC_CM, MSUN_G
from ..galaxy import AbstractGalaxyScaling, Galaxy
from ..gas.virial import dynamical_time
from .discs import AbstractDiscSize, DiscSize

__all__ = ["DynamicalDepletion", "MolecularDepletion"]

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(12)
_OUTER = 6.0  # scale lengths
_PRESSURE = 0.5 * np.pi * GRAVITY_CGS * (MSUN_G / KPC_CM**2) ** 2 / KBOLTZMANN
"""(pi/2) G Sigma^2 / k [K cm^-3] for a surface density of 1 Msun/kpc^2."""


class DynamicalDepletion(AbstractGalaxyScaling):
    """t_dep = 3 R_d / (epsilon Vvir): a fixed share of the gas forms stars in each dynamical time of the disc [Gyr].

    Parameters
    ----------
    efficiency : float
        epsilon, share of the gas that forms stars per dynamical time.
    disc : AbstractDiscSize
        Scale length R_d of the disc.

    References
    ----------
    Kauffmann et al. 1999, MNRAS 303, 188; Croton et al. 2006, MNRAS 365, 11 (disc radius of three scale lengths).

    Examples
    --------
    >>> model = co.models.ThermalCGM(depletion_time=co.physics.DynamicalDepletion(efficiency=0.05))
    """

    efficiency: Float[Array, ""] = parameter(
        0.07,
        unit="1",
        meaning="share of the gas formed into stars per dynamical time",
        source="Croton et al. 2006",
        bounds=(0.005, 0.5),
        scale="log10",
    )
    disc: AbstractDiscSize = eqx.field(default_factory=DiscSize)

    def __call__(self, galaxy: Galaxy) -> Float[Array, "..."]:
        return dynamical_time(3.0 * self.disc(galaxy.halo), galaxy.halo.vvir) / self.efficiency


class MolecularDepletion(AbstractGalaxyScaling):
    """t_dep = t_H2 / f_H2 [Gyr]: stars form from molecular gas, whose share follows from the midplane pressure.

    Gas and stars lie in exponential discs of one scale length.  In every ring H2/HI = (P / P_0)^0.92 with the pressure
    P = (pi/2) G Sigma_gas [Sigma_gas + (sigma_gas / sigma_star) Sigma_star] of Elmegreen 1989; f_H2 is the mean over
    the gas.  Stars form an isothermal layer whose density falls as exp(-|z| / h) far from the midplane, with the scale
    height h = R_d / flatness; its vertical dispersion is sigma_star^2 = 2 pi G h Sigma_star.  Authors who describe the
    same layer as sech^2(z / z_0) have z_0 = 2 h and write pi G z_0 Sigma_star: their flatness is 2 R_d / z_0.

    Parameters
    ----------
    molecular_time : float
        t_H2, depletion time of molecular gas [Gyr].
    pressure : float
        P_0 / k, at which there is as much H2 as HI [K/cm^3].
    exponent : float
        Power of pressure.
    gas_dispersion : float
        sigma_gas, velocity dispersion of the gas [km/s].
    flatness : float
        R_d / h, scale length over exponential scale height of the stars.
    disc : AbstractDiscSize
        Scale length R_d of the disc.

    References
    ----------
    Blitz & Rosolowsky 2006, ApJ 650, 933 (P_0/k, exponent); Elmegreen 1989, ApJ 338, 178; Leroy et al. 2008, AJ 136,
    2782 (stellar layer, gas dispersion, depletion time of molecular gas 1.9 Gyr).

    Examples
    --------
    >>> model = co.models.ThermalCGM(depletion_time=co.physics.MolecularDepletion(molecular_time=2.3))
    """

    molecular_time: Float[Array, ""] = parameter(
        1.9,
        unit="Gyr",
        meaning="depletion time of molecular gas",
        source="Leroy et al. 2008",
        bounds=(0.5, 5.0),
        scale="log10",
    )
    pressure: Float[Array, ""] = parameter(
        4.3e4,
        unit="K/cm^3",
        meaning="pressure over k at which H2 equals HI",
        source="Blitz & Rosolowsky 2006",
        bounds=(1e4, 2e5),
        scale="log10",
    )
    exponent: Float[Array, ""] = parameter(
        0.92, unit="1", meaning="power of pressure", source="Blitz & Rosolowsky 2006", bounds=(0.5, 1.5)
    )
    gas_dispersion: Float[Array, ""] = parameter(
        11.0,
        unit="km/s",
        meaning="velocity dispersion of the gas",
        source="Leroy et al. 2008",
        bounds=(5.0, 20.0),
        allowed=NOT_NEGATIVE,
    )
    flatness: Float[Array, ""] = parameter(
        7.3,
        unit="1",
        meaning="scale length over exponential scale height of the stars",
        source="Leroy et al. 2008",
        bounds=(3.0, 20.0),
        allowed=NOT_NEGATIVE,
    )
    disc: AbstractDiscSize = eqx.field(default_factory=DiscSize)

    def __call__(self, galaxy: Galaxy) -> Float[Array, "..."]:
        return self.molecular_time / self.molecular_fraction(galaxy)

    def molecular_fraction(self, galaxy: Galaxy) -> Float[Array, "..."]:
        """Mass-weighted share of the gas that is molecular."""
        size = self.disc(galaxy.halo)[..., None]  # rings on the last axis
        radius = 0.5 * _OUTER * (_NODES + 1.0)  # [R_d]
        ring = 0.5 * _OUTER * _WEIGHTS * radius * jnp.exp(-radius)
        profile = jnp.exp(-radius) / (2.0 * jnp.pi * size**2)
        gas, stars = (mass[..., None] * profile for mass in (galaxy.state.mism, galaxy.state.mstar))
        dispersion = jnp.sqrt(2.0 * jnp.pi * GRAVITY * (size / self.flatness) * stars)  # [km/s]
        pressure = _PRESSURE * gas * (gas + self.gas_dispersion / dispersion * stars)
        ratio = jnp.exp(self.exponent * jnp.log(pressure / self.pressure))
        return jnp.sum(ring * ratio / (1.0 + ratio), axis=-1) / jnp.sum(ring)
