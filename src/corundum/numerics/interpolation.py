"""Piecewise cubic interpolation on a shared grid of knots.

Every interpolant here is a cubic Hermite polynomial given by the values and the slopes at its knots; the strategies
differ only in where the slopes come from.  Outside the grid the end cubic is replaced by the tangent line, so that a
value never jumps.
"""

import abc
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

__all__ = ["AbstractSlopes", "BackwardDifference", "ContinuousCurvature", "HermiteTable"]


class AbstractSlopes(eqx.Module):
    """Rule for the slopes of a cubic interpolant at its knots."""

    @abc.abstractmethod
    def __call__(self, knots: Float[Array, " t"], values: Float[Array, "... t"]) -> Float[Array, "... t"]:
        """Slopes of `values` at `knots` (last axis)."""


class ContinuousCurvature(AbstractSlopes):
    """The C2 cubic spline through the knots with not-a-knot ends: smooth slopes for high-order integrators."""

    def __call__(self, knots: Float[Array, " t"], values: Float[Array, "... t"]) -> Float[Array, "... t"]:
        if len(knots) < 4:
            return _chord_slopes(knots, values)
        return _spline_slopes(knots, values)


class BackwardDifference(AbstractSlopes):
    """Slope of the chord behind each knot (Pandya et al. 2026): continuous, first-order accurate slopes."""

    def __call__(self, knots: Float[Array, " t"], values: Float[Array, "... t"]) -> Float[Array, "... t"]:
        chord = jnp.diff(values, axis=-1) / jnp.diff(knots)
        return jnp.concatenate([chord[..., :1], chord], axis=-1)


def _chord_slopes(knots, values):
    if len(knots) < 2:
        return jnp.zeros_like(values)
    return jnp.gradient(values, knots, axis=-1)


def _spline_slopes(knots, values):
    # Tridiagonal system for the slopes of a C2 cubic spline; not-a-knot rows as in de Boor 1978, ch. IV.
    h = jnp.diff(knots)
    chord = jnp.diff(values, axis=-1) / h
    low, high = h[0] + h[1], h[-1] + h[-2]
    lower = jnp.concatenate([jnp.zeros(1), h[1:], high[None]])
    upper = jnp.concatenate([low[None], h[:-1], jnp.zeros(1)])
    diagonal = jnp.concatenate([h[1:2], 2.0 * (h[:-1] + h[1:]), h[-2:-1]])
    inside = 3.0 * (h[1:] * chord[..., :-1] + h[:-1] * chord[..., 1:])
    first = ((h[0] + 2.0 * low) * h[1] * chord[..., 0] + h[0] ** 2 * chord[..., 1]) / low
    last = (h[-1] ** 2 * chord[..., -2] + (2.0 * high + h[-1]) * h[-2] * chord[..., -1]) / high
    right = jnp.concatenate([first[..., None], inside, last[..., None]], axis=-1)
    flat = right.reshape(-1, right.shape[-1]).T
    solved = jax.lax.linalg.tridiagonal_solve(lower, diagonal, upper, flat)
    return solved.T.reshape(right.shape)


class HermiteTable(NamedTuple):
    """Values and slopes of several curves on one grid of knots.

    Attributes
    ----------
    knots : array, shape (t,)
        Strictly increasing.
    values, slopes : arrays, shape (..., t)
    """

    knots: Float[Array, " t"]
    values: Float[Array, "... t"]
    slopes: Float[Array, "... t"]

    def __call__(self, x: Float[Array, ""]) -> tuple[Float[Array, "..."], Float[Array, "..."]]:
        """Value and derivative of every curve at the scalar `x`."""
        i = jnp.clip(jnp.searchsorted(self.knots, x, side="right", method="scan_unrolled") - 1, 0, len(self.knots) - 2)
        left, right = self.knots[i], self.knots[i + 1]
        h = right - left
        inside = jnp.clip(x, left, right)
        s = (inside - left) / h
        value0, value1 = self.values[..., i], self.values[..., i + 1]
        slope0, slope1 = self.slopes[..., i] * h, self.slopes[..., i + 1] * h
        rise = value1 - value0
        b = 3.0 * rise - 2.0 * slope0 - slope1
        c = slope0 + slope1 - 2.0 * rise
        value = value0 + s * (slope0 + s * (b + s * c))
        slope = (slope0 + s * (2.0 * b + s * 3.0 * c)) / h
        return value + slope * (x - inside), slope
