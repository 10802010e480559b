"""Delayed enrichment: metals of stars that release them after hundreds of Myr (type Ia supernovae, giants)."""

from typing import Any, ClassVar

from jaxtyping import Float

from ...annotations import Array
from ...cosmology import Cosmology
from ...halos import Halo
from ...parameters import parameter
from ...physics import Galaxy
from ...units import GYR_YR, Quantity
from ..ledger import Flow, FlowRates
from ..process import AbstractProcess, ProcessFluxes

__all__ = ["DelayedEnrichment"]


class DelayedEnrichment(AbstractProcess):
    """New metals that their progenitors release after an exponentially distributed time.

    They come in addition to those that the model releases at once: the sum of the two yields is that of a stellar
    generation.  The exponential approximates the delay-time distributions of the literature (for example Maoz, Mannucci
    & Nelemans 2014, ARA&A 52, 107); its mean and the yield are free.

    Examples
    --------
    >>> model = co.models.ThermalCGM(processes={"late_metals": co.models.DelayedEnrichment(time=0.5)})
    >>> model.ledger.state._fields[-1]
    'mzdelayed'
    """

    reservoirs: ClassVar[dict] = {
        ("metals", "progenitors"): ("mzdelayed", Quantity("Msun", "metals that stars have yet to release"))
    }
    flows: ClassVar[tuple[Flow, ...]] = (
        Flow(
            "delayed_synthesis",
            "metals bound in stars that release them late",
            metals=("nucleosynthesis", "progenitors"),
        ),
        Flow("delayed_release", "metals released late", metals=("progenitors", "ism")),
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
        synthesised = self.delayed_yield * galaxy.quantities["sfr"]
        return ProcessFluxes(
            {"delayed_synthesis": FlowRates(metals=synthesised), "delayed_release": FlowRates(metals=released)}, {}
        )
