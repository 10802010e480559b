"""Training on histories: each galaxy beside that of the same halo in another model or a simulation."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from ...annotations import Array
from ...arguments import strategy
from ...halos import HaloHistories
from ...models import AbstractModel
from ...models.checks.arguments import check_model_and_halos
from ...numerics.solvers.base import AbstractSolver
from ...numerics.solvers.lanes import LaneSolver
from ..free import FreeParameter, free_parameters
from ..reach import MAX_FAILED
from ..summaries import TOLERANCE
from .history_data import HistorySummaries, as_errors, as_log_states
from .objectives import AbstractObjective
from .states import States

__all__ = ["HistoryObjective"]


class HistoryObjective(AbstractObjective):
    """Galaxies beside histories of the same galaxies, from another model or a simulation.

    Parameters
    ----------
    at_start : AbstractModel
    rows : HaloHistories
        N halos, in which the histories were computed.
    redshifts : array, shape (K,)
    states : mapping of str to array, shape (N, K)
        Quantities of the model by name [units of the model], or the mass that flows of it carry [Msun/yr]; they are
        compared in decades, and entries that are NaN do not count.
    errors : float or mapping of str to float
        Standard deviation [dex] of each quantity.
    names : sequence of str
        Free parameters beside the weights of networks; may be empty.
    priors : mapping, optional
        As for `free_parameters`.
    solver : AbstractSolver, optional
        Default ``LaneSolver(tolerance=TOLERANCE)``.

    Raises
    ------
    ValueError
        A quantity is none of the model, a shape does not fit, or an error or a number is not positive.

    Examples
    --------
    >>> states = {"mstar": np.full((8, 2), 1e9)}
    >>> objective = co.inference.HistoryObjective(model, halos, [2.0, 0.0], states, errors=0.1)
    >>> objective.points(), bool(objective.ln_likelihood(jnp.zeros(0), model) < 0.0)
    (16, True)
    """

    at_start: AbstractModel
    rows: HaloHistories
    redshifts: tuple[float, ...] = eqx.field(static=True)
    log_states: dict[str, Float[Array, "n k"]]
    errors: dict[str, Float[Array, ""]]
    free: tuple[FreeParameter, ...]
    solver: AbstractSolver

    def __init__(
        self,
        at_start: AbstractModel,
        rows: HaloHistories,
        redshifts: Sequence[float],
        states: Mapping[str, Any],
        errors: float | Mapping[str, float],
        names: Sequence[str] = (),
        priors: Mapping[str, Any] | None = None,
        *,
        solver: AbstractSolver | None = None,
    ):
        check_model_and_halos(at_start, rows)
        self.at_start, self.rows = at_start, dataclasses.replace(rows, mergers=None)
        self.redshifts = tuple(float(z) for z in np.atleast_1d(redshifts))
        self.log_states = as_log_states(at_start, states, (len(rows), len(self.redshifts)))
        self.errors = as_errors(errors, tuple(self.log_states))
        self.free = free_parameters(at_start, rows.cosmology, names, priors) if names else ()
        self.solver = strategy("solver", solver, LaneSolver(tolerance=TOLERANCE))

    @classmethod
    def of_states(
        cls,
        model: AbstractModel,
        halos: HaloHistories,
        states: States,
        *,
        errors: float | Mapping[str, float] | None = None,
        names: Sequence[str] = (),
        priors: Mapping[str, Any] | None = None,
        solver: AbstractSolver | None = None,
    ) -> "HistoryObjective":
        """An objective from a table of galaxies through time.

        Parameters
        ----------
        model, halos, names, priors, solver
            As for the class.
        states : States
            As `read_states` gives them.
        errors : float or mapping of str to float, optional
            Standard deviations [dex]; by default those of the table.

        Examples
        --------
        >>> states = co.inference.States(np.array([2.0, 0.0]), {"mstar": np.full((8, 2), 1e9)}, {"mstar": 0.1})
        >>> co.inference.HistoryObjective.of_states(model, halos, states).redshifts
        (2.0, 0.0)
        """
        errors = states.errors if errors is None else errors
        return cls(model, halos, states.redshifts.tolist(), states.values, errors, names, priors, solver=solver)

    def model(self) -> AbstractModel:
        """The model as it is before training."""
        return self.at_start

    def halos(self) -> HaloHistories:
        """All halos."""
        return self.rows

    def chosen(self, rows: Int[np.ndarray, " b"]) -> "HistoryObjective":
        """The same with some of the halos and their histories."""
        states = {name: values[rows] for name, values in self.log_states.items()}
        return eqx.tree_at(lambda one: (one.rows, one.log_states), self, (self.rows[rows], states))

    def blocks(self) -> tuple[tuple[str, int], ...]:
        """Each quantity at each redshift, as its name and the position of the redshift."""
        return tuple(
            (name, k)
            for name, values in self.log_states.items() for k in range(len(self.redshifts))
            if np.any(np.isfinite(np.asarray(values)[:, k]))
        )  # fmt: skip

    def of_blocks(self, blocks: Sequence[Any]) -> "HistoryObjective":
        """The same with these quantities at these redshifts."""
        kept = {name: np.full(np.shape(values), np.nan) for name, values in self.log_states.items()}
        for name, k in blocks:
            kept[name][:, k] = np.asarray(self.log_states[name])[:, k]
        return eqx.tree_at(lambda one: one.log_states, self, kept)

    def points(self) -> int:
        """Numbers in the histories."""
        return sum(int(np.sum(np.isfinite(np.asarray(values)))) for values in self.log_states.values())

    def ln_likelihood(self, theta: Float[Array, " p"], model: AbstractModel) -> Float[Array, ""]:
        """Sum over halos, redshifts and quantities of the normal log density of the difference in decades."""
        residuals, used, failed = self._compared(theta, model)
        points = sum(jnp.sum(jnp.isfinite(values)) for values in self.log_states.values())
        total = -0.5 * jnp.sum(residuals**2) * points / jnp.maximum(used, 1)
        return jnp.where((failed > MAX_FAILED) | (used == 0), -jnp.inf, total)

    def residuals(self, theta: Float[Array, " p"], model: AbstractModel) -> Float[Array, " m"]:
        """Each difference over its error; zero where nothing is compared."""
        return self._compared(theta, model)[0]

    def _compared(self, theta, model):
        """The residuals, how many of them are compared, and the share of galaxies that could not be solved."""
        values = {free.name: free.value(theta[i]) for i, free in enumerate(self.free)}
        summaries = HistorySummaries(model, self.rows, self.redshifts, tuple(self.log_states), self.solver)
        prediction = summaries(values)
        measured = jnp.concatenate([jnp.ravel(log_states) for log_states in self.log_states.values()])
        size = measured.size // len(self.errors)
        errors = jnp.concatenate([jnp.full(size, self.errors[name]) for name in self.log_states])
        used = jnp.isfinite(measured) & prediction.reached
        return jnp.where(used, measured - prediction.mean, 0.0) / errors, jnp.sum(used), prediction.failed
