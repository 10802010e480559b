"""Main branches as a few named arrays, in which a conversion keeps those of each file until all files are read."""

import json
from collections.abc import Mapping
from typing import Any, cast

import numpy as np

from ..branches.branch import Branch
from .branch_sets import FileBranches

__all__ = ["branches_to_arrays", "branches_from_arrays"]

_PER_SNAPSHOT = ("time", "log_mvir", "log_concentration", "log_radius_ratio")


def branches_to_arrays(file_branches: FileBranches) -> dict[str, np.ndarray]:
    """The branches of a file as arrays; quantities that the source does not have are left out.

    Examples
    --------
    >>> from corundum.halos.trees.branch_arrays import branches_from_arrays, branches_to_arrays
    >>> from corundum.halos.trees.branch_sets import FileBranches
    >>> branch = co.halos.Branch("7", np.ones(3), np.full(3, 11.0), np.ones(3), mergers=np.zeros((2, 0)))
    >>> arrays = branches_to_arrays(FileBranches([branch], {"trees": 1}, np.zeros((0, 5))))
    >>> arrays["log_mvir"]
    array([11., 11., 11.])
    >>> branches_from_arrays(arrays).branches[0].name
    '7'
    """
    branches = file_branches.branches
    mergers = [cast(np.ndarray, branch.mergers) for branch in branches]  # readers of trees always know them
    arrays = {
        "counts": np.array(json.dumps(file_branches.counts)),
        "heavier": file_branches.heavier,
        "name": np.array([branch.name for branch in branches], dtype=str),
        "snapshot_count": np.array([len(branch.time) for branch in branches], dtype=np.int64),
        "merger_count": np.array([entries.shape[1] for entries in mergers], dtype=np.int64),
        "mergers": np.concatenate([np.zeros((2, 0)), *mergers], axis=1),
    }
    for name in _PER_SNAPSHOT:
        values = [getattr(branch, name) for branch in branches]
        if branches and values[0] is not None:
            arrays[name] = np.concatenate(values)
    if branches and branches[0].position is not None:
        arrays["position"] = np.stack([branch.position for branch in branches])
    return arrays


def branches_from_arrays(arrays: Mapping[str, np.ndarray]) -> FileBranches:
    """The branches that `branches_to_arrays` has stored."""
    names = arrays["name"]
    snapshot_ends = np.cumsum(arrays["snapshot_count"])[:-1]
    merger_ends = np.cumsum(arrays["merger_count"])[:-1]
    curves: dict[str, Any] = {name: np.split(arrays[name], snapshot_ends) for name in _PER_SNAPSHOT if name in arrays}
    mergers = np.split(arrays["mergers"], merger_ends, axis=1)
    position = arrays.get("position", [None] * len(names))
    branches = [
        Branch(
            name=str(name),
            **{quantity: values[row] for quantity, values in curves.items()},
            mergers=mergers[row],
            position=position[row],
        )
        for row, name in enumerate(names)
    ]
    return FileBranches(branches, json.loads(str(arrays["counts"])), arrays["heavier"])
