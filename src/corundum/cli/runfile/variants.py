"""Variants: several run files made from one and its [variants], or from several files.

Each table below [variants] changes keys of the file: a table joins the one that it changes, unless it names another
`kind`, whose keys would differ and which therefore takes its place.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .errors import RunFileError
from .reader import RunFile, check_run_file

__all__ = ["GROUP", "as_one_file", "variants_of"]

GROUP = "variants"


def variants_of(run_file: RunFile) -> dict[str, RunFile]:
    """The run file of each variant by its name.

    Raises
    ------
    ValueError
        There are fewer than two, one is no table, or has a group that does not exist; the message has the position.
    """
    with run_file.located():
        tables = run_file.tables.get(GROUP, {})
        if len(tables) < 2:
            raise RunFileError(
                (GROUP,), f"has {len(tables)} variants; name at least two, as [variants.first] and [variants.second]"
            )
        for name, changes in tables.items():
            if not isinstance(changes, Mapping):
                raise RunFileError((GROUP, name), f"expected a table; write what it changes below [variants.{name}]")
            if GROUP in changes:
                raise RunFileError((GROUP, name, GROUP), "a variant has no variants of its own")
    base = {key: value for key, value in run_file.tables.items() if key != GROUP}
    files = {}
    for name, changes in tables.items():
        prefix = (GROUP, name)
        positions = {keys: place for keys, place in run_file.positions.items() if keys[:1] != (GROUP,)}
        positions |= {keys[2:]: place for keys, place in run_file.positions.items() if keys[:2] == prefix and keys[2:]}
        overrides = {keys: text for keys, text in run_file.overrides.items() if keys[:1] != (GROUP,)}
        overrides |= {keys[2:]: text for keys, text in run_file.overrides.items() if keys[:2] == prefix}
        files[name] = RunFile(run_file.path, _joined(base, changes), positions, overrides)
        check_run_file(files[name])
    return files


def as_one_file(files: Sequence[RunFile]) -> RunFile:
    """One run file whose variants are `files`, named like them; a single file as it is.

    Raises
    ------
    ValueError
        Two have the same name, or one has variants of its own.
    """
    if len(files) == 1:
        return files[0]
    variants: dict[str, Any] = {}
    for file in files:
        name = Path(file.path).stem
        if GROUP in file.tables:
            raise ValueError(f"{file.path}: has [variants]; compare it alone, or without them")
        if name in variants:
            raise ValueError(f"{file.path}: another file is named {name} too; rename one of them")
        variants[name] = {key: value for key, value in file.tables.items() if key != "title"}
    first = files[0]
    title = " against ".join(variants)
    return first._replace(tables={**first.tables, "title": title, GROUP: variants})


def _joined(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    joined = dict(base)
    for key, value in changes.items():
        before: Any = joined.get(key)
        both = isinstance(value, Mapping) and isinstance(before, Mapping)
        other_kind = both and "kind" in value and value["kind"] != before.get("kind")
        if both and not other_kind:
            joined[key] = _joined(before, value)
        else:
            joined[key] = value
    return joined
