"""How much of the interstellar gas is molecular, ring by ring in exponential discs of gas and stars.

A law takes the rings of a galaxy and gives the molecular share of each; `corundum.physics.MolecularDepletion` forms
stars from that gas, and `corundum.models.GasPhases` says how much atomic and molecular gas a galaxy has.
"""

import abc
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ...annotations import Array
from ...parameters import NOT_NEGATIVE, parameter
from ...printing import Component, in_short
from ...units import GRAVITY, GRAVITY_CGS, GYR_YR, KBOLTZMANN, KPC_CM, MSUN_G
from ..galaxy import Galaxy
from .discs import disc_stars

__all__ = [
    "AbstractMolecularFraction",
    "BlitzRosolowsky06",
    "DiscRings",
    "GnedinDraine14",
    "Krumholz09",
    "RING_MASSES",
    "rings_of",
]

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(12)
_OUTER = 6.0  # scale lengths
_RADII = 0.5 * _OUTER * (_NODES + 1.0)  # [R_d]
RING_MASSES = 0.5 * _OUTER * _WEIGHTS * _RADII * np.exp(-_RADII)
"""Mass of each ring, up to a common factor."""

_PRESSURE = 0.5 * np.pi * GRAVITY_CGS * (MSUN_G / KPC_CM**2) ** 2 / KBOLTZMANN
"""(pi/2) G Sigma^2 / k [K cm^-3] for a surface density of 1 Msun/kpc^2."""
_PER_PC2 = 1e-6  # Msun/kpc^2 in Msun/pc^2
_LEAST = 1e-3  # of solar metallicity: below, dust hardly changes, and molecules form in the gas phase
_SWEEPS = 2  # of the radiation field and the molecular share, which depend on each other
_MILKY_WAY = 2.5e-3  # surface density of star formation of the solar neighbourhood [Msun/yr/kpc^2]


def _solar():
    return parameter(
        0.0134, unit="1", meaning="metal mass fraction of the Sun", source="Asplund et al. 2009", bounds=(0.01, 0.02)
    )


class DiscRings(NamedTuple):
    """Rings of a disc, on the last axis.

    Attributes
    ----------
    gas, stars : surface densities [Msun/kpc^2]
    size : scale length of the disc [kpc]
    metallicity : metal mass fraction of the gas
    molecular_time : depletion time of molecular gas [Gyr]

    Examples
    --------
    >>> rings = co.physics.DiscRings(gas=3e7, stars=1e8, size=3.0, metallicity=0.0134, molecular_time=2.0)
    >>> round(float(co.physics.GnedinDraine14()(rings)), 1)
    0.7
    """

    gas: Float[Array, "..."]
    stars: Float[Array, "..."]
    size: Float[Array, "..."]
    metallicity: Float[Array, "..."]
    molecular_time: Float[Array, "..."]

    def __repr__(self) -> str:
        return in_short(self)


def rings_of(galaxy: Galaxy, size: Float[Array, "..."], molecular_time: Float[Array, "..."]) -> DiscRings:
    """The rings of exponential discs of gas and stars with the scale length `size` [kpc]; mass as in `RING_MASSES`."""
    size = size[..., None]
    profile = jnp.exp(-_RADII) / (2.0 * jnp.pi * size**2)
    gas, stars = (mass[..., None] * profile for mass in (galaxy.state.mism, disc_stars(galaxy.state)))
    metals = getattr(galaxy.state, "mzism", None)
    metallicity = jnp.zeros_like(size) if metals is None else (metals / galaxy.state.mism)[..., None]
    return DiscRings(gas, stars, size, metallicity, molecular_time)


class AbstractMolecularFraction(Component):
    """The molecular share of interstellar gas.

    Examples
    --------
    >>> class DenseGas(co.physics.AbstractMolecularFraction):
    ...     def __call__(self, rings):
    ...         return rings.gas / (rings.gas + 2e7)
    >>> law = co.physics.MolecularDepletion(law=DenseGas())
    """

    @abc.abstractmethod
    def __call__(self, rings: DiscRings) -> Float[Array, "..."]:
        """Molecular share of the gas of each ring, between 0 and 1."""


class BlitzRosolowsky06(AbstractMolecularFraction):
    """H2/HI = (P / P_0)^0.92 with the midplane pressure P.

    P = (pi/2) G Sigma_gas [Sigma_gas + (sigma_gas / sigma_star) Sigma_star] of Elmegreen 1989.  Stars form an
    isothermal layer whose density falls as exp(-|z| / h) far from the midplane, with the scale height h = R_d /
    flatness; its vertical dispersion is sigma_star^2 = 2 pi G h Sigma_star.  Authors who describe the same layer as
    sech^2(z / z_0) have z_0 = 2 h and write pi G z_0 Sigma_star: their flatness is 2 R_d / z_0.

    Parameters
    ----------
    pressure : float
        P_0 / k, at which there is as much H2 as HI [K/cm^3].
    exponent : float
        Power of pressure.
    gas_dispersion : float
        sigma_gas, velocity dispersion of the gas [km/s].
    flatness : float
        R_d / h, scale length over exponential scale height of the stars.

    References
    ----------
    Blitz & Rosolowsky 2006, ApJ 650, 933 (P_0/k, exponent); Elmegreen 1989, ApJ 338, 178; Leroy et al. 2008, AJ 136,
    2782 (stellar layer, gas dispersion).

    Examples
    --------
    >>> law = co.physics.MolecularDepletion(law=co.physics.BlitzRosolowsky06(pressure=3.5e4))
    """

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

    def __call__(self, rings: DiscRings) -> Float[Array, "..."]:
        gas, stars = rings.gas, rings.stars
        dispersion = jnp.sqrt(2.0 * jnp.pi * GRAVITY * (rings.size / self.flatness) * stars)  # [km/s]
        pressure = _PRESSURE * gas * (gas + self.gas_dispersion / dispersion * stars)
        ratio = jnp.exp(self.exponent * jnp.log(pressure / self.pressure))
        return ratio / (1.0 + ratio)


class GnedinDraine14(AbstractMolecularFraction):
    """H2/HI = (Sigma / Sigma_1)^a, set by dust that shields molecules against the radiation of young stars.

    With the dust D = Z / Zsun and the radiation field U in units of that of the solar neighbourhood, a = 0.5 + 1 / (1 +
    sqrt(U D^2 / 600)) and Sigma_1 = 50 Msun/pc^2 / g s / (1 + 1.69 s), where s = sqrt(0.001 + 0.1 U) and g = sqrt(D^2 +
    0.17^2): the numbers of the erratum, which lower Sigma_1 in the solar neighbourhood from 29 to 10 Msun/pc^2.  U is
    the surface density of star formation, which follows from the molecular gas in turn: two iterations from U = 1.

    Parameters
    ----------
    solar_metallicity : float
        Metal mass fraction at which D = 1.

    References
    ----------
    Gnedin & Draine 2014, ApJ 795, 37, and their erratum of 2016, ApJ 830, 54.

    Examples
    --------
    >>> law = co.physics.GnedinDraine14()
    >>> [round(float(law.share(density, dust=1.0, radiation=1.0)), 3) for density in (10.0, 30.0, 100.0)]  # Msun/pc^2
    [0.493, 0.829, 0.966]
    """

    solar_metallicity: Float[Array, ""] = _solar()

    def share(self, density: Float[Array, "..."], dust: Float[Array, "..."], radiation: Float[Array, "..."]) -> Array:
        """Molecular share at a `density` [Msun/pc^2], for D and U."""
        s = jnp.sqrt(0.001 + 0.1 * radiation)
        equal = 50.0 / jnp.sqrt(dust**2 + 0.17**2) * s / (1.0 + 1.69 * s)
        power = 0.5 + 1.0 / (1.0 + jnp.sqrt(radiation * dust**2 / 600.0))
        ratio = jnp.exp(power * jnp.log(density / equal))
        return ratio / (1.0 + ratio)

    def __call__(self, rings: DiscRings) -> Float[Array, "..."]:
        density = rings.gas * _PER_PC2
        dust = jnp.maximum(rings.metallicity / self.solar_metallicity, _LEAST)
        share = self.share(density, dust, 1.0)
        for _ in range(_SWEEPS):
            formed = share * rings.gas / (rings.molecular_time * GYR_YR)  # [Msun/yr/kpc^2]
            share = self.share(density, dust, formed / _MILKY_WAY)
        return share


class Krumholz09(AbstractMolecularFraction):
    """Molecules in clouds in two-phase equilibrium, shielded by dust; clouds are c times as dense as the mean.

    Parameters
    ----------
    clumping : float
        c.
    solar_metallicity : float
        Metal mass fraction of the Sun.

    References
    ----------
    Krumholz, McKee & Tumlinson 2009, ApJ 693, 216; ApJ 699, 850.

    Examples
    --------
    >>> law = co.physics.Krumholz09()
    >>> [round(float(law.share(density, 1.0)), 3) for density in (10.0, 30.0, 100.0)]  # Msun/pc^2, solar
    [0.641, 0.872, 0.96]
    """

    clumping: Float[Array, ""] = parameter(
        5.0,
        unit="1",
        meaning="surface density of clouds over the mean",
        source="Krumholz, McKee & Tumlinson 2009",
        bounds=(1.0, 10.0),
        scale="log10",
    )
    solar_metallicity: Float[Array, ""] = _solar()

    def share(self, density: Float[Array, "..."], metallicity: Float[Array, "..."]) -> Float[Array, "..."]:
        """Molecular share at a `density` [Msun/pc^2] and Z/Zsun."""
        chi = 0.77 * (1.0 + 3.1 * metallicity**0.365)
        s = jnp.log1p(0.6 * chi) / (0.04 * self.clumping * density * metallicity)
        delta = 0.0712 * (0.1 / s + 0.675) ** -2.8
        return -jnp.expm1(-0.2 * jnp.log1p((0.75 * s / (1.0 + delta)) ** -5))

    def __call__(self, rings: DiscRings) -> Float[Array, "..."]:
        metallicity = jnp.maximum(rings.metallicity / self.solar_metallicity, _LEAST)
        return self.share(rings.gas * _PER_PC2, metallicity)
