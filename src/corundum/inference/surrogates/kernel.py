"""Predictions as a quadratic of the parameters plus kernels about the points where they are known."""

import itertools
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import scipy
from jaxtyping import Float

from ...annotations import Array
from ..free import FreeParameter
from ..summaries import Prediction
from ..target import Target
from .base import AbstractEmulator, AbstractSurrogate

__all__ = ["KernelEmulator", "KernelSurrogate"]

LENGTHS = (1.5, 2.5, 4.0, 7.0)
"""Lengths of the kernel that are tried, in standard deviations of the posterior."""

NUGGETS = (1e-4, 1e-2)
"""Noise over signal that is tried, in variance; adaptive steps of the solver leave a little noise."""

TRIED = 250
"""Most points that length and noise are chosen with."""

NEAR = 10.0
"""Points whose log density is within this of the highest count fully; those below it count for less."""

FRAME_DRAWS = 1000
"""Of the coordinates, that give the mean and the covariance of the parameters."""

REACH = 25.0
"""Points whose log density is further below the highest than this have no kernel, if there are enough others."""

_TINY = 1e-12


class KernelEmulator(AbstractEmulator):
    """What `KernelSurrogate` has learned.

    Attributes
    ----------
    free : tuple of FreeParameter
    center, inverse_root : arrays, (P,) and (P, P)
        Points are x = inverse_root (theta - center): predictions are smoother functions of the parameters in their
        natural scale than of the coordinates u, which go to infinity at the edges of a prior.
    offset, scale : arrays, (Q,)
        Of the outputs: the mean of each datum, the natural logarithm of its error, and its scatter, as far as these
        are used.
    coefficients : array, (1 + P + P (P + 1) / 2, Q)
        Of the quadratic.
    centers, weights : arrays, (N, P) and (N, Q)
        Of the kernels.
    length : array, ()
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
    inverse_root: Float[Array, "p p"]
    offset: Float[Array, " q"]
    scale: Float[Array, " q"]
    coefficients: Float[Array, "f q"]
    centers: Float[Array, "n p"]
    weights: Float[Array, "n q"]
    length: Float[Array, ""]
    misfit: Float[Array, " m"]
    has_error: bool = eqx.field(static=True)
    has_scatter: bool = eqx.field(static=True)

    def __call__(self, u: Float[Array, " p"]) -> Prediction:
        theta = jnp.stack([free.theta(u[i]) for i, free in enumerate(self.free)])
        x = self.inverse_root @ (theta - self.center)
        square = jnp.sum((x - self.centers) ** 2, axis=1)
        kernels = jnp.exp(-0.5 * square / self.length**2)
        outputs = self.offset + self.scale * (_quadratic(jnp, x) @ self.coefficients + kernels @ self.weights)
        size = len(self.misfit)
        zero = jnp.zeros(size)
        variance = jnp.exp(2.0 * outputs[size : 2 * size]) if self.has_error else zero
        scatter = outputs[-size:] if self.has_scatter else zero
        error = jnp.sqrt(variance + self.misfit**2 + _TINY**2)
        return Prediction(outputs[:size], error, scatter, jnp.ones(size, bool), jnp.zeros(()))


class KernelSurrogate(AbstractSurrogate):
    """A quadratic of the parameters plus Gaussian kernels about known points, for each predicted number; the default.

    Length and nugget of the kernels are those with the least leave-one-out error, which is added in quadrature to the
    error of the prediction.  Far from all points the quadratic remains.  In the standard problem of
    ``benchmarks/inference.py``, 200 solves of eight parameters give log densities to 0.4 (median), 800 to 0.25.

    Parameters
    ----------
    points : int
        Most points that have a kernel; of more than that, half are taken far apart, half at random.

    References
    ----------
    Rasmussen & Williams 2006, Gaussian Processes for Machine Learning, sections 2.7 and 5.4.2.

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

    points: int = eqx.field(static=True, default=500)

    def learn(
        self,
        target: Target,
        u: Float[Array, "s p"],
        prediction: Prediction,
        ln_density: Float[Array, " s"],
        center: Float[Array, " p"],
        root: Float[Array, "p p"],
    ) -> KernelEmulator:
        theta = np.asarray(target.theta(u))
        center, inverse_root = _frame(target, center, root)
        x, rows = (theta - center) @ inverse_root.T, np.arange(len(u))
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
        length, weights, misfit = _kernel_weights(x, rest, weight)
        # Kernels that are not needed have no weight; all emulators have arrays of one shape.
        filled = [np.zeros((self.points, rows.shape[1])) for rows in (x, weights)]
        for array, known in zip(filled, (x, weights), strict=True):
            array[: len(known)] = known
        size = len(target.data)
        numbers = dict(
            center=center, inverse_root=inverse_root, offset=offset, scale=scale, coefficients=coefficients,
            centers=filled[0], weights=filled[1], length=length, misfit=(misfit * scale)[:size],
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
    """Mean and inverse root of the covariance of theta, where u has this mean and this root of its covariance."""
    white = np.random.default_rng(0).normal(size=(FRAME_DRAWS, len(center)))
    theta = np.asarray(target.theta(center + white @ np.asarray(root).T))
    covariance = np.cov(theta.T).reshape(len(center), len(center))
    scale = np.sqrt(np.diag(covariance))
    # Against an edge that all draws lie on, where theta does not vary.
    covariance = covariance + np.diag((1e-3 * scale) ** 2 + _TINY)
    return theta.mean(axis=0), np.linalg.inv(np.linalg.cholesky(covariance))


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


def _ridge(columns, values, weight):
    weighted = columns * weight[:, None]
    # Where there are fewer points than coefficients, curvatures are held near zero.
    penalty = 1e-6 * len(columns) + (1.0 if len(columns) < 2 * columns.shape[1] else 0.0)
    return np.linalg.solve(columns.T @ weighted + penalty * np.eye(columns.shape[1]), weighted.T @ values)


def _kernel_weights(x, rest, weight):
    """Length, weights (N, Q) and leave-one-out rms (Q,) of the best kernels, points of low weight counting less.

    Length and nugget are chosen with at most `TRIED` of the points.
    """
    few = np.random.default_rng(1).permutation(len(x))[:TRIED]
    tried = []
    for length, nugget in itertools.product(LENGTHS, NUGGETS):
        _, misfit = _fitted(x[few], rest[few], weight[few], length, nugget)
        tried.append((float(np.sum(misfit**2)), length, nugget))
    _, length, nugget = min(tried)
    return length, *_fitted(x, rest, weight, length, nugget)


def _fitted(x, rest, weight, length, nugget):
    """Weights (N, Q) and leave-one-out rms (Q,) of kernels of one length."""
    square = scipy.spatial.distance.cdist(x, x, "sqeuclidean")
    matrix = np.exp(-0.5 * square / length**2) + nugget * np.diag(1.0 / weight)
    inverse = scipy.linalg.cho_solve(scipy.linalg.cho_factor(matrix), np.eye(len(x)))
    weights = inverse @ rest
    left_out = weights / np.diagonal(inverse)[:, None]
    return weights, np.sqrt(np.average(left_out**2, axis=0, weights=weight**2))
