"""Plain text tables: ``# key: value`` lines, a line of column names, then rows, split at commas or white space."""

import pathlib
from typing import NamedTuple

import numpy as np

__all__ = ["Table", "read_table"]

_MISSING = {"", "nan", "-", "--", "null", "none", "n/a", "na"}


class Table(NamedTuple):
    """A text table as read; a column is converted to numbers when it is read with `column`.

    Attributes
    ----------
    path : str
        Where it was read from, for messages.
    header : list of (int, str, str)
        Line number, key and value of each ``# key: value`` line, in order.
    names : list of str
        Column names.
    rows : list of (int, list of str)
        Line number and cells of each row.
    """

    path: str
    header: list[tuple[int, str, str]]
    names: list[str]
    rows: list[tuple[int, list[str]]]

    def column(self, name: str, *, missing: bool = False) -> np.ndarray:
        """One column as float64; empty or nan cells become NaN if `missing` is allowed, and are refused otherwise.

        Raises
        ------
        ValueError
            There is no such column, or a cell holds no number or is missing.
        """
        if name not in self.names:
            raise ValueError(f"{self.path}: no column {name!r}; it has {', '.join(self.names)}")
        index = self.names.index(name)
        return np.array([_number(self.path, line, name, cells[index], missing) for line, cells in self.rows])


def _number(path, line, name, cell, missing):
    if missing and cell.lower() in _MISSING:
        return np.nan
    try:
        value = float(cell)
    except ValueError:
        raise ValueError(f"{path}, line {line}: column {name} holds {cell!r}, which is not a number") from None
    if not (missing or np.isfinite(value)):
        raise ValueError(f"{path}, line {line}: column {name} holds {cell!r}; remove that row or give a finite value")
    return value


def read_text(path) -> str:
    """The text of a file.

    Raises
    ------
    ValueError
        The file is missing, a directory, not permitted or not text.
    """
    path = path if hasattr(path, "read_text") else pathlib.Path(path)
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise ValueError(f"{path}: no such file") from None
    except IsADirectoryError:
        raise ValueError(f"{path}: is a directory; give the path of one text file") from None
    except UnicodeDecodeError:
        raise ValueError(f"{path}: is not a text file") from None
    except OSError as error:
        raise ValueError(f"{path}: cannot be read ({error.strerror})") from None


def read_table(path) -> Table:
    """Read a text table.

    Parameters
    ----------
    path : str or path

    Raises
    ------
    ValueError
        The file cannot be read, has no rows, or a row has more or fewer cells than there are columns.

    Examples
    --------
    >>> from pathlib import Path
    >>> _ = Path("galaxies.txt").write_text("# survey: made up\\nmstar, sfr\\n9.5, 0.1\\n10.2, 0.4\\n")
    >>> table = read_table("galaxies.txt")
    >>> table.column("mstar").tolist()
    [9.5, 10.2]
    """
    header: list[tuple[int, str, str]] = []
    lines: list[tuple[int, str]] = []
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        text = line.strip()
        if text.startswith("#"):
            key, colon, value = text.lstrip("#").partition(":")
            if colon:
                header.append((number, key.strip(), value.strip()))
        elif text:
            lines.append((number, text))
    if len(lines) < 2:
        raise ValueError(f"{path}: holds no table; expected a line of column names and at least one row of numbers")
    comma = "," in lines[0][1]
    cells = [(number, [c.strip() for c in text.split(",")] if comma else text.split()) for number, text in lines]
    names = cells[0][1]
    for number, row in cells[1:]:
        if len(row) != len(names):
            raise ValueError(f"{path}, line {number}: has {len(row)} cells but there are {len(names)} columns")
    if len(set(names)) != len(names):
        repeated = sorted({name for name in names if names.count(name) > 1})
        raise ValueError(f"{path}, line {cells[0][0]}: column names appear twice: {', '.join(repeated)}")
    return Table(str(path), header, names, cells[1:])
