"""What a file in the Galacticus format holds, and where: groups, datasets, forests, units and flags.

Such files differ more than their two versions do.  Attributes may be arrays of one number or text, links may be spelled
``descendentIndex``, and a dataset may be a reference to a region of another one.  The rules are those of the manual of
Galacticus, "Merger Tree File Format", and of the reader in Galacticus itself.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
from jaxtyping import Int

from ....units import GYR_S, KPC_CM, MSUN_G

__all__ = [
    "GROUPS", "Unit", "column_names", "forest_rows", "halo_group", "read_flag", "read_number", "read_unit",
]  # fmt: skip

GROUPS = {"forestHalos": "forestIndex", "haloTrees": "treeIndex"}
"""Names of the group of halos, and of the group that says where each forest is, in version 2 and version 1."""

_VERSIONS = (1, 2)
_COLUMNS = {
    "id": ("nodeIndex",), "descendant": ("descendantIndex", "descendentIndex"), "mass": ("nodeMass",),
    "host": ("hostIndex?",), "rs": ("scaleRadius?",), "position": ("position?",), "scale": ("expansionFactor?",),
    "redshift": ("redshift?",), "time": ("time?",),
}  # fmt: skip
_TIMES = ("scale", "redshift", "time")
_SI_UNITS = {"mass": MSUN_G * 1e-3, "length": KPC_CM * 1e-2, "time": GYR_S}  # Msun in kg, kpc in m, Gyr in s
_LENGTHS = ("rs", "position")
_LARGEST_POWER = 3.0  # of h and of the scale factor in a unit


class Unit(NamedTuple):
    """A unit as `factor` * h^`h_power` * a^`a_power` of Msun, proper kpc or Gyr.

    Examples
    --------
    >>> from corundum.halos.trees.formats.galacticus_layout import Unit
    >>> masses = Unit(1e10, -1.0, 0.0).values(np.array([70.0]), 0.7, 1.0)  # in 1e10 Msun/h
    >>> round(float(masses[0]) / 1e12, 6)
    1.0
    """

    factor: float
    h_power: float
    a_power: float

    def values(self, numbers: Any, h: float, scale: Any) -> Any:
        """Numbers in this unit as Msun, proper kpc or Gyr."""
        return numbers * (self.factor * h**self.h_power * scale**self.a_power)


def halo_group(file: h5py.File, path: Path) -> h5py.Group:
    """The group with one dataset for each column of the halos.

    Raises
    ------
    ValueError
        There is none, or the file is in a version of the format that is not known.
    """
    version = read_number(file.attrs, ("formatVersion",), path)
    if version is not None and version not in _VERSIONS:
        raise ValueError(
            f"{path}: is in version {version:g} of the Galacticus format (formatVersion); versions 1 and 2 are read"
        )
    for name in GROUPS:
        if isinstance(file.get(name), h5py.Group):
            return file[name]
    raise ValueError(f"{path}: has no group {' or '.join(GROUPS)}, so it is no file of merger trees of Galacticus")


def column_names(halos: h5py.Group, has_length_unit: bool, path: Path) -> dict[str, str]:
    """Name of the dataset of each quantity, for `read_columns`.

    Of several spellings the first that holds numbers is taken, since one may be a reference to another.  Of several
    columns with the time of a halo one is enough: the scale factor, else the redshift, else the cosmic time.  Lengths
    are left out where the file states no unit of length.

    Raises
    ------
    ValueError
        No halo has a time.
    """
    names = {}
    for quantity, spellings in _COLUMNS.items():
        present = [name for name in spellings if name.removesuffix("?") in halos]
        plain = [name for name in present if _holds_numbers(halos[name.removesuffix("?")])]
        names[quantity] = [*plain, *present, *spellings][0]
    times = [quantity for quantity in _TIMES if names[quantity].removesuffix("?") in halos]
    if not times:
        raise ValueError(
            f"{path}: has none of expansionFactor, redshift and time in {halos.name}, so no halo has a time"
        )
    unused = {quantity for quantity in _TIMES if quantity != times[0]}
    if not has_length_unit:
        unused |= set(_LENGTHS)
    return {quantity: name for quantity, name in names.items() if quantity not in unused}


def _holds_numbers(member: h5py.Dataset | h5py.Group) -> bool:
    return isinstance(member, h5py.Dataset) and member.dtype.kind in "iuf" and member.ndim > 0


def forest_rows(file: h5py.File, halos: h5py.Group, stored: int, path: Path) -> tuple[Int[np.ndarray, " f"], ...]:
    """First row of every forest with halos, its number of halos and its place in the index, in the order of the rows.

    The index may list the forests in any order.  Without one, all halos are one forest; where it has only first rows
    or only numbers of halos, the other follows, as the forests lie one after the other.

    Parameters
    ----------
    file : h5py.File
    halos : h5py.Group
    stored : int
        Number of halos in the file.
    path : Path
        The file, for error messages.

    Raises
    ------
    ValueError
        The forests are not those of the file: halos are in two of them or in none.
    """
    names = (GROUPS[halos.name.strip("/")], *GROUPS.values())
    name = next((name for name in names if isinstance(file.get(name), h5py.Group)), "")
    index = file[name] if name else {}
    starts, sizes = _starts_and_sizes(index, stored, path)
    if len(starts) != len(sizes):
        raise ValueError(
            f"{path}: /{name} has {len(starts)} first rows and {len(sizes)} numbers of halos; every forest has "
            "one of each, so copy the file again"
        )
    place = np.flatnonzero(sizes != 0)
    place = place[np.argsort(starts[place], kind="stable")]
    starts, sizes = starts[place], sizes[place]
    ends = np.cumsum(sizes)
    listed = int(ends[-1]) if len(ends) else 0
    wrong = np.flatnonzero((starts != ends - sizes) | (sizes < 0))
    if len(wrong) or listed != stored:
        first = f"; forest {place[wrong[0]]} begins in row {starts[wrong[0]]}" if len(wrong) else ""
        raise ValueError(
            f"{path}: /{name} lists {listed} halos where {halos.name} has {stored}{first}; every halo must be in one "
            "forest, whose rows follow those of another and are counted from 0, so copy the file again"
        )
    return starts, sizes, place


def _starts_and_sizes(
    index: Mapping[str, Any], stored: int, path: Path
) -> tuple[Int[np.ndarray, " f"], Int[np.ndarray, " n"]]:
    """First rows and numbers of halos of the forests, in the order of the index."""
    starts, sizes = (_index_column(index, column, path) for column in ("firstNode", "numberOfNodes"))
    if starts is not None and sizes is not None:
        return starts, sizes
    if sizes is not None:
        return np.cumsum(sizes) - sizes, sizes
    if starts is None:
        return np.zeros(1, np.int64), np.array([stored])
    order = np.argsort(starts, kind="stable")
    sizes = np.empty_like(starts)
    sizes[order] = np.diff(starts[order], append=stored)
    return starts, sizes


def _index_column(index: Mapping[str, Any], name: str, path: Path) -> Int[np.ndarray, " f"] | None:
    if name not in index:
        return None
    values = np.ravel(index[name][()]) if isinstance(index[name], h5py.Dataset) else np.array(["a group"])
    if values.dtype.kind not in "iuf" or not np.all(np.mod(values, 1) == 0):
        raise ValueError(f"{path}: {name} of the forests are not whole numbers; the file is damaged, so copy it again")
    return values.astype(np.int64)


def read_unit(file: h5py.File, kind: str, path: Path) -> Unit | None:
    """The unit of "mass", "length" or "time" that a file states; None where it states none.

    Raises
    ------
    ValueError
        What it states is no unit.
    """
    stated = file["units"].attrs if "units" in file else {}
    in_si = read_number(stated, (f"{kind}UnitsInSI",), path)
    if in_si is None:
        return None
    powers = [read_number(stated, (f"{kind}{name}Exponent",), path) or 0.0 for name in ("Hubble", "ScaleFactor")]
    if not (np.isfinite(in_si) and in_si > 0.0 and np.all(np.abs(powers) <= _LARGEST_POWER)):
        raise ValueError(
            f"{path}: states {in_si:g} SI units times h^{powers[0]:g} a^{powers[1]:g} for the unit of {kind}; it must "
            f"be a positive number with powers within {_LARGEST_POWER:g}"
        )
    return Unit(in_si / _SI_UNITS[kind], *powers)


def read_flag(halos: h5py.Group, names: tuple[str, ...], path: Path) -> bool | None:
    """Whether an attribute of the halos is 1 or 0; None where it is absent or -1, which stands for unknown.

    Raises
    ------
    ValueError
        It is another number.
    """
    value = read_number(halos.attrs, names, path)
    if value is None or value == -1.0:
        return None
    if value not in (0.0, 1.0):
        raise ValueError(f"{path}: {names[0]} of {halos.name} is {value:g}; allowed 0 for no, 1 for yes")
    return bool(value)


def read_number(attributes: Mapping[str, Any], names: tuple[str, ...], path: Path) -> float | None:
    """The first of these attributes that is present, as a number, whatever the case of its letters.

    Attributes may be numbers, arrays of one number, or text.

    Raises
    ------
    ValueError
        It is no number.

    Examples
    --------
    >>> from pathlib import Path
    >>> from corundum.halos.trees.formats.galacticus_layout import read_number
    >>> read_number({"Omega0": np.array([b"0.3"])}, ("OmegaMatter", "Omega0"), Path("trees.hdf5"))
    0.3
    """
    stated = {_plain(name): name for name in attributes}
    for name in names:
        if _plain(name) in stated:
            value = np.ravel(attributes[stated[_plain(name)]])
            try:
                return float(value.item())
            except (TypeError, ValueError):
                raise ValueError(
                    f"{path}: the attribute {name} is {' '.join(map(str, value[:4]))!r}, which is not one number"
                ) from None
    return None


def _plain(name: str) -> str:
    return name.lower().replace("_", "")
