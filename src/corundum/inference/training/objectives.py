"""What a model is trained on: relations of a population, or histories of single galaxies.

An objective is a model, its halos, free parameters with priors, and the probability of data.  `PopulationObjective`
is a `Target` with the relations that every fit of this family compares with; `HistoryObjective`, in a file of its own,
compares each galaxy with a history of its own.
"""

import abc
import dataclasses
import itertools
from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float, Int

from ...annotations import Array
from ...halos import HaloHistories
from ...models import AbstractModel
from ...printing import Component
from ..evaluate import refuse_corrected
from ..free import FreeParameter
from ..likelihoods.base import only_used, upper_limits
from ..target import Target

__all__ = ["AbstractObjective", "PopulationObjective"]


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
    ...     def points(self):
    ...         return 5
    ...     def ln_likelihood(self, theta, model):
    ...         return -0.5 * jnp.sum((model.departure(jnp.linspace(1.5, 2.5, 5)) - 0.3) ** 2) / 0.01
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
    def points(self) -> int:
        """How many numbers are compared."""

    @abc.abstractmethod
    def ln_likelihood(self, theta: Float[Array, " p"], model: AbstractModel) -> Float[Array, ""]:
        """ln of the probability density of the data for these parameters and this model.

        Minus infinity where the model fails.  What a few failed galaxies leave without a prediction counts like the
        mean of the rest, so that a model is never rewarded for failing.
        """

    def blocks(self) -> tuple[Any, ...]:
        """Parts of the data that are independent of each other, so that ln of the density is a sum over them.

        None where it is not known how to take the data apart.
        """
        return ()

    def of_blocks(self, blocks: Sequence[Any]) -> "AbstractObjective":
        """The same with some of these parts alone."""
        return self


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
    left_out: Bool[Array, " m"] | None

    def __init__(self, target: Target):
        if not hasattr(target.summaries, "model"):
            raise ValueError("train: got a target of a plain function; give one of a model, halos and data")
        refuse_corrected("train", target)
        summaries: Any = target.summaries
        halos = dataclasses.replace(summaries.halos, mergers=None)  # lists of a length of their own
        self.target = eqx.tree_at(lambda t: t.summaries.halos, target, halos)
        self.free, self.left_out = target.free, None

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

    def points(self) -> int:
        """Points of the target that count."""
        return int(np.sum(np.isfinite(np.asarray(self.target.data.y))))

    def ln_likelihood(self, theta: Float[Array, " p"], model: AbstractModel) -> Float[Array, ""]:
        """ln of the probability density of the data of the target.

        Points that these halos, which may be few, do not surround count like the mean of the others.
        """
        target, values, prediction = self._predicted(theta, model)
        y = jnp.where(prediction.reached, target.data.y, jnp.nan)
        points, used = (jnp.sum(jnp.isfinite(numbers)) for numbers in (target.data.y, y))
        total = target.ln_likelihood_of(prediction, values, y) * points / jnp.maximum(used, 1)
        return jnp.where(used > 0, total - self._of_left_out(), -jnp.inf)

    def blocks(self) -> tuple[tuple[str, ...], ...]:
        """Names of the measurements in each part: those that a covariance joins are together."""
        data = self.target.data
        positions = {
            name: data.positions(name) for name in data.names if np.any(np.isfinite(data.y[data.positions(name)]))
        }
        parts = [{name} for name in positions]
        covariance = np.asarray(data.covariance)
        for one, other in itertools.combinations(positions, 2):
            if np.any(covariance[np.ix_(positions[one], positions[other])]):
                joined = [part for part in parts if part & {one, other}]
                parts = [part for part in parts if part not in joined] + [set().union(*joined)]
        return tuple(tuple(name for name in positions if name in part) for part in parts)

    def of_blocks(self, blocks: Sequence[Any]) -> "PopulationObjective":
        """The same with the measurements of these parts."""
        names = [name for part in blocks for name in part]
        kept = (self.target.using(names), ~self.target.data.among(names))
        return eqx.tree_at(lambda one: (one.target, one.left_out), self, kept, is_leaf=lambda leaf: leaf is None)

    def _of_left_out(self) -> Float[Array, ""]:
        """What measurements that are left out add to ln of the density: that of unit normal points which are met."""
        total = jnp.zeros(())
        if self.left_out is None:
            return total
        data = self.target.data
        for name in data.names:
            points = len(np.intersect1d(data.positions(name), data.measured))
            limits = len(data.positions(name)) - points
            one = self.target.likelihood(jnp.zeros(points), jnp.eye(points), [np.arange(points)])
            one = one + upper_limits(jnp.zeros(limits), jnp.ones(limits))
            total = total + jnp.where(self.left_out[data.positions(name)[0]], one, 0.0)
        return total

    def residuals(self, theta: Float[Array, " p"], model: AbstractModel) -> Float[Array, " m"]:
        """Data minus prediction, divided by the Cholesky factor of their covariance; zero for points that do not count.

        The covariance is that of this model and has no derivative.
        """
        target, values, prediction = self._predicted(theta, model)
        used = jnp.isfinite(target.data.y) & prediction.reached
        residual = jnp.where(used, target.data.y - prediction.mean - target.data.shift(values), 0.0)
        covariance = only_used(target.data.total_covariance(prediction, values), used)
        root = jnp.linalg.cholesky(jax.lax.stop_gradient(covariance))
        return jax.scipy.linalg.solve_triangular(root, residual, lower=True)

    def _predicted(self, theta, model):
        target = eqx.tree_at(lambda t: t.summaries.model, self.target, model)
        values = {free.name: free.value(theta[i]) for i, free in enumerate(self.free)}
        prediction = target.summaries(values)
        return target, values, prediction._replace(error=target.monte_carlo_error * prediction.error)
