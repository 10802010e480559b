"""Monte-Carlo main branches: the more massive progenitor at every split, and what merged onto it.

Branches record their steps, which end at splits, and are read at any redshifts afterwards.  Batches of equal size run
on the threads of the machine.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ...annotations import Array
from ...cosmology import Cosmology
from ...numerics.compiling import compiled
from ...numerics.random_keys import random_key
from ...parameters import require_float64
from ...units import LN10
from .merger_trees import UNRESOLVED, check_request, prepared_tables
from .parkinson08 import ParkinsonColeHelly08, SplitTables
from .power_spectrum import LinearPower

__all__ = ["RawMainBranches", "grow_main_branches"]

_BATCH = 500  # halos grown at once, always this many so that neither number nor devices change a result
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
        A redshift list that does not increase, a resolution outside 1e-8 to 0.3, or a ratio outside 0 to 1.

    Examples
    --------
    >>> branches = co.halos.grow_main_branches([12.0, 13.0], np.linspace(0.0, 2.0, 9), resolution=0.01)
    >>> branches.log_mass.shape
    (2, 9)
    """
    require_float64()
    redshift, log_mass = np.asarray(redshift, float), np.atleast_1d(np.asarray(log_mass, float))
    check_request(log_mass, redshift, resolution)
    if not 0.0 < lowest_ratio <= 1.0:
        raise ValueError(f"lowest_ratio: got {lowest_ratio:g}; allowed above 0, to 1")
    algorithm, tables, barriers = prepared_tables(algorithm, power, cosmology, redshift)
    key, barriers = random_key(key), np.asarray(barriers)
    smallest = min(_SMOOTH, lowest_ratio / (1.0 + lowest_ratio))
    shared = _Growth(algorithm, tables, *(np.asarray(x) for x in (barriers[0], barriers[-1], resolution, smallest)))

    def batch(number):
        rows = np.arange(number * _BATCH, (number + 1) * _BATCH)
        masses = 10.0 ** log_mass[rows % len(log_mass)]
        steps = [array[:, rows < len(log_mass)] for array in _grown(shared, key, number, masses)]
        masses = masses[rows < len(log_mass)]
        return _read(steps, masses, barriers, resolution * masses), *_listed(steps, lowest_ratio)

    with ThreadPoolExecutor(os.cpu_count()) as threads:
        grown = list(threads.map(batch, range(-(-len(log_mass) // _BATCH))))
    history, barrier, ratio, truncated = (np.concatenate(column) for column in zip(*grown, strict=True))
    merger_redshift = np.where(np.isnan(barrier), np.nan, np.interp(barrier, barriers, redshift))
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


def _grown(shared, key, number, masses):
    """Steps of one batch of halos back in time: barrier after each, and both progenitors; arrays (step, halo)."""
    count = len(masses)
    state = (masses, np.full(count, shared.first), np.zeros((), np.int32), np.ones((), bool))
    parts = []
    while state[-1]:
        state, used, steps = _grow(shared, key, np.asarray(number), masses, state)
        parts.append([np.asarray(array)[: int(used)] for array in steps])
    return [np.concatenate(column) for column in zip(*parts, strict=True)]


@compiled
def _grow(shared, key, number, roots, state):
    """The next `_ROWS` steps of one batch at most: the state after them, how many there were, and the steps."""
    floor, key = shared.resolution * roots, jax.random.fold_in(key, number)

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
