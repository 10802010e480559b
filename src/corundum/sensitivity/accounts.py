"""Bookkeeping: a model that also integrates what each of its flows has carried, and where its gas has been.

`Accounted` wraps any model.  Its state is that of the model and, integrated with it by the same solver, the total of
every flow in every currency and a tracer: CGM gas that has been in the interstellar medium before.  Nothing feeds back,
so the galaxies are those of the model.  Each total starts at what the galaxy holds when its halo starts, so that its
logarithm can be integrated; that opening balance is kept as a constant, and `totals` takes it away again.
"""

import collections
import functools
from typing import Any

import jax.numpy as jnp
from jaxtyping import Array

from ..cosmology import Cosmology
from ..halos import Halo
from ..models import AbstractModel, Flow, FlowRates, Fluxes, Ledger
from ..models.ledger import CURRENCIES
from ..units import Quantity

__all__ = ["Accounted", "TRACERS", "CONSTANTS", "contents"]

TRACERS = {
    "mejected": Quantity("Msun", "CGM gas that has been in the ISM before"),
    "mrecycled": Quantity("Msun", "gas that has cooled onto the ISM again after having been ejected from it"),
    "mexpelled": Quantity("Msun", "gas that has left the halo after having been in the ISM"),
}
"""What is followed besides the totals of the flows."""

CONSTANTS = {
    "opening_mass": Quantity("Msun", "gas and stars when the halo starts"),
    "opening_metals": Quantity("Msun", "metals when the halo starts"),
    "opening_energy": Quantity("erg", "energy when the halo starts"),
    "baryon_fraction": Quantity("1", "cosmic baryon fraction"),
}
"""What is carried along unchanged."""

_UNITS = {"mass": "Msun", "metals": "Msun", "energy": "erg"}


class Accounted(AbstractModel):
    """`model` with its books kept.

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
        held = {reservoir for _, reservoir in self.model.ledger.contents}
        missing = {"ism", "cgm"} - held
        if missing:
            raise ValueError(
                f"budgets: {type(self.model).__name__} has no reservoir {' or '.join(sorted(missing))}; budgets follow "
                "gas between cgm and ism, so name its reservoirs so in the ledger"
            )

    @property
    def ledger(self) -> Ledger:
        """The model's ledger, with one book for each total."""
        return _ledger(self.model.ledger)

    @property
    def diagnostics(self) -> dict[str, Quantity]:
        """Those of the model."""
        return self.model.diagnostics

    def initial(self, halo: Halo, cosmology: Cosmology) -> Any:
        state = self.model.initial(halo, cosmology)
        token = getattr(state, self.model.ledger.contents["mass", "ism"])
        opening = {currency: contents(self.model.ledger, state, currency) for currency in CURRENCIES}
        total = {currency: sum(held.values()) for currency, held in opening.items()}
        books = {name: total[currency] for name, _, currency in _books(self.model.ledger)}
        constants = {f"opening_{currency}": total[currency] for currency in CURRENCIES}
        constants["baryon_fraction"] = cosmology.baryon_fraction * jnp.ones_like(token)
        return self.ledger.state(*state, **books, **dict.fromkeys(TRACERS, token), **constants)

    def forcing(self, halo: Halo, cosmology: Cosmology) -> Any:
        return self.model.forcing(halo, cosmology)

    def breaks(self, cosmology: Cosmology) -> tuple[Array, ...]:
        return self.model.breaks(cosmology)

    def fluxes(self, state: Any, forcing: Any) -> Fluxes:
        own = self.model.ledger
        galaxy = own.state(*state[: len(own.state._fields)])
        flows, diagnostics = self.model.fluxes(galaxy, forcing)
        books = {
            f"book_{name}": FlowRates(**{currency: getattr(flows[flow], currency)})
            for name, flow, currency in _books(own)
        }
        share = state.mejected / getattr(galaxy, own.contents["mass", "cgm"])
        into, back, out = _exchange(own, flows)
        tracers = {
            "ejection_traced": FlowRates(into),
            "recycling_traced": FlowRates(share * back),
            "expulsion_traced": FlowRates(share * out),
        }
        return Fluxes({**flows, **books, **tracers}, diagnostics)

    def totals(self, state: Any) -> dict[tuple[str, str], Array]:
        """(flow, currency) -> what the flow has carried since the halo started [Msun, erg]."""
        return {
            (flow, currency): getattr(state, name) - getattr(state, f"opening_{currency}")
            for name, flow, currency in _books(self.model.ledger)
        }


def contents(ledger: Ledger, state: Any, currency: str) -> dict[str, Array]:
    """What each reservoir of a ledger holds of one currency."""
    return {
        reservoir: getattr(state, field) for (kind, reservoir), field in ledger.contents.items() if kind == currency
    }


def _books(ledger):
    """(field, flow, currency) of every total."""
    for flow in ledger.flows:
        for currency in CURRENCIES:
            if getattr(flow, currency) is not None:
                yield f"{flow.name}_{currency}", flow.name, currency


def _exchange(ledger, flows):
    """Mass flows [Msun/yr] from the ISM to the CGM, from the CGM to the ISM, and from the CGM out of the galaxy."""
    inside = {reservoir for currency, reservoir in ledger.contents if currency == "mass"}
    into = back = out = jnp.zeros(())
    for flow in ledger.flows:
        if flow.mass is None:
            continue
        source, sink = flow.mass
        rate = flows[flow.name].mass
        if (source, sink) == ("ism", "cgm"):
            into = into + rate
        elif (source, sink) == ("cgm", "ism"):
            back = back + rate
        elif source == "cgm" and sink not in inside:
            out = out + rate
    return into, back, out


@functools.lru_cache
def _ledger(ledger):
    books = list(_books(ledger))
    fields = (*ledger.state._fields, *(name for name, _, _ in books), *TRACERS, *CONSTANTS)
    held, flows, quantities = dict(ledger.contents), list(ledger.flows), dict(ledger.quantities)
    for name, flow, currency in books:
        held[currency, f"book of {name}"] = name
        flows.append(Flow(f"book_{name}", f"{currency} carried by {flow}", **{currency: ("books", f"book of {name}")}))
        quantities[name] = Quantity(_UNITS[currency], f"{currency} carried by {flow} in total")
    places = {name: f"traced {name}" for name in TRACERS}
    held |= {("mass", place): name for name, place in places.items()}
    held |= {("mass", f"constant {name}"): name for name in CONSTANTS}
    flows += [
        Flow("ejection_traced", "ISM gas entering the CGM", ("ism traced", places["mejected"])),
        Flow("recycling_traced", "ejected gas cooling again", (places["mejected"], places["mrecycled"])),
        Flow("expulsion_traced", "ejected gas leaving the halo", (places["mejected"], places["mexpelled"])),
    ]
    return Ledger(collections.namedtuple("Accounts", fields), held, flows, {**quantities, **TRACERS, **CONSTANTS})
