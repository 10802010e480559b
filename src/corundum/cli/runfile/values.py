"""Values of a run file: from what TOML holds to what a signature asks for, and back.

The annotation of an argument says what is allowed; the message about a value that does not fit names types in plain
words.
"""

import collections.abc
import math
import os
import types
import typing
from pathlib import Path
from typing import Any

import numpy as np

from .errors import RunFileError

__all__ = [
    "convert", "check_bounds", "classes_of", "item_annotation", "members_of", "allows_path", "allows_table",
    "allows_text", "as_toml",
]  # fmt: skip

_SEQUENCES = (tuple, list, collections.abc.Sequence, collections.abc.Iterable)
_NOT_COMPONENTS = ("builtins", "pathlib", "os", "collections.abc", "numpy")
_NOTHING = object()


def convert(value: Any, annotation: Any, keys: tuple[str, ...]) -> Any:
    """`value` as the annotation asks, or a `RunFileError` that says what the file has and what is expected.

    Parameters
    ----------
    value
        What TOML holds: text, a number, true or false, a list or a table.
    annotation
        Annotation of the argument; anything is accepted where there is none.
    keys : tuple of str
        Where in the run file, for the error.
    """
    options = _options(annotation)
    if type(value) in options:
        options = [type(value)]
    for option in options:
        converted = _try(value, option)
        if converted is not _NOTHING:
            return converted
    expected = " or ".join(dict.fromkeys(_words(option) for option in options if option is not type(None)))
    raise RunFileError(keys, f"got {_show(value)}; expected {expected}")


def check_bounds(value: Any, bounds: tuple[float, float] | None, unit: str, keys: tuple[str, ...]) -> None:
    """Refuse a number, or a list with a number, outside `bounds` (both ends allowed)."""
    if bounds is None:
        return
    low, high = bounds
    for number in np.ravel(value):
        if not low <= number <= high:
            limits = f"at least {low:g}" if math.isinf(high) else f"between {low:g} and {high:g}"
            of_unit = "" if unit in ("", "1") else f" {unit}"
            raise RunFileError(keys, f"got {number:g}; allowed {limits}{of_unit}")


def classes_of(annotation: Any) -> tuple[type, ...]:
    """The classes an annotation names that a component table could make: no numbers, text or arrays."""
    return tuple(
        option
        for option in _options(annotation)
        if isinstance(option, type) and not _is_array(option) and option.__module__ not in _NOT_COMPONENTS
    )


def item_annotation(annotation: Any) -> Any:
    """What the items of a list must be, where `annotation` asks for a list of any length; anything otherwise."""
    for option in _options(annotation):
        if typing.get_origin(option) in _SEQUENCES and typing.get_args(option):
            return typing.get_args(option)[0]
    return Any


def members_of(annotation: Any) -> Any:
    """What the values of a dictionary must be, where `annotation` asks for one by name; None otherwise."""
    for option in _options(annotation):
        if typing.get_origin(option) in (dict, collections.abc.Mapping) and typing.get_args(option)[:1] == (str,):
            member = typing.get_args(option)[1]
            if any(_is_array(option) for option in _options(member)) or classes_of(member):
                return member
    return None


def allows_table(annotation: Any) -> bool:
    """Whether a table is itself the value, because the annotation asks for a dictionary."""
    return any((typing.get_origin(o) or o) in (dict, collections.abc.Mapping) for o in _options(annotation))


def allows_path(annotation: Any) -> bool:
    """Whether text can be the path of a file or directory."""
    return any(o in (Path, os.PathLike) or typing.get_origin(o) is os.PathLike for o in _options(annotation))


def allows_text(annotation: Any) -> bool:
    """Whether text is itself the value, rather than the kind of a component."""
    return any(o in (str, Path, os.PathLike) or typing.get_origin(o) is typing.Literal for o in _options(annotation))


def as_toml(value: Any) -> Any:
    """What a TOML file would hold for `value`, or None if it cannot."""
    if hasattr(value, "__array__"):
        value = np.asarray(value).tolist()
    if isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, tuple | list):
        items = [as_toml(item) for item in value]
        return None if None in items else items
    if isinstance(value, collections.abc.Mapping):
        return {str(key): as_toml(item) for key, item in value.items()}
    return None


def _options(annotation: Any) -> list[Any]:
    if annotation is typing.Any or isinstance(annotation, str | typing.TypeVar):
        return [object]
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return [option for member in typing.get_args(annotation) for option in _options(member)]
    return [annotation]


def _is_array(option: Any) -> bool:
    return (
        hasattr(option, "dim_str")
        or option is np.ndarray
        or getattr(option, "__name__", "").rpartition(".")[2] == "Array"
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _try(value: Any, option: Any) -> Any:
    """The converted value, or `_NOTHING` where it does not fit."""
    origin = typing.get_origin(option) or option
    if origin is object:
        return tuple(value) if isinstance(value, list) else value
    if origin is typing.Literal:
        return value if value in typing.get_args(option) else _NOTHING
    if origin is float:
        return float(value) if _is_number(value) else _NOTHING
    if origin is int:
        return int(value) if _is_number(value) and value == int(value) else _NOTHING
    if origin in (Path, os.PathLike):
        return Path(value) if isinstance(value, str) else _NOTHING
    if origin in _SEQUENCES:
        return _try_items(value, typing.get_args(option))
    if origin in (dict, collections.abc.Mapping):
        return value if isinstance(value, dict) else _NOTHING
    if _is_array(option):
        return _try_array(value, scalar=getattr(option, "dim_str", None) == "")
    return value if isinstance(origin, type) and isinstance(value, origin) else _NOTHING


def _try_items(value: Any, members: tuple) -> Any:
    if not isinstance(value, list | tuple):
        return _NOTHING
    if members and members[-1] is not Ellipsis and len(members) > 1 and len(members) != len(value):
        return _NOTHING
    fixed = len(members) > 1 and members[-1] is not Ellipsis
    annotations = members if fixed else (members[:1] or (object,)) * len(value)
    items = []
    for item, member in zip(value, annotations, strict=True):
        tried = (_try(item, option) for option in _options(member))
        converted = next((one for one in tried if one is not _NOTHING), _NOTHING)
        if converted is _NOTHING:
            return _NOTHING
        items.append(converted)
    return tuple(items)


def _try_array(value: Any, scalar: bool) -> Any:
    if _is_number(value):
        return float(value)
    if scalar or not isinstance(value, list | tuple):
        return _NOTHING
    items = [_try_array(item, scalar=False) for item in value]
    return _NOTHING if any(item is _NOTHING for item in items) else np.asarray(items, np.float64)


def _words(option: Any) -> str:
    origin = typing.get_origin(option) or option
    plain = {
        bool: "true or false",
        int: "a whole number",
        float: "a number",
        str: "text in quotes",
        Path: "a path",
    }
    if origin in plain:
        return plain[origin]
    if origin is typing.Literal:
        return " or ".join(map(repr, typing.get_args(option)))
    if origin in _SEQUENCES:
        return _sequence_words(typing.get_args(option))
    if origin in (dict, collections.abc.Mapping):
        return "a table"
    if _is_array(option):
        return "a number" if getattr(option, "dim_str", None) == "" else "numbers"
    return f"a table with kind = ... that makes {getattr(origin, '__name__', str(origin))}"


def _sequence_words(members: tuple) -> str:
    members = tuple(member for member in members if member is not Ellipsis)
    plurals = {str: "texts", float: "numbers", int: "whole numbers"}
    what = plurals.get(members[0], "values") if members else "values"
    return f"a list of {len(members)} {what}" if len(members) > 1 else f"a list of {what}"


def _show(value: Any) -> str:
    if isinstance(value, str):
        return f"the text {value!r}"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list | tuple):
        return f"the list [{', '.join(map(str, value))}]"
    return repr(value)
