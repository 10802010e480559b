"""Quasars: what black holes that are fed with cold gas do to the gas of their galaxies."""

from typing import Any, ClassVar

import equinox as eqx
from jaxtyping import Float

from ...annotations import Array
from ...cosmology import Cosmology
from ...halos import Halo
from ...numerics.limiters import AbstractMinimum, SmoothMinimum
from ...parameters import FRACTION, parameter
from ...physics import Galaxy
from ...units import GYR_YR, LIGHT_CM_S, MSUN_G, YEAR_S, Quantity
from ..ledger import Flow, FlowRates
from ..process import AbstractProcess, ProcessFluxes

__all__ = ["QuasarMode"]

_DISC = 0.1  # dynamical time of a disc over that of its halo


class QuasarMode(AbstractProcess):
    """A share of the light of cold gas that feeds the black hole drives a wind out of the ISM and heats the CGM.

    The wind takes along what that power can lift, 2 P / Vvir^2, and at most the ISM in a dynamical time of the disc,
    smoothly.  It goes with `BlackHole`.

    Parameters
    ----------
    coupling : float
        Share of the light.
    limit : AbstractMinimum

    References
    ----------
    Di Matteo, Springel & Hernquist 2005, Nature 433, 604; Croton et al. 2016, ApJS 222, 22 (0.005, all or nothing).

    Examples
    --------
    >>> processes = {"black_hole": co.models.BlackHole(), "quasar": co.models.QuasarMode(coupling=1e-3)}
    >>> co.models.ThermalCGM(processes=processes).ledger.names[-2:]
    ('quasar_heating', 'quasar_wind')
    """

    reservoirs: ClassVar[dict] = {}
    flows: ClassVar[tuple[Flow, ...]] = (
        Flow("quasar_heating", "energy of quasars to the CGM", energy=("active_nucleus", "cgm")),
        Flow("quasar_wind", "ISM gas driven out by quasars", ("ism", "cgm"), ("ism", "cgm")),
    )
    diagnostics: ClassVar[dict[str, Quantity]] = {
        "quasar_luminosity": Quantity("erg/s", "light of cold gas falling in")
    }
    needs: ClassVar[tuple] = (
        ("mass", "black_hole"), ("mass", "ism"), ("mass", "cgm"), ("metals", "ism"), ("energy", "cgm"),
    )  # fmt: skip
    reads: ClassVar[tuple[str, ...]] = ("cold_feeding", "hot_feeding", "black_hole_radiation", "t_dyn", "z_ism")
    outside: ClassVar[tuple[str, ...]] = ("active_nucleus",)

    coupling: Float[Array, ""] = parameter(
        1e-3,
        unit="1",
        meaning="share of the light of quasars that drives winds and heats the CGM",
        source="choice",
        bounds=(1e-5, 0.02),
        scale="log10",
        allowed=FRACTION,
    )
    limit: AbstractMinimum = eqx.field(default_factory=SmoothMinimum)

    def initial(self, state: Any, halo: Halo, cosmology: Cosmology) -> dict[str, Float[Array, "..."]]:
        return {}

    def own_fluxes(self, galaxy: Galaxy) -> ProcessFluxes:
        state, flows, known = galaxy.state, galaxy.flows, galaxy.quantities
        cold, hot = flows["cold_feeding"].mass, flows["hot_feeding"].mass
        luminous = flows["black_hole_radiation"].mass * cold / (cold + hot + 1e-30)  # [Msun/yr]
        light = luminous * MSUN_G * LIGHT_CM_S**2 / YEAR_S  # [erg/s]
        lifted = 2.0 * self.coupling * luminous * (LIGHT_CM_S / (1e5 * galaxy.halo.vvir)) ** 2
        wind = self.limit(lifted, state.mism / (_DISC * known["t_dyn"] * GYR_YR))
        rates = {
            "quasar_heating": FlowRates(energy=self.coupling * light),
            "quasar_wind": FlowRates(wind, known["z_ism"] * wind),
        }
        return ProcessFluxes(rates, {"quasar_luminosity": light})
