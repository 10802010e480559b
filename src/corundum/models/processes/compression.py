"""Gravitational heating: the CGM of a halo whose potential deepens is compressed, and heated by that."""

from typing import Any, ClassVar

from jaxtyping import Float

from ...annotations import Array
from ...cosmology import Cosmology
from ...halos import Halo
from ...parameters import parameter
from ...physics import Galaxy
from ...units import GYR_S
from ..ledger import Flow, FlowRates
from ..process import AbstractProcess, ProcessFluxes

__all__ = ["Compression"]


class Compression(AbstractProcess):
    """Work of gravity on the CGM, whose thermal energy follows the potential: dE/dt = k_c E d ln Vvir^2 / dt.

    With k_c = 1 gas that nothing else heats or cools keeps T / Tvir while its halo grows.  Without the process only gas
    that falls in brings the energy of the potential that it finds.  In a halo of 10^12 Msun the rate is 0.08 per Gyr at
    z = 2 and 0.6 at z = 4, and small later; it is negative where the potential becomes shallower.

    Parameters
    ----------
    share : float
        k_c.

    Raises
    ------
    ValueError
        The halos do not say how fast their potentials deepen (``halo.deepening`` is None).

    Examples
    --------
    >>> model = co.models.ThermalCGM(processes={"compression": co.models.Compression()})
    >>> model.ledger.names[-1], ("energy", "potential") in model.ledger.outside
    ('compression', True)
    """

    reservoirs: ClassVar[dict] = {}
    flows: ClassVar[tuple[Flow, ...]] = (
        Flow("compression", "work of a deepening potential on the CGM", energy=("potential", "cgm")),
    )
    needs: ClassVar[tuple] = (("energy", "cgm"),)
    reads: ClassVar[tuple[str, ...]] = ("temperature",)  # the energy of a CGM that has one is thermal
    outside: ClassVar[tuple[str, ...]] = ("potential",)

    share: Float[Array, ""] = parameter(
        1.0, unit="1", meaning="k_c, energy gained over that which keeps T / Tvir", source="choice", bounds=(0.0, 1.0)
    )

    def initial(self, state: Any, halo: Halo, cosmology: Cosmology) -> dict[str, Float[Array, "..."]]:
        return {}

    def own_fluxes(self, galaxy: Galaxy) -> ProcessFluxes:
        deepening = galaxy.halo.deepening
        if deepening is None:
            raise ValueError(
                "Compression: these halos do not say how fast their potentials deepen (deepening is None); let the "
                "interpolation of the histories give it, as SplineInLogTime() does, or leave the process out"
            )
        power = self.share * galaxy.state.eth * deepening / GYR_S
        return ProcessFluxes({"compression": FlowRates(energy=power)}, {})
