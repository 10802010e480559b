"""The turbulent CGM model: eight reservoirs, of which the turbulence of the CGM is one (Pandya et al. 2023).

Inflowing gas and winds bring energy that is part thermal and part turbulent.  Turbulence dissipates into heat and
supports gas against free fall.  The gas cools, or is heated by the ultraviolet background; where heating by dissipation
balances cooling, nothing condenses.  Early on the CGM is cool and supported by turbulence; later it is hot, near the
virial temperature, and supported by thermal pressure.
"""

from typing import Any, ClassVar, NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Float

from ..annotations import Array
from ..cosmology import Cosmology
from ..halos import Halo
from ..numerics.limiters import AbstractMinimum, AbstractPositivePart, SmoothPositivePart, Unlimited
from ..physics import (
    AbstractCGMProfile,
    AbstractCondensation,
    AbstractCooling,
    AbstractDensityConvention,
    AbstractEmptying,
    AbstractGalaxyScaling,
    AbstractNetCooling,
    AbstractOnset,
    AbstractPrevention,
    AbstractReionisation,
    AbstractScaling,
    AbstractWindEnergy,
    BernoulliWind,
    Ceiling,
    ConstantLoading,
    ExpressionLaw,
    Fire2DepletionTime,
    Fire2InflowMetallicity,
    Fire2MassLoading,
    Fire2ThermalAccretion,
    Fire2ThermalWind,
    FreeFall,
    Galaxy,
    GradualEmptying,
    HarmonicCondensation,
    HydrogenDensitySquared,
    IsothermalShells,
    LearnedLaw,
    LogisticPrevention,
    MassOnset,
    Okamoto08,
    OverpressureOutflow,
    PhotoionisedCooling,
    StellarReturn,
    Turbulence,
    TurbulentSeed,
    VirialTemperature,
    dynamical_time,
)
from ..printing import in_short
from ..units import GYR_S, YEAR_S, Quantity
from .baryons import CYCLE_FLOWS, DIAGNOSTICS, QUANTITIES, RESERVOIRS, baryon_cycle
from .base import Fluxes
from .cgm import accreted, condensed, conditions, escaping_gas, hot_gas, seen_by_laws, shared_diagnostics
from .emission import check_cooling
from .galaxy import AbstractGalaxyModel
from .ledger import Flow, FlowRates, Ledger
from .process import AbstractProcess, channel_multipliers

__all__ = ["TurbulentCGM", "TurbulentState", "TurbulentForcing"]


class TurbulentState(NamedTuple):
    """Masses [Msun], thermal and turbulent energy of the CGM [erg], metal masses [Msun].

    Examples
    --------
    >>> state = co.models.TurbulentState(1e10, 5e9, 4e10, 1e58, 3e57, 1e8, 5e7, 2e8)
    >>> state.eturb / state.eth
    0.3
    """

    mstar: Float[Array, "..."]
    mism: Float[Array, "..."]
    mcgm: Float[Array, "..."]
    eth: Float[Array, "..."]
    eturb: Float[Array, "..."]
    mzstar: Float[Array, "..."]
    mzism: Float[Array, "..."]
    mzcgm: Float[Array, "..."]

    def __repr__(self) -> str:
        return in_short(self)


class TurbulentForcing(NamedTuple):
    """What the halo imposes on its galaxy at one time; None where a law needs the galaxy itself.

    Examples
    --------
    >>> halo = co.halos.Halo(*map(jnp.asarray, (13.8, 0.0, 1e12, 260.0, 130.0, 10.0, 30.0)))
    >>> forcing = co.models.TurbulentCGM().forcing(halo, co.cosmology.Cosmology())
    >>> round(float(forcing.thermal_accretion), 2)
    0.67
    """

    halo: Halo
    supply: Float[Array, "..."]  # gas that falls in where nothing prevents it [Msun/yr]
    inflow_metallicity: Float[Array, "..."] | None  # mass fraction
    specific_energy: Float[Array, "..."]  # e_vir [erg/Msun]
    t_dyn: Float[Array, "..."]  # [Gyr]
    free_fall: Float[Array, "..."]  # without turbulent support [Gyr]
    circular_velocity: Float[Array, "..."]  # at the free-fall radius [km/s]
    driving_scale: Float[Array, "..."]  # [kpc]
    thermal_accretion: Float[Array, "..."] | None
    thermal_wind: Float[Array, "..."] | None
    mass_loading: Float[Array, "..."] | None
    metal_loading: Float[Array, "..."] | None
    depletion_time: Float[Array, "..."] | None  # [Gyr]
    prevention: Float[Array, "..."] | None
    tvir: Float[Array, "..."]  # [K]
    uv_fraction: Float[Array, "..."]

    def __repr__(self) -> str:
        return in_short(self)


_LEDGER = Ledger(
    TurbulentState,
    RESERVOIRS | {("energy", "turbulence"): "eturb"},
    [
        Flow("accretion", "cosmological inflow and its heat", ("igm", "cgm"), ("igm", "cgm"), ("igm", "cgm")),
        Flow("stirring", "turbulence that inflow brings", energy=("igm", "turbulence")),
        Flow("dissipation", "turbulence becoming heat", energy=("turbulence", "cgm")),
        Flow("cooling", "CGM gas condensing onto the ISM", ("cgm", "ism"), ("cgm", "ism")),
        Flow("radiation", "CGM heat radiated away, less photo-heating", energy=("cgm", "radiated")),
        *CYCLE_FLOWS,
        Flow("wind_heating", "supernova energy that heats the CGM", energy=("supernovae", "cgm")),
        Flow("wind_stirring", "supernova energy that stirs the CGM", energy=("supernovae", "turbulence")),
        Flow("outflow", "overpressured CGM gas leaving, and its heat", ("cgm", "igm"), ("cgm", "igm"), ("cgm", "igm")),
        Flow("turbulent_outflow", "turbulence of the gas that leaves", energy=("turbulence", "igm")),
    ],
    QUANTITIES | {"eturb": Quantity("erg", "turbulent energy of the CGM")},
)

_DIAGNOSTICS = DIAGNOSTICS | {
    "cooling_function": Quantity("erg cm^3/s", "net power at Rvir over the particle density squared", log=False),
    "cooling_rate": Quantity("1/Gyr", "radiated power in excess of dissipation, over thermal energy", log=False),
    "turbulent_velocity": Quantity("km/s", "turbulent velocity of the CGM"),
    "turbulent_time": Quantity("Gyr", "time in which turbulence dissipates"),
    "t_ff": Quantity("Gyr", "CGM free-fall time, with turbulent support"),
    "metal_loading": Quantity("1", "eta_Z", log=False),
    "thermal_accretion": Quantity("1", "thermal share of the accretion energy", log=False),
    "thermal_wind": Quantity("1", "thermal share of the wind energy", log=False),
}


class TurbulentCGM(AbstractGalaxyModel):
    """The turbulent CGM model with our defaults; `corundum.models.pandya23` makes the published choices.

    Gas condenses at M_cgm / (t_cool + t_ff), with 1/t_cool the radiated power in excess of dissipation over the thermal
    energy, and not at all where there is no excess; the law ``condensing`` makes that transition smooth or sharp.

    Raises
    ------
    ValueError
        A law does not fit its place, reads what is not known there, or does not fit the other laws.

    References
    ----------
    Pandya et al. 2023, ApJ 956, 118.

    Examples
    --------
    >>> co.models.TurbulentCGM(onset=co.physics.Pandya23Onset())
    TurbulentCGM(onset=Pandya23Onset())
    """

    own_ledger: ClassVar[Ledger] = _LEDGER
    own_diagnostics: ClassVar[dict[str, Quantity]] = _DIAGNOSTICS

    mass_loading: AbstractScaling | AbstractGalaxyScaling = eqx.field(default_factory=Fire2MassLoading)
    wind_energy: AbstractWindEnergy = eqx.field(default_factory=BernoulliWind)
    depletion_time: AbstractScaling | AbstractGalaxyScaling = eqx.field(default_factory=Fire2DepletionTime)
    metal_loading: AbstractScaling | AbstractGalaxyScaling = eqx.field(default_factory=lambda: ConstantLoading(0.0))
    metal_ceiling: Ceiling = eqx.field(default_factory=Ceiling)
    emptying: AbstractEmptying = eqx.field(default_factory=GradualEmptying)
    stellar_return: StellarReturn = eqx.field(default_factory=StellarReturn)
    inflow_metallicity: AbstractScaling | AbstractGalaxyScaling = eqx.field(default_factory=Fire2InflowMetallicity)
    prevention: AbstractPrevention | AbstractGalaxyScaling = eqx.field(default_factory=LogisticPrevention)
    reionisation: AbstractReionisation = eqx.field(default_factory=Okamoto08)
    thermal_accretion: AbstractScaling | AbstractGalaxyScaling = eqx.field(default_factory=Fire2ThermalAccretion)
    thermal_wind: AbstractScaling | AbstractGalaxyScaling = eqx.field(default_factory=Fire2ThermalWind)
    turbulence: Turbulence = eqx.field(default_factory=Turbulence)
    virial: VirialTemperature = eqx.field(default_factory=VirialTemperature)
    free_fall: FreeFall = eqx.field(default_factory=FreeFall)
    profile: AbstractCGMProfile = eqx.field(default_factory=IsothermalShells)
    cooling: AbstractNetCooling | AbstractCooling | LearnedLaw | ExpressionLaw = eqx.field(
        default_factory=PhotoionisedCooling
    )
    densities: AbstractDensityConvention = eqx.field(default_factory=HydrogenDensitySquared)
    cooling_limit: AbstractMinimum = eqx.field(default_factory=Unlimited)
    condensing: AbstractPositivePart = eqx.field(default_factory=SmoothPositivePart)
    condensation: AbstractCondensation | LearnedLaw | ExpressionLaw = eqx.field(default_factory=HarmonicCondensation)
    halo_outflow: OverpressureOutflow = eqx.field(default_factory=OverpressureOutflow)
    onset: AbstractOnset | LearnedLaw | ExpressionLaw = eqx.field(default_factory=MassOnset)
    seed: TurbulentSeed = eqx.field(default_factory=TurbulentSeed)
    processes: dict[str, AbstractProcess] = eqx.field(default_factory=dict)
    channels: dict[str, Float[Array, ""]] = channel_multipliers()

    def __check_init__(self):
        check_cooling("TurbulentCGM", self.cooling, self.densities, self.profile)

    def own_initial(self, halo: Halo, cosmology: Cosmology) -> TurbulentState:
        """State at the start of `halo`."""
        gas = self.seed.gas(halo.mvir, cosmology.baryon_fraction)
        thermal, turbulent = self.seed.energies(gas, halo.vvir)
        mass = self.seed.mass * jnp.ones_like(gas)
        z = self.seed.metallicity
        return TurbulentState(mass, mass, gas, thermal, turbulent, z * mass, z * mass, z * gas)

    def forcing(self, halo: Halo, cosmology: Cosmology) -> TurbulentForcing:
        """What the halo imposes, from the laws that do not depend on the galaxy."""
        v = halo.vvir
        inner = self.free_fall.radius(halo.concentration)
        circular_velocity = v * self.free_fall.relative_velocity(inner, halo.concentration)
        return TurbulentForcing(
            **conditions(self, halo, cosmology),
            free_fall=dynamical_time(inner * halo.rvir, circular_velocity),
            circular_velocity=circular_velocity,
            driving_scale=self.turbulence.scale(halo, inner),
            thermal_accretion=self.thermal_accretion.imposed(halo),
            thermal_wind=self.thermal_wind.imposed(halo),
        )

    def own_fluxes(self, state: Any, forcing: TurbulentForcing) -> tuple[Fluxes, Galaxy]:
        """Rates of the thirteen flows."""
        f, halo = forcing, forcing.halo
        velocity = self.turbulence.velocity(state.eturb, state.mcgm)
        dissipation_rate = self.turbulence.dissipation_rate(velocity, f.driving_scale)  # [1/Gyr]
        dissipated = state.eturb * dissipation_rate / GYR_S  # [erg/s]
        t_ff = f.free_fall * self.turbulence.delay(velocity, f.circular_velocity)

        gas = hot_gas(self, state, halo)
        power_scale = state.eth / (f.t_dyn * GYR_S)  # thermal energy over a dynamical time [erg/s]
        radiated = self.cooling_limit(gas.power, power_scale)
        excess = radiated - dissipated
        cooling_rate = self.condensing(excess, power_scale) * GYR_S / state.eth  # [1/Gyr]

        escape = escaping_gas(self, state, f, gas, state.eth + state.eturb)
        turbulent_outflow = FlowRates(energy=escape.rate * state.eturb / GYR_S)
        outflows = {"outflow": escape.outflow, "turbulent_outflow": turbulent_outflow}
        galaxy = seen_by_laws(state, f, gas, escape, t_ff, outflows)
        condensing = condensed(self, galaxy, cooling_rate)
        onset = self.onset.value(self.onset.imposed(halo), galaxy.knowing(condensing=condensing))
        inflow = accreted(self, f, galaxy)
        inflow_power = inflow.mass * f.specific_energy / YEAR_S
        thermal_accretion = self.thermal_accretion.value(f.thermal_accretion, galaxy)
        cycle = baryon_cycle(self, f, galaxy, onset)
        supernova = self.stellar_return.supernova_energy
        wind_energy = self.wind_energy(cycle.galaxy, supernova)  # [erg/Msun]
        thermal_wind = self.thermal_wind.value(f.thermal_wind, cycle.galaxy)
        wind_power = wind_energy * cycle.sfr / YEAR_S
        flows = {
            "accretion": FlowRates(inflow.mass, inflow.metals, thermal_accretion * inflow_power),
            "stirring": FlowRates(energy=(1.0 - thermal_accretion) * inflow_power),
            "dissipation": FlowRates(energy=dissipated),
            "cooling": FlowRates(condensing, gas.z_cgm * condensing),
            "radiation": FlowRates(energy=radiated),
            **cycle.flows,
            "wind_heating": FlowRates(energy=thermal_wind * wind_power),
            "wind_stirring": FlowRates(energy=(1.0 - thermal_wind) * wind_power),
            **outflows,
        }
        diagnostics = shared_diagnostics(self, state, f, gas, escape, inflow, cycle) | dict(
            cooling_rate=excess * GYR_S / state.eth,
            turbulent_velocity=velocity,
            turbulent_time=1.0 / dissipation_rate,
            t_ff=t_ff,
            energy_loading=wind_energy / supernova,
            thermal_accretion=thermal_accretion * jnp.ones_like(inflow.mass),
            thermal_wind=thermal_wind * jnp.ones_like(inflow.mass),
        )
        return Fluxes(flows, diagnostics), galaxy.knowing(**diagnostics)
