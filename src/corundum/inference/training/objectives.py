"""What a model is trained on: relations of a population, or histories of single galaxies.

An objective is a model, its halos, free parameters with priors, and the probability of data.  `PopulationObjective`
is a `Target` with the relations that every fit of this family compares with; `HistoryObjective`, in a file of its own,
compares each galaxy with a history of its own.
"""

import abc
import dataclasses
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from ...annotations import Array
from ...halos import HaloHistories
from ...models import AbstractModel
from ...printing import Component
from ..free import FreeParameter
from ..likelihoods.base import only_used
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
        return jnp.where(used > 0, total, -jnp.inf)

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
