"""The door of halo histories: plain arrays in natural units become histories, and what cannot be one is refused.

`HaloHistories` holds logarithms on increasing cosmic times.  `from_natural_units` makes these from masses in Msun; the
checks say in one sentence what is wrong with an array and what is allowed.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..array_library import is_traced
from ..cosmology import Cosmology
from ..plain_numbers import plain_numbers
from ..plausible import (
    LARGEST_REDSHIFT,
    OVERSHOOT,
    check_ages,
    check_concentrations,
    check_fills,
    check_growth,
    check_log_masses,
    check_radii,
    check_redshifts,
    check_weights,
)
from .concentration import Diemer19, limit_concentration
from .cosmic_times import ages, densities, redshifts
from .extras import ExtraCurve
from .per_halo import per_halo_fields
from .satellites.links import check_hosts, check_satellites

__all__ = ["from_natural_units", "check_extras", "check_one_time", "check_structure", "check_values"]

_LEAST_MASS = 1e5  # Msun; below it numbers are logarithms, or in another unit
_ROUND_OFF = 1e-12


def from_natural_units(
    mvir,
    *,
    time,
    redshift,
    scale_factor,
    concentration,
    rvir,
    growth,
    extras: Mapping[str, ExtraCurve] | None,
    cosmology: Cosmology,
) -> dict[str, Any]:
    """The arguments of `HaloHistories` that these arrays make; see `HaloHistories.from_arrays`."""
    time = _cosmic_ages(time, redshift, scale_factor, cosmology)
    order = slice(None) if np.all(np.diff(time) > 0.0) else slice(None, None, -1)
    time = time[order]
    if not np.all(np.diff(time) > 0.0):
        raise ValueError("times: got times that neither rise nor fall throughout; sort them, each once")
    mvir = _curves("mvir", mvir, "Msun", time)[:, order]
    if not np.median(mvir[:, -1]) > _LEAST_MASS:
        raise ValueError(
            f"mvir: final masses are typically {np.median(mvir[:, -1]):.4g} Msun; give virial masses in Msun, not "
            "their log10 and not in units of 10^10 Msun"
        )
    keywords = {"time": time, "log_mvir": _log10("mvir", mvir, "Msun", time)}
    if concentration is None:
        median = Diemer19()(keywords["log_mvir"], redshifts(cosmology, time))
        keywords["log_concentration"] = limit_concentration(median)
    else:
        curves = _curves("concentration", concentration, "1", time)[:, order]
        keywords["log_concentration"] = _log10("concentration", curves, "", time)
        if not np.all(curves > 1.0):
            raise ValueError(
                f"concentration: the smallest is {np.min(curves):.4g}; NFW concentrations Rvir / r_s exceed 1, so give "
                "them as they are, not their log10"
            )
    for name, value, unit in (("rvir", rvir, "kpc"), ("growth", growth, "Msun/yr")):
        if value is not None:
            keywords[f"log_{name}"] = _log10(name, _curves(name, value, unit, time)[:, order], unit, time)
    if extras:
        keywords["extras"] = {
            name: ExtraCurve(
                np.asarray(curve.values)[:, order],
                curve.quantity,
                None if curve.slopes is None else np.asarray(curve.slopes)[:, order],
            )
            for name, curve in extras.items()
        }
    return keywords


def _cosmic_ages(time, redshift, scale_factor, cosmology):
    choices = {"time": time, "redshift": redshift, "scale_factor": scale_factor}
    units = {"time": "Gyr", "redshift": "1", "scale_factor": "1"}
    chosen = {
        name: np.asarray(plain_numbers(name, value, units[name]), np.float64)
        for name, value in choices.items()
        if value is not None
    }
    if len(chosen) != 1:
        raise ValueError(
            f"times: got {' and '.join(chosen) or 'none'}; give one of time [Gyr], redshift or scale_factor"
        )
    ((name, values),) = chosen.items()
    if values.ndim != 1 or len(values) < 2:
        raise ValueError(f"{name}: got shape {values.shape}; a history needs a list of at least two times")
    if name == "time":
        check_ages("time", values, float(ages(cosmology, np.zeros(1))[0]))
        return values
    if name == "scale_factor":
        if not np.all((values > 1.0 / (1.0 + LARGEST_REDSHIFT)) & (values <= 1.0 + OVERSHOOT)):
            raise ValueError(f"scale_factor: got {values.min():.4g} to {values.max():.4g}; allowed above 0, 1 today")
        return ages(cosmology, 1.0 / values - 1.0)
    check_redshifts(name, values)
    return ages(cosmology, values)


def _curves(name, values, unit, time):
    curves = np.atleast_2d(np.asarray(plain_numbers(name, values, unit), np.float64))
    if curves.ndim != 2 or curves.shape[1] != len(time):
        raise ValueError(f"{name}: got shape {np.shape(values)}; expected (halos, times) with {len(time)} times")
    return curves


def _log10(name, curves, unit, time):
    positive = np.isfinite(curves) & (curves > 0.0)
    if not np.all(positive):
        row, column = np.argwhere(~positive)[0]
        raise ValueError(
            f"{name}: halo {row} has {curves[row, column]:.4g} {unit}".rstrip() + f" at {time[column]:.4g} Gyr; every "
            "value must be positive, so continue a history smoothly before its start, or give raw branches to "
            "smooth_branches or read_table, which do so"
        )
    return np.log10(curves)


def check_extras(extras: Mapping[str, ExtraCurve], reserved: Mapping[str, object]) -> None:
    """Refuse extra curves that are no `ExtraCurve`, or whose name is none or that of something else.

    Raises
    ------
    ValueError
        The message names the entry.
    """
    for name, curve in extras.items():
        if not isinstance(name, str) or not name.isidentifier():
            raise ValueError(f"extras: got the name {name!r}; use letters, digits and underscores, such as 'spin'")
        if not isinstance(curve, ExtraCurve):
            raise ValueError(
                f"extras[{name!r}]: got a {type(curve).__name__}; "
                "give halos.ExtraCurve(values, units.Quantity(unit, meaning))"
            )
        if name in reserved:
            raise ValueError(f"extras[{name!r}]: every halo has {name!r} without it; choose another name")


def check_structure(halos) -> None:
    """Refuse arrays whose shapes disagree.

    Raises
    ------
    ValueError
        The message names the array, its shape and the right one.
    """
    grid = halos.time.shape
    if len(grid) != 1 or grid[0] < 2:
        raise ValueError(f"time: got shape {grid}; a history needs a list of at least two times [Gyr]")
    shape = (halos.log_mvir.shape[0] if halos.log_mvir.ndim else 0, grid[0])
    for name, declared in per_halo_fields(halos).items():
        value = getattr(halos, name)
        if value is None or declared.quantity is None:
            continue
        if declared.along_time and value.shape != shape:
            raise ValueError(f"{name}: got shape {value.shape}; expected (halos, times) = {shape}")
        if not declared.along_time and value.shape != shape[:1]:
            raise ValueError(f"{name}: got shape {value.shape}; expected one per halo, {shape[:1]}")
    if halos.mergers is not None and len(halos.mergers) != shape[0]:
        raise ValueError(f"mergers: got {len(halos.mergers)} rows; expected one per halo, {shape[0]}")
    for name, curve in halos.extras.items():
        for values in (curve.values, curve.slopes):
            if values is not None and values.shape != shape:
                raise ValueError(f"extras[{name!r}]: got shape {values.shape}; expected (halos, times) = {shape}")
    if halos.host is not None and halos.host.dtype.kind not in "iu":
        raise ValueError(f"host: got values of type {halos.host.dtype}; give whole numbers, rows of halos or -1")


def check_values(halos) -> None:
    """Refuse values that no history can have; traced values, which are not known yet, pass.

    Raises
    ------
    ValueError
        The message names the array and the first halo.
    """
    if is_traced(halos):
        return
    time, log_mvir = np.asarray(halos.time), np.asarray(halos.log_mvir)
    if not (np.all(np.isfinite(time)) and np.all(np.diff(time) > 0) and time[0] > 0):
        raise ValueError("time: cosmic ages must be positive, finite and strictly increasing [Gyr]")
    check_ages("time", time, float(ages(halos.cosmology, np.zeros(1))[0]))
    arrays = {name: getattr(halos, name) for name, declared in per_halo_fields(halos).items() if declared.finite}
    arrays.update({f"extras[{name!r}]": curve.values for name, curve in halos.extras.items()})
    arrays.update({f"slopes of extras[{name!r}]": curve.slopes for name, curve in halos.extras.items()})
    for name, value in arrays.items():
        if value is not None and not np.all(np.isfinite(value)):
            row = _first(~np.isfinite(np.asarray(value).reshape(len(halos), -1)).all(axis=1))
            raise ValueError(f"{name}: halo {row} has a value that is not finite; remove or repair that halo")
        check_fills(name, value)
    check_log_masses("log_mvir", log_mvir, time)
    check_concentrations("log_concentration", np.asarray(halos.log_concentration))
    check_weights("weights", np.asarray(halos.weights))
    if halos.log_rvir is not None and "infall_age" not in halos.extras:
        density = densities(halos.cosmology, "vir", redshifts(halos.cosmology, time))
        # Satellites keep the radius of their infall.
        rows = slice(None) if halos.satellites is None else ~np.isfinite(np.asarray(halos.satellites.infall))
        implied = (log_mvir - np.log10(4.0 * np.pi / 3.0 * density)) / 3.0
        check_radii("log_rvir", np.asarray(halos.log_rvir)[rows], implied[rows])
    if halos.log_growth is not None:
        check_growth("log_growth", np.asarray(halos.log_growth), log_mvir, time)
    _check_ends(time, np.asarray(halos.start), np.asarray(halos.end))
    if halos.host is not None:
        check_hosts(np.asarray(halos.host))
    if halos.satellites is not None:
        check_satellites(halos)


def _check_ends(time, start, end):
    grid = f"the grid {time[0]:.6g}-{time[-1]:.6g} Gyr"
    outside = ~((start >= time[0] * (1 - _ROUND_OFF)) & (start < time[-1]))
    if np.any(outside):
        row = _first(outside)
        raise ValueError(f"start: halo {row} starts at {start[row]:.6g} Gyr, outside {grid}")
    outside = ~((end > time[0]) & (end <= time[-1] * (1 + _ROUND_OFF)))
    if np.any(outside):
        row = _first(outside)
        raise ValueError(f"end: halo {row} ends at {end[row]:.6g} Gyr, outside {grid}")
    backwards = end <= start
    if np.any(backwards):
        row = _first(backwards)
        raise ValueError(
            f"end: halo {row} ends at {end[row]:.6g} Gyr, not after its start at {start[row]:.6g} Gyr; "
            "give a later end or leave that halo out"
        )


def _first(flags) -> int:
    return int(np.flatnonzero(flags)[0])


def check_one_time(halos: Any, argument: str, age: Any) -> None:
    """Refuse a cosmic age [Gyr] outside histories, or several; `argument` is what was given for it."""
    if np.shape(age):
        raise ValueError(f"HaloHistories.at: got {np.size(age)} numbers for {argument}; give one, or use along(time)")
    if is_traced((age, halos.time)):
        return
    first, last = np.asarray(halos.time)[[0, -1]]
    if not first * (1.0 - 1e-6) <= float(age) <= last * (1.0 + 1e-6):
        span = halos.span if argument == "redshift" else f"{first:.4g} to {last:.4g} Gyr"
        raise ValueError(f"HaloHistories.at: the {argument} lies outside these histories, which cover {span}")
