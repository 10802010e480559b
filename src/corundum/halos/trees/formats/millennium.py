"""Answers of the Millennium database (Lemson & the Virgo Consortium 2006) to queries of its halo trees, as CSV.

The columns are those of the table ``MPAHaloTrees..MHalo``: haloId, descendantId, firstHaloInFOFgroupId, a mass, and a
redshift; lines beginning with # are the query.  In the order of haloId, in which the database keeps them, every tree is
one piece that opens with its last halo, so that a large answer is read a few trees at a time.
"""

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ..forests import Forest, rows_of_ids
from .base import AbstractTreeFormat, Simulation, checked_mass

__all__ = ["MillenniumCSV"]

_IDS = ("haloid", "descendantid", "firsthaloinfofgroupid", "firstprogenitorid")
_NEEDED = ("haloid", "descendantid", "redshift")
_OPTIONAL = ("firsthaloinfofgroupid", "firstprogenitorid", "vmax", "x", "y", "z")
_LINES = 200_000  # read at once
DEFINITIONS = {"m_tophat": "vir", "m_crit200": "200c", "m_mean200": "200m"}


class MillenniumCSV(AbstractTreeFormat):
    """CSV files downloaded from the Millennium database.

    Parameters
    ----------
    mass : str
        Which mass: ``"m_tophat"`` (Bryan & Norman), ``"m_crit200"`` or ``"m_mean200"``; only central halos have one.
    """

    mass: str = "m_tophat"

    def recognises(self, path: Path) -> bool:
        files = self.files(path)
        try:
            names, _ = _header(files[0])
        except (IndexError, OSError, ValueError):
            return False
        return {"haloid", "descendantid"} <= set(names)

    def files(self, path: Path) -> list[Path]:
        return sorted(path.glob("*.csv")) if path.is_dir() else [path]

    def simulation(self, path: Path) -> Simulation:
        if self.mass.lower() not in DEFINITIONS:
            raise ValueError(f"MillenniumCSV: got mass={self.mass!r}; allowed {', '.join(DEFINITIONS)}")
        words = (
            f"mass = {self.mass} [1e10 Msun/h], vmax = vMax [km/s], x, y, z [comoving Mpc/h]; main progenitors by "
            "firstProgenitorId or mass"
        )
        return Simulation(0.73, 0.25, DEFINITIONS[self.mass.lower()], words)  # Springel et al. 2005

    def forests(self, path: Path, h: float, chunk: int) -> Iterator[Forest]:
        mass = self.mass.lower()
        names, line = _header(path)
        missing = [name for name in (*_NEEDED, mass) if name not in names]
        if missing:
            raise ValueError(
                f"{path}: has no column {missing[0]!r}; it has {', '.join(names)} (needed are "
                f"{', '.join((*_NEEDED, mass))})"
            )
        wanted = [name for name in (*_NEEDED, mass, *_OPTIONAL) if name in names]
        kept: list[np.ndarray] = []
        first, whole = line, True
        for rows, number in _blocks(path, names, wanted, line):
            kept.append(rows)
            # A tree may go on in the next block: what follows the last root is kept until that is read.
            roots = np.flatnonzero(rows["descendantid"] < 0)
            if sum(map(len, kept)) >= chunk + len(rows) and len(roots):
                ready = np.concatenate([*kept[:-1], rows[: roots[-1]]])
                kept, whole = [rows[roots[-1] :]], False
                yield _forest(ready, mass, h, f"{path} (lines {first} to {number})", whole=False)
                first = number
        rows = np.concatenate(kept) if kept else None
        if rows is not None and len(rows):
            yield _forest(rows, mass, h, str(path) if whole else f"{path} (from line {first})", whole)


def _header(path: Path) -> tuple[list[str], int]:
    """Column names in small letters, and the number of the first line after them."""
    try:
        with path.open(encoding="utf-8-sig") as file:
            for number, line in enumerate(file, 1):
                if line.strip() and not line.startswith("#"):
                    return [name.strip().lower() for name in line.split(",")], number + 1
    except UnicodeDecodeError:
        raise ValueError(f"{path}: is not a text file, so no answer of the Millennium database") from None
    raise ValueError(f"{path}: has no line with the names of columns")


def _blocks(path: Path, names: list[str], wanted: list[str], line: int) -> Iterator[tuple[np.ndarray, int]]:
    """Some columns of the rows, a block of lines at a time, with the number of the last line of each."""
    dtype = np.dtype([(name, np.int64 if name in _IDS else np.float64) for name in wanted])
    places = [names.index(name) for name in wanted]
    with path.open(encoding="utf-8-sig") as file:
        for _ in range(line - 1):
            next(file)
        while block := _lines(file, path, line):
            if any(text.strip() and not text.startswith("#") for text in block):
                yield _parsed(block, dtype, places, names, path, line), line + len(block) - 1
            line += len(block)


def _lines(file, path: Path, line: int) -> list[str]:
    try:
        return [text for _, text in zip(range(_LINES), file, strict=False)]
    except UnicodeDecodeError:
        raise ValueError(f"{path}: after line {line}: holds bytes that are no text, so copy it again") from None


def _parsed(block, dtype, places, names, path, line) -> np.ndarray:
    try:
        rows = np.loadtxt(io.StringIO("".join(block)), dtype, delimiter=",", usecols=places, comments="#", ndmin=1)
    except (ValueError, IndexError):
        rows = None
    # numpy reads a row with fields to spare without a word
    if rows is None or any(text.count(",") != len(names) - 1 for text in block if text[0] not in "#\n\r"):
        _complain(block, dtype, places, names, path, line)
    return rows


def _complain(block, dtype, places, names, path, line):
    """Say which line is wrong, and why."""
    for number, text in enumerate(block, line):
        if not text.strip() or text.startswith("#"):
            continue
        fields = [field.strip() for field in text.split(",")]
        if len(fields) != len(names):
            raise ValueError(
                f"{path}: line {number} has {len(fields)} fields where the header names {len(names)}; the file is cut "
                "short or damaged, so repeat the query or copy the file again"
            )
        for place, name in zip(places, dtype.names, strict=True):
            try:
                (int if dtype[name].kind == "i" else float)(fields[place])
            except ValueError:
                told = f"{path}: line {number} has {fields[place]!r} for {name}; it must be a number"
                raise ValueError(told) from None
    raise ValueError(f"{path}: after line {line}: cannot be read as numbers; the file is damaged, so copy it again")


def _forest(rows: np.ndarray, mass: str, h: float, place: str, whole: bool) -> Forest:
    names, ids = rows.dtype.names, rows["haloid"]
    host = rows["firsthaloinfofgroupid"] if "firsthaloinfofgroupid" in names else ids
    preferred = np.isin(ids, rows["firstprogenitorid"]) if "firstprogenitorid" in names else np.zeros(len(ids), bool)
    central = host == ids
    try:
        descendant = rows_of_ids(ids, rows["descendantid"], place, "descendant")
    except ValueError as error:
        if whole:
            raise
        raise ValueError(f"{error}, and end the query with 'order by haloId' so that every tree is one piece") from None
    return Forest(
        place=place,
        name=ids,
        descendant=descendant,
        scale_factor=1.0 / (1.0 + rows["redshift"]),
        mass=checked_mass(np.where(central, rows[mass] * (1e10 / h), np.nan), place),
        central=central,
        preferred=preferred,
        columns={"vmax": np.where(central, rows["vmax"], np.nan)} if "vmax" in names else {},
        position=np.column_stack([rows[axis] for axis in "xyz"]) / h if {"x", "y", "z"} <= set(names) else None,
    )
