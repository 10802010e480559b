"""Virial masses and concentrations of halos from masses in any definition and what else their source states.

A source may state concentrations, scale radii or peak velocities.  Masses of other definitions become those of Bryan &
Norman 1998 with an NFW profile; where that takes a concentration which the source does not have, a published relation
is assumed, and counted.
"""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ..cosmology import Cosmology
from ..numerics.compiling import compiled
from ..numerics.row_blocks import in_blocks
from ..units import GRAVITY
from .concentration import AbstractConcentration
from .cosmic_times import densities
from .nfw import concentration_at, concentration_from_vmax, enclosed_mass, rescaled

__all__ = ["VirialQuantities", "check_radii", "definition_note", "is_virial", "typical", "virial_quantities"]

_WITHIN = 1.15  # largest ratio of a radius or virial velocity to the one that the mass implies; h^(2/3) would be 1.3
_WITHIN_PEAK = 3.0  # largest ratio of peak to virial velocity
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


def definition_note(definition: str, assumed: int, relation: AbstractConcentration) -> str:
    """How masses of this definition were converted, for the provenance."""
    if is_virial(definition):
        return definition
    assumption = f", for {assumed} snapshots with the concentration of {type(relation).__name__}" if assumed else ""
    return f"{definition}, converted to bn98 with NFW profiles{assumption}"


@np.errstate(all="ignore")  # what comes of numbers that cannot be right is refused, or left out, with its halo
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
        Other numbers of the source, any of rvir [kpc], vvir [km/s], concentration, rs [kpc], vmax [km/s].
    mass, redshift : arrays
    definition : str
        See `corundum.halos.nfw.reference_density`.
    cosmology : Cosmology
    relation : AbstractConcentration
        Assumed where a conversion needs a concentration and the source has none.
    path : path or str
        The source, for error messages.

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
        radius = GRAVITY * mass / _positive(numbers["vvir"]) ** 2
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
    # An assumed concentration counts as missing: smooth_branches fills in the whole history consistently.
    return VirialQuantities(np.log10(mass), np.log10(np.where(unknown, np.nan, virial_c)), None, int(np.sum(unknown)))


def _concentration(numbers, mass, radius):
    c = np.full(len(mass), np.nan)
    if "concentration" in numbers:
        c = numbers["concentration"]
    elif "rs" in numbers:
        c = radius / _positive(numbers["rs"])
    if "vmax" in numbers and not np.all(np.isfinite(c)):
        from_peak = in_blocks(_from_peak, numbers["vmax"] / np.sqrt(GRAVITY * mass / radius), size=_ROWS)
        c = np.where(np.isfinite(c), c, from_peak)
    return np.where(np.isfinite(c) & (c > 1.0) & (c < 1e3), c, np.nan)


@compiled
def _from_peak(ratio):
    return concentration_from_vmax(ratio)


@compiled
def _to_virial(mass, concentration, ratio):
    return rescaled(mass, concentration, ratio)


@compiled
def _assumed(relation, mass, redshift, ratio):
    """Concentration inside the radius of a definition at which the virial one follows `relation`."""
    log_mvir = jnp.log10(mass)
    for _ in range(4):  # the relation is so flat in mass that every iteration gains a digit or more
        virial = 10.0 ** relation(log_mvir, redshift)
        c = concentration_at(virial, 1.0 / ratio)
        log_mvir = jnp.log10(mass * enclosed_mass(virial) / enclosed_mass(c))
    return c


def typical(values) -> float:
    """Median of the values that are finite, NaN where none is."""
    finite = values[np.isfinite(values)]
    return float(np.median(finite)) if len(finite) else np.nan


def check_radii(numbers: dict[str, Float[np.ndarray, " n"]], mass, expected, path) -> None:
    """Compare radii, velocities and concentrations with what the masses imply; `expected` radius [kpc].

    Raises
    ------
    ValueError
        A radius or velocity is typically far off, or a concentration is not within 1 and 300.
    """
    speed = np.sqrt(GRAVITY * mass / expected)
    for name, implied, unit, factor in (
        ("rvir", expected, "kpc", _WITHIN),
        ("vvir", speed, "km/s", _WITHIN),
        ("vmax", speed, "km/s", _WITHIN_PEAK),
    ):
        ratio = typical(numbers[name] / implied) if name in numbers else np.nan
        if ratio > factor or ratio < 1.0 / factor:
            raise ValueError(
                f"{path}: {name} is typically {ratio:.3g} times the {typical(implied):.4g} {unit} that the masses "
                "imply; check the units of both (k or M, /h or not, proper or comoving) and mass_definition"
            )
    if "concentration" in numbers or "rs" in numbers:
        radius = numbers.get("rvir", expected)
        c = typical(numbers["concentration"] if "concentration" in numbers else radius / _positive(numbers["rs"]))
        if c < 1.0 or c > 300.0:
            label = "concentration" if "concentration" in numbers else "radius over rs"
            raise ValueError(
                f"{path}: {label} is typically {c:.3g}; it must be the NFW Rvir / r_s, so check column and unit"
            )


def _positive(values: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """Values that are positive, NaN for the others."""
    return np.where(values > 0.0, values, np.nan)
