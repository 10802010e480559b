"""The thermal CGM model: seven reservoirs, nine flows (Pandya et al. 2023, 2026).

Hot gas falls into the halo, cools onto the interstellar medium (ISM), forms stars, and is driven out again by winds
(ejective feedback).  Supernova energy heats the circumgalactic medium (CGM): this keeps gas from cooling (preventive
feedback), and where the CGM holds more energy than binds it, gas leaves the halo.
"""

from typing import Any, ClassVar, NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Float

from ..annotations import Array
from ..cosmology import Cosmology
from ..halos import Halo
from ..numerics.limiters import AbstractMinimum, SmoothMinimum
from ..physics import (
    AbstractCGMProfile,
    AbstractCondensation,
    AbstractCooling,
    AbstractDensityConvention,
    AbstractEmptying,
    AbstractGalaxyScaling,
    AbstractNetCooling,
    AbstractPrevention,
    AbstractReionisation,
    AbstractScaling,
    Ceiling,
    DepletionTime,
    EnergyLoading,
    EquilibriumDensities,
    ExpressionLaw,
    FreeFall,
    Galaxy,
    GasSeed,
    GradualEmptying,
    HarmonicCondensation,
    InflowMetallicity,
    IsothermalCGM,
    LearnedLaw,
    LogisticPrevention,
    MassLoading,
    MetalLoading,
    Okamoto08,
    OverpressureOutflow,
    StellarReturn,
    SutherlandDopita93,
    VirialTemperature,
)
from ..printing import in_short
from ..units import GYR_S, YEAR_S, Quantity
from .baryons import CYCLE_FLOWS, DIAGNOSTICS, QUANTITIES, RESERVOIRS, baryon_cycle
from .base import Fluxes
from .cgm import accreted, condensed, conditions, escaping_gas, hot_gas, seen_by_laws, shared_diagnostics
from .emission import can_heat, check_cooling
from .galaxy import AbstractGalaxyModel
from .ledger import Flow, FlowRates, Ledger
from .process import AbstractProcess, channel_multipliers

__all__ = ["ThermalCGM", "ThermalState", "ThermalForcing"]


class ThermalState(NamedTuple):
    """Masses [Msun], thermal energy of the CGM [erg], metal masses [Msun].

    Examples
    --------
    >>> state = co.models.ThermalState(1e10, 5e9, 4e10, 1e58, 1e8, 5e7, 2e8)
    >>> state.mzism / state.mism
    0.01
    """

    mstar: Float[Array, "..."]
    mism: Float[Array, "..."]
    mcgm: Float[Array, "..."]
    eth: Float[Array, "..."]
    mzstar: Float[Array, "..."]
    mzism: Float[Array, "..."]
    mzcgm: Float[Array, "..."]

    def __repr__(self) -> str:
        return in_short(self)


class ThermalForcing(NamedTuple):
    """What the halo imposes on its galaxy at one time; None where a law needs the galaxy itself.

    Examples
    --------
    >>> halo = co.halos.Halo(*map(jnp.asarray, (13.8, 0.0, 1e12, 260.0, 130.0, 10.0, 30.0)))
    >>> forcing = model.forcing(halo, co.cosmology.Cosmology())
    >>> round(float(forcing.t_dyn), 2), round(float(forcing.mass_loading), 2)
    (1.96, 0.96)
    """

    halo: Halo
    supply: Float[Array, "..."]  # gas that falls in where nothing prevents it [Msun/yr]
    inflow_metallicity: Float[Array, "..."] | None  # mass fraction
    specific_energy: Float[Array, "..."]  # e_vir [erg/Msun]
    t_dyn: Float[Array, "..."]  # [Gyr]
    t_ff: Float[Array, "..."]  # [Gyr]
    mass_loading: Float[Array, "..."] | None
    energy_loading: Float[Array, "..."] | None
    metal_loading: Float[Array, "..."] | None
    depletion_time: Float[Array, "..."] | None  # [Gyr]
    prevention: Float[Array, "..."] | None
    tvir: Float[Array, "..."]  # [K]
    uv_fraction: Float[Array, "..."]

    def __repr__(self) -> str:
        return in_short(self)


_LEDGER = Ledger(
    ThermalState,
    RESERVOIRS,
    [
        Flow("accretion", "cosmological inflow", ("igm", "cgm"), ("igm", "cgm"), ("igm", "cgm")),
        Flow("cooling", "CGM gas condensing onto the ISM", ("cgm", "ism"), ("cgm", "ism")),
        Flow("radiation", "CGM thermal energy radiated away", energy=("cgm", "radiated")),
        *CYCLE_FLOWS,
        Flow("wind_heating", "supernova energy delivered to the CGM", energy=("supernovae", "cgm")),
        Flow(
            "outflow",
            "overpressured CGM gas leaving the halo",
            ("cgm", "igm"),
            ("cgm", "igm"),
            ("cgm", "igm"),
        ),
    ],
    QUANTITIES,
)

_DIAGNOSTICS = DIAGNOSTICS | {
    "cooling_function": Quantity("erg cm^3/s", "emitted power at Rvir over the total particle density squared"),
    "t_cool": Quantity("Gyr", "CGM thermal energy over radiated power"),
    "t_ff": Quantity("Gyr", "CGM free-fall time"),
    "metal_loading": Quantity("1", "eta_Z"),
}


class ThermalCGM(AbstractGalaxyModel):
    """The thermal CGM model with our defaults; `corundum.models.pandya26` makes the published one.

    Every law is a component that can be swapped alone.  Laws of the galaxy see what is known when they are evaluated,
    in this order: cooling and condensation, prevention and inflow metallicity, depletion time, mass loading, metal
    loading, energy loading (see `physics.Galaxy`).

    Raises
    ------
    ValueError
        A law does not fit its place, reads what is not known there, or does not fit the other laws.

    References
    ----------
    Pandya et al. 2023, ApJ 956, 118; Pandya et al. 2026, arXiv:2604.06318.

    Examples
    --------
    >>> co.models.ThermalCGM(mass_loading=co.physics.MassLoading(slope=-2.0))
    ThermalCGM(mass_loading=MassLoading(slope=-2))
    """

    own_ledger: ClassVar[Ledger] = _LEDGER
    own_diagnostics: ClassVar[dict[str, Quantity]] = _DIAGNOSTICS

    mass_loading: AbstractScaling | AbstractGalaxyScaling = eqx.field(default_factory=MassLoading)
    energy_loading: AbstractScaling | AbstractGalaxyScaling = eqx.field(default_factory=EnergyLoading)
    depletion_time: AbstractScaling | AbstractGalaxyScaling = eqx.field(default_factory=DepletionTime)
    metal_loading: AbstractScaling | AbstractGalaxyScaling = eqx.field(default_factory=MetalLoading)
    energy_ceiling: Ceiling = eqx.field(default_factory=Ceiling)
    metal_ceiling: Ceiling = eqx.field(default_factory=Ceiling)
    emptying: AbstractEmptying = eqx.field(default_factory=GradualEmptying)
    stellar_return: StellarReturn = eqx.field(default_factory=StellarReturn)
    inflow_metallicity: AbstractScaling | AbstractGalaxyScaling = eqx.field(default_factory=InflowMetallicity)
    prevention: AbstractPrevention | AbstractGalaxyScaling = eqx.field(default_factory=LogisticPrevention)
    reionisation: AbstractReionisation = eqx.field(default_factory=Okamoto08)
    virial: VirialTemperature = eqx.field(default_factory=VirialTemperature)
    free_fall: FreeFall = eqx.field(default_factory=FreeFall)
    profile: AbstractCGMProfile = eqx.field(default_factory=IsothermalCGM)
    cooling: AbstractCooling | AbstractNetCooling | LearnedLaw | ExpressionLaw = eqx.field(
        default_factory=SutherlandDopita93
    )
    densities: AbstractDensityConvention = eqx.field(default_factory=EquilibriumDensities)
    cooling_limit: AbstractMinimum = eqx.field(default_factory=SmoothMinimum)
    condensation: AbstractCondensation | LearnedLaw | ExpressionLaw = eqx.field(default_factory=HarmonicCondensation)
    halo_outflow: OverpressureOutflow = eqx.field(default_factory=OverpressureOutflow)
    seed: GasSeed = eqx.field(default_factory=GasSeed)
    processes: dict[str, AbstractProcess] = eqx.field(default_factory=dict)
    channels: dict[str, Float[Array, ""]] = channel_multipliers()

    def __check_init__(self):
        check_cooling("ThermalCGM", self.cooling, self.densities, self.profile)
        if can_heat(self.cooling):
            raise ValueError(
                f"ThermalCGM: {type(self.cooling).__name__} can heat gas, but in this model all gas whose energy is "
                "radiated away condenses, which has no meaning where energy is gained; use TurbulentCGM, which takes "
                "net heating"
            )

    def own_initial(self, halo: Halo, cosmology: Cosmology) -> ThermalState:
        """State at the start of `halo`."""
        gas = self.seed.gas(halo.mvir, cosmology.baryon_fraction)
        mass = self.seed.mass * jnp.ones_like(gas)
        z = self.seed.metallicity
        return ThermalState(mass, mass, gas, self.seed.energy(gas, halo.vvir), z * mass, z * mass, z * gas)

    def forcing(self, halo: Halo, cosmology: Cosmology) -> ThermalForcing:
        """What the halo imposes, from the laws that do not depend on the galaxy."""
        return ThermalForcing(
            **conditions(self, halo, cosmology),
            t_ff=self.free_fall(halo.rvir, halo.vvir, halo.concentration),
            energy_loading=self.energy_loading.imposed(halo),
        )

    def own_fluxes(self, state: Any, forcing: ThermalForcing) -> tuple[Fluxes, Galaxy]:
        """Rates of the nine flows."""
        f, gas = forcing, hot_gas(self, state, forcing.halo)
        radiated = self.cooling_limit(gas.power, state.eth / (f.t_dyn * GYR_S))
        cooling_rate = radiated * GYR_S / state.eth  # 1/t_cool [1/Gyr], zero where nothing cools

        escape = escaping_gas(self, state, f, gas, state.eth)
        galaxy = seen_by_laws(state, f, gas, escape, f.t_ff, {"outflow": escape.outflow})
        condensing = condensed(self, galaxy, cooling_rate)
        inflow = accreted(self, f, galaxy)
        cycle = baryon_cycle(self, f, galaxy)
        energy_loading = self.energy_ceiling(self.energy_loading.value(f.energy_loading, cycle.galaxy))
        flows = {
            "accretion": FlowRates(inflow.mass, inflow.metals, inflow.mass * f.specific_energy / YEAR_S),
            "cooling": FlowRates(condensing, gas.z_cgm * condensing),
            "radiation": FlowRates(energy=radiated),
            **cycle.flows,
            "wind_heating": FlowRates(
                energy=energy_loading * self.stellar_return.supernova_energy * cycle.sfr / YEAR_S
            ),
            "outflow": escape.outflow,
        }
        diagnostics = shared_diagnostics(self, state, f, gas, escape, inflow, cycle) | dict(
            t_cool=1.0 / cooling_rate,
            t_ff=f.t_ff,
            energy_loading=energy_loading,
        )
        return Fluxes(flows, diagnostics), galaxy.knowing(**diagnostics)
