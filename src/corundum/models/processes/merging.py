"""What satellites bring when they merge: stars, gas and metals, black holes, and the bursts that they set off.

Which satellites a halo has, when they merge and what they hold is worked out before a galaxy is solved, by
`corundum.population.with_mergers`, and reaches it as curves of its halo.  Rates of arrival are derivatives of running
totals, so that a host receives exactly what its satellites hand over.
"""

from typing import Any, ClassVar

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Float

from ...annotations import Array
from ...cosmology import Cosmology
from ...halos import Halo
from ...parameters import FRACTION, NOT_NEGATIVE, parameter
from ...physics import AbstractEmptying, DynamicalFriction, Galaxy, GradualEmptying
from ...units import GYR_YR, YEAR_S, Quantity
from ..ledger import Flow, FlowRates
from ..process import AbstractProcess, ProcessFluxes
from .bursts import burst_flows, burst_rates, slowed, times

__all__ = ["BlackHoleMergers", "Merging"]


class Merging(AbstractProcess):
    """Satellites that merge with the galaxy.

    Their stars join those of the galaxy, but for a share that stays between galaxies; their interstellar gas joins the
    ISM; their hot gas, and what they have blown out since infall, joins the CGM at the virial temperature of the host.
    Gas is driven to the centre and forms stars in a burst with the loadings of the wind of the galaxy, which is slower
    where disc, burst and winds together would use up the ISM at once.

    Parameters
    ----------
    friction : DynamicalFriction
        When satellites merge.
    icl_share : float
        Share of the stars of satellites that stays between galaxies.
    burst_share : float
        Share of the ISM that a merger of equals turns into stars, if nothing is blown out.
    burst_slope : float
        Power of the mass ratio in that share.
    emptying : AbstractEmptying
        How fast stars and winds can empty the ISM, as for the model's own star formation.

    References
    ----------
    Somerville, Primack & Faber 2001, MNRAS 320, 504 (bursts: 0.56, 0.7); Moster, Naab & White 2018, MNRAS 477, 1822
    (share between galaxies).

    Examples
    --------
    >>> model = co.models.ThermalCGM(processes={"merging": co.models.Merging(icl_share=0.3)})
    >>> model.ledger.state._fields[-3:]
    ('micl', 'mzicl', 'maccreted')
    """

    reservoirs: ClassVar[dict] = {
        ("mass", "icl"): ("micl", Quantity("Msun", "stars of satellites that stay between galaxies")),
        ("metals", "icl"): ("mzicl", Quantity("Msun", "metals of those stars")),
        ("tracked", "accreted"): ("maccreted", Quantity("Msun", "stars of the galaxy that formed in satellites")),
    }
    flows: ClassVar[tuple[Flow, ...]] = (
        Flow("arriving_stars", "stars of merging satellites", *(("arriving", "stars"),) * 2),
        Flow("arriving_icl", "their stars that stay between galaxies", *(("arriving", "icl"),) * 2),
        Flow("arriving_ism", "interstellar gas of merging satellites", *(("arriving", "ism"),) * 2),
        Flow("arriving_cgm", "hot gas of merging satellites", *(("arriving", "cgm"),) * 3),
        *burst_flows("burst", "bursts"),
        Flow("ex_situ", "stars that formed elsewhere", tracked=("outside", "accreted")),
    )
    diagnostics: ClassVar[dict[str, Quantity]] = {
        "burst_sfr": Quantity("Msun/yr", "star-formation rate in bursts of mergers")
    }
    needs: ClassVar[tuple] = tuple((kind, place) for place in ("stars", "ism", "cgm") for kind in ("mass", "metals"))
    reads: ClassVar[tuple[str, ...]] = (
        "sfr", "binding_energy", "star_formation", "enrichment", "venting", "wind", "wind_heating",
    )  # fmt: skip
    outside: ClassVar[tuple[str, ...]] = ("arriving",)

    friction: DynamicalFriction = eqx.field(default_factory=DynamicalFriction)
    icl_share: Float[Array, ""] = parameter(
        0.4,
        unit="1",
        meaning="share of stars of satellites that stays between galaxies",
        source="Moster, Naab & White 2018",
        bounds=(0.05, 0.8),
        allowed=FRACTION,
    )
    emptying: AbstractEmptying = eqx.field(default_factory=GradualEmptying)
    burst_share: Float[Array, ""] = parameter(
        0.56,
        unit="1",
        meaning="share of the ISM that forms stars in a merger of equals",
        source="Somerville, Primack & Faber 2001",
        bounds=(0.1, 1.0),
        allowed=FRACTION,
    )
    burst_slope: Float[Array, ""] = parameter(
        0.7,
        unit="1",
        meaning="power of the mass ratio in that share",
        source="Somerville, Primack & Faber 2001",
        bounds=(0.1, 2.0),
        allowed=NOT_NEGATIVE,
    )

    def initial(self, state: Any, halo: Halo, cosmology: Cosmology) -> dict[str, Float[Array, "..."]]:
        # A millionth of the gas, as for every reservoir that fills up later.
        small, metals = 1e-6 * state.mcgm, 1e-6 * state.mzcgm
        return {"micl": small, "mzicl": metals, "maccreted": small}

    def own_fluxes(self, galaxy: Galaxy) -> ProcessFluxes:
        state, extras = galaxy.state, galaxy.halo.extras
        if "satellite_stars" not in extras:
            raise ValueError(
                "Merging: these halos do not say what satellites bring; give them halos.mergers and use "
                "population.with_mergers(model, halos), draw them with their satellites (halos.monte_carlo_forest), or "
                "leave the process out"
            )
        stars, ism, cgm = (
            FlowRates(*(extras[f"satellite_{name}{kind}"] / GYR_YR for kind in ("", "_metals")))
            for name in ("stars", "ism", "cgm")
        )
        specific = galaxy.quantities["binding_energy"] / state.mcgm  # [erg/Msun]
        galaxy_mass = state.mstar + state.mism
        # Each merger of masses m < M turns the share e (m/M)^a of the ISM into stars.
        driven = extras["merging_bursts"] * galaxy_mass**-self.burst_slope  # [1/Gyr]
        unlimited = self.burst_share * driven * state.mism / GYR_YR
        sfr = galaxy.quantities["sfr"]
        relative = slowed(unlimited / sfr, galaxy, self.emptying)
        kept = 1.0 - self.icl_share
        rates = {
            "arriving_stars": times(kept, stars),
            "arriving_icl": _plus(times(self.icl_share, stars), extras),
            "arriving_ism": ism,
            "arriving_cgm": cgm._replace(energy=cgm.mass * specific / YEAR_S),
            **burst_rates("burst", relative, galaxy),
            "ex_situ": FlowRates(tracked=kept * extras["satellite_stars"]),
        }
        return ProcessFluxes(rates, {"burst_sfr": relative * sfr})


def _plus(rates, extras):
    """With the stars that lay between galaxies in the halos of satellites, where these are followed."""
    if "satellite_icl" not in extras:
        return rates
    mass, metals = (extras[f"satellite_icl{kind}"] / GYR_YR for kind in ("", "_metals"))
    return FlowRates(rates.mass + mass, rates.metals + metals)


class BlackHoleMergers(AbstractProcess):
    """The black holes of merging satellites join that of the galaxy; it goes with `BlackHole` and `Merging`.

    Examples
    --------
    >>> processes = {"merging": co.models.Merging(), "black_hole": co.models.BlackHole()}
    >>> processes["arriving_black_holes"] = co.models.BlackHoleMergers()
    >>> "arriving_black_holes" in co.models.ThermalCGM(processes=processes).ledger.names
    True
    """

    reservoirs: ClassVar[dict] = {}
    flows: ClassVar[tuple[Flow, ...]] = (
        Flow("arriving_black_holes", "black holes of merging satellites", ("arriving", "black_hole")),
    )
    needs: ClassVar[tuple] = (("mass", "black_hole"),)
    outside: ClassVar[tuple[str, ...]] = ("arriving",)

    def initial(self, state: Any, halo: Halo, cosmology: Cosmology) -> dict[str, Float[Array, "..."]]:
        return {}

    def own_fluxes(self, galaxy: Galaxy) -> ProcessFluxes:
        rate = galaxy.halo.extras["satellite_black_holes"] / GYR_YR
        return ProcessFluxes({"arriving_black_holes": FlowRates(rate * jnp.ones_like(galaxy.state.mbh))}, {})
