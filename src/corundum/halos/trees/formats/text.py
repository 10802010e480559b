"""Text files of Rockstar and Consistent-Trees: their headers and columns, and blocks of whole trees.

Both generations of headers are understood: ``#scale(0) id(1) ...`` and ``#scale id ...``, in any case.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from .base import Simulation
from .number_rows import read_number_rows

__all__ = [
    "Header",
    "INTEGERS",
    "REQUIRED",
    "choose_columns",
    "read_header",
    "parse_header",
    "parse_rows",
    "simulation_of",
    "require_last_line",
    "tree_blocks",
]

_NUMBERED = re.compile(r"\(\d+\)$")
_CONSTANT = re.compile(r"(Omega_M|Om|h0|h)\s*=\s*([-+.\deE]+)")
_BOX = re.compile(r"Full box size\s*=\s*([-+.\deE]+)\s*Mpc\s*/\s*h")
_MASS_UNIT = re.compile(r"Units:\s*Masses in\s*(.+)")
_MASS_UNITS_ALLOWED = ("msun/h", "msol/h", "solarmasses/h")
_MOST_HEADER_LINES = 200
_NAMES_IN_MESSAGE = 12

REQUIRED = ("scale", "id", "desc_id", "pid", "mmp?")
"""Columns without which a file has no trees."""

INTEGERS = ("id", "desc_id", "pid")
"""Columns of integers."""

_SPELLINGS = {"rvir": ("rvir",), "rs": ("rs_klypin", "rs"), "vmax": ("vmax",)}
_RADII = ("rvir", "rs")


class Header(NamedTuple):
    """The comment lines of a file.

    Attributes
    ----------
    names : list of str
        Column names in small letters.
    constants : dict of str to float
        h, omega_m and box [comoving Mpc/h], where stated.
    mass_unit : str
        As stated, or empty.
    text : str
        All comment lines.
    has_trees : bool
        Whether a line ``#tree`` follows.
    trees : int or None
        Number of trees stated before the first one.
    """

    names: list[str]
    constants: dict[str, float]
    mass_unit: str
    text: str
    has_trees: bool
    trees: int | None


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
    >>> header.names, header.constants, header.trees
    (['scale', 'id', 'mvir'], {'omega_m': 0.3, 'h': 0.7}, 12)
    """
    comments, trees, has_trees = [], None, False
    try:
        with path.open(encoding="utf-8") as file:
            for _, line in zip(range(_MOST_HEADER_LINES), file, strict=False):
                if line.startswith("#tree"):
                    has_trees = True
                    break
                if line.startswith("#"):
                    comments.append(line[1:].strip())
                elif len(line.split()) == 1 and line.strip().isdigit():
                    trees = int(line)
                elif line.strip():
                    break
    except UnicodeDecodeError:
        raise ValueError(f"{path}: is not a text file, so no Consistent-Trees or hlist file") from None
    names = [_NUMBERED.sub("", name).lower() for name in comments[0].split()] if comments else []
    if "scale" not in names or "id" not in names:
        raise ValueError(f"{path}: its first line does not name the columns (#scale(0) id(1) ...); copy the file again")
    return parse_header(names, "\n".join(comments), has_trees, trees)


def parse_header(names: list[str], text: str, has_trees: bool = False, trees: int | None = None) -> Header:
    """A `Header` from column names and the comment text."""
    constants: dict[str, float] = {}
    for name, value in _CONSTANT.findall(text):
        constants.setdefault("h" if name in ("h0", "h") else "omega_m", float(value))
    box = _BOX.search(text)
    if box:
        constants["box"] = float(box[1])
    unit = _MASS_UNIT.search(text)
    return Header(names, constants, unit[1].strip() if unit else "", text, has_trees, trees)


def choose_columns(header: Header, mass: str, path: Path) -> dict[str, str]:
    """Names of the columns of each quantity: mass, rvir, rs, vmax, x, y, z, and those of `REQUIRED`.

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
    unit = header.mass_unit.lower().replace(" ", "")
    if unit and unit not in _MASS_UNITS_ALLOWED:
        raise ValueError(f"{path}: states masses in {header.mass_unit!r}; allowed Msun/h, as these codes write them")
    required = (*REQUIRED, mass)
    missing = [name for name in required if name not in names]
    if missing:
        raise ValueError(
            f"{path}: has no column {missing[0]!r}; it has {', '.join(names[:_NAMES_IN_MESSAGE])} and so on (required "
            f"are {', '.join(required)})"
        )
    repeated = [name for name in required if names.count(name) > 1]
    if repeated:
        raise ValueError(f"{path}: two columns are named {repeated[0]!r}; repair the header")
    columns = {name: name for name in REQUIRED} | {"mass": mass}
    for quantity, spellings in _SPELLINGS.items():
        present = [name for name in spellings if name in names]
        if present and not (quantity in _RADII and mass != "mvir"):  # the radii are those of mvir
            columns[quantity] = present[0]
    if {"x", "y", "z"} <= set(names):
        columns |= {axis: axis for axis in "xyz"}
    return columns


def simulation_of(header: Header, columns: Mapping[str, str], definition: str) -> Simulation:
    """What a header states of its simulation."""
    used = ", ".join(f"{quantity} = {name}" for quantity, name in columns.items() if quantity not in REQUIRED)
    description = (
        f"{used} [Msun/h, comoving kpc/h, km/s; x, y, z comoving Mpc/h]; main progenitors by mmp?, centrals by pid"
    )
    h, omega_m, box = (header.constants.get(name) for name in ("h", "omega_m", "box"))
    return Simulation(h, omega_m, definition, description, None if box is None or h is None else box / h)


def parse_rows(
    text: bytes, names: list[str], columns: Mapping[str, str], path: Path, first_line: int
) -> dict[str, np.ndarray]:
    """Columns of the rows in a piece of a file, by quantity (see `choose_columns` and `read_number_rows`)."""
    rows = read_number_rows(text, names, list(dict.fromkeys(columns.values())), INTEGERS, path, first_line)
    return {quantity: rows[name] for quantity, name in columns.items()}


def require_last_line(path: Path) -> None:
    """Refuse a file that stops in the middle of a line, because the first digits of a number are a number too.

    Raises
    ------
    ValueError
        The last character is not the end of a line.
    """
    with path.open("rb") as file:
        file.seek(-1, 2)
        if file.read(1) != b"\n":
            raise ValueError(f"{path}: stops in the middle of a line; the file is cut short, so copy it again")


def tree_blocks(path: Path, size: int) -> Iterator[tuple[int, bytes]]:
    """Blocks of whole trees of about `size` bytes, each with the number of its first line."""
    first_line, remainder = 1, b""
    with path.open("rb") as file:
        while True:
            content = file.read(size)
            block = remainder + content
            cut = block.rfind(b"\n#tree") if content else len(block)
            if cut <= 0 and content:
                remainder = block
                continue
            if block[:cut].strip():
                yield first_line, block[:cut]
            first_line += block[:cut].count(b"\n")
            remainder = block[cut:]
            if not content:
                return
