"""Metals that come late: those of stars that take hundreds of Myr to release them (type Ia supernovae, giants)."""

from typing import Any, ClassVar

from jaxtyping import Array, Float

from ...cosmology import Cosmology
from ...halos import Halo
from ...parameters import parameter
from ...physics import Galaxy
from ...units import GYR_YR, Quantity
from ..ledger import Flow, FlowRates
from ..process import AbstractProcess, ProcessFluxes

__all__ = ["DelayedEnrichment"]


class DelayedEnrichment(AbstractProcess):
    """New metals, beyond those made at once, that wait in their progenitors for an exponentially distributed time.

    The sum of the model's own yield and this one is the yield of a generation.  The exponential stands for the
    delay-time distributions of the literature (for example Maoz, Mannucci & Nelemans 2014, ARA&A 52, 107); mean and
    yield are free.
    """

    reservoirs: ClassVar[dict] = {
        ("metals", "progenitors"): ("mzdelayed", Quantity("Msun", "metals that stars have still to release"))
    }
    flows: ClassVar[tuple[Flow, ...]] = (
        Flow("delayed_synthesis", "metals that will come late", metals=("nucleosynthesis", "progenitors")),
        Flow("delayed_release", "metals that come late", metals=("progenitors", "ism")),
    )
    needs: ClassVar[tuple] = (("metals", "ism"),)
    reads: ClassVar[tuple[str, ...]] = ("sfr",)

    delayed_yield: Float[Array, ""] = parameter(
        0.005,
        unit="1",
        meaning="late metals per stellar mass formed",
        source="choice",
        bounds=(1e-4, 0.03),
        scale="log10",
    )
    time: Float[Array, ""] = parameter(
        1.0, unit="Gyr", meaning="mean delay", source="choice", bounds=(0.05, 5.0), scale="log10"
    )

    def initial(self, state: Any, halo: Halo, cosmology: Cosmology) -> dict[str, Float[Array, "..."]]:
        return {"mzdelayed": state.mzstar}

    def own_fluxes(self, galaxy: Galaxy) -> ProcessFluxes:
        released = galaxy.state.mzdelayed / (self.time * GYR_YR)
        made = self.delayed_yield * galaxy.quantities["sfr"]
        return ProcessFluxes(
            {"delayed_synthesis": FlowRates(metals=made), "delayed_release": FlowRates(metals=released)}, {}
        )
