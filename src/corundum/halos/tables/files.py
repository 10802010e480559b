"""Reading halo tables from disk, as they are: names, values and stated units of every column.

Two formats: text with a header row (comma or white space between columns, lines starting with # are
comments), and HDF5 with one dataset per column.  What the columns mean is decided elsewhere
(`corundum.halos.tables.columns`).
"""

import re
from pathlib import Path
from typing import NamedTuple

import numpy as np

__all__ = ["RawTable", "column_names", "read_file"]

_HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_HEADER_FIELD = re.compile(r"[^\s\[(]+(?:\s*[\[(][^\])]*[\])])?")
_UNIT_IN_HEADER = re.compile(r"^(.*?)\s*[\[(]([^\])]*)[\])]$")


class RawTable(NamedTuple):
    """Columns of equal length by name, the units that the file states, and where each row is."""

    columns: dict[str, np.ndarray]
    units: dict[str, str]
    rows: np.ndarray
    row_word: str

    def place(self, row: int) -> str:
        """Where row number `row` is in the file, in words."""
        return f"{self.row_word} {self.rows[row]}"


def read_file(path: str | Path) -> RawTable:
    """Read a text or HDF5 table.

    Raises
    ------
    ValueError
        There is no such file, or it is empty, damaged, or not a table.
    """
    path = Path(path)
    if path.is_dir():
        raise ValueError(f"{path}: is a directory; give the table itself, a text or HDF5 file")
    if not path.exists():
        beside = sorted(p.name for p in path.parent.glob("*") if p.is_file()) if path.parent.is_dir() else []
        raise ValueError(f"{path}: no such file; {path.parent} has {', '.join(beside[:8]) or 'no files'}")
    if path.stat().st_size == 0:
        raise ValueError(f"{path}: the file is empty; a table needs a header and one row per halo and snapshot")
    with path.open("rb") as file:
        signed = file.read(8) == _HDF5_SIGNATURE
    if signed or path.suffix.lower() in (".h5", ".hdf5", ".hdf"):
        return _read_hdf5(path)
    return _read_text(path)


def column_names(path: Path) -> list[str]:
    """Names of the columns of what may be a table, without reading its rows; none if it is no table."""
    try:
        with path.open("rb") as file:
            signed = file.read(8) == _HDF5_SIGNATURE
        if signed:
            import h5py  # only for this format

            with h5py.File(path, "r") as file:
                return [name for name, item in file.items() if isinstance(item, h5py.Dataset)]
        with path.open(encoding="utf-8-sig") as file:
            header = next((line for line in file if line.strip() and not line.lstrip().startswith("#")), "")
    except (OSError, ValueError):
        return []
    return _split_units([f.strip() for f in header.split(",")] if "," in header else _HEADER_FIELD.findall(header))[0]


def _read_text(path):
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: is neither text nor HDF5; save the table as one of these") from error
    kept = [
        (number, line) for number, line in enumerate(lines, 1) if line.strip() and not line.lstrip().startswith("#")
    ]
    if not kept:
        raise ValueError(f"{path}: has comments only; a table needs a header row without # and one row per snapshot")
    header = kept[0][1]
    comma = "," in header
    fields = [f.strip() for f in header.split(",")] if comma else _HEADER_FIELD.findall(header)
    if all(_is_number(field) for field in fields):
        raise ValueError(
            f"{path}: line {kept[0][0]} should name the columns but has numbers; write the header row without #"
        )
    names, units = _split_units(fields)
    doubled = [name for name in names if names.count(name) > 1]
    if doubled:
        raise ValueError(f"{path}: two columns are named {doubled[0]!r}; rename one of them")
    if len(kept) == 1:
        raise ValueError(f"{path}: has a header but no rows; a table needs one row per halo and snapshot")
    split = [[f.strip() for f in line.split(",")] if comma else line.split() for _, line in kept[1:]]
    for (number, _), row in zip(kept[1:], split, strict=True):
        if len(row) != len(names):
            raise ValueError(
                f"{path}: line {number} has {len(row)} fields where the header names {len(names)}; repair that line"
            )
    columns = dict(zip(names, np.array(split).T, strict=True))
    return RawTable(columns, units, np.array([number for number, _ in kept[1:]]), "line")


def _is_number(text):
    return re.fullmatch(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?|nan|inf", text.strip(), re.IGNORECASE) is not None


def _split_units(fields):
    names, units = [], {}
    for field in fields:
        match = _UNIT_IN_HEADER.match(field)
        name = match[1] if match else field
        names.append(name)
        if match:
            units[name] = match[2]
    return names, units


def _read_hdf5(path):
    import h5py  # only for this format

    try:
        with h5py.File(path, "r") as file:
            columns = {name: np.asarray(item) for name, item in file.items() if isinstance(item, h5py.Dataset)}
            stated = {name: file[name].attrs for name in columns}
            units = {name: _text(a.get("unit", a.get("units", ""))) for name, a in stated.items()}
            groups = [name for name in file if name not in columns]
    except (OSError, RuntimeError, KeyError) as error:
        raise ValueError(f"{path}: the HDF5 file is truncated or damaged ({error}); copy or write it again") from error
    if not columns:
        raise ValueError(
            f"{path}: has no datasets at its top level, only {', '.join(groups) or 'nothing'}; "
            "write one dataset per column there"
        )
    lengths = {name: values.shape for name, values in columns.items()}
    if any(len(shape) != 1 for shape in lengths.values()) or len(set(lengths.values())) > 1:
        raise ValueError(
            f"{path}: columns must be one-dimensional and of one length; got "
            + ", ".join(f"{name} {shape}" for name, shape in lengths.items())
        )
    rows = np.arange(len(next(iter(columns.values()))))
    if len(rows) == 0:
        raise ValueError(f"{path}: its columns are empty; a table needs one row per halo and snapshot")
    columns = {
        name: np.array([_text(value) for value in values]) if values.dtype.kind in "SO" else values
        for name, values in columns.items()
    }
    return RawTable(columns, {name: unit for name, unit in units.items() if unit}, rows, "row")


def _text(value):
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
