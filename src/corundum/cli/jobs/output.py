"""The output directory of a run: its files, whose it is, and whether the run is new, resumed or finished.

A directory belongs to one run.  The resolved run file ``run.toml`` says which; together with the inputs that are not in
it (files, the user's own modules, the version of corundum) it decides whether a run is new, to be resumed, or finished.
While a process works in it no other may (`corundum.storage.locks`), so that results never lie beside the settings of
another run.  Only files that this package has written are ever removed, and every file is put in place in one step.
"""

import contextlib
import json
import os
import shutil
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ...storage.files import atomic_path
from ...storage.locks import exclusive
from ..runfile.toml import dotted, write_toml

__all__ = ["OutputDirectory", "claim", "refuse_early", "run_of"]

_RESULTS = (
    "results.h5", "trajectories.h5", "compared.h5", "sensitivity.h5", "posterior-*.nc", "parameters.csv",
    "parameters.tex", "comparison.csv", "findings.txt", "mocks.csv", "forecast.csv", "trained.h5", "calibration.json",
)  # fmt: skip
# In the order in which an earlier run is removed: while anything of it is left, its run.toml says whose it is.
_FILES = ("run_info.json", *_RESULTS, "report.html")
_FOLDERS = ("figures", "checkpoint")
_LOCK = ".corundum-lock"
_WAYS = "choose another directory with -o, or discard that run with --overwrite"


class OutputDirectory(NamedTuple):
    """A claimed directory.

    Attributes
    ----------
    root : Path
    state : str
        ``"new"``, ``"resumed"`` or ``"finished"``.
    """

    root: Path
    state: str

    def file(self, name: str) -> Path:
        """Path of one of the files of a run."""
        return self.root / name

    def folder(self, name: str) -> Path:
        """Path of one of the folders of a run, created if it does not exist."""
        path = self.root / name
        path.mkdir(exist_ok=True)
        return path

    def write_info(self, info: Mapping[str, Any]) -> None:
        """Write ``run_info.json``."""
        _write_text(self.root / "run_info.json", json.dumps(info, indent=2) + "\n")

    def read_info(self) -> dict[str, Any]:
        """The content of ``run_info.json``; empty if there is no such file."""
        return _read_info(self.root)

    def drop_checkpoint(self) -> None:
        """Remove what a finished run no longer needs."""
        shutil.rmtree(self.root / "checkpoint", ignore_errors=True)


def refuse_early(root: Path, tables: Mapping[str, Any], *, overwrite: bool = False) -> None:
    """Refuse what can be refused before the inputs of a run are built, which may take minutes.

    Parameters
    ----------
    root : Path
    tables : mapping
        The run file as it was read.  Only its numbers are compared with those of an earlier run: names and paths have
        several spellings, which only the resolved run file settles.
    overwrite : bool
        As for `claim`.

    Raises
    ------
    InUseError
        Another run is at work in the directory.
    ValueError
        It cannot be written, is not the directory of a run, or holds a run with other numbers.
    """
    if not root.exists():
        parent = next(folder for folder in root.resolve().parents if folder.exists())
        if not parent.is_dir() or not os.access(parent, os.W_OK):
            reason = "permission denied" if parent.is_dir() else f"{parent} is a file"
            raise ValueError(f"output directory {root}: cannot be written ({reason}); choose another with -o")
        return
    with _writable(root):
        root.mkdir(exist_ok=True)
    _refuse_foreign(root)
    if (root / _LOCK).exists():
        with contextlib.suppress(OSError), _lock(root):
            pass  # left behind by a run that was killed
    if not overwrite and _holds_work(root):
        earlier = _earlier_run(root)
        _refuse_differences(root, list(_differences(_numbers(earlier, tables), _numbers(tables, earlier), ())))


def _numbers(tables: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """The numbers, and lists of numbers, of nested tables that stand in `other` as well."""
    shared: dict[str, Any] = {}
    for key, value in tables.items():
        value_of_other = other.get(key)
        if isinstance(value, Mapping) and isinstance(value_of_other, Mapping):
            shared[key] = _numbers(value, value_of_other)
        elif _is_number(value) and _is_number(value_of_other):
            shared[key] = value
    return shared


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) or isinstance(value, list) and all(map(_is_number, value))


def _lock(root: Path) -> contextlib.AbstractContextManager[None]:
    return exclusive(root / _LOCK, f"output directory {root}: another run writes to it")


@contextlib.contextmanager
def claim(
    root: Path, tables: Mapping[str, Any], identity: str, *, overwrite: bool = False
) -> Iterator[OutputDirectory]:
    """Take `root` for the run of the resolved run file `tables`, until the block ends.

    Parameters
    ----------
    root : Path
        Created, with its parents, if it does not exist.
    tables : mapping
        The resolved run file.
    identity : str
        The `corundum.storage.checkpoints.fingerprint` of the inputs.
    overwrite : bool
        Discard an earlier run instead of refusing or resuming.

    Yields
    ------
    OutputDirectory

    Raises
    ------
    InUseError
        Another run is at work in the directory.
    ValueError
        The directory cannot be created or written, holds a different run, or holds files that do not belong to a run.
    """
    with _writable(root):
        root.mkdir(parents=True, exist_ok=True)
    # What is finished needs no lock, and may lie in a directory that cannot be written.
    if not overwrite and _read_info(root).get("finished") and _state(root, tables, identity) == "finished":
        yield OutputDirectory(root, "finished")
        return
    with contextlib.ExitStack() as held:
        with _writable(root):
            held.enter_context(_lock(root))
        state = _state(root, tables, identity, overwrite=overwrite)
        if state == "new":
            _clear(root)
            _write_text(root / "run.toml", write_toml(tables))
        yield OutputDirectory(root, state)


def _state(root: Path, tables: Mapping[str, Any], identity: str, *, overwrite: bool = False) -> str:
    """Whether `root` is new to the run, or holds a part or all of it; a ValueError where it holds something else."""
    _refuse_foreign(root)
    if overwrite or not _holds_work(root):
        return "new"
    _refuse_other_run(root, tables, identity)
    return "finished" if _read_info(root).get("finished") else "resumed"


def _refuse_foreign(root: Path) -> None:
    if not (root / "run.toml").exists() and any(not _is_scratch(path) for path in root.iterdir()):
        raise ValueError(f"output directory {root}: is not empty and holds no corundum run; choose another with -o")


@contextlib.contextmanager
def _writable(root: Path) -> Iterator[None]:
    """Tell why a directory cannot be made or written to."""
    try:
        yield
    except (FileExistsError, NotADirectoryError):
        raise ValueError(f"output directory {root}: is, or lies below, a file; choose another with -o") from None
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ValueError(f"output directory {root}: cannot be written ({reason}); choose another with -o") from error


def _is_scratch(path: Path) -> bool:
    return path.name == _LOCK or path.name.startswith(".run.toml.") and path.name.endswith(".tmp")


def _holds_work(root: Path) -> bool:
    return any(any(root.glob(name)) for name in _RESULTS) or any((root / "checkpoint").rglob("*.npz"))


def run_of(root: Path) -> dict[str, Any]:
    """The resolved run file of the run that a directory holds.

    Raises
    ------
    ValueError
        There is none, or it is damaged.
    """
    if not (root / "run.toml").exists():
        raise ValueError(f"{root}: {'holds no corundum run' if root.is_dir() else 'there is no such directory'}; give "
                         "the one that a run has written with -o")  # fmt: skip
    return _earlier_run(root)


def _earlier_run(root: Path) -> dict[str, Any]:
    try:
        return tomllib.loads((root / "run.toml").read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        raise ValueError(
            f"output directory {root}: its run.toml is damaged; choose another with -o, or use --overwrite"
        ) from None


def _refuse_differences(root: Path, differences: list[str]) -> None:
    if differences:
        more = f" and {len(differences) - 3} more" if len(differences) > 3 else ""
        raise ValueError(
            f"output directory {root}: holds a different run ({'; '.join(differences[:3])}{more}); {_WAYS}"
        )


def _refuse_other_run(root: Path, tables: Mapping[str, Any], identity: str) -> None:
    _refuse_differences(root, list(_differences(_earlier_run(root), tomllib.loads(write_toml(tables)), ())))
    if _read_info(root).get("identity") != identity:
        raise ValueError(
            f"output directory {root}: holds this run made from other inputs (the halo histories, a module "
            f"named in the run file, or the version of corundum have changed); {_WAYS}"
        )


def _differences(earlier: Any, current: Any, keys: tuple[str, ...]) -> Iterator[str]:
    """A clause for each key of two resolved run files whose values differ."""
    if isinstance(earlier, dict) and isinstance(current, dict):
        for key in {**earlier, **current}:
            yield from _differences(earlier.get(key), current.get(key), (*keys, key))
    elif earlier != current:
        yield f"{dotted(keys)} is {_brief(earlier)} there and {_brief(current)} here"


def _brief(value: Any) -> str:
    if value is None or isinstance(value, dict):
        return "not set" if value is None else "a table"
    return repr(value) if len(repr(value)) < 60 else repr(value)[:56] + " ..."


def _clear(root: Path) -> None:
    """Remove an earlier run, but for its run.toml, which the new one replaces in one step."""
    for name in _FILES:
        for path in root.glob(name):
            path.unlink(missing_ok=True)
    for name in _FOLDERS:
        shutil.rmtree(root / name, ignore_errors=True)
    for name in (*_FILES, "run.toml"):
        for path in root.glob(f".{name}.*.tmp"):
            path.unlink(missing_ok=True)


def _read_info(root: Path) -> dict[str, Any]:
    try:
        return json.loads((root / "run_info.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _write_text(path: Path, text: str) -> None:
    with atomic_path(path) as scratch:
        scratch.write_text(text, encoding="utf-8")
