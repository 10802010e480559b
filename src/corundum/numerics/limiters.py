"""Minima and positive parts, sharp or smooth.

A sharp limit has no derivative with respect to the quantity that it cuts off.  The smooth forms below agree with the
sharp ones away from the corner and have all derivatives near it.
"""

import abc

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Float

from ..annotations import Array
from ..parameters import NOT_NEGATIVE, parameter
from ..printing import Component

__all__ = [
    "AbstractMinimum",
    "SmoothMinimum",
    "HardMinimum",
    "Unlimited",
    "AbstractPositivePart",
    "SmoothPositivePart",
    "HardPositivePart",
]


class AbstractMinimum(Component):
    """The smaller of two non-negative numbers.

    Examples
    --------
    >>> class QuadraticMinimum(co.numerics.AbstractMinimum):
    ...     def __call__(self, value, limit):
    ...         return value / jnp.sqrt(1.0 + (value / limit) ** 2)
    >>> round(float(QuadraticMinimum()(1.0, 1.0)), 3)
    0.707
    """

    @abc.abstractmethod
    def __call__(self, value: Float[Array, "..."], limit: Float[Array, "..."]) -> Float[Array, "..."]:
        """`value` limited from above by `limit` > 0."""


class SmoothMinimum(AbstractMinimum):
    """a (1 + (a/b)^p)^(-1/p): the harmonic form for p = 1, the sharp minimum as p grows.

    Parameters
    ----------
    sharpness : {1, 2, 4, 8, 16}
        The power p; a power of two, so that square roots replace powers.

    Raises
    ------
    ValueError
        `sharpness` is none of these.

    Examples
    --------
    >>> [round(float(co.numerics.SmoothMinimum()(value, 1.0)), 3) for value in (0.5, 1.0, 10.0)]
    [0.492, 0.841, 1.0]
    """

    sharpness: int = eqx.field(default=4, static=True)

    def __check_init__(self):
        if self.sharpness not in (1, 2, 4, 8, 16):
            raise ValueError(
                f"SmoothMinimum sharpness: got {self.sharpness!r}; allowed 1, 2, 4, 8 or 16; use HardMinimum for a "
                "sharp limit"
            )

    def __call__(self, value: Float[Array, "..."], limit: Float[Array, "..."]) -> Float[Array, "..."]:
        doublings = self.sharpness.bit_length() - 1
        ratio = value / limit
        for _ in range(doublings):
            ratio = ratio * ratio
        reduction = 1.0 + ratio
        for _ in range(doublings):
            reduction = jnp.sqrt(reduction)
        return value / reduction


class HardMinimum(AbstractMinimum):
    """min(a, b): no derivative with respect to the larger one.

    Examples
    --------
    >>> float(co.numerics.HardMinimum()(0.5, 1.0))
    0.5
    """

    def __call__(self, value: Float[Array, "..."], limit: Float[Array, "..."]) -> Float[Array, "..."]:
        return jnp.minimum(value, limit)


class Unlimited(AbstractMinimum):
    """No limit: the value itself.

    Examples
    --------
    >>> co.numerics.Unlimited()(3.0, 1.0)
    3.0
    """

    def __call__(self, value: Float[Array, "..."], limit: Float[Array, "..."]) -> Float[Array, "..."]:
        return value


class AbstractPositivePart(Component):
    """max(0, x), for x measured against a natural scale.

    Examples
    --------
    >>> class SoftPlus(co.numerics.AbstractPositivePart):
    ...     def __call__(self, x, scale):
    ...         return scale * jnp.logaddexp(x / scale, 0.0)
    >>> round(float(SoftPlus()(0.0, 1.0)), 3)
    0.693
    """

    @abc.abstractmethod
    def __call__(self, x: Float[Array, "..."], scale: Float[Array, "..."]) -> Float[Array, "..."]:
        """The positive part of `x`; `scale` > 0 has the unit of `x`."""


class SmoothPositivePart(AbstractPositivePart):
    """Zero below -w scale, x above +w scale, a C2 quartic between; at most 0.19 w scale above the sharp form.

    Parameters
    ----------
    width : float
        The half width w of the corner, in units of the scale.

    Examples
    --------
    >>> [round(float(co.numerics.SmoothPositivePart()(x, 1.0)), 5) for x in (-1.0, 0.0, 1.0)]
    [0.0, 0.01875, 1.0]
    """

    width: Float[Array, ""] = parameter(
        0.1,
        unit="1",
        meaning="half width of the corner over the natural scale",
        source="choice",
        bounds=(0.001, 0.5),
        allowed=NOT_NEGATIVE,
    )

    def __call__(self, x: Float[Array, "..."], scale: Float[Array, "..."]) -> Float[Array, "..."]:
        corner = self.width * scale
        s = jnp.clip(0.5 * (x / corner + 1.0), 0.0, 1.0)
        return corner * s**3 * (2.0 - s) + jnp.maximum(x - corner, 0.0)


class HardPositivePart(AbstractPositivePart):
    """max(0, x): no derivative below zero.

    Examples
    --------
    >>> float(co.numerics.HardPositivePart()(-2.0, 1.0))
    0.0
    """

    def __call__(self, x: Float[Array, "..."], scale: Float[Array, "..."]) -> Float[Array, "..."]:
        return jnp.maximum(x, 0.0)
