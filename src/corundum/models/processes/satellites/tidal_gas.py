"""Hot gas that a satellite loses with the outside of its halo, and winds that rise beyond what the tides have left.

Without it a satellite lives on what its winds lift: they fall back and form stars again, whatever its time in the host.
"""

from typing import Any, ClassVar

import jax.numpy as jnp
from jaxtyping import Float

from ....annotations import Array
from ....cosmology import Cosmology
from ....halos import Halo
from ....parameters import FRACTION, NOT_NEGATIVE, parameter
from ....physics import Galaxy
from ....physics.merging.satellites import satellite_share
from ....units import GYR_S, GYR_YR
from ...ledger import Flow, FlowRates
from ...process import AbstractProcess, ProcessFluxes

__all__ = ["TidalGasStripping"]

_WINDS = ("burst_wind", "bar_burst_wind")


class TidalGasStripping(AbstractProcess):
    """Tides take the hot gas of a satellite with its halo, and winds that reach where none of the halo is left.

    Of the hot gas that it had at infall, a satellite keeps b^power where tides leave the share b of its halo. Winds
    fill the halo as it was, so that the share 1 - b^power of what they lift is lost at once.  What is lost joins the
    hot gas of the host, with its metals and energy.  It goes with `TidalStripping`, which follows b, and `HandingOver`.

    Parameters
    ----------
    power : float
        Power of the bound mass that hot gas follows: 1.5 for gas with the density r^-1.5 that ram pressure assumes in
        a halo whose mass grows with radius; 1 where both have the same profile.
    winds : float
        How much of what winds lift beyond the tidal radius is lost, from 0 (none) to 1 (all).

    References
    ----------
    Guo et al. 2011, MNRAS 413, 101 (hot gas in proportion to the halo, power 1); Font et al. 2008, MNRAS 389, 1619
    (satellites also lose gas that supernovae lift).

    Examples
    --------
    >>> processes = {"merging": co.models.Merging(), "handing_over": co.models.HandingOver()}
    >>> tides = {"tides": co.models.TidalStripping(), "tidal_gas": co.models.TidalGasStripping(winds=0.5)}
    >>> model = co.models.ThermalCGM(processes={**processes, **tides})
    >>> model.ledger.flows[model.ledger.names.index("tidal_cgm")].mass
    ('cgm', 'handed')
    """

    reservoirs: ClassVar[dict] = {}
    flows: ClassVar[tuple[Flow, ...]] = (
        Flow("tidal_cgm", "hot gas that tides remove with the halo", *(("cgm", "handed"),) * 3),
    )
    needs: ClassVar[tuple] = (("mass", "cgm"), ("metals", "cgm"), ("energy", "cgm"), ("tracked", "bound"))
    reads: ClassVar[tuple[str, ...]] = ("wind", "tidal_halo")
    sees: ClassVar[tuple[str, ...]] = _WINDS
    outside: ClassVar[tuple[str, ...]] = ("handed",)

    power: Float[Array, ""] = parameter(
        1.5,
        unit="1",
        meaning="power of the bound mass that hot gas of satellites follows",
        source="choice",
        bounds=(0.0, 3.0),
        allowed=NOT_NEGATIVE,
    )
    winds: Float[Array, ""] = parameter(
        1.0,
        unit="1",
        meaning="share of winds beyond the tidal radius that satellites lose",
        source="choice",
        bounds=(0.0, 1.0),
        allowed=FRACTION,
    )

    def initial(self, state: Any, halo: Halo, cosmology: Cosmology) -> dict[str, Float[Array, "..."]]:
        return {}

    def own_fluxes(self, galaxy: Galaxy) -> ProcessFluxes:
        state, flows, satellite = galaxy.state, galaxy.flows, satellite_share(galaxy.halo)
        if satellite is None:
            rate = jnp.zeros_like(state.mcgm)
        else:
            lifted = sum((flows[name].mass for name in _WINDS if name in flows), flows["wind"].mass)  # [Msun/yr]
            beyond = satellite * (1.0 - state.bound_share**self.power)
            rate = -self.power * flows["tidal_halo"].tracked / state.bound_share
            rate = rate + self.winds * beyond * lifted * GYR_YR / state.mcgm  # [1/Gyr]
        lost = FlowRates(rate * state.mcgm / GYR_YR, rate * state.mzcgm / GYR_YR, rate * state.eth / GYR_S)
        return ProcessFluxes({"tidal_cgm": lost}, {})
