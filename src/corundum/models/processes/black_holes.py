"""A black hole in every galaxy: it is fed from the ISM and from hot gas, and heats the CGM.

The accretion rate is limited to the Eddington rate.  A part of the accreted rest mass is radiated away and the rest
adds to the black hole; the energy that reaches the CGM is a share of the rest-mass energy that depends on the mode of
accretion.  The cold mode takes gas from the ISM and the hot mode from the CGM; the metals of that gas are lost.
"""

from typing import Any, ClassVar

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Float

from ...annotations import Array
from ...cosmology import Cosmology
from ...halos import Halo
from ...numerics.limiters import AbstractMinimum, SmoothMinimum
from ...parameters import FRACTION, parameter
from ...physics import (
    AbstractFeedback,
    AbstractFeeding,
    ExpressionLaw,
    Galaxy,
    LearnedLaw,
    MaximalCoolingFeeding,
    StarFormationFeeding,
    TwoModeFeedback,
    eddington_rate,
)
from ...units import LIGHT_CM_S, MSUN_G, YEAR_S, Quantity
from ..ledger import Flow, FlowRates
from ..process import AbstractProcess, ProcessFluxes

__all__ = ["BlackHole"]

_READS = ("sfr", "temperature", "density", "cooling_function", "t_ff", "z_ism", "z_cgm", "cooling")


class BlackHole(AbstractProcess):
    """Growth and feedback of the central black hole.

    The black hole is that of the main branch; `BlackHoleMergers` adds those of satellites.

    References
    ----------
    Croton et al. 2006, MNRAS 365, 11; Weinberger et al. 2017, MNRAS 465, 3291.

    Examples
    --------
    >>> model = co.models.ThermalCGM(processes={"black_hole": co.models.BlackHole(seed_mass=1e4)})
    >>> float(model.processes["black_hole"].seed_mass), "mbh" in model.ledger.state._fields
    (10000.0, True)
    """

    reservoirs: ClassVar[dict] = {("mass", "black_hole"): ("mbh", Quantity("Msun", "black-hole mass"))}
    flows: ClassVar[tuple[Flow, ...]] = (
        Flow("cold_feeding", "ISM gas falling on the black hole", ("ism", "black_hole"), ("ism", "swallowed")),
        Flow("hot_feeding", "CGM gas falling on the black hole", ("cgm", "black_hole"), ("cgm", "swallowed")),
        Flow("black_hole_radiation", "accreted rest mass radiated away", ("black_hole", "radiated")),
        Flow("agn_heating", "energy from the black hole to the CGM", energy=("active_nucleus", "cgm")),
    )
    diagnostics: ClassVar[dict[str, Quantity]] = {
        "black_hole_accretion": Quantity("Msun/yr", "gas falling on the black hole"),
        "eddington_ratio": Quantity("1", "accretion rate over the Eddington rate"),
        "kinetic_share": Quantity("1", "how far the black hole is in the kinetic mode", log=False),
    }
    needs: ClassVar[tuple] = (("mass", "ism"), ("mass", "cgm"), ("energy", "cgm"), ("metals", "ism"), ("metals", "cgm"))
    outside: ClassVar[tuple[str, ...]] = ("swallowed", "active_nucleus")

    seed_mass: Float[Array, ""] = parameter(
        1e5, unit="Msun", meaning="mass at the start", source="choice", bounds=(1e2, 1e6), scale="log10"
    )
    radiative_efficiency: Float[Array, ""] = parameter(
        0.1,
        unit="1",
        meaning="accreted rest mass radiated away",
        source="Soltan 1982",
        bounds=(0.05, 0.4),
        allowed=FRACTION,
    )
    eddington_limit: Float[Array, ""] = parameter(
        1.0, unit="1", meaning="largest Eddington ratio", source="choice", bounds=(0.1, 10.0), scale="log10"
    )
    cold: AbstractFeeding | LearnedLaw | ExpressionLaw = eqx.field(default_factory=StarFormationFeeding)
    hot: AbstractFeeding | LearnedLaw | ExpressionLaw = eqx.field(default_factory=MaximalCoolingFeeding)
    feedback: AbstractFeedback = eqx.field(default_factory=TwoModeFeedback)
    limit: AbstractMinimum = eqx.field(default_factory=SmoothMinimum)

    @property
    def reads(self) -> tuple[str, ...]:  # type: ignore[override]
        """What it looks at: quantities of the model, and those of other processes that its feeding asks for."""
        return (*_READS, *(name for law in (self.cold, self.hot) for name in getattr(law, "reads", ())))

    def initial(self, state: Any, halo: Halo, cosmology: Cosmology) -> dict[str, Float[Array, "..."]]:
        return {"mbh": self.seed_mass * jnp.ones_like(halo.mvir)}

    def own_fluxes(self, galaxy: Galaxy) -> ProcessFluxes:
        state, known = galaxy.state, galaxy.quantities
        cold = self.cold(galaxy)
        # At most the gas that cools: otherwise heating would raise the accretion rate, which would run away.
        hot = self.limit(self.hot(galaxy), galaxy.flows["cooling"].mass + 1e-30)
        supply = cold + hot
        eddington = eddington_rate(state.mbh, self.radiative_efficiency)
        accreted = self.limit(supply, self.eddington_limit * eddington)
        share = accreted / (supply + 1e-30)
        cold, hot = share * cold, share * hot
        ratio = accreted / eddington
        hot_share = hot / (accreted + 1e-30)
        power = self.feedback(state.mbh, ratio, hot_share) * accreted * MSUN_G * LIGHT_CM_S**2 / YEAR_S  # [erg/s]
        flows = {
            "cold_feeding": FlowRates(cold, known["z_ism"] * cold),
            "hot_feeding": FlowRates(hot, known["z_cgm"] * hot),
            "black_hole_radiation": FlowRates(self.radiative_efficiency * accreted),
            "agn_heating": FlowRates(energy=power),
        }
        diagnostics = {
            "black_hole_accretion": accreted,
            "eddington_ratio": ratio,
            "kinetic_share": self.feedback.kinetic_share(state.mbh, ratio, hot_share),
        }
        return ProcessFluxes(flows, diagnostics)
