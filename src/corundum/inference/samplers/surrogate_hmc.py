"""Hamiltonian chains that move on a surrogate of the predictions and are corrected by one true solve for each draw."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from ...arguments import strategy
from ...storage.checkpoints import Checkpoint, fingerprints
from ..batches import in_batches
from ..evaluate import predict
from ..laplace import Laplace
from ..summaries import Prediction
from ..surrogates.base import AbstractSurrogate
from ..surrogates.kernel import KernelSurrogate
from ..surrogates.proposals import Proposals, by_gradients, by_surrogate, densities
from ..target import Target
from .base import AbstractSampler, check_numbers
from .chains import ChainProgress, Chains, ingredients, run_chains

__all__ = ["SurrogateHMC"]

STOPS = (0.1, 0.25, 0.5, 0.75, 1.0)
"""Shares of warm-up after which the surrogate is learned anew; after the last it stays as it is."""

JUDGED = 0.5
"""Share of warm-up after which a surrogate that is accepted too seldom gives way to true gradients."""

WIDE = 1.5
"""The first points spread over this many standard deviations of the Laplace approximation."""

FREEDOM = 5.0
"""Degrees of freedom of their Student t distribution, some of whose points lie far out."""

FROM_PRIOR = 0.1
"""Share of the first points that is drawn from the prior."""

LOCAL = 0.2
"""Share of proposals that are one short trajectory: where the surrogate is poor, a chain still leaves."""

TARGET_ACCEPT = 0.9
"""Acceptance of trajectories on the surrogate that the step size is adapted to."""

TARGET_TRUE = 0.8
"""The same with true gradients."""

PRIOR_DRAWS = 5
"""Draws, for each parameter, that the earlier covariance counts for when a new one is estimated."""


class _Known(NamedTuple):
    """Points whose predictions are known; the first `number` rows of arrays that can hold all of a run."""

    u: Any
    mean: Any
    error: Any
    scatter: Any
    ln_density: Any
    number: Any


class _State(NamedTuple):
    """All that the next draw depends on."""

    u: Any
    ln_density: Any
    known: _Known
    emulator: Any
    root: Any
    ln_step: Any
    number: Any
    true_gradients: Any


class SurrogateHMC(AbstractSampler):
    """Hamiltonian chains on a surrogate of the predictions, made exact by one true solve for each draw.

    A surrogate learns the predictions from those at points around the Laplace approximation, and learns them again a
    few times in warm-up from all points where the chains have been.  Then it stays as it is.  To propose a draw, a
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
    warmup: int = eqx.field(static=True, default=150)
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
        return self._sample(target, start, _first_points(self, target, start, key), key, store, progress)[0]

    def sample_each(
        self, target: Target, starts: Sequence[Laplace], y: np.ndarray, *, key: int, store: Checkpoint | None = None
    ) -> list[Chains]:
        """One after the other; predictions do not depend on data, so that each begins with what all before it know."""
        results, known = [], None
        for number, (start, data) in enumerate(zip(starts, y, strict=True)):
            one = target.with_data(data)
            first = _first_points(self, one, start, key + number, known)
            chains, known = self._sample(one, start, first, key + number, None, None)
            results.append(chains)
        return results

    def _sample(self, target, start, first, key, store, progress):
        """The chains, and all points that are known in the end."""
        surrogate = strategy("surrogate", self.surrogate, KernelSurrogate())
        seed = jax.random.PRNGKey(key)
        state, positions = _initial(self, surrogate, target, start, first)
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
            return _learned_again(self, surrogate, target, state, u)

        settings = (self, type(surrogate).__name__, type(self).__name__, key, positions, start.u, start.covariance)
        identity = fingerprints({**ingredients(target), "sampler": settings})
        stops = {max(1, round(share * self.warmup)) for share in STOPS}
        chains = run_chains(
            advance, state, self.warmup, self.draws, identity=identity, stops=stops, adapt=adapt, store=store,
            progress=progress,
        )  # fmt: skip
        return chains, known[-1]


def _first_points(sampler, target, start, key, known=None):
    """Points (N, P) about the mode where the surrogate is learned first, their predictions and log densities."""
    size, rng = len(start.u), np.random.default_rng([key, 2])
    number = sampler.first_points or 100 + (size + 1) * (size + 2)
    if known is not None:
        number = max(number // 4, 4)
    root = np.linalg.cholesky(start.covariance)
    radius = WIDE / np.sqrt(rng.chisquare(FREEDOM, size=(number, 1)) / FREEDOM)
    wide = start.u + radius * rng.normal(size=(number, size)) @ root.T
    prior = np.asarray(target.prior_draws(max(1, round(FROM_PRIOR * number)), key=key))
    draws = start.coordinate_draws(2 * sampler.chains, key=key + 1)
    u = np.concatenate([draws, wide, prior])
    points = _evaluated(target, u, sampler.chains)
    good = np.isfinite(points.ln_density)
    if good[: len(draws)].sum() < sampler.chains:
        raise ValueError(
            f"sample: the model fails at {len(draws) - good[: len(draws)].sum()} of {len(draws)} points near the mode, "
            "so chains cannot begin; look at the point estimate, or give the solver more max_steps"
        )
    points = _Known(*(np.asarray(array)[good] for array in points[:-1]), np.int64(good.sum()))
    if known is None:
        return points
    before = [np.asarray(array)[: int(known.number)] for array in known[:-1]]
    # What the true density of these data is there has to be computed, their predictions are known.
    before[-1] = _densities_of(target, before[0], before[1:4])
    nearest = np.argsort(np.linalg.norm(np.linalg.solve(root, (before[0] - start.u).T), axis=0))[:1000]
    joined = [np.concatenate([new, old[nearest]]) for new, old in zip(points[:-1], before, strict=True)]
    return _Known(*joined, np.int64(len(joined[0])))


def _evaluated(target, u, width):
    prediction = in_batches(predict, target, u, width=width)
    ln_density = np.asarray(densities(target, jnp.asarray(u), prediction))
    return _Known(u, prediction.mean, prediction.error, prediction.scatter, ln_density, np.int64(len(u)))


def _densities_of(target, u, parts):
    size = len(u)
    prediction = Prediction(*parts, np.ones(parts[0].shape, bool), np.zeros(size))
    return np.asarray(densities(target, jnp.asarray(u), prediction))


def _initial(sampler, surrogate, target, start, first):
    """The state before the first draw, and where the chains start."""
    rows = np.flatnonzero(np.isfinite(first.ln_density))[: sampler.chains]
    capacity = len(first.u) + sampler.chains * sampler.warmup
    filled = []
    for array in first[:-1]:
        room = np.zeros((capacity, *np.shape(array)[1:]))
        room[: len(array)] = array
        filled.append(room)
    root = np.linalg.cholesky(start.covariance)
    known = _Known(*filled, np.int64(len(first.u)))
    emulator = _learn(surrogate, target, known, start.u, root)
    positions = first.u[rows]
    state = _State(
        positions, first.ln_density[rows], known, emulator, root, np.float64(np.log(0.4)), np.int64(0), np.bool_(False)
    )
    return state, positions


def _learn(surrogate, target, known, center, root):
    number = int(known.number)
    u, mean, error, scatter, ln_density = (np.asarray(array)[:number] for array in known[:-1])
    prediction = Prediction(mean, error, scatter, np.ones(mean.shape, bool), np.zeros(number))
    return surrogate.learn(target, u, prediction, ln_density, center, root)


def _draw(sampler, target, state, seed, key):
    """The state after one draw of all chains, and what is recorded of it."""
    number, warming = int(state.number), int(state.number) < sampler.warmup
    rng = np.random.default_rng([key, 3, number])
    local = rng.uniform() < LOCAL
    if state.true_gradients:
        proposals = by_gradients(target, state.u, state.root, rng, float(state.ln_step))
    else:
        proposals = by_surrogate(
            target, state.emulator, jnp.asarray(state.u), jnp.asarray(state.root), jax.random.fold_in(seed, number),
            jnp.asarray(state.ln_step), jnp.asarray(local), sampler.trajectories,
        )  # fmt: skip
    proposals = Proposals(*(np.asarray(part) for part in proposals))
    points = _evaluated(target, proposals.u, sampler.chains)
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
        step = (1.0 + since) ** -0.6 * aim
        state = state._replace(ln_step=np.float64(state.ln_step + step), known=_with_points(state.known, points))
    return state, row


def _with_points(known, points):
    """`known` with further points, at which the model could be solved."""
    good = np.isfinite(points.ln_density)
    first, count = int(known.number), int(good.sum())
    arrays = []
    for room, new in zip(known[:-1], points[:-1], strict=True):
        room = np.array(room)
        room[first : first + count] = np.asarray(new)[good]
        arrays.append(room)
    return _Known(*arrays, np.int64(first + count))


def _judged(sampler):
    """Number of draws after which it is decided whether the surrogate is good enough."""
    return max(1, round(JUDGED * sampler.warmup))


def _learned_again(sampler, surrogate, target, state, u):
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
    return state._replace(emulator=_learn(surrogate, target, state.known, center, root), root=root)
