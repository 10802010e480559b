"""Answers of the Millennium database (Lemson & the Virgo Consortium 2006) to queries of its halo trees, as CSV.

The columns are those of the table ``MPAHaloTrees..MHalo``: haloId, descendantId, firstHaloInFOFgroupId, a mass, and a
redshift.  Lines that begin with # hold the query, whose table says which simulation it is.  In the order of haloId,
which is that of the database, every tree is one block of rows that begins with its last halo, so that a large answer is
read a few trees at a time.
"""

import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ....messages import short_name
from ....storage.text_files import TEXT_SUFFIXES, text_lines
from ..file_sets import files_in
from ..forests import Forest, host_rows, rows_of_ids
from ..stated_cosmology import StatedCosmology
from .base import AbstractTreeFormat, Simulation, central_values, group_masses, mass_definition, simulation
from .number_rows import read_number_rows

__all__ = ["MillenniumCSV"]

_IDS = ("haloid", "descendantid", "firsthaloinfofgroupid", "firstprogenitorid")
_REQUIRED = ("haloid", "descendantid", "redshift")
_POSITION, _VELOCITY = ("x", "y", "z"), ("velx", "vely", "velz")
_OPTIONAL = ("firsthaloinfofgroupid", "firstprogenitorid", "vmax", *_POSITION, *_VELOCITY)
_LINES = 200_000  # read at once
_COSMOLOGY = StatedCosmology(h=0.73, omega_m=0.25, omega_b=0.045)  # Springel et al. 2005, Nature 435, 629
_TABLE = re.compile(r"\b(?:MPAHaloTrees|millimil)\s*\.\s*\w*\s*\.\s*(\w+)", re.IGNORECASE)
_ORIGINAL_TABLES = {"mhalo", "mr", "mrii", "mpahalo"}  # others were scaled to later cosmologies
DEFINITIONS = {"m_tophat": "vir", "m_crit200": "200c", "m_mean200": "200m"}


class MillenniumCSV(AbstractTreeFormat):
    """CSV files downloaded from the Millennium database.

    Parameters
    ----------
    mass : str
        The mass to take: ``"m_tophat"`` (Bryan & Norman), ``"m_crit200"`` or ``"m_mean200"``; only central halos have
        one.

    Examples
    --------
    >>> from pathlib import Path
    >>> rows = [f"{k},{k - 1},{z},{70.0 / (1.0 + z) ** 2}" for k, z in enumerate(np.linspace(0.0, 4.0, 9))]
    >>> header = ["#SQL= select ... from MPAHaloTrees..MHalo", "haloId,descendantId,redshift,m_crit200"]
    >>> _ = Path("query.csv").write_text("\\n".join([*header, *rows]) + "\\n")
    >>> trees = co.halos.read_branches("query.csv", format=co.halos.MillenniumCSV(mass="m_crit200"))
    >>> len(trees.branches), len(trees.branches[0].time)
    (1, 9)
    """

    mass: str = "m_tophat"

    def recognises(self, path: Path) -> bool:
        files = _listed(path)
        if not files or files[0].is_dir():
            return False
        try:
            header = _read_header(files[0])
        except ValueError:
            return False
        return {"haloid", "descendantid"} <= set(header.names)

    def files(self, path: Path) -> list[Path]:
        return _listed(path)

    def simulation(self, path: Path) -> Simulation:
        definition = mass_definition("MillenniumCSV", self.mass.lower(), DEFINITIONS)
        description = (
            f"mass = {self.mass} [1e10 Msun/h], vmax = vMax [km/s], x, y, z [comoving Mpc/h]; main progenitors by "
            "firstProgenitorId or mass"
        )
        tables = {table.lower() for table in _TABLE.findall(_read_header(path).comments)}
        is_original = bool(tables) and tables <= _ORIGINAL_TABLES
        return simulation(_COSMOLOGY if is_original else StatedCosmology(), definition, description)

    def forests(self, path: Path, h: float, chunk: int) -> Iterator[Forest]:
        mass = self.mass.lower()
        names, first_line, comments = _read_header(path)
        required = (*_REQUIRED, mass)
        missing = [name for name in required if name not in names]
        if missing:
            present = ", ".join(map(short_name, names))
            raise ValueError(
                f"{path}: has no column {missing[0]!r}; it has {present} (required are {', '.join(required)})"
            )
        columns = [name for name in (*required, *_OPTIONAL) if name in names]
        waiting: list[np.ndarray] = []
        is_whole_file = True
        for rows, last_line in _row_blocks(path, names, columns, first_line, bool(comments)):
            waiting.append(rows)
            # A tree may go on in the next block, so that the rows after the last root wait until that is read.
            roots = np.flatnonzero(rows["descendantid"] < 0)
            if sum(map(len, waiting)) >= chunk + len(rows) and len(roots):
                complete = np.concatenate([*waiting[:-1], rows[: roots[-1]]])
                waiting, is_whole_file = [rows[roots[-1] :]], False
                yield _forest(complete, mass, h, f"{path} (lines {first_line} to {last_line})", False)
                first_line = last_line
        last = np.concatenate(waiting) if waiting else None
        if last is not None and len(last):
            place = str(path) if is_whole_file else f"{path} (from line {first_line})"
            yield _forest(last, mass, h, place, is_whole_file)


class _Header(NamedTuple):
    """Column names in small letters, the number of the first line after them, and the comments before them."""

    names: list[str]
    first_line: int
    comments: str


def _listed(path: Path) -> list[Path]:
    return files_in(path, *("*.csv" + suffix for suffix in TEXT_SUFFIXES)) if path.is_dir() else [path]


def _read_header(path: Path) -> _Header:
    comments = ""
    for number, line in enumerate(text_lines(path), 1):
        if line.startswith("#"):
            comments += line
        elif line.strip():
            return _Header([name.strip().lower() for name in line.split(",")], number + 1, comments)
    raise ValueError(f"{path}: has no line with the names of columns")


def _row_blocks(
    path: Path, names: list[str], columns: list[str], first_line: int, is_answer: bool
) -> Iterator[tuple[np.ndarray, int]]:
    """Some columns of the rows, a block of lines at a time, with the number of the last line of each.

    The database ends every line of an answer; a table that people wrote may leave out the last end.
    """
    lines = itertools.islice(text_lines(path, whole=is_answer), first_line - 1, None)
    while block := list(itertools.islice(lines, _LINES)):
        if any(line.strip() and not line.startswith("#") for line in block):
            rows = read_number_rows("".join(block), names, columns, _IDS, path, first_line, delimiter=",")
            yield rows, first_line + len(block) - 1
        first_line += len(block)


def _forest(rows: np.ndarray, mass: str, h: float, place: str, is_whole_file: bool) -> Forest:
    names, ids = rows.dtype.names or (), rows["haloid"]
    host = rows["firsthaloinfofgroupid"] if "firsthaloinfofgroupid" in names else ids
    preferred = np.isin(ids, rows["firstprogenitorid"]) if "firstprogenitorid" in names else np.zeros(len(ids), bool)
    central = host == ids
    try:
        descendant = rows_of_ids(ids, rows["descendantid"], place, "descendant")
    except ValueError as error:
        if is_whole_file:
            raise
        raise ValueError(
            f"{error}, and end the query with 'order by haloId' so that every tree is one block of rows"
        ) from None
    return Forest(
        place=place,
        name=ids,
        descendant=descendant,
        scale_factor=1.0 / (1.0 + rows["redshift"]),
        mass=group_masses(rows[mass], central, h, place),
        central=central,
        preferred=preferred,
        columns={"vmax": central_values(rows["vmax"], central)} if "vmax" in names else {},
        position=np.column_stack([rows[axis] for axis in _POSITION]) / h if set(_POSITION) <= set(names) else None,
        host=host_rows(ids, host, central) if "firsthaloinfofgroupid" in names else None,
        velocity=np.column_stack([rows[axis] for axis in _VELOCITY]) if set(_VELOCITY) <= set(names) else None,
    )
