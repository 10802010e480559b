"""What does not change during a training: which halos and data are seen, which judge, and the checked settings."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ...arguments import one_number, whole_number
from .objectives import AbstractObjective, PopulationObjective
from .rules import AbstractTrainingRule
from .weights import number_of_weights

__all__ = ["TrainingPlan", "halos_apart", "plan_training"]


class TrainingPlan(NamedTuple):
    """What does not change during a training.

    Attributes
    ----------
    training : AbstractObjective
        The halos and data that steps see.
    judges : tuple of AbstractObjective
        Those that they do not see; the validation loss is the mean of theirs.
    rule, weight_scale, steps, batch, data_batch, patience, key
        As for `train`.
    blocks : tuple
        Parts of the data; see `AbstractObjective.blocks`.
    checks : integer array
        Steps after which the validation loss is looked at.
    """

    training: AbstractObjective
    judges: tuple[AbstractObjective, ...]
    rule: AbstractTrainingRule
    weight_scale: float
    steps: int
    batch: int
    data_batch: int
    blocks: tuple[Any, ...]
    checks: np.ndarray
    patience: int
    key: int


def plan_training(
    objective: AbstractObjective,
    steps: int,
    batch: int | None,
    data_batch: int | None,
    validation: float,
    held_out: Sequence[str],
    rule: AbstractTrainingRule,
    weight_scale: float,
    every: int,
    patience: int | None,
    key: int,
) -> TrainingPlan:
    """Check the settings of `train`, which says what they are, and share out halos and data."""
    steps, every = whole_number("steps", steps), whole_number("every", every)
    key, halos = whole_number("key", key, least=0), len(objective.halos())
    validation = one_number("validation", validation, meaning="a share of the halos, from 0 to below 1")
    weight_scale = one_number("weight_scale", weight_scale, meaning="a positive number")
    if not 0.0 <= validation < 1.0:
        raise ValueError(f"validation: got {validation}; give a share of the halos, from 0 to below 1")
    if not 0.0 < weight_scale < np.inf:
        raise ValueError(f"weight_scale: got {weight_scale}; give a positive number")
    if not (number_of_weights(objective.model()) or objective.free):
        raise ValueError(
            "train: the model has no network and no parameter is free; give it a law with weights, such as "
            "physics.neural_law, or name free parameters"
        )
    seen, unseen = halos_apart(halos, validation, key)
    apart = len(unseen)
    if not len(seen):
        raise ValueError(f"validation: {validation} of {halos} halos leaves none to train on; give a smaller share")
    batch = len(seen) if batch is None else whole_number("batch", batch, meaning="halos of a step")
    if batch > len(seen):
        raise ValueError(f"batch: got {batch} halos; {len(seen)} are left to train on; give at most as many")
    training, judges = objective.chosen(seen), [objective.chosen(unseen if apart else seen)]
    if held_out:
        if not isinstance(objective, PopulationObjective):
            raise ValueError("held_out: only a target has measurements to hold out; leave it empty")
        target = objective.target
        names, held_out = target.data.names, (held_out,) if isinstance(held_out, str) else tuple(held_out)
        target.using(held_out)  # refuses unknown names
        kept = [name for name in names if name not in held_out]
        if not kept:
            raise ValueError(f"held_out: it names all of {', '.join(names)}; leave some to train on")
        judges = [PopulationObjective(target.using(kept)).chosen(unseen if apart else seen),
                  PopulationObjective(target.using(held_out))]  # fmt: skip
        training = PopulationObjective(target.using(kept)).chosen(seen)
    checks = np.unique(np.append(np.arange(0, steps, every), steps))
    patience = len(checks) if patience is None else whole_number("patience", patience)
    blocks = training.blocks()
    data_batch = _data_batch(data_batch, blocks, type(training).__name__)
    return TrainingPlan(training, tuple(judges), rule, weight_scale, steps, batch, data_batch, blocks, checks, patience,
                        key)  # fmt: skip


def _data_batch(data_batch: int | None, blocks: tuple[Any, ...], kind: str) -> int:
    """How many parts of the data a step sees."""
    if data_batch is None:
        return len(blocks)
    data_batch = whole_number("data_batch", data_batch, meaning="parts of the data of a step")
    if len(blocks) < 2:
        reason = "are one part, which covariances join" if blocks else "cannot be taken apart"
        raise ValueError(
            f"data_batch: the data of {kind} {reason}; leave data_batch out, every step sees all data then"
        )
    if data_batch > len(blocks):
        raise ValueError(f"data_batch: got {data_batch} parts; the data have {len(blocks)}; give at most as many")
    return data_batch


def halos_apart(halos: int, validation: float, key: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the halos that steps see, and of those that are kept to judge.

    Examples
    --------
    >>> from corundum.inference.training.plan import halos_apart
    >>> [len(rows) for rows in halos_apart(8, 0.25, key=0)]
    [6, 2]
    """
    order, apart = np.random.default_rng([key, 0]).permutation(halos), round(validation * halos)
    return np.sort(order[apart:]), np.sort(order[:apart])
