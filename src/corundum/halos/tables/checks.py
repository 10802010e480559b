"""Checks that the numbers of a halo table can be what their units say, and the times they stand for."""

import numpy as np
from jaxtyping import Float

from ...cosmology import Cosmology
from ..cosmic_times import ages, redshifts
from ..definitions import typical
from .columns import UNITS, Unit, convert

__all__ = ["check_times", "check_masses"]

_AGREE = 0.02  # relative, between two statements of the same time


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
        if not 4.0 < typical(values) < 18.0 and np.any(np.isfinite(values)):
            raise ValueError(
                f"{path}: {names['log_mvir']} is read as log10 of mass but is typically "
                f"{typical(values):g}; "
                f"give columns={{'mvir': {names['log_mvir']!r}}} if it is the mass itself"
            )
        return 10.0 ** np.where(np.abs(values) < 30.0, values, np.nan) * convert(1.0, unit, h, 1.0)
    text, unit = units["mvir"]
    mass = convert(numbers["mvir"], unit, h, 1.0)
    typical_mass = typical(mass)
    if 1e5 <= typical_mass <= 1e17 or not np.any(np.isfinite(mass)):
        return np.where(mass > 0.0, mass, np.nan)
    raise ValueError(
        f"{path}: {names['mvir']} is typically {typical_mass:g} Msun, which no halo has; its unit was taken as "
        f"{text}, "
        f"allowed are {', '.join(UNITS['mass'])}, or give columns={{'log_mvir': {names['mvir']!r}}} if it "
        "is log10"
    )
