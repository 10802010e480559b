"""Main branches of one file of merger trees, with virial masses and concentrations, and what merged onto them."""

from pathlib import Path

import numpy as np
from jaxtyping import Float

from ...cosmology import Cosmology
from ...parameters import require_float64
from ..branches.branch import Branch
from ..concentration import AbstractConcentration
from ..cosmic_times import ages
from ..definitions import VirialQuantities, virial_quantities
from .branch_sets import ASSUMED_CONCENTRATIONS, FileBranches, add_counts
from .forests import NONE, Forest, MainBranches, main_branches
from .formats import AbstractTreeFormat

__all__ = ["CHUNK", "branches_of_file"]

CHUNK = 2_000_000
"""Halos of a forest that are in memory at once."""


def branches_of_file(
    file: Path,
    *,
    tree_format: AbstractTreeFormat,
    definition: str,
    cosmology: Cosmology,
    log_mvir: tuple[float, float],
    lowest_ratio: float,
    relation: AbstractConcentration,
    chunk: int = CHUNK,
) -> FileBranches:
    """Main branches of one file, and counts of trees in it and of those left out.

    Parameters
    ----------
    file : Path
        One of the files of the source.
    tree_format : AbstractTreeFormat
    definition : str
        Definition of the masses (`corundum.halos.nfw.reference_density`).
    cosmology, log_mvir, lowest_ratio, chunk
        As for `read_branches`.
    relation : AbstractConcentration
        Assumed where the conversion of a mass needs a concentration and the source has none.
    """
    require_float64()
    branches: list[Branch] = []
    counts: dict[str, int] = {}
    heavier = [np.zeros((0, 5))]
    # The numbers of a damaged file may overflow when their unit changes, and a redshift of -1 has no scale factor; what
    # no halo has is refused or left out later.
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        for forest in tree_format.forests(file, float(cosmology.h), chunk):
            if not len(forest.name):  # trees without halos, as in files of empty parts of a box
                continue
            part = _branches_of_forest(forest, definition, cosmology, log_mvir, lowest_ratio, relation)
            branches += part.branches
            heavier.append(part.heavier)
            counts = add_counts(counts, part.counts)
    return FileBranches(branches, counts, np.concatenate(heavier))


def _branches_of_forest(
    forest: Forest,
    definition: str,
    cosmology: Cosmology,
    log_mvir: tuple[float, float],
    lowest_ratio: float,
    relation: AbstractConcentration,
) -> FileBranches:
    main = main_branches(forest, lowest_ratio=lowest_ratio)
    has_mass = np.isfinite(forest.mass[main.row])
    branch, row = main.branch[has_mass], main.row[has_mass]
    # The end of a branch decides whether it is kept, before anything else is computed for it.
    final_log_mass = np.full(len(main.roots), -np.inf)
    final_log_mass[branch] = np.log10(forest.mass[row])  # rows are in the order of time, so that the last one remains
    in_range = (final_log_mass >= log_mvir[0]) & (final_log_mass <= log_mvir[1])
    keep = in_range[branch]
    branch, row = branch[keep], row[keep]
    numbers = {name: values[row] for name, values in forest.columns.items()}
    redshift = 1.0 / forest.scale_factor[row] - 1.0
    virial = virial_quantities(numbers, forest.mass[row], redshift, definition, cosmology, relation, forest.place)
    trees = int(np.sum(forest.descendant == NONE))
    counts = {
        "trees": trees,
        "that end in a satellite": trees - len(main.roots),
        "outside the range of mass": int(np.sum(~in_range)),
        "snapshots without a mass of their own": int(np.sum(~has_mass)),
        ASSUMED_CONCENTRATIONS: virial.assumed,
    }
    return FileBranches(
        _split_branches(forest, main, np.flatnonzero(in_range), branch, row, virial, cosmology),
        counts,
        _heavier_halos(forest, main.roots, final_log_mass, log_mvir[1], cosmology),
    )


def _split_branches(
    forest: Forest,
    main: MainBranches,
    kept: np.ndarray,
    branch: np.ndarray,
    row: np.ndarray,
    virial: VirialQuantities,
    cosmology: Cosmology,
) -> list[Branch]:
    """One `Branch` for each of the `kept` ones, whose rows and quantities are in the order of `branch`."""
    age = ages(cosmology, 1.0 / forest.scale_factor[row] - 1.0)
    merger_age = ages(cosmology, 1.0 / main.merger_scale - 1.0)
    edges = np.arange(len(main.roots) + 1)
    merger_order = np.argsort(main.merger_branch, kind="stable")
    first_merger = np.searchsorted(main.merger_branch[merger_order], edges)
    first_row = np.searchsorted(branch, edges)
    branches = []
    for number in kept:
        rows = slice(first_row[number], first_row[number + 1])
        mergers = merger_order[first_merger[number] : first_merger[number + 1]]
        root = main.roots[number]
        branches.append(
            Branch(
                name=str(forest.name[root]),
                time=age[rows],
                log_mvir=virial.log_mvir[rows],
                log_concentration=virial.log_concentration[rows],
                log_radius_ratio=None if virial.log_radius_ratio is None else virial.log_radius_ratio[rows],
                mergers=np.stack([merger_age[mergers], main.merger_ratio[mergers]]),
                position=None if forest.position is None else forest.position[root],
            )
        )
    return branches


def _heavier_halos(
    forest: Forest, roots: np.ndarray, final_log_mass: np.ndarray, highest: float, cosmology: Cosmology
) -> Float[np.ndarray, "k 5"]:
    """Position, log10 of mass and cosmic age of the last halos above the range of masses (see `FileBranches`)."""
    if forest.position is None:
        return np.zeros((0, 5))
    above = np.flatnonzero(final_log_mass > highest)
    age = ages(cosmology, 1.0 / forest.scale_factor[roots[above]] - 1.0)
    return np.column_stack([forest.position[roots[above]], final_log_mass[above], age])
