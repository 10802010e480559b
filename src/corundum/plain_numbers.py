"""Numbers as users have them become plain float64 numbers in the units of this package.

Numbers arrive as lists, NumPy or JAX arrays, columns of tables, masked arrays or quantities with units.  Libraries turn
all of them into arrays without a word, and drop what they know beside the numbers: the unit, and which of the numbers
are hidden because they are wrong.  Here a quantity is converted, a masked array with hidden numbers is refused or its
hidden numbers become NaN, and what holds no real numbers is refused.  Every argument of numbers goes through
`plain_numbers`.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

__all__ = ["plain_numbers", "float64", "without_mask", "nearest"]

_DIMENSIONLESS = ("1", "none", "")
_UNIT_FREE = ("redshift", "dex", "mag", "dimensionless", "(dimensionless)", "")  # units of plain numbers
_SINGLE_PRECISION = 1e-6  # relative; a number keeps this much through a float32 or a file of seven digits


def plain_numbers(name: str, values: Any, unit: str = "1", *, log: bool = False, hidden_as_nan: bool = False) -> Any:
    """Numbers in a unit: a float64 NumPy array, or the JAX array that was given.  Plain arrays are not copied.

    Parameters
    ----------
    name : str
        What the numbers are called, for error messages.
    values : array-like
        Lists, arrays of any kind of real numbers, columns of pandas or astropy tables, masked arrays, and quantities
        of astropy, unyt or pint, which are converted.  JAX arrays, traced ones too, pass as they are.
    unit : str
        The unit that plain numbers have, ``"1"`` if dimensionless.
    log : bool
        Whether the numbers are the log10 of a quantity in that unit.
    hidden_as_nan : bool
        Whether the hidden numbers of a masked array become NaN; otherwise they are refused.

    Raises
    ------
    ValueError
        Some numbers are hidden by a mask, a quantity has another dimension, or there are values that are no real
        numbers.

    Examples
    --------
    >>> from astropy import units
    >>> from corundum.plain_numbers import plain_numbers
    >>> plain_numbers("time", [500.0, 13000.0] * units.Myr, "Gyr")
    array([ 0.5, 13. ])
    >>> plain_numbers("weights", np.ma.masked_less([3.0, -999.0], 0.0))
    Traceback (most recent call last):
    ValueError: weights: 1 of 2 values are hidden by a mask; leave them out or fill in values that are right
    """
    if isinstance(values, jax.Array) or (type(values) is np.ndarray and values.dtype == np.float64):
        return values
    if isinstance(values, list | tuple):
        if any(isinstance(leaf, jax.Array) for leaf in jax.tree.leaves(values)):
            return jnp.asarray(values)
        if any(_has_unit(value) for value in values):
            return np.stack([np.asarray(plain_numbers(name, value, unit, log=log)) for value in values])
    mask = _mask(values)
    values = _unmasked(values) if hidden_as_nan else without_mask(name, values)
    numbers = _as_float64(name, _converted(name, values, unit, log), unit, log)
    return np.where(mask, np.nan, numbers) if np.any(mask) else numbers


def float64(name: str, values: Any, unit: str = "1", *, log: bool = False, hidden_as_nan: bool = False) -> jax.Array:
    """The same as a JAX array of float64.

    Examples
    --------
    >>> from corundum.plain_numbers import float64
    >>> float64("rvir", np.float32([200.0, 300.0]), "kpc")
    Array([200., 300.], dtype=float64)
    """
    numbers = plain_numbers(name, values, unit, log=log, hidden_as_nan=hidden_as_nan)
    if isinstance(numbers, jax.Array):
        return numbers.astype(jnp.float64)
    return jax.device_put(np.asarray(numbers, np.float64))  # `jnp.asarray` compiles a program for every shape


def without_mask(name: str, values: Any) -> Any:
    """The values of a masked array that hides none of them; others as they are.

    Raises
    ------
    ValueError
        A mask hides some.

    Examples
    --------
    >>> from corundum.plain_numbers import without_mask
    >>> without_mask("host", np.ma.array([-1, 0]))
    array([-1,  0])
    """
    mask = _mask(values)
    if np.any(mask):
        raise ValueError(
            f"{name}: {np.sum(mask)} of {np.size(mask)} values are hidden by a mask; leave them out or fill in values "
            "that are right"
        )
    return _unmasked(values)


def nearest(numbers: Any, target: Any) -> int | None:
    """Index of the number closest to `target`, if the two agree as far as single precision keeps them, else None.

    Parameters
    ----------
    numbers : array, shape (n,)
        Such as the output redshifts of a population.
    target : float

    Examples
    --------
    >>> from corundum.plain_numbers import nearest
    >>> nearest(np.float32([1.0, 0.1]).astype(float), 0.1)
    1
    >>> nearest([1.0, 0.1], 0.10001) is None
    True
    """
    numbers, target = np.atleast_1d(np.asarray(numbers, np.float64)), float(target)
    if not len(numbers) or not np.isfinite(target):
        return None
    distance = np.abs(numbers - target)
    index = int(np.nanargmin(np.where(np.isnan(distance), np.inf, distance)))
    return index if distance[index] <= _SINGLE_PRECISION * (1.0 + abs(target)) else None


def _mask(values):
    """Which values are hidden, by a mask or as missing entries of a pandas column."""
    if isinstance(values, np.ma.MaskedArray):
        return np.ma.getmaskarray(values)
    mask = getattr(values, "mask", None)  # of astropy's Masked and of pandas, where it is a method
    if mask is not None and not callable(mask):
        return np.asarray(mask, bool)
    return np.False_


def _unmasked(values):
    if isinstance(values, np.ma.MaskedArray):
        unit = getattr(values, "unit", None)  # of a masked column of astropy
        return values.data if unit is None else np.asarray(values.data) * unit
    return values.unmasked if hasattr(values, "unmasked") else values


def _has_unit(values):
    return any(getattr(values, attribute, None) is not None for attribute in ("unit", "units"))


def _converted(name, values, unit, log):
    """Numbers in `unit`, where the values carry a unit themselves."""
    stated = getattr(values, "unit", None)
    stated = getattr(values, "units", None) if stated is None else stated
    if stated is None or callable(stated):
        return values
    if str(stated) in _UNIT_FREE and (log or unit in _DIMENSIONLESS):
        return np.asarray(getattr(values, "value", getattr(values, "magnitude", values)))
    try:
        if log and hasattr(values, "physical"):
            return np.log10(_in_unit(values.physical, unit))
        if not log:
            return _in_unit(values, unit)
    except Exception as error:  # each library has its own errors for units
        raise ValueError(f"{name}: got a quantity in {stated}; {_advice(unit, log)}") from error
    raise ValueError(f"{name}: got a quantity in {stated}; {_advice(unit, log)}")


def _in_unit(values, unit):
    if unit in _DIMENSIONLESS:
        unit = "dimensionless" if hasattr(values, "units") else ""
    if hasattr(values, "to_value"):
        return values.to_value(unit)
    converted = values.to(unit)
    return converted.value if hasattr(converted, "value") else converted.magnitude


def _advice(unit, log):
    if log:
        return f"it must be log10 of a number in {unit}, so convert the quantity to {unit} and take its log10"
    expected = "a number without a unit" if unit in _DIMENSIONLESS else f"a quantity or plain numbers in {unit}"
    return f"it must be {expected}, and one cannot be converted to the other"


def _as_float64(name, values, unit, log):
    try:
        array = np.asarray(values)
        if array.dtype.kind not in "biufO":
            raise TypeError(f"values of type {array.dtype}")
        return array.astype(np.float64)
    except (TypeError, ValueError) as error:
        described = f"log10 of a number in {unit}" if log else "numbers" + f" in {unit}" * (unit not in _DIMENSIONLESS)
        sizes = "inhomogeneous" in str(error)
        cause = "rows of different lengths" if sizes else f"a {type(values).__name__} with values that are no numbers"
        raise ValueError(f"{name}: got {cause}; give {described}, all rows of one length") from None
