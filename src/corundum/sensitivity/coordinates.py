"""The coordinates in which a parameter is varied: as given, in its logarithm, or in units of its prior width.

A derivative with respect to a parameter depends on how that parameter is measured.  `Natural` is the default:
decades for amplitudes (parameters whose scale is ``"log10"``), the number itself for slopes and all others.
`PriorWidth` makes columns comparable, because one unit is the whole range.  `AsGiven` is the convention of Pandya et
al. 2026, whose published Jacobians are with respect to the linear amplitudes.
"""

import abc
from collections.abc import Mapping
from typing import Any, ClassVar

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ..annotations import Array
from ..arguments import pair
from ..messages import warn_user
from ..parameters import Parameter
from ..printing import Component

__all__ = ["AbstractCoordinates", "AsGiven", "Natural", "Log10", "Ln", "PriorWidth", "natural_range"]


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
    ranges : mapping of str to (float, float) or dict, optional
        Range by name, as `natural_range` takes it; default the declared bounds.

    Raises
    ------
    ValueError
        A range is not finite, not increasing, or not within the declared bounds of its parameter.

    Examples
    --------
    >>> loading = co.describe(model)["energy_loading.amplitude"]
    >>> coordinates = co.sensitivity.PriorWidth({"energy_loading.amplitude": (-2.0, 0.0)})
    >>> round(float(coordinates.encode("energy_loading.amplitude", loading, 0.1)), 3)
    0.5
    """

    ranges: tuple[tuple[str, tuple[float, float, str | None]], ...] = eqx.field(static=True)

    def __init__(self, ranges: Mapping[str, Any] | None = None):
        self.ranges = tuple((name, _ends(f"range of {name}", ends)) for name, ends in dict(ranges or {}).items())

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
        ends = dict(self.ranges).get(name)
        return (
            _natural_scale(parameter).span(name, parameter)
            if ends is None
            else _in_natural_scale(f"range of {name}", parameter, ends)
        )


def _natural_scale(parameter):
    return Log10() if parameter.scale == "log10" else AsGiven()


def natural_range(argument: str, parameter: Parameter, ends: Any) -> tuple[float, float]:
    """The range of a prior in the natural scale of its parameter: decades for amplitudes, the number itself otherwise.

    Parameters
    ----------
    argument : str
        What the range is called, for messages.
    parameter : Parameter
        Within whose bounds it has to lie.
    ends : (float, float) or dict
        The ends in the natural scale, or ``{"low": 0.01, "high": 1.0, "scale": "linear"}``, where `scale` says how the
        two ends are written: ``"linear"`` for the numbers themselves, ``"log10"`` for their log10.

    Raises
    ------
    ValueError
        The ends are not two finite numbers in order, have no logarithm, or lie outside the bounds; the message says
        which numbers they stand for.

    Warns
    -----
    UserWarning
        Two plain numbers would be a range both in decades and as they are.

    Examples
    --------
    >>> from corundum.sensitivity.coordinates import natural_range
    >>> loading = co.describe(model)["energy_loading.amplitude"]
    >>> natural_range("prior", loading, {"low": 0.01, "high": 1.0, "scale": "linear"})
    (-2.0, 0.0)
    >>> natural_range("prior of energy_loading.amplitude", loading, (0.01, 1.0))
    Traceback (most recent call last):
    ValueError: prior of energy_loading.amplitude: (0.01, 1) is in decades, so 1.023 to 10, outside 0.01 to 1, ...
    """
    return _in_natural_scale(argument, parameter, _ends(argument, ends))


def _ends(argument, ends):
    """Low end, high end and the scale in which they are written, None for the natural one."""
    scale = None
    expected = "(low, high), or {'low': ..., 'high': ..., 'scale': 'linear' or 'log10'}"
    if isinstance(ends, Mapping):
        if not {"low", "high"} <= set(ends) <= {"low", "high", "scale"}:
            keys = ", ".join(map(str, ends)) or "nothing"
            raise ValueError(f"{argument}: got a table with {keys}; give {expected}")
        scale = ends.get("scale")
        ends = ends["low"], ends["high"]
    if scale not in (None, "linear", "log10"):
        raise ValueError(f"{argument}: got the scale {scale!r}; allowed 'linear' or 'log10'")
    low, high = pair(argument, ends, meaning=expected)
    if not (np.isfinite(low) and np.isfinite(high) and low < high):
        raise ValueError(f"{argument}: got ({low:g}, {high:g}); give two finite numbers, the lower one first")
    return low, high, scale


def _in_natural_scale(argument, parameter, ends):
    low, high, scale = ends
    decades = parameter.scale == "log10"
    if scale == "linear" and decades:
        if low <= 0.0:
            raise ValueError(f"{argument}: {low:g} has no logarithm, in which this parameter is measured; give low > 0")
        low, high = float(np.log10(low)), float(np.log10(high))
    elif scale == "log10" and not decades:
        low, high = 10.0**low, 10.0**high
    numbers = (10.0**low, 10.0**high) if decades else (low, high)
    if not _inside(numbers, parameter):
        raise ValueError(_outside(argument, parameter, ends, numbers))
    if decades and scale is None and low > 0.0 and _inside((low, high), parameter):
        warn_user(
            f"{argument}: ({low:g}, {high:g}) is taken in decades, {numbers[0]:.4g} to {numbers[1]:.4g}; if plain "
            f"numbers are meant, write {_table(low, high, 'linear')}, otherwise {_table(low, high, 'log10')}"
        )
    return low, high


def _inside(numbers, parameter):
    """Whether a range lies within the bounds, up to the round-off of a logarithm."""
    (low, high), (least, most) = numbers, parameter.bounds
    margin = 1e-9 * max(abs(least), abs(most))
    return least - margin <= low and high <= most + margin


def _outside(argument, parameter, ends, numbers):
    low, high, scale = ends
    least, most = parameter.bounds
    written = f"({low:g}, {high:g})"
    if parameter.scale == "log10" and scale != "linear":
        written += f" is in decades, so {numbers[0]:.4g} to {numbers[1]:.4g},"
    else:
        written += " is"
    advice = f"write {_table(low, high, 'linear')} for plain numbers" if (
        parameter.scale == "log10" and scale is None and _inside((low, high), parameter)
    ) else "give a range inside"  # fmt: skip
    return (
        f"{argument}: {written} outside {least:g} to {most:g}, the range for which the parameter is meant; {advice}, "
        "or a distribution of numpyro for a wider prior"
    )


def _table(low, high, scale):
    return f"{{'low': {low:g}, 'high': {high:g}, 'scale': '{scale}'}}"
