"""Stars, winds and new metals: the part of the baryon cycle that the CGM models share.

Stars form from the interstellar medium in a depletion time; part of their mass returns at once with new metals, of
which a share is vented straight to the CGM; a wind carries away ISM gas in proportion to the star-formation rate.
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
from jaxtyping import Float

from ..annotations import Array
from ..physics import Galaxy
from ..units import GYR_YR, Quantity
from .ledger import Flow, FlowRates

__all__ = ["CYCLE_FLOWS", "DIAGNOSTICS", "QUANTITIES", "RESERVOIRS", "Cycle", "baryon_cycle"]

RESERVOIRS = {
    ("mass", "stars"): "mstar",
    ("mass", "ism"): "mism",
    ("mass", "cgm"): "mcgm",
    ("energy", "cgm"): "eth",
    ("metals", "stars"): "mzstar",
    ("metals", "ism"): "mzism",
    ("metals", "cgm"): "mzcgm",
}
"""What every CGM model holds: (currency, reservoir) -> field of the state."""

QUANTITIES = {
    "mstar": Quantity("Msun", "stellar mass"),
    "mism": Quantity("Msun", "interstellar gas mass"),
    "mcgm": Quantity("Msun", "circumgalactic gas mass"),
    "eth": Quantity("erg", "thermal energy of the CGM"),
    "mzstar": Quantity("Msun", "metal mass in stars"),
    "mzism": Quantity("Msun", "metal mass in the ISM"),
    "mzcgm": Quantity("Msun", "metal mass in the CGM"),
}
"""Unit and meaning of those fields."""

CYCLE_FLOWS = (
    Flow("star_formation", "gas locked in long-lived stars", ("ism", "stars"), ("ism", "stars")),
    Flow("enrichment", "new metals kept in the ISM", metals=("nucleosynthesis", "ism")),
    Flow("venting", "new metals vented straight to the CGM", metals=("nucleosynthesis", "cgm")),
    Flow("wind", "ISM gas driven into the CGM", ("ism", "cgm"), ("ism", "cgm")),
)
"""The flows of `baryon_cycle`."""

DIAGNOSTICS = {
    "sfr": Quantity("Msun/yr", "star-formation rate"),
    "temperature": Quantity("K", "CGM temperature at Rvir"),
    "density": Quantity("cm^-3", "CGM particle density at Rvir"),
    "z_ism": Quantity("1", "metal mass fraction of the ISM"),
    "z_cgm": Quantity("1", "metal mass fraction of the CGM"),
    "binding_energy": Quantity("erg", "binding energy of the CGM"),
    "inflow_metallicity": Quantity("1", "metal mass fraction of inflowing gas"),
    "t_dyn": Quantity("Gyr", "halo dynamical time R/V"),
    "mass_loading": Quantity("1", "eta_M"),
    "energy_loading": Quantity("1", "eta_E"),
    "depletion_time": Quantity("Gyr", "ISM mass over star-formation rate, where nothing slows it"),
    "tvir": Quantity("K", "virial temperature"),
    "uv_fraction": Quantity("1", "accreted share under the UV background", log=False),
    "prevention": Quantity("1", "accreted share after preventive feedback", log=False),
}
"""What every CGM model computes of a galaxy beside its state."""


class Cycle(NamedTuple):
    """Rates of the four flows, the quantities that set them, and the galaxy with these quantities known."""

    flows: dict[str, FlowRates]
    sfr: Float[Array, "..."]  # [Msun/yr]
    mass_loading: Float[Array, "..."]
    metal_loading: Float[Array, "..."]
    depletion_time: Float[Array, "..."]  # [Gyr]
    galaxy: Galaxy


def baryon_cycle(model: Any, forcing: Any, galaxy: Galaxy, onset: Any = 1.0) -> Cycle:
    """Star formation, enrichment, venting and wind.

    The laws are evaluated in this order, and each sees what those before it gave: depletion time, mass loading
    (sees ``depletion_time``), metal loading (sees ``depletion_time``, ``mass_loading`` and ``sfr``).

    Parameters
    ----------
    model
        With ``depletion_time``, ``mass_loading``, ``metal_loading``, ``metal_ceiling``, ``emptying`` and
        ``stellar_return``.
    forcing
        What the halo imposes on the first three.
    galaxy : Galaxy
        What is known before star formation.
    onset : array
        Factor on star formation, between 0 and 1.
    """
    state = galaxy.state
    z_ism = state.mzism / state.mism
    depletion_time = model.depletion_time.value(forcing.depletion_time, galaxy)
    galaxy = galaxy.knowing(depletion_time=depletion_time)
    mass_loading = model.mass_loading.value(forcing.mass_loading, galaxy)
    locked_share = 1.0 - model.stellar_return.recycled_fraction
    efficiency = onset * model.emptying((locked_share + mass_loading) / depletion_time)
    sfr = efficiency * state.mism / depletion_time / GYR_YR
    galaxy = galaxy.knowing(mass_loading=mass_loading, sfr=sfr)
    metal_loading = model.metal_ceiling(model.metal_loading.value(forcing.metal_loading, galaxy))
    galaxy = galaxy.knowing(metal_loading=metal_loading)
    locked = locked_share * sfr
    new_metals = model.stellar_return.metal_yield * sfr
    ejected = mass_loading * sfr
    flows = {
        "star_formation": FlowRates(locked, z_ism * locked),
        "enrichment": FlowRates(metals=(1.0 - metal_loading) * new_metals),
        "venting": FlowRates(metals=metal_loading * new_metals),
        "wind": FlowRates(ejected, z_ism * ejected),
    }
    ones = jnp.ones_like(sfr)
    return Cycle(flows, sfr, mass_loading * ones, metal_loading * ones, depletion_time * ones, galaxy)
