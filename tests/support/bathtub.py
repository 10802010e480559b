"""The smallest model whose galaxies can merge: gas falls in, cools, forms stars, is blown out and leaves, all at
constant rates, so that its programs compile in seconds.
"""

from typing import Any, ClassVar, NamedTuple

import equinox as eqx
import jax.numpy as jnp

from corundum.models import AbstractGalaxyModel, Flow, FlowRates, Fluxes, HandingOver, Ledger, Merging
from corundum.models.process import channel_multipliers
from corundum.parameters import parameter
from corundum.physics import Galaxy, StellarReturn
from corundum.physics.merging.supply import smooth_growth
from corundum.units import GYR_YR, YEAR_S, Quantity


class BathtubState(NamedTuple):
    mstar: Any
    mism: Any
    mcgm: Any
    mzstar: Any
    mzism: Any
    mzcgm: Any
    eth: Any


_ENERGY = 1e48  # erg/Msun of gas in any halo
_FIELDS = {"mstar": "stars", "mism": "interstellar gas", "mcgm": "gas around the galaxy"}
_LEDGER = Ledger(
    BathtubState,
    {
        ("mass", "stars"): "mstar", ("mass", "ism"): "mism", ("mass", "cgm"): "mcgm",
        ("metals", "stars"): "mzstar", ("metals", "ism"): "mzism", ("metals", "cgm"): "mzcgm",
        ("energy", "cgm"): "eth",
    },
    [
        Flow("accretion", "gas falling in", *(("igm", "cgm"),) * 3),
        Flow("cooling", "gas reaching the galaxy", ("cgm", "ism"), ("cgm", "ism")),
        Flow("star_formation", "gas locked in stars", ("ism", "stars"), ("ism", "stars")),
        Flow("enrichment", "new metals", metals=("nucleosynthesis", "ism")),
        Flow("venting", "new metals blown out", metals=("nucleosynthesis", "cgm")),
        Flow("wind", "gas blown out of the galaxy", ("ism", "cgm"), ("ism", "cgm")),
        Flow("outflow", "gas leaving the halo", *(("cgm", "igm"),) * 3),
    ],
    {
        "eth": Quantity("erg", "energy of the gas around the galaxy"),
        **{field: Quantity("Msun", meaning) for field, meaning in _FIELDS.items()},
        **{f"mz{field[1:]}": Quantity("Msun", f"metals in {meaning}") for field, meaning in _FIELDS.items()},
    },
)  # fmt: skip


def _time(default, meaning):
    return parameter(default, unit="Gyr", meaning=meaning, source="choice", bounds=(0.1, 30.0), scale="log10")


class Bathtub(AbstractGalaxyModel):
    """Three reservoirs of gas, stars and their metals."""

    own_ledger: ClassVar[Ledger] = _LEDGER
    own_diagnostics: ClassVar[dict] = {
        "sfr": Quantity("Msun/yr", "star-formation rate"),
        "binding_energy": Quantity("erg", "not followed"),
        "wind_heating": Quantity("erg/s", "not followed"),
    }

    cooling_time: Any = _time(2.0, "cooling time")
    depletion_time: Any = _time(1.5, "depletion time")
    leaving_time: Any = _time(8.0, "time in which gas leaves the halo")
    loading: Any = parameter(1.5, unit="1", meaning="mass loading", source="choice", bounds=(0.1, 10.0), scale="log10")
    stellar_return: StellarReturn = eqx.field(default_factory=StellarReturn)
    processes: dict = eqx.field(default_factory=dict)
    channels: dict = channel_multipliers()

    def own_initial(self, halo, cosmology):
        gas = 0.1 * cosmology.baryon_fraction * halo.mvir
        return BathtubState(*(share * gas for share in (1e-3, 1e-2, 1.0, 1e-6, 1e-5, 1e-3, _ENERGY)))

    def forcing(self, halo, cosmology):
        return halo, cosmology.baryon_fraction * jnp.maximum(smooth_growth(halo), 0.0)

    def own_fluxes(self, state, forcing):
        halo, supply = forcing
        z_ism, z_cgm = state.mzism / state.mism, state.mzcgm / state.mcgm
        cooling = state.mcgm / self.cooling_time / GYR_YR
        sfr = state.mism / self.depletion_time / GYR_YR
        leaving = state.mcgm / self.leaving_time / GYR_YR
        flows = {
            "accretion": FlowRates(supply, 1e-4 * supply, supply * _ENERGY / YEAR_S),
            "cooling": FlowRates(cooling, z_cgm * cooling),
            "star_formation": FlowRates(0.6 * sfr, z_ism * 0.6 * sfr),
            "enrichment": FlowRates(metals=0.01 * sfr),
            "venting": FlowRates(metals=0.01 * sfr),
            "wind": FlowRates(self.loading * sfr, z_ism * self.loading * sfr),
            "outflow": FlowRates(leaving, z_cgm * leaving, leaving * state.eth / state.mcgm / YEAR_S),
        }
        known = {"sfr": sfr, "binding_energy": _ENERGY * state.mcgm, "wind_heating": 0.0 * sfr}
        return Fluxes(flows, known), Galaxy(state, halo, known, flows)


def with_satellites(**processes):
    """The model with what satellites need, and further processes."""
    return Bathtub(processes={"merging": Merging(), "handing_over": HandingOver(), **processes})
