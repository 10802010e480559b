"""What the Hamiltonian samplers share: all chains advance as one list of solves, scaled by the Laplace approximation.

Chains warm up together.  A chain alone would learn its mass matrix from a few dozen correlated draws, and one with a
small step size would need many more gradients than the others.  So at a few stops the chains of a posterior get one
mass matrix from the later half of the draws of all of them, and at the end of warm-up one step size.  numpyro makes
the moves.
"""

import abc
from collections.abc import Callable, Sequence
from typing import ClassVar, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float
from numpyro.infer.hmc import hmc

from ...annotations import Array
from ...numerics.batching import shard_rows
from ...numerics.compiling import compiled
from ...storage.checkpoints import Checkpoint, fingerprints
from ..batches import in_batches
from ..evaluate import linearise, ln_density
from ..laplace import Laplace
from ..target import Target
from .base import AbstractSampler, check_numbers
from .chains import BLOCK, ChainProgress, Chains, ingredients, run_chains

__all__ = ["AbstractHamiltonian", "Moves"]

STOPS = (0.2, 0.5, 0.75, 1.0)
"""Shares of warm-up after which chains learn from each other; the last quarter is left to the step size."""

PRIOR_DRAWS = 5
"""Draws, for each parameter, that the earlier mass matrix counts for when a new one is estimated."""

LONGEST_TREE = 5
"""Where many posteriors are sampled together, trajectories take at most two to this power steps: all chains wait for
the longest."""


class Moves(NamedTuple):
    """How chains move.

    Attributes
    ----------
    algorithm : str
        numpyro's name, ``"NUTS"`` or ``"HMC"``.
    target_accept : float
        Acceptance that the step size is adapted to.
    tree_depths : (int, int)
        A trajectory takes at most two to this power steps: in warm-up, and after it.
    adapt_mass : bool
        Whether warm-up refines the mass matrix of the Laplace approximation.
    trajectory : float, optional
        Mean length of all trajectories in standard deviations; None where each finds its own.
    """

    algorithm: str
    target_accept: float
    tree_depths: tuple[int, int]
    adapt_mass: bool
    trajectory: float | None


class AbstractHamiltonian(AbstractSampler):
    """A sampler whose chains follow trajectories along gradients of the density; a concrete one says how they move."""

    chains: eqx.AbstractVar[int]
    warmup: eqx.AbstractVar[int]
    draws: eqx.AbstractVar[int]
    package: ClassVar[str] = "numpyro"

    def __check_init__(self):
        check_numbers(chains=(self.chains, 1), warmup=(self.warmup, 1), draws=(self.draws, 4))

    @abc.abstractmethod
    def moves(self) -> Moves:
        """How chains move."""

    def sample(
        self,
        target: Target,
        start: Laplace,
        *,
        key: int,
        store: Checkpoint | None = None,
        progress: Callable[[ChainProgress], None] | None = None,
    ) -> Chains:
        positions = _start_positions(target, start, self.chains, key)
        y = np.broadcast_to(np.asarray(target.data.y), (self.chains, len(target.data)))
        covariances = np.broadcast_to(start.covariance, (self.chains, *start.covariance.shape))
        return advance_chains(
            self, self.moves(), target, positions, covariances, y, key=key, store=store, progress=progress
        )

    def sample_each(
        self, target: Target, starts: Sequence[Laplace], y: np.ndarray, *, key: int, store: Checkpoint | None = None
    ) -> list[Chains]:
        """All chains of all posteriors advance together, with trajectories of at most `LONGEST_TREE`."""
        number, size = self.chains, len(target.free)
        u, covariance = np.stack([start.u for start in starts]), np.stack([start.covariance for start in starts])
        white = np.random.default_rng([key, 1]).normal(size=(len(u), number, size))
        positions = u[:, None] + np.einsum("npq,ncq->ncp", np.linalg.cholesky(covariance), white)
        moves = self.moves()
        moves = moves._replace(tree_depths=(moves.tree_depths[0], min(moves.tree_depths[1], LONGEST_TREE)))
        together = advance_chains(
            self, moves, target, positions.reshape(-1, size), np.repeat(covariance, number, 0), np.repeat(y, number, 0),
            key=key, store=store,
        )  # fmt: skip

        def of(fit):
            rows = slice(fit * number, (fit + 1) * number)
            stats, warmup = jax.tree.map(lambda leaf: leaf[rows], (together.stats, together.warmup))
            return Chains(together.u[rows], stats, warmup, together.seconds / len(u), together.resumed)

        return [of(fit) for fit in range(len(u))]


def _start_positions(target, start, chains, key):
    """Draws from the Laplace approximation at which the model can be solved."""
    tries = start.coordinate_draws(4 * chains, key=key + 1)
    ln_density_of_tries = in_batches(linearise, target, tries).ln_density
    good = tries[np.isfinite(ln_density_of_tries)]
    if len(good) < chains:
        raise ValueError(
            f"sample: the model fails at {len(tries) - len(good)} of {len(tries)} points near the mode, so chains "
            "cannot begin; look at the point estimate, or give the solver more max_steps"
        )
    return good[:chains]


def advance_chains(
    sampler: AbstractHamiltonian,
    moves: Moves,
    target: Target,
    positions: Float[Array, "c p"],
    covariances: Float[Array, "c p p"],
    y: Float[Array, "c m"],
    *,
    key: int,
    store: Checkpoint | None = None,
    progress: Callable[[ChainProgress], None] | None = None,
) -> Chains:
    """Chains from `positions`, (C, P), each with data `y`, (C, M), and a first covariance of its own, (C, P, P).

    Each run of `sampler.chains` neighbours has the same data and warms up together.
    """
    warmup, draws, together = sampler.warmup, sampler.draws, sampler.chains
    key_of_lengths, *keys = jax.random.split(jax.random.PRNGKey(key), len(positions) + 1)
    positions, covariances, y = (jnp.asarray(array, jnp.float64) for array in (positions, covariances, y))
    step_sizes = jnp.full(len(positions), positions.shape[1] ** -0.25)
    state = _initial(moves, warmup, positions, covariances, step_sizes, jnp.stack(keys))
    linearised = in_batches(linearise, target, positions, y)
    state = state._replace(
        potential_energy=jnp.asarray(-linearised.ln_density), z_grad=jnp.asarray(-linearised.gradient)
    )

    def advance(state, count):
        return _advance(moves, warmup, target, y, key_of_lengths, state, count)

    def adapt(state, u):
        step_sizes = _pooled_step_sizes(state, together)
        if len(u) == warmup:
            return state._replace(adapt_state=state.adapt_state._replace(step_size=step_sizes))
        matrix = state.adapt_state.inverse_mass_matrix
        if moves.adapt_mass:
            matrix = _pooled_covariance(u[len(u) // 2 :], matrix, together)
        fresh = _initial(moves, warmup, state.z, matrix, step_sizes, state.rng_key)
        return state._replace(adapt_state=fresh.adapt_state, rng_key=fresh.rng_key)

    identity = fingerprints(
        {**ingredients(target, y), "sampler": (moves, together, warmup, draws, key, np.asarray(positions))}
    )
    stops = {max(1, round(share * warmup)) for share in STOPS}
    return run_chains(
        advance, state, warmup, draws, identity=identity, stops=stops, adapt=adapt, store=store, progress=progress
    )


def _pooled_step_sizes(state, together):
    """One step size for chains that belong together: the geometric mean of those that dual averaging arrived at."""
    ln_steps = state.adapt_state.ss_state[1].reshape(-1, together)
    return jnp.repeat(jnp.exp(jnp.mean(ln_steps, axis=1)), together)


def _pooled_covariance(u, before, together):
    """Covariance of recent draws (N, C, P) of chains that belong together, drawn towards the one before, (C, P, P)."""
    count, chains, size = u.shape
    pooled = np.moveaxis(u.reshape(count, chains // together, together, size), 0, 2).reshape(-1, count * together, size)
    deviations = pooled - pooled.mean(axis=1, keepdims=True)
    products = np.repeat(np.einsum("gnp,gnq->gpq", deviations, deviations), together, axis=0)
    weight = PRIOR_DRAWS * size
    return jnp.asarray((products + weight * np.asarray(before)) / (count * together + weight))


def _kernel(moves, warmup):
    """numpyro's two functions: one makes a state, the other (once the first has run) a draw."""
    initialise, draw = hmc(potential_fn_gen=_potential, algo=moves.algorithm)

    def initial(u, covariance, step_size, key):
        return initialise(
            u, warmup, step_size=step_size, inverse_mass_matrix=covariance, adapt_mass_matrix=False, dense_mass=True,
            target_accept_prob=moves.target_accept, max_tree_depth=moves.tree_depths, model_args=(None, None),
            rng_key=key,
        )  # fmt: skip

    return initial, draw


def _with_length(moves, warmup, key, state):
    """The state with the length of its next trajectory, the same for all chains, as long as the depths allow."""
    if moves.trajectory is None:
        return state
    share = jax.random.uniform(jax.random.fold_in(key, state.i), minval=0.5, maxval=1.5)
    depth = jnp.where(state.i < warmup, *moves.tree_depths)
    return state._replace(
        trajectory_length=jnp.minimum(moves.trajectory * share, state.adapt_state.step_size * 2.0**depth)
    )


def _potential(target, y):
    # Without a target only the state's structure matters; `advance_chains` fills in density and slope.
    return (lambda u: 0.0 * jnp.sum(u)) if target is None else (lambda u: -ln_density(u, target, y))


@compiled
def _initial(moves, warmup, positions, covariances, step_sizes, keys):
    initial, _ = _kernel(moves, warmup)
    return jax.vmap(initial)(positions, covariances, step_sizes, keys)


@compiled
def _advance(moves, warmup, target, y, key, state, count):
    initial, draw = _kernel(moves, warmup)
    size = state.z.shape[-1]
    initial(jnp.zeros(size), jnp.eye(size), 1.0, key)

    def record(state):
        return {
            "u": state.z, "lp": -state.potential_energy, "energy": state.energy, "n_steps": state.num_steps,
            "acceptance_rate": state.accept_prob, "diverging": state.diverging,
            "step_size": state.adapt_state.step_size,
        }  # fmt: skip

    def on_device(shared, chains):
        target, count, key = shared
        state, y = chains
        step = jax.vmap(lambda state, y: draw(_with_length(moves, warmup, key, state), model_args=(target, y)))

        def body(i, carry):
            state, rows = carry
            state = step(state, y)
            return state, jax.tree.map(lambda all_, one: all_.at[:, i].set(one), rows, record(state))

        def empty(leaf):
            return jnp.zeros((leaf.shape[0], BLOCK, *leaf.shape[1:]), leaf.dtype)

        rows = jax.tree.map(empty, jax.eval_shape(record, state))
        return jax.lax.fori_loop(0, count, body, (state, rows))

    # Chains of different devices need not wait for the longer trajectories of each other.
    state, rows = shard_rows(on_device, (target, jnp.asarray(count), key), (state, y))
    return state, jax.tree.map(lambda leaf: jnp.swapaxes(leaf, 0, 1), rows)
