"""Monte-Carlo merger trees for any LCDM cosmology and power spectrum; nothing to download.

Trees grow backwards from halos of given mass by the algorithm of Parkinson, Cole & Helly 2008.  Whole trees follow all
progenitors above a mass resolution; main branches alone are in the module `main_branches`.

The rms of the density field, the collapse barrier and the split rates are differentiable functions of the cosmology.
A drawn tree is not: a halo either splits or does not, so that the derivative of one tree at fixed random numbers misses
how the probabilities change.  Differentiate means through the rates, or by finite differences of many trees.
"""

from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from ...annotations import Array
from ...arguments import strategy
from ...cosmology import Cosmology, as_cosmology
from ...numerics.compiling import compiled
from ...numerics.random_keys import random_key
from ...parameters import require_float64
from ...printing import in_short
from ..trees.forests import Forest
from .parkinson08 import ParkinsonColeHelly08
from .power_spectrum import LinearPower, collapse_threshold

__all__ = ["UNRESOLVED", "MergerTrees", "grow_trees", "check_request", "prepared_tables"]

UNRESOLVED = 1.05
"""Mass over the resolution below which a branch is not followed."""


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

    def __repr__(self) -> str:
        return in_short(self)

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
    resolution: float | Float[Array, " n"] = 1e-3,
    algorithm: ParkinsonColeHelly08 | None = None,
    power: LinearPower | None = None,
    cosmology: Cosmology | None = None,
) -> MergerTrees:
    """Draw whole merger trees.

    All progenitors above `resolution` times the final mass are followed, in steps that do not depend on `redshift`, and
    recorded at every redshift.

    Parameters
    ----------
    log_mass, redshift, key, algorithm, power, cosmology
        As for `corundum.halos.grow_main_branches`.
    resolution : float or array, shape (n,)
        Smallest mass followed, over the final one; one for all trees, or one for each.

    Raises
    ------
    ValueError
        As for `corundum.halos.grow_main_branches`.

    Examples
    --------
    >>> trees = co.halos.grow_trees([12.0], np.linspace(0.0, 1.0, 3), resolution=0.1)
    >>> sorted(set(trees.snapshot.tolist()))
    [0, 1, 2]
    """
    require_float64()
    redshift, log_mass = np.asarray(redshift, float), np.atleast_1d(np.asarray(log_mass, float))
    check_request(log_mass, redshift, resolution)
    algorithm, tables, barriers = prepared_tables(algorithm, power, cosmology, redshift)
    key = random_key(key)
    roots = 10.0**log_mass
    floors = np.asarray(resolution) * roots
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


@compiled
def _step(algorithm, tables, key, masses, barrier, floors, target):
    draws = jax.random.uniform(key, (3, len(masses)))
    return algorithm.step(tables, masses, barrier, floors, jnp.maximum(target - barrier, 1e-12), draws)


def prepared_tables(algorithm, power, cosmology, redshift):
    """The algorithm, its tables, and the collapse barrier at each redshift."""
    cosmology = as_cosmology(cosmology)
    algorithm = strategy("algorithm", algorithm, ParkinsonColeHelly08())
    power = strategy("power", power, LinearPower())
    return algorithm, *_tables(algorithm, power, cosmology, redshift)


@compiled
def _tables(algorithm, power, cosmology, redshift):
    return algorithm.tables(power.sigma_of_mass(cosmology)), collapse_threshold(redshift, cosmology)


def check_request(log_mass, redshift, resolution):
    """Refuse masses, redshifts or a resolution that no tree can be grown from."""
    if redshift.ndim != 1 or len(redshift) < 2 or redshift[0] < 0.0 or not np.all(np.diff(redshift) > 0.0):
        raise ValueError("redshift: give at least two redshifts, not negative and increasing; trees grow backwards")
    low, high = np.min(resolution), np.max(resolution)
    if not (low >= 1e-8 and high <= 0.3):
        raise ValueError(
            f"resolution: got {low if not low >= 1e-8 else high:g}; allowed 1e-8 to 0.3, the smallest mass followed "
            "over the final mass"
        )
    if not np.all((log_mass > 6.0) & (log_mass < 16.0)) or np.min(log_mass + np.log10(resolution)) < 3.0:
        raise ValueError(
            f"log_mass: got {np.min(log_mass):g} to {np.max(log_mass):g} resolved to {low:g}; allowed 6 to 16, "
            "with the smallest mass followed above 10^3 Msun"
        )
