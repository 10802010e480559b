"""The thermal CGM model: seven reservoirs, nine flows (Pandya et al. 2023, 2026).

Gas falls into the halo hot, cools onto the interstellar medium, forms stars, and is driven out again; supernova energy
heats the circumgalactic medium (CGM), which keeps gas from cooling (preventive feedback) and, once it holds more
energy than binds it, leaves the halo; winds carry mass out of the interstellar medium (ejective feedback).
"""

from typing import ClassVar, NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from ..cosmology import Cosmology
from ..halos import Halo
from ..numerics.limiters import AbstractMinimum, SmoothMinimum
from ..parameters import parameter
from ..physics import (
    AbstractCGMProfile,
    AbstractCooling,
    AbstractDensityConvention,
    AbstractPrevention,
    AbstractReionisation,
    AbstractScaling,
    Ceiling,
    DepletionTime,
    ElectronIonDensities,
    EnergyLoading,
    FreeFall,
    GasSeed,
    InflowMetallicity,
    IsothermalCGM,
    LogisticPrevention,
    MassLoading,
    MetalLoading,
    Okamoto08,
    OverpressureOutflow,
    StellarReturn,
    SutherlandDopita93,
    VirialTemperature,
    dynamical_time,
)
from ..units import GYR_S, GYR_YR, SOLAR_METALLICITY, SUPERNOVA_ERG_PER_MSUN, YEAR_S, Quantity
from .base import AbstractModel, Fluxes
from .ledger import Flow, Ledger, Rates

__all__ = ["ThermalCGM", "ThermalState", "ThermalForcing", "Channels"]

_LN10 = 2.302585092994046


class ThermalState(NamedTuple):
    """Masses [Msun], thermal energy of the CGM [erg], metal masses [Msun]."""

    mstar: Float[Array, "..."]
    mism: Float[Array, "..."]
    mcgm: Float[Array, "..."]
    eth: Float[Array, "..."]
    mzstar: Float[Array, "..."]
    mzism: Float[Array, "..."]
    mzcgm: Float[Array, "..."]


class ThermalForcing(NamedTuple):
    """What the halo imposes on its galaxy at one time."""

    accretion: Float[Array, "..."]  # gas inflow [Msun/yr]
    inflow_metallicity: Float[Array, "..."]  # mass fraction
    specific_energy: Float[Array, "..."]  # e_vir [erg/Msun]
    rvir: Float[Array, "..."]  # [kpc]
    t_dyn: Float[Array, "..."]  # [Gyr]
    t_ff: Float[Array, "..."]  # [Gyr]
    mass_loading: Float[Array, "..."]
    energy_loading: Float[Array, "..."]
    metal_loading: Float[Array, "..."]
    depletion_time: Float[Array, "..."]  # [Gyr]
    tvir: Float[Array, "..."]  # [K]
    uv_fraction: Float[Array, "..."]
    prevention: Float[Array, "..."]


def _multiplier(flow):
    return parameter(1.0, unit="1", meaning=f"multiplier of the {flow} flow", source="control", bounds=(0.0, 10.0))


class Channels(eqx.Module):
    """A dimensionless multiplier on every flow: 1 leaves the model as it is, 0 switches the channel off.

    Derivatives with respect to them say how much each channel matters.
    """

    accretion: Float[Array, ""] = _multiplier("accretion")
    cooling: Float[Array, ""] = _multiplier("cooling")
    radiation: Float[Array, ""] = _multiplier("radiation")
    star_formation: Float[Array, ""] = _multiplier("star_formation")
    enrichment: Float[Array, ""] = _multiplier("enrichment")
    venting: Float[Array, ""] = _multiplier("venting")
    wind: Float[Array, ""] = _multiplier("wind")
    wind_heating: Float[Array, ""] = _multiplier("wind_heating")
    outflow: Float[Array, ""] = _multiplier("outflow")

    def scale(self, name: str, rates: Rates) -> Rates:
        """`rates` of the flow `name` times its multiplier."""
        m = getattr(self, name)
        return Rates(*(None if rate is None else m * rate for rate in rates))


_LEDGER = Ledger(
    ThermalState,
    {
        ("mass", "stars"): "mstar",
        ("mass", "ism"): "mism",
        ("mass", "cgm"): "mcgm",
        ("energy", "cgm"): "eth",
        ("metals", "stars"): "mzstar",
        ("metals", "ism"): "mzism",
        ("metals", "cgm"): "mzcgm",
    },
    [
        Flow("accretion", "cosmological inflow", ("igm", "cgm"), ("igm", "cgm"), ("igm", "cgm")),
        Flow("cooling", "CGM gas condensing onto the ISM", ("cgm", "ism"), ("cgm", "ism")),
        Flow("radiation", "CGM thermal energy radiated away", energy=("cgm", "radiated")),
        Flow("star_formation", "gas locked in long-lived stars", ("ism", "stars"), ("ism", "stars")),
        Flow("enrichment", "new metals kept in the ISM", metals=("nucleosynthesis", "ism")),
        Flow("venting", "new metals vented straight to the CGM", metals=("nucleosynthesis", "cgm")),
        Flow("wind", "ISM gas driven into the CGM", ("ism", "cgm"), ("ism", "cgm")),
        Flow("wind_heating", "supernova energy delivered to the CGM", energy=("supernovae", "cgm")),
        Flow(
            "outflow",
            "overpressured CGM gas leaving the halo",
            ("cgm", "igm"),
            ("cgm", "igm"),
            ("cgm", "igm"),
        ),
    ],
    {
        "mstar": Quantity("Msun", "stellar mass"),
        "mism": Quantity("Msun", "interstellar gas mass"),
        "mcgm": Quantity("Msun", "circumgalactic gas mass"),
        "eth": Quantity("erg", "thermal energy of the CGM"),
        "mzstar": Quantity("Msun", "metal mass in stars"),
        "mzism": Quantity("Msun", "metal mass in the ISM"),
        "mzcgm": Quantity("Msun", "metal mass in the CGM"),
    },
)

_DIAGNOSTICS = {
    "sfr": Quantity("Msun/yr", "star-formation rate"),
    "temperature": Quantity("K", "CGM temperature at Rvir"),
    "density": Quantity("cm^-3", "CGM particle density at Rvir"),
    "t_cool": Quantity("Gyr", "CGM thermal energy over radiated power"),
    "z_ism": Quantity("1", "metal mass fraction of the ISM"),
    "z_cgm": Quantity("1", "metal mass fraction of the CGM"),
    "binding_energy": Quantity("erg", "binding energy of the CGM"),
    "inflow_metallicity": Quantity("1", "metal mass fraction of inflowing gas"),
    "t_dyn": Quantity("Gyr", "halo dynamical time R/V"),
    "t_ff": Quantity("Gyr", "CGM free-fall time"),
    "mass_loading": Quantity("1", "eta_M"),
    "energy_loading": Quantity("1", "eta_E"),
    "metal_loading": Quantity("1", "eta_Z"),
    "depletion_time": Quantity("Gyr", "ISM mass over star-formation rate"),
    "tvir": Quantity("K", "virial temperature"),
    "uv_fraction": Quantity("1", "accreted share under the UV background", log=False),
    "prevention": Quantity("1", "accreted share after preventive feedback", log=False),
}


class ThermalCGM(AbstractModel):
    """The thermal CGM model with our defaults; `corundum.models.pandya26` makes the published one.

    Every law is a component that can be swapped alone, for example
    ``ThermalCGM(cooling=SutherlandDopita93Bilinear())``.

    References
    ----------
    Pandya et al. 2023, ApJ 956, 118; Pandya et al. 2026, arXiv:2604.06318.
    """

    ledger: ClassVar[Ledger] = _LEDGER
    diagnostics: ClassVar[dict[str, Quantity]] = _DIAGNOSTICS

    mass_loading: AbstractScaling = eqx.field(default_factory=MassLoading)
    energy_loading: AbstractScaling = eqx.field(default_factory=EnergyLoading)
    depletion_time: AbstractScaling = eqx.field(default_factory=DepletionTime)
    metal_loading: AbstractScaling = eqx.field(default_factory=MetalLoading)
    energy_ceiling: Ceiling = eqx.field(default_factory=Ceiling)
    metal_ceiling: Ceiling = eqx.field(default_factory=Ceiling)
    stellar_return: StellarReturn = eqx.field(default_factory=StellarReturn)
    inflow_metallicity: AbstractScaling = eqx.field(default_factory=InflowMetallicity)
    prevention: AbstractPrevention = eqx.field(default_factory=LogisticPrevention)
    reionisation: AbstractReionisation = eqx.field(default_factory=Okamoto08)
    virial: VirialTemperature = eqx.field(default_factory=VirialTemperature)
    free_fall: FreeFall = eqx.field(default_factory=FreeFall)
    profile: AbstractCGMProfile = eqx.field(default_factory=IsothermalCGM)
    cooling: AbstractCooling = eqx.field(default_factory=SutherlandDopita93)
    densities: AbstractDensityConvention = eqx.field(default_factory=ElectronIonDensities)
    cooling_limit: AbstractMinimum = eqx.field(default_factory=SmoothMinimum)
    halo_outflow: OverpressureOutflow = eqx.field(default_factory=OverpressureOutflow)
    seed: GasSeed = eqx.field(default_factory=GasSeed)
    channels: Channels = eqx.field(default_factory=Channels)

    def initial(self, halo: Halo, cosmology: Cosmology) -> ThermalState:
        """State at the start of `halo`."""
        gas = self.seed.gas(halo.mvir, cosmology.baryon_fraction)
        mass = self.seed.mass * jnp.ones_like(gas)
        z = self.seed.metallicity
        return ThermalState(mass, mass, gas, self.seed.energy(gas, halo.vvir), z * mass, z * mass, z * gas)

    def forcing(self, halo: Halo, cosmology: Cosmology) -> ThermalForcing:
        """What the halo imposes, from the laws that know no galaxy."""
        v, redshift = halo.vvir, halo.redshift
        uv_fraction = self.reionisation(halo.mvir, redshift, cosmology)
        prevention = self.prevention(v, redshift)
        return ThermalForcing(
            accretion=prevention * uv_fraction * cosmology.baryon_fraction * jnp.maximum(halo.growth, 0.0),
            inflow_metallicity=self.inflow_metallicity(v, redshift),
            specific_energy=self.virial.specific_energy(v),
            rvir=halo.rvir,
            t_dyn=dynamical_time(halo.rvir, v),
            t_ff=self.free_fall(halo.rvir, v, halo.concentration),
            mass_loading=self.mass_loading(v, redshift),
            energy_loading=self.energy_ceiling(self.energy_loading(v, redshift)),
            metal_loading=self.metal_ceiling(self.metal_loading(v, redshift)),
            depletion_time=self.depletion_time(v, redshift),
            tvir=self.virial(v),
            uv_fraction=uv_fraction,
            prevention=prevention,
        )

    def breaks(self, cosmology: Cosmology) -> tuple[Array, ...]:
        """The transitions of reionisation."""
        return tuple(cosmology.age(redshift) for redshift in self.reionisation.breaks())

    def fluxes(self, state: ThermalState, forcing: ThermalForcing) -> Fluxes:
        """Rates of the nine flows."""
        f = forcing
        z_ism, z_cgm = state.mzism / state.mism, state.mzcgm / state.mcgm
        density = self.profile.density(state.mcgm, f.rvir)
        temperature = self.profile.temperature(state.eth, density, f.rvir)
        log_z = jnp.log(z_cgm / SOLAR_METALLICITY) / _LN10
        emitted = self.densities.fraction() * self.profile.luminosity(
            density, temperature, f.rvir, lambda log_t: self.cooling(log_t, log_z)
        )  # [erg/s]
        radiated = self.cooling_limit(emitted, state.eth / (f.t_dyn * GYR_S))
        cooling_rate = radiated * GYR_S / state.eth  # 1/t_cool [1/Gyr], zero where nothing cools
        condensing = state.mcgm * cooling_rate / (1.0 + cooling_rate * f.t_ff) / GYR_YR

        sfr = state.mism / f.depletion_time / GYR_YR
        locked = (1.0 - self.stellar_return.recycled_fraction) * sfr
        new_metals = self.stellar_return.metal_yield * sfr
        ejected = f.mass_loading * sfr

        binding = f.specific_energy * state.mcgm
        escaping = self.halo_outflow(state.eth, binding, f.t_dyn) / state.eth  # [1/Gyr]
        lost = escaping * state.mcgm / GYR_YR

        rates = {
            "accretion": Rates(
                f.accretion, f.inflow_metallicity * f.accretion, f.accretion * f.specific_energy / YEAR_S
            ),
            "cooling": Rates(condensing, z_cgm * condensing),
            "radiation": Rates(energy=radiated),
            "star_formation": Rates(locked, z_ism * locked),
            "enrichment": Rates(metals=(1.0 - f.metal_loading) * new_metals),
            "venting": Rates(metals=f.metal_loading * new_metals),
            "wind": Rates(ejected, z_ism * ejected),
            "wind_heating": Rates(energy=f.energy_loading * SUPERNOVA_ERG_PER_MSUN * sfr / YEAR_S),
            "outflow": Rates(lost, z_cgm * lost, escaping * state.eth / GYR_S),
        }
        diagnostics = dict(
            sfr=sfr,
            temperature=temperature,
            density=density,
            t_cool=1.0 / cooling_rate,
            z_ism=z_ism,
            z_cgm=z_cgm,
            binding_energy=binding,
            **{name: getattr(f, name) for name in _DIAGNOSTICS if name in f._fields},
        )
        return Fluxes({name: self.channels.scale(name, rate) for name, rate in rates.items()}, diagnostics)
