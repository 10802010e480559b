"""Annealing: a population of points that follows the posterior from the prior on, so that it lies in all of it.

The likelihood counts to a power that grows from zero to one in stages (sequential Monte Carlo).  At each stage points
are drawn anew in proportion to how much their density has grown, and then moved on a surrogate that learns from all
points that have been solved.  True densities accept or reject the moves, so that the population has the posterior,
modes and tails included, as far as its number of points can tell.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from ...numerics.compiling import compiled
from ..batches import in_batches
from ..target import Target
from .base import AbstractSurrogate
from .known_points import BATCH, KnownPoints, evaluated
from .mixtures import Mixture, mixture_about
from .proposals import by_surrogate
from .stages import KeptStages, Stage

__all__ = ["Annealed", "annealed", "from_prior"]

SHARE = 0.5
"""Of the population, the effective number that a stage leaves."""

MOVES = 2
"""Of every point at each stage."""

LAST_MOVES = 4
"""At the last stage; where the points are after each of these moves are draws of the posterior."""

MOST_STAGES = 60

TARGET_ACCEPT = 0.8
"""Acceptance of trajectories on the surrogate that the step size is adapted to."""

PRIOR_DRAWS = 5
"""Draws that the standard deviations of a covariance count for against its correlations."""

NOTHING = -1e10
"""ln of a density that is zero."""


class Annealed(NamedTuple):
    """What annealing leaves.

    Attributes
    ----------
    points : KnownPoints
        Draws of the posterior, N of them.
    mixture : Mixture
        About more of them: where the points were after each of the last moves.
    known : KnownPoints
        All points whose predictions are known.
    emulator
        Learned from these.
    center, root : arrays, (P,) and (P, P)
        Mean and root of the covariance of these draws.
    ln_step : float
    """

    points: KnownPoints
    mixture: Mixture
    known: KnownPoints
    emulator: Any
    center: Any
    root: Any
    ln_step: float


def from_prior(target: Target, number: int, width: int, key: int) -> KnownPoints:
    """The population that annealing begins with: draws of the prior at which the model can be solved.

    Raises
    ------
    ValueError
        It can be solved at none of them.
    """
    points = evaluated(target, np.asarray(target.prior_draws(number, key=key)), width)
    good = np.flatnonzero(np.isfinite(points.ln_density))
    if not len(good):
        raise ValueError(
            f"sample: the model fails at all of {number} draws of the prior, so that no population can begin; give "
            "narrower priors, or the solver more max_steps"
        )
    # Where it fails there is no likelihood either: others take these places.
    return points.among(np.resize(good, number))


def annealed(
    surrogate: AbstractSurrogate, target: Target, population: KnownPoints, known: KnownPoints, *, key: int, width: int,
    trajectories: int, ln_step: float, stages: KeptStages,
) -> Annealed:  # fmt: skip
    """A population that follows the posterior of the target from the prior on.

    Parameters
    ----------
    population : KnownPoints
        Draws of the prior, as `from_prior` makes them.
    known : KnownPoints
        Other points that the surrogate learns from as well.
    width : int
        Points that are solved, and moved, at once.
    stages : KeptStages
        Where each stage is kept before it begins; one that is there is resumed.
    """
    known = known.with_room(0).without(population).with_room(len(population.u)).joined(population)
    stage = stages.load() or Stage(
        population, _ln_prior(target, population.u), known, _ln_prior(target, known.rows[0]), 0.0, ln_step, 0
    )
    draws: np.ndarray | None = None
    while draws is None:
        stages.save(stage)
        stage, draws = _next_stage(surrogate, target, stage, key, width, trajectories)
    center, root = _spread(draws, np.full(len(draws), 1.0 / len(draws)))
    u, *_, ln_density = stage.known.rows
    emulator = surrogate.learn(target, u, stage.known.prediction, ln_density, center, root)
    return Annealed(stage.population, mixture_about(draws), stage.known, emulator, center, root, stage.ln_step)


def _next_stage(surrogate, target, stage, key, width, trajectories):
    """The state after one more stage, and after the last one all points that its moves ended at."""
    population, first, known, known_first, power, ln_step, number = stage
    rng, size = np.random.default_rng([key, 6, number]), len(population.u)
    seed = jax.random.fold_in(jax.random.PRNGKey(key), number)
    gain = population.ln_density - first
    power, share = _next_power(gain, power, number == MOST_STAGES - 1)
    last, visited = power == 1.0, []
    center, root = _spread(population.u, share)
    population, first = _resampled(population, first, share, rng)
    mixture, emulator = jax.tree.map(jnp.asarray, mixture_about(population.u)), None
    for move in range(LAST_MOVES if last else MOVES):
        if move == 0 or last or number == 0:
            u, *_, ln_density = known.rows
            tempered = known_first + power * (ln_density - known_first)
            emulator = surrogate.learn(target, u, known.prediction, tempered, center, root)
        ends, ln_ratio, acceptance = _moved(
            target, emulator, mixture, population.u, root, jax.random.fold_in(seed, move), ln_step, power,
            trajectories, width,
        )  # fmt: skip
        ln_step += np.clip(np.nan_to_num(acceptance) - TARGET_ACCEPT, -0.5, 0.5)
        points = evaluated(target, ends, width)
        points = points._replace(ln_density=np.where(np.isfinite(points.ln_density), points.ln_density, NOTHING))
        points_first = _ln_prior(target, points.u)
        rise = [at + power * (new.ln_density - at) for new, at in ((points, points_first), (population, first))]
        accepted = np.log(rng.uniform(size=size)) < rise[0] - rise[1] + ln_ratio
        population, first = _exchanged(population, points, accepted), np.where(accepted, points_first, first)
        good = np.flatnonzero(points.ln_density > NOTHING)
        known = known.with_room(len(good)).joined(points.among(good))
        known_first = np.concatenate([known_first, points_first[good]])
        visited.append(population.u)
    after = Stage(population, first, known, known_first, power, float(ln_step), number + 1)
    return after, np.concatenate(visited) if last else None


def _ln_prior(target, u):
    return in_batches(_ln_prior_of_batch, target, u, width=BATCH)


@compiled
def _ln_prior_of_batch(target, u):
    return jax.vmap(target.ln_prior)(u)


def _next_power(gain, power, last):
    """The power of the next stage, and the share of each point there."""

    def shares(step):
        share = np.exp(step * (gain - gain.max()))
        return share / share.sum()

    def enough(step):
        return 1.0 / np.sum(shares(step) ** 2) >= SHARE * len(gain)

    if last or enough(1.0 - power):
        return 1.0, shares(1.0 - power)
    low, high = 0.0, 1.0 - power
    for _ in range(50):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if enough(middle) else (low, middle)
    return power + low, shares(low)


def _spread(u, share):
    """Mean of points and a root of their covariance, which is drawn towards one without correlations."""
    center = share @ u
    deviations = u - center
    covariance = (deviations.T * share) @ deviations
    counted = 1.0 / np.sum(share**2)
    diagonal = np.diag(np.diagonal(covariance) + 1e-12)
    return center, np.linalg.cholesky((counted * covariance + PRIOR_DRAWS * diagonal) / (counted + PRIOR_DRAWS))


def _resampled(points, first, share, rng):
    """As many points, each as often as its share says, to within one."""
    at = (np.arange(len(share)) + rng.uniform()) / len(share)
    rows = np.minimum(np.searchsorted(np.cumsum(share), at), len(share) - 1)
    return points.among(rows), first[rows]


def _exchanged(points, ends, accepted):
    """The points, and their ends where these are accepted."""
    arrays = [
        np.where(accepted.reshape(-1, *[1] * (old.ndim - 1)), new, old)
        for old, new in zip(points.rows, ends.rows, strict=True)
    ]
    return KnownPoints(*arrays, points.number)


def _moved(target, emulator, mixture, u, root, key, ln_step, power, trajectories, width):
    """Ends of moves on the surrogate, ln of the ratio of its densities, and the acceptance of its trajectories."""
    parts = []
    for first in range(0, len(u), width):
        rows = np.arange(first, first + width) % len(u)
        proposals = by_surrogate(
            target, emulator, mixture, jnp.asarray(u[rows]), jnp.asarray(root), jax.random.fold_in(key, first),
            jnp.asarray(ln_step), jnp.asarray(power), trajectories,
        )  # fmt: skip
        parts.append([np.asarray(part) for part in proposals])
    ends, ln_ratio = (np.concatenate([part[i] for part in parts])[: len(u)] for i in (0, 1))
    return ends, ln_ratio, float(np.mean([part[2] for part in parts]))
