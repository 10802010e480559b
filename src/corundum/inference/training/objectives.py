"""What a model is trained on: relations of a population, or histories of single galaxies.

An objective is a model, its halos, free parameters with priors, and the probability of data.  `PopulationObjective`
is a `Target` with the relations that every fit of this family compares with; `HistoryObjective` compares each galaxy
with a history of its own, as another model or a simulation gives them.
"""

import abc
import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from ...annotations import Array
from ...arguments import strategy
from ...halos import HaloHistories
from ...messages import did_you_mean
from ...models import AbstractModel
from ...models.checks.arguments import check_model_and_halos
from ...numerics.solvers.base import AbstractSolver
from ...numerics.solvers.lanes import LaneSolver
from ...plain_numbers import float64
from ...population import evolve
from ...printing import Component
from ...sensitivity.parameter_space import with_vector
from ..free import FreeParameter, free_parameters
from ..likelihoods.base import only_used
from ..reach import MAX_FAILED
from ..summaries import TOLERANCE
from ..target import Target
from .states import States

__all__ = ["AbstractObjective", "HistoryObjective", "PopulationObjective", "as_objective"]


class AbstractObjective(Component):
    """A model with halos and free parameters, and the probability of data.

    Attributes
    ----------
    free : tuple of FreeParameter

    Examples
    --------
    Any probability of data; here that of the weights of a network alone, given the values that it shall have:

    >>> class Values(co.inference.AbstractObjective):
    ...     law: co.physics.LearnedLaw
    ...     rows: co.halos.HaloHistories
    ...     free = ()
    ...     def model(self):
    ...         return self.law
    ...     def halos(self):
    ...         return self.rows
    ...     def chosen(self, rows):
    ...         return self
    ...     def ln_likelihood(self, theta, model):
    ...         return -0.5 * jnp.sum((model.departure(jnp.linspace(1.5, 2.5, 5)) - 0.3) ** 2) / 0.01, 5
    >>> law = co.physics.neural_law("log_vvir", base=co.physics.MassLoading(), width=4)
    >>> trained = co.inference.train(Values(law, halos), steps=100)
    >>> bool(abs(trained.model.departure(2.0) - 0.3) < 0.05)
    True
    """

    free: eqx.AbstractVar[tuple[FreeParameter, ...]]

    @abc.abstractmethod
    def model(self) -> AbstractModel:
        """The model as it is before training."""

    @abc.abstractmethod
    def halos(self) -> HaloHistories:
        """All halos."""

    @abc.abstractmethod
    def chosen(self, rows: Int[np.ndarray, " b"]) -> "AbstractObjective":
        """The same with some of the halos, and what is known of them."""

    @abc.abstractmethod
    def ln_likelihood(self, theta: Float[Array, " p"], model: AbstractModel) -> tuple[Float[Array, ""], Any]:
        """ln of the probability density of the data for these parameters and this model, and the number of points."""


class PopulationObjective(AbstractObjective):
    """Relations of a population beside measurements.

    Parameters
    ----------
    target : Target

    Examples
    --------
    >>> target = co.inference.Target(model, halos, ["shmr_behroozi19_sf"], ["mass_loading.amplitude"])
    >>> len(co.inference.PopulationObjective(target).halos())
    8
    """

    target: Target
    free: tuple[FreeParameter, ...]

    def __init__(self, target: Target):
        if not hasattr(target.summaries, "model"):
            raise ValueError("train: got a target of a plain function; give one of a model, halos and data")
        summaries: Any = target.summaries
        halos = dataclasses.replace(summaries.halos, mergers=None)  # lists of a length of their own
        self.target = eqx.tree_at(lambda t: t.summaries.halos, target, halos)
        self.free = target.free

    def model(self) -> AbstractModel:
        """The model of the target."""
        summaries: Any = self.target.summaries
        return summaries.model

    def halos(self) -> HaloHistories:
        """The halos of the target."""
        summaries: Any = self.target.summaries
        return summaries.halos

    def chosen(self, rows: Int[np.ndarray, " b"]) -> "PopulationObjective":
        """The same relations from fewer halos, whose larger Monte-Carlo error enters the likelihood."""
        return eqx.tree_at(lambda one: one.target.summaries.halos, self, self.halos()[rows])

    def ln_likelihood(self, theta: Float[Array, " p"], model: AbstractModel) -> tuple[Float[Array, ""], Any]:
        """ln of the probability density of the data of the target."""
        target, values, prediction = self._predicted(theta, model)
        y = target.data.y
        return target.ln_likelihood_of(prediction, values, y), jnp.sum(jnp.isfinite(y))

    def residuals(self, theta: Float[Array, " p"], model: AbstractModel) -> Float[Array, " m"]:
        """Data minus prediction, divided by the Cholesky factor of their covariance; zero for points that do not count.

        The covariance is that of this model and has no derivative.
        """
        target, values, prediction = self._predicted(theta, model)
        used = jnp.isfinite(target.data.y)
        residual = jnp.where(used, target.data.y - prediction.mean - target.data.shift(values), 0.0)
        covariance = only_used(target.data.total_covariance(prediction, values), used)
        root = jnp.linalg.cholesky(jax.lax.stop_gradient(covariance))
        return jax.scipy.linalg.solve_triangular(root, residual, lower=True)

    def _predicted(self, theta, model):
        target = eqx.tree_at(lambda t: t.summaries.model, self.target, model)
        values = {free.name: free.value(theta[i]) for i, free in enumerate(self.free)}
        prediction = target.summaries(values)
        return target, values, prediction._replace(error=target.monte_carlo_error * prediction.error)


class HistoryObjective(AbstractObjective):
    """Galaxies beside histories of the same galaxies, from another model or a simulation.

    Parameters
    ----------
    at_start : AbstractModel
    rows : HaloHistories
        N halos, in which the histories were computed.
    redshifts : array, shape (K,)
    states : mapping of str to array, shape (N, K)
        Quantities of the model by name [units of the model]; they are compared in decades, and entries that are NaN do
        not count.
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
    >>> value, points = objective.ln_likelihood(jnp.zeros(0), model)
    >>> int(points)
    16
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
        self.log_states = _log_states(at_start, states, (len(rows), len(self.redshifts)))
        self.errors = _errors(errors, tuple(self.log_states))
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

    def ln_likelihood(self, theta: Float[Array, " p"], model: AbstractModel) -> tuple[Float[Array, ""], Any]:
        """Sum over halos, redshifts and quantities of the normal log density of the difference in decades."""
        residuals, points, failed = self._compared(theta, model)
        return jnp.where(failed > MAX_FAILED, -jnp.inf, -0.5 * jnp.sum(residuals**2)), points

    def residuals(self, theta: Float[Array, " p"], model: AbstractModel) -> Float[Array, " m"]:
        """Each difference over its error; zero where nothing is compared."""
        return self._compared(theta, model)[0]

    def _compared(self, theta, model):
        """The residuals, how many of them are compared, and the share of galaxies that could not be solved."""
        values = [free.value(theta[i]) for i, free in enumerate(self.free)]
        names = tuple(free.name for free in self.free)
        changed, _ = with_vector(model, self.rows.cosmology, names, jnp.stack(values)) if names else (model, None)
        galaxies = evolve(changed, self.rows, self.redshifts, keep=tuple(self.log_states), solver=self.solver)
        residuals, points = [], jnp.zeros((), int)
        for name, measured in self.log_states.items():
            used = jnp.isfinite(measured) & galaxies.valid
            prediction = jnp.log10(jnp.where(galaxies.valid, galaxies[name], 1.0))
            residuals.append(jnp.where(used, measured - prediction, 0.0) / self.errors[name])
            points = points + jnp.sum(used)
        failed = jnp.mean(jnp.where(galaxies.status == 0, 0.0, 1.0))
        return jnp.concatenate([jnp.ravel(part) for part in residuals]), points, failed


def as_objective(target: Any) -> AbstractObjective:
    """A target, or an objective, as an objective."""
    if isinstance(target, AbstractObjective):
        return target
    if isinstance(target, Target):
        return PopulationObjective(target)
    raise ValueError(
        f"train: got {type(target).__name__}; give inference.Target(...) for relations of a population, or "
        "inference.HistoryObjective(...) for histories of galaxies"
    )


def _log_states(model, states, shape):
    known = (*model.ledger.state._fields, *model.diagnostics)
    if not states:
        raise ValueError(f"states: got none; give histories of some of {', '.join(known)}")
    log_states = {}
    for name, values in states.items():
        if name not in known:
            raise ValueError(
                f"states: {name!r} is no quantity of {type(model).__name__}; {did_you_mean(name, known)}there are "
                f"{', '.join(known)}"
            )
        values = np.asarray(float64(f"states {name}", values, "1"))
        if values.shape != shape:
            raise ValueError(f"states {name}: got shape {values.shape}; give {shape}, (halos, redshifts)")
        if np.any(values <= 0.0):
            raise ValueError(f"states {name}: got {values[values <= 0.0][0]:g}; give positive numbers, or NaN for none")
        log_states[name] = jnp.asarray(np.log10(values))
    return log_states


def _errors(errors, names):
    errors = dict(errors) if isinstance(errors, Mapping) else dict.fromkeys(names, errors)
    if set(errors) != set(names):
        missing = ", ".join(sorted(set(names) ^ set(errors)))
        raise ValueError(f"errors: those of {missing} do not fit; give one [dex] for each of {', '.join(names)}")
    for name, error in errors.items():
        if not (np.isfinite(error) and error > 0.0):
            raise ValueError(f"errors {name}: got {error}; give a positive number [dex]")
    return {name: jnp.asarray(float(error)) for name, error in errors.items()}
