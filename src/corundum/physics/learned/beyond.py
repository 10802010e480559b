"""What a departure does beyond the range over which it was learned: it stays, goes on as a power law, or fades away.

Each choice also says how a spline arrives at its first and last knot, so that the slope is continuous there.
"""

import abc

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ...annotations import Array
from ...numerics.spline_ends import flat_ends, natural_ends
from ...printing import Component

__all__ = ["AbstractBeyond", "ConstantBeyond", "FadingBeyond", "LinearBeyond"]


class AbstractBeyond(Component):
    """What a departure does beyond its range.

    Examples
    --------
    >>> class Abrupt(co.physics.AbstractBeyond):
    ...     def slopes(self, knots):
    ...         return np.zeros((len(knots), len(knots)))
    ...     def window(self, x, low, high):
    ...         return jnp.where((x > low) & (x < high), 1.0, 0.0)
    >>> departure = co.physics.SplineDeparture((1.0, 2.0), {"k0": 0.2, "k1": 0.2}, beyond=Abrupt())
    >>> float(departure(3.0))
    0.0
    """

    @abc.abstractmethod
    def slopes(self, knots: np.ndarray) -> np.ndarray:
        """Slopes of a spline per value at its knots, (n, n); beyond its ends it goes on along its tangent."""

    @abc.abstractmethod
    def window(self, x: Float[Array, "..."], low: float, high: float) -> Float[Array, "..."]:
        """What the departure is multiplied by: 1 from `low` to `high`."""


class ConstantBeyond(AbstractBeyond):
    """The departure keeps the value that it has at the end of its range.

    Examples
    --------
    >>> departure = co.physics.SplineDeparture((1.0, 2.0), {"k1": 0.3}, beyond=co.physics.ConstantBeyond())
    >>> round(float(departure(9.0)), 12)
    0.3
    """

    def slopes(self, knots: np.ndarray) -> np.ndarray:
        return flat_ends(knots)

    def window(self, x: Float[Array, "..."], low: float, high: float) -> Float[Array, "..."]:
        return jnp.ones_like(x)


class LinearBeyond(AbstractBeyond):
    """The departure goes on along its tangent: in a logarithm, a power law with a slope of its own.

    Examples
    --------
    >>> departure = co.physics.SplineDeparture((1.0, 2.0), {"k1": 0.3}, beyond=co.physics.LinearBeyond())
    >>> round(float(departure(4.0)), 6)
    0.9
    """

    def slopes(self, knots: np.ndarray) -> np.ndarray:
        return natural_ends(knots)

    def window(self, x: Float[Array, "..."], low: float, high: float) -> Float[Array, "..."]:
        return jnp.ones_like(x)


class FadingBeyond(AbstractBeyond):
    """The departure fades away, and the base law alone remains.

    Parameters
    ----------
    margin : float
        Over which it fades, as a share of the width of the range.

    Raises
    ------
    ValueError
        The margin is not positive.

    Examples
    --------
    >>> beyond = co.physics.FadingBeyond(margin=0.5)
    >>> [float(beyond.window(jnp.array(x), 0.0, 1.0)) for x in (0.5, 1.25, 1.5)]
    [1.0, 0.5, 0.0]
    """

    margin: float = eqx.field(static=True, converter=float, default=0.25)

    def __check_init__(self):
        if not 0.0 < self.margin < np.inf:
            raise ValueError(f"margin: got {self.margin:g}; give a positive share of the width of the range")

    def slopes(self, knots: np.ndarray) -> np.ndarray:
        return flat_ends(knots)

    def window(self, x: Float[Array, "..."], low: float, high: float) -> Float[Array, "..."]:
        outside = jnp.maximum(low - x, x - high) / (self.margin * (high - low))
        s = jnp.clip(outside, 0.0, 1.0)
        return 1.0 - s**3 * (10.0 - 15.0 * s + 6.0 * s**2)  # two continuous derivatives
