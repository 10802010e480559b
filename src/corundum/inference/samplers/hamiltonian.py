"""Hamiltonian samplers, by numpyro: all chains as one list of solves, scaled by the Laplace approximation.

Warm-up is shared: one chain alone would learn its mass matrix from a few dozen correlated draws, and a chain whose step
size came out small crawls.  At a few stops the chains of a posterior therefore
get one mass matrix from the later half of the draws of all, and at the end of warm-up one step size.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from numpyro.infer.hmc import hmc

from ...numerics.batching import shard_rows
from ..batches import in_batches
from ..evaluate import linearise, log_density
from ..laplace import Laplace
from ..posterior import Posterior, posterior_of
from ..target import Target
from .chains import BLOCK, ChainProgress, Chains, ChainStore, digests, parts_of, run_chains

__all__ = ["NutsSettings", "nuts", "nuts_chains"]

STOPS = (0.2, 0.5, 0.75, 1.0)
"""Shares of warm-up after which chains learn from each other; the last quarter is left to the step size."""

DRAWS_OF_LAST = 5
"""Draws that the mass matrix so far counts for, for each parameter."""


class NutsSettings(NamedTuple):
    """How the sampler moves.

    Attributes
    ----------
    target_accept : float
        Acceptance that the step size is adapted to.
    max_tree_depth : int
        A trajectory takes at most two to this power steps.
    warmup_tree_depth : int
        The same in warm-up, when steps of the wrong size make long ones useless.
    adapt_mass : bool
        Whether warm-up refines the mass matrix of the Laplace approximation, with the draws of all chains.
    trajectory : float, optional
        Length of all trajectories, in standard deviations of the mass matrix; each takes between half and three halves
        of it, the same for all chains.  By default each finds its own length (NUTS).  A third of a turn, 2.0,
        costs a few gradients a draw where the posterior is not too far from a Gaussian, and no chain waits for longer
        trajectories of others.
    """

    target_accept: float = 0.85
    max_tree_depth: int = 8
    warmup_tree_depth: int = 5
    adapt_mass: bool = True
    trajectory: float | None = None


def nuts(
    target: Target,
    start: Laplace,
    *,
    chains: int = 4,
    warmup: int = 200,
    draws: int = 500,
    key: int = 0,
    settings: NutsSettings | None = None,
    store: ChainStore | None = None,
    progress: Callable[[ChainProgress], None] | None = None,
) -> Posterior:
    """Draw from the posterior.

    Parameters
    ----------
    target : Target
    start : Laplace
        Chains begin at draws from it, and its covariance is the first mass matrix.
    chains, warmup, draws : int
        `warmup` and `draws` of each chain.
    key : int
    settings : NutsSettings, optional
    store : ChainStore, optional
        Where to keep an unfinished run; what it holds is resumed.
    progress : callable, optional

    Raises
    ------
    ValueError
        The model fails wherever chains would begin, a number makes no sense, or the store holds another run.
    """
    settings = NutsSettings() if settings is None else settings
    _check(chains, warmup, draws)
    begin = _beginnings(target, start, chains, key)
    y = np.broadcast_to(np.asarray(target.data.y), (chains, len(target.data)))
    covariance = np.broadcast_to(start.covariance, (chains, *start.covariance.shape))
    made = nuts_chains(
        target, begin, covariance, y, warmup, draws, key, settings, together=chains, store=store, progress=progress
    )
    about = {
        "sampler": f"{_algorithm(settings)} (numpyro)",
        "chains": chains,
        "warmup": warmup,
        "key": key,
        **settings._asdict(),
    }
    return posterior_of(target, made, about)


def _check(chains, warmup, draws):
    for name, value, least in (("chains", chains, 1), ("warmup", warmup, 1), ("draws", draws, 4)):
        if not (isinstance(value, int | np.integer) and value >= least):
            raise ValueError(f"{name}: got {value!r}; allowed a whole number from {least}")


def _beginnings(target, start, chains, key):
    """Draws from the Laplace approximation where the model can be solved."""
    tries = start.coordinate_draws(4 * chains, key=key + 1)
    value = in_batches(linearise, target, tries).log_density
    good = tries[np.isfinite(value)]
    if len(good) < chains:
        raise ValueError(
            f"nuts: the model fails at {len(tries) - len(good)} of {len(tries)} points near the mode, so chains cannot "
            "begin; look at the point estimate, or give the solver more max_steps"
        )
    return good[:chains]


def nuts_chains(
    target: Target,
    begin: np.ndarray,
    covariance: np.ndarray,
    y: np.ndarray,
    warmup: int,
    draws: int,
    key: int,
    settings: NutsSettings,
    *,
    together: int,
    **keeping: Any,
) -> Chains:
    """Chains from given beginnings, each with data `y` and a first covariance of its own.

    Every `together` neighbours have the same data, and warm up together.
    """
    key_of_lengths, *keys = jax.random.split(jax.random.PRNGKey(key), len(begin) + 1)
    begin, covariance, y = (jnp.asarray(each, jnp.float64) for each in (begin, covariance, y))
    steps = jnp.full(len(begin), begin.shape[1] ** -0.25)
    state = _initial(settings, warmup, begin, covariance, steps, jnp.stack(keys))
    told = in_batches(linearise, target, begin, y)
    state = state._replace(potential_energy=jnp.asarray(-told.log_density), z_grad=jnp.asarray(-told.gradient))

    def advance(state, count):
        return _advance(settings, warmup, target, y, key_of_lengths, state, count)

    def adapt(state, u):
        steps = _pooled_steps(state, together)
        if len(u) == warmup:
            return state._replace(adapt_state=state.adapt_state._replace(step_size=steps))
        matrix = state.adapt_state.inverse_mass_matrix
        if settings.adapt_mass:
            matrix = _pooled_covariance(u[len(u) // 2 :], matrix, together)
        fresh = _initial(settings, warmup, state.z, matrix, steps, state.rng_key)
        return state._replace(adapt_state=fresh.adapt_state, rng_key=fresh.rng_key)

    identity = digests({**parts_of(target, y), "sampler": (settings, warmup, draws, key, np.asarray(begin))})
    stops = {max(1, round(share * warmup)) for share in STOPS}
    return run_chains(advance, state, warmup, draws, identity=identity, stops=stops, adapt=adapt, **keeping)


def _pooled_steps(state, together):
    """One step size for chains that belong together: the geometric mean of those that dual averaging has found."""
    logs = state.adapt_state.ss_state[1].reshape(-1, together)
    return jnp.repeat(jnp.exp(jnp.mean(logs, axis=1)), together)


def _pooled_covariance(u, before, together):
    """Covariance of recent draws (N, C, P) of chains that belong together, drawn towards the one before, (C, P, P)."""
    count, chains, size = u.shape
    pooled = np.moveaxis(u.reshape(count, chains // together, together, size), 0, 2).reshape(-1, count * together, size)
    off = pooled - pooled.mean(axis=1, keepdims=True)
    products = np.repeat(np.einsum("gnp,gnq->gpq", off, off), together, axis=0)
    weight = DRAWS_OF_LAST * size
    return jnp.asarray((products + weight * np.asarray(before)) / (count * together + weight))


def _kernel(settings, warmup):
    """The sampler's two functions; the second knows its schedule once the first has run."""
    begin, sample = hmc(potential_fn_gen=_potential, algo=_algorithm(settings))

    depth = (settings.warmup_tree_depth, settings.max_tree_depth)

    def start(u, covariance, step, key):
        return begin(
            u, warmup, step_size=step, inverse_mass_matrix=covariance, adapt_mass_matrix=False, dense_mass=True,
            target_accept_prob=settings.target_accept, max_tree_depth=depth, model_args=(None, None), rng_key=key,
        )  # fmt: skip

    return start, sample


def _algorithm(settings):
    return "NUTS" if settings.trajectory is None else "HMC"


def _with_length(settings, warmup, key, state):
    """The state with the length of its next trajectory, the same for all chains, no longer than a tree may be deep."""
    if settings.trajectory is None:
        return state
    share = jax.random.uniform(jax.random.fold_in(key, state.i), minval=0.5, maxval=1.5)
    depth = jnp.where(state.i < warmup, settings.warmup_tree_depth, settings.max_tree_depth)
    return state._replace(
        trajectory_length=jnp.minimum(settings.trajectory * share, state.adapt_state.step_size * 2.0**depth)
    )


def _potential(target, y):
    # Without a target the states alone are wanted; density and slope are filled in by `nuts_chains`.
    return (lambda u: 0.0 * jnp.sum(u)) if target is None else (lambda u: -log_density(u, target, y))


@eqx.filter_jit
def _initial(settings, warmup, begin, covariance, steps, keys):
    start, _ = _kernel(settings, warmup)
    return jax.vmap(start)(begin, covariance, steps, keys)


@eqx.filter_jit
def _advance(settings, warmup, target, y, key, state, count):
    start, sample = _kernel(settings, warmup)
    size = state.z.shape[-1]
    start(jnp.zeros(size), jnp.eye(size), 1.0, key)

    def record(state):
        return {
            "u": state.z, "lp": -state.potential_energy, "energy": state.energy, "n_steps": state.num_steps,
            "acceptance_rate": state.accept_prob, "diverging": state.diverging,
            "step_size": state.adapt_state.step_size,
        }  # fmt: skip

    def on_device(shared, chains):
        target, count, key = shared
        state, y = chains
        step = jax.vmap(lambda state, y: sample(_with_length(settings, warmup, key, state), model_args=(target, y)))

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
