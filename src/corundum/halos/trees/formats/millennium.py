"""Answers of the Millennium database (Lemson & the Virgo Consortium 2006) to queries of its halo trees, as CSV.

The columns are those of the table ``MPAHaloTrees..MHalo``: haloId, descendantId, firstHaloInFOFgroupId, a mass, and a
redshift; lines that begin with # hold the query.  In the order of haloId, which is that of the database, every tree is
one block of rows that begins with its last halo, so that a large answer is read a few trees at a time.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ..forests import Forest, rows_of_ids
from .base import AbstractTreeFormat, Simulation, central_values, group_masses, mass_definition
from .number_rows import read_number_rows

__all__ = ["MillenniumCSV"]

_IDS = ("haloid", "descendantid", "firsthaloinfofgroupid", "firstprogenitorid")
_REQUIRED = ("haloid", "descendantid", "redshift")
_OPTIONAL = ("firsthaloinfofgroupid", "firstprogenitorid", "vmax", "x", "y", "z")
_LINES = 200_000  # read at once
_H, _OMEGA_M, _OMEGA_B = 0.73, 0.25, 0.045  # Springel et al. 2005, Nature 435, 629
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
    >>> _ = Path("query.csv").write_text("\\n".join(["haloId,descendantId,redshift,m_crit200", *rows]) + "\\n")
    >>> trees = co.halos.read_branches("query.csv", format=co.halos.MillenniumCSV(mass="m_crit200"))
    >>> len(trees.branches), len(trees.branches[0].time)
    (1, 9)
    """

    mass: str = "m_tophat"

    def recognises(self, path: Path) -> bool:
        files = self.files(path)
        try:
            names, _ = _read_header(files[0])
        except (IndexError, OSError, ValueError):
            return False
        return {"haloid", "descendantid"} <= set(names)

    def files(self, path: Path) -> list[Path]:
        return sorted(path.glob("*.csv")) if path.is_dir() else [path]

    def simulation(self, path: Path) -> Simulation:
        definition = mass_definition("MillenniumCSV", self.mass.lower(), DEFINITIONS)
        description = (
            f"mass = {self.mass} [1e10 Msun/h], vmax = vMax [km/s], x, y, z [comoving Mpc/h]; main progenitors by "
            "firstProgenitorId or mass"
        )
        return Simulation(_H, _OMEGA_M, definition, description, omega_b=_OMEGA_B)

    def forests(self, path: Path, h: float, chunk: int) -> Iterator[Forest]:
        mass = self.mass.lower()
        names, first_line = _read_header(path)
        required = (*_REQUIRED, mass)
        missing = [name for name in required if name not in names]
        if missing:
            raise ValueError(
                f"{path}: has no column {missing[0]!r}; it has {', '.join(names)} (required are {', '.join(required)})"
            )
        columns = [name for name in (*required, *_OPTIONAL) if name in names]
        waiting: list[np.ndarray] = []
        is_whole_file = True
        for rows, last_line in _row_blocks(path, names, columns, first_line):
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


def _read_header(path: Path) -> tuple[list[str], int]:
    """Column names in small letters, and the number of the first line after them."""
    try:
        with path.open(encoding="utf-8-sig") as file:
            for number, line in enumerate(file, 1):
                if line.strip() and not line.startswith("#"):
                    return [name.strip().lower() for name in line.split(",")], number + 1
    except UnicodeDecodeError:
        raise ValueError(f"{path}: is not a text file, so no answer of the Millennium database") from None
    raise ValueError(f"{path}: has no line with the names of columns")


def _row_blocks(path: Path, names: list[str], columns: list[str], first_line: int) -> Iterator[tuple[np.ndarray, int]]:
    """Some columns of the rows, a block of lines at a time, with the number of the last line of each."""
    with path.open(encoding="utf-8-sig") as file:
        for _ in range(first_line - 1):
            next(file)
        while block := _next_lines(file, path, first_line):
            if any(line.strip() and not line.startswith("#") for line in block):
                text = "".join(block).encode()
                rows = read_number_rows(text, names, columns, _IDS, path, first_line, delimiter=",")
                yield rows, first_line + len(block) - 1
            first_line += len(block)


def _next_lines(file, path: Path, first_line: int) -> list[str]:
    try:
        return [line for _, line in zip(range(_LINES), file, strict=False)]
    except UnicodeDecodeError:
        raise ValueError(f"{path}: after line {first_line}: holds bytes that are no text, so copy it again") from None


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
        position=np.column_stack([rows[axis] for axis in "xyz"]) / h if {"x", "y", "z"} <= set(names) else None,
    )
