"""How a law declares its numbers: each with its unit, meaning, source, natural scale and two ranges.

Outside `allowed` a number has no meaning, such as a negative mass, and is refused where it enters.  Outside `bounds`
the law is not meant to be used, and a model with such a number warns.  While JAX traces a function the numbers are not
known, and pass; their shapes are checked then too.
"""

import functools
from collections.abc import Mapping
from typing import Any, NamedTuple

import equinox as eqx
import jax
import numpy as np

from .arguments import in_words
from .configuration import require_platform
from .plain_numbers import float64
from .printing import in_short

__all__ = [
    "ANY_NUMBER",
    "FRACTION",
    "NOT_NEGATIVE",
    "Parameter",
    "parameter",
    "named_parameters",
    "checked_float64",
    "require_double_precision",
]

NOT_NEGATIVE = (0.0, float("inf"))
"""What a mass, a time, a width or a multiplier can be."""
FRACTION = (0.0, 1.0)
"""What a fraction can be."""
ANY_NUMBER = (-float("inf"), float("inf"))
"""What a power or a logarithm can be."""


class Parameter(NamedTuple):
    """One named number of a model: its value and what is known about it.

    Attributes
    ----------
    value : array
    unit : str
        ``"1"`` if dimensionless.
    meaning : str
    source : str
        Paper, equation or "choice".
    bounds : (float, float)
        Range over which the law is meant to be used.
    scale : {"linear", "log10"}
    allowed : (float, float)
        What the number can be at all.

    Examples
    --------
    >>> amplitude = co.describe(model)["mass_loading.amplitude"]
    >>> float(amplitude.value), amplitude.unit, amplitude.bounds
    (1.0, '1', (0.01, 10.0))
    """

    value: Any
    unit: str
    meaning: str
    source: str
    bounds: tuple[float, float]
    scale: str
    allowed: tuple[float, float] = ANY_NUMBER

    def __repr__(self) -> str:
        return in_short(self)


def require_double_precision() -> None:
    """Check that JAX can start and computes in double precision.

    Raises
    ------
    RuntimeError
        It does not.

    Examples
    --------
    >>> from corundum.declarations import require_double_precision
    >>> require_double_precision()  # after co.configure()
    """
    require_platform()
    if jax.dtypes.canonicalize_dtype(np.float64) != np.float64:
        raise RuntimeError(
            "corundum computes in float64 but JAX is set to float32: call corundum.configure() before making any "
            "array, or jax.config.update('jax_enable_x64', True)"
        )


def checked_float64(
    value: Any, name: str, unit: str, allowed: tuple[float, float] = ANY_NUMBER, shape: tuple[int, ...] = ()
) -> Any:
    """A number, or several by name, as float64 arrays, checked; quantities are converted to the unit."""
    require_double_precision()
    if isinstance(value, Mapping):
        return {
            key: checked_float64(value[key], name.replace("{name}", key), unit, allowed, shape) for key in sorted(value)
        }
    if value is None:
        raise ValueError(f"{name}: got None; give a number")
    numbers = float64(name, value, unit)
    if numbers.shape not in (shape, ()):
        raise ValueError(f"{name}: got {in_words(numbers)}; give one number; jax.vmap takes several")
    if not isinstance(numbers, jax.core.Tracer):
        low, high = allowed
        for number in np.ravel(np.asarray(numbers)):
            if not low <= number <= high:  # not a number is neither
                limits = f" from {low:g} to {high:g}" if high < np.inf else f" of at least {low:g}" * (low > -np.inf)
                raise ValueError(f"{name}: got {number:g}; give a number{limits}{'' if unit == '1' else f' [{unit}]'}")
    return numbers


def parameter(
    default: float,
    *,
    unit: str,
    meaning: str,
    source: str,
    bounds: tuple[float, float],
    scale: str = "linear",
    allowed: tuple[float, float] | None = None,
) -> Any:
    """Declare a physical number as a field of an `equinox.Module`.

    Parameters
    ----------
    default : float
        The value of objects that are made without one.
    unit : str
        Unit, ``"1"`` if dimensionless.
    meaning : str
        One clause that says what the number is.
    source : str
        Paper, equation or "choice".
    bounds : (float, float)
        Range over which the law is meant to be used; priors default to it.
    scale : {"linear", "log10"}
        Natural scale: inference samples ``log10`` numbers in their logarithm.
    allowed : (float, float), optional
        What the number can be at all, such as `NOT_NEGATIVE` or `FRACTION`; others are refused.  Default any number,
        or none below zero where the scale is ``log10``.

    Raises
    ------
    ValueError
        The scale is neither of the two.

    Examples
    --------
    >>> import equinox as eqx
    >>> class Loading(eqx.Module):
    ...     slope: float = parameter(-1.0, unit="1", meaning="power of v", source="choice", bounds=(-3.0, 0.0))
    >>> co.describe(Loading())["slope"].meaning
    'power of v'
    """
    if scale not in ("linear", "log10"):
        raise ValueError(f"parameter scale: got {scale!r}; allowed 'linear' or 'log10'")
    if allowed is None:
        allowed = NOT_NEGATIVE if scale == "log10" else ANY_NUMBER
    metadata = dict(unit=unit, meaning=meaning, source=source, bounds=bounds, scale=scale, allowed=allowed)
    converter = functools.partial(checked_float64, name=meaning, unit=unit, allowed=allowed, shape=np.shape(default))
    return eqx.field(default=default, converter=converter, metadata={"corundum": metadata})


def named_parameters(
    *, unit: str, meaning: str, source: str, bounds: tuple[float, float], allowed: tuple[float, float] = ANY_NUMBER
) -> Any:
    """Declare a field that holds one number for each of several names, such as a multiplier for each flow.

    Each number is a parameter of its own, called ``field.name``.

    Parameters
    ----------
    unit, source, bounds, allowed
        As for `parameter`.
    meaning : str
        ``{name}`` in it stands for the name.

    Examples
    --------
    >>> import equinox as eqx
    >>> class Yields(eqx.Module):
    ...     yields: dict = named_parameters(unit="1", meaning="yield of {name}", source="choice", bounds=(0.0, 1.0))
    >>> co.describe(Yields({"oxygen": 0.01}))["yields.oxygen"].meaning
    'yield of oxygen'
    """
    metadata = dict(unit=unit, meaning=meaning, source=source, bounds=bounds, scale="linear", allowed=allowed)
    converter = functools.partial(checked_float64, name=meaning, unit=unit, allowed=allowed)
    return eqx.field(default_factory=dict, converter=converter, metadata={"corundum": metadata})
