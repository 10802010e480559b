"""Monte-Carlo main branches and merger trees for any LCDM cosmology and power spectrum; nothing to download.

Trees grow backwards from halos of given mass by the algorithm of Parkinson, Cole & Helly 2008.  Main branches
follow the more massive progenitor at every split and know what merged onto them; whole trees follow all progenitors
above a mass resolution.

The rms of the density field, the collapse barrier and the split rates are differentiable functions of the cosmology.
A drawn tree is not: a halo either splits or does not, so that the derivative of one tree at fixed random numbers misses
how the probabilities change.  Differentiate means through the rates, or by finite differences of many trees.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from ...annotations import Array
from ...cosmology import Cosmology, pandya26_cosmology
from ...numerics.random_keys import random_key
from ...parameters import require_float64
from ...units import LN10
from ..trees.forests import Forest
from .parkinson08 import ParkinsonColeHelly08, SplitTables
from .power_spectrum import LinearPower, collapse_threshold

__all__ = ["UNRESOLVED", "MergerTrees", "RawMainBranches", "grow_main_branches", "grow_trees"]

_BATCH = 500  # halos grown at once, always this many so that neither number nor devices change a result
UNRESOLVED = 1.05
"""Mass over the resolution below which a branch is not followed."""

_ROWS = 256  # steps of one call of the compiled function
_SMOOTH = 1e-3  # of a halo: smaller progenitors of main branches are accreted smoothly; changes no mean or scatter
_MERGERS = 64  # most mergers kept of each branch


class RawMainBranches(NamedTuple):
    """Main branches as they were drawn, before any smoothing.

    Attributes
    ----------
    redshift : array, shape (t,), increasing
    log_mass : array, shape (n, t)
        log10 of mass [Msun]; NaN before the branch rises above its resolution.
    merger_redshift, merger_ratio : arrays, shape (n, 64)
        When other progenitors above the lowest ratio merged with the main one, and their mass over its mass then,
        the latest first; NaN where there are fewer.
    truncated : array, shape (n,)
        Number of mergers beyond the 64 that are kept.
    """

    redshift: Float[Array, " t"]
    log_mass: Float[Array, "n t"]
    merger_redshift: Float[Array, "n m"]
    merger_ratio: Float[Array, "n m"]
    truncated: Float[Array, " n"]


def grow_main_branches(
    log_mass: Sequence[float] | Float[Array, " n"],
    redshift: Sequence[float] | Float[Array, " t"],
    *,
    key: int | Array = 0,
    resolution: float = 1e-4,
    lowest_ratio: float = 0.01,
    algorithm: ParkinsonColeHelly08 | None = None,
    power: LinearPower | None = None,
    cosmology: Cosmology | None = None,
) -> RawMainBranches:
    """Draw the main branch of halos of given mass at the first redshift.

    Parameters
    ----------
    log_mass : array, shape (n,)
        log10 of mass at ``redshift[0]`` [Msun].
    redshift : array, shape (t,)
        Increasing.
    key : int or JAX key
        The same key gives the same halos.
    resolution : float
        Smallest mass followed, over the final one; smaller progenitors are accreted smoothly.
    lowest_ratio : float
        Mergers below this mass ratio are not listed.
    algorithm, power, cosmology : optional
        Default `ParkinsonColeHelly08()`, `LinearPower()`, `pandya26_cosmology()`.

    Raises
    ------
    ValueError
        A redshift list that does not increase, or a resolution outside 1e-8 to 0.3.

    Examples
    --------
    >>> branches = co.halos.grow_main_branches([12.0, 13.0], np.linspace(0.0, 2.0, 9), resolution=0.01)
    >>> branches.log_mass.shape
    (2, 9)
    """
    require_float64()
    redshift, log_mass = np.asarray(redshift, float), np.atleast_1d(np.asarray(log_mass, float))
    _check_request(log_mass, redshift, resolution)
    algorithm, tables, barriers = _prepared(algorithm, power, cosmology, redshift)
    key = random_key(key)
    smallest = min(_SMOOTH, lowest_ratio / (1.0 + lowest_ratio))
    shared = _Growth(algorithm, tables, *(jnp.float64(x) for x in (barriers[0], barriers[-1], resolution, smallest)))

    def batch(number):
        rows = np.arange(number * _BATCH, (number + 1) * _BATCH)
        masses = 10.0 ** log_mass[rows % len(log_mass)]
        steps = [array[:, rows < len(log_mass)] for array in _grown(shared, jax.random.fold_in(key, number), masses)]
        masses = masses[rows < len(log_mass)]
        return _read(steps, masses, np.asarray(barriers), resolution * masses), *_listed(steps, lowest_ratio)

    with ThreadPoolExecutor(os.cpu_count()) as threads:
        grown = list(threads.map(batch, range(-(-len(log_mass) // _BATCH))))
    history, barrier, ratio, truncated = (np.concatenate(column) for column in zip(*grown, strict=True))
    merger_redshift = np.where(np.isnan(barrier), np.nan, np.interp(barrier, np.asarray(barriers), redshift))
    return RawMainBranches(redshift, history, merger_redshift, ratio, truncated)


class _Growth(NamedTuple):
    """What all batches need: rates, the first barrier and the last, and the smallest masses followed.

    `resolution` is the smallest main progenitor over the final mass, `smallest` the smallest of the others over the
    halo at that time.
    """

    algorithm: ParkinsonColeHelly08
    tables: SplitTables
    first: Float[Array, ""]
    last: Float[Array, ""]
    resolution: Float[Array, ""]
    smallest: Float[Array, ""]


class MergerTrees(NamedTuple):
    """Whole merger trees, one row per halo and redshift, roots first.

    Attributes
    ----------
    redshift : array, shape (t,), increasing
    tree : array, shape (n,)
        Which tree a halo belongs to.
    snapshot : array, shape (n,)
        Its place in `redshift`.
    descendant : array, shape (n,)
        Row of the halo it becomes; -1 for roots.
    mass : array, shape (n,)
        Mass [Msun].

    Examples
    --------
    >>> trees = co.halos.grow_trees([12.0], np.linspace(0.0, 1.0, 3), resolution=0.1)
    >>> int(trees.tree.max()), int(np.sum(trees.descendant == -1))
    (0, 1)
    """

    redshift: Float[Array, " t"]
    tree: Int[Array, " n"]
    snapshot: Int[Array, " n"]
    descendant: Int[Array, " n"]
    mass: Float[Array, " n"]

    def forest(self) -> Forest:
        """The same trees in the form in which readers of files return theirs."""
        count = len(self.mass)
        return Forest(
            place="Monte-Carlo trees",
            name=np.arange(count),
            descendant=self.descendant,
            scale_factor=1.0 / (1.0 + self.redshift[self.snapshot]),
            mass=self.mass,
            central=np.ones(count, bool),
            preferred=np.zeros(count, bool),
            columns={},
        )


def grow_trees(
    log_mass: Sequence[float] | Float[Array, " n"],
    redshift: Sequence[float] | Float[Array, " t"],
    *,
    key: int | Array = 0,
    resolution: float = 1e-3,
    algorithm: ParkinsonColeHelly08 | None = None,
    power: LinearPower | None = None,
    cosmology: Cosmology | None = None,
) -> MergerTrees:
    """Draw whole merger trees.

    All progenitors above `resolution` times the final mass are followed, in steps that do not depend on `redshift`, and
    recorded at every redshift.

    Parameters
    ----------
    log_mass, redshift, key, resolution, algorithm, power, cosmology
        As for `grow_main_branches`.

    Raises
    ------
    ValueError
        As for `grow_main_branches`.

    Examples
    --------
    >>> trees = co.halos.grow_trees([12.0], np.linspace(0.0, 1.0, 3), resolution=0.1)
    >>> sorted(set(trees.snapshot.tolist()))
    [0, 1, 2]
    """
    require_float64()
    redshift, log_mass = np.asarray(redshift, float), np.atleast_1d(np.asarray(log_mass, float))
    _check_request(log_mass, redshift, resolution)
    algorithm, tables, barriers = _prepared(algorithm, power, cosmology, redshift)
    key = random_key(key)
    roots = 10.0**log_mass
    floors = resolution * roots
    tree, descendant, mass = [np.arange(len(roots))], [np.full(len(roots), -1)], [roots]
    first, iteration = 0, 0
    for target, earlier in zip(np.asarray(barriers)[1:], np.asarray(barriers)[:-1], strict=True):
        owner, masses = np.arange(len(mass[-1])), mass[-1]  # owner: row of this redshift's descendant
        barrier, reached_owner, reached_mass = np.full(len(masses), earlier), [], []
        while len(masses):
            draws = jax.random.fold_in(key, iteration)
            step = _padded_step(algorithm, tables, draws, masses, barrier, floors[tree[-1][owner]], target)
            iteration += 1
            barrier = barrier + step.barrier
            split = step.other > 0.0
            owner = np.concatenate([owner, owner[split]])
            masses = np.concatenate([step.mass, step.other[split]])
            barrier = np.concatenate([barrier, barrier[split]])
            alive = masses > UNRESOLVED * floors[tree[-1][owner]]
            reached = barrier >= target * (1.0 - 1e-12)
            reached_owner.append(owner[alive & reached])
            reached_mass.append(masses[alive & reached])
            owner, masses, barrier = owner[alive & ~reached], masses[alive & ~reached], barrier[alive & ~reached]
        order = np.argsort(np.concatenate(reached_owner), kind="stable") if reached_owner else np.zeros(0, int)
        if not len(order):
            break
        owner = np.concatenate(reached_owner)[order]
        tree.append(tree[-1][owner])
        descendant.append(first + owner)
        first += len(mass[-1])
        mass.append(np.concatenate(reached_mass)[order])
    snapshot = np.repeat(np.arange(len(mass)), [len(part) for part in mass])
    return MergerTrees(redshift, np.concatenate(tree), snapshot, np.concatenate(descendant), np.concatenate(mass))


def _padded_step(algorithm, tables, key, masses, barrier, floors, target):
    """One step of any number of halos, padded to a power of two so that few sizes are compiled."""
    count = len(masses)
    padding = (0, max(1 << (count - 1).bit_length(), 4096) - count)
    padded = (np.pad(values, padding, mode="edge") for values in (masses, barrier, floors))
    step = _step(algorithm, tables, key, *padded, target)
    return type(step)(*(np.asarray(values)[:count] for values in step))


@eqx.filter_jit
def _step(algorithm, tables, key, masses, barrier, floors, target):
    draws = jax.random.uniform(key, (3, len(masses)))
    return algorithm.step(tables, masses, barrier, floors, jnp.maximum(target - barrier, 1e-12), draws)


def _prepared(algorithm, power, cosmology, redshift):
    """The algorithm, its tables, and the collapse barrier at each redshift."""
    cosmology = pandya26_cosmology() if cosmology is None else cosmology
    algorithm = ParkinsonColeHelly08() if algorithm is None else algorithm
    power = LinearPower() if power is None else power
    return algorithm, *_tables(algorithm, power, cosmology, redshift)


@eqx.filter_jit
def _tables(algorithm, power, cosmology, redshift):
    return algorithm.tables(power.sigma_of_mass(cosmology)), collapse_threshold(redshift, cosmology)


def _check_request(log_mass, redshift, resolution):
    """Refuse masses, redshifts or a resolution that no tree can be grown from."""
    if redshift.ndim != 1 or len(redshift) < 2 or redshift[0] < 0.0 or not np.all(np.diff(redshift) > 0.0):
        raise ValueError("redshift: give at least two redshifts, not negative and increasing; trees grow backwards")
    if not 1e-8 <= resolution <= 0.3:
        raise ValueError(
            f"resolution: got {resolution:g}; allowed 1e-8 to 0.3, the smallest mass followed over the final mass"
        )
    if not np.all((log_mass > 6.0) & (log_mass < 16.0)) or np.min(log_mass) + np.log10(resolution) < 3.0:
        raise ValueError(
            f"log_mass: got {np.min(log_mass):g} to {np.max(log_mass):g} resolved to {resolution:g}; allowed 6 to 16, "
            "with the smallest mass followed above 10^3 Msun"
        )


def _grown(shared, key, masses):
    """Steps of one batch of halos back in time: barrier after each, and both progenitors; arrays (step, halo)."""
    count = len(masses)
    state = (jnp.asarray(masses), jnp.full(count, shared.first), jnp.zeros((), jnp.int32), jnp.ones((), bool))
    parts = []
    while state[-1]:
        state, used, steps = _grow(shared, key, jnp.asarray(masses), state)
        parts.append([np.asarray(array)[: int(used)] for array in steps])
    return [np.concatenate(column) for column in zip(*parts, strict=True)]


@eqx.filter_jit
def _grow(shared, key, roots, state):
    """The next `_ROWS` steps of one batch at most: the state after them, how many there were, and the steps."""
    floor = shared.resolution * roots

    def active(mass, barrier):
        return (barrier < shared.last) & (mass > UNRESOLVED * floor)

    def more(carry):
        _, row, (mass, barrier, *_) = carry
        return (row < _ROWS) & jnp.any(active(mass, barrier))

    def step_back(carry):
        steps, row, (mass, barrier, iteration, _) = carry
        growing = active(mass, barrier)
        draws = jax.random.uniform(jax.random.fold_in(key, iteration), (3, len(roots)))
        current = jnp.where(growing, mass, roots)
        smallest = jnp.maximum(shared.smallest * current, floor)
        most = jnp.maximum(shared.last - barrier, 1e-12)
        step = shared.algorithm.step(shared.tables, current, barrier, smallest, most, draws)
        mass = jnp.where(growing, step.mass, mass)
        barrier = jnp.where(growing, barrier + step.barrier, barrier)
        new = (barrier, mass, jnp.where(growing, step.other, 0.0))
        steps = tuple(array.at[row].set(values) for array, values in zip(steps, new, strict=True))
        return steps, row + 1, (mass, barrier, iteration + 1, jnp.ones((), bool))

    empty = tuple(jnp.zeros((_ROWS, len(roots))) for _ in range(3))
    steps, used, (mass, barrier, iteration, _) = jax.lax.while_loop(more, step_back, (empty, 0, state))
    return (mass, barrier, iteration, jnp.any(active(mass, barrier))), used, steps


def _read(steps, masses, barriers, floor):
    """log10 of mass at increasing barriers from the steps of a batch; NaN below the resolution."""
    barrier, mass, other = (np.ascontiguousarray(array.T) for array in steps)
    first = np.full((len(masses), 1), barriers[0])
    # Between two steps ln(M) is a straight line in the barrier; at a split it jumps.
    places = np.repeat(np.concatenate([first, barrier], axis=1), 2, axis=1)[:, 1:]
    ln_mass = np.empty_like(places)
    ln_mass[:, 0], ln_mass[:, 2::2] = np.log(masses), np.log(mass)
    ln_mass[:, 1::2] = np.log(mass + other)
    read = np.array([np.interp(barriers, *history) for history in zip(places, ln_mass, strict=True)]) / LN10
    return np.where(read > np.log10(UNRESOLVED * floor)[:, None], read, np.nan)


def _listed(steps, lowest_ratio):
    """Barrier and mass ratio of the mergers of each halo, the latest first, and how many were left out."""
    barrier, mass, other = (array.T for array in steps)
    ratio = other / mass
    halo, step = np.nonzero(ratio >= lowest_ratio)
    number = np.bincount(halo, minlength=len(mass))
    place = np.arange(len(halo)) - np.repeat(np.cumsum(number) - number, number)
    kept = place < _MERGERS
    mergers = np.full((2, len(mass), _MERGERS), np.nan)
    mergers[:, halo[kept], place[kept]] = barrier[halo[kept], step[kept]], ratio[halo[kept], step[kept]]
    return *mergers, np.maximum(number - _MERGERS, 0)
