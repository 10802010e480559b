"""Discs that bind themselves more than their halo does: bars carry their stars and gas to the bulge."""

from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from jaxtyping import Float

from ...annotations import Array
from ...cosmology import Cosmology
from ...halos import Halo
from ...numerics.limiters import SmoothMinimum
from ...parameters import NOT_NEGATIVE, parameter
from ...physics import Galaxy, dynamical_time
from ...physics.stars.discs import disc_stars
from ...physics.stars.momentum import disc_of
from ...units import GRAVITY, GYR_YR, Quantity
from ..ledger import Flow, FlowRates
from ..process import AbstractProcess, ProcessFluxes
from .bursts import burst_flows, burst_rates

__all__ = ["DiscInstability"]

_FASTEST = 100.0  # [1/Gyr]: massive stars live for 10 Myr, and no disc is emptied faster


class DiscInstability(AbstractProcess):
    """Stars and gas of an unstable disc move to the bulge, where the gas forms stars in a burst.

    A disc is unstable where epsilon = V_c / (G M_d / R_d)^(1/2) lies below a threshold.  It does not collapse then: its
    mass moves in tau_i orbits, M_d / (tau_i 2 pi R_d / V_c), times a logistic function of how far it is below.

    Parameters
    ----------
    threshold : float
        epsilon_c.
    orbits : float
        tau_i.
    width : float
        Width of the logistic function in epsilon.

    References
    ----------
    Efstathiou, Lake & Negroponte 1982, MNRAS 199, 1069; Cole et al. 2000, MNRAS 319, 168.

    Examples
    --------
    >>> processes = {"discs": co.models.Discs(), "bulge": co.models.Bulge(), "bars": co.models.DiscInstability()}
    >>> "bar_burst" in co.models.ThermalCGM(processes=processes).ledger.names
    True
    >>> del processes["bulge"]
    >>> co.models.ThermalCGM(processes=processes)
    Traceback (most recent call last):
    ValueError: process 'bars': DiscInstability needs a bulge, which ThermalCGM does not follow; add the process ...
    """

    reservoirs: ClassVar[dict] = {}
    flows: ClassVar[tuple[Flow, ...]] = (
        Flow("bar", "disc stars and gas moving to the bulge", momentum=("stars", "spheroid"),
             tracked=("outside", "bulge")),
        Flow("bar_mixing", "size of the bulge", tracked=("outside", "bulge_radius")),
        *burst_flows("bar_burst", "bars"),
    )  # fmt: skip
    diagnostics: ClassVar[dict[str, Quantity]] = {
        "disc_stability": Quantity("1", "epsilon, how far the halo holds the disc together"),
        "unstable_gas": Quantity("Msun/yr", "gas that bars move to the bulge"),
        "bar_sfr": Quantity("Msun/yr", "star-formation rate in bursts of bars"),
    }
    needs: ClassVar[tuple] = (
        ("tracked", "bulge"), ("mass", "ism"), ("mass", "stars"), ("mass", "cgm"), ("metals", "ism"),
        ("metals", "stars"), ("momentum", "stars"),
    )  # fmt: skip
    reads: ClassVar[tuple[str, ...]] = ("sfr", "star_formation", "enrichment", "venting", "wind", "wind_heating")
    outside: ClassVar[tuple[str, ...]] = ("spheroid",)

    threshold: Float[Array, ""] = parameter(
        0.8,
        unit="1",
        meaning="epsilon below which discs are unstable",
        source="Efstathiou, Lake & Negroponte 1982 [unverified]",
        bounds=(0.5, 1.2),
        allowed=NOT_NEGATIVE,
    )
    orbits: Float[Array, ""] = parameter(
        3.0,
        unit="1",
        meaning="orbits in which an unstable disc becomes a bulge",
        source="choice",
        bounds=(1.0, 30.0),
        scale="log10",
    )
    width: Float[Array, ""] = parameter(
        0.05,
        unit="1",
        meaning="width of the threshold in epsilon",
        source="choice",
        bounds=(0.01, 0.3),
        scale="log10",
    )

    def initial(self, state: Any, halo: Halo, cosmology: Cosmology) -> dict[str, Float[Array, "..."]]:
        return {}

    def own_fluxes(self, galaxy: Galaxy) -> ProcessFluxes:
        state, flows, disc = galaxy.state, galaxy.flows, disc_of(galaxy)
        stability = disc.velocity / jnp.sqrt(GRAVITY * disc.mass / disc.size)
        orbit = 2.0 * jnp.pi * dynamical_time(disc.size, disc.velocity)  # [Gyr]
        unstable = jax.nn.sigmoid((self.threshold - stability) / self.width)
        rate = SmoothMinimum()(unstable / (self.orbits * orbit), _FASTEST)  # [1/Gyr]
        gas = rate * state.mism / GYR_YR
        # Bursts turn all the gas that arrives into stars and wind.
        relative = gas / (flows["star_formation"].mass + flows["wind"].mass)
        formed = relative * flows["star_formation"].mass
        growth = rate * disc_stars(state) + GYR_YR * formed
        spun = rate * state.jstar / GYR_YR + formed * state.jism / state.mism
        rates = {
            "bar": FlowRates(tracked=growth, momentum=spun),
            "bar_mixing": FlowRates(tracked=disc.size * growth),
            **burst_rates("bar_burst", relative, galaxy),
        }
        known = {"disc_stability": stability, "unstable_gas": gas, "bar_sfr": relative * galaxy.quantities["sfr"]}
        return ProcessFluxes(rates, known)
