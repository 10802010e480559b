"""The main branches that were read from one file, and from all files of a source together."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from ...cosmology import Cosmology
from ..branches.branch import Branch
from ..concentration import Diemer19
from ..cosmic_times import redshifts
from ..definitions import describe_definition
from ..neighbours import nearest_heavier
from .sources import TreeSource

__all__ = ["ASSUMED", "BranchSet", "FileBranches", "added_counts", "joined"]

ASSUMED = "snapshots converted with an assumed concentration"


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
        counts = added_counts(counts, part.counts)
        if several:
            of_file[file.name] = {name: count for name, count in part.counts.items() if name != ASSUMED}
    branches = _with_separations(branches, np.concatenate(heavier), source.cosmology, simulation.box)
    assumed = counts.pop(ASSUMED, 0)
    left_out = ", ".join(f"{count} {reason}" for reason, count in counts.items() if count)
    words = {
        "source": f"{type(source.form).__name__} {source.path.name}, {len(files)} file{'s' * (len(files) > 1)}",
        "columns": simulation.words,
        "cosmology": source.said,
        "mass definition": describe_definition(simulation.definition, assumed, Diemer19()),
        "trees": left_out or "0 trees",
        "mergers": "largest mass so far over that of the main progenitor, when last seen apart",
    }
    if branches and branches[0].separation is not None:
        period = "not periodic" if simulation.box is None else f"periodic over {simulation.box:g} comoving Mpc"
        words["separation"] = f"from the positions of all central halos that were read, {period}"
    return BranchSet(branches, source.cosmology, counts, words, of_file)


def added_counts(one: dict[str, int], other: dict[str, int]) -> dict[str, int]:
    """Two sets of counts as one."""
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
