"""What all populations of drawn merger trees do: their times, and smooth curves from branches that start somewhere.

Branches are known from the time at which they rise above the resolution of their tree.
"""

import numpy as np

from ...numerics.compiling import compiled
from ...numerics.row_blocks import in_blocks
from ..concentration import limit_concentration
from ..cosmic_times import ages, log_times, redshifts
from .formation import ZhaoFormationTime
from .mass_sampling import Despali16

__all__ = ["SNAPSHOTS", "check_sampling", "extrapolated", "first_above", "smooth_curves", "times_to_root"]

SNAPSHOTS = 128
"""Times at which branches are read before smoothing: four in the width of the default kernel."""

_BLOCK = 2_000  # halos whose concentrations are computed at once
_REACH = 6  # snapshots from which the slope before the first resolved time is taken
_FIRST, _EXPANSION = 12.0, 1.6  # first redshift of the default times, and least expansion since then
_LAST_ROOT = 12.0


def times_to_root(times, redshift, cosmology):
    """Cosmic ages of the histories, which end when the halos have their final mass, and that redshift."""
    if times is not None:
        times = np.asarray(times, np.float64)
        today = float(ages(cosmology, np.zeros(1))[0])
        if times.ndim != 1 or len(times) < 2 or not np.all(np.diff(times) > 0.0) or not 0.0 < times[0]:
            raise ValueError("times: give at least two cosmic ages [Gyr], positive and increasing")
        if times[-1] > today * (1.0 + 1e-6):
            raise ValueError(f"times: the last is {times[-1]:.6g} Gyr, but the universe is {today:.6g} Gyr old")
        last = max(float(redshifts(cosmology, times[-1:])[0]), 0.0)
        if redshift is not None and abs(last - redshift) > 1e-4 * (1.0 + redshift):
            raise ValueError(
                f"times: the last is {times[-1]:.6g} Gyr (z = {last:.4g}), but halos of given mass at z = {redshift:g} "
                "end there; let times end at that redshift, or leave times or redshift out"
            )
        return times, last
    redshift = 0.0 if redshift is None else redshift
    if not 0.0 <= redshift <= _LAST_ROOT:
        raise ValueError(f"redshift: got {redshift:g}; allowed 0 to {_LAST_ROOT:g}")
    first = max(_FIRST, _EXPANSION * (1.0 + redshift) - 1.0)
    return np.asarray(log_times(cosmology, first_redshift=first, last_redshift=redshift)), redshift


def check_sampling(sampling, redshift):
    """Refuse number densities of today for halos that have their mass at another time."""
    if redshift > 1e-6 and isinstance(getattr(sampling, "mass_function", None), Despali16):
        raise ValueError(
            f"sampling: Despali16() is the mass function at z = 0 and the halos have their mass at z = {redshift:g}; "
            "draw with UniformLogMass() and weight the halos with halos.abundance_weights, which takes their redshift"
        )


def smooth_curves(log_mass, raw_times, times, concentration, smoothing, cosmology):
    """log10 of mass and of concentration at `times`, from masses that are known at all of `raw_times`."""
    ln_raw, ln_times = np.log(raw_times), np.log(times)
    smooth = np.asarray(smoothing(ln_raw, log_mass, ln_times))
    if isinstance(concentration, ZhaoFormationTime):
        log_c = np.asarray(smoothing(ln_raw, concentration(raw_times, log_mass), ln_times))
    else:
        shared = (concentration, redshifts(cosmology, times))
        log_c = in_blocks(_relation, smooth, size=_BLOCK, shared=shared)
    return smooth, limit_concentration(log_c)


@compiled
def _relation(relation, redshift, log_mass):
    return relation(log_mass, redshift)


def extrapolated(log_mass, ln_time, slopes=(-np.inf, np.inf)):
    """Histories with a power law of time, as steep as the first resolved part, before that part.

    `slopes` are the least and the largest d log10(M) / d ln(t) allowed there.
    """
    rows, last = np.arange(len(log_mass)), log_mass.shape[1] - 1
    first = np.argmax(np.isfinite(log_mass), axis=1)
    later = np.minimum(first + _REACH, last)
    slope = (log_mass[rows, later] - log_mass[rows, first]) / np.maximum(ln_time[later] - ln_time[first], 1e-9)
    slope = np.clip(slope, *slopes)
    before = log_mass[rows, first][:, None] + slope[:, None] * (ln_time - ln_time[first][:, None])
    return np.where(np.isfinite(log_mass), log_mass, before)


def first_above(level, log_mass, times):
    """Cosmic age at which each history first reaches its level, at the earliest the first time."""
    after = np.clip(np.argmax(log_mass >= level[:, None], axis=1), 1, len(times) - 1)
    rows, ln_time = np.arange(len(log_mass)), np.log(times)
    low, high = log_mass[rows, after - 1], log_mass[rows, after]
    part = np.clip((level - low) / np.maximum(high - low, 1e-12), 0.0, 1.0)
    return np.exp(ln_time[after - 1] + part * (ln_time[after] - ln_time[after - 1]))
