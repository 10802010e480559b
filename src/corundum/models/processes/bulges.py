"""Bulges: the stars of a galaxy that rotate little, their size, and what mergers add to them."""

from typing import Any, ClassVar

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Float

from ...annotations import Array
from ...cosmology import Cosmology
from ...halos import Halo
from ...parameters import parameter
from ...physics import Galaxy, MergedSizes
from ...physics.stars.discs import disc_stars
from ...physics.stars.momentum import HALF_MASS, Disc, bulge_size, disc_of
from ...units import GYR_YR, Quantity
from ..ledger import Flow, FlowRates
from ..process import AbstractProcess, ProcessFluxes

__all__ = ["Bulge"]

_AT_START = 1e-2  # of the stars
_ROUND = 1e-2  # of Rvir: size of what a bulge starts with
_NOTHING = 1e-12  # mergers per Gyr that count as none
_LEAST_RATIO = 1e-4


class Bulge(AbstractProcess):
    """The bulge: a part of the stars of a galaxy, with a size of its own; the rest of the stars is the disc.

    Stars of merging satellites and of merger bursts join it, and mergers destroy discs: a merger of mass ratio q turns
    the share 1 - exp[-(q/q_maj)^2] of a disc without gas into a bulge.  `DiscInstability` adds to it.  Without either
    it stays empty.  The mass of the bulge is tracked: ``mstar`` holds all stars.

    Parameters
    ----------
    major_ratio : float
        q_maj.
    size_slope : float
        Power of the mass ratio in the size of satellites over that of the galaxy.
    sizes : MergedSizes

    References
    ----------
    Hopkins et al. 2009, ApJ 691, 1168 (discs of gas survive).

    Examples
    --------
    >>> model = co.models.ThermalCGM(processes={"discs": co.models.Discs(), "bulge": co.models.Bulge()})
    >>> model.ledger.state._fields[-4:]
    ('mbulge', 'rmbulge', 'jism', 'jstar')
    >>> co.models.ThermalCGM(processes={"bulge": co.models.Bulge()})
    Traceback (most recent call last):
    ValueError: process 'bulge': Bulge needs a reservoir of ism momentum, which ThermalCGM does not have ...
    """

    reservoirs: ClassVar[dict] = {
        ("tracked", "bulge"): ("mbulge", Quantity("Msun", "stars of the bulge, a part of all stars")),
        ("tracked", "bulge_radius"): ("rmbulge", Quantity("Msun kpc", "stars of the bulge times its half-mass radius")),
    }
    flows: ClassVar[tuple[Flow, ...]] = (
        Flow(
            "bulge_growth",
            "stars that join the bulge in mergers",
            momentum=("stars", "spheroid"),
            tracked=("outside", "bulge"),
        ),
        Flow("bulge_mixing", "size of the bulge in mergers", tracked=("outside", "bulge_radius")),
    )
    diagnostics: ClassVar[dict[str, Quantity]] = {
        "bulge_share": Quantity("1", "share of the stars that is in the bulge"),
        "bulge_size": Quantity("kpc", "half-mass radius of the bulge"),
    }
    needs: ClassVar[tuple] = (("mass", "ism"), ("mass", "stars"), ("momentum", "ism"), ("momentum", "stars"))
    sees: ClassVar[tuple[str, ...]] = ("arriving_stars", "burst", "delayed_return", "tidal_stars")
    outside: ClassVar[tuple[str, ...]] = ("spheroid",)

    major_ratio: Float[Array, ""] = parameter(
        0.3,
        unit="1",
        meaning="mass ratio at which a merger destroys 0.63 of a disc of stars",
        source="choice",
        bounds=(0.1, 0.5),
        scale="log10",
    )
    size_slope: Float[Array, ""] = parameter(
        0.6, unit="1", meaning="power of mass in the size of satellites", source="choice", bounds=(0.0, 1.0)
    )
    sizes: MergedSizes = eqx.field(default_factory=MergedSizes)

    def initial(self, state: Any, halo: Halo, cosmology: Cosmology) -> dict[str, Float[Array, "..."]]:
        stars = _AT_START * state.mstar
        return {"mbulge": stars, "rmbulge": _ROUND * halo.rvir * stars}

    def own_fluxes(self, galaxy: Galaxy) -> ProcessFluxes:
        state, flows, disc = galaxy.state, galaxy.flows, disc_of(galaxy)
        size, total = bulge_size(state), state.mstar + state.mism
        gas, nothing = state.mism / total, jnp.zeros_like(total)
        arriving, burst, returned, stripped = (
            GYR_YR * flows[name].mass if name in flows else nothing
            for name in ("arriving_stars", "burst", "delayed_return", "tidal_stars")
        )  # [Msun/Gyr]
        hazard, settling = self._mergers(galaxy, disc, arriving, gas)
        destroyed = hazard * disc_stars(state)
        lost = (returned + stripped) * state.mbulge / state.mstar
        growth = arriving + burst + destroyed - lost
        dissipation = self.sizes.dissipation
        mixing = (
            settling * arriving
            + HALF_MASS * disc.gas / (1.0 + dissipation) * burst  # all gas
            + HALF_MASS * disc.stars / (1.0 + dissipation * gas) * destroyed
            - size * lost
        )
        spun = hazard * state.jstar + burst * state.jism / state.mism
        rates = {
            "bulge_growth": FlowRates(tracked=growth, momentum=spun / GYR_YR),
            "bulge_mixing": FlowRates(tracked=mixing),
        }
        return ProcessFluxes(rates, {"bulge_share": state.mbulge / state.mstar, "bulge_size": size})

    def _mergers(self, galaxy: Galaxy, disc: Disc, arriving: Any, gas: Any) -> tuple[Any, Any]:
        """Rate at which discs are destroyed [1/Gyr], and where arriving stars settle [kpc]."""
        state, extras, size = galaxy.state, galaxy.halo.extras, bulge_size(galaxy.state)
        if "merging_squares" not in extras:
            return 0.0 * gas, size
        total = state.mstar + state.mism
        first, second = extras["merging_mass"] / total, extras["merging_squares"] / total**2  # [1/Gyr]
        ratio = (second + _LEAST_RATIO * _NOTHING) / (first + _NOTHING)
        stars = ratio * arriving / (first + _NOTHING)  # of a satellite [Msun], without those that stay outside
        own = HALF_MASS * disc.stars * (1.0 - state.mbulge / state.mstar) + size * state.mbulge / state.mstar
        mixed = gas * 4.0 * ratio / (1.0 + ratio) ** 2  # dissipation shakes a galaxy as far as the merger does
        settling = self.sizes.settling(
            state.mbulge, size, stars + _LEAST_RATIO * state.mbulge, own * ratio**self.size_slope, mixed
        )
        return (1.0 - gas) * second / self.major_ratio**2, settling
