"""Predictions as a quadratic of the parameters plus kernels about the points where they are known."""

import itertools
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import scipy
from jaxtyping import Float

from ...annotations import Array
from ...numerics.compiling import compiled
from ..batches import in_batches
from ..free import FreeParameter
from ..summaries import Prediction
from ..target import Target
from .base import AbstractEmulator, AbstractSurrogate

__all__ = ["KernelEmulator", "KernelSurrogate", "theta_of"]

LENGTHS = (2.0, 4.0, 8.0, 16.0)
"""Lengths of the kernel that are tried for all parameters at once, in standard deviations of the posterior."""

FACTORS = (0.5, 2.0)
"""By which the length of one parameter after the other is then changed, as long as that helps."""

SHORTEST, LONGEST = 0.5, 64.0
"""Between which lengths stay."""

GAIN = 0.995
"""A length is changed where the misfit falls below this share of what it was, in variance."""

NUGGETS = (1e-4, 1e-3, 1e-2)
"""Noise over signal that is tried, in variance; adaptive steps of the solver leave a little noise."""

TRIED = 400
"""Most points that lengths and noise are chosen with."""

NEAR = 10.0
"""Points whose log density is within this of the highest count fully; those below it count for less."""

REACH = 14.0
"""Points whose log density is further below the highest than this have no kernel, if there are enough others."""

FRAME_DRAWS = 1000
"""Of the coordinates, that give the mean and the width of the parameters."""

BATCH = 64
"""Points at once whose parameters are computed."""

_TINY = 1e-12


class KernelEmulator(AbstractEmulator):
    """What `KernelSurrogate` has learned.

    Attributes
    ----------
    free : tuple of FreeParameter
    center, width : arrays, (P,)
        Points are x = (theta - center) / width: predictions are smoother functions of the parameters in their natural
        scale than of the coordinates u, which go to infinity at the edges of a prior.
    offset, scale : arrays, (Q,)
        Of the outputs: the mean of each datum, the natural logarithm of its error, and its scatter, as far as these
        are used.
    coefficients : array, (1 + P + P (P + 1) / 2, Q)
        Of the quadratic.
    centers, weights : arrays, (N, P) and (N, Q)
        Of the kernels.
    lengths : array, (P,)
        Of the kernels in x: predictions bend more with some parameters than with others.
    misfit : array, (M,)
        How far the emulator is off, rms: known points against the emulator that all others determine.
    has_error, has_scatter : bool

    Examples
    --------
    >>> u = np.random.default_rng(0).normal(size=(40, 2))
    >>> prediction, density = co.inference.predict(target, u), co.inference.ln_density_at(target, u)
    >>> emulator = co.inference.KernelSurrogate().learn(target, u, prediction, density, np.zeros(2), np.eye(2))
    >>> emulator(jnp.zeros(2)).mean.shape == emulator.misfit.shape
    True
    """

    free: tuple[FreeParameter, ...]
    center: Float[Array, " p"]
    width: Float[Array, " p"]
    offset: Float[Array, " q"]
    scale: Float[Array, " q"]
    coefficients: Float[Array, "f q"]
    centers: Float[Array, "n p"]
    weights: Float[Array, "n q"]
    lengths: Float[Array, " p"]
    misfit: Float[Array, " m"]
    has_error: bool = eqx.field(static=True)
    has_scatter: bool = eqx.field(static=True)

    def __call__(self, u: Float[Array, " p"]) -> Prediction:
        theta = jnp.stack([free.theta(u[i]) for i, free in enumerate(self.free)])
        x = (theta - self.center) / self.width
        kernels = _matern(jnp, jnp.sum(((x - self.centers) / self.lengths) ** 2, axis=1))
        outputs = self.offset + self.scale * (_quadratic(jnp, x) @ self.coefficients + kernels @ self.weights)
        size = len(self.misfit)
        zero = jnp.zeros(size)
        variance = jnp.exp(2.0 * outputs[size : 2 * size]) if self.has_error else zero
        scatter = outputs[-size:] if self.has_scatter else zero
        error = jnp.sqrt(variance + self.misfit**2 + _TINY**2)
        return Prediction(outputs[:size], error, scatter, jnp.ones(size, bool), jnp.zeros(()))


class KernelSurrogate(AbstractSurrogate):
    """A quadratic of the parameters plus Matern kernels about known points, for each predicted number; the default.

    Nugget and lengths of the kernels, one for each parameter, are those with the least leave-one-out error, which is
    added in quadrature to the error of the prediction.  Far from all points the quadratic remains.  Predictions have
    kinks, where galaxies enter and leave the reach of a datum, so the kernels are no smoother than twice
    differentiable.

    Parameters
    ----------
    points : int
        Most points that have a kernel; of more than that, half are taken far apart, half at random.

    References
    ----------
    Rasmussen & Williams 2006, Gaussian Processes for Machine Learning, sections 2.7, 4.2.1 and 5.4.2.

    Examples
    --------
    >>> u = np.random.default_rng(0).normal(size=(60, 2))
    >>> prediction = co.inference.predict(target, u)
    >>> density = co.inference.ln_density_at(target, u)
    >>> emulator = co.inference.KernelSurrogate().learn(target, u, prediction, density, np.zeros(2), np.eye(2))
    >>> at = jnp.array([0.3, -0.2])
    >>> bool(jnp.allclose(emulator(at).mean, target.predict(at).mean, atol=0.05))
    True
    """

    points: int = eqx.field(static=True, default=1500)

    def learn(
        self,
        target: Target,
        u: Float[Array, "s p"],
        prediction: Prediction,
        ln_density: Float[Array, " s"],
        center: Float[Array, " p"],
        root: Float[Array, "p p"],
    ) -> KernelEmulator:
        theta = theta_of(target, np.asarray(u))
        center, width = _frame(target, center, root)
        x, rows = (theta - center) / width, np.arange(len(u))
        if len(rows) > self.points:
            rows = _spread(x, np.max(ln_density) - np.asarray(ln_density), self.points)
        x = x[rows]
        outputs, has_error = _outputs(target, prediction)
        outputs = outputs[rows]
        # A point of weight w counts like one with noise larger by 1 / w.
        below = np.max(ln_density) - NEAR - np.asarray(ln_density)[rows]
        weight = 1.0 / (1.0 + np.maximum(np.nan_to_num(below, nan=1e3, posinf=1e3), 0.0) / NEAR)
        offset = np.average(outputs, axis=0, weights=weight)
        scale = np.sqrt(np.average((outputs - offset) ** 2, axis=0, weights=weight)) + _TINY
        white = (outputs - offset) / scale
        columns = _quadratic(np, x)
        coefficients = _ridge(columns, white, weight)
        rest = white - columns @ coefficients
        lengths, weights, misfit = _kernel_weights(x, rest, weight)
        # Kernels that are not needed have no weight; all emulators have arrays of one shape.
        filled = [np.zeros((self.points, rows.shape[1])) for rows in (x, weights)]
        for array, known in zip(filled, (x, weights), strict=True):
            array[: len(known)] = known
        size = len(target.data)
        numbers = dict(
            center=center, width=width, offset=offset, scale=scale, coefficients=coefficients,
            centers=filled[0], weights=filled[1], lengths=lengths, misfit=(misfit * scale)[:size],
        )  # fmt: skip
        arrays: dict[str, Any] = {name: jnp.asarray(number, float) for name, number in numbers.items()}
        return KernelEmulator(free=target.free, **arrays, has_error=has_error, has_scatter=target.scatter is not None)


def _spread(x, below, number):
    """Rows of `number` points (N, P): half of them each as far as can be from those before it, half at random.

    The former are within `REACH` of the highest log density and the latter within `NEAR`, if there are enough.
    """
    candidates, half = np.argsort(below)[: max(number, int(np.sum(below < REACH)))], -(-number // 2)
    chosen, distance = [candidates[0]], np.full(len(candidates), np.inf)
    for _ in range(half - 1):
        distance = np.minimum(distance, np.sum((x[candidates] - x[chosen[-1]]) ** 2, axis=1))
        chosen.append(candidates[np.argmax(distance)])
    rest = np.setdiff1d(np.argsort(below)[: max(number, int(np.sum(below < NEAR)))], chosen)
    others = np.random.default_rng(0).permutation(rest)[: number - half]
    return np.sort(np.concatenate([chosen, others]))


def _frame(target, center, root):
    """Mean and standard deviations of theta where u has this mean and this root of its covariance."""
    white = np.random.default_rng(0).normal(size=(FRAME_DRAWS, len(center)))
    theta = theta_of(target, center + white @ np.asarray(root).T)
    return theta.mean(axis=0), theta.std(axis=0) + _TINY


def theta_of(target: Target, u: np.ndarray) -> np.ndarray:
    """Parameters in their natural scale at any points u, (..., P), by one compiled program."""
    return in_batches(_theta_of_batch, target, u.reshape(-1, u.shape[-1]), width=BATCH).reshape(u.shape)


@compiled
def _theta_of_batch(target, u):
    return target.theta(u)


def _outputs(target, prediction):
    """What is learned, (S, Q), and whether errors are part of it."""
    mean, error, scatter = (np.asarray(part, float) for part in prediction[:3])
    has_error = bool(np.any(error > 0))
    parts = [mean, *([np.log(np.maximum(error, _TINY))] if has_error else [])]
    if target.scatter is not None:
        parts.append(scatter)
    return np.concatenate(parts, axis=1), has_error


def _quadratic(xp, x):
    """1, x and all products of two of x, along the last axis; `xp` is NumPy or jax.numpy."""
    first, second = np.triu_indices(x.shape[-1])
    return xp.concatenate([xp.ones((*x.shape[:-1], 1)), x, x[..., first] * x[..., second]], axis=-1)


def _matern(xp, square):
    """The kernel of Matern with two derivatives, of squared distances over the length; `xp` is NumPy or jax.numpy."""
    distance = xp.sqrt(5.0 * square + _TINY)  # where it is zero its slope is as well
    return (1.0 + distance + distance**2 / 3.0) * xp.exp(-distance)


def _ridge(columns, values, weight):
    weighted = columns * weight[:, None]
    # Where there are fewer points than coefficients, curvatures are held near zero.
    penalty = 1e-6 * len(columns) + (1.0 if len(columns) < 2 * columns.shape[1] else 0.0)
    return np.linalg.solve(columns.T @ weighted + penalty * np.eye(columns.shape[1]), weighted.T @ values)


def _kernel_weights(x, rest, weight):
    """Lengths, weights (N, Q) and leave-one-out rms (Q,) of the best kernels, points of low weight counting less.

    Lengths and nugget are chosen with at most `TRIED` of the points, those that count most: one length for all
    parameters and the nugget, then the length of one parameter after the other.
    """
    order = np.random.default_rng(1).permutation(len(x))
    few = order[np.argsort(-weight[order], kind="stable")][:TRIED]

    def off(lengths, nugget):
        return float(np.sum(_fitted(x[few], rest[few], weight[few], lengths, nugget)[1] ** 2))

    size = x.shape[1]
    tried = [(off(np.full(size, length), nugget), length, nugget) for length in LENGTHS for nugget in NUGGETS]
    least, length, nugget = min(tried)
    lengths = np.full(size, length)
    for number, factor in itertools.product(range(size), FACTORS):
        while True:
            changed = lengths.copy()
            changed[number] *= factor
            if not SHORTEST <= changed[number] <= LONGEST or (now := off(changed, nugget)) > GAIN * least:
                break
            least, lengths = now, changed
    return lengths, *_fitted(x, rest, weight, lengths, nugget)


def _fitted(x, rest, weight, lengths, nugget):
    """Weights (N, Q) and leave-one-out rms (Q,) of kernels of these lengths, (P,)."""
    square = scipy.spatial.distance.cdist(x / lengths, x / lengths, "sqeuclidean")
    matrix = _matern(np, square) + nugget * np.diag(1.0 / weight)
    inverse = scipy.linalg.cho_solve(scipy.linalg.cho_factor(matrix), np.eye(len(x)))
    weights = inverse @ rest
    left_out = weights / np.diagonal(inverse)[:, None]
    return weights, np.sqrt(np.average(left_out**2, axis=0, weights=weight**2))
