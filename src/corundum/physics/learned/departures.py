"""Departures from a law: functions of one or a few features, in dex, that are zero until something is learned.

A spline goes through named values at knots; a Gaussian process is the same spline, whose values are a smooth random
function of independent standard normal numbers.  `corundum.physics.learned.neural` has networks.
"""

import abc
import functools
from collections.abc import Mapping, Sequence
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ...annotations import Array
from ...arguments import in_words
from ...messages import did_you_mean
from ...numerics.interpolation import HermiteTable
from ...parameters import NOT_NEGATIVE, named_parameters, parameter
from ...plain_numbers import float64
from ...printing import Component
from .beyond import AbstractBeyond, ConstantBeyond
from .kernels import AbstractKernel, SquaredExponential, correlation_root
from .tinygp_kernel import as_kernel

__all__ = [
    "AbstractDeparture",
    "GaussianProcessDeparture",
    "SplineDeparture",
    "as_knots",
    "as_lengths",
    "for_all_names",
]


class AbstractDeparture(Component):
    """A function of features, in dex; what the base law is multiplied by is 10 to that power.

    Examples
    --------
    >>> class Tilt(co.physics.AbstractDeparture):
    ...     inputs = 1
    ...     def __call__(self, log_vvir):
    ...         return 0.1 * (log_vvir - 2.0)
    >>> law = co.physics.LearnedLaw(co.physics.MassLoading(), Tilt(), ["log_vvir"])
    """

    @property
    @abc.abstractmethod
    def inputs(self) -> int:
        """Of how many features it is a function."""

    @abc.abstractmethod
    def __call__(self, *inputs: Float[Array, "..."]) -> Float[Array, "..."]:
        """The departure [dex] where the features have these values."""


class SplineDeparture(AbstractDeparture):
    """A cubic spline through values at knots, of one input, or of two on a grid of knots.

    Parameters
    ----------
    knots : sequence of floats, or of one sequence for each input
        Strictly increasing values of the feature, at least two.
    values : mapping of str to float, optional
        Departures [dex] by the name of the knot, ``k0``, ``k1`` ..., or ``k0_0``, ``k0_1`` ... of two inputs (the
        first number counts the knots of the first input); those that are left out are zero.
    beyond : AbstractBeyond
        What it does beyond the knots: by default it keeps the value of the last one.

    Raises
    ------
    ValueError
        Knots do not increase, are too few, or are of more than two inputs, or a value belongs to no knot.

    Examples
    --------
    >>> departure = co.physics.SplineDeparture((1.5, 2.0, 2.5), {"k1": 0.3})
    >>> round(float(departure(2.0)), 6), round(float(departure(1.75)), 6)
    (0.3, 0.15)
    >>> list(co.describe(departure))
    ['values.k0', 'values.k1', 'values.k2']
    """

    knots: tuple[Any, ...] = eqx.field(static=True, converter=lambda knots: as_knots(knots))
    values: dict[str, Float[Array, ""]] = named_parameters(
        unit="dex", meaning="departure at knot {name}", source="learned from data", bounds=(-2.0, 2.0)
    )
    beyond: AbstractBeyond = eqx.field(default_factory=ConstantBeyond)

    def __post_init__(self):
        self.knots = as_knots(self.knots)  # converters come after this
        self.values = for_all_names("values", _names(self.knots), self.values)

    @property
    def inputs(self) -> int:
        """Of how many features it is a function."""
        return len(self.knots)

    def __call__(self, *inputs: Float[Array, "..."]) -> Float[Array, "..."]:
        return _through(self.knots, _array(self.values, self.knots), self.beyond, inputs)


class GaussianProcessDeparture(AbstractDeparture):
    """The same spline with a prior of smoothness: values at knots are drawn from a Gaussian process.

    The values are ``amplitude`` times L w, where L L^T is the kernel at the knots.  If the numbers w are independent
    and standard normal, the values are the process; so `inference` samples w, and every sampler works as it does.
    An amplitude of zero is the base law.

    Parameters
    ----------
    knots : sequence of floats, or of one sequence for each input
    white : mapping of str to float, optional
        w by the name of the knot; those that are left out are zero.
    amplitude : float
        Standard deviation of the departure [dex].
    lengths : float or sequence of floats, optional
        Over which the departure varies, in the unit of each feature; by default a third of the range of the knots.
    kernel : AbstractKernel or tinygp.kernels.Kernel
        Default `SquaredExponential()`.
    beyond : AbstractBeyond

    Raises
    ------
    ValueError
        As `SplineDeparture`, or a length is not positive.

    References
    ----------
    Rasmussen & Williams 2006, Gaussian Processes for Machine Learning, ch. 2 and 4.

    Examples
    --------
    >>> departure = co.physics.GaussianProcessDeparture((1.5, 2.0, 2.5), {"k0": 1.0}, amplitude=0.2, lengths=0.5)
    >>> round(float(departure(1.5)), 6), round(float(departure(2.0)), 6)
    (0.2, 0.121306)
    """

    knots: tuple[Any, ...] = eqx.field(static=True, converter=lambda knots: as_knots(knots))
    white: dict[str, Float[Array, ""]] = named_parameters(
        unit="1",
        meaning="standard normal number {name} of the process",
        source="learned from data",
        bounds=(-6.0, 6.0),
    )
    amplitude: Float[Array, ""] = parameter(
        0.3,
        unit="dex",
        meaning="standard deviation of the departure",
        source="choice",
        bounds=(0.0, 1.0),
        allowed=NOT_NEGATIVE,
    )
    lengths: tuple[float, ...] = eqx.field(static=True, converter=lambda lengths: as_lengths(lengths), default=())
    kernel: AbstractKernel = eqx.field(converter=lambda kernel: as_kernel(kernel), default_factory=SquaredExponential)
    beyond: AbstractBeyond = eqx.field(default_factory=ConstantBeyond)

    def __post_init__(self):
        self.knots = as_knots(self.knots)
        self.white = for_all_names("white", _names(self.knots), self.white)
        thirds = tuple((knots[-1] - knots[0]) / 3.0 for knots in self.knots)
        self.lengths = as_lengths(self.lengths) or thirds

    def __check_init__(self):
        if len(self.lengths) != len(self.knots) or not all(0.0 < length < np.inf for length in self.lengths):
            raise ValueError(f"lengths: got {self.lengths}; give {len(self.knots)} positive, one for each input")

    @property
    def inputs(self) -> int:
        """Of how many features it is a function."""
        return len(self.knots)

    def __call__(self, *inputs: Float[Array, "..."]) -> Float[Array, "..."]:
        white = _array(self.white, self.knots)
        for axis, (knots, length) in enumerate(zip(self.knots, self.lengths, strict=True)):
            root = correlation_root(self.kernel, np.asarray(knots) / length)
            white = jnp.moveaxis(jnp.tensordot(root, white, axes=(1, axis)), 0, axis)
        return _through(self.knots, self.amplitude * white, self.beyond, inputs)


def as_knots(knots: Any) -> tuple[tuple[float, ...], ...]:
    """Knots of each input as plain numbers; a single list is that of one input.

    Raises
    ------
    ValueError
        They are no numbers, do not increase, or are of more than two inputs.

    Examples
    --------
    >>> as_knots([1, 2]), as_knots([[1, 2], [0, 4, 8]])
    (((1.0, 2.0),), ((1.0, 2.0), (0.0, 4.0, 8.0)))
    """
    try:
        if isinstance(knots, str):
            raise TypeError
        several = [knots] if np.ndim(next(iter(knots), 0.0)) == 0 else knots
        grid = tuple(tuple(float(knot) for knot in one) for one in several)
    except (TypeError, ValueError):
        raise ValueError(f"knots: got {in_words(knots)}; give a list of numbers for each input") from None
    if not 1 <= len(grid) <= 2:
        raise ValueError(f"knots: got those of {len(grid)} inputs; a spline takes one or two, a network takes more")
    for one in grid:
        if len(one) < 2 or not np.all(np.isfinite(one)) or not np.all(np.diff(one) > 0.0):
            raise ValueError(f"knots: got {', '.join(f'{x:g}' for x in one)}; give at least two that increase")
    return grid


def as_lengths(lengths: Any) -> tuple[float, ...]:
    """Lengths as plain numbers; a single one is that of one input.

    Examples
    --------
    >>> as_lengths(2), as_lengths([0.4, 3])
    ((2.0,), (0.4, 3.0))
    """
    return tuple(map(float, lengths)) if isinstance(lengths, Sequence) else (float(lengths),)


def _names(knots: tuple[tuple[float, ...], ...]) -> list[str]:
    """Names of the knots, such that their alphabetical order is that of the grid."""
    digits = [len(str(len(one) - 1)) for one in knots]
    indices = np.ndindex(*(len(one) for one in knots))
    return ["k" + "_".join(f"{i:0{width}d}" for i, width in zip(index, digits, strict=True)) for index in indices]


def for_all_names(field: str, names: Sequence[str], numbers: Mapping[str, Any]) -> dict[str, Any]:
    """A number for each knot by name: those in `numbers`, and zero for the others.

    Raises
    ------
    ValueError
        A name is no knot.

    Examples
    --------
    >>> {name: float(value) for name, value in for_all_names("values", ["k0", "k1"], {"k1": 0.3}).items()}
    {'k0': 0.0, 'k1': 0.3}
    """
    unknown = [name for name in numbers if name not in names]
    if unknown:
        raise ValueError(
            f"{field}: there is no knot {unknown[0]}; {did_you_mean(unknown[0], names)}the knots are {names[0]} to "
            f"{names[-1]}, {len(names)} in all"
        )
    return {name: float64(f"{field}.{name}", numbers.get(name, 0.0)) for name in names}


def _array(numbers: Mapping[str, Any], knots: tuple[tuple[float, ...], ...]) -> Float[Array, "..."]:
    return jnp.stack([numbers[name] for name in _names(knots)]).reshape([len(one) for one in knots])


def _through(knots, values, beyond, inputs):
    """The spline through `values` on the grid of `knots`, which is a cubic along each input in turn."""
    grid = [np.asarray(one) for one in knots]

    def at_one_place(*place):
        curve = values
        for one, x in zip(reversed(grid), reversed(place), strict=True):  # the last axis is that of the last input
            slopes = jnp.tensordot(curve, _slopes(beyond, tuple(one)), axes=(-1, 1))
            curve = HermiteTable(jnp.asarray(one), curve, slopes)(x)[0]
        for one, x in zip(grid, place, strict=True):
            curve = curve * beyond.window(x, one[0], one[-1])
        return curve

    return jnp.vectorize(at_one_place)(*inputs)


@functools.lru_cache(maxsize=64)
def _slopes(beyond: AbstractBeyond, knots: tuple[float, ...]) -> np.ndarray:
    return beyond.slopes(np.asarray(knots))
