"""Halo catalogues of Rockstar and Consistent-Trees, one text file per snapshot: ``hlist_1.00000.list``.

The descendant of every halo is named in its row.  Snapshots are read backwards from the last one, and of each only
halos that become part of a main branch, or merge onto one, are kept: one snapshot is in memory at a time.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ..forests import Forest
from .base import AbstractTreeFormat, Simulation
from .consistent_trees import forest_of
from .text import choose_columns, parse_rows, read_header, require_last_line, simulation_of

__all__ = ["HaloLists"]

_LINES = 200_000  # read at once


class HaloLists(AbstractTreeFormat):
    """A directory of ``hlist_*.list`` files, or any one of them.

    Parameters
    ----------
    mass : str
        Column of the mass.
    definition : str
        Its definition.
    """

    mass: str = "mvir"
    definition: str = "vir"

    def recognises(self, path: Path) -> bool:
        try:
            lists = _lists(path)
            return bool(lists) and not read_header(lists[-1]).has_trees
        except (OSError, ValueError):
            return False

    def files(self, path: Path) -> list[Path]:
        return [path]  # a branch runs through all of them

    def simulation(self, path: Path) -> Simulation:
        last = _lists(path)[-1]
        header = read_header(last)
        return simulation_of(header, choose_columns(header, self.mass, last), self.definition)

    def forests(self, path: Path, h: float, chunk: int) -> Iterator[Forest]:
        found = _lists(path)
        snapshots = sorted(found, key=lambda file: _first_scale(file, self.mass), reverse=True)
        wanted, parts = None, []
        for file in snapshots:
            rows = _read(file, self.mass, wanted)
            if wanted is None:
                rows["desc_id"] = np.full(len(rows["id"]), -1)  # nothing comes after the last snapshot
                wanted = rows["id"][rows["pid"] < 0]
            else:
                wanted = rows["id"][rows["mmp?"] > 0]
            parts.append(rows)
            if not len(wanted):
                break
        names = set.intersection(*(set(part) for part in parts))
        rows = {name: np.concatenate([part[name] for part in parts]) for name in names}
        if not len(rows["id"]):
            raise ValueError(f"{snapshots[0]}: the last snapshot has no central halo (pid = -1)")
        yield forest_of(rows, h, str(path))


def _lists(path: Path) -> list[Path]:
    folder = path if path.is_dir() else path.parent
    return sorted(folder.glob("*.list")) if path.is_dir() or path.suffix == ".list" else []


def _first_scale(file: Path, mass: str) -> float:
    header = read_header(file)
    columns = choose_columns(header, mass, file)
    with file.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if line.strip() and not line.startswith(b"#"):
                return float(parse_rows(line, header.names, columns, file, number)["scale"][0])
    raise ValueError(f"{file}: has a header but no halos; copy the file again")


def _read(file: Path, mass: str, wanted: np.ndarray | None) -> dict[str, np.ndarray]:
    """The halos of one snapshot whose descendant is wanted."""
    header = read_header(file)
    columns = choose_columns(header, mass, file)
    parts, number = [], 1
    require_last_line(file)
    with file.open("rb") as lines:
        while block := [line for _, line in zip(range(_LINES), lines, strict=False)]:
            if any(not line.startswith(b"#") for line in block):
                rows = parse_rows(b"".join(block), header.names, columns, file, number)
                keep = np.ones(len(rows["id"]), bool) if wanted is None else np.isin(rows["desc_id"], wanted)
                parts.append({name: values[keep] for name, values in rows.items()})
            number += len(block)
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
