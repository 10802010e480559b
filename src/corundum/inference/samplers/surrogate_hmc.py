"""Hamiltonian chains that move on a surrogate of the predictions and are corrected by one true solve for each draw."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from ...arguments import strategy
from ...storage.checkpoints import Checkpoint, fingerprints
from ..laplace import Laplace
from ..surrogates.annealing import LAST_MOVES, TARGET_ACCEPT, annealed, from_prior
from ..surrogates.base import AbstractSurrogate
from ..surrogates.kernel import KernelSurrogate, theta_of
from ..surrogates.known_points import KnownPoints, evaluated, first_points
from ..surrogates.mixtures import Mixture, mixture_about
from ..surrogates.proposals import Proposals, by_gradients, by_mixture, by_surrogate, by_walk
from ..surrogates.stages import KeptStages
from ..target import Target
from .base import AbstractSampler, check_numbers
from .chains import ChainProgress, Chains, ingredients, run_chains
from .diagnostics import enough

__all__ = ["SurrogateHMC"]

LEAST_DRAWS, MORE_DRAWS, MOST_DRAWS = 800, 400, 3200
"""Of each chain where no number is chosen: at first, when these are not enough, and in all."""

STOPS = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Shares of warm-up after which the surrogate is learned anew; after the last it stays as it is."""

JUDGED = 0.5
"""Share of warm-up after which a surrogate that is accepted too seldom gives way to true gradients."""

WALKS, JUMPS = 0.1, 0.3
"""Shares of proposals that are a step of a random walk, and a draw of the mixture about the annealed population: a
chain also leaves a place where the surrogate is poor."""

KEPT = 4000
"""Most points of annealing that the surrogate learns from later on: those of the highest density."""

TARGET_TRUE = 0.8
"""Acceptance of trajectories with true gradients that the step size is adapted to."""

PRIOR_DRAWS = 5
"""Draws, for each parameter, that the earlier covariance counts for when a new one is estimated."""


class _State(NamedTuple):
    """All that the next draw depends on."""

    u: Any
    ln_density: Any
    known: KnownPoints
    emulator: Any
    mixture: Mixture
    root: Any
    ln_step: Any
    number: Any
    true_gradients: Any


class SurrogateHMC(AbstractSampler):
    """Hamiltonian chains on a surrogate of the predictions, made exact by one true solve for each draw.

    Warm-up begins with a population of points that follows the posterior from the prior on, as the likelihood is turned
    on in stages, so that it lies in all of the posterior, tails and other modes included.  A surrogate learns the
    predictions from all points that are solved on the way, and some times again from where the chains have been in
    warm-up.  Then it stays as it is, and so does the population.  The chains start at points of the population.  To
    propose a draw, a chain makes some Hamiltonian moves, and jumps to draws of a mixture about the population, that
    leave the surrogate's posterior invariant; the true posterior accepts or rejects where they end (delayed
    acceptance).  The draws therefore have the true posterior whatever the surrogate is; only how often they are
    accepted depends on it.  Where that is less than `least_acceptance` in warm-up, the chains go on with gradients of
    the true density.

    Parameters
    ----------
    surrogate : AbstractSurrogate, optional
        Default `KernelSurrogate()`.
    chains : int
    warmup : int
        Draws of each chain before those that count.
    draws : int, optional
        Of each chain; by default 800, and then 400 more at a time, at most 3200 in all, until R-hat of every parameter
        is below 1.01 and 400 draws are effective in its bulk and its tails.
    first_points : int, optional
        Solves about the mode before the first proposal; default 100 more than twice the coefficients of a quadratic.
    population : int
        Points that are annealed from the prior to the posterior.
    trajectories : int
        Hamiltonian moves on the surrogate before the true density is asked.
    least_acceptance : float
        From 0, never to give up the surrogate, to 1, always to use true gradients.

    Raises
    ------
    ValueError
        A number is out of its range, or the model fails near the mode or at all draws of the prior.

    References
    ----------
    Christen & Fox 2005, J. Comp. Graph. Stat. 14, 795 (delayed acceptance); Liu 2001, Monte Carlo Strategies in
    Scientific Computing, section 9.4.3 (surrogate transitions); Rasmussen 2003, Bayesian Statistics 7, 651;
    Del Moral, Doucet & Jasra 2006, J. R. Statist. Soc. B 68, 411 (annealed populations).

    Examples
    --------
    >>> target = co.inference.Target.of_function(lambda theta: theta**2, [1.0], [0.1], {"a": (0.0, 5.0)})
    >>> best = co.inference.maximise(target, starts=2)
    >>> sampler = co.inference.SurrogateHMC(chains=4, warmup=20, draws=100)
    >>> posterior = co.inference.sample(target, best, sampler=sampler)
    >>> stats = posterior.data.sample_stats
    >>> float(stats.acceptance_rate.values[~stats.local.values].mean()) > 0.8  # of moves on the surrogate
    True
    """

    surrogate: AbstractSurrogate | None = None
    chains: int = eqx.field(static=True, default=8)
    warmup: int = eqx.field(static=True, default=100)
    draws: int | None = eqx.field(static=True, default=None)
    first_points: int | None = eqx.field(static=True, default=None)
    population: int = eqx.field(static=True, default=200)
    trajectories: int = eqx.field(static=True, default=3)
    least_acceptance: float = eqx.field(static=True, default=0.1)
    needs_start: ClassVar[bool] = False

    def __check_init__(self):
        check_numbers(
            chains=(self.chains, 1), warmup=(self.warmup, 1), draws=(self._most, 4),
            population=(self.population, 8), trajectories=(self.trajectories, 1),
        )  # fmt: skip
        if self.first_points is not None:
            check_numbers(first_points=(self.first_points, 1))
        if not 0.0 <= self.least_acceptance <= 1.0:
            raise ValueError(f"least_acceptance: got {self.least_acceptance!r}; allowed a number from 0 to 1")

    def sample(
        self,
        target: Target,
        start: Laplace | None = None,
        *,
        key: int,
        store: Checkpoint | None = None,
        progress: Callable[[ChainProgress], None] | None = None,
    ) -> Chains:
        first = None
        if start is not None:
            first = first_points(target, start, self._first_number(len(start.u)), self.chains, key)
        return self._sample(target, start, first, None, key, store, progress)[0]

    def sample_each(
        self, target: Target, starts: Sequence[Laplace], y: np.ndarray, *, key: int, store: Checkpoint | None = None
    ) -> list[Chains]:
        """One after the other; predictions do not depend on data, so that each begins with what the one before knew."""
        results: list[Chains] = []
        before: _Before | None = None
        for number, (start, data) in enumerate(zip(starts, y, strict=True)):
            one, count = target.with_data(data), self._first_number(len(start.u))
            known = None if before is None else before.known
            first = first_points(one, start, count if known is None else max(count // 4, 4), self.chains, key, known)
            chains, before = self._sample(one, start, first, before, key + number, None, None)
            results.append(chains)
        return results

    @property
    def _most(self):
        return MOST_DRAWS if self.draws is None else self.draws

    def _first_number(self, size):
        return self.first_points or 100 + (size + 1) * (size + 2)

    def _sample(self, target, start, first, before, key, store, progress):
        """The chains, and what is known in the end."""
        surrogate = strategy("surrogate", self.surrogate, KernelSurrogate())
        seed = jax.random.PRNGKey(key)
        stops = {max(1, round(share * self.warmup)) for share in STOPS}
        if before is None:
            population = from_prior(target, self.population, self.chains, key)
        else:
            population = before.population.of(target)
        state, positions = _initial(self, surrogate, target, start, population if first is None else first)
        known = [state.known]

        def advance(state, count):
            rows = []
            state = jax.tree.map(np.asarray, state)
            for _ in range(int(count)):
                state, row = _draw(self, target, state, seed, key)
                rows.append(row)
            known[:] = [state.known]
            return state, {name: np.stack([row[name] for row in rows]) for name in rows[0]}

        def adapt(state, u):
            if len(u) == 1:
                return _annealed(self, surrogate, target, state, population, key, stages)
            return _learned_again(self, surrogate, target, state, u)

        about = None if start is None else (start.u, start.covariance)
        settings = (self, type(surrogate).__name__, type(self).__name__, key, positions, about)
        identity = fingerprints({**ingredients(target), "sampler": settings})
        stages = KeptStages(store, identity)
        chains = run_chains(
            advance, state, self.warmup, self._most, identity=identity, stops=stops, adapt=adapt, store=store,
            progress=progress, enough=lambda u: enough(theta_of(target, u)),
            pauses=() if self.draws is not None else range(LEAST_DRAWS, MOST_DRAWS, MORE_DRAWS),
        )  # fmt: skip
        stages.remove()
        return chains, _Before(known[0], population)


class _Before(NamedTuple):
    """Points whose predictions are known from other data, and the population that annealing begins with."""

    known: KnownPoints
    population: KnownPoints


def _initial(sampler, surrogate, target, start, known):
    """The state before the first draw, and where the chains start."""
    size = known.u.shape[1]
    center, root = (np.zeros(size), np.eye(size)) if start is None else (start.u, np.linalg.cholesky(start.covariance))
    emulator = _learn(surrogate, target, known, center, root)
    near = center + np.random.default_rng(0).normal(size=(LAST_MOVES * sampler.population, size)) @ root.T
    rows = np.arange(sampler.chains) % int(known.number)
    u, ln_density = known.u[rows], known.ln_density[rows]
    state = _State(
        u, ln_density, _with_fixed_room(sampler, known), emulator, mixture_about(near), root, np.float64(np.log(0.4)),
        np.int64(0), np.bool_(False),
    )  # fmt: skip
    return state, u


def _with_fixed_room(sampler, known):
    """The points of the highest density, in arrays that can hold those of warm-up as well."""
    known = known.best(KEPT)
    return known.with_room(KEPT - int(known.number) + sampler.chains * sampler.warmup)


def _annealed(sampler, surrogate, target, state, population, key, stages):
    """The state with chains, mixture and surrogate of a population that was annealed."""
    result = annealed(
        surrogate, target, population, state.known.with_room(0), key=key, width=sampler.chains,
        trajectories=sampler.trajectories, ln_step=float(state.ln_step), stages=stages,
    )  # fmt: skip
    order = np.random.default_rng([key, 7]).permutation(len(result.points.u))
    chosen = result.points.among(np.resize(order, sampler.chains))
    return state._replace(
        u=chosen.u, ln_density=chosen.ln_density, known=_with_fixed_room(sampler, result.known),
        emulator=result.emulator, mixture=result.mixture, root=result.root, ln_step=np.float64(result.ln_step),
    )  # fmt: skip


def _learn(surrogate, target, known, center, root):
    u, *_, ln_density = known.rows
    return surrogate.learn(target, u, known.prediction, ln_density, center, root)


def _draw(sampler, target, state, seed, key):
    """The state after one draw of all chains, and what is recorded of it."""
    number, warming = int(state.number), int(state.number) < sampler.warmup
    rng = np.random.default_rng([key, 3, number])
    chance, draw_key = rng.uniform(), jax.random.fold_in(seed, number)
    local = chance < WALKS + JUMPS
    if chance < WALKS:
        proposals = by_walk(state.u, state.root, rng)
    elif chance < WALKS + JUMPS:
        proposals = by_mixture(jax.tree.map(jnp.asarray, state.mixture), jnp.asarray(state.u), draw_key)
    elif state.true_gradients:
        proposals = by_gradients(target, state.u, state.root, rng, float(state.ln_step))
    else:
        proposals = by_surrogate(
            target, state.emulator, jax.tree.map(jnp.asarray, state.mixture), jnp.asarray(state.u),
            jnp.asarray(state.root), draw_key, jnp.asarray(state.ln_step), jnp.asarray(1.0),
            sampler.trajectories,
        )  # fmt: skip
    proposals = Proposals(*(np.asarray(part) for part in proposals))
    points = evaluated(target, proposals.u, sampler.chains)
    with np.errstate(invalid="ignore"):
        gain = points.ln_density - state.ln_density + proposals.ln_ratio
    acceptance = np.exp(np.minimum(np.where(np.isnan(gain), -np.inf, gain), 0.0))
    accepted = rng.uniform(size=len(gain)) < acceptance
    u = np.where(accepted[:, None], proposals.u, state.u)
    ln_density = np.where(accepted, points.ln_density, state.ln_density)
    row = {
        "u": u, "lp": ln_density, "acceptance_rate": acceptance, "local": np.full(len(u), local),
        "step_size": np.full(len(u), np.exp(state.ln_step)),
        "true_gradients": np.full(len(u), bool(state.true_gradients)),
    }  # fmt: skip
    state = state._replace(u=u, ln_density=ln_density, number=np.int64(number + 1))
    if warming:
        if not local:
            mean = acceptance.mean() - TARGET_TRUE
            aim = mean if state.true_gradients else float(proposals.acceptance) - TARGET_ACCEPT
            since = number - _judged(sampler) if state.true_gradients else number
            step = 0.0 if np.isnan(aim) else (1.0 + since) ** -0.6 * aim
            state = state._replace(ln_step=np.float64(state.ln_step + step))
        state = state._replace(known=state.known.joined(points))
    return state, row


def _judged(sampler):
    """Number of draws after which it is decided whether the surrogate is good enough."""
    return max(1, round(JUDGED * sampler.warmup))


def _learned_again(sampler, surrogate, target, state, u):
    """The state with an emulator and a covariance from all that warm-up has seen, (draws, chains, P) so far."""
    if len(u) == _judged(sampler):
        recent = u[len(u) // 2 :]
        accepted = np.mean(np.any(np.diff(recent, axis=0) != 0.0, axis=2)) if len(recent) > 1 else 1.0
        poor = accepted < sampler.least_acceptance
        state = state._replace(
            true_gradients=np.bool_(poor), ln_step=np.float64(np.log(0.3)) if poor else np.asarray(state.ln_step)
        )
    recent = u[len(u) // 2 :].reshape(-1, u.shape[-1])
    center = recent.mean(axis=0)
    before = np.asarray(state.root) @ np.asarray(state.root).T
    deviations = recent - center
    weight = PRIOR_DRAWS * u.shape[-1]
    root = np.linalg.cholesky((deviations.T @ deviations + weight * before) / (len(recent) + weight))
    state = state._replace(root=root)
    if state.true_gradients:
        return state
    return state._replace(emulator=_learn(surrogate, target, state.known, center, root))
