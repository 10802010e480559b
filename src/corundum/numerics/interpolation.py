"""Piecewise cubic interpolation on a shared grid of knots.

Every interpolant is a cubic Hermite polynomial given by the values and the slopes at its knots; the strategies differ
only in how they choose the slopes.  Outside the grid the end cubic is replaced by its tangent line, so that values
are continuous everywhere.
"""

import abc
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Float

from ..annotations import Array
from ..printing import Component
from .linear_algebra import tridiagonal_solve
from .rows import Rows, take

__all__ = [
    "AbstractSlopes",
    "BackwardDifference",
    "ContinuousCurvature",
    "HermiteTable",
    "UniformKnots",
    "CubicTable",
    "cubic_table",
]


class AbstractSlopes(Component):
    """Rule for the slopes of a cubic interpolant at its knots.

    Examples
    --------
    >>> class ForwardDifference(AbstractSlopes):
    ...     def __call__(self, knots, values):
    ...         chord = jnp.diff(values, axis=-1) / jnp.diff(knots)
    ...         return jnp.concatenate([chord, chord[..., -1:]], axis=-1)
    >>> ForwardDifference()(jnp.arange(3.0), jnp.array([0.0, 1.0, 4.0])).tolist()
    [1.0, 3.0, 3.0]
    """

    @abc.abstractmethod
    def __call__(self, knots: Float[Array, " t"], values: Float[Array, "... t"]) -> Float[Array, "... t"]:
        """Slopes of `values` at `knots` (last axis)."""


class ContinuousCurvature(AbstractSlopes):
    """The C2 cubic spline through the knots with not-a-knot ends: smooth slopes for high-order integrators.

    Examples
    --------
    >>> x = jnp.arange(5.0)
    >>> ContinuousCurvature()(x, x**2).round(6).tolist()
    [0.0, 2.0, 4.0, 6.0, 8.0]
    """

    def __call__(self, knots: Float[Array, " t"], values: Float[Array, "... t"]) -> Float[Array, "... t"]:
        if len(knots) < 4:
            return _chord_slopes(knots, values)
        return _spline_slopes(knots, values)


class BackwardDifference(AbstractSlopes):
    """Slope of the chord before each knot (Pandya et al. 2026): continuous, first-order accurate slopes.

    Examples
    --------
    >>> x = jnp.arange(3.0)
    >>> BackwardDifference()(x, x**2).tolist()
    [1.0, 1.0, 3.0]
    """

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
    low, high = h[0] + h[1], h[-1] + h[-2]
    lower = jnp.concatenate([jnp.zeros(1), h[1:], high[None]])
    upper = jnp.concatenate([low[None], h[:-1], jnp.zeros(1)])
    diagonal = jnp.concatenate([h[1:2], 2.0 * (h[:-1] + h[1:]), h[-2:-1]])
    values = jnp.moveaxis(values, -1, 0)
    width = h.reshape(-1, *(1,) * (values.ndim - 1))
    chord = jnp.diff(values, axis=0) / width
    inside = 3.0 * (width[1:] * chord[:-1] + width[:-1] * chord[1:])
    first = ((h[0] + 2.0 * low) * h[1] * chord[0] + h[0] ** 2 * chord[1]) / low
    last = (h[-1] ** 2 * chord[-2] + (2.0 * high + h[-1]) * h[-2] * chord[-1]) / high
    right = jnp.concatenate([first[None], inside, last[None]])
    return jnp.moveaxis(tridiagonal_solve(lower, diagonal, upper, right), 0, -1)


class HermiteTable(NamedTuple):
    """Values and slopes of several curves on one grid of knots.

    Attributes
    ----------
    knots : array, shape (t,)
        Strictly increasing.
    values, slopes : arrays, shape (..., t)

    Examples
    --------
    >>> x = jnp.arange(5.0)
    >>> value, slope = HermiteTable(x, x**2, 2.0 * x)(jnp.array(1.5))
    >>> float(value), float(slope)
    (2.25, 3.0)
    """

    knots: Float[Array, " t"]
    values: Float[Array, "... t"]
    slopes: Float[Array, "... t"]

    def __call__(self, x: Float[Array, ""]) -> tuple[Float[Array, "..."], Float[Array, "..."]]:
        """Value and derivative of every curve at the scalar `x`."""
        i = _interval(self.knots, x)
        left, right = take(self.knots, i), take(self.knots, i + 1)
        h = right - left
        ends = (self.values[..., i], self.values[..., i + 1], self.slopes[..., i] * h, self.slopes[..., i + 1] * h)
        value, slope = _evaluate(_cubic(*ends), (x - left) / h)
        return value, slope / h


class UniformKnots(NamedTuple):
    """Equally spaced knots: the interval of a number is found by a division.

    Examples
    --------
    >>> knots = UniformKnots(jnp.array(0.0), jnp.array(0.5))
    >>> table = cubic_table(knots, jnp.array([[0.0, 0.25, 1.0]]), jnp.array([[0.0, 1.0, 2.0]]))
    >>> [float(value) for value in table(jnp.array(0.75))[0]]
    [0.5625]
    """

    first: Float[Array, ""]
    spacing: Float[Array, ""]


class CubicTable(NamedTuple):
    """The curves of a `HermiteTable` with the numbers of a knot next to each other: two short reads per evaluation.

    Polynomial coefficients would take twice the memory, and reading memory limits the speed of large populations.

    Attributes
    ----------
    knots : array, shape (t,), or UniformKnots
    nodes : array, shape (t, 2 * curves), or `Rows` of such arrays
        Value and slope of one curve after the other.

    Examples
    --------
    >>> x = jnp.arange(5.0)
    >>> table = cubic_table(x, jnp.stack([x, x**2]), jnp.stack([jnp.ones(5), 2.0 * x]))
    >>> values, slopes = table(jnp.array(1.5))
    >>> [float(value) for value in values], [float(slope) for slope in slopes]
    ([1.5, 2.25], [1.0, 3.0])
    """

    knots: Float[Array, " t"] | UniformKnots
    nodes: Float[Array, "t c"] | Rows

    def __call__(self, x: Float[Array, ""]) -> tuple[list[Float[Array, ""]], list[Float[Array, ""]]]:
        """Values and derivatives of the curves at the scalar `x`."""
        nodes = self.nodes
        table: Array = nodes.table if isinstance(nodes, Rows) else nodes
        i, s, h = self._locate(x, table.shape[-2] - 1)
        left, right = (nodes[k] if isinstance(nodes, Rows) else take(table, k) for k in (i, i + 1))
        curves = [
            _evaluate(_cubic(left[j], right[j], left[j + 1] * h, right[j + 1] * h), s)
            for j in range(0, table.shape[-1], 2)
        ]
        return [value for value, _ in curves], [slope / h for _, slope in curves]

    def _locate(self, x, intervals):
        """Interval of `x`, the position in units of it, and its width."""
        if isinstance(self.knots, UniformKnots):
            s = (x - self.knots.first) / self.knots.spacing
            i = jnp.clip(jax.lax.stop_gradient(s).astype(jnp.int32), 0, intervals - 1)
            return i, s - i.astype(s.dtype), self.knots.spacing
        i = _interval(self.knots, x)
        left, right = take(self.knots, i), take(self.knots, i + 1)
        return i, (x - left) / (right - left), right - left


def cubic_table(
    knots: Float[Array, " t"] | UniformKnots, values: Float[Array, "... t"], slopes: Float[Array, "... t"]
) -> CubicTable:
    """A `CubicTable` of values and slopes at knots.

    Parameters
    ----------
    knots : array, shape (t,), or UniformKnots
    values, slopes : arrays, shape (curves, t), or (n, curves, t) for one row per trajectory

    Examples
    --------
    >>> x = jnp.arange(4.0)
    >>> cubic_table(x, jnp.ones((2, 4)), jnp.zeros((2, 4))).nodes.shape
    (4, 4)
    """
    nodes = jnp.moveaxis(jnp.stack([values, slopes], axis=-1), -2, -3)  # (..., t, curves, 2)
    flat = nodes.reshape(*nodes.shape[:-2], -1)
    return CubicTable(knots, flat if values.ndim == 2 else Rows(flat, jnp.arange(len(values), dtype=jnp.int32)))


def _interval(knots, x):
    """Index of the interval that holds `x`, or of the nearest one outside: a binary search without branches."""
    last = len(knots) - 2
    i = jnp.zeros(jnp.shape(x), jnp.int32)
    for bit in reversed(range(max(last, 1).bit_length())):
        j = i + (1 << bit)
        i = jnp.where((j <= last) & (take(knots, jnp.minimum(j, last)) <= x), j, i)
    return i


def _cubic(value0, value1, slope0, slope1):
    """Coefficients of the cubic with these values and slopes at 0 and 1."""
    rise = value1 - value0
    return value0, slope0, 3.0 * rise - 2.0 * slope0 - slope1, slope0 + slope1 - 2.0 * rise


def _evaluate(coefficients, s):
    """Value and slope, in units of the interval, of a cubic; outside the interval, of its tangent at the end."""
    a, b, c, d = coefficients
    inside = jnp.clip(s, 0.0, 1.0)
    value = a + inside * (b + inside * (c + inside * d))
    slope = b + inside * (2.0 * c + inside * 3.0 * d)
    return value + slope * (s - inside), slope
