"""Rows of numbers in text files, with messages that name the line and the field that is wrong."""

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np

__all__ = ["read_number_rows"]


def read_number_rows(
    text: bytes,
    names: Sequence[str],
    columns: Sequence[str],
    integers: Sequence[str],
    path: Path,
    first_line: int,
    *,
    delimiter: str | None = None,
) -> np.ndarray:
    """Some columns of the rows in a piece of a text file; what follows a # is a comment.

    Parameters
    ----------
    text : bytes
    names : sequence of str
        Names of all columns of the file.
    columns : sequence of str
        Names of those to read.
    integers : sequence of str
        Names of columns that hold integers.
    path : Path
        The file, for error messages.
    first_line : int
        Number in the file of the first line of `text`, for error messages.
    delimiter : str, optional
        What separates the fields; default white space.

    Returns
    -------
    structured array
        One field for each of `columns`.

    Raises
    ------
    ValueError
        A row has too few or too many fields, or one that is not a number.

    Examples
    --------
    >>> from pathlib import Path
    >>> from corundum.halos.trees.formats.number_rows import read_number_rows
    >>> text = b"7 1e12 0.5\\n8 2e12 1.0\\n"
    >>> rows = read_number_rows(text, ["id", "mvir", "scale"], ["id", "scale"], ["id"], Path("tree.dat"), 1)
    >>> rows["id"].tolist(), rows["scale"].tolist()
    ([7, 8], [0.5, 1.0])
    """
    dtype = np.dtype([(name, np.int64 if name in integers else np.float64) for name in columns])
    places = [names.index(name) for name in columns]
    try:
        rows = np.loadtxt(
            io.BytesIO(text), dtype, delimiter=delimiter, usecols=places, comments="#", ndmin=1, encoding="latin-1"
        )
    except (ValueError, IndexError):
        rows = None
    # numpy accepts rows with more fields than the header; where the fields are separated by a character we count it.
    surplus = delimiter is not None and _has_other_lengths(text, names, delimiter)
    if rows is None or surplus:
        raise ValueError(_first_mistake(text, names, dtype, places, path, first_line, delimiter))
    return rows


def _has_other_lengths(text: bytes, names: Sequence[str], delimiter: str) -> bool:
    separators, separator = len(names) - 1, delimiter.encode()
    return any(line.count(separator) != separators for line in text.splitlines() if line[:1] not in (b"", b"#"))


def _first_mistake(text, names, dtype, places, path, first_line, delimiter) -> str:
    """A sentence on the first row that cannot be read."""
    for number, line in enumerate(text.splitlines(), first_line):
        content = line.decode("latin-1").split("#")[0]
        if not content.strip():
            continue
        fields = [field.strip() for field in content.split(delimiter)]
        if len(fields) != len(names):
            return (
                f"{path}: line {number} has {len(fields)} fields where the header names {len(names)}; the file is cut "
                "short or damaged, so copy it again"
            )
        for place, name in zip(places, dtype.names, strict=True):
            try:
                (int if dtype[name].kind == "i" else float)(fields[place])
            except ValueError:
                return (
                    f"{path}: line {number} has {fields[place]!r} for {name}, which must be a number; the file is "
                    "damaged, so copy it again"
                )
    return f"{path}: after line {first_line}: cannot be read as numbers; the file is damaged, so copy it again"
