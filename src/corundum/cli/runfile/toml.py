"""The two things `tomllib` does not do: where a key stands in a file, and writing TOML.

Positions are found by cutting a valid file into its statements (a line, or several while a string or an array
stays open) and letting `tomllib` itself read the keys of each one.
"""

import json
import tomllib
from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["find_positions", "parse_key", "dotted", "write_toml"]


def find_positions(text: str) -> dict[tuple[str, ...], tuple[int, int]]:
    """Line and column (from 1) of every key and table header of a valid TOML document, by path of keys."""
    lines = text.split("\n")  # `splitlines` would also split inside strings
    positions: dict[tuple[str, ...], tuple[int, int]] = {}
    table: tuple[str, ...] = ()
    row = 0
    while row < len(lines):
        last, statement = _statement(lines, row)
        keys = _keys(statement)
        if lines[row].lstrip().startswith("["):
            table = path = keys
        else:
            path = table + keys
        if keys:
            column = len(lines[row]) - len(lines[row].lstrip()) + 1
            for depth in range(1, len(path) + 1):
                positions.setdefault(path[:depth], (row + 1, column))
            positions[path] = (row + 1, column)
        row = last + 1
    return positions


def _statement(lines: list[str], first: int) -> tuple[int, dict[str, Any]]:
    for last in range(first, len(lines)):
        try:
            return last, tomllib.loads("\n".join(lines[first : last + 1]))
        except tomllib.TOMLDecodeError:
            continue
    return len(lines), {}


def _keys(statement: Any) -> tuple[str, ...]:
    # A statement holds one chain of keys; an inline table ends it as a value would.
    keys: tuple[str, ...] = ()
    while True:
        if isinstance(statement, list) and len(statement) == 1:
            statement = statement[0]
        if not isinstance(statement, dict) or len(statement) != 1:
            return keys
        (key, statement), *_ = statement.items()
        keys += (key,)


def parse_key(text: str) -> tuple[str, ...]:
    """The path a dotted key such as ``a.b."c.d"`` stands for; `tomllib.TOMLDecodeError` if it is none."""
    return _keys(tomllib.loads(f"{text} = 0"))


def write_toml(table: Mapping[str, Any]) -> str:
    """`table` as TOML: scalars before tables, so that the text reads back as the same dictionary."""
    return "\n".join(_lines(table, ())).strip("\n") + "\n"


def _lines(table: Mapping[str, Any], path: tuple[str, ...]) -> list[str]:
    below = {key: value for key, value in table.items() if isinstance(value, Mapping)}
    lines = [f"{_key(key)} = {_value(value)}" for key, value in table.items() if key not in below]
    if path and (lines or not below):
        lines = ["", f"[{dotted(path)}]", *lines]
    for key, value in below.items():
        lines += _lines(value, (*path, key))
    return lines


def dotted(keys: Iterable[str]) -> str:
    """A path of keys as it is written in TOML: ``model.parameters."a.b"``."""
    return ".".join(map(_key, keys))


def _key(key: str) -> str:
    bare = key.isascii() and key.replace("_", "").replace("-", "").isalnum()
    return key if bare else _string(key)


def _string(text: str) -> str:
    # A JSON string is a TOML basic string but for the delete character, which TOML wants escaped.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_value, value)) + "]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_key(key)} = {_value(item)}" for key, item in value.items()) + "}"
    raise ValueError(f"a run file cannot hold {type(value).__name__} {value!r}; use text, numbers, lists or tables")
