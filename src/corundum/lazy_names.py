"""Public names of a package that are imported when they are first used.

The packages of corundum list their names once, as imports under ``if TYPE_CHECKING``, which editors and type checkers
read; nothing of that runs.  `lazy_names` reads the same lines and imports a name from its module when someone asks for
it, so that a program waits only for what it uses (PEP 562; the idea of SPEC 1 of scientific Python).
"""

import ast
import importlib
import importlib.util
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

__all__ = ["lazy_names"]


def lazy_names(package: str) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """The functions ``__getattr__`` and ``__dir__`` of a package.

    Parameters
    ----------
    package : str
        Its ``__name__``.  Its ``__init__.py`` defines ``__all__``, and imports the names in it relatively and below
        ``if TYPE_CHECKING``.

    Returns
    -------
    tuple of two functions

    Raises
    ------
    ImportError
        The package is installed without its source.

    Examples
    --------
    >>> from corundum.lazy_names import lazy_names
    >>> getattr_of, dir_of = lazy_names("corundum.population")
    >>> getattr_of("evolve") is co.evolve, "Population" in dir_of()
    (True, True)
    """
    module = sys.modules[package]
    homes = _homes(module)
    vars(module)["_members"] = {name for name, (_, original) in homes.items() if original is not None}
    module.__class__ = _Package

    def __getattr__(name: str) -> Any:
        if name not in homes and not name.startswith("_") and importlib.util.find_spec(f"{package}.{name}"):
            return importlib.import_module(f"{package}.{name}")  # a module that is not among the public names
        if name not in homes:
            # Python itself adds the name that looks most like it.
            public = ", ".join(getattr(module, "__all__", ()))
            raise AttributeError(f"module {package!r} has no attribute {name!r}; it has {public}")
        home, original = homes[name]
        value = importlib.import_module(home, package)
        if original is not None:
            value = getattr(value, original)
        vars(module)[name] = value  # asked for once only
        return value

    def __dir__() -> list[str]:
        return sorted([*getattr(module, "__all__", ()), *(name for name in ("__version__",) if name in vars(module))])

    return __getattr__, __dir__


class _Package(ModuleType):
    """A package in which the import of a module leaves a public name alone, where both are called the same."""

    _members: set[str]

    def __setattr__(self, name: str, value: Any) -> None:
        # `sensitivity.budgets` is a function in a module of that name, which the import system would put in its place.
        if not (isinstance(value, ModuleType) and name in self._members):
            super().__setattr__(name, value)


def _homes(module: ModuleType) -> dict[str, tuple[str, str | None]]:
    """Where each name comes from: a module, relative to the package, and the name in it; None for the module itself."""
    source = module.__spec__.loader.get_source(module.__name__)  # type: ignore[union-attr]
    if source is None:
        raise ImportError(f"{module.__name__} was installed without its source, which it reads; reinstall corundum")
    homes: dict[str, tuple[str, str | None]] = {}
    for block in ast.parse(source).body:
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING":
            for line in block.body:
                if isinstance(line, ast.ImportFrom):
                    for alias in line.names:
                        homes[alias.asname or alias.name] = _home(line, alias)
    return homes


def _home(line: ast.ImportFrom, alias: ast.alias) -> tuple[str, str | None]:
    if line.module is None:
        return "." * line.level + alias.name, None
    return "." * line.level + line.module, alias.name
