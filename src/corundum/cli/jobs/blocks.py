"""Evolving a population in blocks of halos, each of which is kept as soon as it is finished.

The halos are cut into blocks of equal size.  The last one is filled up with its last halo and cut afterwards, so that
one compiled program serves all.  The cuts depend on the run file alone, so that a run that was stopped and resumed
gives the same bits as one that was not.  Whole merger trees are one block.
"""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import numpy as np

from ...halos import HaloHistories
from ...population import Population, evolve
from ...storage.checkpoints import CheckpointFolder

__all__ = ["evolve_block", "evolve_few", "evolve_in_blocks", "finished_halos"]


def evolve_block(
    model: Any,
    halos: HaloHistories,
    redshifts: tuple[float, ...],
    *,
    histories: tuple[str, ...] = (),
    solver: Any,
    block: int,
    first: int,
) -> Population:
    """The galaxies of the block of halos from row `first` on; the last block is filled up with the last halo."""
    size = min(block, len(halos))
    rows = np.minimum(np.arange(first, first + size), len(halos) - 1)
    return evolve(model, halos[rows], redshifts, histories=histories, solver=solver, chunk=size)


def evolve_in_blocks(
    model: Any,
    halos: HaloHistories,
    redshifts: tuple[float, ...],
    *,
    histories: tuple[str, ...] = (),
    solver: Any,
    block: int,
    store: CheckpointFolder,
    progress: Callable[[int], None],
    announce: Callable[[int], None],
) -> Population:
    """`corundum.population.evolve`, a block of halos at a time.

    Whole merger trees are evolved at once, because a satellite needs its host, and are not kept.

    Parameters
    ----------
    model, halos, redshifts, histories, solver
        As for `evolve`.
    block : int
        Number of halos in a block.
    store : CheckpointFolder
        Where finished blocks are kept; those it holds are not computed again.
    progress : callable
        Called with the number of halos done.
    announce : callable
        Called with the first row of a block before it is evolved.
    """
    if halos.satellites is not None:
        population = jax.tree.map(np.asarray, evolve(model, halos, redshifts, histories=histories, solver=solver))
        progress(len(halos))
        return population
    size = min(block, len(halos))
    template = None
    if store.numbers():
        template = eqx.filter_eval_shape(evolve, model, halos[:1], redshifts, histories=histories, solver=solver)
    finished = []
    for first in range(0, len(halos), size):
        number, count = first // size, min(size, len(halos) - first)
        galaxies = None if template is None else _restored(store.load(number), template, count)
        if galaxies is None:
            announce(first)
            options = dict(histories=histories, solver=solver, block=block, first=first)
            solved = evolve_block(model, halos, redshifts, **options)
            galaxies = _map_halos(lambda leaf, count=count: np.asarray(leaf)[:count], solved)
            store.save(number, {name: np.asarray(leaf) for name, leaf in _named_leaves(galaxies).items()})
        finished.append(galaxies)
        progress(first + count)
    return _map_halos(lambda *leaves: np.concatenate(leaves), *finished)


def evolve_few(
    model: Any,
    halos: HaloHistories,
    redshifts: np.ndarray,
    *,
    histories: tuple[str, ...] = (),
    solver: Any,
    size: int,
    together: int,
) -> Population:
    """The galaxies of a few halos at many redshifts, by the program that has evolved a whole population.

    Every few redshifts are another solve, which takes milliseconds; another program would take seconds to compile.

    Parameters
    ----------
    size, together : int
        Numbers of halos and of redshifts of that population.
    """
    count, number = len(halos), len(redshifts)
    rows = np.arange(max(size, count))
    filled = halos[np.minimum(rows, count - 1)]
    # A halo that ends before it starts has no galaxy, and costs nothing.
    ends = np.where(rows < count, np.asarray(filled.end), -np.inf)
    filled = eqx.tree_at(lambda halos: halos.end, filled, ends)
    parts = []
    for first in range(0, number, together):
        places = np.minimum(np.arange(first, first + together), number - 1)
        part = evolve(model, filled, redshifts[places], histories=histories, solver=solver, chunk=len(rows))[:count]
        parts.append(jax.tree.map(np.asarray, eqx.tree_at(_kept_histories, part, None, is_leaf=lambda x: x is None)))
    at_times = ("redshifts", "halo", "state", "flows", "diagnostics", "valid")
    joined = [
        jax.tree.map(lambda *leaves: np.concatenate(leaves, axis=-1)[..., :number], *(getattr(p, name) for p in parts))
        for name in at_times
    ]
    whole = eqx.tree_at(lambda p: [getattr(p, name) for name in at_times], parts[0], joined)
    # A galaxy that one of the solves has given up is not solved; the steps of all of them were taken.
    status = np.max([part.status for part in parts], axis=0)
    steps, rejected = (np.sum([getattr(part, name) for part in parts], axis=0) for name in ("steps", "rejected"))
    return eqx.tree_at(lambda p: (p.status, p.steps, p.rejected), whole, (status, steps, rejected))


def _kept_histories(population: Population) -> Any:
    return population.histories


def finished_halos(store: CheckpointFolder, block: int, total: int) -> int:
    """How many of `total` halos are in the blocks that are kept."""
    return min(block * len(store.numbers()), total)


def _map_halos(function: Callable, *populations: Population) -> Population:
    """`function` of every array that has a row for each halo."""
    mapped = jax.tree.map(lambda *leaves: function(*leaves) if np.ndim(leaves[0]) else leaves[0], *populations)
    return eqx.tree_at(_shared_by_halos, mapped, _shared_by_halos(populations[0]))


def _shared_by_halos(population: Population) -> tuple[Any, ...]:
    histories = population.histories
    return (population.redshifts, *(() if histories is None else (histories.times, histories.ages)))


def _named_leaves(population: Population) -> dict[str, Any]:
    paths, _ = jax.tree_util.tree_flatten_with_path(population)
    return {jax.tree_util.keystr(path): leaf for path, leaf in paths}


def _restored(arrays: dict[str, np.ndarray] | None, template: Population, count: int) -> Population | None:
    """The population of a block that was kept; None where it was not, or where it is none of these galaxies."""
    names = list(_named_leaves(template))
    if arrays is None or set(arrays) != set(names):
        return None
    population = jax.tree.unflatten(jax.tree.structure(template), [arrays[name] for name in names])
    return population if len(population) == count else None
