"""Stars, winds and new metals: the part of the baryon cycle that the CGM models share.

Stars form from the interstellar medium in a depletion time; part of their mass returns at once with new metals, of
which a share is vented straight to the CGM; a wind carries away ISM gas in proportion to the star-formation rate.
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from ..physics import Galaxy
from ..units import GYR_YR
from .ledger import Rates

__all__ = ["Cycle", "baryon_cycle"]


class Cycle(NamedTuple):
    """Rates of the four flows, and what set them."""

    flows: dict[str, Rates]
    sfr: Float[Array, "..."]  # [Msun/yr]
    mass_loading: Float[Array, "..."]
    metal_loading: Float[Array, "..."]
    depletion_time: Float[Array, "..."]  # [Gyr]


def baryon_cycle(model: Any, forcing: Any, galaxy: Galaxy, onset: Any = 1.0) -> Cycle:
    """Star formation, enrichment, venting and wind.

    Parameters
    ----------
    model
        With ``depletion_time``, ``mass_loading``, ``metal_loading``, ``metal_ceiling`` and ``stellar_return``.
    forcing
        What the halo imposes on the first three.
    galaxy : Galaxy
    onset : array
        Factor on star formation, between 0 and 1.
    """
    state = galaxy.state
    z_ism = state.mzism / state.mism
    depletion_time = model.depletion_time.value(forcing.depletion_time, galaxy)
    sfr = onset * state.mism / depletion_time / GYR_YR
    galaxy = galaxy._replace(quantities=galaxy.quantities | {"sfr": sfr, "depletion_time": depletion_time})
    mass_loading = model.mass_loading.value(forcing.mass_loading, galaxy)
    metal_loading = model.metal_ceiling(model.metal_loading.value(forcing.metal_loading, galaxy))
    locked = (1.0 - model.stellar_return.recycled_fraction) * sfr
    new_metals = model.stellar_return.metal_yield * sfr
    ejected = mass_loading * sfr
    flows = {
        "star_formation": Rates(locked, z_ism * locked),
        "enrichment": Rates(metals=(1.0 - metal_loading) * new_metals),
        "venting": Rates(metals=metal_loading * new_metals),
        "wind": Rates(ejected, z_ism * ejected),
    }
    like = jnp.ones_like(sfr)
    return Cycle(flows, sfr, mass_loading * like, metal_loading * like, depletion_time * like)
