"""Objects in a few words: what `print` and notebooks show of laws, settings and results that have no text of their own.

A class that holds numbers shows them with their units instead of the types of their arrays, and long arrays by their
shape and range.  It works while JAX traces a function, where numbers are not known.
"""

import dataclasses
import textwrap
from collections.abc import Collection, Mapping
from typing import Any

import equinox as eqx
import jax
import numpy as np

__all__ = ["Component", "in_short", "number_in_short"]

_WIDTH = 110
_MOST_LETTERS = 1000  # of a whole object
_MOST_OF_ONE = 240  # of one field
_MOST_NUMBERS = 4
_MOST_NAMES = 8


class Component(eqx.Module):
    """A frozen object of parameters and choices, such as a law or a setting, that shows their values when printed.

    Examples
    --------
    >>> class Threshold(Component):
    ...     density: jax.Array
    >>> Threshold(jnp.array(0.1))
    Threshold(density=0.1)
    """

    def __repr__(self) -> str:
        return in_short(self)


def in_short(record: Any, leave_out: Collection[str] = ()) -> str:
    """A module or named tuple as one would write it, shortened: its class, its fields and what they hold.

    Parameters
    ----------
    record : equinox.Module, dataclass or named tuple
    leave_out : collection of str
        Fields that say nothing here.

    Examples
    --------
    >>> in_short(co.physics.DepletionTime())
    'DepletionTime(amplitude=6.31 Gyr, slope=-1.8, slope_redshift=0, redshift_exponent=-0.7)'
    >>> in_short(co.observables.LocalLinear())
    'LocalLinear(bandwidth=0.2 dex, minimum_count=5, scatter=PooledScatter(typical=0.2 dex))'
    """
    shown = [field for field in _fields(record) if field[0] not in leave_out]
    words = [f"{name}={_shortened(_value(value, unit), _MOST_OF_ONE)}" for name, value, unit in shown]
    text = f"{type(record).__name__}({', '.join(words)})"
    return "\n".join(textwrap.wrap(_shortened(text, _MOST_LETTERS), _WIDTH, subsequent_indent="    ")) or text


def number_in_short(value: Any, unit: str = "1") -> str:
    """A number with its unit, or that it is being traced.

    Examples
    --------
    >>> number_in_short(jnp.array(6.3096), "Gyr"), number_in_short(2.0)
    ('6.31 Gyr', '2')
    """
    number = "traced" if isinstance(value, jax.core.Tracer) else f"{np.asarray(value).item():.4g}"
    return number if unit in ("1", "none", "") else f"{number} {unit}"


def _fields(record):
    """(name, value, unit) of every field."""
    if not dataclasses.is_dataclass(record):
        yield from ((name, value, "1") for name, value in zip(record._fields, record, strict=True))
        return
    for field in dataclasses.fields(record):
        quantity = getattr(field.metadata.get("per_halo"), "quantity", None)
        unit = field.metadata.get("corundum", {}).get("unit") or getattr(quantity, "unit", "1")
        # While a transformation rebuilds an object, some of its fields may not be there.
        yield field.name, getattr(record, field.name, None), unit


def _value(value: Any, unit: str = "1") -> str:
    if isinstance(value, jax.Array | np.ndarray | np.generic):
        return _array(value, unit)
    if isinstance(value, float):
        return number_in_short(value, unit)
    if isinstance(value, Mapping):
        names = ", ".join(map(str, list(value)[:_MOST_NAMES]))
        more = f", ... ({len(value)} in all)" if len(value) > _MOST_NAMES else ""
        return "{" + names + more + "}"
    if isinstance(value, tuple | list) and not hasattr(value, "_fields"):
        shown = [_value(member) for member in value[:_MOST_NAMES]]
        shown += [f"... ({len(value)} in all)"] if len(value) > _MOST_NAMES else []
        return f"({', '.join(shown)})" if isinstance(value, tuple) else f"[{', '.join(shown)}]"
    if isinstance(value, type) or (callable(value) and hasattr(value, "__name__")):
        return value.__name__
    return repr(value)


def _array(array: Any, unit: str) -> str:
    shape = "x".join(map(str, array.shape))
    if isinstance(array, jax.core.Tracer):
        return f"traced {shape}" if shape else number_in_short(array, unit)
    try:
        numbers = np.asarray(array)
    except Exception:  # keys of random numbers, and arrays that other processes hold
        return f"array {shape}"
    if numbers.dtype.kind not in "fiu":
        return str(numbers.tolist()) if numbers.size <= _MOST_NUMBERS else f"array {shape}"
    if not shape:
        return number_in_short(numbers, unit)
    after = "" if unit in ("1", "none", "") else f" {unit}"
    if numbers.ndim == 1 and numbers.size <= _MOST_NUMBERS:
        return f"[{', '.join(f'{number:.4g}' for number in numbers)}]{after}"
    finite = numbers[np.isfinite(numbers)]
    span = f": {finite.min():.4g} to {finite.max():.4g}{after}" if finite.size else ", nowhere finite"
    return f"array {shape}{span}"


def _shortened(text: str, most: int) -> str:
    text = " ".join(text.split())
    return text if len(text) <= most else text[: most - 3] + "..."
