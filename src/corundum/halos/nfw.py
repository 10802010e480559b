"""NFW profiles: masses inside other mean densities, and concentrations from peak velocities.

Halo finders state masses inside different mean densities.  The mass inside another density follows from the
concentration, and the concentration from the ratio of peak to virial velocity.
"""

import re

import jax
import jax.numpy as jnp
from jaxtyping import Float

from ..annotations import Array
from ..cosmology import Cosmology

__all__ = ["enclosed_mass", "reference_density", "to_virial", "rescaled", "concentration_at", "concentration_from_vmax"]

_PEAK = 2.1625815870646097  # radius of the peak velocity over r_s: the zero of d/dx [x_c(x) / x]


def enclosed_mass(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """x_c(x) = ln(1 + x) - x / (1 + x): mass inside radius x r_s over 4 pi rho_s r_s^3."""
    return jnp.log1p(x) - x / (1.0 + x)


def reference_density(definition: str, redshift: Float[Array, "..."], cosmology: Cosmology) -> Float[Array, "..."]:
    """Mean density [Msun / proper kpc^3] inside the radius of a mass definition.

    Parameters
    ----------
    definition : str
        "bn98" or "vir" (Bryan & Norman 1998), or an overdensity followed by "c" (times critical) or "m"
        (times mean matter), such as "200c", "500c", "200m".

    Raises
    ------
    ValueError
        The definition is none of these.

    Examples
    --------
    >>> cosmology = co.cosmology.planck15()
    >>> ratio = reference_density("200c", 0.0, cosmology) / reference_density("vir", 0.0, cosmology)
    >>> round(float(ratio), 2)
    1.96
    """
    name = str(definition).strip().lower()
    if name in ("bn98", "vir"):
        return cosmology.virial_density(redshift)
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([cm])", name)
    if match is None or float(match[1]) <= 0.0:
        raise ValueError(
            f"mass_definition: got {definition!r}; allowed 'bn98' or 'vir', or an overdensity with c or m such as "
            "'200c', '500c', '200m'"
        )
    density = float(match[1]) * cosmology.critical_density(redshift)
    return density if match[2] == "c" else density * cosmology.matter_fraction(redshift)


def to_virial(
    mass: Float[Array, "..."],
    concentration: Float[Array, "..."],
    redshift: Float[Array, "..."],
    definition: str,
    cosmology: Cosmology,
) -> tuple[Float[Array, "..."], Float[Array, "..."]]:
    """Bryan & Norman 1998 virial mass [Msun] and concentration of an NFW halo from those in another definition.

    Examples
    --------
    >>> mass, concentration = to_virial(1e12, 8.0, 0.0, "200c", co.cosmology.planck15())
    >>> round(float(mass) / 1e12, 2), round(float(concentration), 1)
    (1.17, 10.6)
    """
    ratio = cosmology.virial_density(redshift) / reference_density(definition, redshift, cosmology)
    return rescaled(mass, concentration, ratio)


def rescaled(
    mass: Float[Array, "..."], concentration: Float[Array, "..."], ratio: Float[Array, "..."]
) -> tuple[Float[Array, "..."], Float[Array, "..."]]:
    """Mass and concentration of the same NFW halo inside the radius of a mean density `ratio` times as high."""
    other = concentration_at(concentration, ratio)
    return mass * enclosed_mass(other) / enclosed_mass(concentration), other


def concentration_at(concentration: Float[Array, "..."], ratio: Float[Array, "..."]) -> Float[Array, "..."]:
    """Concentration of the same NFW halo inside the radius at which its mean density is `ratio` times as high."""
    concentration, ratio = jnp.broadcast_arrays(jnp.asarray(concentration, float), jnp.asarray(ratio, float))

    def ln_mean_density(ln_x):
        return jnp.log(enclosed_mass(jnp.exp(ln_x))) - 3.0 * ln_x

    target = ln_mean_density(jnp.log(concentration)) + jnp.log(ratio)
    return jnp.exp(_bisect(lambda ln_x: ln_mean_density(ln_x) < target, concentration))


def concentration_from_vmax(ratio: Float[Array, "..."]) -> Float[Array, "..."]:
    """NFW concentration of a halo whose peak velocity is `ratio` times its virial velocity; NaN where `ratio` < 1.

    Examples
    --------
    >>> round(float(concentration_from_vmax(1.2)), 1)
    9.8
    """
    ratio = jnp.asarray(ratio)
    peak = enclosed_mass(_PEAK) / _PEAK

    def above(ln_c):
        c = jnp.maximum(jnp.exp(ln_c), _PEAK)
        return jnp.sqrt(peak * c / enclosed_mass(c)) > ratio

    return jnp.where(ratio >= 1.0, jnp.exp(_bisect(above, ratio)), jnp.nan)


def _bisect(above, like):
    """ln(x) in 1e-3 < x < 1e6 at which `above` turns true, elementwise."""
    ends = jnp.full_like(like, jnp.log(1e-3)), jnp.full_like(like, jnp.log(1e6))

    def halve(_, ends):
        middle = 0.5 * (ends[0] + ends[1])
        high = above(middle)
        return jnp.where(high, ends[0], middle), jnp.where(high, middle, ends[1])

    low, high = jax.lax.fori_loop(0, 60, halve, ends)
    return 0.5 * (low + high)
