"""Checks that the numbers of a halo table can be what their units say, and the times they stand for."""

import numpy as np
from jaxtyping import Float

from ..cosmology import Cosmology
from ..units import GRAVITY
from .clock import ages, redshifts
from .columns import UNITS, Unit, convert

__all__ = ["check_times", "check_masses", "check_radii"]

_AGREE = 0.02  # relative, between two statements of the same time
_NEAR = 1.15  # between a radius or virial velocity and the one that the mass implies: h^(2/3) would be 1.3
_FAR = 3.0  # between peak and virial velocity


def _typical(values) -> float:
    finite = values[np.isfinite(values)]
    return float(np.median(finite)) if len(finite) else np.nan


def check_times(
    numbers: dict[str, Float[np.ndarray, " n"]],
    units: dict[str, tuple[str, Unit]],
    cosmology: Cosmology,
    path,
) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    """Cosmic age [Gyr] and scale factor of every row, NaN where unknown; a redshift sets the age.

    Raises
    ------
    ValueError
        A time cannot be what its name and unit say, or two columns of time disagree.
    """
    scale = None
    if "redshift" in numbers:
        redshift = numbers["redshift"]
        if np.any(redshift < -0.02) or np.any(redshift > 1100.0):
            raise ValueError(
                f"{path}: redshift runs from {np.nanmin(redshift):g} to {np.nanmax(redshift):g}; it must "
                "be within 0 and "
                "1100, so check which column it is"
            )
        scale = 1.0 / (1.0 + redshift)
    if "scale_factor" in numbers:
        factor = numbers["scale_factor"]
        if np.any(factor <= 0.0) or np.any(factor > 1.02):
            raise ValueError(
                f"{path}: scale factor runs from {np.nanmin(factor):g} to {np.nanmax(factor):g}; it must "
                "be above 0 and at "
                "most 1, so check whether it is a redshift or a time"
            )
        if scale is not None:
            _check_agreement("redshift", "scale factor", scale, factor, path)
        scale = factor
    age = None if scale is None else ages(cosmology, 1.0 / scale - 1.0)
    if "time" not in numbers:
        return age, scale
    text, unit = units["time"]
    time = convert(numbers["time"], unit, 1.0, np.ones(1))
    today = float(cosmology.age(0.0))
    if np.any(time <= 0.0) or np.any(time > 1.02 * today):
        raise ValueError(
            f"{path}: time runs from {np.nanmin(time):g} to {np.nanmax(time):g} Gyr but the universe is "
            f"{today:.4g} Gyr old; "
            f"its unit was taken as {text}, allowed are {', '.join(UNITS['time'])}"
        )
    if age is None:
        return time, 1.0 / (1.0 + redshifts(cosmology, time))
    _check_agreement("time", "redshift or scale factor", time, age, path)
    return age, scale


def _check_agreement(first, second, values, others, path):
    apart = np.abs(values / others - 1.0)
    if np.any(apart > _AGREE):
        row = int(np.nanargmax(apart))
        raise ValueError(
            f"{path}: {first} and {second} disagree by up to {apart[row]:.1%} (data row {row + 1}); check "
            "their units and "
            "the cosmology, or leave one of them out"
        )


def check_masses(
    numbers: dict[str, Float[np.ndarray, " n"]], units: dict[str, tuple[str, Unit]], h: float, names, path
) -> Float[np.ndarray, " n"]:
    """Masses [Msun], NaN where they are not positive numbers.

    Raises
    ------
    ValueError
        Typical masses cannot be halo masses in the stated unit.
    """
    if "log_mvir" in numbers:
        values, (_, unit) = numbers["log_mvir"], units["log_mvir"]
        if not 4.0 < _typical(values) < 18.0 and np.any(np.isfinite(values)):
            raise ValueError(
                f"{path}: {names['log_mvir']} is read as log10 of mass but is typically "
                f"{_typical(values):g}; "
                f"give columns={{'mvir': {names['log_mvir']!r}}} if it is the mass itself"
            )
        return 10.0 ** np.where(np.abs(values) < 30.0, values, np.nan) * convert(1.0, unit, h, 1.0)
    text, unit = units["mvir"]
    mass = convert(numbers["mvir"], unit, h, 1.0)
    typical = _typical(mass)
    if 1e5 <= typical <= 1e17 or not np.any(np.isfinite(mass)):
        return np.where(mass > 0.0, mass, np.nan)
    raise ValueError(
        f"{path}: {names['mvir']} is typically {typical:g} Msun, which no halo has; its unit was taken as "
        f"{text}, "
        f"allowed are {', '.join(UNITS['mass'])}, or give columns={{'log_mvir': {names['mvir']!r}}} if it "
        "is log10"
    )


def check_radii(numbers: dict[str, Float[np.ndarray, " n"]], mass, expected, path) -> None:
    """Compare radii, velocities and concentrations with what the masses imply; `expected` radius [kpc].

    Raises
    ------
    ValueError
        A radius or velocity is typically far off, or a concentration is not within 1 and 300.
    """
    speed = np.sqrt(GRAVITY * mass / expected)
    for name, implied, unit, factor in (
        ("rvir", expected, "kpc", _NEAR),
        ("vvir", speed, "km/s", _NEAR),
        ("vmax", speed, "km/s", _FAR),
    ):
        ratio = _typical(numbers[name] / implied) if name in numbers else np.nan
        if ratio > factor or ratio < 1.0 / factor:
            raise ValueError(
                f"{path}: {name} is typically {ratio:.3g} times the {_typical(implied):.4g} {unit} that "
                "the masses imply; "
                "check the units of both (k or M, /h or not, proper or comoving) and mass_definition"
            )
    if "concentration" in numbers or "rs" in numbers:
        around = numbers.get("rvir", expected)
        c = _typical(numbers["concentration"] if "concentration" in numbers else around / numbers["rs"])
        if c < 1.0 or c > 300.0:
            named = "concentration" if "concentration" in numbers else "radius over rs"
            raise ValueError(
                f"{path}: {named} is typically {c:.3g}; it must be the NFW Rvir / r_s, so check column and unit"
            )
