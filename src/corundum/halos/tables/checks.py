"""Checks that the numbers of a halo table can be what their units say, and the times that its rows stand for."""

from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float

from ...cosmology import Cosmology
from ...plausible import LARGEST_REDSHIFT, OVERSHOOT
from ..cosmic_times import ages, redshifts
from ..definitions import typical
from .columns import UNITS, Unit, convert

__all__ = ["check_times", "check_masses"]

_TIME_TOLERANCE = 0.02  # relative difference of two statements of the same time
_LARGEST_LOG_MASS = 37.0
_FEW = 0.1  # of the rows: where more have an impossible time, the column is another or has another unit


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
        Cosmic age [Gyr], NaN where unknown, infinite where the time of a few rows is impossible.
    scale_factor : array, shape (n,)
        NaN where unknown.

    Raises
    ------
    ValueError
        A time cannot be what its name and unit say, or two columns of time disagree.
    """
    scale, wrong = _scale_factors(numbers, path)
    age = None if scale is None else np.where(wrong, np.inf, ages(cosmology, 1.0 / scale - 1.0))
    if "time" not in numbers:
        assert age is not None and scale is not None, "a table has a column of time, redshift or scale factor"
        return age, scale
    text, unit = units["time"]
    today = float(ages(cosmology, np.zeros(1))[0])
    time, wrong = _possible(
        np.asarray(convert(numbers["time"], unit, 1.0, np.ones(1))), 0.0, (1.0 + 1.5 * OVERSHOOT) * today, path, "time",
        f" Gyr but the universe is {today:.4g} Gyr old; its unit was taken as {text}, allowed are "
        f"{', '.join(UNITS['time'])}",
    )  # fmt: skip
    if age is None or scale is None:
        return np.where(wrong, np.inf, time), 1.0 / (1.0 + redshifts(cosmology, time))
    _check_agreement("time", "redshift or scale factor", "time", time, age, path)
    return age, scale


def _scale_factors(
    numbers: dict[str, Float[np.ndarray, " n"]], path: str | Path
) -> tuple[Float[np.ndarray, " n"] | None, Bool[np.ndarray, " n"]]:
    """Scale factor of every row by the columns redshift and scale_factor (None without either), and impossible ones."""
    scale, wrong = None, np.zeros(len(next(iter(numbers.values()))), bool)
    if "redshift" in numbers:
        redshift, wrong = _possible(
            numbers["redshift"], -OVERSHOOT, LARGEST_REDSHIFT, path, "redshift",
            f"; it must be within 0 and {LARGEST_REDSHIFT:g}, so check which column it is",
        )  # fmt: skip
        scale = 1.0 / (1.0 + redshift)
    if "scale_factor" in numbers:
        factor, wrong = _possible(
            numbers["scale_factor"], 0.0, 1.0 + OVERSHOOT, path, "scale factor",
            "; it must be above 0 and at most 1, so check whether it is a redshift or a time",
        )  # fmt: skip
        if scale is not None:
            _check_agreement("redshift", "scale factor", "redshift", scale, factor, path)
        scale = factor
    return scale, wrong


def _possible(values, low: float, high: float, path: str | Path, name: str, advice: str):
    """Values with NaN where they are not above `low` and up to `high`, and which these are.

    Where they are more than a few, the column is another or has another unit, and the table is refused.
    """
    wrong = ~((values > low) & (values <= high)) & ~np.isnan(values)
    if np.sum(wrong) > _FEW * np.sum(~np.isnan(values)):
        raise ValueError(f"{path}: {name} runs from {np.nanmin(values):g} to {np.nanmax(values):g}{advice}")
    return np.where(wrong, np.nan, values), wrong


def _check_agreement(first: str, second: str, quantity: str, values, others, path: str | Path) -> None:
    difference = np.where(np.isfinite(others), np.abs(values / others - 1.0), np.nan)
    if np.any(difference > _TIME_TOLERANCE):
        row = int(np.nanargmax(difference))
        raise ValueError(
            f"{path}: {first} and {second} disagree by up to {difference[row]:.1%} (data row {row + 1}); check their "
            f"units and the cosmology, or leave one of them out with columns={{{quantity!r}: None}}"
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
        low = np.where(values > -_LARGEST_LOG_MASS, values, np.nan)
        return 10.0 ** np.minimum(low, _LARGEST_LOG_MASS) * convert(1.0, unit, h, 1.0)
    text, unit = units["mvir"]
    mass = convert(numbers["mvir"], unit, h, 1.0)
    typical_mass = typical(mass)
    if 1e5 <= typical_mass <= 1e17 or not np.any(np.isfinite(mass)):
        return np.where(mass > 0.0, mass, np.nan)
    raise ValueError(
        f"{path}: {names['mvir']} is typically {typical_mass:g} Msun, which no halo has; its unit was taken as {text}, "
        f"allowed are {', '.join(UNITS['mass'])}, or give columns={{'log_mvir': {names['mvir']!r}}} if it is log10"
    )
