"""Keys of every kind, known without importing what the kinds make: misspelt keys are refused before JAX is loaded.

The package ships them as a table that `corundum.cli.runfile.keys_of_kinds` makes from the signatures themselves.  What
the table does not know, such as components of the user's own, is checked when it is made.
"""

import functools
import json
from collections.abc import Mapping
from importlib import resources
from typing import Any

from .errors import RunFileError, allowed_names

__all__ = ["check_known_keys", "known_keys"]


@functools.cache
def known_keys() -> Mapping[str, Any]:
    """The table of keys.

    A place is what a key may hold: the kind of the component that stands there by default, and a name in ``places``,
    the kinds that fit; both may be missing.  ``groups`` are the places of the components of a run file.  ``kinds`` has,
    for each kind and for each other group in brackets, the places of its keys (and, where others, of the fields of such
    a component that is kept and changed), and the names of a model's numbers.

    Examples
    --------
    >>> known_keys()["kinds"]["models.MinimalRegulator"]["keys"]["mass_loading"]
    ['physics.MassLoading', 'AbstractLoading']
    """
    return json.loads(resources.files(__package__).joinpath("keys.json").read_text("utf-8"))


def check_known_keys(tables: Mapping[str, Any]) -> None:
    """Refuse kinds and keys that do not exist, in all groups of a run file.

    Raises
    ------
    RunFileError
        With the sentence that making the component would give.
    """
    for group, place in known_keys()["groups"].items():
        table = tables.get(group, {})
        components = {name: value for name, value in table.items() if name != "parameters" or group != "model"}
        _check_place(components, place, (group,))
        numbers = known_keys()["kinds"].get(table.get("kind"), {}).get("numbers")
        if group == "model" and set(components) == {"kind"} and numbers is not None:
            _check_numbers(table.get("parameters", {}), numbers, (group, "parameters"))
    for group, table in tables.items():
        _check_table(table, f"[{group}]", (group,))


def _check_place(table: Any, place: list[str | None], keys: tuple[str, ...]) -> None:
    """A component: a table with a kind, one that changes what stands there by default, or a kind alone."""
    default, name = place
    kinds, fitting = known_keys()["kinds"], known_keys()["places"].get(name)
    kind = table.get("kind") if isinstance(table, Mapping) else table
    if isinstance(kind, str) and fitting is not None and ":" not in kind and kind not in kinds:
        path = (*keys, "kind") if isinstance(table, Mapping) else keys
        raise RunFileError(path, f"unknown kind {kind!r}; {allowed_names(kind, fitting)}, or 'module:name'")
    misplaced = kind is not None and fitting is not None and kind not in fitting
    if isinstance(table, Mapping) and not misplaced:
        _check_table(table, default if kind is None else kind, keys, changed=kind is None)


def _check_table(table: Any, kind: Any, keys: tuple[str, ...], *, changed: bool = False) -> None:
    """`changed`: the component stands there by default, and the table changes its fields."""
    entry = known_keys()["kinds"].get(kind) if isinstance(kind, str) else None
    if entry is None or not isinstance(table, Mapping):
        return
    known = entry.get("fields", entry["keys"]) if changed else entry["keys"]
    for name, value in table.items():
        if name == "kind":
            continue
        if name not in known:
            raise RunFileError((*keys, name), f"unknown key; {allowed_names(name, known)}")
        if isinstance(value, Mapping):
            _check_place(value, known[name], (*keys, name))


def _check_numbers(table: Any, known: list[str], keys: tuple[str, ...], prefix: str = "") -> None:
    if not isinstance(table, Mapping):
        return
    for name, value in table.items():
        if isinstance(value, Mapping):
            _check_numbers(value, known, (*keys, name), f"{prefix}{name}.")
        elif prefix + name not in known:
            raise RunFileError((*keys, name), f"unknown parameter; {allowed_names(prefix + name, known)}")
