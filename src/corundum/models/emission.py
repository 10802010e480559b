"""The radiated power of the CGM, from a cooling function, a density convention and a profile that fit together.

A cooling function is a law of the plasma.  A learned law or a formula can stand in its place, and sees the galaxy as
well, with temperature, density and metals of the gas that radiates.
"""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Float

from ..annotations import Array
from ..halos import Halo
from ..physics import Galaxy
from ..units import LN10, SOLAR_METALLICITY

__all__ = ["can_heat", "check_cooling", "cooling_function", "radiated_power"]


def check_cooling(model: str, cooling: Any, densities: Any, profile: Any) -> None:
    """Refuse a cooling function with the wrong densities or a profile that cannot integrate it.

    A formula is per whatever product the densities are.

    Raises
    ------
    ValueError
        With the reason and what to use.
    """
    per = getattr(_plasma(cooling), "per", None)
    if None not in (densities.product, per) and densities.product != per:
        raise ValueError(
            f"{model}: {type(cooling).__name__} is given per {per} but {type(densities).__name__} multiplies "
            f"it by {densities.product}; use the densities that belong to it (EquilibriumDensities or "
            "ElectronIonDensities for n_e n_i, HydrogenDensitySquared for n_H^2)"
        )
    if _depends_on_density(cooling) and not profile.resolves_density:
        raise ValueError(
            f"{model}: {type(profile).__name__} integrates n^2 Lambda in closed form, which holds only where Lambda "
            f"does not depend on density, and that of {type(cooling).__name__} does; use IsothermalShells() or "
            "PowerLawCGM()"
        )


def can_heat(cooling: Any) -> bool:
    """Whether the gas may be heated."""
    return getattr(_plasma(cooling), "can_heat", False)


def radiated_power(
    model: Any,
    density: Float[Array, "..."],
    temperature: Float[Array, "..."],
    metallicity: Float[Array, "..."],
    halo: Halo,
    state: Any,
) -> Float[Array, "..."]:
    """Net radiated power of the CGM [erg/s]; negative where it is heated.

    Parameters
    ----------
    model
        With ``cooling``, ``densities`` and ``profile``.
    density, temperature : at Rvir [cm^-3, K]
    metallicity : metal mass fraction
    halo : Halo
    state
        Of the galaxy, for a learned law.
    """

    def cooling(log_temperature, log_density):
        return _net(model, log_temperature, metallicity, log_density, halo, state)

    return model.profile.luminosity(density, temperature, halo.rvir, cooling)


def cooling_function(
    model: Any,
    temperature: Float[Array, "..."],
    metallicity: Float[Array, "..."],
    density: Float[Array, "..."],
    halo: Halo,
    state: Any,
) -> Float[Array, "..."]:
    """Net power per volume over the total particle density squared [erg cm^3/s], at one place."""
    log_temperature, log_density = (jnp.log(x) / LN10 for x in (temperature, density))
    return _net(model, log_temperature, metallicity, log_density, halo, state)


def _net(model, log_temperature, metallicity, log_density, halo, state):
    log_z = _log_metallicity(model.cooling, metallicity)

    def with_shells(x):  # a profile with shells adds one axis, the last
        return x[..., None] if jnp.ndim(x) < jnp.ndim(log_density) else x

    z, redshift = with_shells(log_z), with_shells(halo.redshift)
    share = model.densities.fraction(log_temperature, z)
    if hasattr(model.cooling, "net"):
        return share * model.cooling.net(log_temperature, z, log_density, redshift)
    known = {"log_temperature": log_temperature, "log_density": log_density, "z_cgm": with_shells(metallicity)}
    known |= {"temperature": jnp.exp(LN10 * log_temperature), "density": jnp.exp(LN10 * log_density)}
    curves = {name: with_shells(x) for name, x in halo._asdict().items() if not (name == "extras" or x is None)}
    galaxy = Galaxy(jax.tree.map(with_shells, state), halo._replace(**curves), known, {})
    return share * model.cooling.value(model.cooling.imposed(galaxy.halo), galaxy)


def _plasma(cooling):
    """The cooling function itself, also where it is the base of a learned law."""
    return getattr(cooling, "innermost", cooling)


def _log_metallicity(cooling, metal_fraction):
    plasma = _plasma(cooling)
    if hasattr(plasma, "log_metallicity"):
        return plasma.log_metallicity(metal_fraction)
    return jnp.log(metal_fraction * (1.0 / SOLAR_METALLICITY)) / LN10  # a formula


def _depends_on_density(cooling):
    seen = {"density", "log_density"} & set(getattr(cooling, "names", ()))
    return bool(seen) or getattr(_plasma(cooling), "depends_on_density", False)
