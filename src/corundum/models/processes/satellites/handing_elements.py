"""Oxygen, iron and angular momentum that a satellite hands over to its host, beside what `HandingOver` does.

Their totals follow the same equation, dH/dt = X dPhi/dt + Phi A + (1 - Phi) L.  The host receives oxygen and iron as
the satellite had them, instead of a share of the metals as in its own stars and gas.
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
from ...currencies import CURRENCIES
from ...ledger import Flow, FlowRates
from ...process import AbstractProcess, ProcessFluxes

__all__ = ["HandingOverElements", "HandingOverMomentum", "MOMENTUM_SINK"]

_ELEMENTS = {"oxygen": "mo", "iron": "mfe"}
_PLACES = {"stars": "stars", "ism": "interstellar gas", "cgm": "gas around the galaxy"}
_FIELDS = {"stars": "star", "ism": "ism", "cgm": "cgm"}
_STRIPPED = {"cgm": ("ram_pressure_cgm", "tidal_cgm"), "ism": ("ram_pressure_ism", "tidal_ism")}
MOMENTUM_SINK = "ism_momentum"


def _sink(name: str, quantity: Quantity) -> tuple[dict, Flow]:
    """Reservoir and flow of a running total."""
    reservoir = {("tracked", f"handed_{name}"): (f"handed_{name}", quantity)}
    flow = Flow(f"handing_{name}", f"{quantity.meaning}: rate", tracked=("outside", f"handed_{name}"))
    return reservoir, flow


_SINKS = {
    (element, place): _sink(
        f"{place}_{element}", Quantity("Msun", f"{element} in {where} that the host has received", log=False)
    )
    for element in _ELEMENTS
    for place, where in _PLACES.items()
}


class HandingOverElements(AbstractProcess):
    """A satellite hands over its oxygen and iron; it goes with `Elements` and `HandingOver`.

    Without it hosts give the metals that arrive the pattern of their own stars and gas.  What lies outside of stars,
    ISM and CGM has no oxygen and iron of its own: gas near the halo has the pattern of the CGM, and stars between
    galaxies are not followed.

    Examples
    --------
    >>> satellites = {"merging": co.models.Merging(), "handing_over": co.models.HandingOver()}
    >>> elements = {"elements": co.models.Elements(), "handing_elements": co.models.HandingOverElements()}
    >>> model = co.models.ThermalCGM(processes={**satellites, **elements})
    >>> "handed_stars_iron" in model.ledger.state._fields
    True
    """

    reservoirs: ClassVar[dict] = {key: entry for reservoir, _ in _SINKS.values() for key, entry in reservoir.items()}
    flows: ClassVar[tuple[Flow, ...]] = tuple(flow for _, flow in _SINKS.values())
    needs: ClassVar[tuple] = tuple((element, place) for element in _ELEMENTS for place in _PLACES)
    reads: ClassVar[tuple[str, ...]] = ("outflow",)
    sees: ClassVar[tuple[str, ...]] = tuple(name for names in _STRIPPED.values() for name in names)

    def initial(self, state: Any, halo: Halo, cosmology: Cosmology) -> dict[str, Float[Array, "..."]]:
        return {field: jnp.zeros_like(state.mstar) for field, _ in self.reservoirs.values()}

    def own_fluxes(self, galaxy: Galaxy) -> ProcessFluxes:
        state, halo = galaxy.state, galaxy.halo
        zero = jnp.zeros_like(state.mstar)
        merged, rate = has_merged(halo)
        satellite = satellite_share(halo)
        # Metals that leave the halo, by where they were [Msun/yr].
        left = {
            place: sum((galaxy.flows[name].metals for name in names if name in galaxy.flows), zero)
            for place, names in _STRIPPED.items()
        }
        if satellite is not None:
            left["cgm"] = left["cgm"] + satellite * galaxy.flows["outflow"].metals
        flows = {}
        for element, prefix in _ELEMENTS.items():
            share = {
                place: getattr(state, prefix + _FIELDS[place]) / getattr(state, f"mz{_FIELDS[place]}")
                for place in ("ism", "cgm")
            }
            leaving = (1.0 - merged) * GYR_YR * sum(share[place] * metals for place, metals in left.items())
            for place, field in _FIELDS.items():
                content = getattr(state, prefix + field)
                if place == "cgm" and hasattr(state, "mznearby"):
                    content = content + share["cgm"] * state.mznearby
                handing = rate * content + (leaving if place == "cgm" else 0.0)
                name = f"satellite_{place}_{element}"
                if name in halo.extras:
                    handing = handing + merged * halo.extras[name]
                flows[f"handing_{place}_{element}"] = FlowRates(tracked=handing)
        return ProcessFluxes(flows, {})


_MOMENTUM = _sink(
    MOMENTUM_SINK,
    Quantity(CURRENCIES["momentum"].unit, "angular momentum of gas that the host has received", log=False),
)


class HandingOverMomentum(AbstractProcess):
    """A satellite hands over the angular momentum of its interstellar gas; it goes with `Discs` and `HandingOver`.

    It points in any direction: in the host it adds in quadrature to that of the orbit (`Discs`).  That of stars is lost
    in the bulge, and that of gas that is torn off in the hot gas of the host.

    Examples
    --------
    >>> satellites = {"merging": co.models.Merging(), "handing_over": co.models.HandingOver()}
    >>> discs = {"discs": co.models.Discs(), "handing_momentum": co.models.HandingOverMomentum()}
    >>> "handed_ism_momentum" in co.models.ThermalCGM(processes={**satellites, **discs}).ledger.state._fields
    True
    """

    reservoirs: ClassVar[dict] = _MOMENTUM[0]
    flows: ClassVar[tuple[Flow, ...]] = (_MOMENTUM[1],)
    needs: ClassVar[tuple] = (("momentum", "ism"),)

    def initial(self, state: Any, halo: Halo, cosmology: Cosmology) -> dict[str, Float[Array, "..."]]:
        return {f"handed_{MOMENTUM_SINK}": jnp.zeros_like(state.mism)}

    def own_fluxes(self, galaxy: Galaxy) -> ProcessFluxes:
        merged, rate = has_merged(galaxy.halo)
        handing = rate * galaxy.state.jism
        if f"satellite_{MOMENTUM_SINK}" in galaxy.halo.extras:
            handing = handing + merged * galaxy.halo.extras[f"satellite_{MOMENTUM_SINK}"]
        return ProcessFluxes({f"handing_{MOMENTUM_SINK}": FlowRates(tracked=handing)}, {})
