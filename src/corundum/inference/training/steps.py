"""One training step and one look at validation data, each compiled once for all steps and seeds."""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Float

from ...annotations import Array
from ...numerics.compiling import compiled
from .objectives import AbstractObjective
from .rules import AbstractTrainingRule
from .weights import ln_weight_prior, split_weights

__all__ = ["Learned", "StepState", "first_state", "loss_of", "step", "theta_of", "with_weights"]

_HALVED, _RECOVERS = 0.5, 1.1  # the rate after a step that failed, and its growth after each that did not


class Learned(NamedTuple):
    """What is trained.

    Attributes
    ----------
    u : array, shape (P,)
        Coordinates of the free parameters; see `corundum.inference.free`.
    weights : the model, with None in the place of everything but weights
    """

    u: Float[Array, " p"]
    weights: Any


class StepState(NamedTuple):
    """A training under way.

    Attributes
    ----------
    learned : Learned
    rule : the state of the optax transformation of the rule
    scale : array, shape ()
        Of the rate: below 1 after steps that failed.
    """

    learned: Learned
    rule: Any
    scale: Float[Array, ""]


def first_state(objective: AbstractObjective, rule: AbstractTrainingRule, weights: Any) -> StepState:
    """The state before the first step, at the model as it is."""
    starts = [free.coordinate(np.asarray(free.start)) for free in objective.free]
    learned = Learned(jnp.asarray(starts, jnp.float64).reshape(len(starts)), weights)
    return StepState(learned, rule.transformation().init(learned), jnp.ones(()))


def theta_of(objective: AbstractObjective, u: Float[Array, " p"]) -> Float[Array, " p"]:
    """Parameters in their natural scale."""
    return jnp.stack([free.theta(u[i]) for i, free in enumerate(objective.free)]) if objective.free else jnp.zeros(0)


def with_weights(objective: AbstractObjective, learned: Learned) -> Any:
    """The model with these weights; free parameters are as before."""
    return eqx.combine(learned.weights, split_weights(objective.model())[1])


@compiled
def loss_of(learned: Learned, points: Float[Array, ""], objective: AbstractObjective) -> Float[Array, ""]:
    """Minus ln of the probability density of the data over the number of points."""
    return -objective.ln_likelihood(theta_of(objective, learned.u), with_weights(objective, learned)) / points


@compiled
def step(
    rule: AbstractTrainingRule,
    rate: Float[Array, ""],
    weight_scale: Float[Array, ""],
    points: Float[Array, ""],
    whole: Float[Array, ""],
    state: StepState,
    objective: AbstractObjective,
) -> tuple[StepState, Float[Array, ""], Any]:
    """One step along the gradient of minus ln of the posterior density, over the number of points.

    Parameters
    ----------
    rule : AbstractTrainingRule
    rate : array, shape ()
    weight_scale : array, shape ()
        Standard deviation of the prior of every weight.
    points, whole : arrays, shape ()
        Points of `objective`, and of all data, which say by how much priors count in this step.
    state : StepState
    objective : AbstractObjective
        With the halos of this step.

    Returns
    -------
    StepState
        That of before with half of the rate where the loss or its gradient is not finite.
    loss : array, shape ()
        Before the step.
    finite : boolean array, shape ()
    """

    def loss(learned):
        value = objective.ln_likelihood(theta_of(objective, learned.u), with_weights(objective, learned))
        prior = sum((free.ln_density(learned.u[i]) for i, free in enumerate(objective.free)), jnp.zeros(()))
        prior = prior + ln_weight_prior(learned.weights, weight_scale)
        return -(value / points + prior / whole)

    value, gradient = eqx.filter_value_and_grad(loss)(state.learned)
    finite = jnp.isfinite(value) & jnp.isfinite(optax.tree.norm(gradient))
    gradient = jax.tree.map(lambda leaf: jnp.where(finite, leaf, 0.0), gradient)
    update, of_rule = rule.transformation().update(gradient, state.rule, state.learned)
    moved = jax.tree.map(lambda x, dx: x + rate * state.scale * dx, state.learned, update)
    scale = jnp.where(finite, jnp.minimum(state.scale * _RECOVERS, 1.0), state.scale * _HALVED)
    after = StepState(moved, of_rule, state.scale)
    kept = jax.tree.map(lambda new, old: jnp.where(finite, new, old), after, state)
    return kept._replace(scale=scale), value, finite
