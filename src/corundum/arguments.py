"""The doors of public functions: counts, pairs, single numbers and objects of a family, each refused in one sentence.

Python lets a class stand where an object of it is meant, a float where a count is, one number where two are, and two
arguments change places; what fails is then something far inside.  Here an argument is checked where it enters.  Counts
may be written as floats that are whole (``1e4``), since people write large numbers that way.
"""

import inspect
from typing import Any

import equinox as eqx
import numpy as np

from .plain_numbers import plain_numbers

__all__ = ["whole_number", "one_number", "pair", "mass_range", "instance", "strategy", "in_words"]

_EXAMPLE = "12.0, 13.0"


def whole_number(
    name: str, value: Any, *, least: int = 1, most: int | None = None, meaning: str = "", floats: bool = True
) -> int:
    """A count as an integer; floats that are whole, such as ``1e4``, count as one.

    Parameters
    ----------
    name : str
        Of the argument, for the message.
    value : int
    least, most : int
        The smallest and the largest that makes sense; by default any from 1.
    meaning : str
        What is counted, for the message.
    floats : bool
        Whether a float that is whole counts; it does not where the value itself is kept.

    Raises
    ------
    ValueError
        It is no whole number, or outside the range.

    Examples
    --------
    >>> from corundum.arguments import whole_number
    >>> whole_number("n", 1e4)
    10000
    >>> whole_number("draws", 2.5)
    Traceback (most recent call last):
    ValueError: draws: got 2.5; give a whole number of at least 1
    """
    number = value
    if floats and (isinstance(value, float | np.floating) or (isinstance(value, np.ndarray) and value.shape == ())):
        number = int(value) if np.isfinite(value) and value == int(value) else None
    if isinstance(number, int | np.integer) and not isinstance(number, bool) and number >= least:
        if most is None or number <= most:
            return int(number)
    allowed = f"of at least {least}" if most is None else f"from {least} to {most}"
    counted = f", the number of {meaning}" if meaning else ""
    raise ValueError(f"{name}: got {in_words(value)}; give a whole number {allowed}{counted}")


def one_number(name: str, value: Any, *, meaning: str, unit: str = "1") -> float:
    """A single number.

    Parameters
    ----------
    name : str
        Of the argument, for the message.
    value : float or quantity
    meaning : str
        What to give, for the message: ``a redshift``.
    unit : str
        The unit that plain numbers have.

    Raises
    ------
    ValueError
        There are several numbers, or none; the message says what to give.

    Examples
    --------
    >>> from corundum.arguments import one_number
    >>> one_number("redshift", [0.0, 1.0], meaning="one redshift")
    Traceback (most recent call last):
    ValueError: redshift: got the list [0.0, 1.0]; give one redshift
    """
    if isinstance(value, str) or value is None or np.shape(value) != ():
        raise ValueError(f"{name}: got {in_words(value)}; give {meaning}")
    return float(plain_numbers(name, value, unit))


def pair(name: str, value: Any, *, meaning: str) -> tuple[float, float]:
    """Two numbers, such as the lowest and the highest mass.

    Parameters
    ----------
    name : str
        Of the argument, for the message.
    value : (float, float)
    meaning : str
        What to give, with an example, for the message.

    Raises
    ------
    ValueError
        There are not two, or they are no numbers.

    Examples
    --------
    >>> from corundum.arguments import pair
    >>> pair("log_mvir", 12.0, meaning="the lowest and the highest log10 of mass [Msun], such as (12.0, 13.0)")
    Traceback (most recent call last):
    ValueError: log_mvir: got 12.0; give the lowest and the highest log10 of mass [Msun], such as (12.0, 13.0)
    """
    try:
        if isinstance(value, str):
            raise TypeError
        low, high = (float(plain_numbers(name, end)) for end in value)
    except (TypeError, ValueError):
        raise ValueError(f"{name}: got {in_words(value)}; give {meaning}") from None
    return low, high


def mass_range(name: str, value: Any, *, least: float, most: float) -> tuple[float, float]:
    """A range of log10 of halo mass [Msun], whose ends may be equal.

    Parameters
    ----------
    name : str
        Of the argument, for the message.
    value : (float, float)
    least, most : float
        Within which both must lie.

    Raises
    ------
    ValueError
        There are not two numbers, they are masses or in the wrong order, or lie outside.

    Examples
    --------
    >>> from corundum.arguments import mass_range
    >>> mass_range("log_mvir", (1e12, 1e13), least=8.0, most=15.5)
    Traceback (most recent call last):
    ValueError: log_mvir: got (1e+12, 1e+13), which are masses; give log10 of mass [Msun], (12, 13)
    """
    low, high = pair(name, value, meaning=f"the lowest and the highest log10 of mass [Msun], such as ({_EXAMPLE})")
    if 1e4 < min(low, high) <= max(low, high) < np.inf:
        logarithms = ", ".join(f"{np.log10(mass):.4g}" for mass in (low, high))
        raise ValueError(
            f"{name}: got ({low:g}, {high:g}), which are masses; give log10 of mass [Msun], ({logarithms})"
        )
    if not least <= low <= high <= most:
        raise ValueError(
            f"{name}: got ({low:g}, {high:g}); give log10 of mass [Msun] within {least:g} and {most:g}, the lower "
            "one first"
        )
    return low, high


def instance(name: str, value: Any, kinds: type | tuple[type, ...], *, expected: str) -> Any:
    """An object of a family, as it is.

    Parameters
    ----------
    name : str
        Of the argument, for the message.
    value : object
    kinds : type or tuple of types
        What it must be.
    expected : str
        What to give, for the message: ``a model, such as models.ThermalCGM()``.

    Raises
    ------
    TypeError
        It is the class itself, or something else.

    Examples
    --------
    >>> from corundum.arguments import instance
    >>> instance("model", co.models.ThermalCGM, co.models.AbstractModel, expected="a model")
    Traceback (most recent call last):
    TypeError: model: got the class ThermalCGM; write ThermalCGM() to make one of it
    """
    if isinstance(value, kinds):
        return value
    if isinstance(value, type) and issubclass(value, kinds) and _needs_nothing(value):
        raise TypeError(f"{name}: got the class {value.__name__}; write {value.__name__}() to make one of it")
    raise TypeError(f"{name}: got {in_words(value)}; give {expected}")


def _needs_nothing(kind: type) -> bool:
    """Whether an object of a class can be made without arguments."""
    empty, several = inspect.Parameter.empty, (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    arguments = inspect.signature(kind).parameters.values()
    return not any(argument.default is empty and argument.kind not in several for argument in arguments)


def strategy(name: str, value: Any, default: Any, *, also: tuple[type, ...] = ()) -> Any:
    """The strategy that an argument stands for: the default for None, else an object of the same family.

    Parameters
    ----------
    name : str
        Of the argument, for the message.
    value : object or None
    default : object
        Its abstract class is the family; where it has none, any component may stand in its place.
    also : tuple of types
        Further families that fit.

    Raises
    ------
    TypeError
        It is the class itself, or something else.

    Examples
    --------
    >>> from corundum.arguments import strategy
    >>> strategy("solver", "lanes", co.numerics.LaneSolver())
    Traceback (most recent call last):
    TypeError: solver: got the text 'lanes'; give an object derived from AbstractSolver, such as LaneSolver()
    """
    if value is None:
        return default
    abstract = [kind for kind in type(default).__mro__ if kind.__name__.lstrip("_").startswith("Abstract")]
    family = (abstract[-1] if abstract else eqx.Module, *also)
    derived = f"derived from {family[0].__name__}, such as" if abstract else "such as"
    return instance(name, value, family, expected=f"an object {derived} {type(default).__name__}()")


def in_words(value: Any) -> str:
    """A value as a message shows it: numbers as they are, everything else by its kind.

    Examples
    --------
    >>> from corundum.arguments import in_words
    >>> in_words(2.5), in_words("0"), in_words(np.zeros((3, 2))), in_words(co.models.ThermalCGM())
    ('2.5', "the text '0'", 'an array of shape (3, 2)', 'a ThermalCGM')
    """
    if value is None or isinstance(value, bool | int | float | complex | np.number):
        return str(value)
    if isinstance(value, str):
        return f"the text {value[:40]!r}"
    if isinstance(value, type):
        return f"the class {value.__name__}"
    if isinstance(value, list | tuple) and len(value) <= 4 and all(isinstance(item, int | float) for item in value):
        return f"the {type(value).__name__} {value}" if isinstance(value, list) else str(value)
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        return f"an array of shape {tuple(value.shape)}"
    if callable(value) and hasattr(value, "__name__"):
        return f"the function {value.__name__}"
    kind = type(value).__name__
    return f"{'an' if kind[:1] in 'AEIOaeio' else 'a'} {kind}"
