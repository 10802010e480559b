"""Bursts: star formation beside that of the disc, with the loadings of the wind of the galaxy."""

from typing import Any

from ...physics import AbstractEmptying, Galaxy
from ...units import GYR_YR
from ..ledger import Flow, FlowRates

__all__ = ["burst_flows", "burst_rates", "slowed", "times"]

_HEATING = ("wind_heating", "wind_stirring")  # energy of supernovae, as far as a model has it

_SLOWEST = 1e-9  # rate [1/Gyr] that stands for none, where stars are switched off


def burst_flows(prefix: str, what: str) -> tuple[Flow, ...]:
    """The five flows of bursts: ``prefix``, and with ``_enrichment``, ``_venting``, ``_wind`` and ``_heating``."""
    return (
        Flow(prefix, f"gas locked in stars of {what}", ("ism", "stars"), ("ism", "stars")),
        Flow(f"{prefix}_enrichment", f"new metals of {what} kept in the ISM", metals=("nucleosynthesis", "ism")),
        Flow(f"{prefix}_venting", f"new metals of {what} vented to the CGM", metals=("nucleosynthesis", "cgm")),
        Flow(f"{prefix}_wind", f"ISM gas driven out by {what}", ("ism", "cgm"), ("ism", "cgm")),
        Flow(f"{prefix}_heating", f"supernova energy of {what}", energy=("supernovae", "cgm")),
    )


def burst_rates(prefix: str, relative: Any, galaxy: Galaxy) -> dict[str, FlowRates]:
    """Rates of these flows where bursts form `relative` as many stars as the disc does."""
    flows = galaxy.flows
    heating = sum(flows[name].energy for name in _HEATING if name in flows)
    return {
        prefix: times(relative, flows["star_formation"]),
        f"{prefix}_enrichment": times(relative, flows["enrichment"]),
        f"{prefix}_venting": times(relative, flows["venting"]),
        f"{prefix}_wind": times(relative, flows["wind"]),
        f"{prefix}_heating": FlowRates(energy=relative * heating),
    }


def slowed(relative: Any, galaxy: Galaxy, emptying: AbstractEmptying) -> Any:
    """`relative` as far as the disc, bursts and the winds of both leave the ISM the time that `emptying` asks for."""
    flows = galaxy.flows
    disc = GYR_YR * (flows["star_formation"].mass + flows["wind"].mass) / galaxy.state.mism  # [1/Gyr]
    return relative * emptying((1.0 + relative) * disc + _SLOWEST)


def times(factor: Any, rates: FlowRates) -> FlowRates:
    """A flow times a factor."""
    return FlowRates(*(None if rate is None else factor * rate for rate in rates))
