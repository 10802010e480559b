"""Proposals: moves on a surrogate, compiled as one program, one with true gradients, a random walk or a jump."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ...annotations import Array
from ...numerics.compiling import compiled
from ..batches import in_batches
from ..evaluate import value_and_gradient
from ..target import Target
from .mixtures import Mixture

__all__ = ["Proposals", "by_gradients", "by_mixture", "by_surrogate", "by_walk", "densities"]

MOST_STEPS = 32
"""Of a trajectory on the surrogate."""

JUMPS = 3
"""Before each trajectory on the surrogate, and as many after it."""

MOST_GRADIENTS = 16
"""Of a trajectory with true gradients."""

FINEST = 0.2
"""Steps of a trajectory are between this share and all of the step size, so that chains also enter narrow places."""

LENGTH = 1.6
"""Mean length of trajectories in standard deviations: a quarter of a turn."""

STRIDES = (0.1, 1.0)
"""Least and largest length of the steps of random walks in standard deviations."""


class Proposals(NamedTuple):
    """Where chains may go next.

    Attributes
    ----------
    u : array, (C, P)
    ln_ratio : array, (C,)
        What is added to the difference of true log densities to give the logarithm of the acceptance probability.
    acceptance : float
        Mean over the trajectories, from the error of their steps alone.
    """

    u: Any
    ln_ratio: Any
    acceptance: Any


@compiled
def densities(target: Target, u: Float[Array, "c p"], prediction: Any) -> Float[Array, " c"]:
    """ln of the posterior density at C points whose predictions are known."""

    def one(u, prediction):
        return target.ln_prior(u) + target.ln_likelihood_of(prediction, target.values(u), target.data.y)

    return jax.vmap(one)(u, prediction)


@compiled
def by_surrogate(
    target: Target, emulator: Any, mixture: Mixture, u: Float[Array, "c p"], root: Array, key: Array, ln_step: Array,
    power: Array, trajectories: int,
) -> Proposals:  # fmt: skip
    """The ends of Markov chains that leave the density of the surrogate invariant.

    Each is `trajectories` times some jumps, a Hamiltonian move and as many jumps, all accepted by the surrogate's
    density: jumps go to independent draws of `mixture`, so that chains change between places that no trajectory
    connects.  Each of these moves is reversible with respect to that density, and their sequence reads the same
    backwards, so it is reversible as well, and the density's ratio at both ends is all that the true acceptance needs.
    The likelihood counts to a `power`, one where proposals are for the posterior.
    """

    def value(u):
        # Beyond what the emulator knows its numbers may overflow: such a point has no density.
        ln = target.ln_prior(u) + power * target.ln_likelihood_of(emulator(u), target.values(u), target.data.y)
        return jnp.where(jnp.isfinite(ln), ln, -1e300)

    values, all_values = jax.vmap(value), jax.vmap(jax.value_and_grad(value))
    reached = jax.vmap(mixture.ln_density)

    def kept(accepted, new, old):
        return jax.tree.map(lambda a, b: jnp.where(accepted.reshape(-1, *[1] * (a.ndim - 1)), a, b), new, old)

    def jump(_, carry):
        at, key = carry
        u, ln = at
        key, draw, chance = jax.random.split(key, 3)
        end = mixture.draw(draw, len(u))
        ln_end = values(end)
        gain = ln_end - ln + reached(u) - reached(end)
        accepted = jnp.log(jax.random.uniform(chance, gain.shape)) < gain
        return kept(accepted, (end, ln_end), at), key

    def jumps(key, at):
        return jax.lax.fori_loop(0, JUMPS, jump, (at, key))[0]

    def trajectory(number, carry):
        at, total = carry
        keys = jax.random.split(jax.random.fold_in(key, number), 5)
        at = jumps(keys[3], at)
        _, slope = all_values(at[0])
        momentum = jax.random.normal(keys[0], u.shape)
        share, finer = jax.random.uniform(keys[1], (2,))
        step = jnp.exp(ln_step) * FINEST**finer
        length = LENGTH * (0.5 + share)
        steps = jnp.clip(jnp.ceil(length / step), 1, MOST_STEPS).astype(int)

        def leap(_, moving):
            (u, _), slope, momentum = moving
            momentum = momentum + 0.5 * step * slope @ root
            u = u + step * momentum @ root.T
            ln, slope = all_values(u)
            return (u, ln), slope, momentum + 0.5 * step * slope @ root

        end, _, arrived = jax.lax.fori_loop(0, steps, leap, (at, slope, momentum))
        gain = end[1] - at[1] - 0.5 * jnp.sum(arrived**2 - momentum**2, axis=1)
        gain = jnp.where(jnp.isfinite(gain), gain, -jnp.inf)
        at = kept(jnp.log(jax.random.uniform(keys[2], gain.shape)) < gain, end, at)
        return jumps(keys[4], at), total + jnp.mean(jnp.exp(jnp.minimum(gain, 0.0)))

    ln = values(u)
    (end, ln_end), total = jax.lax.fori_loop(0, trajectories, trajectory, ((u, ln), jnp.zeros(())))
    return Proposals(end, ln - ln_end, total / trajectories)


@compiled
def by_mixture(mixture: Mixture, u: Float[Array, "c p"], key: Array) -> Proposals:
    """Independent draws of the mixture: no surrogate is needed, and chains come from anywhere to anywhere."""
    end, reached = mixture.draw(key, len(u)), jax.vmap(mixture.ln_density)
    return Proposals(end, reached(u) - reached(end), jnp.nan)


def by_walk(u: np.ndarray, root: np.ndarray, rng: np.random.Generator) -> Proposals:
    """A step of a random length in a random direction, the same with the ends exchanged: no surrogate is needed."""
    shortest, longest = np.log(STRIDES)
    length = np.exp(rng.uniform(shortest, longest, size=(len(u), 1)))
    return Proposals(u + length * rng.normal(size=u.shape) @ root.T, np.zeros(len(u)), np.nan)


def by_gradients(
    target: Target, u: np.ndarray, root: np.ndarray, rng: np.random.Generator, ln_step: float
) -> Proposals:
    """The end of one Hamiltonian trajectory with gradients of the true density."""
    step = np.exp(ln_step) * rng.uniform(0.8, 1.2)
    steps = int(np.clip(np.ceil(LENGTH * rng.uniform(0.5, 1.5) / step), 1, MOST_GRADIENTS))
    momentum = rng.normal(size=u.shape)
    at, moving = u, momentum
    _, slope = in_batches(value_and_gradient, target, at)
    for _ in range(steps):
        moving = moving + 0.5 * step * np.nan_to_num(slope) @ root
        at = at + step * moving @ root.T
        _, slope = in_batches(value_and_gradient, target, at)
        moving = moving + 0.5 * step * np.nan_to_num(slope) @ root
    return Proposals(at, -0.5 * np.sum(moving**2 - momentum**2, axis=1), np.nan)
