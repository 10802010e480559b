"""Reading columns from HDF5 tree files."""

from pathlib import Path

import h5py
import numpy as np

from ....storage.files import has_hdf5_signature, open_foreign_hdf5

__all__ = ["has_members", "read_columns", "require_sources"]

_NAMES_IN_MESSAGE = 12


def has_members(path: Path, *members: str) -> bool:
    """Whether a file is HDF5, undamaged, and has all these groups and datasets.

    Raises
    ------
    OSError
        It is in use by another process, or must not be read, so that the question has no answer.
    """
    if not has_hdf5_signature(path):
        return False
    try:
        with open_foreign_hdf5(path) as file:
            return all(member in file for member in members)
    except ValueError:
        return False


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
        A dataset is missing or of another length than the others, or its values are in a file that is missing.

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
    columns, lengths = {}, {}
    for quantity, name in names.items():
        optional = name.endswith("?")
        name = name.removesuffix("?")
        if name not in group:
            if optional:
                continue
            present = ", ".join(list(group)[:_NAMES_IN_MESSAGE]) or "nothing"
            raise ValueError(f"{path}: has no dataset {name!r} in {group.name}; it has {present}")
        require_sources(group[name], path)
        lengths[name] = len(group[name])
        columns[quantity] = np.asarray(group[name][rows])
    if len(set(lengths.values())) > 1:
        sizes = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise ValueError(f"{path}: datasets of {group.name} have different lengths ({sizes}); copy the file again")
    return columns


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
                f"{path}: the values of {dataset.name} are in {source}, which is missing; copy that file beside it"
            )
