"""Which format a file of merger trees is in, recognised by its content; with two answers the reader asks the user."""

import inspect
from collections.abc import Sequence
from pathlib import Path

from ...messages import short_name
from ...storage.files import has_hdf5_signature, missing_file_message, open_foreign_hdf5
from ...storage.text_files import compression
from . import formats
from .file_sets import files_in
from .formats import AbstractTreeFormat, YtreeArbor

__all__ = ["FORMATS", "recognise_format"]

_NAMES_IN_MESSAGE = 6

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
        There is no such file, it is empty, or its content fits more than one format, or none; where a format knows why
        the file is not one of its own although it is meant to be, that is the reason.

    Examples
    --------
    >>> from pathlib import Path
    >>> from corundum.halos.trees.format_detection import recognise_format
    >>> _ = Path("query.csv").write_text("haloId,descendantId,redshift,m_tophat\\n")
    >>> recognise_format("query.csv")
    MillenniumCSV(mass='m_tophat')
    """
    path = Path(path)
    if not path.exists():
        raise ValueError(missing_file_message(path))
    if path.is_file() and path.stat().st_size == 0:
        raise ValueError(f"{path}: the file is empty")
    matches, reasons = [], []
    for form in candidates:
        try:
            if form().recognises(path):
                matches.append(form())
        except ValueError as error:
            reasons.append(str(error))
    if len(matches) == 1:
        return matches[0]
    if matches:
        names = [type(match).__name__ for match in matches]
        raise ValueError(f"{path}: fits {' and '.join(names)}; say which, as format=halos.{names[0]}()")
    if reasons:
        raise ValueError("; or ".join(dict.fromkeys(reasons)))  # several formats may have the same reason
    names = [form.__name__ for form in candidates]
    raise ValueError(
        f"{path}: is no merger tree in a format known here ({', '.join(names)}); {_content(path)}if it is a table of "
        "main branches use halos.read_table, if ytree reads it give format=halos.YtreeArbor()"
    )


def _content(path: Path) -> str:
    """What a file or folder of no format holds, which continues a sentence."""
    if path.is_dir():
        names = [file.name for file in files_in(path, "*")]
        return f"it holds {_some(names)}; " if names else "it holds no files; "
    if has_hdf5_signature(path):
        with open_foreign_hdf5(path) as file:
            return f"its groups are {_some(list(file))}; "
    method = compression(path)
    return f"it is compressed ({method}), so unpack it first; " if method else ""


def _some(names: Sequence[object]) -> str:
    return ", ".join(map(short_name, names[:_NAMES_IN_MESSAGE])) + " and so on" * (len(names) > _NAMES_IN_MESSAGE)
