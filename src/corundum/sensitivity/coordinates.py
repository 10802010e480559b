"""The coordinates in which a parameter is varied: as given, in its logarithm, or in units of its prior width.

A derivative with respect to a parameter depends on how that parameter is measured.  `Natural` is the default:
decades for amplitudes (parameters whose scale is ``"log10"``), the number itself for slopes and the rest.
`PriorWidth` makes columns comparable, because one unit is the whole range.  `AsGiven` is the convention of Pandya et
al. 2026, whose published Jacobians are with respect to the linear amplitudes.
"""

import abc
from collections.abc import Mapping
from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..parameters import Parameter

__all__ = ["AbstractCoordinates", "AsGiven", "Natural", "Log10", "Ln", "PriorWidth"]


class AbstractCoordinates(eqx.Module):
    """A monotonic map between a parameter's value and the coordinate u in which it is varied."""

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
    """The number itself: the convention of the published Jacobians, linear in amplitudes."""

    def encode(self, name: str, parameter: Parameter, value: Float[Array, "..."]) -> Float[Array, "..."]:
        return value

    def decode(self, name: str, parameter: Parameter, u: Float[Array, "..."]) -> Float[Array, "..."]:
        return u

    def slope(self, name: str, parameter: Parameter, value: float) -> float:
        return 1.0

    def unit(self, name: str, parameter: Parameter) -> str:
        return parameter.unit


class _Logarithm(AbstractCoordinates):
    """The logarithm of every parameter, whatever its scale."""

    base: eqx.AbstractClassVar[float]
    word: eqx.AbstractClassVar[str]

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
        return self.word if parameter.unit == "1" else f"{self.word}({parameter.unit})"


class Log10(_Logarithm):
    """The common logarithm of every parameter."""

    base: ClassVar[float] = 10.0
    word: ClassVar[str] = "dex"


class Ln(_Logarithm):
    """The natural logarithm of every parameter; at a multiplier of one, the multiplier itself."""

    base: ClassVar[float] = float(np.e)
    word: ClassVar[str] = "e-fold"


class Natural(AbstractCoordinates):
    """Each parameter in its natural scale: the logarithm of amplitudes, the number itself otherwise; the default."""

    def encode(self, name: str, parameter: Parameter, value: Float[Array, "..."]) -> Float[Array, "..."]:
        return _rule(parameter).encode(name, parameter, value)

    def decode(self, name: str, parameter: Parameter, u: Float[Array, "..."]) -> Float[Array, "..."]:
        return _rule(parameter).decode(name, parameter, u)

    def slope(self, name: str, parameter: Parameter, value: float) -> float:
        return _rule(parameter).slope(name, parameter, value)

    def unit(self, name: str, parameter: Parameter) -> str:
        return _rule(parameter).unit(name, parameter)


class PriorWidth(AbstractCoordinates):
    """The position within the prior range, 0 to 1, uniform in the parameter's natural scale.

    Parameters
    ----------
    ranges : mapping of str to (float, float), optional
        Range by name, in the natural scale (decades for amplitudes); default the declared bounds.
    """

    ranges: tuple[tuple[str, tuple[float, float]], ...] = eqx.field(static=True)

    def __init__(self, ranges: Mapping[str, tuple[float, float]] | None = None):
        given = {} if ranges is None else dict(ranges)
        for name, (low, high) in given.items():
            if not (np.isfinite(low) and np.isfinite(high) and low < high):
                raise ValueError(f"ranges: {name} has ({low}, {high}); give (low, high) with low < high, both finite")
        self.ranges = tuple((name, (float(low), float(high))) for name, (low, high) in given.items())

    def encode(self, name: str, parameter: Parameter, value: Float[Array, "..."]) -> Float[Array, "..."]:
        low, high = self._range(name, parameter)
        return (_rule(parameter).encode(name, parameter, value) - low) / (high - low)

    def decode(self, name: str, parameter: Parameter, u: Float[Array, "..."]) -> Float[Array, "..."]:
        low, high = self._range(name, parameter)
        return _rule(parameter).decode(name, parameter, low + (high - low) * u)

    def slope(self, name: str, parameter: Parameter, value: float) -> float:
        low, high = self._range(name, parameter)
        return _rule(parameter).slope(name, parameter, value) * (high - low)

    def unit(self, name: str, parameter: Parameter) -> str:
        return "prior width"

    def span(self, name: str, parameter: Parameter) -> tuple[float, float]:
        self._range(name, parameter)
        return 0.0, 1.0

    def _range(self, name, parameter):
        return dict(self.ranges).get(name) or _rule(parameter).span(name, parameter)


def _rule(parameter):
    return Log10() if parameter.scale == "log10" else AsGiven()
