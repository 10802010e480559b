"""A target, or an objective, as an objective."""

from typing import Any

import numpy as np

from ..target import Target
from .histories import HistoryObjective
from .history_data import HistorySummaries
from .objectives import AbstractObjective, PopulationObjective

__all__ = ["as_linear_objective", "as_objective"]


def as_objective(target: Any) -> AbstractObjective:
    """A target, or an objective, as an objective.

    Raises
    ------
    ValueError
        It is neither.
    """
    if isinstance(target, AbstractObjective):
        return target
    if isinstance(target, Target):
        return _of_histories(target) if isinstance(target.summaries, HistorySummaries) else PopulationObjective(target)
    raise ValueError(
        f"train: got {type(target).__name__}; give inference.Target(...) for relations of a population, or "
        "inference.Target.of_histories(...) for histories of galaxies"
    )


def as_linear_objective(
    caller: str, target: Any, theta: Any, weight_scale: float
) -> tuple[AbstractObjective, np.ndarray]:
    """An objective with residuals, and its free parameters in their natural scale, by default where they start.

    Raises
    ------
    ValueError
        It has none, the parameters do not fit, or the prior width of the weights is not positive.
    """
    if not 0.0 < weight_scale < np.inf:
        raise ValueError(f"weight_scale: got {weight_scale}; give a positive number")
    objective = as_objective(target)
    if not hasattr(objective, "residuals"):
        raise ValueError(f"{caller}: {type(objective).__name__} has no residuals; give a target or a HistoryObjective")
    starts = [free.start for free in objective.free]
    values = np.asarray(starts if theta is None else theta, np.float64)
    if values.shape != (len(starts),):
        names = ", ".join(free.name for free in objective.free) or "none"
        raise ValueError(f"theta: got shape {values.shape}; give a number for each free parameter, {names}")
    return objective, values


def _of_histories(target: Target) -> HistoryObjective:
    """The same data as histories that can be shared out by halos."""
    summaries: Any = target.summaries
    data = target.data
    shape = (len(summaries.halos), len(summaries.redshifts))
    y, variances = np.asarray(data.y), np.diagonal(np.asarray(data.covariance))
    states = {name: 10.0 ** y[data.positions(name)].reshape(shape) for name in data.names}
    errors = {name: float(np.sqrt(variances[data.positions(name)[0]])) for name in data.names}
    priors = {free.name: free.prior for free in target.free}
    return HistoryObjective(
        summaries.model, summaries.halos, summaries.redshifts, states, errors, target.names, priors,
        solver=summaries.solver,
    )  # fmt: skip
