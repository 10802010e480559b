"""The coordinates in which a parameter is varied: as given, in its logarithm, or in units of its prior width.

A derivative with respect to a parameter depends on how that parameter is measured.  `Natural` is the default:
decades for amplitudes (parameters whose scale is ``"log10"``), the number itself for slopes and all others.
`PriorWidth` makes columns comparable, because one unit is the whole range.  `AsGiven` is the convention of Pandya et
al. 2026, whose published Jacobians are with respect to the linear amplitudes.
"""

import abc
from collections.abc import Mapping
from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ..annotations import Array
from ..parameters import Parameter
from ..printing import Component

__all__ = ["AbstractCoordinates", "AsGiven", "Natural", "Log10", "Ln", "PriorWidth"]


class AbstractCoordinates(Component):
    """A monotonic map between a parameter's value and the coordinate u in which it is varied.

    Examples
    --------
    Four methods make a coordinate; here a time is varied through its inverse, a rate:

    >>> class Rate(co.sensitivity.AbstractCoordinates):
    ...     def encode(self, name, parameter, value):
    ...         return 1.0 / value
    ...
    ...     def decode(self, name, parameter, u):
    ...         return 1.0 / u
    ...
    ...     def slope(self, name, parameter, value):
    ...         return -(value**2)
    ...
    ...     def unit(self, name, parameter):
    ...         return f"1/{parameter.unit}"
    >>> time = co.describe(model)["depletion_time.amplitude"]
    >>> Rate().unit("depletion_time.amplitude", time), Rate().slope("depletion_time.amplitude", time, 2.0)
    ('1/Gyr', -4.0)
    """

    @abc.abstractmethod
    def encode(self, name: str, parameter: Parameter, value: Float[Array, "..."]) -> Float[Array, "..."]:
        """Coordinate of a value."""

    @abc.abstractmethod
    def decode(self, name: str, parameter: Parameter, u: Float[Array, "..."]) -> Float[Array, "..."]:
        """Value at a coordinate; differentiable."""

    @abc.abstractmethod
    def slope(self, name: str, parameter: Parameter, value: float) -> float:
        """d value / d u."""

    @abc.abstractmethod
    def unit(self, name: str, parameter: Parameter) -> str:
        """Unit of the coordinate."""

    def span(self, name: str, parameter: Parameter) -> tuple[float, float]:
        """The declared range of the parameter in this coordinate.

        Raises
        ------
        ValueError
            The range has no logarithm, or is not finite.
        """
        low, high = (float(self.encode(name, parameter, np.float64(edge))) for edge in parameter.bounds)
        if not (np.isfinite(low) and np.isfinite(high) and low < high):
            raise ValueError(
                f"parameter {name}: its range {parameter.bounds[0]:g} to {parameter.bounds[1]:g} is not a finite one "
                f"in these coordinates ({type(self).__name__}); give ranges={{{name!r}: (low, high)}}"
            )
        return low, high


class AsGiven(AbstractCoordinates):
    """The number itself: the convention of the published Jacobians, linear in amplitudes.

    Examples
    --------
    >>> loading = co.describe(model)["energy_loading.amplitude"]
    >>> co.sensitivity.AsGiven().slope("energy_loading.amplitude", loading, 0.1)
    1.0
    """

    def encode(self, name: str, parameter: Parameter, value: Float[Array, "..."]) -> Float[Array, "..."]:
        return value

    def decode(self, name: str, parameter: Parameter, u: Float[Array, "..."]) -> Float[Array, "..."]:
        return u

    def slope(self, name: str, parameter: Parameter, value: float) -> float:
        return 1.0

    def unit(self, name: str, parameter: Parameter) -> str:
        return parameter.unit


class _AbstractLogarithm(AbstractCoordinates):
    """The logarithm of every parameter, also of those whose natural scale is linear."""

    base: eqx.AbstractClassVar[float]
    unit_name: eqx.AbstractClassVar[str]

    def encode(self, name: str, parameter: Parameter, value: Float[Array, "..."]) -> Float[Array, "..."]:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.log(value) / np.log(self.base)

    def decode(self, name: str, parameter: Parameter, u: Float[Array, "..."]) -> Float[Array, "..."]:
        return jnp.exp(u * float(np.log(self.base)))

    def slope(self, name: str, parameter: Parameter, value: float) -> float:
        if not value > 0:
            raise ValueError(
                f"parameter {name}: its value {float(value):g} has no logarithm; use coordinates=AsGiven(), or give it "
                "a positive value"
            )
        return float(np.log(self.base)) * value

    def unit(self, name: str, parameter: Parameter) -> str:
        return self.unit_name if parameter.unit == "1" else f"{self.unit_name}({parameter.unit})"


class Log10(_AbstractLogarithm):
    """The logarithm to base 10 of every parameter.

    Examples
    --------
    >>> time = co.describe(model)["depletion_time.amplitude"]
    >>> co.sensitivity.Log10().unit("depletion_time.amplitude", time)
    'dex(Gyr)'
    """

    base: ClassVar[float] = 10.0
    unit_name: ClassVar[str] = "dex"


class Ln(_AbstractLogarithm):
    """The natural logarithm of every parameter; for a multiplier of one, d ln m = dm.

    Examples
    --------
    >>> loading = co.describe(model)["energy_loading.amplitude"]
    >>> co.sensitivity.Ln().slope("energy_loading.amplitude", loading, 0.5)
    0.5
    """

    base: ClassVar[float] = float(np.e)
    unit_name: ClassVar[str] = "e-fold"


class Natural(AbstractCoordinates):
    """Each parameter in its natural scale: the logarithm of amplitudes, the number itself otherwise; the default.

    Examples
    --------
    >>> known = co.describe(model)
    >>> [co.sensitivity.Natural().unit(name, known[name]) for name in ("mass_loading.amplitude", "mass_loading.slope")]
    ['dex', '1']
    """

    def encode(self, name: str, parameter: Parameter, value: Float[Array, "..."]) -> Float[Array, "..."]:
        return _natural_scale(parameter).encode(name, parameter, value)

    def decode(self, name: str, parameter: Parameter, u: Float[Array, "..."]) -> Float[Array, "..."]:
        return _natural_scale(parameter).decode(name, parameter, u)

    def slope(self, name: str, parameter: Parameter, value: float) -> float:
        return _natural_scale(parameter).slope(name, parameter, value)

    def unit(self, name: str, parameter: Parameter) -> str:
        return _natural_scale(parameter).unit(name, parameter)


class PriorWidth(AbstractCoordinates):
    """The position within the prior range, 0 to 1, uniform in the parameter's natural scale.

    Parameters
    ----------
    ranges : mapping of str to (float, float), optional
        Range by name, in the natural scale (decades for amplitudes); default the declared bounds.

    Raises
    ------
    ValueError
        A range is not finite or not increasing.

    Examples
    --------
    >>> loading = co.describe(model)["energy_loading.amplitude"]
    >>> coordinates = co.sensitivity.PriorWidth({"energy_loading.amplitude": (-2.0, 0.0)})
    >>> round(float(coordinates.encode("energy_loading.amplitude", loading, 0.1)), 3)
    0.5
    """

    ranges: tuple[tuple[str, tuple[float, float]], ...] = eqx.field(static=True)

    def __init__(self, ranges: Mapping[str, tuple[float, float]] | None = None):
        ranges = {} if ranges is None else dict(ranges)
        for name, (low, high) in ranges.items():
            if not (np.isfinite(low) and np.isfinite(high) and low < high):
                raise ValueError(f"ranges: {name} has ({low}, {high}); give (low, high) with low < high, both finite")
        self.ranges = tuple((name, (float(low), float(high))) for name, (low, high) in ranges.items())

    def encode(self, name: str, parameter: Parameter, value: Float[Array, "..."]) -> Float[Array, "..."]:
        low, high = self._range(name, parameter)
        return (_natural_scale(parameter).encode(name, parameter, value) - low) / (high - low)

    def decode(self, name: str, parameter: Parameter, u: Float[Array, "..."]) -> Float[Array, "..."]:
        low, high = self._range(name, parameter)
        return _natural_scale(parameter).decode(name, parameter, low + (high - low) * u)

    def slope(self, name: str, parameter: Parameter, value: float) -> float:
        low, high = self._range(name, parameter)
        return _natural_scale(parameter).slope(name, parameter, value) * (high - low)

    def unit(self, name: str, parameter: Parameter) -> str:
        return "prior width"

    def span(self, name: str, parameter: Parameter) -> tuple[float, float]:
        self._range(name, parameter)
        return 0.0, 1.0

    def _range(self, name, parameter):
        return dict(self.ranges).get(name) or _natural_scale(parameter).span(name, parameter)


def _natural_scale(parameter):
    return Log10() if parameter.scale == "log10" else AsGiven()
