"""Reading columns from HDF5 tree files."""

from pathlib import Path

import h5py
import numpy as np

from ....storage.files import has_hdf5_signature, open_foreign_hdf5
from ..stated_cosmology import StatedCosmology, cosmology_in_attributes

__all__ = ["has_members", "read_columns", "stated_in_header"]

_NAMES_IN_MESSAGE = 12


def has_members(path: Path, *members: str) -> bool:
    """Whether a file is HDF5 and has all these groups and datasets.

    Raises
    ------
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
        A dataset is missing or of another length than the others.

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
        lengths[name] = len(group[name])
        columns[quantity] = np.asarray(group[name][rows])
    if len(set(lengths.values())) > 1:
        sizes = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise ValueError(f"{path}: datasets of {group.name} have different lengths ({sizes}); copy the file again")
    return columns
