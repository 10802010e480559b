"""Halo tables as they are on disk: names, values and stated units of every column.

There are two formats.  Text has a header row and columns separated by commas, semicolons or white space; lines starting
with # are comments, and it may be compressed with gzip, bzip2 or xz.  HDF5 has one dataset per column, or one compound
dataset as astropy writes it.  `corundum.halos.tables.columns` decides what the columns mean.
"""

import re
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np

from ...messages import one_line, short_name
from ...storage.files import has_hdf5_signature, missing_file_message, open_foreign_hdf5
from ...storage.text_files import text_lines

__all__ = ["RawTable", "column_names", "read_file"]

_HDF5_SUFFIXES = (".h5", ".hdf5", ".hdf")
_FILL_ATTRIBUTES = ("_FillValue", "missing_value")
_MASK = ".mask"  # ends the name of the field that says where astropy's column is masked
_HEADER_FIELD = re.compile(r"[^\s\[(]+(?:\s*[\[(][^\])]*[\])])?")
_NAME_AND_UNIT = re.compile(r"^(.*?)\s*[\[(]([^\])]*)[\])]$")
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?|nan|inf", re.IGNORECASE)


class RawTable(NamedTuple):
    """A table before anything is known of what its columns mean.

    Attributes
    ----------
    columns : dict of str to array, shape (n,)
        Numbers or texts by the name of the column.
    units : dict of str to str
        Units that the file states, by the name of the column.
    rows : array, shape (n,)
        Number of each row in the file.
    row_word : str
        What such a number counts: ``"line"`` or ``"row"``.
    """

    columns: dict[str, np.ndarray]
    units: dict[str, str]
    rows: np.ndarray
    row_word: str

    def place(self, row: int) -> str:
        """Where the row with this index is in the file, for messages."""
        return f"{self.row_word} {self.rows[row]}"


def read_file(path: str | Path) -> RawTable:
    """Read a text or HDF5 table.

    Raises
    ------
    ValueError
        There is no such file, or it is empty, damaged, or not a table.

    Examples
    --------
    >>> from pathlib import Path
    >>> from corundum.halos.tables.files import read_file
    >>> _ = Path("halos.txt").write_text("halo_id a mvir[Msun/h]\\n1 0.5 1e11\\n1 1.0 4e11\\n")
    >>> table = read_file("halos.txt")
    >>> table.units, table.columns["a"].tolist(), table.place(1)
    ({'mvir': 'Msun/h'}, ['0.5', '1.0'], 'line 3')
    """
    path = Path(path)
    if path.is_dir():
        raise ValueError(f"{path}: is a directory; give the table itself, a text or HDF5 file")
    if not path.exists():
        raise ValueError(missing_file_message(path))
    if path.stat().st_size == 0:
        raise ValueError(f"{path}: the file is empty; a table needs a header and one row per halo and snapshot")
    if has_hdf5_signature(path) or path.suffix.lower() in _HDF5_SUFFIXES:
        return _read_hdf5(path)
    return _read_text(path)


def column_names(path: Path) -> list[str]:
    """Names of the columns of a file that may be a table, without reading its rows; none if it is no table."""
    try:
        if has_hdf5_signature(path):
            with open_foreign_hdf5(path) as file:
                return list(_datasets(file))
        header = next((line for line in text_lines(path) if _has_content(line)), "")
    except (OSError, ValueError):
        return []
    return _split_units(_header_fields(header))[0]


def _has_content(line: str) -> bool:
    """Whether a line of text is neither empty nor a comment."""
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _header_fields(header: str) -> list[str]:
    separator = _separator(header)
    fields = header.split(separator) if separator else _HEADER_FIELD.findall(header)
    return [field.strip().strip("\"'").strip() for field in fields]


def _separator(header: str) -> str | None:
    """What separates the fields of a text; None for white space."""
    return next((separator for separator in ",;" if separator in header), None)


def _split_units(fields: list[str]) -> tuple[list[str], dict[str, str]]:
    """Names of the columns, and the units that stand in brackets after some of them."""
    names, units = [], {}
    for field in fields:
        match = _NAME_AND_UNIT.match(field)
        name = match[1] if match else field
        names.append(name)
        if match:
            units[name] = match[2]
    return names, units


def _read_text(path: Path) -> RawTable:
    numbered = [(number, line.strip()) for number, line in enumerate(text_lines(path), 1) if _has_content(line)]
    if not numbered:
        raise ValueError(f"{path}: has comments only; a table needs a header row without # and one row per snapshot")
    (header_number, header), rows = numbered[0], numbered[1:]
    if not header.replace("\t", " ").isprintable() or not header.isascii():
        raise ValueError(f"{path}: is neither text nor HDF5; save the table as one of these")
    fields, separator = _header_fields(header), _separator(header)
    if all(_NUMBER.fullmatch(field) for field in fields):
        raise ValueError(
            f"{path}: line {header_number} should name the columns but has numbers; write the header row without #"
        )
    names, units = _split_units(fields)
    repeated = [name for name in names if names.count(name) > 1]
    if repeated:
        raise ValueError(f"{path}: two columns are named {repeated[0]!r}; rename one of them")
    if not rows:
        raise ValueError(f"{path}: has a header but no rows; a table needs one row per halo and snapshot")
    values = []
    for number, line in rows:
        row = [field.strip().strip("\"'") for field in line.split(separator)]
        if len(row) != len(names):
            raise ValueError(
                f"{path}: line {number} has {len(row)} fields where the header names {len(names)}; repair that line"
            )
        values.append(row)
    columns = dict(zip(names, np.array(values).T, strict=True))
    return RawTable(columns, units, np.array([number for number, _ in rows]), "line")


def _read_hdf5(path: Path) -> RawTable:
    with open_foreign_hdf5(path) as file:
        columns = _datasets(file)
        attributes = {name: file[name].attrs for name in columns if name in file}
        units = {name: _as_text(attrs.get("unit", attrs.get("units", ""))) for name, attrs in attributes.items()}
        fills = {name: [attrs[key] for key in _FILL_ATTRIBUTES if key in attrs] for name, attrs in attributes.items()}
        groups = [name for name in map(one_line, file) if name not in columns]
    if not columns:
        raise ValueError(
            f"{path}: has no datasets at its top level, only {', '.join(map(short_name, groups)) or 'nothing'}; "
            "write one dataset per column there"
        )
    shapes = {name: values.shape for name, values in columns.items()}
    if any(len(shape) != 1 for shape in shapes.values()) or len(set(shapes.values())) > 1:
        raise ValueError(
            f"{path}: columns must be one-dimensional and of one length; got "
            + ", ".join(f"{name} {shape}" for name, shape in shapes.items())
        )
    for name, values in columns.items():
        if values.dtype.kind not in "biufSO":
            raise ValueError(f"{path}: the column {name} holds values of type {values.dtype}; write numbers or text")
    columns = {name: _without_fills(values, fills.get(name, [])) for name, values in columns.items()}
    rows = np.arange(len(next(iter(columns.values()))))
    if len(rows) == 0:
        raise ValueError(f"{path}: its columns are empty; a table needs one row per halo and snapshot")
    columns = {
        name: np.array([_as_text(value) for value in values]) if values.dtype.kind in "SO" else values
        for name, values in columns.items()
    }
    return RawTable(columns, {name: unit for name, unit in units.items() if unit}, rows, "row")


def _datasets(file: h5py.File) -> dict[str, np.ndarray]:
    """The columns of an HDF5 file: its datasets, or the fields of its only compound dataset, NaN where masked."""
    datasets = {one_line(name): item for name, item in file.items() if isinstance(item, h5py.Dataset)}
    compound = [name for name, item in datasets.items() if item.dtype.names]
    if len(compound) != 1:
        return {name: np.asarray(item) for name, item in datasets.items()}
    table = np.asarray(datasets[compound[0]])
    fields = table.dtype.names or ()
    names = [name for name in fields if not name.endswith(_MASK)]
    return {
        name: np.where(table[name + _MASK], np.nan, table[name])
        if name + _MASK in fields and table[name].dtype.kind in "iuf"
        else table[name]
        for name in names
    }


def _without_fills(values: np.ndarray, fills: list) -> np.ndarray:
    """A column with NaN where it holds one of the values that its file declares as fill values."""
    if not fills or values.dtype.kind not in "iuf":
        return values
    missing = np.isin(values, np.concatenate([np.ravel(fill) for fill in fills]))
    return np.where(missing, np.nan, values) if np.any(missing) else values


def _as_text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
