"""What follows from the infall of satellites alone: when they merge, and which growth of a host brings gas of its own.

Halo growth that brings satellites brings no gas beside what these hold.  What a satellite does not hold, because its
halo never accreted it or has lost it, lies around it and reaches the host with it: the gas of halos too light to be
followed arrives in the same way, so that galaxies do not depend on the least mass of satellites.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Float, Int

from ..annotations import Array
from ..cosmology import Cosmology
from ..halos import Satellites
from ..numerics.compiling import compiled
from ..physics import DynamicalFriction
from ..physics.merging.dynamical_friction import merged_share, merging_rate
from .arrivals import PULSE, pulses, smooth_share

__all__ = ["BroughtGrowth", "brought_growth", "known_infalls", "survival_of"]

_NEVER = 1e3  # times the last time: when centrals become satellites
_KNOWN_ORBIT = 0.6  # of the scatter of merging times is left where the orbit is known: orbits scatter them by 0.48


@compiled
def known_infalls(
    friction: DynamicalFriction,
    time: Float[Array, " t"],
    log_mvir: Float[Array, "n t"],
    log_rvir: Float[Array, "n t"] | None,
    satellites: Satellites,
    host: Int[Array, " n"],
    cosmology: Cosmology,
) -> dict[str, Any]:
    """What follows from halos and merging times alone, whatever the galaxies do, by the names of curves."""
    is_satellite = host >= 0
    infall = jnp.where(is_satellite, satellites.infall, _NEVER * time[-1])
    redshift = jnp.expm1(jnp.interp(jnp.log(infall), jnp.log(time), jnp.log1p(cosmology.redshift(time))))
    orbit = satellites.known_orbit
    ratio = jnp.where(is_satellite, jnp.minimum(satellites.ratio, 1.0), 0.1)
    median = friction.median(
        ratio, 0.1 / cosmology.hubble_rate(redshift),
        jnp.where(orbit, satellites.circularity, friction.circularity),
        jnp.where(orbit, satellites.radius, friction.radius),
    )  # fmt: skip
    scatter = jnp.where(orbit, _KNOWN_ORBIT, 1.0) * friction.scatter
    own = jnp.where(is_satellite, host, jnp.arange(len(host)))
    if log_rvir is None:
        log_rvir = jnp.log10(cosmology.virial_radius(10.0**log_mvir, cosmology.redshift(time)))
    delay = time - infall[:, None]
    rate = time * merging_rate(delay, median[:, None], scatter[:, None])
    return {
        "infall_age": infall,
        "merging_time": median,
        "merging_scatter": scatter,
        "log_host_mvir": log_mvir[own],
        "log_host_rvir": log_rvir[own],
        "rate": jnp.where(delay > 0.0, rate, 0.0),
    }


class BroughtGrowth(NamedTuple):
    """Growth of N halos that satellites bring.

    Attributes
    ----------
    resolved : (array, array), shape (N, T)
        Running total [Msun] of the halo mass whose gas the galaxies of satellites hold, and its slope in ln(t).
    smooth_share : array, shape (N,)
        Of the other growth, which brings gas; close to 1.
    """

    resolved: tuple[Float[Array, "n t"], Float[Array, "n t"]]
    smooth_share: Float[Array, " n"]


@compiled
def brought_growth(
    time: Float[Array, " t"],
    log_mvir: Float[Array, "n t"],
    start: Float[Array, " n"],
    infall: Float[Array, " n"],
    host: Int[Array, " n"],
    held: Float[Array, "n k"],
    knots: Float[Array, " k"],
    baryon_fraction: Float[Array, ""],
) -> BroughtGrowth:
    """Growth that brings satellites, as far as these hold the gas of their halos when they fall in.

    Parameters
    ----------
    time : array, shape (T,)
    log_mvir, start, infall, host
        Of the halos; infall is far ahead for centrals.
    held : array, shape (N, K)
        Gas, stars and black holes of each galaxy [Msun] at the `knots`, as a central without satellites.
    knots : array, shape (K,)
    baryon_fraction : float
    """
    is_satellite = host >= 0
    mvir, into = 10.0**log_mvir, jnp.where(is_satellite, host, len(host))
    ln_infall = jnp.log(jnp.minimum(infall, time[-1]))
    at_infall = jax.vmap(jnp.interp, in_axes=(0, None, 0))(ln_infall, jnp.log(knots), held)
    share = jnp.minimum(at_infall / (baryon_fraction * mvir[:, -1]), 1.0)
    mass = jnp.where(is_satellite, share * mvir[:, -1], 0.0)[:, None]
    joined, joining = pulses(time, infall)
    resolved, slope = (jax.ops.segment_sum(mass * curve, into, len(host)) for curve in (joined, joining / PULSE))
    hosts = jax.ops.segment_sum(jnp.ones(len(host)), into, len(host)) > 0
    smooth = jax.vmap(smooth_share, in_axes=(None, 0, 0, 0, 0))(time, mvir, start, resolved, hosts)
    return BroughtGrowth((resolved, slope), smooth)


def survival_of(constants: dict[str, Any], ages: Float[Array, " k"]) -> Float[Array, "n k"]:
    """Share of the galaxies that have not merged by some cosmic ages [Gyr]."""
    infall, median, scatter = (constants[name][:, None] for name in ("infall_age", "merging_time", "merging_scatter"))
    delay = ages - infall
    return jnp.where(delay > 0.0, 1.0 - merged_share(delay, median, scatter), 1.0)
