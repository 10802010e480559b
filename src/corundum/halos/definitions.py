"""Virial masses and concentrations of halos given in any mass definition, by whatever their source states.

A concentration may be given as such, as a scale radius, or as a peak velocity.  Masses of other definitions
become those of Bryan & Norman 1998 with an NFW profile; where that takes a concentration the source does not
have, a published relation is assumed, and counted.
"""

from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ..cosmology import Cosmology
from ..units import GRAVITY
from .blocks import in_blocks
from .clock import densities
from .concentration import AbstractConcentration
from .nfw import concentration_at, concentration_from_vmax, enclosed_mass, rescaled
from .table_checks import check_radii

__all__ = ["VirialQuantities", "definition_words", "is_virial", "virial_quantities"]

_ROWS = 65_536  # converted at once


class VirialQuantities(NamedTuple):
    """What histories need of each halo.

    Attributes
    ----------
    log_mvir : log10 of virial mass [Msun]
    log_concentration : log10 of NFW concentration; NaN where the source has none
    log_radius_ratio : log10 of radius over that of Bryan & Norman 1998, or None where the source has no radius or
        another mass definition
    assumed : number of halos converted with a concentration that had to be assumed
    """

    log_mvir: Float[np.ndarray, " n"]
    log_concentration: Float[np.ndarray, " n"]
    log_radius_ratio: Float[np.ndarray, " n"] | None
    assumed: int


def is_virial(definition: str) -> bool:
    """Whether a mass definition is that of Bryan & Norman 1998."""
    return definition.strip().lower() in ("bn98", "vir")


def definition_words(definition: str, assumed: int, relation: AbstractConcentration) -> str:
    """What was done to masses of this definition, in words."""
    if is_virial(definition):
        return definition
    guess = f", for {assumed} snapshots with the concentration of {type(relation).__name__}" if assumed else ""
    return f"{definition}, converted to bn98 with NFW profiles{guess}"


def virial_quantities(
    numbers: dict[str, Float[np.ndarray, " n"]],
    mass: Float[np.ndarray, " n"],
    redshift: Float[np.ndarray, " n"],
    definition: str,
    cosmology: Cosmology,
    relation: AbstractConcentration,
    path,
) -> VirialQuantities:
    """Virial mass, concentration and radius of halos with `mass` [Msun] inside the radius of `definition`.

    Parameters
    ----------
    numbers : dict of arrays
        What else is known, any of rvir [kpc], vvir [km/s], concentration, rs [kpc], vmax [km/s].
    mass, redshift : arrays
    definition : str
        See `corundum.halos.nfw.reference_density`.
    cosmology : Cosmology
    relation : AbstractConcentration
        Assumed where a conversion needs a concentration and the source has none.
    path
        For errors.

    Raises
    ------
    ValueError
        A radius, velocity or concentration cannot be what its unit says.
    """
    density = densities(cosmology, definition, redshift)
    expected = (3.0 * mass / (4.0 * np.pi * density)) ** (1.0 / 3.0)
    check_radii(numbers, mass, expected, path)
    radius = numbers.get("rvir")
    if radius is None and "vvir" in numbers:
        radius = GRAVITY * mass / numbers["vvir"] ** 2
    c = _concentration(numbers, mass, expected if radius is None else radius)
    if is_virial(definition):
        ratio = None if radius is None else np.log10(radius / expected)
        return VirialQuantities(np.log10(mass), np.log10(c), ratio, 0)
    unknown = np.isnan(c) & np.isfinite(mass)
    ratio = densities(cosmology, "vir", redshift) / density
    if np.any(unknown):
        assumed = in_blocks(_assumed, mass, redshift, ratio, size=_ROWS, shared=(relation,))
        mass, virial_c = in_blocks(_to_virial, mass, np.where(unknown, assumed, c), ratio, size=_ROWS)
    else:
        mass, virial_c = in_blocks(_to_virial, mass, c, ratio, size=_ROWS)
    # A concentration that was only assumed is not one of the source: it is filled in along the whole history.
    return VirialQuantities(np.log10(mass), np.log10(np.where(unknown, np.nan, virial_c)), None, int(np.sum(unknown)))


def _concentration(numbers, mass, radius):
    c = np.full(len(mass), np.nan)
    if "concentration" in numbers:
        c = numbers["concentration"]
    elif "rs" in numbers:
        c = radius / numbers["rs"]
    if "vmax" in numbers and not np.all(np.isfinite(c)):
        from_peak = in_blocks(_from_peak, numbers["vmax"] / np.sqrt(GRAVITY * mass / radius), size=_ROWS)
        c = np.where(np.isfinite(c), c, from_peak)
    return np.where(np.isfinite(c) & (c > 1.0) & (c < 1e3), c, np.nan)


@eqx.filter_jit
def _from_peak(ratio):
    return concentration_from_vmax(ratio)


@eqx.filter_jit
def _to_virial(mass, concentration, ratio):
    return rescaled(mass, concentration, ratio)


@eqx.filter_jit
def _assumed(relation, mass, redshift, ratio):
    """Concentration inside the radius of a definition at which the virial one follows `relation`."""
    log_mvir = jnp.log10(mass)
    for _ in range(4):  # the relation is so flat in mass that each round gains a digit or more
        virial = 10.0 ** relation(log_mvir, redshift)
        c = concentration_at(virial, 1.0 / ratio)
        log_mvir = jnp.log10(mass * enclosed_mass(virial) / enclosed_mass(c))
    return c
