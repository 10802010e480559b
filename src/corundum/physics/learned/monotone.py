"""Departures that only rise, or only fall, with a feature, whatever their parameters are.

The coefficients of a cubic B-spline that never decrease make a function that never decreases; its parameters are the
steps from one coefficient to the next.  The slope vanishes at both ends, beyond which the departure stays or fades.

References
----------
Ramsay 1988, Statistical Science 3, 425; de Boor 1978, A Practical Guide to Splines, ch. XI.
"""

import functools
from typing import Any, ClassVar

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import scipy
from jaxtyping import Float

from ...annotations import Array
from ...numerics.interpolation import HermiteTable
from ...parameters import NOT_NEGATIVE, named_parameters, parameter
from .beyond import AbstractBeyond, ConstantBeyond
from .departures import AbstractDeparture, as_knots, for_all_names

__all__ = ["AbstractMonotoneDeparture", "FallingDeparture", "RisingDeparture"]


class AbstractMonotoneDeparture(AbstractDeparture):
    """A function of one feature that is monotone.

    Attributes
    ----------
    knots : tuple of float
    first : array
        Departure at the first knot and below [dex].
    steps : dict of str to array
        Changes after it [dex], ``k1``, ``k2`` ..., none below zero; the departure at the last knot and above is
        their sum away from `first`.
    beyond : AbstractBeyond

    Examples
    --------
    >>> isinstance(co.physics.RisingDeparture((1.5, 2.5)), co.physics.AbstractMonotoneDeparture)
    True
    """

    knots: eqx.AbstractVar[tuple[Any, ...]]
    first: eqx.AbstractVar[Float[Array, ""]]
    steps: eqx.AbstractVar[dict[str, Float[Array, ""]]]
    beyond: eqx.AbstractVar[AbstractBeyond]
    sign: eqx.AbstractClassVar[float]

    def __post_init__(self):
        (self.knots,) = _of_one_input(self.knots)
        self.steps = for_all_names("steps", _names(self.knots), self.steps)

    @property
    def inputs(self) -> int:
        """Of how many features it is a function."""
        return 1

    def __call__(self, *inputs: Float[Array, "..."]) -> Float[Array, "..."]:
        (x,) = inputs
        steps = jnp.stack([self.steps[name] for name in _names(self.knots)])
        after = self.first + self.sign * jnp.cumsum(steps)
        coefficients = jnp.concatenate([self.first[None], self.first[None], after, after[-1:]])
        values, slopes = _basis(self.knots)
        table = HermiteTable(jnp.asarray(self.knots), values @ coefficients, slopes @ coefficients)
        window = self.beyond.window(x, self.knots[0], self.knots[-1])
        return jnp.vectorize(lambda place: table(place)[0])(x) * window


def _first() -> Any:
    return parameter(
        0.0, unit="dex", meaning="departure at the first knot", source="learned from data", bounds=(-2.0, 2.0)
    )


def _steps() -> Any:
    return named_parameters(
        unit="dex",
        meaning="change of the departure before knot {name}",
        source="learned from data",
        bounds=(0.0, 2.0),
        allowed=NOT_NEGATIVE,
    )


class RisingDeparture(AbstractMonotoneDeparture):
    """A departure that never falls as its feature grows.

    Parameters
    ----------
    knots : sequence of float
        Strictly increasing values of the feature, at least two.
    first : float
        Departure at the first knot and below [dex].
    steps : mapping of str to float, optional
        Rises after it [dex], ``k1``, ``k2`` ...; those that are left out are zero.  A fit should start from steps
        above zero, at whose edge it has no slope.
    beyond : AbstractBeyond
        `ConstantBeyond()` or `FadingBeyond()`.

    Raises
    ------
    ValueError
        Knots do not increase, are too few, or of several inputs; a step is negative or belongs to no knot.

    Examples
    --------
    >>> departure = co.physics.RisingDeparture((1.5, 2.0, 2.5), -0.1, {"k1": 0.2, "k2": 0.4})
    >>> [round(float(departure(x)), 3) for x in (1.0, 1.5, 2.0, 2.5, 3.0)]
    [-0.1, -0.1, 0.15, 0.5, 0.5]
    """

    sign: ClassVar[float] = 1.0

    knots: tuple[Any, ...] = eqx.field(static=True, converter=tuple)
    first: Float[Array, ""] = _first()
    steps: dict[str, Float[Array, ""]] = _steps()
    beyond: AbstractBeyond = eqx.field(default_factory=ConstantBeyond)


class FallingDeparture(AbstractMonotoneDeparture):
    """A departure that never rises as its feature grows.

    Parameters
    ----------
    knots, first, beyond
        As for `RisingDeparture`.
    steps : mapping of str to float, optional
        Falls after it [dex], counted positive.

    Raises
    ------
    ValueError
        As `RisingDeparture`.

    Examples
    --------
    >>> round(float(co.physics.FallingDeparture((1.5, 2.5), 0.1, {"k1": 0.3})(3.0)), 12)
    -0.2
    """

    sign: ClassVar[float] = -1.0

    knots: tuple[Any, ...] = eqx.field(static=True, converter=tuple)
    first: Float[Array, ""] = _first()
    steps: dict[str, Float[Array, ""]] = _steps()
    beyond: AbstractBeyond = eqx.field(default_factory=ConstantBeyond)


def _of_one_input(knots: Any) -> tuple[tuple[float, ...], ...]:
    grid = as_knots(knots)
    if len(grid) != 1:
        raise ValueError(f"knots: got those of {len(grid)} inputs; a monotone departure takes one")
    return grid


def _names(knots: tuple[float, ...]) -> list[str]:
    width = len(str(len(knots) - 1))
    return [f"k{i:0{width}d}" for i in range(1, len(knots))]


@functools.lru_cache(maxsize=64)
def _basis(knots: tuple[float, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Values and slopes at the knots of each cubic B-spline on them, (n, n + 2)."""
    ends = [knots[0]] * 3, [knots[-1]] * 3
    extended, size = np.array([*ends[0], *knots, *ends[1]]), len(knots) + 2
    splines = [scipy.interpolate.BSpline(extended, unit, 3) for unit in np.eye(size)]
    return tuple(
        np.stack([np.asarray(spline(np.asarray(knots), order)) for spline in splines], axis=-1) for order in (0, 1)
    )  # type: ignore[return-value]
