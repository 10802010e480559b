"""Run files: reading one with its overrides, and saying where in it something is wrong.

A run file is TOML.  ``--set group.key=value`` is one more line of it, and wins over the file.
"""

import contextlib
import dataclasses
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from .errors import RunFileError, allowed_names
from .known_keys import check_known_keys
from .paths import beside
from .schema import GROUPS, READ_EARLY
from .toml import dotted, find_positions, parse_key
from .values import check_bounds, convert

__all__ = ["RunFile", "check_run_file", "read_run_file", "table_of_overrides"]

_BARE_WORD = re.compile(r"[A-Za-z_./~][\w./:~+-]*")
_TEXTS = ("title", "note")  # keys at the top of the file; all others are groups


class RunFile(NamedTuple):
    """A run file as it was read.

    Attributes
    ----------
    path : Path
    tables : dict
        Its content, overrides included.
    positions : dict of path of keys to (line, column)
    overrides : dict of path of keys to str
        Keys set on the command line and the text that set them.
    """

    path: Path
    tables: dict[str, Any]
    positions: dict[tuple[str, ...], tuple[int, int]]
    overrides: dict[tuple[str, ...], str]

    def locate(self, keys: tuple[str, ...]) -> str:
        """The place that sets `keys`: the override, or the file, line and column of the nearest key."""
        for depth in range(len(keys), 0, -1):
            if keys[:depth] in self.overrides:
                return f"--set {self.overrides[keys[:depth]]}"
            if keys[:depth] in self.positions:
                line, column = self.positions[keys[:depth]]
                return f"{self.path}:{line}:{column}"
        inside = [text for path, text in self.overrides.items() if keys and path[: len(keys)] == keys]
        return f"--set {inside[0]}" if inside else str(self.path)

    @contextlib.contextmanager
    def located(self) -> Iterator[None]:
        """Within the block, a `RunFileError` gets its position, and relative paths may lie beside the file."""
        try:
            with beside(self.path):
                yield
        except RunFileError as error:
            raise ValueError(f"{self.locate(error.keys)}: {error}") from error


def read_run_file(path: str | Path, overrides: Sequence[str] = ()) -> RunFile:
    """Read a run file and apply ``group.key=value`` overrides.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ValueError
        It is not TOML, has a group that does not exist, or a wrong key or value in a group that every command reads;
        the message has line and column.
    """
    path = Path(path)
    text, tables = _parse(path)
    set_by: dict[tuple[str, ...], str] = {}
    for override in overrides:
        keys, value = _parse_override(override)
        _put(tables, keys, value, override)
        set_by[keys] = override
    run_file = RunFile(path, tables, find_positions(text), set_by)
    check_run_file(run_file)
    return run_file


def check_run_file(run_file: RunFile) -> None:
    """Refuse groups, kinds and keys that do not exist, and wrong values in the groups that every command reads."""
    with run_file.located():
        _check_groups(run_file.tables)
        _check_settings(run_file.tables)
        check_known_keys(run_file.tables)


def table_of_overrides(overrides: Sequence[str]) -> dict[str, Any]:
    """The nested table that ``key=value`` overrides write, where there is no file.

    Raises
    ------
    ValueError
        One of them is not ``key=value``, or sets a key below a value.
    """
    table: dict[str, Any] = {}
    for override in overrides:
        keys, value = _parse_override(override)
        _put(table, keys, value, override)
    return table


def _parse(path: Path) -> tuple[str, dict[str, Any]]:
    try:
        text = path.read_bytes().decode("utf-8").replace("\r\n", "\n")
        return text, tomllib.loads(text)
    except UnicodeDecodeError:
        raise ValueError(f"{path}: is not a text file in UTF-8; give a TOML run file") from None
    except tomllib.TOMLDecodeError as error:
        match = re.search(r"^(.*) \(at line (\d+), column (\d+)\)$", str(error))
        problem, position = (match[1], f":{match[2]}:{match[3]}") if match else (str(error).removesuffix(")"), "")
        raise ValueError(f"{path}{position}: not valid TOML, {problem[:1].lower()}{problem[1:]}") from None


def _parse_override(override: str) -> tuple[tuple[str, ...], Any]:
    key, equals, text = override.partition("=")
    if not (equals and key.strip() and text.strip()):
        raise ValueError(f"--set {override}: write --set group.key=value")
    word = text.strip()
    if _BARE_WORD.fullmatch(word) and word not in ("true", "false", "inf", "nan"):
        return _parse_key(key, override), word  # shells take the quotes of a text away
    try:
        return _parse_key(key, override), tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        hint = "write numbers, true, false, [lists], or text in quotes as --set 'group.key=\"text\"'"
        raise ValueError(f"--set {override}: the value is not TOML; {hint}") from None


def _parse_key(key: str, override: str) -> tuple[str, ...]:
    try:
        return parse_key(key)
    except tomllib.TOMLDecodeError:
        raise ValueError(f"--set {override}: {key!r} is not a key; write --set group.key=value") from None


def _put(tables: dict[str, Any], keys: tuple[str, ...], value: Any, override: str) -> None:
    table = tables
    for depth, key in enumerate(keys[:-1]):
        table = table.setdefault(key, {})
        if not isinstance(table, dict):
            raise ValueError(f"--set {override}: {dotted(keys[: depth + 1])} is a value, not a table")
    table[keys[-1]] = value


def _check_groups(tables: Mapping[str, Any]) -> None:
    known = (*_TEXTS, *GROUPS)
    for name, value in tables.items():
        if name not in known:
            raise RunFileError((name,), f"unknown group; {allowed_names(name, known)}")
        if not isinstance(value, str if name in _TEXTS else dict):
            expected = "text in quotes" if name in _TEXTS else f"a table; write it below [{name}]"
            raise RunFileError((name,), f"expected {expected}")
    for name in ("halos", "model"):
        if name not in tables:
            raise RunFileError((), f"the group [{name}] is missing; see the examples with `corundum run --help`")


def _check_settings(tables: Mapping[str, Any]) -> None:
    """Refuse wrong settings before the components of a run are made, which takes seconds."""
    for group, settings in READ_EARLY.items():
        fields = {field.name: field for field in dataclasses.fields(settings)}
        for key, value in tables.get(group, {}).items():
            keys = (group, key)
            if key not in fields:
                raise RunFileError(keys, f"unknown key; {allowed_names(key, fields)}")
            declared = fields[key].metadata["corundum"]
            check_bounds(convert(value, fields[key].type, keys), declared["bounds"], declared["unit"], keys)
