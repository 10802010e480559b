"""Points whose predictions are known, from which surrogates learn: where they lie, and how they are kept."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from ..batches import in_batches
from ..evaluate import predict
from ..laplace import Laplace
from ..summaries import Prediction
from ..target import Target
from .proposals import by_surrogate, densities

__all__ = ["Explorers", "KnownPoints", "evaluated", "explored", "first_points"]

WIDE = 1.5
"""The first points spread over this many standard deviations of the Laplace approximation."""

FREEDOM = 5.0
"""Degrees of freedom of their Student t distribution, some of whose points lie far out."""

FROM_PRIOR = 0.1
"""Share of the first points that is drawn from the prior."""

EXPLORERS = 64
"""How many chains explore; each round of exploring solves the model at as many points."""

TEMPERATURES = (1.0, 1.5, 2.5, 4.0)
"""Of explorers: the likelihood of hot ones counts for less."""


class KnownPoints(NamedTuple):
    """Points whose predictions are known; the first `number` rows of arrays that can hold all of a run."""

    u: Any
    mean: Any
    error: Any
    scatter: Any
    ln_density: Any
    number: Any

    @property
    def rows(self) -> list[np.ndarray]:
        """The arrays, without the room that is left."""
        return [np.asarray(array)[: int(self.number)] for array in self[:-1]]

    @property
    def prediction(self) -> Prediction:
        """What the model predicts there; it could be solved at all of them."""
        u, mean, error, scatter, _ = self.rows
        return Prediction(mean, error, scatter, np.ones(mean.shape, bool), np.zeros(len(u)))

    def with_room(self, more: int) -> "KnownPoints":
        """The same, in arrays that can hold so many more."""
        filled = []
        for array in self.rows:
            room = np.zeros((len(array) + more, *array.shape[1:]))
            room[: len(array)] = array
            filled.append(room)
        return _from_arrays(filled, int(self.number))

    def joined(self, points: "KnownPoints") -> "KnownPoints":
        """With further points, as far as the model could be solved there and there is room."""
        first, room = int(self.number), len(self.u) - int(self.number)
        good = np.flatnonzero(np.isfinite(points.ln_density))[:room]
        arrays = []
        for array, new in zip(self[:-1], points[:-1], strict=True):
            array = np.array(array)
            array[first : first + len(good)] = np.asarray(new)[good]
            arrays.append(array)
        return _from_arrays(arrays, first + len(good))

    def nearest(self, target: Target, center: np.ndarray, root: np.ndarray, most: int) -> "KnownPoints":
        """Those nearest to where another posterior lies, with the densities of its data: predictions do not change."""
        u, mean, error, scatter, _ = self.rows
        order = np.argsort(np.linalg.norm(np.linalg.solve(root, (u - center).T), axis=0))[:most]
        u, mean, error, scatter = (array[order] for array in (u, mean, error, scatter))
        prediction = Prediction(mean, error, scatter, np.ones(mean.shape, bool), np.zeros(len(u)))
        ln_density = np.asarray(densities(target, jnp.asarray(u), prediction))
        good = np.isfinite(ln_density)
        return _from_arrays([array[good] for array in (u, mean, error, scatter, ln_density)], int(good.sum()))


def _from_arrays(arrays: Sequence[Any], number: int) -> KnownPoints:
    u, mean, error, scatter, ln_density = arrays
    return KnownPoints(u, mean, error, scatter, ln_density, np.int64(number))


class Explorers(NamedTuple):
    """Chains at several temperatures that show a surrogate where the posterior might reach."""

    u: Any
    ln_density: Any


def evaluated(target: Target, u: np.ndarray, width: int) -> KnownPoints:
    """Points u, (N, P), solved in lists of `width`; the density is not finite where the model fails."""
    prediction = in_batches(predict, target, u, width=width)
    ln_density = np.asarray(densities(target, jnp.asarray(u), prediction))
    return KnownPoints(u, prediction.mean, prediction.error, prediction.scatter, ln_density, np.int64(len(u)))


def first_points(
    target: Target, start: Laplace, number: int, chains: int, key: int, known: KnownPoints | None = None
) -> KnownPoints:
    """Points about the mode and some of the prior, those where chains can begin first; then those of `known`.

    Raises
    ------
    ValueError
        The model fails near the mode.
    """
    rng = np.random.default_rng([key, 2])
    root = np.linalg.cholesky(start.covariance)
    radius = WIDE / np.sqrt(rng.chisquare(FREEDOM, size=(number, 1)) / FREEDOM)
    wide = start.u + radius * rng.normal(size=(number, len(start.u))) @ root.T
    prior = np.asarray(target.prior_draws(max(1, round(FROM_PRIOR * number)), key=key))
    draws = start.coordinate_draws(2 * chains, key=key + 1)
    points = evaluated(target, np.concatenate([draws, wide, prior]), chains)
    good = np.isfinite(points.ln_density)
    failed = int(np.sum(~good[: len(draws)]))
    if len(draws) - failed < chains:
        raise ValueError(
            f"sample: the model fails at {failed} of {len(draws)} points near the mode, so chains cannot begin; look "
            "at the point estimate, or give the solver more max_steps"
        )
    points = _from_arrays([np.asarray(array)[good] for array in points[:-1]], int(good.sum()))
    if known is None:
        return points
    others = known.nearest(target, start.u, root, 1000)
    return points.with_room(int(others.number)).joined(others)


def explored(
    target: Target, emulator: Any, explorers: Explorers, root: np.ndarray, ln_step: float, key: Any, trajectories: int,
    width: int,
) -> tuple[Explorers, KnownPoints]:  # fmt: skip
    """Explorers after moves on the surrogate that the true density accepts or rejects, and all that they have seen."""
    u, ln_density = explorers
    power = powers(len(u))
    parts = []
    for first in range(0, len(u), width):
        rows = np.arange(first, first + width) % len(u)
        proposals = by_surrogate(
            target, emulator, jnp.asarray(u[rows]), jnp.asarray(root), jax.random.fold_in(key, first),
            jnp.asarray(ln_step), jnp.asarray(power[rows]), trajectories,
        )  # fmt: skip
        parts.append([np.asarray(part) for part in proposals[:2]])
    ends, ln_ratio = (np.concatenate(part)[: len(u)] for part in zip(*parts, strict=True))
    points = evaluated(target, ends, width)
    gain = _tempered(target, ends, points.ln_density, power) - _tempered(target, u, ln_density, power) + ln_ratio
    accepted = np.log(np.random.default_rng(np.asarray(key).tolist()).uniform(size=len(u))) < gain
    moved = np.where(accepted[:, None], ends, u), np.where(accepted, points.ln_density, ln_density)
    return Explorers(*moved), points


def powers(number: int) -> np.ndarray:
    """To what power the likelihood of each explorer counts."""
    return 1.0 / np.resize(TEMPERATURES, number)


def _tempered(target, u, ln_density, power):
    prior = np.asarray(jax.vmap(target.ln_prior)(jnp.asarray(u)))
    return prior + power * (ln_density - prior)
