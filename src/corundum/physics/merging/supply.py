"""Growth of a halo that brings gas of its own, beside the satellites whose galaxies are accounted for."""

import jax.numpy as jnp
from jaxtyping import Float

from ...annotations import Array
from ...halos import Halo
from ...numerics.limiters import SmoothPositivePart
from ...units import GYR_YR
from .satellites import satellite_share

__all__ = ["smooth_growth", "without_satellites"]

_LEAST = 0.05  # of the growth: some gas falls in whatever else does, and no galaxy starves by an accident of smoothing
_TRICKLE = 1e-5  # of the mass of a satellite that it gains in the age of the universe
_SLOWEST = 1e-6  # [Msun/yr], keeps ratios finite where a halo does not grow


def smooth_growth(halo: Halo) -> Float[Array, "..."]:
    """Growth [Msun/yr] that brings gas of its own: all of it, unless the halo has satellites or is one.

    A satellite gains a hundred-thousandth of its mass in the age of the universe.  Without it the gas around an old one
    falls to the round-off of its other reservoirs, which then drive it, and hundreds of steps follow nothing but noise.

    Examples
    --------
    >>> float(smooth_growth(co.halos.Halo(13.8, 0.0, 1e12, 260.0, 130.0, 10.0, 30.0)))
    30.0
    """
    growth, satellite = halo.growth, satellite_share(halo)
    if "resolved_growth" in halo.extras:
        growth = halo.extras["smooth_share"] * without_satellites(growth, halo.extras["resolved_growth"] / GYR_YR)
    if satellite is None:
        return growth
    return (1.0 - satellite) * growth + satellite * _TRICKLE * halo.mvir / (halo.time * GYR_YR)


def without_satellites(growth: Float[Array, "..."], resolved: Float[Array, "..."]) -> Float[Array, "..."]:
    """`growth` less the part that satellites bring, and at least a twentieth of it; smooth.

    Examples
    --------
    >>> [round(float(without_satellites(30.0, resolved)), 2) for resolved in (0.0, 10.0, 60.0)]
    [30.0, 20.5, 1.5]
    """
    rest = SmoothPositivePart()(1.0 - resolved / jnp.maximum(growth, _SLOWEST), 1.0)
    return growth * (_LEAST + (1.0 - _LEAST) * rest)
