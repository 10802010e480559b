"""A model small enough to solve by hand: gas falls in at a constant rate, forms stars, and is blown away.

With I the inflow, tau the depletion time and eta the loading,

    dg/dt = I - (1 + eta) g / tau,    ds/dt = g / tau,

so that g relaxes exponentially to I tau / (1 + eta) and everything has a closed form.
"""

from typing import ClassVar, NamedTuple

import equinox as eqx
import jax.numpy as jnp

from corundum.models import AbstractModel, Flow, FlowRates, Fluxes, Ledger
from corundum.parameters import parameter
from corundum.units import Quantity


class ToyState(NamedTuple):
    gas: jnp.ndarray
    stars: jnp.ndarray


class ToyForcing(NamedTuple):
    inflow: jnp.ndarray


def _number(default, meaning, bounds=(0.1, 10.0), scale="log10"):
    return parameter(default, unit="1", meaning=meaning, source="made up", bounds=bounds, scale=scale)


class ToyChannels(eqx.Module):
    inflow: jnp.ndarray = _number(1.0, "multiplier of the inflow", scale="linear")
    star_formation: jnp.ndarray = _number(1.0, "multiplier of star formation", scale="linear")
    wind: jnp.ndarray = _number(1.0, "multiplier of the wind", scale="linear")


class Toy(AbstractModel):
    """Two reservoirs, three flows."""

    ledger: ClassVar[Ledger] = Ledger(
        ToyState,
        {("mass", "ism"): "gas", ("mass", "stars"): "stars"},
        [
            Flow("inflow", "gas falling in", ("igm", "ism")),
            Flow("star_formation", "gas turned into stars", ("ism", "stars")),
            Flow("wind", "gas blown away", ("ism", "igm")),
        ],
        {"gas": Quantity("Msun", "gas mass"), "stars": Quantity("Msun", "stellar mass")},
    )
    diagnostics: ClassVar[dict] = {"sfr": Quantity("Msun/yr", "star-formation rate")}

    inflow: jnp.ndarray = _number(2.0, "inflow [Msun/yr]")
    time: jnp.ndarray = _number(3.0, "depletion time [Gyr]")
    loading: jnp.ndarray = _number(0.5, "mass loading", bounds=(0.01, 3.0))
    idle: jnp.ndarray = _number(1.0, "nothing depends on it", scale="linear")
    gas: jnp.ndarray = parameter(1e9, unit="Msun", meaning="gas at the start", source="made up", bounds=(1e8, 1e10))
    stars: jnp.ndarray = parameter(1e8, unit="Msun", meaning="stars at the start", source="made up", bounds=(1e7, 1e9))
    channels: ToyChannels = eqx.field(default_factory=ToyChannels)
    fixed: str = eqx.field(default="a choice", static=True)

    def initial(self, halo, cosmology):
        return ToyState(self.gas * jnp.ones_like(halo.mvir), self.stars * jnp.ones_like(halo.mvir))

    def forcing(self, halo, cosmology):
        return ToyForcing(self.inflow * jnp.ones_like(halo.mvir))

    def fluxes(self, state, forcing):
        sfr = self.channels.star_formation * state.gas / self.time / 1e9
        rates = {
            "inflow": FlowRates(self.channels.inflow * forcing.inflow),
            "star_formation": FlowRates(sfr),
            "wind": FlowRates(self.channels.wind * self.loading * state.gas / self.time / 1e9),
        }
        return Fluxes(rates, {"sfr": sfr})


def solution(model, elapsed):
    """(gas, stars) after `elapsed` Gyr, in closed form."""
    relax = model.time / (1.0 + model.loading)
    settled = model.inflow * 1e9 * relax
    decay = jnp.exp(-elapsed / relax)
    gas = settled + (model.gas - settled) * decay
    stars = model.stars + (settled * elapsed + (model.gas - settled) * relax * (1.0 - decay)) / model.time
    return gas, stars
