"""Hamiltonian chains that move on a surrogate of the predictions and are corrected by one true solve for each draw."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from ...arguments import strategy
from ...storage.checkpoints import Checkpoint, fingerprints
from ..laplace import Laplace
from ..surrogates.base import AbstractSurrogate
from ..surrogates.kernel import KernelSurrogate
from ..surrogates.known_points import EXPLORERS, Explorers, KnownPoints, evaluated, explored, first_points
from ..surrogates.proposals import Proposals, by_gradients, by_surrogate, by_walk
from ..target import Target
from .base import AbstractSampler, check_numbers
from .chains import ChainProgress, Chains, ingredients, run_chains

__all__ = ["SurrogateHMC"]

STOPS = (0.0, 0.1, 0.25, 0.5, 0.75, 1.0)
"""Shares of warm-up after which the surrogate is learned anew; after the last it stays as it is."""

JUDGED = 0.5
"""Share of warm-up after which a surrogate that is accepted too seldom gives way to true gradients."""

LOCAL = 0.2
"""Share of proposals that are a step of a random walk: a chain also leaves a place where the surrogate is poor."""

ROUNDS = 6
"""Rounds of exploring after the first draw; one more each time that the surrogate is learned anew."""

TARGET_ACCEPT = 0.9
"""Acceptance of trajectories on the surrogate that the step size is adapted to."""

TARGET_TRUE = 0.8
"""The same with true gradients."""

PRIOR_DRAWS = 5
"""Draws, for each parameter, that the earlier covariance counts for when a new one is estimated."""


class _State(NamedTuple):
    """All that the next draw depends on."""

    u: Any
    ln_density: Any
    known: KnownPoints
    explorers: Explorers
    emulator: Any
    root: Any
    ln_step: Any
    number: Any
    true_gradients: Any


class SurrogateHMC(AbstractSampler):
    """Hamiltonian chains on a surrogate of the predictions, made exact by one true solve for each draw.

    A surrogate learns the predictions from those at points around the Laplace approximation, and learns them again a
    few times in warm-up from all points where the chains have been, and explorers at higher temperatures, which show
    it tails and corners of the posterior.  Then it stays as it is.  To propose a draw, a
    chain makes some Hamiltonian moves that leave the surrogate's posterior invariant; the true posterior accepts or
    rejects where they end (delayed acceptance).  The draws therefore have the true posterior whatever the surrogate is;
    only how often they are accepted depends on it.  Where that is less than `least_acceptance` in warm-up, the chains
    go on with gradients of the true density.

    Parameters
    ----------
    surrogate : AbstractSurrogate, optional
        Default `KernelSurrogate()`.
    chains : int
    warmup, draws : int
        Of each chain.
    first_points : int, optional
        Solves before the first proposal; default 100 more than twice the coefficients of a quadratic.
    trajectories : int
        Hamiltonian moves on the surrogate before the true density is asked.
    least_acceptance : float
        From 0, never to give up the surrogate, to 1, always to use true gradients.

    Raises
    ------
    ValueError
        A number is out of its range, or the model fails near the mode.

    References
    ----------
    Christen & Fox 2005, J. Comp. Graph. Stat. 14, 795 (delayed acceptance); Liu 2001, Monte Carlo Strategies in
    Scientific Computing, section 9.4.3 (surrogate transitions); Rasmussen 2003, Bayesian Statistics 7, 651.

    Examples
    --------
    >>> target = co.inference.Target.of_function(lambda theta: theta**2, [1.0], [0.1], {"a": (0.0, 5.0)})
    >>> best = co.inference.maximise(target, starts=2)
    >>> sampler = co.inference.SurrogateHMC(chains=4, warmup=20, draws=100)
    >>> posterior = co.inference.sample(target, best, sampler=sampler)
    >>> float(posterior.data.sample_stats.acceptance_rate.mean()) > 0.8
    True
    """

    surrogate: AbstractSurrogate | None = None
    chains: int = eqx.field(static=True, default=8)
    warmup: int = eqx.field(static=True, default=100)
    draws: int = eqx.field(static=True, default=500)
    first_points: int | None = eqx.field(static=True, default=None)
    trajectories: int = eqx.field(static=True, default=6)
    least_acceptance: float = eqx.field(static=True, default=0.1)

    def __check_init__(self):
        check_numbers(
            chains=(self.chains, 1), warmup=(self.warmup, 1), draws=(self.draws, 4), trajectories=(self.trajectories, 1)
        )
        if self.first_points is not None:
            check_numbers(first_points=(self.first_points, 1))
        if not 0.0 <= self.least_acceptance <= 1.0:
            raise ValueError(f"least_acceptance: got {self.least_acceptance!r}; allowed a number from 0 to 1")

    def sample(
        self,
        target: Target,
        start: Laplace,
        *,
        key: int,
        store: Checkpoint | None = None,
        progress: Callable[[ChainProgress], None] | None = None,
    ) -> Chains:
        first = first_points(target, start, self._first_number(len(start.u)), self.chains, key)
        return self._sample(target, start, first, key, store, progress)[0]

    def sample_each(
        self, target: Target, starts: Sequence[Laplace], y: np.ndarray, *, key: int, store: Checkpoint | None = None
    ) -> list[Chains]:
        """One after the other; predictions do not depend on data, so that each begins with what all before it know."""
        results, known = [], None
        for number, (start, data) in enumerate(zip(starts, y, strict=True)):
            one, count = target.with_data(data), self._first_number(len(start.u))
            if known is not None:
                count = max(count // 4, 4)
            first = first_points(one, start, count, self.chains, key + number, known)
            chains, known = self._sample(one, start, first, key + number, None, None)
            results.append(chains)
        return results

    def _first_number(self, size):
        return self.first_points or 100 + (size + 1) * (size + 2)

    def _sample(self, target, start, first, key, store, progress):
        """The chains, and all points that are known in the end."""
        surrogate = strategy("surrogate", self.surrogate, KernelSurrogate())
        seed = jax.random.PRNGKey(key)
        stops = {max(1, round(share * self.warmup)) for share in STOPS}
        room = self.chains * self.warmup + (ROUNDS + len(stops)) * (EXPLORERS + self.chains)
        state, positions = _initial(self, surrogate, target, start, first.with_room(room))
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
            return _learned_again(self, surrogate, target, state, u, jax.random.fold_in(seed, len(u)))

        settings = (self, type(surrogate).__name__, type(self).__name__, key, positions, start.u, start.covariance)
        identity = fingerprints({**ingredients(target), "sampler": settings})
        chains = run_chains(
            advance, state, self.warmup, self.draws, identity=identity, stops=stops, adapt=adapt, store=store,
            progress=progress,
        )  # fmt: skip
        return chains, known[-1]


def _initial(sampler, surrogate, target, start, known):
    """The state before the first draw, and where the chains start."""
    rows = slice(0, sampler.chains)
    first = np.arange(EXPLORERS) % int(known.number)
    root = np.linalg.cholesky(start.covariance)
    emulator = _learn(surrogate, target, known, start.u, root)
    state = _State(
        known.u[rows], known.ln_density[rows], known, Explorers(known.u[first], known.ln_density[first]), emulator,
        root, np.float64(np.log(0.4)), np.int64(0), np.bool_(False),
    )  # fmt: skip
    return state, known.u[rows]


def _learn(surrogate, target, known, center, root):
    u, *_, ln_density = known.rows
    return surrogate.learn(target, u, known.prediction, ln_density, center, root)


def _draw(sampler, target, state, seed, key):
    """The state after one draw of all chains, and what is recorded of it."""
    number, warming = int(state.number), int(state.number) < sampler.warmup
    rng = np.random.default_rng([key, 3, number])
    local = rng.uniform() < LOCAL
    if state.true_gradients:
        proposals = by_gradients(target, state.u, state.root, rng, float(state.ln_step))
    elif local:
        proposals = by_walk(state.u, state.root, rng)
    else:
        proposals = by_surrogate(
            target, state.emulator, jnp.asarray(state.u), jnp.asarray(state.root), jax.random.fold_in(seed, number),
            jnp.asarray(state.ln_step), jnp.ones(len(state.u)), sampler.trajectories,
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
        aim = acceptance.mean() - TARGET_TRUE if state.true_gradients else float(proposals.acceptance) - TARGET_ACCEPT
        since = number - _judged(sampler) if state.true_gradients else number
        step = 0.0 if np.isnan(aim) else (1.0 + since) ** -0.6 * aim
        state = state._replace(ln_step=np.float64(state.ln_step + step), known=state.known.joined(points))
    return state, row


def _judged(sampler):
    """Number of draws after which it is decided whether the surrogate is good enough."""
    return max(1, round(JUDGED * sampler.warmup))


def _learned_again(sampler, surrogate, target, state, u, key):
    """The state with an emulator and a covariance from all that warm-up has seen, (draws, chains, P) so far."""
    if len(u) == _judged(sampler) and len(u) > 1:
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
    for turn in range(0 if state.true_gradients else ROUNDS if len(u) == 1 else 1):
        explorers, points = explored(
            target, state.emulator, state.explorers, root, float(state.ln_step), jax.random.fold_in(key, turn),
            sampler.trajectories, sampler.chains,
        )  # fmt: skip
        known = state.known.joined(points)
        emulator = _learn(surrogate, target, known, center, root)
        state = state._replace(known=known, explorers=explorers, emulator=emulator)
    return state
