"""What a galaxy hands over to its host: all of it, with the probability to have merged.

A satellite merges with a distribution of times and not at a time, so that everything is differentiable.  Its own
equations are those of the galaxy that has not merged yet.  Beside them it keeps running totals of what its host has
received in the mean: of a content X that merges with the rate dPhi/dt,

    dH/dt = X dPhi/dt + Phi A + (1 - Phi) L,

where A is what arrives from its own satellites, which passes on to the host once it has merged itself, and L what
leaves its halo while it orbits.  The mean content (1 - Phi) X and H together then change by what the galaxy exchanges
with the outside, and nothing is lost or counted twice, whatever the depth of the tree.
"""

from typing import Any, ClassVar

import jax.numpy as jnp
from jaxtyping import Float

from ....annotations import Array
from ....cosmology import Cosmology
from ....halos import Halo
from ....physics import Galaxy
from ....physics.merging.satellites import has_merged, satellite_share
from ....units import GYR_YR, Quantity
from ...ledger import Flow, FlowRates, Ledger
from ...process import AbstractProcess, ProcessFluxes

__all__ = ["HandingOver", "SINKS", "check_contents", "sinks_of"]

SINKS = {
    "stars": ("mstar",),
    "stars_metals": ("mzstar",),
    "ism": ("mism",),
    "ism_metals": ("mzism", "mzdelayed"),
    "cgm": ("mcgm", "mnearby"),
    "cgm_metals": ("mzcgm", "mznearby"),
    "icl": ("micl",),
    "icl_metals": ("mzicl",),
    "black_holes": ("mbh",),
}
"""What is handed over, and the fields of the state that it is made of, as far as a model has them."""

_TORN_OFF = {"cgm": ("ram_pressure_cgm", "ram_pressure_ism", "tidal_ism", "tidal_cgm"), "icl": ("tidal_stars",)}
"""Flows of other processes that take something off an orbiting galaxy, and what it becomes in the host."""

_HANDED = "handed_"

_MEANING = {
    "stars": "stars", "ism": "interstellar gas", "cgm": "gas around the galaxy", "icl": "stars between galaxies",
    "black_holes": "black holes",
}  # fmt: skip


def _meaning_of(sink: str) -> str:
    place, _, metals = sink.partition("_metals")
    return f"metals in {_MEANING[sink.removesuffix('_metals')]}" if sink.endswith("_metals") else _MEANING[place]


class HandingOver(AbstractProcess):
    """A galaxy hands over what it holds when it merges, and what leaves its halo while it is a satellite.

    It goes with `Merging`, which receives, in histories with satellites (`HaloHistories.satellites`).  In others it
    does nothing.  Mass and metals are handed over; `HandingOverElements` and `HandingOverMomentum` add what else models
    follow.

    Examples
    --------
    >>> processes = {"merging": co.models.Merging(), "handing_over": co.models.HandingOver()}
    >>> model = co.models.ThermalCGM(processes=processes)
    >>> "handed_stars" in model.ledger.state._fields
    True
    """

    reservoirs: ClassVar[dict] = {
        ("tracked", f"handed_{sink}"): (
            f"handed_{sink}",
            Quantity("Msun", f"{_meaning_of(sink)} that the host has received from this satellite", log=False),
        )
        for sink in SINKS
    }
    flows: ClassVar[tuple[Flow, ...]] = (
        *(
            Flow(
                f"handing_{sink}", f"{_meaning_of(sink)} handed over to the host", tracked=("outside", f"handed_{sink}")
            )
            for sink in SINKS
        ),
        Flow("outflow_to_host", "gas that leaves the halo of a satellite", ("igm", "handed"), ("igm", "handed")),
    )
    diagnostics: ClassVar[dict[str, Quantity]] = {
        "satellite": Quantity("1", "how far a galaxy is a satellite", log=False),
        "merged": Quantity("1", "probability to have merged", log=False),
    }
    needs: ClassVar[tuple] = tuple(
        (kind, place) for place in ("stars", "ism", "cgm", "icl") for kind in ("mass", "metals")
    )
    reads: ClassVar[tuple[str, ...]] = ("outflow",)
    sees: ClassVar[tuple[str, ...]] = tuple(name for names in _TORN_OFF.values() for name in names)
    outside: ClassVar[tuple[str, ...]] = ("handed",)

    def initial(self, state: Any, halo: Halo, cosmology: Cosmology) -> dict[str, Float[Array, "..."]]:
        return {f"handed_{sink}": jnp.zeros_like(state.mstar) for sink in SINKS}

    def own_fluxes(self, galaxy: Galaxy) -> ProcessFluxes:
        state, halo, outflow = galaxy.state, galaxy.halo, galaxy.flows["outflow"]
        zero = jnp.zeros_like(state.mstar)
        merged, rate = has_merged(halo)
        satellite = satellite_share(halo)
        satellite = zero if satellite is None else satellite
        lost = FlowRates(satellite * outflow.mass, satellite * outflow.metals)
        leaving = {"cgm": lost.mass, "cgm_metals": lost.metals}
        for sink, names in _TORN_OFF.items():
            for torn_off in (galaxy.flows[name] for name in names if name in galaxy.flows):
                leaving[sink] = leaving.get(sink, zero) + torn_off.mass
                leaving[f"{sink}_metals"] = leaving.get(f"{sink}_metals", zero) + torn_off.metals
        flows = {"outflow_to_host": lost}
        for sink, fields in SINKS.items():
            content = sum((getattr(state, field) for field in fields if field in state._fields), zero)
            handing = rate * content + (1.0 - merged) * leaving.get(sink, zero) * GYR_YR
            if f"satellite_{sink}" in halo.extras:
                handing = handing + merged * halo.extras[f"satellite_{sink}"]
            flows[f"handing_{sink}"] = FlowRates(tracked=handing)
        return ProcessFluxes(flows, {"satellite": satellite, "merged": merged + zero})


def sinks_of(ledger: Ledger) -> tuple[str, ...]:
    """What satellites of a model hand over, by the names of its fields ``handed_<name>``.

    Examples
    --------
    >>> from corundum.models.processes.satellites.handing_over import sinks_of
    >>> processes = {"merging": co.models.Merging(), "handing_over": co.models.HandingOver()}
    >>> sinks_of(co.models.ThermalCGM(processes=processes).ledger)[:2]
    ('stars', 'stars_metals')
    """
    return tuple(field.removeprefix(_HANDED) for field in ledger.state._fields if field.startswith(_HANDED))


def check_contents(ledger: Ledger) -> None:
    """Refuse a model with a reservoir that satellites would not hand over.

    Raises
    ------
    ValueError
        The message names the field.
    """
    known = {field for fields in SINKS.values() for field in fields}
    for (currency, reservoir), field in ledger.contents.items():
        if currency in ("mass", "metals") and field not in known:
            raise ValueError(
                f"HandingOver: the model keeps {currency} in {reservoir!r} ({field}), which satellites do not know how "
                f"to hand over; leave the process with it out, or evolve centrals alone (halos.select_centrals)"
            )
