"""Opening HDF5 tree files, with what goes wrong told in one sentence."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

__all__ = ["has_members", "open_trees", "read_columns", "require_whole"]

_SIGNATURE = b"\x89HDF\r\n\x1a\n"


@contextlib.contextmanager
def open_trees(path: Path) -> Iterator:
    """An open HDF5 file.

    Raises
    ------
    ValueError
        It is not HDF5, truncated, damaged, or a part is missing.
    """
    import h5py  # only for these formats

    try:
        with h5py.File(path, "r") as file:
            yield file
    except FileNotFoundError:
        raise ValueError(f"{path}: no such file") from None
    except KeyError as error:
        raise ValueError(f"{path}: a part of the file is missing ({_last(error)}); copy the file again") from None
    except (OSError, RuntimeError) as error:
        with path.open("rb") as file:
            signed = file.read(8) == _SIGNATURE
        what = "the HDF5 file is truncated or damaged" if signed else "is not an HDF5 file"
        raise ValueError(f"{path}: {what} ({_last(error)}); copy the file again") from None


def _last(error: Exception) -> str:
    return " ".join(str(error).strip("\"'").split())[:120]


def has_members(path: Path, *members: str) -> bool:
    """Whether a file is HDF5 and has all these groups and datasets."""
    try:
        with open_trees(path) as file:
            return all(member in file for member in members)
    except (OSError, ValueError):
        return False


def require_whole(path: Path) -> None:
    """Refuse a file that begins as HDF5 but cannot be opened; others pass.

    Raises
    ------
    ValueError
        It is truncated or damaged.
    """
    if path.is_file():
        with path.open("rb") as file:
            signed = file.read(len(_SIGNATURE)) == _SIGNATURE
        if signed:
            with open_trees(path):
                pass


def read_columns(group, names: dict[str, str], rows: slice, path: Path) -> dict[str, np.ndarray]:
    """Datasets of a group by quantity, for some rows; absent ones marked with "?" at the end are left out.

    Raises
    ------
    ValueError
        A dataset is missing or of another length than the others.
    """
    found, lengths = {}, {}
    for quantity, name in names.items():
        optional = name.endswith("?")
        name = name.removesuffix("?")
        if name not in group:
            if optional:
                continue
            raise ValueError(
                f"{path}: has no dataset {name!r} in {group.name}; it has {', '.join(list(group)[:12]) or 'nothing'}"
            )
        lengths[name] = len(group[name])
        found[quantity] = np.asarray(group[name][rows])
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise ValueError(f"{path}: datasets of {group.name} have different lengths ({told}); copy the file again")
    return found
