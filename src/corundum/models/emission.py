"""The radiated power of the CGM, from a cooling function, a density convention and a profile that fit together."""

from typing import Any

import jax.numpy as jnp
from jaxtyping import Float

from ..annotations import Array
from ..halos import Halo
from ..units import LN10

__all__ = ["check_cooling", "radiated_power", "cooling_function"]


def check_cooling(model: str, cooling: Any, densities: Any, profile: Any) -> None:
    """Refuse a cooling function with the wrong densities or a profile that cannot integrate it.

    Raises
    ------
    ValueError
        With the reason and what to use.
    """
    if densities.product not in (None, cooling.per):
        raise ValueError(
            f"{model}: {type(cooling).__name__} is given per {cooling.per} but {type(densities).__name__} multiplies "
            f"it by {densities.product}; use the densities that belong to it (EquilibriumDensities or "
            "ElectronIonDensities for n_e n_i, HydrogenDensitySquared for n_H^2)"
        )
    if cooling.depends_on_density and not profile.resolves_density:
        raise ValueError(
            f"{model}: {type(profile).__name__} integrates n^2 Lambda in closed form, which holds only where Lambda "
            f"does not depend on density, and that of {type(cooling).__name__} does; use IsothermalShells() or "
            "PowerLawCGM()"
        )


def radiated_power(
    model: Any,
    density: Float[Array, "..."],
    temperature: Float[Array, "..."],
    metallicity: Float[Array, "..."],
    halo: Halo,
) -> Float[Array, "..."]:
    """Net radiated power of the CGM [erg/s]; negative where it is heated.

    Parameters
    ----------
    model
        With ``cooling``, ``densities`` and ``profile``.
    density, temperature : at Rvir [cm^-3, K]
    metallicity : metal mass fraction
    halo : Halo
    """
    log_z = model.cooling.log_metallicity(metallicity)

    def cooling(log_temperature, log_density):
        # A profile with shells adds one axis, the last.
        z, redshift = (x[..., None] if jnp.ndim(x) < jnp.ndim(log_density) else x for x in (log_z, halo.redshift))
        share = model.densities.fraction(log_temperature, z)
        return share * model.cooling.net(log_temperature, z, log_density, redshift)

    return model.profile.luminosity(density, temperature, halo.rvir, cooling)


def cooling_function(
    model: Any,
    temperature: Float[Array, "..."],
    metallicity: Float[Array, "..."],
    density: Float[Array, "..."],
    redshift: Float[Array, "..."],
) -> Float[Array, "..."]:
    """Net power per volume over the total particle density squared [erg cm^3/s], at one place."""
    log_temperature, log_density = (jnp.log(x) / LN10 for x in (temperature, density))
    log_z = model.cooling.log_metallicity(metallicity)
    share = model.densities.fraction(log_temperature, log_z)
    return share * model.cooling.net(log_temperature, log_z, log_density, redshift)
