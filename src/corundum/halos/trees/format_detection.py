"""Which format a file of halos is in, told from its content; more than one answer is an error, not a guess."""

from collections.abc import Sequence
from pathlib import Path

from .formats import (
    AbstractTreeFormat,
    ConsistentTrees,
    ConsistentTreesHDF5,
    GalacticusForests,
    HaloLists,
    LHaloTree,
    LHaloTreeHDF5,
    MillenniumCSV,
    SubLink,
)
from .formats.hdf5 import require_whole

__all__ = ["FORMATS", "recognise"]

FORMATS = (
    ConsistentTrees, HaloLists, ConsistentTreesHDF5, LHaloTree, LHaloTreeHDF5, SubLink, GalacticusForests,
    MillenniumCSV,
)  # fmt: skip
"""Formats that are tried, in this order; `YtreeArbor` is only used when asked for."""


def recognise(path: str | Path, formats: Sequence[type[AbstractTreeFormat]] = FORMATS) -> AbstractTreeFormat:
    """The format of a tree file, or of a directory of them.

    Raises
    ------
    ValueError
        There is no such file, it is empty, or its content fits none of the formats, or more than one.
    """
    path = Path(path)
    if not path.exists():
        beside = sorted(p.name for p in path.parent.glob("*")) if path.parent.is_dir() else []
        raise ValueError(f"{path}: no such file; {path.parent} has {', '.join(beside[:8]) or 'no files'}")
    if path.is_file() and path.stat().st_size == 0:
        raise ValueError(f"{path}: the file is empty")
    fits = [form() for form in formats if form().recognises(path)]
    if len(fits) == 1:
        return fits[0]
    names = ", ".join(form.__name__ for form in formats)
    if not fits:
        require_whole(path)
        raise ValueError(
            f"{path}: is no merger tree in a format known here ({names}); if it is a table of main branches use "
            "halos.read_table, if ytree reads it give format=halos.YtreeArbor()"
        )
    told = " and ".join(type(form).__name__ for form in fits)
    raise ValueError(f"{path}: fits {told}; say which, as format=halos.{type(fits[0]).__name__}()")
