"""Halo histories from Monte-Carlo merger trees, for any LCDM cosmology and any mass.

`monte_carlo_trees` draws main branches by the algorithm of Parkinson, Cole & Helly 2008, smooths them in time as
measured branches are, and gives each the concentration that its own history implies.  It needs no calibration in mass
or redshift beyond that of the algorithm, where `diffmah_population` extrapolates below 10^11.5 Msun, and its growth
rates have the mean, the median and the skewness of those of N-body halos: it is the halo source of all examples.
Growth by mergers is smoothed over the kernel in time.
"""

from collections.abc import Sequence

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Float

from ...annotations import Array
from ...arguments import one_number, strategy, whole_number
from ...cosmology import Cosmology, as_cosmology
from ...numerics.random_keys import split_key
from ...numerics.row_blocks import in_blocks
from ..branches.notes import smoothing_note
from ..branches.smoothing import AbstractSmoothing, GaussianInLogTime
from ..concentration import AbstractConcentration, limit_concentration
from ..cosmic_times import ages, log_times, redshifts
from ..histories import HaloHistories
from ..mergers import Mergers
from ..selection import number_to_draw, select_representative
from .formation import ZhaoFormationTime
from .main_branches import grow_main_branches
from .mass_sampling import AbstractMassSampling, Despali16, UniformLogMass, check_request
from .merger_trees import UNRESOLVED
from .parkinson08 import ParkinsonColeHelly08
from .power_spectrum import LinearPower

__all__ = ["monte_carlo_trees"]

_BLOCK = 2_000  # halos whose concentrations are computed at once
_SNAPSHOTS = 128  # times at which branches are read before smoothing: four in the width of the default kernel
_REACH = 6  # of these from which the slope before the first resolved time is taken
_FIRST, _EXPANSION = 12.0, 1.6  # first redshift of the default times, and least expansion since then
_LAST_ROOT = 12.0
_MASSES = (8.0, 15.5)  # log10 of mass [Msun] at the end for which trees are drawn


def monte_carlo_trees(
    n: int,
    *,
    log_mvir: tuple[float, float] = (10.0, 12.1),
    redshift: float | None = None,
    key: int | Array = 0,
    sampling: AbstractMassSampling | None = None,
    algorithm: ParkinsonColeHelly08 | None = None,
    power: LinearPower | None = None,
    resolution: float = 1e-4,
    lowest_ratio: float = 0.01,
    concentration: ZhaoFormationTime | AbstractConcentration | None = None,
    smoothing: AbstractSmoothing | None = None,
    cosmology: Cosmology | None = None,
    times: Sequence[float] | Float[Array, " t"] | None = None,
    first_log_mvir: float = 8.0,
    candidates: int = 1,
) -> HaloHistories:
    """Draw `n` growth histories with their mergers from extended Press-Schechter merger trees.

    Parameters
    ----------
    n : int
        Number of halos.
    log_mvir : (float, float)
        Range of log10 of final virial mass [Msun], within 8 and 15.5; equal ends give halos of one mass.
    redshift : float, optional
        When halos have that mass, 0 to 12; histories end there.  Default the redshift of the last of `times`, or 0.
    key : int or JAX key
        The same key gives the same halos.
    sampling : AbstractMassSampling, optional
        How masses are drawn and weighted; default `UniformLogMass()`.
    algorithm, power : optional
        Default `ParkinsonColeHelly08()`, `LinearPower()`.
    resolution : float
        Smallest progenitor followed, over the final mass.
    lowest_ratio : float
        Mergers below this mass ratio are not listed.
    concentration : optional
        Default `ZhaoFormationTime()`: from each halo's own history; or a relation c(M, z) such as `Diemer19()`.
    smoothing : AbstractSmoothing, optional
        Default `GaussianInLogTime(0.1)`.
    cosmology : Cosmology, optional
        Default `pandya26_cosmology()`.
    times : array, shape (t,), optional
        Cosmic ages [Gyr] of the histories; default `log_times(cosmology)`, from z = 12, or for early halos from
        1.6 (1 + z) - 1, to `redshift`.
    first_log_mvir : float
        A halo starts at the first time, or when it reaches this log10 of mass [Msun] or the resolution.
    candidates : int
        Halos drawn for each one kept; with more than one, `select_representative` picks those that stand for all.

    Raises
    ------
    ValueError
        An argument is impossible; the sentence names it and says what is allowed.

    Examples
    --------
    >>> drawn = co.halos.monte_carlo_trees(4, log_mvir=(12.0, 12.0), resolution=0.01)
    >>> len(drawn), drawn.mergers is not None
    (4, True)
    """
    n = whole_number("n", n, meaning="halos")
    low, high = check_request(log_mvir, first_log_mvir, _MASSES)
    redshift = None if redshift is None else one_number("redshift", redshift, meaning="one redshift, 0 to 12")
    drawn = number_to_draw(n, candidates)
    cosmology = as_cosmology(cosmology)
    smoothing = strategy("smoothing", smoothing, GaussianInLogTime())
    concentration = strategy("concentration", concentration, ZhaoFormationTime(), also=(AbstractConcentration,))
    sampling = strategy("sampling", sampling, UniformLogMass())
    times, redshift = _times_to_root(times, redshift, cosmology)
    _check_sampling(sampling, redshift)
    mass_key, tree_key = split_key(key)
    masses, weights = sampling.draw(mass_key, drawn, low, high)
    raw_times = np.geomspace(0.98 * times[0], times[-1], _SNAPSHOTS)
    raw_redshift = redshifts(cosmology, raw_times)[::-1]
    raw_redshift[0] = redshift
    raw = grow_main_branches(
        masses, raw_redshift, key=tree_key, resolution=resolution, lowest_ratio=lowest_ratio,
        algorithm=algorithm, power=power, cosmology=cosmology,
    )  # fmt: skip
    log_mass, log_c = _smoothed(raw, raw_times, times, concentration, smoothing, cosmology)
    floor = np.maximum(first_log_mvir, np.asarray(masses) + np.log10(UNRESOLVED * resolution))
    arrays = (times, log_mass, log_c, _first_above(floor, log_mass, times), *_mergers(raw, raw_times))
    # Handed over as they are: making arrays of them would compile for every number of halos.
    time, log_mass, log_c, start, *mergers = jax.device_put(arrays)
    halos = HaloHistories(
        time,
        log_mass,
        log_c,
        start=start,
        weights=weights,
        mergers=Mergers(*mergers),
        cosmology=cosmology,
        provenance={
            "source": f"Monte-Carlo main branches of {drawn} halos, algorithm of Parkinson, Cole & Helly 2008, "
            "transfer function of Eisenstein & Hu 1998",
            "masses": f"log10 Mvir at z = {redshift:g} from {low:g} to {high:g}, {type(sampling).__name__}",
            "resolution": f"{resolution:g} of the final mass; mergers listed above mass ratio {lowest_ratio:g}, "
            f"{int(np.sum(raw.truncated))} beyond the first {raw.merger_ratio.shape[1]} of a halo left out",
            "radius": "Bryan & Norman 1998",
            "smoothing": smoothing_note(smoothing),
            "concentrations": type(concentration).__name__
            + (", each from its own history" if isinstance(concentration, ZhaoFormationTime) else ""),
            "start": f"when a halo reaches 10^{first_log_mvir:g} Msun or the resolution, or at the first time",
        },
    )
    return halos if drawn == n else select_representative(halos, n)


def _times_to_root(times, redshift, cosmology):
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


def _check_sampling(sampling, redshift):
    """Refuse number densities of today for halos that have their mass at another time."""
    if redshift > 1e-6 and isinstance(getattr(sampling, "mass_function", None), Despali16):
        raise ValueError(
            f"sampling: Despali16() is the mass function at z = 0 and the halos have their mass at z = {redshift:g}; "
            "draw with UniformLogMass() and weight the halos with halos.abundance_weights, which takes their redshift"
        )


def _smoothed(raw, raw_times, times, concentration, smoothing, cosmology):
    """log10 of mass and of concentration at `times`."""
    ln_raw, ln_times = np.log(raw_times), np.log(times)
    log_mass = _extrapolated(raw.log_mass[:, ::-1], ln_raw)
    smooth = np.asarray(smoothing(ln_raw, log_mass, ln_times))
    if isinstance(concentration, ZhaoFormationTime):
        log_c = np.asarray(smoothing(ln_raw, concentration(raw_times, log_mass), ln_times))
    else:
        shared = (concentration, redshifts(cosmology, times))
        log_c = in_blocks(_relation, smooth, size=_BLOCK, shared=shared)
    return smooth, limit_concentration(log_c)


@eqx.filter_jit
def _relation(relation, redshift, log_mass):
    return relation(log_mass, redshift)


def _mergers(raw, raw_times):
    """Time and ratio of mergers, the earliest first, each halo's at the beginning of its row."""
    number = np.sum(np.isfinite(raw.merger_ratio), axis=1)
    column = number[:, None] - 1 - np.arange(max(int(number.max(initial=0)), 1))
    rows = np.arange(len(number))[:, None]
    redshift, ratio = (
        np.where(column >= 0, array[rows, np.maximum(column, 0)], np.nan)
        for array in (raw.merger_redshift, raw.merger_ratio)
    )
    return np.where(column >= 0, np.interp(redshift, raw.redshift, raw_times[::-1]), np.nan), ratio


def _extrapolated(log_mass, ln_time):
    """Histories with a power law of time, as steep as the first resolved part, before that part."""
    rows, last = np.arange(len(log_mass)), log_mass.shape[1] - 1
    first = np.argmax(np.isfinite(log_mass), axis=1)
    later = np.minimum(first + _REACH, last)
    slope = (log_mass[rows, later] - log_mass[rows, first]) / np.maximum(ln_time[later] - ln_time[first], 1e-9)
    before = log_mass[rows, first][:, None] + slope[:, None] * (ln_time - ln_time[first][:, None])
    return np.where(np.isfinite(log_mass), log_mass, before)


def _first_above(level, log_mass, times):
    """Cosmic age at which each history first reaches its level, at the earliest the first time."""
    after = np.clip(np.argmax(log_mass >= level[:, None], axis=1), 1, len(times) - 1)
    rows, ln_time = np.arange(len(log_mass)), np.log(times)
    low, high = log_mass[rows, after - 1], log_mass[rows, after]
    part = np.clip((level - low) / np.maximum(high - low, 1e-12), 0.0, 1.0)
    return np.exp(ln_time[after - 1] + part * (ln_time[after] - ln_time[after - 1]))
