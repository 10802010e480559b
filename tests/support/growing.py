"""A galaxy model with the quantities that scaling relations read, and so few laws that it compiles at once."""

from typing import ClassVar, NamedTuple

import equinox as eqx
import jax.numpy as jnp

from corundum.models import AbstractModel, Flow, FlowRates, Fluxes, Ledger
from corundum.units import Quantity
from toy import ToyChannels, _number


class GrowingState(NamedTuple):
    mism: jnp.ndarray
    mstar: jnp.ndarray


class GrowingForcing(NamedTuple):
    inflow: jnp.ndarray


class Growing(AbstractModel):
    """Gas falls in with the halo, forms stars over a time, and is blown away."""

    ledger: ClassVar[Ledger] = Ledger(
        GrowingState,
        {("mass", "ism"): "mism", ("mass", "stars"): "mstar"},
        [
            Flow("inflow", "gas falling in", ("igm", "ism")),
            Flow("star_formation", "gas turned into stars", ("ism", "stars")),
            Flow("wind", "gas blown away", ("ism", "igm")),
        ],
        {"mism": Quantity("Msun", "gas mass"), "mstar": Quantity("Msun", "stellar mass")},
    )
    diagnostics: ClassVar[dict] = {"sfr": Quantity("Msun/yr", "star-formation rate")}

    time: jnp.ndarray = _number(3.0, "depletion time [Gyr]")
    loading: jnp.ndarray = _number(2.0, "mass loading", bounds=(0.1, 30.0))
    channels: ToyChannels = eqx.field(default_factory=ToyChannels)
    blown: float = eqx.field(static=True, default=1.0)

    def initial(self, halo, cosmology):
        gas = 0.1 * halo.mvir
        return GrowingState(gas, 0.05 * gas)

    def forcing(self, halo, cosmology):
        return GrowingForcing(cosmology.baryon_fraction * jnp.maximum(halo.growth, 0.0))

    def fluxes(self, state, forcing):
        sfr = state.mism / self.time / 1e9
        rates = {
            "inflow": FlowRates(forcing.inflow),
            "star_formation": FlowRates(sfr),
            "wind": FlowRates(self.blown * self.loading * sfr),
        }
        return Fluxes(rates, {"sfr": sfr})
