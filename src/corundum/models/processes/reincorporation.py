"""Gas that left the halo and comes back: a reservoir around the halo that takes up outflows and returns them."""

from typing import Any, ClassVar

import equinox as eqx
from jaxtyping import Float

from ...annotations import Array
from ...cosmology import Cosmology
from ...halos import Halo
from ...parameters import FRACTION, parameter
from ...physics import AbstractGalaxyScaling, DynamicalReturn, Galaxy
from ...physics.merging.satellites import satellite_share
from ...units import GYR_YR, YEAR_S, Quantity
from ..ledger import Flow, FlowRates
from ..process import AbstractProcess, ProcessFluxes

__all__ = ["HaloRecycling"]


class HaloRecycling(AbstractProcess):
    """A share of the gas that leaves the halo stays near it, and falls in again with the energy of fresh gas.

    References
    ----------
    De Lucia, Kauffmann & White 2004, MNRAS 349, 1101; Henriques et al. 2013, MNRAS 431, 3373.

    Examples
    --------
    >>> recycling = co.models.HaloRecycling(share=0.8, time=co.physics.Henriques13Return())
    >>> model = co.models.ThermalCGM(processes={"recycling": recycling})
    >>> model.ledger.state._fields[-2:]
    ('mnearby', 'mznearby')
    """

    reservoirs: ClassVar[dict] = {
        ("mass", "nearby"): ("mnearby", Quantity("Msun", "gas near the halo that left it")),
        ("metals", "nearby"): ("mznearby", Quantity("Msun", "metals near the halo that left it")),
    }
    flows: ClassVar[tuple[Flow, ...]] = (
        Flow("retention", "gas that left the halo and stays near it", ("igm", "nearby"), ("igm", "nearby")),
        Flow("reaccretion", "gas that comes back", ("nearby", "cgm"), ("nearby", "cgm"), ("igm", "cgm")),
    )
    needs: ClassVar[tuple] = (("mass", "cgm"), ("metals", "cgm"), ("energy", "cgm"))
    reads: ClassVar[tuple[str, ...]] = ("outflow", "t_dyn", "binding_energy")

    share: Float[Array, ""] = parameter(
        0.5,
        unit="1",
        meaning="share of the halo outflow that stays near",
        source="choice",
        bounds=(0.0, 1.0),
        allowed=FRACTION,
    )
    time: AbstractGalaxyScaling = eqx.field(default_factory=DynamicalReturn)

    def initial(self, state: Any, halo: Halo, cosmology: Cosmology) -> dict[str, Float[Array, "..."]]:
        # A millionth of the CGM, with its metallicity, because the solver follows the logarithm of each reservoir.
        return {"mnearby": 1e-6 * state.mcgm, "mznearby": 1e-6 * state.mzcgm}

    def own_fluxes(self, galaxy: Galaxy) -> ProcessFluxes:
        state, outflow = galaxy.state, galaxy.flows["outflow"]
        per_year = 1.0 / (self.time(galaxy) * GYR_YR)
        specific = galaxy.quantities["binding_energy"] / state.mcgm  # [erg/Msun]
        returning = per_year * state.mnearby
        satellite = satellite_share(galaxy.halo)
        # What leaves a satellite belongs to its host.
        share = self.share if satellite is None else (1.0 - satellite) * self.share
        flows = {
            "retention": FlowRates(share * outflow.mass, share * outflow.metals),
            "reaccretion": FlowRates(returning, per_year * state.mznearby, returning * specific / YEAR_S),
        }
        return ProcessFluxes(flows, {})
