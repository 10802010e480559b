"""Hydrogen and helium in ionisation equilibrium with collisions and a radiation background: ions, cooling, heating.

Rates are those of Cen 1992 (ApJS 78, 341) as collected by Katz, Weinberg & Hernquist 1996 (ApJS 105, 19, tables 1 and 2
and equations 25 to 38), in the optically thin limit.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Float

from ...annotations import Array

__all__ = ["Background", "Ions", "ion_fractions", "primordial_cooling"]

_ITERATIONS = 4
_CMB_TODAY = 2.725  # [K]


class Background(NamedTuple):
    """Ionisation rates [1/s] and heating rates [erg/s] per atom of a radiation background."""

    gamma_hi: Float[Array, "..."]
    gamma_hei: Float[Array, "..."]
    gamma_heii: Float[Array, "..."]
    heat_hi: Float[Array, "..."]
    heat_hei: Float[Array, "..."]
    heat_heii: Float[Array, "..."]


class Ions(NamedTuple):
    """Number of each ion, and of electrons, per hydrogen nucleus."""

    hi: Float[Array, "..."]
    hii: Float[Array, "..."]
    hei: Float[Array, "..."]
    heii: Float[Array, "..."]
    heiii: Float[Array, "..."]
    electrons: Float[Array, "..."]


class _Coefficients(NamedTuple):
    """Recombination and collisional ionisation at one temperature [cm^3/s]."""

    alpha_hii: Float[Array, "..."]
    alpha_heii: Float[Array, "..."]
    alpha_heiii: Float[Array, "..."]
    ionise_hi: Float[Array, "..."]
    ionise_hei: Float[Array, "..."]
    ionise_heii: Float[Array, "..."]


def _coefficients(t):
    root, hot = jnp.sqrt(t), 1.0 / (1.0 + jnp.sqrt(t / 1e5))
    radiative = (t / 1e3) ** -0.2 / (1.0 + (t / 1e6) ** 0.7) / root
    dielectronic = 1.9e-3 * t**-1.5 * jnp.exp(-470000.0 / t) * (1.0 + 0.3 * jnp.exp(-94000.0 / t))
    return _Coefficients(
        alpha_hii=8.4e-11 * radiative,
        alpha_heii=1.5e-10 * t**-0.6353 + dielectronic,
        alpha_heiii=3.36e-10 * radiative,
        ionise_hi=5.85e-11 * root * jnp.exp(-157809.1 / t) * hot,
        ionise_hei=2.38e-11 * root * jnp.exp(-285335.4 / t) * hot,
        ionise_heii=5.68e-12 * root * jnp.exp(-631515.0 / t) * hot,
    )


def ion_fractions(
    temperature: Float[Array, "..."],
    hydrogen: Float[Array, "..."],
    helium: Float[Array, ""],
    background: Background,
) -> Ions:
    """Ions in equilibrium with collisions and the background.

    The electron density is iterated from full ionisation; four rounds are within 1e-3 of the solution wherever
    n_H < 0.1 cm^-3 under the background of today or a stronger one, and exact without one.

    Parameters
    ----------
    temperature : array
        [K].
    hydrogen : array
        Number density of hydrogen nuclei [cm^-3].
    helium : array
        Helium nuclei per hydrogen nucleus.
    background : Background

    Examples
    --------
    >>> none = Background(*[jnp.zeros(())] * 6)
    >>> ions = ion_fractions(jnp.array(1e6), 1e-3, 0.08, none)
    >>> round(float(ions.electrons), 2)  # all of hydrogen and helium is ionised at 10^6 K
    1.16
    """
    rates = _coefficients(temperature)
    ions = _balance(rates, background, (1.0 + 2.0 * helium) * hydrogen, helium)
    for _ in range(_ITERATIONS - 1):
        ions = _balance(rates, background, ions.electrons * hydrogen, helium)
    return ions


def _balance(rates, background, electrons, helium):
    """Ions for a given electron density [cm^-3]."""
    inverse = 1.0 / jnp.maximum(electrons, 1e-30)
    ionise_hi = rates.ionise_hi + background.gamma_hi * inverse
    hi = rates.alpha_hii / (rates.alpha_hii + ionise_hi)
    hii = ionise_hi / (rates.alpha_hii + ionise_hi)
    ionise_hei = rates.ionise_hei + background.gamma_hei * inverse
    ionise_heii = rates.ionise_heii + background.gamma_heii * inverse
    weights = rates.alpha_heii * rates.alpha_heiii, ionise_hei * rates.alpha_heiii, ionise_hei * ionise_heii
    hei, heii, heiii = (helium * weight / sum(weights) for weight in weights)
    return Ions(hi, hii, hei, heii, heiii, hii + heii + 2.0 * heiii)


def primordial_cooling(
    temperature: Float[Array, "..."],
    hydrogen: Float[Array, "..."],
    helium: Float[Array, ""],
    background: Background,
    redshift: Float[Array, "..."],
) -> tuple[Float[Array, "..."], Float[Array, "..."]]:
    """Cooling and photo-heating per n_H^2 [erg cm^3/s], Compton cooling off the microwave background included.

    Parameters
    ----------
    temperature, hydrogen, helium, background
        As for `ion_fractions`.
    redshift : array
        Sets the temperature of the microwave background.

    Returns
    -------
    cooling, heating : arrays

    Examples
    --------
    >>> none = Background(*[jnp.zeros(())] * 6)
    >>> cooling, heating = primordial_cooling(jnp.array(1e6), 1e-3, 0.08, none, 0.0)
    >>> print(f"{float(cooling):.1e}, {float(heating)}")
    5.7e-24, 0.0
    """
    t, ions = temperature, ion_fractions(temperature, hydrogen, helium, background)
    root, hot = jnp.sqrt(t), 1.0 / (1.0 + jnp.sqrt(t / 1e5))
    radiative = root * (t / 1e3) ** -0.2 / (1.0 + (t / 1e6) ** 0.7)
    gaunt = 1.1 + 0.34 * jnp.exp(-((5.5 - jnp.log10(t)) ** 2) / 3.0)
    per_ion = (
        ions.hi * hot * (7.5e-19 * jnp.exp(-118348.0 / t) + 1.27e-21 * root * jnp.exp(-157809.1 / t))
        + ions.hei * hot * 9.38e-22 * root * jnp.exp(-285335.4 / t)
        + ions.heii * hot * (5.54e-17 * t**-0.397 * jnp.exp(-473638.0 / t) + 4.95e-22 * root * jnp.exp(-631515.0 / t))
        + ions.heii * 1.24e-13 * t**-1.5 * jnp.exp(-470000.0 / t) * (1.0 + 0.3 * jnp.exp(-94000.0 / t))
        + ions.hii * 8.7e-27 * radiative
        + ions.heii * 1.55e-26 * t**0.3647
        + ions.heiii * 3.48e-26 * radiative
        + 1.42e-27 * gaunt * root * (ions.hii + ions.heii + 4.0 * ions.heiii)
    )
    compton = 5.41e-36 * (t - _CMB_TODAY * (1.0 + redshift)) * (1.0 + redshift) ** 4 / hydrogen
    heating = (
        ions.hi * background.heat_hi + ions.hei * background.heat_hei + ions.heii * background.heat_heii
    ) / hydrogen
    return ions.electrons * (per_ion + compton), heating
