"""What can go wrong with a training that is no mistake in its settings, and the sentences that say so.

A network whose features no galaxy ever has learns nothing; data that no galaxy reaches teach nothing; and where a loss
is not finite, some galaxies may be to blame.
"""

import warnings
from typing import Any

import jax
import numpy as np

from ...halos import HaloHistories
from ...population import evolve
from ..reach import points_within_reach
from .objectives import AbstractObjective, PopulationObjective
from .weights import has_network

__all__ = ["check_data", "galaxies_not_solved", "warn_of_idle_networks"]


def check_data(objective: AbstractObjective) -> None:
    """Refuse measurements of which the galaxies reach no point, and which would count like the mean of the others.

    Raises
    ------
    ValueError
        There is such a measurement; the message names it.
    """
    if isinstance(objective, PopulationObjective):
        points_within_reach(objective.target, np.asarray(objective.target.start())[None])


def warn_of_idle_networks(before: Any, after: Any) -> None:
    """Warn of networks whose last layer was zero before the first step and is zero after it.

    Parameters
    ----------
    before, after
        The weights of a model, as `split_weights` gives them.
    """
    nodes, others = (jax.tree_util.tree_leaves_with_path(tree, is_leaf=has_network) for tree in (before, after))
    idle = []
    for (path, node), (_, moved) in zip(nodes, others, strict=True):
        pairs = [
            (old, new) for old, new in zip(jax.tree.leaves(node), jax.tree.leaves(moved), strict=True)
            if not np.any(old)
        ]  # fmt: skip
        if has_network(node) and pairs and not any(np.any(new) for _, new in pairs):
            idle.append(jax.tree_util.keystr(path, simple=True, separator="."))
    if idle:
        warnings.warn(
            f"train: nothing that is compared changes with the network of {', '.join(idle)}; either its features lie "
            "outside their ranges in these galaxies (give ranges that they have: physics.Feature(..., low, high)), or "
            "no data depend on that law",
            stacklevel=5,
        )


def galaxies_not_solved(model: Any, halos: HaloHistories) -> str:
    """How many galaxies of a model are not solved, why, and in which halo the first of them is."""
    galaxies = evolve(model, halos, [0.0])
    (failed,) = np.nonzero(np.asarray(galaxies.status) != 0)
    if not len(failed):
        return "all galaxies are solved with the last weights, so that their derivatives or the data are not finite"
    reasons = ", ".join(reason for reason in galaxies.status_counts() if reason != "solved")
    mass = float(np.asarray(halos.log_mvir)[failed[0], -1])
    return (
        f"with the last weights {len(failed)} of {len(halos)} galaxies are not solved ({reasons}), the first in a halo "
        f"of 10^{mass:.1f} Msun"
    )
