"""Halo histories from Monte-Carlo merger trees, for any LCDM cosmology and any mass.

`monte_carlo_trees` draws main branches by the algorithm of Parkinson, Cole & Helly 2008, smooths them in time as
measured branches are, and gives each the concentration that its own history implies.  It needs no calibration in mass
or redshift beyond that of the algorithm, where `diffmah_population` extrapolates below 10^11.5 Msun, and its growth
rates have the mean, the median and the skewness of those of N-body halos: it is the halo source of all examples.
Growth by mergers is smoothed over the kernel in time.
"""

from collections.abc import Sequence

import jax
import numpy as np
from jaxtyping import Float

from ...annotations import Array
from ...arguments import one_number, strategy, whole_number
from ...cosmology import Cosmology, as_cosmology
from ..branches.notes import smoothing_note
from ..branches.smoothing import AbstractSmoothing, GaussianInLogTime
from ..concentration import AbstractConcentration
from ..cosmic_times import redshifts
from ..histories import HaloHistories
from ..mergers import Mergers
from ..selection import number_to_draw, select_representative
from .drawn_curves import SNAPSHOTS, check_sampling, extrapolated, first_above, smooth_curves, times_to_root
from .formation import ZhaoFormationTime
from .main_branches import grow_main_branches
from .mass_sampling import AbstractMassSampling, UniformLogMass, check_request
from .merger_trees import UNRESOLVED
from .parkinson08 import ParkinsonColeHelly08
from .power_spectrum import LinearPower

__all__ = ["monte_carlo_trees"]

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
    times, redshift = times_to_root(times, redshift, cosmology)
    check_sampling(sampling, redshift)
    masses, weights, (tree_key,) = sampling.draw_with_keys(key, drawn, low, high, keys=1)
    raw_times = np.geomspace(0.98 * times[0], times[-1], SNAPSHOTS)
    raw_redshift = redshifts(cosmology, raw_times)[::-1]
    raw_redshift[0] = redshift
    raw = grow_main_branches(
        masses, raw_redshift, key=tree_key, resolution=resolution, lowest_ratio=lowest_ratio,
        algorithm=algorithm, power=power, cosmology=cosmology,
    )  # fmt: skip
    log_mass, log_c = smooth_curves(
        extrapolated(raw.log_mass[:, ::-1], np.log(raw_times)), raw_times, times, concentration, smoothing, cosmology,
    )  # fmt: skip
    floor = np.maximum(first_log_mvir, np.asarray(masses) + np.log10(UNRESOLVED * resolution))
    arrays = (times, log_mass, log_c, first_above(floor, log_mass, times), *_mergers(raw, raw_times))
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
