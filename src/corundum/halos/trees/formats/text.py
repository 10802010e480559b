"""Text files of Rockstar and Consistent-Trees: their headers and columns, and blocks of whole trees.

Both generations of headers are understood: ``#scale(0) id(1) ...`` and ``#scale id ...``, in any case.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ....messages import short_name
from ....storage.text_files import line_blocks, text_lines
from ..stated_cosmology import StatedCosmology, cosmology_in_text
from .base import Simulation, simulation
from .number_rows import read_number_rows

__all__ = [
    "Header",
    "INTEGERS",
    "REQUIRED",
    "choose_columns",
    "read_header",
    "parse_header",
    "header_or_none",
    "column_names",
    "parse_rows",
    "simulation_of",
    "TreeBlock",
    "tree_blocks",
]

_NUMBERED = re.compile(r"\(\d+\)$")
_BOX = re.compile(r"box size\s*=\s*([-+.\deE]+)\s*Mpc\s*/\s*h", re.IGNORECASE)
_MASS_UNIT = re.compile(r"Units:\s*Masses in\s*(.+)")
_MASS_UNITS_ALLOWED = ("msun/h", "msol/h", "solarmasses/h")
_TREE = re.compile(r"\n#tree[ \t]+\S+[ \t]*(?=\n)")
_FIRST_TREE = re.compile(r"#tree[ \t]+\S+[ \t]*\n")
_ROWS_LOOKED_AT = 1000  # for a second snapshot, which only trees have
_NAMES_IN_MESSAGE = 12
_CHARACTERS = 1 << 28  # read at once at most

REQUIRED = ("scale", "id", "desc_id", "pid", "mmp?")
"""Columns without which a file has no trees."""

INTEGERS = ("id", "desc_id", "pid")
"""Columns of integers."""

_IN_HDF5 = {"mmp?": "mmp"}  # names lose their special characters in converted files
_SPELLINGS = {"rvir": ("rvir",), "rs": ("rs_klypin", "rs"), "vmax": ("vmax",)}
_RADII = ("rvir", "rs")


class Header(NamedTuple):
    """The comment lines of a file.

    Attributes
    ----------
    names : list of str
        Column names in small letters.
    cosmology : StatedCosmology
    box : float or None
        Side of the box [comoving Mpc/h], where stated.
    mass_unit : str
        As stated, or empty.
    is_tree : bool
        Whether a line ``#tree`` follows, or rows of several snapshots.
    trees : int or None
        Number of trees stated before the first one.
    lines : int
        Number of lines before the first tree or row.
    """

    names: list[str]
    cosmology: StatedCosmology
    box: float | None
    mass_unit: str
    is_tree: bool = False
    trees: int | None = None
    lines: int = 0


def read_header(path: Path) -> Header:
    """The header of a Rockstar or Consistent-Trees text file.

    Raises
    ------
    ValueError
        The file is not text, or its first line does not name the columns.

    Examples
    --------
    >>> from pathlib import Path
    >>> from corundum.halos.trees.formats.text import read_header
    >>> _ = Path("tree_0_0_0.dat").write_text("#scale(0) id(1) Mvir(2)\\n#Omega_M = 0.3; h0 = 0.7\\n12\\n#tree 1\\n")
    >>> header = read_header(Path("tree_0_0_0.dat"))
    >>> header.names, header.cosmology.h, header.trees
    (['scale', 'id', 'mvir'], 0.7, 12)
    """
    comments: list[str] = []
    lines, trees, is_tree, scales = 0, None, False, set()
    rows = 0
    for line in text_lines(path):
        if _FIRST_TREE.fullmatch(line):
            is_tree = True
            break
        if line.startswith("#") and not rows:
            comments.append(line[1:].strip())
        elif not rows and len(line.split()) == 1 and line.strip().isdigit():
            trees = int(line)
        elif line.strip() and not line.startswith("#"):
            rows += 1
            scales.add(_scale(line, comments))
            if rows > _ROWS_LOOKED_AT or len(scales) > 1:
                break
            continue
        lines += not rows
    names = column_names(comments[0]) if comments else []
    if "scale" not in names or "id" not in names:
        raise ValueError(f"{path}: its first line does not name the columns (#scale(0) id(1) ...); copy the file again")
    header = parse_header(names, "\n".join(comments))
    return header._replace(is_tree=is_tree or len(scales) > 1, trees=trees, lines=lines)


def header_or_none(path: Path, *, is_certain: bool) -> Header | None:
    """The header of a text file, None where it has none, unless it is certain that it should have one.

    Raises
    ------
    ValueError
        As for `read_header`, for files that are certain.
    """
    try:
        return read_header(path)
    except ValueError:
        if is_certain:
            raise
        return None


def column_names(line: str) -> list[str]:
    """Column names in small letters from the first line of a file, without the numbers of the columns."""
    return [_NUMBERED.sub("", name).lower() for name in line.split()]


def _scale(row: str, comments: list[str]) -> str:
    """The scale factor of a row as it is written."""
    names, fields = column_names(comments[0]) if comments else [], row.split()
    place = names.index("scale") if "scale" in names else 0
    return fields[place] if place < len(fields) else ""


def parse_header(names: list[str], text: str) -> Header:
    """A `Header` from column names and the comment text."""
    box, unit = _BOX.search(text), _MASS_UNIT.search(text)
    return Header(
        names, cosmology_in_text(text), None if box is None else float(box[1]), unit[1].strip() if unit else ""
    )


def choose_columns(header: Header, mass: str, path: Path) -> dict[str, str]:
    """Names of the columns of each quantity: mass, rvir, rs, vmax, x, y, z, vx, vy, vz, and those of `REQUIRED`.

    Parameters
    ----------
    header : Header
    mass : str
        Column of the mass, in any case.
    path : Path
        The file, for error messages.

    Raises
    ------
    ValueError
        A required column is missing, or the file states a unit of mass that is not Msun/h.
    """
    mass, names = mass.lower(), header.names
    spelled = {name: _IN_HDF5.get(name, name) if name not in names else name for name in REQUIRED}
    unit = header.mass_unit.lower().replace(" ", "")
    if unit and unit not in _MASS_UNITS_ALLOWED:
        raise ValueError(
            f"{path}: states masses in {short_name(header.mass_unit)!r}; allowed Msun/h, as these codes write them"
        )
    required = (*REQUIRED, mass)
    missing = [name for name in required if spelled.get(name, name) not in names]
    if missing:
        listed = ", ".join(map(short_name, names[:_NAMES_IN_MESSAGE]))
        raise ValueError(
            f"{path}: has no column {missing[0]!r}; it has {listed} and so on (required are {', '.join(required)})"
        )
    repeated = [name for name in required if names.count(spelled.get(name, name)) > 1]
    if repeated:
        raise ValueError(f"{path}: two columns are named {short_name(repeated[0])!r}; repair the header")
    columns = spelled | {"mass": mass}
    for quantity, spellings in _SPELLINGS.items():
        present = [name for name in spellings if name in names]
        if present and not (quantity in _RADII and mass != "mvir"):  # the radii are those of mvir
            columns[quantity] = present[0]
    for axes in (("x", "y", "z"), ("vx", "vy", "vz")):
        if set(axes) <= set(names):
            columns |= {axis: axis for axis in axes}
    return columns


def simulation_of(header: Header, columns: Mapping[str, str], definition: str) -> Simulation:
    """What a header states of its simulation."""
    used = ", ".join(f"{quantity} = {name}" for quantity, name in columns.items() if quantity not in REQUIRED)
    description = (
        f"{used} [Msun/h, comoving kpc/h, km/s; x, y, z comoving Mpc/h]; main progenitors by mmp?, centrals by pid"
    )
    stated, box = header.cosmology, header.box
    return simulation(stated, definition, description, None if box is None or stated.h is None else box / stated.h)


def parse_rows(
    text: str, names: list[str], columns: Mapping[str, str], path: Path, first_line: int
) -> dict[str, np.ndarray]:
    """Columns of the rows in a piece of a file, by quantity (see `choose_columns` and `read_number_rows`)."""
    integers = [columns[name] for name in INTEGERS]
    rows = read_number_rows(text, names, list(dict.fromkeys(columns.values())), integers, path, first_line)
    return {quantity: rows[name] for quantity, name in columns.items()}


class TreeBlock(NamedTuple):
    """A piece of a file that holds whole trees: number of its first line, text, and how many lines ``#tree`` it has."""

    first_line: int
    text: str
    trees: int


def tree_blocks(path: Path, size: int, header_lines: int) -> Iterator[TreeBlock]:
    """Blocks of whole trees of about `size` characters; the whole file where no lines ``#tree`` separate them.

    Parameters
    ----------
    path : Path
    size : int
    header_lines : int
        Number of lines before the first tree or row, which are left out.

    Raises
    ------
    ValueError
        The file is cut short (`corundum.storage.text_files.line_blocks`).
    """
    first_line, waiting = header_lines + 1, ""
    for _, lines in line_blocks(path, min(size, _CHARACTERS)):
        start = 0
        while header_lines and start < len(lines):
            start = lines.index("\n", start) + 1
            header_lines -= 1
        waiting += lines[start:]
        # A file that is read as a whole stays whole.
        cut = _last_tree(waiting) if len(waiting) >= size // 2 else 0
        if cut > 0:
            yield _block(first_line, waiting[:cut])
            first_line += waiting.count("\n", 0, cut)
            waiting = waiting[cut:]
    if waiting.strip():
        yield _block(first_line, waiting)


def _last_tree(text: str) -> int:
    """Where the last line ``#tree`` begins, 0 where it is the first line or there is none."""
    end = len(text)
    while (start := text.rfind("\n#tree", 0, end)) >= 0:
        if _TREE.match(text, start):
            return start + 1
        end = start
    return 0


def _block(first_line: int, text: str) -> TreeBlock:
    return TreeBlock(first_line, text, len(_TREE.findall(text)) + bool(_FIRST_TREE.match(text)))
