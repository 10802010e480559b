"""Minima and positive parts, sharp or smooth.

A sharp limit erases the derivative with respect to whatever it cut off.  The smooth forms below agree with the sharp
ones away from the corner and keep every derivative alive at it.
"""

import abc

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ..parameters import parameter

__all__ = [
    "AbstractMinimum",
    "SmoothMinimum",
    "HardMinimum",
    "Unlimited",
    "AbstractPositivePart",
    "SmoothPositivePart",
    "HardPositivePart",
]

_TINY = 1e-300


class AbstractMinimum(eqx.Module):
    """The smaller of two non-negative numbers."""

    @abc.abstractmethod
    def __call__(self, value: Float[Array, "..."], limit: Float[Array, "..."]) -> Float[Array, "..."]:
        """`value` limited from above by `limit` > 0."""


class SmoothMinimum(AbstractMinimum):
    """(a^-p + b^-p)^(-1/p): the harmonic form for p = 1, the sharp minimum as p grows."""

    sharpness: Float[Array, ""] = parameter(
        4.0, unit="1", meaning="power p of the smooth minimum", source="choice", bounds=(1.0, 32.0)
    )

    def __call__(self, value: Float[Array, "..."], limit: Float[Array, "..."]) -> Float[Array, "..."]:
        excess = self.sharpness * jnp.log(value / limit + _TINY)
        return value * jnp.exp(-jax.nn.softplus(excess) / self.sharpness)


class HardMinimum(AbstractMinimum):
    """min(a, b): no derivative with respect to the larger one."""

    def __call__(self, value: Float[Array, "..."], limit: Float[Array, "..."]) -> Float[Array, "..."]:
        return jnp.minimum(value, limit)


class Unlimited(AbstractMinimum):
    """No limit at all."""

    def __call__(self, value: Float[Array, "..."], limit: Float[Array, "..."]) -> Float[Array, "..."]:
        return value


class AbstractPositivePart(eqx.Module):
    """max(0, x), for x measured against a natural scale."""

    @abc.abstractmethod
    def __call__(self, x: Float[Array, "..."], scale: Float[Array, "..."]) -> Float[Array, "..."]:
        """The positive part of `x`; `scale` > 0 has the unit of `x`."""


class SmoothPositivePart(AbstractPositivePart):
    """w scale log(1 + exp(x / (w scale))): exceeds the sharp form by at most 0.69 w scale, at x = 0."""

    width: Float[Array, ""] = parameter(
        0.05,
        unit="1",
        meaning="width of the corner over the natural scale",
        source="choice",
        bounds=(0.001, 0.5),
    )

    def __call__(self, x: Float[Array, "..."], scale: Float[Array, "..."]) -> Float[Array, "..."]:
        corner = self.width * scale
        return corner * jax.nn.softplus(x / corner)


class HardPositivePart(AbstractPositivePart):
    """max(0, x): no derivative below zero."""

    def __call__(self, x: Float[Array, "..."], scale: Float[Array, "..."]) -> Float[Array, "..."]:
        return jnp.maximum(x, 0.0)
