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

__all__ = [
    "FAMILIES",
    "public_kinds",
    "fits",
    "kinds_making",
    "public_kind",
    "public_kind_of",
    "kinds_hint",
    "resolve",
    "source_files",
]

FAMILIES = ("halos", "models", "physics", "cosmology", "numerics", "observables", "inference")
"""Modules of corundum whose public names make components."""

_SLOW = ("inference",)  # takes seconds to import: searched only for what it can make

_PACKAGE = __name__.partition(".")[0]


def public_kinds(family: str | None = None) -> list[str]:
    """Names a table could give as its kind, as ``family.name``; of all families by default."""
    if family is None:
        return [kind for name in FAMILIES for kind in public_kinds(name)]
    module = importlib.import_module(f"{_PACKAGE}.{family}")
    return [f"{family}.{name}" for name in module.__all__ if _is_kind(name, getattr(module, name))]


def kinds_making(classes: tuple[type, ...]) -> list[str]:
    """Kinds that are known to make one of some classes; all kinds where no class is named."""
    if not classes:
        return public_kinds()
    own = {cls.__module__.split(".")[1] for cls in classes if cls.__module__.startswith(f"{_PACKAGE}.")}
    families = [family for family in FAMILIES if family not in _SLOW or family in own]
    return [kind for family in families for kind in public_kinds(family) if fits(_public(kind), classes)]


def public_kind(component: Any) -> str | None:
    """The public name of the class of a component, as ``family.name``; None where it has none.

    Examples
    --------
    >>> public_kind(co.numerics.LaneSolver())
    'numerics.LaneSolver'
    """
    return public_kind_of(type(component))


def public_kind_of(cls: type) -> str | None:
    """The public name of a class, as ``family.name``; None where it has none."""
    package, _, rest = cls.__module__.partition(".")
    family = sys.modules.get(f"{package}.{rest.partition('.')[0]}")
    is_public = package == _PACKAGE and cls.__name__ in getattr(family, "__all__", ())
    return f"{rest.partition('.')[0]}.{cls.__name__}" if is_public else None


def fits(target: Any, classes: tuple[type, ...]) -> bool | None:
    """Whether a class, or a function by its return annotation, makes one of the classes; None if unknown."""
    result = target if isinstance(target, type) else getattr(target, "__annotations__", {}).get("return")
    return issubclass(result, classes or object) if isinstance(result, type) else None


def kinds_hint(classes: tuple[type, ...]) -> str:
    """The kinds that fit, in words."""
    known = kinds_making(classes) if classes else []
    return f"it can be {', '.join(map(repr, known))} or 'module:name'" if known else "for example 'module:name'"


def resolve(kind: str, keys: tuple[str, ...], classes: tuple[type, ...] = ()) -> Any:
    """The class or function that `kind` names.

    Parameters
    ----------
    kind : str
        ``"family.name"`` or ``"module:name"``.
    keys : tuple of str
        Where in the run file, for errors.
    classes : tuple of classes, optional
        What it must make.

    Raises
    ------
    RunFileError
        There is no such public name, module, or name in the module, or it is known to make something else.
    """
    if ":" in kind:
        target = _resolve_outside(kind, keys)
    elif kind.partition(".")[0] in FAMILIES and kind in public_kinds(kind.partition(".")[0]):
        target = _public(kind)
    else:
        raise RunFileError(
            keys, f"unknown kind {kind!r}; {allowed_names(kind, kinds_making(classes))}, or 'module:name'"
        )
    # A class of the user's may stand in for a concrete one; whether it does is seen when it is made.
    stands_in = ":" in kind and any(not inspect.isabstract(option) for option in classes)
    if fits(target, classes) is False and not stands_in:
        raise RunFileError(keys, f"{kind!r} does not fit here; {kinds_hint(classes)}")
    return target


def source_files(table: Mapping[str, Any]) -> list[Path]:
    """Files of the user's modules that a table names, so that a change in them can be noticed."""
    files = set()
    for value in table.values():
        if isinstance(value, Mapping):
            files.update(source_files(value))
        elif isinstance(value, list | tuple):
            files.update(file for item in value if isinstance(item, Mapping) for file in source_files(item))
        elif isinstance(value, str) and ":" in value:
            file = getattr(sys.modules.get(value.partition(":")[0]), "__file__", None)
            files.update([Path(file)] if file else [])
    return sorted(files)


def _public(kind: str) -> Any:
    family, _, name = kind.partition(".")
    return getattr(importlib.import_module(f"{_PACKAGE}.{family}"), name)


def _is_kind(name: str, member: Any) -> bool:
    data_only = isinstance(member, type) and issubclass(member, tuple)
    return callable(member) and not data_only and not inspect.isabstract(member) and not name.startswith("Abstract")


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
    folder = os.getcwd()
    if folder not in sys.path:
        sys.path.insert(0, folder)
    importlib.invalidate_caches()
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and f"{name}.".startswith(f"{error.name}."):
            missing = f"there is no module {name!r}; put {name}.py in {folder} or install it"
            raise RunFileError(keys, missing) from error
        raise RunFileError(keys, f"module {name!r} needs {error.name!r}, which is not installed") from error
    except Exception as error:
        # Whatever the user's own code does wrong; --debug shows where.
        problem = f"module {name!r} fails to import with {type(error).__name__}: {error}"
        raise RunFileError(keys, problem) from error
