"""Processes: physics added to a model as reservoirs and flows of its ledger, and how a model takes them in.

A process (black holes, gas recycled from outside the halo, dust) names its reservoirs, its flows and what it needs, and
computes the rates of its flows from the galaxy.  It edits no flow of the model.  A model holds its processes by name,
``ThermalCGM(processes={"hole": BlackHole()})``; their numbers are parameters (``processes.hole.seed_mass``),
their reservoirs are part of the state, their flows have multipliers (``channels.<flow>``) and are saved and plotted.
"""

import abc
from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from ..cosmology import Cosmology
from ..halos import Halo
from ..parameters import named_parameters
from ..physics import Galaxy
from ..units import Quantity
from .ledger import Flow, FlowRates, Ledger, extended_ledger

__all__ = ["AbstractProcess", "ProcessFluxes", "channel_multipliers", "with_processes", "check_processes"]


class ProcessFluxes(NamedTuple):
    """What a process computes at one time.

    Attributes
    ----------
    flows : dict of str to FlowRates [Msun/yr, erg/s]
    diagnostics : dict of str to array
    """

    flows: dict[str, FlowRates]
    diagnostics: dict[str, Array]


class AbstractProcess(eqx.Module):
    """Reservoirs and flows added to a model.

    Attributes
    ----------
    reservoirs : dict
        (currency, reservoir) -> (field of the state, Quantity); may be empty.
    flows : tuple of Flow
    diagnostics : dict of str to Quantity
    needs : tuple of (currency, reservoir)
        What the model must hold.
    reads : tuple of str
        Diagnostics and flows of the model that the process looks at.
    """

    reservoirs: eqx.AbstractClassVar[dict[tuple[str, str], tuple[str, Quantity]]]
    flows: eqx.AbstractClassVar[tuple[Flow, ...]]
    diagnostics: ClassVar[dict[str, Quantity]] = {}
    needs: ClassVar[tuple[tuple[str, str], ...]] = ()
    reads: ClassVar[tuple[str, ...]] = ()

    @abc.abstractmethod
    def initial(self, state: Any, halo: Halo, cosmology: Cosmology) -> dict[str, Float[Array, "..."]]:
        """What its reservoirs hold at the start, by field; `state` is that of the model without processes."""

    @abc.abstractmethod
    def own_fluxes(self, galaxy: Galaxy) -> ProcessFluxes:
        """Rates of its flows, and its diagnostics."""


def channel_multipliers() -> Any:
    """A field holding one dimensionless multiplier for each flow: 1 leaves the flow as it is, 0 switches it off.

    Derivatives with respect to them say how much each channel matters.
    """
    return named_parameters(unit="1", meaning="multiplier of the {name} flow", source="control", bounds=(0.0, 10.0))


def with_processes(own_ledger: Ledger, processes: Mapping[str, AbstractProcess]) -> Ledger:
    """The ledger of a model together with its processes."""
    reservoirs = [
        (key, field, quantity)
        for process in processes.values()
        for key, (field, quantity) in process.reservoirs.items()
    ]
    return extended_ledger(own_ledger, tuple(reservoirs), tuple(f for p in processes.values() for f in p.flows))


def check_processes(
    model: str, own_ledger: Ledger, known: Mapping[str, Quantity], processes: Mapping[str, AbstractProcess]
) -> None:
    """Refuse processes that do not fit a model, or each other, with the reason.

    Parameters
    ----------
    model : str
        Its name, for the messages.
    own_ledger : Ledger
        Of the model alone.
    known : mapping
        Diagnostics of the model.
    processes : mapping of str to AbstractProcess

    Raises
    ------
    ValueError
        Something that a process needs or reads is not there, or two things would have the same name.
    """
    taken = {**own_ledger.contents, **{("", name): name for name in own_ledger.state._fields}}
    names = set(own_ledger.names)
    for name, process in processes.items():
        kind = type(process).__name__
        for currency, reservoir in process.needs:
            if (currency, reservoir) not in own_ledger.contents:
                held = ", ".join(f"{place} {what}" for what, place in own_ledger.contents)
                raise ValueError(
                    f"process {name!r}: {kind} needs a reservoir of {reservoir} {currency}, which {model} does not "
                    f"have (it has {held}); use a model that has one, or leave the process out"
                )
        missing = [each for each in process.reads if each not in known and each not in own_ledger.names]
        if missing:
            raise ValueError(
                f"process {name!r}: {kind} reads {', '.join(missing)}, which {model} does not compute; use a model "
                "that does, or leave the process out"
            )
        for key, (field, _) in process.reservoirs.items():
            if key in taken or ("", field) in taken:
                raise ValueError(
                    f"process {name!r}: {kind} keeps {key[1]} {key[0]} in {field!r}, which is there already; one "
                    "process of a kind is enough"
                )
            taken |= {key: field, ("", field): field}
        repeated = names & {flow.name for flow in process.flows}
        if repeated:
            raise ValueError(
                f"process {name!r}: a flow called {', '.join(sorted(repeated))} is there already; one process of a "
                "kind is enough"
            )
        names |= {flow.name for flow in process.flows}


def ones_for(names: tuple[str, ...], given: Mapping[str, Any]) -> dict[str, Array]:
    """One multiplier for each flow: those given, and 1 for the others.

    Raises
    ------
    ValueError
        A name is no flow.
    """
    unknown = [name for name in given if name not in names]
    if unknown:
        raise ValueError(f"channels: there is no flow {', '.join(unknown)}; the flows are {', '.join(names)}")
    return {name: jnp.asarray(given.get(name, 1.0), jnp.float64) for name in sorted(names)}


def scaled(flows: dict[str, FlowRates], multipliers: Mapping[str, Array]) -> dict[str, FlowRates]:
    """Every flow times its multiplier."""
    return {
        name: FlowRates(*(None if rate is None else multipliers[name] * rate for rate in rates))
        for name, rates in flows.items()
    }
