"""Names by which classes and functions are kept in files, and what a name in a file may stand for.

A class of corundum is kept under its public name, ``corundum.physics.MassLoading``, so that a file outlives a move of
the module.  Modules of corundum are imported for it; other names are looked up in modules that are imported already:
nothing else is imported because a file names it, and nothing of Python's standard library is ever looked up.
"""

import contextlib
import importlib
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

__all__ = ["find_class", "find_function", "public_name"]

_PACKAGE = __name__.partition(".")[0]
_LIBRARIES = ("jax.nn", "jax.numpy", "jax.lax", "jax", "equinox.nn", "equinox", "numpy")
"""Modules whose functions are kept under the names that their documentation uses."""


def public_name(member: type | Callable) -> str | None:
    """The dotted name that `find_class` or `find_function` finds again; None where there is none.

    Parameters
    ----------
    member : class or function

    Examples
    --------
    >>> from corundum.storage.public_names import public_name
    >>> public_name(co.physics.MassLoading), public_name(jax.nn.relu)
    ('corundum.physics.MassLoading', 'jax.nn.relu')
    >>> public_name(lambda x: x) is None
    True
    """
    home = str(getattr(member, "__module__", "") or "")
    name = str(getattr(member, "__qualname__", getattr(member, "__name__", "")))
    candidates = [f"{module}.{name}" for module in (*_families_of(home), home)]
    if not isinstance(member, type):
        candidates = [*(f"{library}.{name}" for library in _LIBRARIES), *candidates]
        candidates += _names_in(sys.modules.get(home), member)
    return next((candidate for candidate in candidates if _look_up(candidate) is member), None)


def find_class(name: str) -> type | None:
    """The class of this name, or None where no imported module has it.

    Examples
    --------
    >>> from corundum.storage.public_names import find_class
    >>> find_class("corundum.physics.MassLoading").__name__
    'MassLoading'
    >>> find_class("os.PathLike") is None
    True
    """
    member = _look_up(str(name))
    return member if isinstance(member, type) else None


def find_function(name: str) -> Callable | None:
    """The function of this name, or None where no imported module has it.

    Examples
    --------
    >>> from corundum.storage.public_names import find_function
    >>> find_function("jax.nn.relu") is jax.nn.relu
    True
    >>> find_function("os.system") is None
    True
    """
    member = _look_up(str(name))
    return member if callable(member) and not isinstance(member, type) else None


def _families_of(module: str) -> list[str]:
    """The public families of corundum that a module belongs to, the shortest name first."""
    parts = module.split(".")
    return [".".join(parts[:depth]) for depth in range(2, len(parts))] if parts[0] == _PACKAGE else []


def _names_in(module: ModuleType | None, member: Any) -> list[str]:
    """Names under which a module keeps a function that does not know its own, such as a lambda."""
    return [f"{module.__name__}.{name}" for name, value in vars(module).items() if value is member] if module else []


def _look_up(dotted: str) -> Any:
    """What a module holds under a dotted name; None where it holds nothing, or is not to be looked at."""
    module, _, name = dotted.rpartition(".")
    root = module.partition(".")[0]
    if root in sys.stdlib_module_names and root != "__main__":
        return None
    if root == _PACKAGE and module not in sys.modules:
        with contextlib.suppress(ImportError):  # no module of this version, or packages that it needs are missing
            importlib.import_module(module)
    return getattr(sys.modules.get(module), name, None)
