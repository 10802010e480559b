"""Hot gas around a galaxy: what the thermal and the turbulent CGM model compute in the same way.

Both models take a halo's conditions, find density, temperature and radiated power of the CGM, let overpressured gas
leave the halo, and let gas fall in as far as the ultraviolet background and feedback allow.
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
from jaxtyping import Float

from ..annotations import Array
from ..cosmology import Cosmology
from ..halos import Halo
from ..physics import Galaxy, dynamical_time
from ..physics.merging.supply import smooth_growth
from ..units import GYR_S, GYR_YR
from .baryons import Cycle
from .emission import cooling_function, radiated_power
from .ledger import FlowRates

__all__ = [
    "Escape",
    "HotGas",
    "Inflow",
    "accreted",
    "condensed",
    "conditions",
    "escaping_gas",
    "hot_gas",
    "seen_by_laws",
    "shared_diagnostics",
]


class HotGas(NamedTuple):
    """The CGM of a galaxy, and the metal mass fractions of its two gas phases."""

    density: Float[Array, "..."]  # total particle density at Rvir [cm^-3]
    temperature: Float[Array, "..."]  # at Rvir [K]
    power: Float[Array, "..."]  # net radiated power before any limit [erg/s]
    z_ism: Float[Array, "..."]
    z_cgm: Float[Array, "..."]


class Escape(NamedTuple):
    """CGM gas that leaves the halo."""

    binding: Float[Array, "..."]  # binding energy of the CGM [erg]
    rate: Float[Array, "..."]  # share of the CGM's energy that leaves [1/Gyr]
    outflow: FlowRates


class Inflow(NamedTuple):
    """Gas that falls into the halo."""

    mass: Float[Array, "..."]  # [Msun/yr]
    metals: Float[Array, "..."]  # [Msun/yr]
    metallicity: Float[Array, "..."]  # mass fraction
    prevention: Float[Array, "..."]  # share of the supply that preventive feedback lets in


def conditions(model: Any, halo: Halo, cosmology: Cosmology) -> dict[str, Any]:
    """What the halo imposes on every CGM model, by field of its forcing.

    Parameters
    ----------
    model
        With ``reionisation``, ``inflow_metallicity``, ``virial``, ``mass_loading``, ``metal_loading``,
        ``depletion_time`` and ``prevention``.
    halo : Halo
    cosmology : Cosmology
    """
    v = halo.vvir
    uv_fraction = model.reionisation(halo.mvir, halo.redshift, cosmology)
    return dict(
        halo=halo,
        supply=uv_fraction * cosmology.baryon_fraction * jnp.maximum(smooth_growth(halo), 0.0),
        inflow_metallicity=model.inflow_metallicity.imposed(halo),
        specific_energy=model.virial.specific_energy(v),
        t_dyn=dynamical_time(halo.rvir, v),
        mass_loading=model.mass_loading.imposed(halo),
        metal_loading=model.metal_loading.imposed(halo),
        depletion_time=model.depletion_time.imposed(halo),
        prevention=model.prevention.imposed(halo),
        tvir=model.virial(v),
        uv_fraction=uv_fraction,
    )


def hot_gas(model: Any, state: Any, halo: Halo) -> HotGas:
    """Density, temperature and radiated power of the CGM.

    Parameters
    ----------
    model
        With ``profile``, ``cooling`` and ``densities``.
    state
        With ``mism``, ``mcgm`` [Msun], ``eth`` [erg], ``mzism`` and ``mzcgm`` [Msun].
    halo : Halo
    """
    z_ism, z_cgm = state.mzism / state.mism, state.mzcgm / state.mcgm
    density = model.profile.density(state.mcgm, halo.rvir)
    temperature = model.profile.temperature(state.eth, density, halo.rvir)
    power = radiated_power(model, density, temperature, z_cgm, halo, state)
    return HotGas(density, temperature, power, z_ism, z_cgm)


def escaping_gas(model: Any, state: Any, forcing: Any, gas: HotGas, energy: Float[Array, "..."]) -> Escape:
    """The CGM gas that leaves the halo because its `energy` [erg] exceeds what binds it.

    Gas takes with it the thermal energy and the metals of its mass.
    """
    binding = forcing.specific_energy * state.mcgm
    lost = model.halo_outflow(energy, binding, forcing.t_dyn, gas.temperature, forcing.halo.vvir)  # [erg/Gyr]
    rate = lost / energy  # [1/Gyr]
    mass = model.halo_outflow.mass(rate * state.mcgm) / GYR_YR
    return Escape(binding, rate, FlowRates(mass, gas.z_cgm * mass, rate * state.eth / GYR_S))


def seen_by_laws(
    state: Any, forcing: Any, gas: HotGas, escape: Escape, t_ff: Float[Array, "..."], flows: dict[str, FlowRates]
) -> Galaxy:
    """The galaxy as its first law sees it: before accretion, star formation and winds are known."""
    known = {name: getattr(forcing, name) for name in ("supply", "specific_energy", "t_dyn", "tvir", "uv_fraction")}
    known |= {name: getattr(gas, name) for name in ("density", "temperature", "z_ism", "z_cgm")}
    return Galaxy(state, forcing.halo, known | {"t_ff": t_ff, "binding_energy": escape.binding}, flows)


def condensed(model: Any, galaxy: Galaxy, cooling_rate: Float[Array, "..."]) -> Float[Array, "..."]:
    """Rate at which CGM gas that cools at this rate [1/Gyr] reaches the ISM [Msun/yr]."""
    law = model.condensation
    share = law.value(law.imposed(galaxy.halo), galaxy.knowing(cooling_rate=cooling_rate))
    return galaxy.state.mcgm * share / GYR_YR


def accreted(model: Any, forcing: Any, galaxy: Galaxy) -> Inflow:
    """Gas that falls into the halo, as far as preventive feedback lets it in."""
    prevention = model.prevention.value(forcing.prevention, galaxy)
    metallicity = model.inflow_metallicity.value(forcing.inflow_metallicity, galaxy)
    mass = prevention * forcing.supply
    return Inflow(mass, metallicity * mass, metallicity, prevention)


def shared_diagnostics(
    model: Any, state: Any, forcing: Any, gas: HotGas, escape: Escape, inflow: Inflow, cycle: Cycle
) -> dict[str, Any]:
    """The diagnostics that follow in the same way for every CGM model, by name."""
    f = forcing
    return dict(
        sfr=cycle.sfr,
        temperature=gas.temperature,
        density=gas.density,
        cooling_function=cooling_function(model, gas.temperature, gas.z_cgm, gas.density, f.halo, state),
        z_ism=gas.z_ism,
        z_cgm=gas.z_cgm,
        binding_energy=escape.binding,
        inflow_metallicity=inflow.metallicity * jnp.ones_like(inflow.mass),
        prevention=inflow.prevention,
        t_dyn=f.t_dyn,
        mass_loading=cycle.mass_loading,
        metal_loading=cycle.metal_loading,
        depletion_time=cycle.depletion_time,
        tvir=f.tvir,
        uv_fraction=f.uv_fraction,
    )
