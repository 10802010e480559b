"""Bookkeeping: a model that also integrates what each of its flows has carried, and where its gas has been.

`Accounted` wraps any model.  Its state is that of the model and, integrated with it by the same solver, the running
total of every flow in every currency and tracers of gas that has been in the interstellar medium before.  Nothing feeds
back, so the galaxies are those of the model.  The solver integrates logarithms, which must be finite: each running
total therefore starts at what the galaxy holds when its halo starts.  That opening balance is kept as a constant, and
`Accounted.totals` subtracts it.
"""

import collections
import functools
from typing import Any

import jax.numpy as jnp

from ..annotations import Array
from ..cosmology import Cosmology
from ..halos import Halo
from ..models import AbstractModel, Flow, FlowRates, Fluxes, Ledger
from ..models.currencies import CURRENCIES
from ..units import Quantity

__all__ = ["Accounted", "TRACERS", "contents"]

TRACERS = {
    "mejected": Quantity("Msun", "CGM gas that has been in the ISM before"),
    "mrecycled": Quantity("Msun", "gas that has cooled onto the ISM again after having been ejected from it"),
    "mexpelled": Quantity("Msun", "gas that has left the halo after having been in the ISM"),
}
"""What is integrated besides the running totals of the flows."""

_BARYON_FRACTION = Quantity("1", "cosmic baryon fraction")


class Accounted(AbstractModel):
    """`model` with the running totals of its flows.

    Parameters
    ----------
    model : AbstractModel
        With reservoirs called ``ism`` and ``cgm`` in its ledger.

    Raises
    ------
    ValueError
        The model has no such reservoirs.
    """

    model: AbstractModel

    def __check_init__(self):
        reservoirs = {reservoir for _, reservoir in self.model.ledger.contents}
        missing = {"ism", "cgm"} - reservoirs
        if missing:
            raise ValueError(
                f"budgets: {type(self.model).__name__} has no reservoir {' or '.join(sorted(missing))}; budgets follow "
                "gas between cgm and ism, so give the reservoirs of its ledger these names"
            )

    @property
    def ledger(self) -> Ledger:
        """The model's ledger, with one more reservoir for each running total and tracer."""
        return _ledger(self.model.ledger)

    @property
    def diagnostics(self) -> dict[str, Quantity]:
        """Those of the model."""
        return self.model.diagnostics

    def initial(self, halo: Halo, cosmology: Cosmology) -> Any:
        state = self.model.initial(halo, cosmology)
        initial_ism = getattr(state, self.model.ledger.contents["mass", "ism"])
        followed = self.model.ledger.currencies
        opening = {currency: sum(contents(self.model.ledger, state, currency).values()) for currency in followed}
        totals = {name: opening[currency] for name, _, currency in _totals(self.model.ledger)}
        constants = {f"opening_{currency}": balance for currency, balance in opening.items()}
        constants["baryon_fraction"] = cosmology.baryon_fraction * jnp.ones_like(initial_ism)
        return self.ledger.state(*state, **totals, **dict.fromkeys(TRACERS, initial_ism), **constants)

    def forcing(self, halo: Halo, cosmology: Cosmology) -> Any:
        return self.model.forcing(halo, cosmology)

    def breaks(self, cosmology: Cosmology) -> tuple[Array, ...]:
        return self.model.breaks(cosmology)

    def fluxes(self, state: Any, forcing: Any) -> Fluxes:
        ledger = self.model.ledger
        galaxy = ledger.state(*state[: len(ledger.state._fields)])
        flows, diagnostics = self.model.fluxes(galaxy, forcing)
        totals = {
            f"total_{name}": FlowRates(**{currency: getattr(flows[flow], currency)})
            for name, flow, currency in _totals(ledger)
        }
        traced_fraction = state.mejected / getattr(galaxy, ledger.contents["mass", "cgm"])
        ejected, cooled, expelled = _mass_exchange(ledger, flows)
        tracers = {
            "ejection_traced": FlowRates(ejected),
            "recycling_traced": FlowRates(traced_fraction * cooled),
            "expulsion_traced": FlowRates(traced_fraction * expelled),
        }
        return Fluxes({**flows, **totals, **tracers}, diagnostics)

    def totals(self, state: Any) -> dict[tuple[str, str], Array]:
        """(flow, currency) -> what the flow has carried since the halo started, in the unit of the currency."""
        return {
            (flow, currency): getattr(state, name) - getattr(state, f"opening_{currency}")
            for name, flow, currency in _totals(self.model.ledger)
        }


def contents(ledger: Ledger, state: Any, currency: str) -> dict[str, Array]:
    """How much of one currency each reservoir of a ledger holds."""
    return {
        reservoir: getattr(state, field) for (kind, reservoir), field in ledger.contents.items() if kind == currency
    }


def _totals(ledger):
    """(field, flow, currency) of every running total."""
    for flow in ledger.flows:
        for currency in ledger.currencies:
            if getattr(flow, currency) is not None:
                yield f"{flow.name}_{currency}", flow.name, currency


def _mass_exchange(ledger, flows):
    """Mass flows [Msun/yr] from the ISM to the CGM, from the CGM to the ISM, and from the CGM out of the galaxy."""
    inside = {reservoir for currency, reservoir in ledger.contents if currency == "mass"}
    ejected = cooled = expelled = jnp.zeros(())
    for flow in ledger.flows:
        if flow.mass is None:
            continue
        source, sink = flow.mass
        rate = flows[flow.name].mass
        if (source, sink) == ("ism", "cgm"):
            ejected = ejected + rate
        elif (source, sink) == ("cgm", "ism"):
            cooled = cooled + rate
        elif source == "cgm" and sink not in inside:
            expelled = expelled + rate
    return ejected, cooled, expelled


def _constants(ledger):
    """Fields of the state that do not change: the opening balance of what the model follows, the baryon fraction."""
    opening = {
        f"opening_{name}": Quantity(CURRENCIES[name].unit, f"{name} when the halo starts") for name in ledger.currencies
    }
    return {**opening, "baryon_fraction": _BARYON_FRACTION}


@functools.lru_cache
def _ledger(ledger):
    totals, constants = list(_totals(ledger)), _constants(ledger)
    fields = (*ledger.state._fields, *(name for name, _, _ in totals), *TRACERS, *constants)
    reservoirs, flows, quantities = dict(ledger.contents), list(ledger.flows), dict(ledger.quantities)
    for name, flow, currency in totals:
        account = f"total of {name}"
        reservoirs[currency, account] = name
        flows.append(Flow(f"total_{name}", f"{currency} carried by {flow}", **{currency: ("flows", account)}))
        quantities[name] = Quantity(CURRENCIES[currency].unit, f"{currency} carried by {flow} in total")
    traced = {name: f"traced {name}" for name in TRACERS}
    reservoirs |= {("mass", reservoir): name for name, reservoir in traced.items()}
    reservoirs |= {("mass", f"constant {name}"): name for name in constants}
    flows += [
        Flow("ejection_traced", "ISM gas entering the CGM", ("ism traced", traced["mejected"])),
        Flow("recycling_traced", "ejected gas cooling again", (traced["mejected"], traced["mrecycled"])),
        Flow("expulsion_traced", "ejected gas leaving the halo", (traced["mejected"], traced["mexpelled"])),
    ]
    state = collections.namedtuple("Accounts", fields)
    return Ledger(state, reservoirs, flows, {**quantities, **TRACERS, **constants})
