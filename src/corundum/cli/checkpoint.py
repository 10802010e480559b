"""Evolving a population in blocks that survive an interruption.

The halos are cut into blocks of equal size (the last one is filled up with its last halo and cut afterwards,
so that nothing compiles twice), and each finished block is written at once and in one step.  Because the cuts
depend on nothing but the run file, a run that was stopped and resumed gives the same bits as one that was
not.
"""

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import numpy as np

from ..halos import HaloHistories
from ..population import Population, evolve
from ..storage.files import atomic_path

__all__ = ["evolve_block", "evolve_in_blocks", "finished_halos"]


def evolve_block(
    model: Any, halos: HaloHistories, redshifts: tuple[float, ...], *, solver: Any, block: int, first: int
) -> Population:
    """The block of halos from row `first` on; the last one is filled up with the last halo."""
    size = min(block, len(halos))
    rows = np.minimum(np.arange(first, first + size), len(halos) - 1)
    return evolve(model, halos[rows], redshifts, solver=solver, chunk=size)


def evolve_in_blocks(
    model: Any,
    halos: HaloHistories,
    redshifts: tuple[float, ...],
    *,
    solver: Any,
    block: int,
    folder: Path,
    progress: Callable[[int], None],
    announce: Callable[[int], None],
) -> Population:
    """`corundum.population.evolve`, a block of halos at a time.

    Parameters
    ----------
    model, halos, redshifts, solver
        As for `evolve`.
    block : int
        Halos in a block.
    folder : Path
        Where finished blocks are kept; those already there are not computed again.
    progress : callable
        Called with the number of halos done.
    announce : callable
        Called with the first row of a block before it is evolved.
    """
    size = min(block, len(halos))
    template = (
        eqx.filter_eval_shape(evolve, model, halos[:1], redshifts, solver=solver) if any(_blocks(folder)) else None
    )
    parts = []
    for first in range(0, len(halos), size):
        path = folder / f"block-{first // size:05d}.npz"
        count = min(size, len(halos) - first)
        part = _read(path, template, count)
        if part is None:
            announce(first)
            solved = evolve_block(model, halos, redshifts, solver=solver, block=block, first=first)
            part = _map_halos(lambda leaf, count=count: np.asarray(leaf)[:count], solved)
            _write(path, part)
        parts.append(part)
        progress(first + count)
    return _map_halos(lambda *leaves: np.concatenate(leaves), *parts)


def finished_halos(folder: Path, block: int, total: int) -> int:
    """Halos in the blocks that are kept in `folder`."""
    return min(block * sum(1 for _ in _blocks(folder)), total)


def _blocks(folder: Path):
    return folder.glob("block-*.npz")


def _map_halos(function: Callable, *populations: Population) -> Population:
    """`function` of every array that has a row for each halo."""
    mapped = jax.tree.map(function, *populations)
    return eqx.tree_at(lambda population: population.redshifts, mapped, populations[0].redshifts)


def _named_leaves(population: Population) -> dict[str, Any]:
    paths, _ = jax.tree_util.tree_flatten_with_path(population)
    return {jax.tree_util.keystr(path): leaf for path, leaf in paths}


def _write(path: Path, population: Population) -> None:
    with atomic_path(path) as scratch, open(scratch, "wb") as file:
        np.savez(file, **{name: np.asarray(leaf) for name, leaf in _named_leaves(population).items()})


def _read(path: Path, template: Population | None, count: int) -> Population | None:
    """The block in a file, or None if it is not there or not whole."""
    if template is None or not path.exists():
        return None
    try:
        with np.load(path, allow_pickle=False) as kept:
            leaves = [kept[name] for name in _named_leaves(template)]
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        return None
    part = jax.tree.unflatten(jax.tree.structure(template), leaves)
    return part if len(part) == count else None
