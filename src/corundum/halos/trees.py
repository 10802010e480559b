"""From merger-tree files to halo histories: main branches of central halos, with what merged onto them.

Files are read a few trees at a time, so that memory is bounded by the main branches and not by the forest, and
several files at once in processes of their own.  What was read, dropped and changed is counted in the provenance;
`corundum.halos.report` looks closer.
"""

import functools
import multiprocessing
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Array, Float

from ..cosmology import Cosmology
from ..parameters import require_float64
from .branches import Branch, Smoothed, smooth_branches
from .clock import ages, redshifts
from .concentration import AbstractConcentration, Diemer19
from .definitions import definition_words, virial_quantities
from .forests import Forest, main_branches
from .formats import AbstractTreeFormat
from .histories import HaloHistories
from .neighbours import nearest_heavier
from .repair import AbstractBranchRepair, RemoveExcursions
from .smoothing import AbstractMassLoss, AbstractSmoothing, GaussianInLogTime, RunningMaximum
from .tree_sources import TreeSource, find_trees

__all__ = [
    "BranchSet",
    "FileBranches",
    "read_branches",
    "read_trees",
    "smooth_trees",
    "branch_reader",
    "branches_of_file",
    "joined",
    "map_files",
]

_ASSUMED = "snapshots converted with an assumed concentration"
_CHUNK = 2_000_000  # halos of a forest in memory at once


class BranchSet(NamedTuple):
    """Main branches as a source has them, and how they were read.

    Attributes
    ----------
    branches : list of Branch
    cosmology : Cosmology
    counts : dict of str to int
        Trees seen, and those left out before any branch was looked at, by reason.
    words : dict of str to str
        Provenance.
    files : dict of str to dict
        The same counts of each file, where there are several.
    """

    branches: list[Branch]
    cosmology: Cosmology
    counts: dict[str, int]
    words: dict[str, str]
    files: dict[str, dict[str, int]]


class FileBranches(NamedTuple):
    """What one file holds.

    Attributes
    ----------
    branches : list of Branch
    counts : dict of str to int
        Of trees seen and left out.
    heavier : array, shape (k, 5)
        Comoving position [Mpc], log10 of mass [Msun] and cosmic age [Gyr] at the end of halos above the range of
        mass, which can be neighbours.
    """

    branches: list[Branch]
    counts: dict[str, int]
    heavier: Float[np.ndarray, "k 5"]


def read_trees(
    path: str | Path,
    *,
    format: AbstractTreeFormat | None = None,
    cosmology: Cosmology | None = None,
    log_mvir: tuple[float, float] = (0.0, 20.0),
    lowest_ratio: float = 0.01,
    mass_loss: AbstractMassLoss | None = None,
    smoothing: AbstractSmoothing | None = None,
    concentration: AbstractConcentration | None = None,
    repairs: Sequence[AbstractBranchRepair] | None = None,
    times: Float[Array, " t"] | None = None,
    workers: int = 1,
) -> HaloHistories:
    """Halo histories of the central halos of merger trees.

    Parameters
    ----------
    path : path
        A file, or a directory with all files of a forest.
    format : AbstractTreeFormat, optional
        Default: told from the content.
    cosmology : Cosmology, optional
        Default: what the files state, else `pandya26_cosmology()`; in words in the provenance.
    log_mvir : (float, float)
        Range of log10 of virial mass [Msun] at the end of a branch; others are left out.
    lowest_ratio : float
        Mergers below this mass ratio are not listed.
    mass_loss, smoothing, concentration : optional
        As in `read_table`.
    repairs : sequence of AbstractBranchRepair, optional
        Default `RemoveExcursions()`; add a `ResolutionFloor` for the particle mass of the simulation.
    times : array, shape (t,), optional
        Cosmic ages [Gyr] of the histories; default 128, uniform in ln(t), from first to last snapshot.
    workers : int
        Processes that read files at the same time.

    Raises
    ------
    ValueError
        A file cannot be read or is no tree, files disagree, or no halo is left; the message names file and place.
    """
    read = read_branches(
        path, format=format, cosmology=cosmology, log_mvir=log_mvir, lowest_ratio=lowest_ratio,
        concentration=concentration, workers=workers,
    )  # fmt: skip
    return smooth_trees(
        read, mass_loss=mass_loss, smoothing=smoothing, concentration=concentration, repairs=repairs, times=times
    ).halos


def smooth_trees(
    read: BranchSet,
    *,
    mass_loss: AbstractMassLoss | None = None,
    smoothing: AbstractSmoothing | None = None,
    concentration: AbstractConcentration | None = None,
    repairs: Sequence[AbstractBranchRepair] | None = None,
    times: Float[Array, " t"] | None = None,
) -> Smoothed:
    """Histories of branches read before, with what became of each branch; parameters as for `read_trees`."""
    if not read.branches:
        told = ", ".join(f"{count} {reason}" for reason, count in read.counts.items())
        raise ValueError(f"{read.words['source']}: no central halo is left ({told}); widen the mass range")
    return smooth_branches(
        read.branches,
        cosmology=read.cosmology,
        concentration=Diemer19() if concentration is None else concentration,
        mass_loss=RunningMaximum() if mass_loss is None else mass_loss,
        smoothing=GaussianInLogTime() if smoothing is None else smoothing,
        repairs=(RemoveExcursions(),) if repairs is None else tuple(repairs),
        times=times,
        drop_bad=True,
        provenance=read.words,
    )


def read_branches(
    path: str | Path,
    *,
    format: AbstractTreeFormat | None = None,
    cosmology: Cosmology | None = None,
    log_mvir: tuple[float, float] = (0.0, 20.0),
    lowest_ratio: float = 0.01,
    concentration: AbstractConcentration | None = None,
    workers: int = 1,
    chunk: int = _CHUNK,
    progress: Callable[[int, int], None] | None = None,
) -> BranchSet:
    """Main branches of merger trees before any repair or smoothing; parameters as for `read_trees`.

    Parameters
    ----------
    chunk : int
        Halos of a forest in memory at once.
    progress : callable, optional
        Called as ``progress(files done, files)``.
    """
    require_float64()
    source = find_trees(path, format, cosmology)
    read = branch_reader(source, log_mvir, lowest_ratio, concentration, chunk)
    parts = []
    for part in map_files(read, source.files, workers):
        parts.append(part)
        if progress is not None:
            progress(len(parts), len(source.files))
    return joined(parts, source)


def branch_reader(
    source: TreeSource,
    log_mvir: tuple[float, float],
    lowest_ratio: float,
    concentration: AbstractConcentration | None,
    chunk: int = _CHUNK,
) -> Callable[[Path], FileBranches]:
    """`branches_of_file` for any file of a source; its keywords are all that its answer depends on."""
    relation = Diemer19() if concentration is None else concentration
    return functools.partial(
        branches_of_file, form=source.form, definition=source.simulation.definition, cosmology=source.cosmology,
        log_mvir=tuple(log_mvir), lowest_ratio=lowest_ratio, relation=relation, chunk=chunk,
    )  # fmt: skip


def branches_of_file(
    file: Path,
    *,
    form: AbstractTreeFormat,
    definition: str,
    cosmology: Cosmology,
    log_mvir: tuple[float, float],
    lowest_ratio: float,
    relation: AbstractConcentration,
    chunk: int = _CHUNK,
) -> FileBranches:
    """Main branches of one file, and counts of what was seen and left out."""
    require_float64()
    branches, total, heavier = [], {}, [np.zeros((0, 5))]
    for forest in form.forests(file, float(cosmology.h), chunk):
        made = _branches_of_forest(forest, definition, cosmology, log_mvir, lowest_ratio, relation)
        branches += made.branches
        heavier.append(made.heavier)
        total = _added(total, made.counts)
    return FileBranches(branches, total, np.concatenate(heavier))


def _branches_of_forest(forest: Forest, definition, cosmology, log_mvir, lowest_ratio, relation):
    main = main_branches(forest, lowest_ratio=lowest_ratio)
    ends = int(np.sum(forest.descendant == -1))
    known = np.isfinite(forest.mass[main.row])
    branch, row = main.branch[known], main.row[known]
    # The end of a branch decides whether it is wanted, before anything else is computed for it.
    final = np.full(len(main.roots), -np.inf)
    final[branch] = np.log10(forest.mass[row])  # in time order: the last one stays
    wanted = (final >= log_mvir[0]) & (final <= log_mvir[1])
    keep = wanted[branch]
    branch, row = branch[keep], row[keep]
    numbers = {name: values[row] for name, values in forest.columns.items()}
    redshift = 1.0 / forest.scale_factor[row] - 1.0
    made = virial_quantities(numbers, forest.mass[row], redshift, definition, cosmology, relation, forest.place)
    age, merger_age = (ages(cosmology, 1.0 / scale - 1.0) for scale in (forest.scale_factor[row], main.merger_scale))
    order = np.argsort(main.merger_branch, kind="stable")
    numbers_of = np.searchsorted(main.merger_branch[order], np.arange(len(main.roots) + 1))
    first = np.searchsorted(branch, np.arange(len(main.roots) + 1))
    branches = []
    for number in np.flatnonzero(wanted):
        part, merged = slice(first[number], first[number + 1]), order[numbers_of[number] : numbers_of[number + 1]]
        branches.append(
            Branch(
                str(forest.name[main.roots[number]]),
                age[part],
                made.log_mvir[part],
                made.log_concentration[part],
                None if made.log_radius_ratio is None else made.log_radius_ratio[part],
                1.0,
                np.stack([merger_age[merged], main.merger_ratio[merged]]),
                position=None if forest.position is None else forest.position[main.roots[number]],
            )
        )
    heavier = np.zeros((0, 5))
    if forest.position is not None:
        above = np.flatnonzero(final > log_mvir[1])
        roots = main.roots[above]
        when = ages(cosmology, 1.0 / forest.scale_factor[roots] - 1.0)
        heavier = np.column_stack([forest.position[roots], final[above], when])
    counts = {
        "trees": ends,
        "that end in a satellite": ends - len(main.roots),
        "outside the range of mass": int(np.sum(~wanted)),
        "snapshots without a mass of their own": int(np.sum(~known)),
        _ASSUMED: made.assumed,
    }
    return FileBranches(branches, counts, heavier)


def joined(parts: Iterable[FileBranches], source: TreeSource) -> BranchSet:
    """The branches of all files, with how far each is from a heavier one, and their provenance."""
    branches: list[Branch] = []
    counts: dict[str, int] = {}
    of_file: dict[str, dict[str, int]] = {}
    heavier = [np.zeros((0, 5))]
    simulation, files = source.simulation, source.files
    several = len(files) > 1
    for file, part in zip(files, parts, strict=True):
        branches += [branch._replace(file=file.name) for branch in part.branches] if several else part.branches
        heavier.append(part.heavier)
        counts = _added(counts, part.counts)
        if several:
            of_file[file.name] = {name: count for name, count in part.counts.items() if name != _ASSUMED}
    branches = _with_separations(branches, np.concatenate(heavier), source.cosmology, simulation.box)
    assumed = counts.pop(_ASSUMED, 0)
    left_out = ", ".join(f"{count} {reason}" for reason, count in counts.items() if count)
    words = {
        "source": f"{type(source.form).__name__} {source.path.name}, {len(files)} file{'s' * (len(files) > 1)}",
        "columns": simulation.words,
        "cosmology": source.said,
        "mass definition": definition_words(simulation.definition, assumed, Diemer19()),
        "trees": left_out or "0 trees",
        "mergers": "largest mass so far over that of the main progenitor, when last seen apart",
    }
    if branches and branches[0].separation is not None:
        period = "not periodic" if simulation.box is None else f"periodic over {simulation.box:g} comoving Mpc"
        words["separation"] = f"from the positions of all central halos that were read, {period}"
    return BranchSet(branches, source.cosmology, counts, words, of_file)


def _added(one: dict[str, int], other: dict[str, int]) -> dict[str, int]:
    return {name: one.get(name, 0) + other.get(name, 0) for name in {**one, **other}}


def _with_separations(branches, heavier, cosmology, box) -> list[Branch]:
    """Branches that know how far from a heavier halo they end; as they are where the source has no positions."""
    if not branches or any(branch.position is None for branch in branches):
        return branches
    ends = np.concatenate([[branch.time[-1] for branch in branches], heavier[:, 4]])
    position = np.concatenate([[branch.position for branch in branches], heavier[:, :3]])
    log_mvir = np.concatenate([[branch.log_mvir[-1] for branch in branches], heavier[:, 3]])
    last = float(ends.max())
    position = np.where((ends >= last * (1.0 - 1e-6))[:, None], position, np.nan)  # others are somewhere else by now
    redshift = max(float(redshifts(cosmology, np.array([last]))[0]), 0.0)
    found = nearest_heavier(position, log_mvir, redshift, cosmology, box)
    return [branch._replace(separation=float(value)) for branch, value in zip(branches, found, strict=False)]


def map_files(function: Callable, files: Sequence, workers: int) -> Iterable:
    """``function`` of each file in order, `workers` of them at a time in processes of their own.

    Raises
    ------
    ValueError
        At once, if there are no workers.
    """
    if workers < 1:
        raise ValueError(f"workers: got {workers}; allowed a positive number of processes")
    return _mapped(function, files, workers)


def _mapped(function, files, workers):
    if workers == 1 or len(files) == 1:
        yield from map(function, files)
        return
    # JAX runs threads, which do not survive a fork; a fresh process starts clean.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(workers, len(files)), context) as pool:
        yield from pool.map(functools.partial(_in_double_precision, function), files)


def _in_double_precision(function, file):
    """A fresh process has the settings of JAX, not those of the one that started it."""
    with jax.enable_x64(True):
        return function(file)
