"""Halo histories from Monte-Carlo merger trees, for any LCDM cosmology and any mass.

`monte_carlo_trees` draws main branches by the algorithm of Parkinson, Cole & Helly 2008, smooths them in time as
measured branches are, and gives each the concentration that its own history implies.  It needs no calibration in mass
or redshift beyond that of the algorithm, where `diffmah_population` extrapolates below 10^11.5 Msun, and its histories
scatter about as much as those of N-body halos.  Growth by mergers is smoothed over the kernel in time.
"""

from collections.abc import Sequence

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Float

from ...annotations import Array
from ...cosmology import Cosmology, pandya26_cosmology
from ...numerics.random_keys import random_key
from ...numerics.row_blocks import in_blocks
from ..branches.branch import Branch, smooth_branches
from ..branches.repair import ResolutionFloor
from ..branches.smoothing import AbstractSmoothing, GaussianInLogTime, RunningMaximum
from ..concentration import AbstractConcentration, Diemer19, limit_concentration
from ..cosmic_times import log_times, redshifts
from ..histories import HaloHistories
from .formation import ZhaoFormationTime
from .mass_sampling import AbstractMassSampling, UniformLogMass
from .merger_trees import RawMainBranches, grow_main_branches
from .parkinson08 import ParkinsonColeHelly08
from .power_spectrum import LinearPower

__all__ = ["monte_carlo_trees"]

_BLOCK = 512  # halos whose concentrations are computed at once
_SNAPSHOTS = 200  # redshifts at which branches are drawn, before smoothing


def monte_carlo_trees(
    n: int,
    *,
    log_mvir: tuple[float, float] = (10.0, 12.1),
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
) -> HaloHistories:
    """Draw `n` growth histories with their mergers from extended Press-Schechter merger trees.

    Parameters
    ----------
    n : int
        Number of halos.
    log_mvir : (float, float)
        Range of log10 of virial mass today [Msun], within 8 and 15.5; equal ends give halos of one mass.
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
        Cosmic ages [Gyr] of the histories; default `log_times(cosmology)`, from z = 12 to today.
    first_log_mvir : float
        A halo starts at the first time, or when it reaches this log10 of mass [Msun] or the resolution.

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
    low, high = (float(end) for end in log_mvir)
    if n != int(n) or n < 1:
        raise ValueError(f"n: got {n!r}; the number of halos must be a whole number of at least 1")
    if not 8.0 <= low <= high <= 15.5:
        raise ValueError(f"log_mvir: got ({low:g}, {high:g}); give log10 of mass today [Msun] within 8 and 15.5")
    cosmology = pandya26_cosmology() if cosmology is None else cosmology
    smoothing = GaussianInLogTime() if smoothing is None else smoothing
    concentration = ZhaoFormationTime() if concentration is None else concentration
    sampling = UniformLogMass() if sampling is None else sampling
    times = log_times(cosmology) if times is None else np.asarray(times, float)
    key = random_key(key)
    mass_key, tree_key = jax.random.split(key)
    masses, weights = sampling.draw(mass_key, n, low, high)
    raw_times = np.geomspace(0.98 * float(times[0]), float(times[-1]), _SNAPSHOTS)
    redshift = np.maximum(redshifts(cosmology, raw_times)[::-1], 0.0)
    raw = grow_main_branches(
        masses, redshift, key=tree_key, resolution=resolution, lowest_ratio=lowest_ratio,
        algorithm=algorithm, power=power, cosmology=cosmology,
    )  # fmt: skip
    from_history, relation = (
        (concentration, Diemer19()) if isinstance(concentration, ZhaoFormationTime) else (None, concentration)
    )
    return smooth_branches(
        _branches(raw, raw_times, np.asarray(weights), from_history),
        cosmology=cosmology,
        concentration=relation,
        mass_loss=RunningMaximum(),
        smoothing=smoothing,
        repairs=(ResolutionFloor(10.0**first_log_mvir, particles=1),),
        times=times,
        drop_bad=True,
        provenance={
            "source": f"Monte-Carlo main branches of {n} halos, algorithm of Parkinson, Cole & Helly 2008, transfer "
            "function of Eisenstein & Hu 1998",
            "masses": f"log10 Mvir today from {low:g} to {high:g}, {type(sampling).__name__}",
            "resolution": f"{resolution:g} of the final mass; mergers listed above mass ratio {lowest_ratio:g}, "
            f"{int(np.sum(raw.truncated))} beyond the first {raw.merger_ratio.shape[1]} of a halo left out",
            "radius": "Bryan & Norman 1998",
            "concentrations": f"{type(concentration).__name__}"
            + (", each from its own history" if from_history else ""),
        },
    ).halos


def _branches(raw: RawMainBranches, times, weights, formation) -> list[Branch]:
    """Branches forwards in time, each from where it is resolved."""
    log_mass = raw.log_mass[:, ::-1]
    first = np.argmax(np.isfinite(log_mass), axis=1)
    log_c = np.full_like(log_mass, np.nan)
    if formation is not None:
        history = _extrapolated(log_mass, first, np.log(times))
        log_c = in_blocks(_concentrations, history, size=_BLOCK, shared=(formation, times))
    # Mergers happen at any time between the snapshots, which are close enough to interpolate.
    merger_time = np.interp(np.nan_to_num(raw.merger_redshift), raw.redshift, times[::-1])
    branches = []
    for row, start in enumerate(first):
        merged = np.isfinite(raw.merger_ratio[row])
        mergers = np.stack([merger_time[row, merged], raw.merger_ratio[row, merged]])
        resolved = slice(start, None)
        branches.append(
            Branch(
                str(row),
                times[resolved],
                log_mass[row, resolved],
                log_c[row, resolved],
                weight=float(weights[row]),
                mergers=mergers,
            )
        )
    return branches


def _extrapolated(log_mass, first, ln_time):
    """Histories with a power law of time, as steep as the first resolved part, before that part."""
    rows, last = np.arange(len(log_mass)), log_mass.shape[1] - 1
    later = np.minimum(first + 10, last)
    slope = (log_mass[rows, later] - log_mass[rows, first]) / np.maximum(ln_time[later] - ln_time[first], 1e-9)
    before = log_mass[rows, first][:, None] + slope[:, None] * (ln_time - ln_time[first][:, None])
    return np.where(np.isfinite(log_mass), log_mass, before)


@eqx.filter_jit
def _concentrations(formation, times, log_mass):
    return limit_concentration(formation(times, log_mass))
