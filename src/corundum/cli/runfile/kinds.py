"""What a `kind` in a run file can name: the public names of corundum, or ``module:name`` of the user's own.

There is no registry.  The names are those in the ``__all__`` of each family, so that a component exported
today can be named in a run file today.
"""

import importlib
import inspect
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from .errors import RunFileError, allowed_names

__all__ = ["FAMILIES", "public_kinds", "fits", "kinds_making", "kinds_hint", "resolve", "source_files"]

FAMILIES = ("halos", "models", "physics", "cosmology", "numerics")
"""Modules of corundum whose public names make components."""

_PACKAGE = __name__.partition(".")[0]


def public_kinds(family: str | None = None) -> list[str]:
    """Names a table could give as its kind, as ``family.name``; of all families by default."""
    if family is None:
        return [kind for each in FAMILIES for kind in public_kinds(each)]
    module = importlib.import_module(f"{_PACKAGE}.{family}")
    return [f"{family}.{name}" for name in module.__all__ if _is_kind(name, getattr(module, name))]


def kinds_making(wanted: tuple[type, ...]) -> list[str]:
    """Kinds that are known to make one of the wanted classes; all kinds if nothing is wanted."""
    kinds = public_kinds()
    return [kind for kind in kinds if fits(_public(kind), wanted)] if wanted else kinds


def fits(target: Any, wanted: tuple[type, ...]) -> bool | None:
    """Whether a class, or a function by its return annotation, makes what is wanted; None if unknown."""
    made = target if isinstance(target, type) else getattr(target, "__annotations__", {}).get("return")
    return issubclass(made, wanted or object) if isinstance(made, type) else None


def kinds_hint(wanted: tuple[type, ...]) -> str:
    """The kinds that fit, in words."""
    known = kinds_making(wanted) if wanted else []
    return f"it can be {', '.join(map(repr, known))} or 'module:name'" if known else "for example 'module:name'"


def resolve(kind: str, keys: tuple[str, ...], wanted: tuple[type, ...] = ()) -> Any:
    """The class or function that `kind` names.

    Parameters
    ----------
    kind : str
        ``"family.name"`` or ``"module:name"``.
    keys : tuple of str
        Where in the run file, for errors.
    wanted : tuple of classes, optional
        What it must make.

    Raises
    ------
    RunFileError
        There is no such public name, module, or name in the module, or it is known to make something else.
    """
    if ":" in kind:
        target = _resolve_outside(kind, keys)
    elif kind in public_kinds():
        target = _public(kind)
    else:
        raise RunFileError(
            keys, f"unknown kind {kind!r}; {allowed_names(kind, kinds_making(wanted))}, or 'module:name'"
        )
    if fits(target, wanted) is False:
        raise RunFileError(keys, f"{kind!r} does not fit here; {kinds_hint(wanted)}")
    return target


def source_files(table: Mapping[str, Any]) -> list[Path]:
    """Files of the user's modules that a table names, so that a change in them can be noticed."""
    found = []
    for key, value in table.items():
        if isinstance(value, Mapping):
            found += source_files(value)
        elif key == "kind" and ":" in value:
            file = getattr(sys.modules.get(value.partition(":")[0]), "__file__", None)
            found += [Path(file)] if file else []
    return sorted(set(found))


def _public(kind: str) -> Any:
    family, _, name = kind.partition(".")
    return getattr(importlib.import_module(f"{_PACKAGE}.{family}"), name)


def _is_kind(name: str, thing: Any) -> bool:
    data_only = isinstance(thing, type) and issubclass(thing, tuple)
    return callable(thing) and not data_only and not inspect.isabstract(thing) and not name.startswith("Abstract")


def _resolve_outside(kind: str, keys: tuple[str, ...]) -> Any:
    module_name, _, name = kind.partition(":")
    module = _import_outside(module_name, keys)
    target = getattr(module, name, None)
    if target is None:
        known = [key for key, value in vars(module).items() if callable(value) and not key.startswith("_")]
        raise RunFileError(keys, f"module {module_name!r} has no {name!r}; {allowed_names(name, known)}")
    if not callable(target):
        raise RunFileError(keys, f"{kind!r} is {type(target).__name__}; name a class or a function")
    return target


def _import_outside(name: str, keys: tuple[str, ...]) -> ModuleType:
    # As `python -m` does, and a console script does not: modules of the working directory can be imported.
    here = os.getcwd()
    if here not in sys.path:
        sys.path.insert(0, here)
    importlib.invalidate_caches()
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and f"{name}.".startswith(f"{error.name}."):
            missing = f"there is no module {name!r}; put {name}.py in {here} or install it"
            raise RunFileError(keys, missing) from error
        raise RunFileError(keys, f"module {name!r} needs {error.name!r}, which is not installed") from error
    except Exception as error:
        # Whatever the user's own code does wrong; --debug shows where.
        told = f"module {name!r} fails to import with {type(error).__name__}: {error}"
        raise RunFileError(keys, told) from error
