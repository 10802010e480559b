"""Reading columns from HDF5 tree files."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from jaxtyping import Int

from ....messages import short_name
from ....storage.files import has_hdf5_signature, open_foreign_hdf5
from ..stated_cosmology import StatedCosmology, cosmology_in_attributes

__all__ = [
    "as_ids",
    "checked_columns",
    "has_members",
    "open_columns",
    "read_columns",
    "require_sources",
    "stated_count",
    "stated_in_header",
]

_NAMES_IN_MESSAGE = 12
_VECTORS = ("position", "velocity")
_LARGEST_EXACT = {np.dtype(kind).char: 2 ** (np.finfo(kind).nmant + 1) for kind in ("f2", "f4", "f8", "g")}
"""The largest whole number up to which a floating-point type holds all of them, by the character of the type."""


def has_members(path: Path, *members: str) -> bool:
    """Whether a file is HDF5 and has all these groups and datasets.

    Raises
    ------
    OSError
        It is in use by another process, or must not be read, so that the question has no answer.
    ValueError
        It is HDF5 but cannot be opened, or has most of them but not all.
    """
    if not has_hdf5_signature(path):
        return False
    with open_foreign_hdf5(path) as file:
        missing = [member for member in members if member not in file]
    if missing and len(missing) < len(members) / 2:
        present = ", ".join(f"/{member}" for member in members if member not in missing)
        raise ValueError(f"{path}: has {present} but not /{missing[0]}; the file is incomplete, so copy it again")
    return not missing


def stated_in_header(path: Path) -> StatedCosmology:
    """The cosmology in the attributes of ``/Header``, where the file has one."""
    with open_foreign_hdf5(path) as file:
        return cosmology_in_attributes(dict(file["Header"].attrs) if "Header" in file else {})


def read_columns(group: h5py.Group, names: dict[str, str], rows: slice, path: Path) -> dict[str, np.ndarray]:
    """Some rows of the datasets of a group.

    Parameters
    ----------
    group : h5py.Group
    names : dict of str to str
        Name of the dataset of each quantity; one that ends with "?" is optional and left out where it is absent.
    rows : slice
    path : Path
        The file, for error messages.

    Returns
    -------
    dict of str to array
        Values by quantity.

    Raises
    ------
    ValueError
        As for `open_columns`.

    Examples
    --------
    >>> import h5py
    >>> from pathlib import Path
    >>> from corundum.halos.trees.formats.hdf5 import read_columns
    >>> with h5py.File("tree.hdf5", "w") as file:
    ...     file["SnapNum"] = [99, 98, 97]
    ...     columns = read_columns(file, {"snapshot": "SnapNum", "vmax": "Vmax?"}, slice(0, 2), Path("tree.hdf5"))
    >>> columns
    {'snapshot': array([99, 98])}
    """
    return {quantity: np.asarray(column[rows]) for quantity, column in open_columns(group, names, path).items()}


def open_columns(group: h5py.Group, names: dict[str, str], path: Path) -> dict[str, h5py.Dataset | np.ndarray]:
    """The datasets of a group by quantity, to read some of their rows at a time.

    Where a dataset holds references to another one, or to regions of it, the values there are meant.

    Parameters
    ----------
    group, names, path
        As for `read_columns`.

    Raises
    ------
    ValueError
        A dataset is missing, holds no column of numbers, is of another length than the others, or its values are in a
        file that is missing.
    """
    members = {}
    for quantity, name in names.items():
        optional = name.endswith("?")
        name = name.removesuffix("?")
        if name in group:
            members[quantity] = group[name]
        elif not optional:
            present = ", ".join(map(short_name, list(group)[:_NAMES_IN_MESSAGE])) or "nothing"
            raise ValueError(f"{path}: has no dataset {name!r} in {group.name}; it has {present}")
    return checked_columns(members, path)


def checked_columns(
    members: Mapping[str, h5py.Dataset | h5py.Group], path: Path
) -> dict[str, h5py.Dataset | np.ndarray]:
    """Members of a group as columns of numbers by quantity, all with one entry for each halo.

    Raises
    ------
    ValueError
        As for `open_columns`.
    """
    columns = {}
    for quantity, member in members.items():
        columns[quantity] = _column(member, path)
        _check_shape(columns[quantity], (3,) if quantity in _VECTORS else (), member.name, path)
    lengths = {members[quantity].name.rpartition("/")[2]: len(column) for quantity, column in columns.items()}
    if len(set(lengths.values())) > 1:
        sizes = ", ".join(f"{name} {length}" for name, length in lengths.items())
        folder = next(iter(members.values())).parent.name
        raise ValueError(f"{path}: datasets of {folder} have different lengths ({sizes}); copy the file again")
    return columns


def _column(member: h5py.Dataset | h5py.Group, path: Path) -> h5py.Dataset | np.ndarray:
    """The values that a member of a group holds, or that its references lead to."""
    column = member
    if isinstance(member, h5py.Dataset) and h5py.check_ref_dtype(member.dtype) is not None:
        parts = [_values_at(reference, member, path) for reference in np.ravel(member[()])]
        column = parts[0] if len(parts) == 1 else np.concatenate([np.asarray(part[()]) for part in parts])
    if not isinstance(column, h5py.Dataset | np.ndarray) or column.ndim == 0 or column.dtype.kind not in "iufb":
        raise ValueError(f"{path}: {member.name} is no column of numbers; the file is damaged, or in another layout")
    if isinstance(column, h5py.Dataset):
        require_sources(column, path)
    return column


def _check_shape(column: h5py.Dataset | np.ndarray, of_one: tuple[int, ...], name: str, path: Path) -> None:
    """Refuse a column whose values for one halo have another shape than `of_one`."""
    if column.shape[1:] != of_one:
        expected = "3 numbers" if of_one else "one number"
        raise ValueError(f"{path}: {name} has the shape {column.shape}, not {expected} a halo; copy the file again")


def stated_count(attributes: Mapping[str, Any], name: str, count: int, path: Path) -> int:
    """The whole number that an attribute states, or `count` where it is absent.

    Raises
    ------
    ValueError
        It is no whole number.
    """
    value = np.ravel(attributes.get(name, count))
    if len(value) != 1 or value.dtype.kind not in "iuf" or value[0] != np.floor(value[0]):
        stated = short_name(attributes[name])
        raise ValueError(f"{path}: states {name} = {stated}, which is no whole number; copy the file again")
    return int(value[0])


def _values_at(
    reference: h5py.Reference | h5py.RegionReference, member: h5py.Dataset, path: Path
) -> h5py.Dataset | np.ndarray:
    try:
        target = member.file[reference]
    except (ValueError, TypeError, KeyError, OSError, RuntimeError):
        raise ValueError(f"{path}: {member.name} is a reference that leads nowhere; write the file again") from None
    if not isinstance(reference, h5py.RegionReference) or not isinstance(target, h5py.Dataset):
        return target
    is_whole = target.regionref.selection(reference) == target.shape
    return target if is_whole else target[reference]


def require_sources(dataset: h5py.Dataset, path: Path) -> None:
    """Refuse a virtual dataset whose values are in other files that are missing: HDF5 would read zeros for them.

    Raises
    ------
    ValueError
        One of those files does not exist; the message names it.
    """
    if not dataset.is_virtual:
        return
    for source in sorted({source.file_name for source in dataset.virtual_sources()} - {"."}):
        if not any(place.exists() for place in (path.parent / source, Path(source))):
            raise ValueError(
                f"{path}: the values of {dataset.name} are in {short_name(source)}, which is missing; copy that "
                "file beside it"
            )


def as_ids(values: np.ndarray, name: str, place: str) -> Int[np.ndarray, " n"]:
    """Ids as 64-bit integers, also where a file stores them as floating-point numbers.

    Parameters
    ----------
    values : array, shape (n,)
    name : str
        Their name in the file, for error messages.
    place : str
        The file and the part of it, for error messages.

    Raises
    ------
    ValueError
        They cannot be told apart as 64-bit integers.

    Examples
    --------
    >>> from corundum.halos.trees.formats.hdf5 import as_ids
    >>> as_ids(np.array([7.0, -1.0]), "nodeIndex", "trees.hdf5")
    array([ 7, -1])
    """
    if values.dtype.kind == "f":
        exact = (
            np.isfinite(values) & (values == np.floor(values)) & (np.abs(values) <= _LARGEST_EXACT[values.dtype.char])
        )
        if not np.all(exact):
            raise ValueError(
                f"{place}: {name} has {values[np.argmin(exact)]:.17g}, stored as a floating-point number, which is no "
                "whole number or too large to be exact; write ids as 64-bit integers"
            )
    ids = values.astype(np.int64)
    wrapped = np.flatnonzero((ids < -1) & (values > 0))
    if len(wrapped):
        raise ValueError(
            f"{place}: {name} has {values[wrapped[0]]}, beyond 64-bit integers with a sign; number the halos anew"
        )
    return ids
