"""Checks that the numbers of a halo table can be what their units say, and the times that its rows stand for."""

from pathlib import Path

import numpy as np
from jaxtyping import Float

from ...cosmology import Cosmology
from ..cosmic_times import ages, redshifts
from ..definitions import typical
from .columns import UNITS, Unit, convert

__all__ = ["check_times", "check_masses"]

_TIME_TOLERANCE = 0.02  # relative difference of two statements of the same time
_LARGEST_REDSHIFT = 1100.0
_OVERSHOOT = 0.02  # by how much simulations run beyond a = 1
_LARGEST_LOG_MASS = 30.0


def check_times(
    numbers: dict[str, Float[np.ndarray, " n"]],
    units: dict[str, tuple[str, Unit]],
    cosmology: Cosmology,
    path: str | Path,
) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    """Cosmic age and scale factor of every row; where a redshift or scale factor is known it sets the age.

    Parameters
    ----------
    numbers : dict of str to array, shape (n,)
        Columns by quantity, as they are in the table.
    units : dict of str to (str, Unit)
        Name and meaning of the unit of each.
    cosmology : Cosmology
    path : path
        The table, for error messages.

    Returns
    -------
    age : array, shape (n,)
        Cosmic age [Gyr], NaN where unknown.
    scale_factor : array, shape (n,)
        NaN where unknown.

    Raises
    ------
    ValueError
        A time cannot be what its name and unit say, or two columns of time disagree.
    """
    scale = _scale_factors(numbers, path)
    age = None if scale is None else ages(cosmology, 1.0 / scale - 1.0)
    if "time" not in numbers:
        assert age is not None and scale is not None, "a table has a column of time, redshift or scale factor"
        return age, scale
    text, unit = units["time"]
    time = np.asarray(convert(numbers["time"], unit, 1.0, np.ones(1)))
    today = float(cosmology.age(0.0))
    if np.any(time <= 0.0) or np.any(time > (1.0 + _OVERSHOOT) * today):
        raise ValueError(
            f"{path}: time runs from {np.nanmin(time):g} to {np.nanmax(time):g} Gyr but the universe is {today:.4g} "
            f"Gyr old; its unit was taken as {text}, allowed are {', '.join(UNITS['time'])}"
        )
    if age is None or scale is None:
        return time, 1.0 / (1.0 + redshifts(cosmology, time))
    _check_agreement("time", "redshift or scale factor", time, age, path)
    return age, scale


def _scale_factors(numbers: dict[str, Float[np.ndarray, " n"]], path: str | Path) -> Float[np.ndarray, " n"] | None:
    """Scale factor of every row by the columns redshift and scale_factor, or None without either."""
    scale = None
    if "redshift" in numbers:
        redshift = numbers["redshift"]
        if np.any(redshift < -_OVERSHOOT) or np.any(redshift > _LARGEST_REDSHIFT):
            raise ValueError(
                f"{path}: redshift runs from {np.nanmin(redshift):g} to {np.nanmax(redshift):g}; it must be within 0 "
                f"and {_LARGEST_REDSHIFT:g}, so check which column it is"
            )
        scale = 1.0 / (1.0 + redshift)
    if "scale_factor" in numbers:
        factor = numbers["scale_factor"]
        if np.any(factor <= 0.0) or np.any(factor > 1.0 + _OVERSHOOT):
            raise ValueError(
                f"{path}: scale factor runs from {np.nanmin(factor):g} to {np.nanmax(factor):g}; it must be above 0 "
                "and at most 1, so check whether it is a redshift or a time"
            )
        if scale is not None:
            _check_agreement("redshift", "scale factor", scale, factor, path)
        scale = factor
    return scale


def _check_agreement(first: str, second: str, values, others, path: str | Path) -> None:
    difference = np.abs(values / others - 1.0)
    if np.any(difference > _TIME_TOLERANCE):
        row = int(np.nanargmax(difference))
        raise ValueError(
            f"{path}: {first} and {second} disagree by up to {difference[row]:.1%} (data row {row + 1}); check their "
            "units and the cosmology, or leave one of them out"
        )


def check_masses(
    numbers: dict[str, Float[np.ndarray, " n"]],
    units: dict[str, tuple[str, Unit]],
    h: float,
    names: dict[str, str],
    path: str | Path,
) -> Float[np.ndarray, " n"]:
    """Mass of every row, from its column of masses or of their logarithms.

    Parameters
    ----------
    numbers, units, path
        As for `check_times`.
    h : float
        Hubble constant over 100 km/s/Mpc, for units with /h.
    names : dict of str to str
        Name in the table of each quantity, for error messages.

    Returns
    -------
    array, shape (n,)
        Mass [Msun], NaN where it is not a positive number.

    Raises
    ------
    ValueError
        Typical masses cannot be halo masses in the stated unit.
    """
    if "log_mvir" in numbers:
        values, (_, unit) = numbers["log_mvir"], units["log_mvir"]
        if not 4.0 < typical(values) < 18.0 and np.any(np.isfinite(values)):
            raise ValueError(
                f"{path}: {names['log_mvir']} is read as log10 of mass but is typically {typical(values):g}; give "
                f"columns={{'mvir': {names['log_mvir']!r}}} if it is the mass itself"
            )
        return 10.0 ** np.where(np.abs(values) < _LARGEST_LOG_MASS, values, np.nan) * convert(1.0, unit, h, 1.0)
    text, unit = units["mvir"]
    mass = convert(numbers["mvir"], unit, h, 1.0)
    typical_mass = typical(mass)
    if 1e5 <= typical_mass <= 1e17 or not np.any(np.isfinite(mass)):
        return np.where(mass > 0.0, mass, np.nan)
    raise ValueError(
        f"{path}: {names['mvir']} is typically {typical_mass:g} Msun, which no halo has; its unit was taken as {text}, "
        f"allowed are {', '.join(UNITS['mass'])}, or give columns={{'log_mvir': {names['mvir']!r}}} if it is log10"
    )
