"""Gas of dying bulge stars that joins the hot gas: it is born at the speed of its stars, among gas as hot as that.

Without it a galaxy whose hot gas no longer cools goes on forming stars from what its old stars return, at a specific
rate of some 2e-11 per year for Gyrs, and never counts as passive.
"""

from typing import Any, ClassVar

from jaxtyping import Float

from ...annotations import Array
from ...cosmology import Cosmology
from ...halos import Halo
from ...parameters import FRACTION, parameter
from ...physics import Galaxy
from ...units import YEAR_S
from ..ledger import Flow, FlowRates
from ..process import AbstractProcess, ProcessFluxes

__all__ = ["HotReturn"]


class HotReturn(AbstractProcess):
    """A share of the gas that old bulge stars return goes through the ISM at once and joins the CGM.

    It takes the metals of the ISM along and arrives with the binding energy of the CGM per mass, about the energy that
    it has by the motion of its stars.  It goes with `DelayedReturn` and `Bulge`.

    Parameters
    ----------
    share : float
        Of the gas that bulge stars return.

    References
    ----------
    Yates et al. 2013, MNRAS 435, 3500 (bulge stars enrich the hot gas, disc stars the ISM) [unverified].

    Examples
    --------
    >>> import dataclasses
    >>> model = co.models.reference_galaxy()
    >>> model = dataclasses.replace(model, processes={**model.processes, "hot_return": co.models.HotReturn(share=0.5)})
    >>> model.ledger.flows[model.ledger.names.index("hot_return")].mass
    ('ism', 'cgm')
    """

    reservoirs: ClassVar[dict] = {}
    flows: ClassVar[tuple[Flow, ...]] = (
        Flow(
            "hot_return",
            "gas of old bulge stars that joins the CGM",
            ("ism", "cgm"),
            ("ism", "cgm"),
            ("stellar_motion", "cgm"),
        ),
    )
    needs: ClassVar[tuple] = (
        ("mass", "ism"), ("mass", "cgm"), ("metals", "ism"), ("metals", "cgm"), ("energy", "cgm"), ("tracked", "bulge"),
    )  # fmt: skip
    reads: ClassVar[tuple[str, ...]] = ("delayed_return", "binding_energy", "z_ism")
    outside: ClassVar[tuple[str, ...]] = ("stellar_motion",)

    share: Float[Array, ""] = parameter(
        1.0,
        unit="1",
        meaning="share of the gas of dying bulge stars that joins the CGM",
        source="choice",
        bounds=(0.0, 1.0),
        allowed=FRACTION,
    )

    def initial(self, state: Any, halo: Halo, cosmology: Cosmology) -> dict[str, Float[Array, "..."]]:
        return {}

    def own_fluxes(self, galaxy: Galaxy) -> ProcessFluxes:
        state, known = galaxy.state, galaxy.quantities
        mass = self.share * state.mbulge / state.mstar * galaxy.flows["delayed_return"].mass
        energy = mass * known["binding_energy"] / state.mcgm / YEAR_S
        return ProcessFluxes({"hot_return": FlowRates(mass, known["z_ism"] * mass, energy)}, {})
