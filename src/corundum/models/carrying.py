"""What flows of mass carry beside mass: angular momentum, oxygen and iron go where gas and stars go.

A process that follows such a currency says so once, in `AbstractProcess.follows`, and then every flow of the model and
of all of its processes carries it: out of a reservoir in proportion to what that holds, and from outside the galaxy as
the process says.  Processes are evaluated in an order in which each sees what those before it computed.
"""

import functools
from collections.abc import Iterable, Mapping
from typing import Any

from ..physics import Galaxy
from .ledger import Flow, FlowRates, Ledger

__all__ = ["carrying_ledger", "in_order", "with_carried"]


def in_order(processes: Mapping[str, Any]) -> tuple[Any, ...]:
    """The processes, each after those whose quantities and flows it reads; otherwise in the order of their names.

    Raises
    ------
    ValueError
        Some of them read each other.

    Examples
    --------
    >>> from corundum.models.carrying import in_order
    >>> [type(process).__name__ for process in in_order({"b": co.models.BlackHole(), "a": co.models.GasPhases()})]
    ['GasPhases', 'BlackHole']
    """
    left, ordered = dict(processes), []
    provides = {name: {*(flow.name for flow in p.flows), *p.diagnostics} for name, p in processes.items()}
    while left:
        later = {name: set().union(*(provides[other] for other in left if other != name)) for name in left}
        ready = next((name for name in sorted(left) if _awaits(left[name]).isdisjoint(later[name])), None)
        if ready is None:
            raise ValueError(
                f"processes {', '.join(sorted(left))}: each reads what another of them computes; take one of them out"
            )
        ordered.append(left.pop(ready))
    return tuple(ordered)


def _awaits(process):
    return {*process.reads, *process.sees}


@functools.lru_cache(maxsize=256)
def carrying_ledger(ledger: Ledger, carried: tuple[tuple[tuple[str, str], ...], ...]) -> Ledger:
    """`ledger` with flows that carry more: of each process, the pairs of currency and of that which it goes with.

    A flow that names one of the currencies of a process itself is left as it is.
    """
    if not any(carried):
        return ledger
    flows = ledger.flows
    for pairs in carried:
        flows = tuple(_extended(flow, pairs, ledger.contents) for flow in flows)
    return Ledger(ledger.state, ledger.contents, list(flows), ledger.quantities)


def _extended(flow: Flow, pairs: Iterable[tuple[str, str]], contents: Mapping[tuple[str, str], str]) -> Flow:
    pairs = tuple(pairs)
    if any(getattr(flow, currency) is not None for currency, _ in pairs):
        return flow
    routes = {currency: getattr(flow, guide) for currency, guide in pairs}
    held = {
        currency: ends for currency, ends in routes.items() if any((currency, end) in contents for end in ends or ())
    }
    return flow._replace(**held)


def with_carried(ledger: Ledger, processes: Mapping[str, Any], galaxy: Galaxy) -> dict[str, FlowRates]:
    """Rates of all flows of `galaxy`, with what they carry by `carrying_ledger`."""
    rates, state = dict(galaxy.flows), galaxy.state
    for process in processes.values():
        for currency, guide in process.follows.items():
            for flow in ledger.flows:
                route, rate = getattr(flow, currency), rates[flow.name]
                if route is None or getattr(rate, currency) is not None:
                    continue
                guiding, field = getattr(rate, guide), ledger.contents.get((currency, route[0]))
                if field is None:
                    carried = process.from_outside(galaxy, currency, flow, guiding)
                else:
                    carried = guiding * getattr(state, field) / getattr(state, ledger.contents[guide, route[0]])
                rates[flow.name] = rate._replace(**{currency: carried})
    return rates
