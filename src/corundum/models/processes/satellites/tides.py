"""Halo, stars and gas that a satellite loses to the tides of its host."""

from typing import Any, ClassVar

import jax.numpy as jnp
from jaxtyping import Float

from ....annotations import Array
from ....cosmology import Cosmology
from ....halos import Halo
from ....parameters import NOT_NEGATIVE, parameter
from ....physics import Galaxy
from ....physics.merging.environment import bound_stars, host_of, tidal_rate
from ....physics.merging.satellites import satellite_share
from ....units import GYR_YR, Quantity
from ...ledger import Flow, FlowRates
from ...process import AbstractProcess, ProcessFluxes

__all__ = ["TidalStripping"]


class TidalStripping(AbstractProcess):
    """Tides remove the halo of a satellite from outside, and its stars once little is left of the halo.

    The halo loses mass at a rate that depends on the host (Jiang & van den Bosch 2016), and stars follow the mass
    within the peak of the rotation curve (Errani et al. 2018).  Stars stay between galaxies; interstellar gas is lost
    in proportion, and joins the hot gas of the host.  It goes with `HandingOver`.

    Parameters
    ----------
    strength, host_slope : float
        A and zeta of the rate.
    transition, star_slope : float
        lg x_s and mu of the stars.
    depth : float
        Power of the remaining mass that stars follow; 1 as in the simulations.

    References
    ----------
    Jiang & van den Bosch 2016, MNRAS 458, 2848; Errani, Penarrubia & Walker 2018, MNRAS 481, 5073.

    Examples
    --------
    >>> processes = {"merging": co.models.Merging(), "handing_over": co.models.HandingOver()}
    >>> model = co.models.ThermalCGM(processes={**processes, "tides": co.models.TidalStripping(strength=0.6)})
    >>> "bound_share" in model.ledger.state._fields
    True
    """

    reservoirs: ClassVar[dict] = {
        ("tracked", "bound"): ("bound_share", Quantity("1", "halo mass that is still bound, over that at infall")),
    }
    flows: ClassVar[tuple[Flow, ...]] = (
        Flow("tidal_halo", "loss of the halo of a satellite", tracked=("outside", "bound")),
        Flow("tidal_stars", "stars that tides remove", *(("stars", "handed"),) * 2),
        Flow("tidal_ism", "interstellar gas that goes with them", *(("ism", "handed"),) * 2),
    )
    needs: ClassVar[tuple] = tuple((kind, place) for place in ("stars", "ism") for kind in ("mass", "metals"))
    outside: ClassVar[tuple[str, ...]] = ("handed",)

    strength: Float[Array, ""] = parameter(
        0.86,
        unit="1",
        meaning="rate of tidal stripping",
        source="Jiang & van den Bosch 2016 [unverified]",
        bounds=(0.4, 1.6),
        scale="log10",
        allowed=NOT_NEGATIVE,
    )
    host_slope: Float[Array, ""] = parameter(
        0.07,
        unit="1",
        meaning="power of bound mass over that of the host in the rate",
        source="Jiang & van den Bosch 2016 [unverified]",
        bounds=(0.0, 0.4),
    )
    transition: Float[Array, ""] = parameter(
        -2.64,
        unit="1",
        meaning="log10 of the mass at which stars are lost",
        source="Errani et al. 2018",
        bounds=(-4.0, -1.0),
    )
    star_slope: Float[Array, ""] = parameter(
        1.87, unit="1", meaning="power of mass in the loss of stars", source="Errani et al. 2018", bounds=(1.0, 3.0)
    )
    depth: Float[Array, ""] = parameter(
        1.0, unit="1", meaning="power of mass that stars follow", source="choice", bounds=(0.7, 2.0)
    )

    def initial(self, state: Any, halo: Halo, cosmology: Cosmology) -> dict[str, Float[Array, "..."]]:
        return {"bound_share": jnp.ones_like(state.mstar)}

    def own_fluxes(self, galaxy: Galaxy) -> ProcessFluxes:
        state, halo = galaxy.state, galaxy.halo
        host, satellite = host_of(halo), satellite_share(halo)
        if host is None or satellite is None:
            halo_loss = stars_loss = jnp.zeros_like(state.mstar)
        else:
            halo_loss = satellite * tidal_rate(halo, host, state.bound_share, self.strength, self.host_slope)
            _, per_halo = bound_stars(state.bound_share**self.depth, 10.0**self.transition, self.star_slope)
            stars_loss = halo_loss * self.depth * per_halo  # [1/Gyr]
        per_year = stars_loss / GYR_YR
        flows = {
            "tidal_halo": FlowRates(tracked=-halo_loss * state.bound_share),
            "tidal_stars": FlowRates(per_year * state.mstar, per_year * state.mzstar),
            "tidal_ism": FlowRates(per_year * state.mism, per_year * state.mzism),
        }
        return ProcessFluxes(flows, {})
