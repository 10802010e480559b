"""The ledger: which reservoir each flow leaves and which it enters, for mass, metals, energy and other currencies.

A model computes the rate of every flow in physical units; the ledger turns the rates into the derivative of the
state.  Because each flow leaves exactly one place and enters exactly one, every currency is conserved by construction,
places outside the galaxy included, and `Ledger.exchange` says what crossed the boundary.  Tracked quantities, such as
the binding energy of a bulge, are part of the state but not conserved, and no account is kept of them.
"""

import collections
import functools
from typing import Any, NamedTuple

from jaxtyping import Float

from ..annotations import Array
from ..messages import did_you_mean
from ..printing import in_short
from ..units import Quantity
from .currencies import CURRENCIES

__all__ = ["FlowRates", "Flow", "Ledger", "extended_ledger"]


_CONSERVED = tuple(name for name, currency in CURRENCIES.items() if currency.conserved)


class FlowRates(NamedTuple):
    """What one flow carries; None where it carries nothing of that kind.

    Attributes
    ----------
    mass, metals : [Msun/yr]
    energy : [erg/s]
    oxygen, iron : [Msun/yr]
    momentum : angular momentum [Msun kpc km/(s yr)]
    tracked : change of a tracked quantity [its unit per Gyr]

    Examples
    --------
    >>> wind = co.models.FlowRates(mass=2.0, metals=0.02)
    >>> wind.metals, wind.energy is None
    (0.02, True)
    """

    mass: Float[Array, "..."] | None = None
    metals: Float[Array, "..."] | None = None
    energy: Float[Array, "..."] | None = None
    oxygen: Float[Array, "..."] | None = None
    iron: Float[Array, "..."] | None = None
    momentum: Float[Array, "..."] | None = None
    tracked: Float[Array, "..."] | None = None

    def __repr__(self) -> str:
        further = [name for name in self._fields[3:] if getattr(self, name) is None]
        return in_short(self, leave_out=further)  # few models follow more than mass, metals and energy


class Flow(NamedTuple):
    """One channel: its name, its meaning, and (from, to) for each currency it carries.

    Attributes
    ----------
    name : str
    meaning : str
        One clause for tables and figures.
    mass, metals, energy, oxygen, iron, momentum : (str, str) or None
        The reservoirs, or places outside the galaxy, that it leaves and enters; None where it carries none of that.
    tracked : (str, str) or None
        ``("outside", reservoir)`` where it changes the tracked quantity of a reservoir.

    Examples
    --------
    >>> flow = co.models.Flow("stripping", "CGM torn off", ("cgm", "igm"), ("cgm", "igm"))
    >>> flow.mass, flow.energy is None
    (('cgm', 'igm'), True)
    """

    name: str
    meaning: str
    mass: tuple[str, str] | None = None
    metals: tuple[str, str] | None = None
    energy: tuple[str, str] | None = None
    oxygen: tuple[str, str] | None = None
    iron: tuple[str, str] | None = None
    momentum: tuple[str, str] | None = None
    tracked: tuple[str, str] | None = None

    def __repr__(self) -> str:
        return in_short(self)


class Ledger:
    """Flows between reservoirs, and the field of the state that holds what each reservoir has of each currency.

    Parameters
    ----------
    state : NamedTuple type
        The model's state.
    contents : dict
        (currency, reservoir) -> field of `state`.  A reservoir that is not listed lies outside the galaxy.
    flows : list of Flow
    quantities : dict of str to Quantity
        Unit and meaning of each state field.

    Raises
    ------
    ValueError
        A currency or a field is unknown, a field holds the content of no reservoir or of two, or two flows share a
        name.

    Examples
    --------
    >>> ledger = co.models.ThermalCGM.own_ledger
    >>> ledger.fields("energy"), len(ledger.names)
    (('eth',), 9)
    >>> ledger.outside[0]
    ('mass', 'igm')
    """

    def __init__(self, state: type[Any], contents: dict, flows: list[Flow], quantities: dict[str, Quantity]):
        for (currency, reservoir), field in contents.items():
            if currency not in CURRENCIES or field not in state._fields:
                raise ValueError(
                    f"ledger: {reservoir} {currency} is kept in {field!r}; allowed currencies {tuple(CURRENCIES)}, "
                    f"allowed fields of {state.__name__} {state._fields}; correct the entry"
                )
        if sorted(contents.values()) != sorted(state._fields):
            raise ValueError(f"ledger: each of {state._fields} must hold the content of exactly one reservoir")
        names = [flow.name for flow in flows]
        if len(set(names)) < len(names):
            repeated = sorted({name for name in names if names.count(name) > 1})
            raise ValueError(f"ledger: two flows are called {' and '.join(repeated)}; give each its own name")
        self.state, self.contents, self.flows, self.quantities = state, contents, tuple(flows), quantities

    def __repr__(self) -> str:
        reservoirs = ", ".join(dict.fromkeys(reservoir for _, reservoir in self.contents))
        return f"Ledger({self.state.__name__}: {reservoirs}; flows {', '.join(self.names)})"

    @property
    def outside(self) -> tuple[tuple[str, str], ...]:
        """(currency, place) of every end of a flow that is no reservoir of the galaxy."""
        ends = [(kind, end) for flow in self.flows for kind in _CONSERVED for end in getattr(flow, kind) or ()]
        return tuple(dict.fromkeys(key for key in ends if key not in self.contents))

    @property
    def currencies(self) -> tuple[str, ...]:
        """What some reservoir holds and is conserved: the currencies that the model follows."""
        return tuple(kind for kind in _CONSERVED if any(kind == held for held, _ in self.contents))

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the flows."""
        return tuple(flow.name for flow in self.flows)

    def fields(self, currency: str) -> tuple[str, ...]:
        """Fields of the state that hold the `currency` of a reservoir which some flow reaches."""
        reached = {(kind, end) for flow in self.flows for kind in CURRENCIES for end in getattr(flow, kind) or ()}
        return tuple(field for key, field in self.contents.items() if key[0] == currency and key in reached)

    def derivative(self, rates: dict[str, FlowRates]) -> Any:
        """Rate of change of the state, in its units per Gyr [Msun/Gyr, erg/Gyr]."""
        total = dict.fromkeys(self.state._fields, 0.0)
        for currency, source, sink, rate in self._entries(rates):
            for reservoir, sign in ((source, -1.0), (sink, 1.0)):
                field = self.contents.get((currency, reservoir))
                if field is not None:
                    total[field] = total[field] + sign * rate * CURRENCIES[currency].per_gyr
        return self.state(**total)

    def exchange(self, rates: dict[str, FlowRates]) -> dict[tuple[str, str], Array]:
        """Net gain of each (currency, outside reservoir), per Gyr: minus the change of what is inside."""
        total: dict[tuple[str, str], Any] = {}
        for currency, source, sink, rate in self._entries(rates):
            for reservoir, sign in ((source, -1.0), (sink, 1.0)):
                if CURRENCIES[currency].conserved and (currency, reservoir) not in self.contents:
                    key = (currency, reservoir)
                    total[key] = total.get(key, 0.0) + sign * rate * CURRENCIES[currency].per_gyr
        return total

    def _entries(self, rates):
        self._check_flows(rates)
        for flow in self.flows:
            for currency in CURRENCIES:
                route, rate = getattr(flow, currency), getattr(rates[flow.name], currency)
                if (route is None) != (rate is None):
                    raise ValueError(
                        f"flow {flow.name!r}: the ledger and the rates disagree on whether it carries {currency}"
                    )
                if route is not None:
                    yield currency, *route, rate

    def _check_flows(self, rates):
        wrong = sorted(set(rates) ^ set(self.names))
        if wrong:
            verb = "is no flow of the ledger" if wrong[0] in rates else "has no rates"
            close = did_you_mean(wrong[0], self.names if wrong[0] in rates else rates)
            raise ValueError(
                f"rates: {wrong[0]!r} {verb}; {close}the flows of the ledger are {', '.join(self.names)}; give "
                "rates of each and of no other"
            )


@functools.lru_cache(maxsize=256)
def extended_ledger(
    own_ledger: Ledger,
    reservoirs: tuple[tuple[tuple[str, str], str, Quantity], ...],
    flows: tuple[Flow, ...],
) -> Ledger:
    """`own_ledger` with more reservoirs, ((currency, reservoir), field, quantity) each, and more flows.

    The same arguments give the same ledger and the same state class, so that nothing is compiled twice.
    """
    if not reservoirs and not flows:
        return own_ledger
    fields = (*own_ledger.state._fields, *(field for _, field, _ in reservoirs))
    state = collections.namedtuple(own_ledger.state.__name__, fields) if reservoirs else own_ledger.state
    contents = {**own_ledger.contents, **{key: field for key, field, _ in reservoirs}}
    quantities = {**own_ledger.quantities, **{field: quantity for _, field, quantity in reservoirs}}
    return Ledger(state, contents, [*own_ledger.flows, *flows], quantities)
