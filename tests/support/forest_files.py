"""Trees whose satellites are known: branches with the halo that each lies in, snapshot by snapshot.

`satellite_rows` gives the rows that the writers of `tree_files` store in every format, and `forest_of` a `Forest` of
any branches, such as those that codes of merger trees get wrong.
"""

from typing import Any, NamedTuple

import numpy as np

from corundum.halos.trees.forests import Forest
from tree_files import SCALES, Halo, concentration, main_mass


class Line(NamedTuple):
    """A branch from snapshot `first` to `last`, of `mass` over that of the main branch of its tree.

    `hosts` says in which branch it lies, from which snapshot on; None for none.  It becomes a halo of the branch `into`
    at the snapshot after its last.
    """

    first: int
    last: int
    mass: float
    hosts: dict[int, str | None] = {}
    into: str | None = None
    tree: int = 0

    def host(self, snapshot: int) -> str | None:
        since = [first for first in self.hosts if first <= snapshot]
        return self.hosts[max(since)] if since else None


KNOWN = {
    "A": Line(0, 24, 1.0),
    "falls in": Line(4, 24, 0.1, {16: "A"}),
    "falls in before, with a satellite": Line(5, 24, 0.02, {13: "falls in"}),
    "is lost": Line(4, 14, 0.05, {11: "A"}, into="A"),
    "merges at once": Line(3, 17, 0.04, into="A"),
    "leaves and returns": Line(4, 24, 0.03, {14: "A", 16: None, 18: "A"}),
    "G": Line(1, 24, 1.0, tree=1),
    "is promoted": Line(3, 24, 0.3, {10: "G", 13: None}, tree=1),
}
"""Two trees; the halo that is promoted makes a third one."""


def satellite_rows(lines: dict[str, Line] = KNOWN, motion: dict[tuple[str, int], Any] | None = None) -> list[Halo]:
    """Rows of these branches, tree after tree, with offsets and velocities {(name, snapshot): (offset, velocity)}."""
    place = {}
    for name in sorted(lines, key=lambda name: lines[name].tree):
        for snapshot in range(lines[name].last, lines[name].first - 1, -1):
            place[name, snapshot] = len(place)
    rows = []
    for name, snapshot in place:
        line = lines[name]
        host = line.host(snapshot)
        later = (name, snapshot + 1) if snapshot < line.last else (line.into, snapshot + 1)
        first = place.get((name, snapshot - 1), -1)
        scale = SCALES[snapshot]
        offset, velocity = (motion or {}).get((name, snapshot), ((0.0,) * 3, (0.0,) * 3))
        rows.append(
            Halo(
                line.tree, snapshot, float(line.mass * main_mass(line.tree, scale)), place.get(later, -1), first,
                place[host or name, snapshot], float(concentration(line.tree, scale)), offset, velocity,
            )
        )  # fmt: skip
    return rows


def forest_of(lines: dict[str, Line], *, by_mass: bool = False, **changes: Any) -> tuple[Forest, dict]:
    """A forest of these branches, and the row of each (branch, snapshot)."""
    rows = satellite_rows(lines)
    names = [
        (name, snapshot)
        for name in sorted(lines, key=lambda name: lines[name].tree)
        for snapshot in range(lines[name].last, lines[name].first - 1, -1)
    ]
    firsts = np.array([row.first for row in rows])
    is_first = np.zeros(len(rows), bool)
    is_first[firsts[firsts >= 0]] = not by_mass
    host = np.array([row.host for row in rows])
    forest = Forest(
        place="forest",
        name=100 + np.arange(len(rows)),
        descendant=np.array([row.descendant for row in rows]),
        scale_factor=np.array([SCALES[row.snapshot] for row in rows]),
        mass=np.array([row.mass for row in rows]),
        central=host == np.arange(len(rows)),
        preferred=is_first,
        columns={},
        host=host,
    )
    return forest._replace(**changes), {name: row for row, name in enumerate(names)}
