"""Points whose predictions are known, from which surrogates learn: where they lie, and how they are kept."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from ..batches import in_batches
from ..evaluate import predict
from ..laplace import Laplace
from ..summaries import Prediction
from ..target import Target
from .proposals import densities

__all__ = ["KnownPoints", "evaluated", "first_points"]

WIDE = 1.5
"""The first points spread over this many standard deviations of the Laplace approximation."""

FREEDOM = 5.0
"""Degrees of freedom of their Student t distribution, some of whose points lie far out."""

FROM_PRIOR = 0.1
"""Share of the first points that is drawn from the prior."""

BATCH = 64
"""Points at once whose predictions are known."""


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

    def best(self, most: int) -> "KnownPoints":
        """Those of the highest density."""
        return self.among(np.sort(np.argsort(-self.rows[-1], kind="stable")[:most]))

    def nearest(self, target: Target, center: np.ndarray, root: np.ndarray, most: int) -> "KnownPoints":
        """Those nearest to where another posterior lies, with the densities of its data: predictions do not change."""
        u, *_ = self.rows
        order = np.argsort(np.linalg.norm(np.linalg.solve(root, (u - center).T), axis=0))[:most]
        return self.among(order).of(target)

    def among(self, rows: np.ndarray) -> "KnownPoints":
        """Only these rows."""
        return _from_arrays([array[rows] for array in self.rows], len(rows))

    def without(self, points: "KnownPoints") -> "KnownPoints":
        """Those that are not among others: a point that a surrogate learns from twice makes its kernels singular."""
        others = {row.tobytes() for row in points.rows[0]}
        return self.among(np.flatnonzero([row.tobytes() not in others for row in self.rows[0]]))

    def of(self, target: Target) -> "KnownPoints":
        """The same points with the densities of the data of `target`, where these are finite."""
        u, mean, error, scatter, _ = self.rows
        ln_density = densities_of(target, u, mean, error, scatter)
        points = _from_arrays([u, mean, error, scatter, ln_density], len(u))
        return points.among(np.flatnonzero(np.isfinite(ln_density)))


def _from_arrays(arrays: Sequence[Any], number: int) -> KnownPoints:
    u, mean, error, scatter, ln_density = arrays
    return KnownPoints(u, mean, error, scatter, ln_density, np.int64(number))


def densities_of(
    target: Target, u: np.ndarray, mean: np.ndarray, error: np.ndarray, scatter: np.ndarray
) -> np.ndarray:  # fmt: skip
    """ln of the posterior density of the data of `target` at any number of points, whose predictions are known."""

    def of_batch(target, u, mean, error, scatter):
        return densities(target, u, Prediction(mean, error, scatter, jnp.ones(mean.shape, bool), jnp.zeros(len(u))))

    return in_batches(of_batch, target, u, mean, error, scatter, width=BATCH)


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
