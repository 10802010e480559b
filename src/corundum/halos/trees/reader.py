"""From merger-tree files to halo histories: main branches of central halos, with what merged onto them.

Files are read a few trees at a time, so that memory is bounded by the main branches and not by the forest, and
several files at once in processes of their own.  What was read, dropped and changed is counted in the provenance;
`corundum.halos.report` looks closer.
"""

import functools
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Array, Float

from ...cosmology import Cosmology
from ...parameters import require_float64
from ..branches.branch import Branch, Smoothed, smooth_branches
from ..branches.repair import AbstractBranchRepair, RemoveExcursions
from ..branches.smoothing import AbstractMassLoss, AbstractSmoothing, GaussianInLogTime, RunningMaximum
from ..concentration import AbstractConcentration, Diemer19
from ..cosmic_times import ages
from ..definitions import virial_quantities
from ..histories import HaloHistories
from .branch_sets import ASSUMED, BranchSet, FileBranches, added_counts, joined
from .file_workers import map_files
from .forests import Forest, main_branches
from .formats import AbstractTreeFormat
from .sources import TreeSource, find_trees

__all__ = [
    "read_branches",
    "read_trees",
    "smooth_trees",
    "branch_reader",
    "branches_of_file",
]

_CHUNK = 2_000_000  # halos of a forest in memory at once


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
        total = added_counts(total, made.counts)
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
        ASSUMED: made.assumed,
    }
    return FileBranches(branches, counts, heavier)
