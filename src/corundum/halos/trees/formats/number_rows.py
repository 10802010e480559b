"""Rows of numbers in text files, with messages that name the line and the field that is wrong."""

import io
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np

__all__ = ["read_number_rows"]

_LARGEST_ID = 2**63 - 1
_NO_HALO = 2**64 - 1  # -1 as an unsigned number
_LARGEST_EXACT = 2**53  # beyond, whole numbers that are written as floats may stand for their neighbours


def read_number_rows(
    text: str,
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
    text : str
    names : sequence of str
        Names of all columns of the file.
    columns : sequence of str
        Names of those to read.
    integers : sequence of str
        Names of columns that hold integers, which may be written as floats (``7.0``, ``1e3``).
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
        A row has too few or too many fields, or one that is not a number, or an integer that cannot be kept exactly.

    Examples
    --------
    >>> from pathlib import Path
    >>> from corundum.halos.trees.formats.number_rows import read_number_rows
    >>> text = "7 1e12 0.5\\n8 2e12 1.0\\n"
    >>> rows = read_number_rows(text, ["id", "mvir", "scale"], ["id", "scale"], ["id"], Path("tree.dat"), 1)
    >>> rows["id"].tolist(), rows["scale"].tolist()
    ([7, 8], [0.5, 1.0])
    """
    dtype = np.dtype([(name, np.int64 if name in integers else np.float64) for name in columns])
    places = [names.index(name) for name in columns]
    rows = _load(text, dtype, places, delimiter)
    if rows is None:
        rows = _load_in_words(text, dtype, places, delimiter)
    # numpy accepts rows with more fields than the header; where the fields are separated by a character we count it.
    surplus = delimiter is not None and _has_other_lengths(text, names, delimiter)
    if rows is None or surplus or not _is_ascii(text):
        raise ValueError(_first_mistake(text, names, dtype, places, path, first_line, delimiter))
    return rows


def _load(text: str, dtype: np.dtype, places: Sequence[int], delimiter: str | None) -> np.ndarray | None:
    """The rows, or None where they are not all numbers of these kinds."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", DeprecationWarning)  # numpy rounds integers that are written as floats
            warnings.simplefilter("ignore", UserWarning)  # a piece of a file may have no rows
            lines = io.BytesIO(text.encode("latin-1"))  # a quarter of the memory of a StringIO
            return np.loadtxt(
                lines, dtype, delimiter=delimiter, usecols=places, comments="#", ndmin=1, encoding="latin-1"
            )
    except (ValueError, IndexError, DeprecationWarning):
        return None


def _load_in_words(text: str, dtype: np.dtype, places: Sequence[int], delimiter: str | None) -> np.ndarray | None:
    """The same where integers are written in other ways than digits; slower."""
    kinds = [(name, "U40" if dtype[name].kind == "i" else dtype[name]) for name in dtype.names or ()]
    words = _load(text, np.dtype(kinds), places, delimiter)
    if words is None:
        return None
    rows = np.empty(len(words), dtype)
    try:
        for name in dtype.names or ():
            is_integer = dtype[name].kind == "i"
            rows[name] = [_integer(word) for word in words[name].tolist()] if is_integer else words[name]
    except ValueError:
        return None
    return rows


def _integer(word: str) -> int:
    """The integer that a word states exactly.

    Raises
    ------
    ValueError
        It states none; the message continues the sentence "line 7 has ... for id, which".
    """
    try:
        value = int(word)
    except ValueError:
        try:
            number = float(word)
        except ValueError:
            raise ValueError("must be a number; the file is damaged, so copy it again") from None
        if not number.is_integer():
            raise ValueError("must be a whole number; the file is damaged, so copy it again") from None
        if abs(number) > _LARGEST_EXACT:
            raise ValueError("is rounded, so that several halos may share it; write all digits of it") from None
        value = int(number)
    if value == _NO_HALO:
        return -1
    if not -_LARGEST_ID <= value <= _LARGEST_ID:
        raise ValueError(f"is beyond the integers that are read (up to {_LARGEST_ID}); number the halos anew")
    return value


def _has_other_lengths(text: str, names: Sequence[str], delimiter: str) -> bool:
    separators = len(names) - 1
    return any(line.count(delimiter) != separators for line in io.StringIO(text) if line[:1] not in ("\n", "#"))


def _is_ascii(text: str) -> bool:
    """Whether a text is plain outside its comments."""
    return text.isascii() or all(line.split("#")[0].isascii() for line in io.StringIO(text))


def _first_mistake(text, names, dtype, places, path, first_line, delimiter) -> str:
    """A sentence on the first row that cannot be read."""
    for number, line in enumerate(io.StringIO(text), first_line):
        content = line.split("#")[0]
        if not content.strip():
            continue
        if not content.isascii():
            return f"{path}: after line {first_line}: holds bytes that are no text, so copy it again"
        fields = [field.strip() for field in content.split(delimiter)]
        if len(fields) != len(names):
            return (
                f"{path}: line {number} has {len(fields)} fields where the header names {len(names)}; the file is cut "
                "short or damaged, so copy it again"
            )
        for place, name in zip(places, dtype.names, strict=True):
            try:
                _integer(fields[place]) if dtype[name].kind == "i" else float(fields[place])
            except ValueError as error:
                reason = "must be a number; the file is damaged, so copy it again"
                if dtype[name].kind == "i":
                    reason = str(error)
                return f"{path}: line {number} has {fields[place]!r} for {name}, which {reason}"
    return f"{path}: after line {first_line}: cannot be read as numbers; the file is damaged, so copy it again"
