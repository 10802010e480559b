"""The door for processes: what a process needs, reads and connects is checked when it is put into a model."""

from collections.abc import Mapping
from typing import Any

import equinox as eqx

from ...messages import did_you_mean
from ...units import Quantity
from ..carrying import in_order
from ..currencies import CURRENCIES
from ..ledger import Flow, Ledger
from ..process import AbstractProcess
from .laws import check_laws

__all__ = ["check_processes"]

_OUTSIDE = ("igm", "radiated", "supernovae", "nucleosynthesis")
"""Places outside the galaxy that every process may name without declaring them."""


def check_processes(
    model: str, own_ledger: Ledger, diagnostics: Mapping[str, Quantity], processes: Mapping[str, AbstractProcess]
) -> None:
    """Refuse processes that do not fit a model, or each other, with the reason.

    Parameters
    ----------
    model : str
        Its name, for the messages.
    own_ledger : Ledger
        Of the model alone.
    diagnostics : mapping
        Of the model alone.
    processes : mapping of str to AbstractProcess

    Raises
    ------
    ValueError
        A process needs, reads or reaches something that is not there, or two things would have the same name.
    """
    if not isinstance(processes, Mapping):
        raise ValueError(
            f"{model}.processes: got {type(processes).__name__}, allowed a dictionary of processes by names of your "
            "choice, such as {'black_hole': models.BlackHole()}"
        )
    for name, process in processes.items():
        _check_kind(model, name, process)
        check_laws(process, f"{model}.processes[{name!r}]")
    _check_names(model, own_ledger, processes)
    contents = set(own_ledger.contents).union(*(process.reservoirs for process in processes.values()))
    in_order(processes)
    for name, process in processes.items():
        others = [p for key, p in processes.items() if key != name]
        computed = [*diagnostics, *(quantity for p in others for quantity in p.diagnostics)]
        moved = [*own_ledger.names, *(flow.name for p in others for flow in p.flows)]
        _check_needs(model, name, process, own_ledger, computed, moved, contents)
        _check_ends(model, name, process, own_ledger, contents)


def _check_kind(model: str, name: str, process: Any) -> None:
    where = f"{model}.processes[{name!r}]"
    if isinstance(process, type):
        raise ValueError(f"{where}: got the class {process.__name__}; write {process.__name__}() to make one of it")
    if not isinstance(process, AbstractProcess):
        kind = type(process).__name__
        value = kind if isinstance(process, eqx.Module) else f"{process!r} ({kind})"
        raise ValueError(
            f"{where}: got {value}, allowed a process: models.BlackHole(), "
            "models.HaloRecycling(), models.Compression(), or another of the package, or one of your own that derives "
            "from AbstractProcess"
        )
    if not isinstance(process.flows, tuple | list) or not all(isinstance(flow, Flow) for flow in process.flows):
        raise ValueError(
            f"{where}: flows of {type(process).__name__} is {process.flows!r}, allowed a tuple of models.Flow, such as "
            "(Flow('stripping', 'CGM torn off', ('cgm', 'igm')),)"
        )
    if not isinstance(process.reservoirs, Mapping):
        raise ValueError(
            f"{where}: reservoirs of {type(process).__name__} is {process.reservoirs!r}, allowed a dictionary such as "
            "{('mass', 'dust'): ('mdust', units.Quantity('Msun', 'dust mass'))}, which may be empty"
        )
    unknown = [currency for pair in process.follows.items() for currency in pair if currency not in CURRENCIES]
    if unknown:
        raise ValueError(
            f"{where}: follows of {type(process).__name__} names {unknown[0]!r}, which is no currency; "
            f"{did_you_mean(unknown[0], list(CURRENCIES))}allowed {', '.join(CURRENCIES)}, or one of your own in "
            "models/currencies.py"
        )


def _check_needs(
    model: str,
    name: str,
    process: AbstractProcess,
    own_ledger: Ledger,
    computed: list[str],
    moved: list[str],
    contents: set[tuple[str, str]],
) -> None:
    kind = type(process).__name__
    for currency, reservoir in process.needs:
        if (currency, reservoir) not in contents:
            if currency == "tracked":
                raise ValueError(
                    f"process {name!r}: {kind} needs a {reservoir}, which {model} does not follow; add the process "
                    "that does, or leave this one out"
                )
            held = ", ".join(f"{place} {what}" for what, place in own_ledger.contents)
            close = did_you_mean(f"{reservoir} {currency}", [f"{place} {what}" for what, place in own_ledger.contents])
            raise ValueError(
                f"process {name!r}: {kind} needs a reservoir of {reservoir} {currency}, which {model} does not "
                f"have (it has {held}); {close}use a model that has one, or leave the process out"
            )
    known = [*computed, *moved]
    missing = [quantity for quantity in process.reads if quantity not in known]
    if missing:
        raise ValueError(
            f"process {name!r}: {kind} reads {', '.join(missing)}, which {model} does not compute; "
            f"{did_you_mean(missing[0], known)}it computes the quantities {', '.join(computed)} and the flows "
            f"{', '.join(moved)}; use a model that computes what is missing, or leave the process out"
        )


def _check_names(model: str, own_ledger: Ledger, processes: Mapping[str, AbstractProcess]) -> None:
    """Reservoirs, fields of the state and flows must have names of their own."""
    reservoirs, fields, flows = set(own_ledger.contents), set(own_ledger.state._fields), set(own_ledger.names)
    for name, process in processes.items():
        kind = type(process).__name__
        for key, (field, _) in process.reservoirs.items():
            if key in reservoirs or field in fields:
                raise ValueError(
                    f"process {name!r}: {kind} keeps {key[1]} {key[0]} in {field!r}, which is there already; one "
                    "process of a kind is enough"
                )
            reservoirs.add(key)
            fields.add(field)
        repeated = flows & {flow.name for flow in process.flows}
        if repeated:
            raise ValueError(
                f"process {name!r}: a flow called {', '.join(sorted(repeated))} is there already; one process of a "
                "kind is enough"
            )
        flows |= {flow.name for flow in process.flows}


def _check_ends(
    model: str, name: str, process: AbstractProcess, own_ledger: Ledger, contents: set[tuple[str, str]]
) -> None:
    """Every end of a flow is a reservoir of the model or of a process, or a place outside the galaxy that is known."""
    inside = dict.fromkeys(reservoir for _, reservoir in sorted(contents))
    outside = dict.fromkeys([*(place for _, place in own_ledger.outside), *_OUTSIDE, *process.outside])
    for flow in process.flows:
        for currency, declared in CURRENCIES.items():
            route = getattr(flow, currency) or ()
            for end in route if declared.conserved else route[1:]:  # what is tracked comes from nowhere
                if (currency, end) in contents or (end in outside and end not in inside):
                    continue
                place = f"process {name!r}: the flow {flow.name!r} of {type(process).__name__} carries {currency}"
                if end in inside:
                    held = ", ".join(what for what, reservoir in sorted(contents) if reservoir == end)
                    raise ValueError(
                        f"{place} from or to {end!r}, of which {model} keeps {held} only; use a model that keeps its "
                        f"{currency}, or leave that out of the flow"
                    )
                close = did_you_mean(end, [*inside, *outside], cutoff=0.6)
                raise ValueError(
                    f"{place} from or to {end!r}, which is no known place; {close}the reservoirs are "
                    f"{', '.join(inside)}, outside the galaxy are {', '.join(outside)}; declare a reservoir, or a "
                    f"place outside by outside = ({end!r},)"
                )
