"""What a satellite meets in the halo of its host: hot gas that it moves through, and tides.

The host is known from a solve of its own: its mass and radius, and the hot gas in it, reach the satellite as curves of
its halo.  The orbit is that of a typical satellite, and friction shrinks it as far as it has brought satellites to the
centre.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Float

from ...annotations import Array
from ...cosmology import circular_velocity
from ...halos import Halo
from ...units import GRAVITY, LN10, Quantity
from ..gas.virial import dynamical_time
from .satellites import has_merged

__all__ = [
    "HOST_CURVES",
    "Host",
    "bound_stars",
    "gas_density",
    "host_of",
    "kept_hot_gas",
    "kept_disc_gas",
    "ram_pressure",
    "tidal_rate",
]

HOST_CURVES = {
    "log_host_mvir": Quantity("log10(Msun)", "virial mass of the host", log=False),
    "log_host_rvir": Quantity("log10(kpc)", "virial radius of the host", log=False),
    "log_host_cgm": Quantity("log10(Msun)", "gas around the galaxy of the host", log=False),
}
"""Curves of the host of each satellite; those of a central are its own."""

_SPEED = 1.44  # v^2 over V^2 of the host, the median of orbits at infall (Li et al. 2020)
_INNERMOST = 0.04  # of r^2, where friction leaves a satellite
_SOFT = 0.2  # width of the smooth limit of stripping radii, in scale lengths
_SLOPE = 1.5  # of the density of hot gas, rho ~ r^-1.5
_LEAST = 1e-30


class Host(NamedTuple):
    """The host of a satellite at one time.

    Attributes
    ----------
    mvir : [Msun]
    rvir : [kpc]
    vvir : [km/s]
    mcgm : [Msun]
    """

    mvir: Float[Array, "..."]
    rvir: Float[Array, "..."]
    vvir: Float[Array, "..."]
    mcgm: Float[Array, "..."]


def host_of(halo: Halo) -> Host | None:
    """The host of a satellite; None in histories without satellites.

    Examples
    --------
    >>> curves = co.halos.Extras(log_host_mvir=14.0, log_host_rvir=3.0, log_host_cgm=13.0)
    >>> halo = co.halos.Halo(6.0, 1.0, 1e11, 80.0, 70.0, 8.0, 3.0, extras=curves)
    >>> round(float(host_of(halo).vvir))
    656
    """
    if "log_host_mvir" not in halo.extras:
        return None
    mvir, rvir, mcgm = (jnp.exp(LN10 * halo.extras[name]) for name in HOST_CURVES)
    return Host(mvir, rvir, circular_velocity(mvir, rvir), mcgm)


def gas_density(
    mass: Float[Array, "..."], rvir: Float[Array, "..."], share: Float[Array, "..."]
) -> Float[Array, "..."]:
    """Density [Msun/kpc^3] of hot gas of some mass, at a share of the virial radius.

    Examples
    --------
    >>> print(f"{float(gas_density(1e13, 1224.0, 0.5)):.0f}")
    1841
    """
    return (3.0 - _SLOPE) / (4.0 * jnp.pi) * mass / rvir**3 * share**-_SLOPE


def ram_pressure(halo: Halo, host: Host, orbit: Float[Array, "..."]) -> Float[Array, "..."]:
    """Density of the gas of the host times velocity squared [Msun (km/s)^2 / kpc^3] on an orbit of `orbit` times Rvir.

    Examples
    --------
    In a cluster, in Msun (km/s)^2 / pc^3:

    >>> curves = co.halos.Extras(infall_age=14.0, merging_time=2.0, merging_scatter=0.6)
    >>> halo = co.halos.Halo(13.8, 0.0, 1e11, 80.0, 70.0, 8.0, 3.0, extras=curves)
    >>> print(f"{1e-9 * float(ram_pressure(halo, Host(1e14, 1224.0, 593.0, 1e13), 0.5)):.2f}")
    0.93
    """
    merged, _ = has_merged(halo)
    share = orbit * jnp.sqrt(_INNERMOST + (1.0 - _INNERMOST) * (1.0 - merged))
    return gas_density(host.mcgm, host.rvir, share) * _SPEED * host.vvir**2


def kept_hot_gas(strength: Float[Array, "..."]) -> Float[Array, "..."]:
    """Share of its hot gas that a satellite keeps where ram pressure is `strength` times what holds the gas at Rvir.

    (1 + y / 3)^-0.4 follows the gas of a halo with an NFW profile, which is harder to remove than gas with the density
    of the models.

    Examples
    --------
    >>> [round(float(kept_hot_gas(y)), 2) for y in (3.0, 10.0, 30.0, 100.0, 300.0)]
    [0.76, 0.56, 0.38, 0.24, 0.16]
    """
    return (1.0 + strength / 3.0) ** -0.4


def kept_disc_gas(
    gas: Float[Array, "..."], stars: Float[Array, "..."], pressure: Float[Array, "..."]
) -> Float[Array, "..."]:
    """Share of the gas of an exponential disc that ram pressure leaves (Gunn & Gott 1972).

    Parameters
    ----------
    gas, stars : array
        Central surface densities [Msun/kpc^2].
    pressure : array
        [Msun (km/s)^2 / kpc^3].

    Examples
    --------
    Discs in a cluster of 10^14 Msun, with surface densities in Msun/pc^2:

    >>> kept = [kept_disc_gas(1e6 * gas, 1e6 * stars, 0.96e9) for gas, stars in ((20.0, 200.0), (10.0, 30.0))]
    >>> [round(float(share), 2) for share in kept]
    [0.69, 0.34]
    """
    ratio = 2.0 * jnp.pi * GRAVITY * gas * (gas + stars) / (pressure + _LEAST)
    radius = _SOFT * jax.nn.softplus(0.5 * jnp.log(ratio) / _SOFT)
    return -jnp.expm1(-radius) - radius * jnp.exp(-radius)


def bound_stars(
    bound: Float[Array, "..."], transition: Float[Array, "..."], slope: Float[Array, "..."]
) -> tuple[Float[Array, "..."], Float[Array, "..."]]:
    """Share of the stars that tides leave where they leave the share `bound` of the halo, and d ln / d ln of the two.

    [(1 + x_s) / (x + x_s)]^mu x^mu of the mass x within the radius of the peak of the rotation curve (Errani et al.
    2018), which loses less than the halo: x = b sqrt(2 / (1 + b)).

    Parameters
    ----------
    bound : array
        Bound mass of the halo over that at infall.
    transition, slope : array
        x_s and mu.

    Examples
    --------
    >>> shares = [bound_stars(b, 10.0**-2.64, 1.87)[0] for b in (0.3, 0.1, 0.03, 0.01, 0.003)]
    >>> [round(float(share), 3) for share in shares]
    [0.993, 0.973, 0.909, 0.757, 0.447]
    """
    inner = bound * jnp.sqrt(2.0 / (1.0 + bound))
    share = (inner * (1.0 + transition) / (inner + transition)) ** slope
    return share, slope * transition / (inner + transition) * (1.0 - 0.5 * bound / (1.0 + bound))


def tidal_rate(
    halo: Halo, host: Host, bound: Float[Array, "..."], strength: Float[Array, "..."], slope: Float[Array, "..."]
) -> Float[Array, "..."]:
    """-d ln(bound mass) / dt [1/Gyr]: A / t' (m / M_host)^zeta with t' = (pi / 2) R / V of the host.

    The rate of Jiang & van den Bosch 2016.

    Examples
    --------
    >>> halo = co.halos.Halo(13.8, 0.0, 1e11, 80.0, 70.0, 8.0, 3.0)
    >>> print(f"{float(tidal_rate(halo, Host(1e14, 1224.0, 593.0, 1e13), 1.0, 0.86, 0.0)):.3f}")
    0.271
    """
    period = 0.5 * jnp.pi * dynamical_time(host.rvir, host.vvir)
    return strength / period * (bound * halo.mvir / host.mvir) ** slope
