"""Halo catalogues of Rockstar and Consistent-Trees, one text file per snapshot: ``hlist_1.00000.list``.

The row of every halo names its descendant.  Snapshots are read backwards from the last one, and only those halos are
kept that become part of a main branch or merge onto one, so that one snapshot is in memory at a time.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from jaxtyping import Int

from ..forests import NONE, Forest
from .base import AbstractTreeFormat, Simulation
from .consistent_trees import consistent_forest
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
        Definition of that mass.

    Examples
    --------
    >>> from pathlib import Path
    >>> for k, a in enumerate(np.linspace(1.0, 0.2, 9)):
    ...     row = f"{a} {k} {k - 1} -1 1 {7e11 * a**2}\\n"
    ...     text = "#scale id desc_id pid mmp? mvir\\n#Omega_M = 0.3; h0 = 0.7\\n" + row
    ...     _ = Path(f"hlist_{a:.5f}.list").write_text(text)
    >>> trees = co.halos.read_branches(".", format=co.halos.HaloLists())
    >>> len(trees.branches), len(trees.branches[0].time)
    (1, 9)
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
        return [path]  # a branch runs through all snapshots, so they are read together

    def simulation(self, path: Path) -> Simulation:
        last = _lists(path)[-1]
        header = read_header(last)
        return simulation_of(header, choose_columns(header, self.mass, last), self.definition)

    def forests(self, path: Path, h: float, chunk: int) -> Iterator[Forest]:
        snapshots = sorted(_lists(path), key=lambda file: _first_scale(file, self.mass), reverse=True)
        descendants, parts = None, []
        for file in snapshots:
            rows = _read(file, self.mass, descendants)
            if descendants is None:
                rows["desc_id"] = np.full(len(rows["id"]), NONE)  # nothing comes after the last snapshot
                descendants = rows["id"][rows["pid"] < 0]
            else:
                descendants = rows["id"][rows["mmp?"] > 0]
            parts.append(rows)
            if not len(descendants):
                break
        names = set.intersection(*(set(part) for part in parts))
        rows = {name: np.concatenate([part[name] for part in parts]) for name in names}
        if not len(rows["id"]):
            raise ValueError(f"{snapshots[0]}: the last snapshot has no central halo (pid = -1)")
        yield consistent_forest(rows, h, str(path))


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


def _read(file: Path, mass: str, descendants: Int[np.ndarray, " d"] | None) -> dict[str, np.ndarray]:
    """The halos of one snapshot whose descendant is one of these ids; all halos for None."""
    header = read_header(file)
    columns = choose_columns(header, mass, file)
    parts, first_line = [], 1
    require_last_line(file)
    with file.open("rb") as lines:
        while block := [line for _, line in zip(range(_LINES), lines, strict=False)]:
            if any(not line.startswith(b"#") for line in block):
                rows = parse_rows(b"".join(block), header.names, columns, file, first_line)
                keep = np.ones(len(rows["id"]), bool) if descendants is None else np.isin(rows["desc_id"], descendants)
                parts.append({name: values[keep] for name, values in rows.items()})
            first_line += len(block)
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
