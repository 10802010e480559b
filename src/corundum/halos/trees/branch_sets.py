"""The main branches of one file, and of all files of a source together."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from ...cosmology import Cosmology
from ..branches.branch import Branch
from ..concentration import Diemer19
from ..cosmic_times import redshifts
from ..definitions import definition_note
from .neighbours import nearest_heavier
from .sources import TreeSource

__all__ = [
    "ASSUMED_CONCENTRATIONS", "BranchSet", "FileBranches", "add_counts", "combine_files", "in_one_sentence",
    "provenance_of",
]  # fmt: skip

ASSUMED_CONCENTRATIONS = "snapshots converted with an assumed concentration"
"""Name of the count that ends in the provenance of the mass definition."""

_LAST_TIME_TOLERANCE = 1e-6  # relative


class BranchSet(NamedTuple):
    """Main branches as a source has them, and how they were read.

    Attributes
    ----------
    branches : list of Branch
    cosmology : Cosmology
    counts : dict of str to int
        Trees in the source, and those that were left out while reading, by reason.
    provenance : dict of str to str
        Source, columns, cosmology and mass definition.
    files : dict of str to dict
        The same counts of each file, where there are several.
    """

    branches: list[Branch]
    cosmology: Cosmology
    counts: dict[str, int]
    provenance: dict[str, str]
    files: dict[str, dict[str, int]]


class FileBranches(NamedTuple):
    """The main branches of one file.

    Attributes
    ----------
    branches : list of Branch
    counts : dict of str to int
        Trees in the file, and those left out.
    heavier : array, shape (k, 5)
        Comoving position [Mpc], log10 of mass [Msun] and cosmic age [Gyr] at the end of halos above the range of
        masses: they do not become histories, but count as neighbours of those that do.
    """

    branches: list[Branch]
    counts: dict[str, int]
    heavier: Float[np.ndarray, "k 5"]


def combine_files(parts: Iterable[FileBranches], source: TreeSource) -> BranchSet:
    """The branches of all files, with the distance of each from a heavier halo, and their provenance."""
    branches: list[Branch] = []
    counts: dict[str, int] = {}
    counts_of_file: dict[str, dict[str, int]] = {}
    heavier = [np.zeros((0, 5))]
    simulation, files = source.simulation, source.files
    several = len(files) > 1
    for file, part in zip(files, parts, strict=True):
        branches += [branch._replace(file=file.name) for branch in part.branches] if several else part.branches
        heavier.append(part.heavier)
        counts = add_counts(counts, part.counts)
        if several:
            counts_of_file[file.name] = {
                name: count for name, count in part.counts.items() if name != ASSUMED_CONCENTRATIONS
            }
    branches = _with_separations(branches, np.concatenate(heavier), source.cosmology, simulation.box)
    provenance = {
        **provenance_of(source, counts),
        "mergers": "largest mass so far over that of the main progenitor, when last seen as a halo of its own",
    }
    if branches and branches[0].separation is not None:
        period = "not periodic" if simulation.box is None else f"periodic over {simulation.box:g} comoving Mpc"
        provenance["separation"] = f"from the positions of all central halos that were read, {period}"
    counts.pop(ASSUMED_CONCENTRATIONS, None)
    return BranchSet(branches, source.cosmology, counts, provenance, counts_of_file)


def provenance_of(source: TreeSource, counts: dict[str, int]) -> dict[str, str]:
    """Where halos come from, how their masses are defined, and how many trees there were."""
    files = len(source.files)
    trees = {reason: count for reason, count in counts.items() if reason != ASSUMED_CONCENTRATIONS}
    assumed = counts.get(ASSUMED_CONCENTRATIONS, 0)
    return {
        "source": f"{type(source.format).__name__} {source.path.name}, {files} file{'s' * (files > 1)}",
        "columns": source.simulation.description,
        "cosmology": source.cosmology_origin,
        "mass definition": definition_note(source.simulation.definition, assumed, Diemer19()),
        "trees": in_one_sentence(trees) or "0 trees",
    }


def in_one_sentence(counts: dict[str, int]) -> str:
    """Counts with their reasons, without those that did not occur.

    Examples
    --------
    >>> from corundum.halos.trees.branch_sets import in_one_sentence
    >>> in_one_sentence({"trees": 2, "that end in a satellite": 0})
    '2 trees'
    """
    return ", ".join(f"{count} {reason}" for reason, count in counts.items() if count)


def add_counts(counts: dict[str, int], others: dict[str, int]) -> dict[str, int]:
    """Sums of two sets of counts by name.

    Examples
    --------
    >>> from corundum.halos.trees.branch_sets import add_counts
    >>> add_counts({"trees": 3}, {"trees": 2, "that end in a satellite": 1})
    {'trees': 5, 'that end in a satellite': 1}
    """
    return {name: counts.get(name, 0) + others.get(name, 0) for name in {**counts, **others}}


def _with_separations(
    branches: list[Branch], heavier: Float[np.ndarray, "k 5"], cosmology: Cosmology, box: float | None
) -> list[Branch]:
    """Branches with their distance from a heavier halo at the end; unchanged where the source has no positions."""
    if not branches or any(branch.position is None for branch in branches):
        return branches
    end = np.concatenate([[branch.time[-1] for branch in branches], heavier[:, 4]])
    position = np.concatenate([[branch.position for branch in branches], heavier[:, :3]])
    log_mvir = np.concatenate([[branch.log_mvir[-1] for branch in branches], heavier[:, 3]])
    last = float(end.max())
    at_last = end >= last * (1.0 - _LAST_TIME_TOLERANCE)
    position = np.where(at_last[:, None], position, np.nan)  # halos that end earlier have no position at the last time
    redshift = max(float(redshifts(cosmology, np.array([last]))[0]), 0.0)
    separations = nearest_heavier(position, log_mvir, redshift, cosmology, box)
    return [branch._replace(separation=float(value)) for branch, value in zip(branches, separations, strict=False)]
