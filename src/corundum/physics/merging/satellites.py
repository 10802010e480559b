"""What the halo of a satellite says of it: how far it is a satellite, and whether it has merged.

Histories with satellites reach a galaxy as curves of its halo: when it fell in, and the distribution of its merging
times.  A galaxy of a halo without these curves is a central that never merges.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Float

from ...annotations import Array
from ...halos import Halo
from ...units import Quantity
from .dynamical_friction import merged_share, merging_rate

__all__ = ["SATELLITE_CURVES", "has_merged", "satellite_share"]

SATELLITE_CURVES = {
    "infall_age": Quantity("Gyr", "cosmic age at which a halo became a satellite; far ahead: central", log=False),
    "merging_time": Quantity("Gyr", "median time from infall to merging", log=False),
    "merging_scatter": Quantity("1", "scatter of ln(merging time)", log=False),
}
"""Constants of each halo, as curves that do not change."""

_WIDTH = 0.05  # in ln(t), over which a central becomes a satellite


def satellite_share(halo: Halo) -> Float[Array, "..."] | None:
    """How far a galaxy is a satellite, 0 to 1; None for halos that have no satellites.

    Examples
    --------
    >>> falling = co.halos.Extras(infall_age=6.0, merging_time=2.0, merging_scatter=0.6)
    >>> halo = co.halos.Halo(6.0, 1.0, 1e11, 80.0, 70.0, 8.0, 3.0, extras=falling)
    >>> float(satellite_share(halo)), satellite_share(halo._replace(extras=co.halos.Extras()))
    (0.5, None)
    """
    if "infall_age" not in halo.extras:
        return None
    return jax.nn.sigmoid((jnp.log(halo.time) - jnp.log(halo.extras["infall_age"])) / _WIDTH)


def has_merged(halo: Halo) -> tuple[Float[Array, "..."], Float[Array, "..."]]:
    """The probability to have merged, and its rate [1/Gyr]; zero for centrals.

    Examples
    --------
    >>> falling = co.halos.Extras(infall_age=6.0, merging_time=2.0, merging_scatter=0.6)
    >>> merged, rate = has_merged(co.halos.Halo(8.0, 1.0, 1e11, 80.0, 70.0, 8.0, 3.0, extras=falling))
    >>> float(merged), round(float(rate), 3)
    (0.5, 0.332)
    """
    extras, zero = halo.extras, 0.0 * halo.time
    if "infall_age" not in extras:
        return zero, zero
    delay, median, scatter = halo.time - extras["infall_age"], extras["merging_time"], extras["merging_scatter"]
    begun = delay > 0.0
    return (
        jnp.where(begun, merged_share(delay, median, scatter), zero),
        jnp.where(begun, merging_rate(delay, median, scatter), zero),
    )
