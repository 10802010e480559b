"""What the text formats of Rockstar and Consistent-Trees share: headers, columns and rows.

Both generations of headers are understood: ``#scale(0) id(1) ...`` and ``#scale id ...``, in any case.
"""

import io
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from .base import Simulation

__all__ = [
    "Header",
    "NEEDED",
    "choose_columns",
    "read_header",
    "parse_rows",
    "header_of",
    "simulation_of",
    "require_last_line",
    "tree_blocks",
]

_NUMBERED = re.compile(r"\(\d+\)$")
_CONSTANT = re.compile(r"(Omega_M|Om|h0|h)\s*=\s*([-+.\deE]+)")
_BOX = re.compile(r"Full box size\s*=\s*([-+.\deE]+)\s*Mpc\s*/\s*h")
_MASS_UNIT = re.compile(r"Units:\s*Masses in\s*(.+)")
_MOST_COMMENTS = 200

NEEDED = ("scale", "id", "desc_id", "pid", "mmp?")
"""Columns without which there is no tree."""


class Header(NamedTuple):
    """The comment lines of a file: column names in small letters, constants, and where the rows begin.

    Attributes
    ----------
    names : column names
    constants : h, omega_m and box [comoving Mpc/h], where stated
    mass_unit : as stated, or ""
    text : all comment lines
    has_trees : whether a line ``#tree`` follows
    trees : number of trees stated before the first one, or None
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
    """
    comments, trees, has_trees = [], None, False
    try:
        with path.open(encoding="utf-8") as file:
            for _, line in zip(range(_MOST_COMMENTS), file, strict=False):
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
    return header_of(names, "\n".join(comments), has_trees, trees)


def header_of(names: list[str], text: str, has_trees: bool = False, trees: int | None = None) -> Header:
    """A `Header` from column names and the comment text."""
    constants = {}
    for name, value in _CONSTANT.findall(text):
        constants.setdefault("h" if name in ("h0", "h") else "omega_m", float(value))
    box = _BOX.search(text)
    if box:
        constants["box"] = float(box[1])
    unit = _MASS_UNIT.search(text)
    return Header(names, constants, unit[1].strip() if unit else "", text, has_trees, trees)


def choose_columns(header: Header, mass: str, path: Path) -> dict[str, str]:
    """Which column of a file each quantity is: mass, rvir, rs, vmax, x, y, z, and those of `NEEDED`.

    Raises
    ------
    ValueError
        A column that is needed is missing, or the file states a unit of mass that is not Msun/h.
    """
    plain = header.mass_unit.lower().replace(" ", "")
    if plain and plain not in ("msun/h", "msol/h", "solarmasses/h"):
        raise ValueError(f"{path}: states masses in {header.mass_unit!r}; allowed Msun/h, as these codes write them")
    missing = [name for name in (*NEEDED, mass.lower()) if name not in header.names]
    if missing:
        raise ValueError(
            f"{path}: has no column {missing[0]!r}; it has {', '.join(header.names[:12])} and so on (needed are "
            f"{', '.join((*NEEDED, mass))})"
        )
    doubled = [name for name in set(header.names) if header.names.count(name) > 1 and name in (*NEEDED, mass.lower())]
    if doubled:
        raise ValueError(f"{path}: two columns are named {doubled[0]!r}; repair the header")
    found = {name: name for name in NEEDED} | {"mass": mass.lower()}
    for quantity, spellings in {"rvir": ("rvir",), "rs": ("rs_klypin", "rs"), "vmax": ("vmax",)}.items():
        there = [name for name in spellings if name in header.names]
        if there and not (quantity in ("rvir", "rs") and mass.lower() != "mvir"):  # radii are those of mvir
            found[quantity] = there[0]
    if {"x", "y", "z"} <= set(header.names):
        found |= {"x": "x", "y": "y", "z": "z"}
    return found


def simulation_of(header: Header, columns: Mapping[str, str], definition: str) -> Simulation:
    """What a header says of its simulation."""
    used = ", ".join(f"{quantity} = {name}" for quantity, name in columns.items() if quantity not in NEEDED)
    words = f"{used} [Msun/h, comoving kpc/h, km/s; x, y, z comoving Mpc/h]; main progenitors by mmp?, centrals by pid"
    h, omega_m, box = (header.constants.get(name) for name in ("h", "omega_m", "box"))
    return Simulation(h, omega_m, definition, words, None if box is None or h is None else box / h)


def parse_rows(text: bytes, names: list[str], columns: Mapping[str, str], path: Path, line: int) -> dict:
    """Columns of the rows in `text`, comments left out; `line` is the number of its first line, for errors.

    Raises
    ------
    ValueError
        A row has too few or too many fields, or one that is not a number.
    """
    wanted = list(dict.fromkeys(columns.values()))
    integers = ("id", "desc_id", "pid")
    dtype = [(name, np.int64 if name in integers else np.float64) for name in wanted]
    rows = [names.index(name) for name in wanted]
    try:
        table = np.loadtxt(io.BytesIO(text), dtype=dtype, usecols=rows, comments="#", ndmin=1, encoding="latin-1")
    except (ValueError, IndexError) as error:
        for number, content in enumerate(text.decode("latin-1").splitlines(), line):
            fields = content.split("#")[0].split()
            if fields and len(fields) != len(names):
                raise ValueError(
                    f"{path}: line {number} has {len(fields)} fields where the header names {len(names)}; the file is "
                    "cut short or damaged, so copy it again"
                ) from None
        raise ValueError(f"{path}: after line {line}: {_plain(error)}; the file is damaged, so copy it again") from None
    return {quantity: table[name] for quantity, name in columns.items()}


def _plain(error: Exception) -> str:
    return " ".join(str(error).split())


def require_last_line(path: Path) -> None:
    """Refuse a file that stops in the middle of a line: its last number could be cut and still be a number."""
    with path.open("rb") as file:
        file.seek(-1, 2)
        if file.read(1) != b"\n":
            raise ValueError(f"{path}: stops in the middle of a line; the file is cut short, so copy it again")


def tree_blocks(path: Path, size: int) -> Iterator[tuple[int, bytes]]:
    """Blocks of whole trees of about `size` bytes, each with the number of its first line."""
    line, kept = 1, b""
    with path.open("rb") as file:
        while True:
            read = file.read(size)
            block = kept + read
            cut = block.rfind(b"\n#tree") if read else len(block)
            if cut <= 0 and read:
                kept = block
                continue
            if block[:cut].strip():
                yield line, block[:cut]
            line += block[:cut].count(b"\n")
            kept = block[cut:]
            if not read:
                return
