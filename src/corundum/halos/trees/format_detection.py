"""Which format a file of merger trees is in, recognised by its content; with two answers the reader asks the user."""

import inspect
from collections.abc import Sequence
from pathlib import Path

from ...storage.files import has_hdf5_signature, missing_file_message, open_foreign_hdf5
from . import formats
from .formats import AbstractTreeFormat, YtreeArbor

__all__ = ["FORMATS", "recognise_format"]

FORMATS: tuple[type[AbstractTreeFormat], ...] = tuple(
    member
    for member in (getattr(formats, name) for name in formats.__all__)
    if issubclass(member, AbstractTreeFormat) and not inspect.isabstract(member) and member is not YtreeArbor
)
"""The formats that are tried: all that `corundum.halos.trees.formats` exports, but `YtreeArbor`, which is only used
when the caller asks for it, since ytree opens many files that are no merger trees."""


def recognise_format(path: str | Path, candidates: Sequence[type[AbstractTreeFormat]] = FORMATS) -> AbstractTreeFormat:
    """The format of a tree file, or of a directory of them.

    Parameters
    ----------
    path : path
    candidates : sequence of format classes
        Those to try.

    Raises
    ------
    ValueError
        There is no such file, it is empty, or its content fits none of the formats, or more than one.

    Examples
    --------
    >>> from pathlib import Path
    >>> from corundum.halos.trees.format_detection import recognise_format
    >>> _ = Path("query.csv").write_text("haloId,descendantId,redshift,m_tophat\\n")
    >>> recognise_format("query.csv")
    MillenniumCSV()
    """
    path = Path(path)
    if not path.exists():
        raise ValueError(missing_file_message(path))
    if path.is_file() and path.stat().st_size == 0:
        raise ValueError(f"{path}: the file is empty")
    matches = [form() for form in candidates if form().recognises(path)]
    if len(matches) == 1:
        return matches[0]
    if matches:
        names = [type(match).__name__ for match in matches]
        raise ValueError(f"{path}: fits {' and '.join(names)}; say which, as format=halos.{names[0]}()")
    if path.is_file() and has_hdf5_signature(path):
        with open_foreign_hdf5(path):  # raises if the file is cut short, which is then the reason
            pass
    names = [form.__name__ for form in candidates]
    raise ValueError(
        f"{path}: is no merger tree in a format known here ({', '.join(names)}); if it is a table of main branches use "
        "halos.read_table, if ytree reads it give format=halos.YtreeArbor()"
    )
