"""Halo histories with all of their satellites, from whole Monte-Carlo merger trees.

`monte_carlo_forest` follows the main branch of every tree and every other branch that was heavy enough when it fell
in: each is a halo of its own until then, and a satellite of the branch that it joined from then on.
"""

from collections.abc import Sequence
from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Float, Int

from ...annotations import Array
from ...arguments import one_number, strategy, whole_number
from ...cosmology import Cosmology, as_cosmology
from ..branches.notes import smoothing_note
from ..branches.smoothing import AbstractSmoothing, GaussianInLogTime
from ..concentration import AbstractConcentration
from ..cosmic_times import redshifts
from ..histories import HaloHistories
from ..satellites.frozen import frozen_structure
from ..satellites.record import Satellites
from .drawn_curves import SNAPSHOTS, check_sampling, extrapolated, first_above, smooth_curves, times_to_root
from .formation import ZhaoFormationTime
from .mass_sampling import AbstractMassSampling, UniformLogMass, check_request
from .merger_trees import MergerTrees, grow_trees
from .parkinson08 import ParkinsonColeHelly08
from .power_spectrum import LinearPower

__all__ = ["monte_carlo_forest"]

_MASSES = (9.0, 15.5)  # log10 of mass [Msun] at the end for which forests are drawn
_DEPTH = 3.0  # trees are grown to masses this many times smaller than satellites, so that these have a past
_COARSEST = 0.01  # of the final mass, to which main branches are followed at least
_ALONE = 0.1  # in ln(t), the least time that a halo is a central before it falls in
_EARLIEST = 12.0  # last age over that of the first infall: what fell in before counts as smooth growth
_SLOPES = (0.3, 2.0)  # d log10(M) / d ln(t) before a branch is resolved


def monte_carlo_forest(
    n: int,
    *,
    log_mvir: tuple[float, float] = (10.0, 12.1),
    smallest: float = 1e-3,
    smallest_log_mvir: float = 10.0,
    redshift: float | None = None,
    key: int | Array = 0,
    sampling: AbstractMassSampling | None = None,
    algorithm: ParkinsonColeHelly08 | None = None,
    power: LinearPower | None = None,
    concentration: ZhaoFormationTime | AbstractConcentration | None = None,
    smoothing: AbstractSmoothing | None = None,
    cosmology: Cosmology | None = None,
    times: Sequence[float] | Float[Array, " t"] | None = None,
    first_log_mvir: float = 8.0,
    latent: int = 0,
) -> HaloHistories:
    """Draw `n` merger trees and follow every halo that fell into them.

    A tree has about 0.11 / mu halos above the share mu of its final mass when they fell in, of any final mass; a little
    less than half of them fell into the main branch, and the others came with a satellite.  Halos that fell in before a
    twelfth of the last age (z = 5 for trees of today), one in a hundred, count as smooth growth.

    Parameters
    ----------
    n : int
        Number of trees.
    log_mvir : (float, float)
        Range of log10 of final virial mass [Msun], within 9 and 15.5.
    smallest : float
        Least mass of satellites at infall over the final mass of the tree, 1e-6 to 0.3.
    smallest_log_mvir : float
        Least log10 of their mass [Msun]; of the two, the larger mass counts.
    redshift, key, sampling, algorithm, power, concentration, smoothing, cosmology, times, first_log_mvir
        As for `monte_carlo_trees`.
    latent : int
        Standard normal numbers drawn for every halo.

    Returns
    -------
    HaloHistories
        Tree after tree, centrals first, with `satellites`.  Virial radii are those of Bryan & Norman 1998 until infall;
        radius, concentration and mass then stay as they are.

    Raises
    ------
    ValueError
        An argument is impossible; the sentence names it and says what is allowed.

    Examples
    --------
    >>> forest = co.halos.monte_carlo_forest(2, log_mvir=(12.0, 12.0), smallest=0.1)
    >>> int(np.sum(forest.host < 0)), len(forest) > 2
    (2, True)
    """
    n = whole_number("n", n, meaning="trees")
    latent = whole_number("latent", latent, least=0, meaning="numbers")
    low, high = check_request(log_mvir, first_log_mvir, _MASSES)
    smallest = one_number("smallest", smallest, meaning="a share of the final mass")
    if not 1e-6 <= smallest <= 0.3:
        raise ValueError(
            f"smallest: got {smallest:g}; allowed 1e-6 to 0.3, the least mass of satellites over the final"
        )
    redshift = None if redshift is None else one_number("redshift", redshift, meaning="one redshift, 0 to 12")
    cosmology = as_cosmology(cosmology)
    smoothing = strategy("smoothing", smoothing, GaussianInLogTime())
    concentration = strategy("concentration", concentration, ZhaoFormationTime(), also=(AbstractConcentration,))
    sampling = strategy("sampling", sampling, UniformLogMass())
    times, redshift = times_to_root(times, redshift, cosmology)
    check_sampling(sampling, redshift)
    masses, weights, (tree_key,) = sampling.draw_with_keys(key, n, low, high, keys=1)
    masses, weights = np.asarray(masses), np.asarray(weights)
    raw_times = np.geomspace(0.98 * times[0], times[-1], SNAPSHOTS)
    raw_redshift = redshifts(cosmology, raw_times)[::-1]
    raw_redshift[0] = redshift
    least = np.maximum(smallest * 10.0**masses, 10.0**smallest_log_mvir)
    resolution = np.minimum(least / 10.0**masses / _DEPTH, _COARSEST)
    trees = grow_trees(
        masses, raw_redshift, key=tree_key, resolution=resolution, algorithm=algorithm, power=power, cosmology=cosmology
    )
    draws = np.random.default_rng(np.asarray(jax.random.key_data(jax.random.fold_in(tree_key, 1))).ravel())
    halos = _heavy_enough(_halos_of(trees, raw_times, draws), least, times)
    ln_raw = np.log(raw_times)
    raw_mass = extrapolated(halos.log_mass, ln_raw, slopes=_SLOPES)
    log_mass, log_c = smooth_curves(raw_mass, raw_times, times, concentration, smoothing, cosmology)
    log_rvir, log_c = frozen_structure(log_mass, log_c, halos.infall, np.asarray(times), cosmology)
    floor = np.maximum(first_log_mvir, masses + np.log10(resolution))[halos.tree]
    start = np.maximum(np.minimum(first_above(floor, log_mass, times), halos.infall * np.exp(-_ALONE)), times[0])
    numbers = draws.normal(size=(len(start), latent)) if latent else None
    arrays = jax.device_put((times, log_mass, log_c, start, weights[halos.tree], log_rvir, halos.host))
    time, log_mass, log_c, start, weights, log_rvir, host = arrays
    return HaloHistories(
        time,
        log_mass,
        log_c,
        start=start,
        weights=weights,
        log_rvir=log_rvir,
        host=host,
        satellites=Satellites(halos.infall, halos.ratio, latent=numbers),
        cosmology=cosmology,
        provenance={
            "source": f"Monte-Carlo merger trees of {n} halos with satellites, algorithm of Parkinson, Cole & Helly "
            "2008, transfer function of Eisenstein & Hu 1998",
            "masses": f"log10 Mvir at z = {redshift:g} from {low:g} to {high:g}, {type(sampling).__name__}",
            "satellites": f"{len(start) - n} halos that fell in with more than {smallest:g} of the final mass and more "
            f"than 10^{smallest_log_mvir:g} Msun",
            "radius": "Bryan & Norman 1998 until infall",
            "smoothing": smoothing_note(smoothing),
            "concentrations": type(concentration).__name__ + ", until infall",
            "start": f"when a halo reaches 10^{first_log_mvir:g} Msun or the resolution, or at the first time",
        },
    )


class _Halos(NamedTuple):
    """The branches of some trees, B of them, at S snapshots, the earliest first."""

    tree: Int[np.ndarray, " b"]
    host: Int[np.ndarray, " b"]
    infall: Float[np.ndarray, " b"]  # [Gyr], infinite for main branches
    ratio: Float[np.ndarray, " b"]
    log_mass: Float[np.ndarray, "b s"]  # NaN before a branch is resolved, and the last mass after infall


def _halos_of(trees: MergerTrees, raw_times, draws) -> _Halos:
    """Every branch: a halo and its most massive progenitors, with the branch that it joins as its host."""
    nodes = len(trees.mass)
    linked = np.flatnonzero(trees.descendant >= 0)
    order = linked[np.lexsort((trees.mass[linked], trees.descendant[linked]))]
    main = np.full(nodes, -1)
    main[trees.descendant[order]] = order  # of several assignments to a row, the last one remains
    is_main = np.zeros(nodes, bool)
    is_main[main[main >= 0]] = True
    last = np.flatnonzero(~is_main)  # the last node of every branch
    branch = np.full(nodes, -1)
    branch[last] = np.arange(len(last))
    for nodes_then in np.split(np.arange(nodes), np.flatnonzero(np.diff(trees.snapshot)) + 1):  # the latest first
        inner = nodes_then[is_main[nodes_then]]
        branch[inner] = branch[trees.descendant[inner]]
    snapshots = len(raw_times)
    log_mass = np.full((len(last), snapshots), np.nan)
    place = snapshots - 1 - trees.snapshot
    log_mass[branch, place] = np.log10(trees.mass)
    into, seen = trees.descendant[last], place[last]
    falls_in = into >= 0
    host = np.where(falls_in, branch[into], -1)
    # The split lies somewhere between the last snapshot of a branch and the next one.
    part, ln_raw = draws.uniform(size=len(last)), np.log(raw_times)
    later = np.minimum(seen + 1, snapshots - 1)
    infall = np.where(falls_in, np.exp(ln_raw[seen] + part * (ln_raw[later] - ln_raw[seen])), np.inf)
    frozen = np.where(np.arange(snapshots) > seen[:, None], log_mass[np.arange(len(last)), seen][:, None], log_mass)
    beside = np.where(falls_in, main[into], 0)
    ratio = np.where(falls_in, trees.mass[last] / trees.mass[beside], np.nan)
    return _Halos(trees.tree[last], host, infall, ratio, frozen)


def _heavy_enough(halos, least, times) -> _Halos:
    """Main branches, and satellites above the least mass of their tree, tree after tree and centrals first."""
    earliest = max(times[0] * np.exp(2.0 * _ALONE), times[-1] / _EARLIEST)
    kept = np.isinf(halos.infall) | ((halos.log_mass[:, -1] >= np.log10(least[halos.tree])) & (halos.infall > earliest))
    # What came with a satellite that is left out is left out: it is lighter still, or fell in earlier.
    while np.any(lost := kept & (halos.host >= 0) & ~kept[halos.host]):
        kept &= ~lost
    rows = np.flatnonzero(kept)
    rows = rows[np.lexsort((-halos.infall[rows], halos.tree[rows]))]
    place = np.full(len(kept) + 1, -1)
    place[rows] = np.arange(len(rows))
    chosen = _Halos(*(values[rows] for values in halos))
    return chosen._replace(host=place[chosen.host])
