"""LHaloTree files (Springel et al. 2005, Nature 435, 629): the binary trees of the Millennium simulations.

A file holds two counts, the number of halos of each tree, and one record of 104 bytes per halo.  Nothing in it
says what it is, so the counts and the size of the file have to fit; they also tell the byte order.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from ..forests import Forest
from .base import AbstractTreeFormat, Simulation, checked_mass, scale_factor_list, snapshot_scales, split_rows

__all__ = ["LHaloTree", "lhalo_forest"]

RECORD = [
    ("Descendant", "i4"), ("FirstProgenitor", "i4"), ("NextProgenitor", "i4"), ("FirstHaloInFOFgroup", "i4"),
    ("NextHaloInFOFgroup", "i4"), ("Len", "i4"), ("M_Mean200", "f4"), ("Mvir", "f4"), ("M_TopHat", "f4"),
    ("Pos", "f4", 3), ("Vel", "f4", 3), ("VelDisp", "f4"), ("Vmax", "f4"), ("Spin", "f4", 3), ("MostBoundID", "i8"),
    ("SnapNum", "i4"), ("FileNr", "i4"), ("SubhaloIndex", "i4"), ("SubHalfMass", "f4"),
]  # fmt: skip
DEFINITIONS = {"M_TopHat": "vir", "Mvir": "200c", "M_Mean200": "200m"}


class LHaloTree(AbstractTreeFormat):
    """Binary LHaloTree files ``trees_063.0``, ``trees_063.1``, ...

    Parameters
    ----------
    scale_factors : list of numbers or path
        Scale factor of every snapshot, the first one first.
    mass : str
        Which mass: ``"M_TopHat"`` (Bryan & Norman), ``"Mvir"`` (200 times critical, whatever its name says), or
        ``"M_Mean200"``.  Only central halos have one: where a halo lies in another, its snapshot counts as missing.
    """

    scale_factors: str | Path | Sequence[float] | None = None
    mass: str = "M_TopHat"

    def recognises(self, path: Path) -> bool:
        try:
            files = self.files(path)
            if not files:
                return False
            _counts(files[0])
        except (OSError, ValueError):
            return False
        return True

    def files(self, path: Path) -> list[Path]:
        if not path.is_dir():
            return [path]
        numbered = [file for file in path.glob("trees_*.*") if file.suffix[1:].isdigit()]
        return sorted(numbered, key=lambda file: int(file.suffix[1:]))

    def simulation(self, path: Path) -> Simulation:
        if self.mass not in DEFINITIONS:
            raise ValueError(f"LHaloTree: got mass={self.mass!r}; allowed {', '.join(DEFINITIONS)}")
        order = "big-endian" if _counts(path)[0] == ">" else "little-endian"
        words = (
            f"mass = {self.mass} [1e10 Msun/h], vmax = Vmax [km/s], Pos [comoving Mpc/h], {order}; main progenitors by "
            "FirstProgenitor"
        )
        return Simulation(None, None, DEFINITIONS[self.mass], words)

    def forests(self, path: Path, h: float, chunk: int) -> Iterator[Forest]:
        scales = scale_factor_list(self.scale_factors, "LHaloTree")
        order, sizes, header = _counts(path)
        record = np.dtype([(name, order + kind, *shape) for name, kind, *shape in RECORD])
        stored = (path.stat().st_size - header) // record.itemsize
        if stored * record.itemsize + header != path.stat().st_size or stored != sizes.sum():
            raise ValueError(
                f"{path}: promises {sizes.sum()} halos of {record.itemsize} bytes but holds "
                f"{(path.stat().st_size - header) / record.itemsize:g}; the file is cut short or has other records, so "
                "copy it again"
            )
        halos = np.memmap(path, record, "r", header, (stored,))
        starts = np.cumsum(sizes) - sizes
        for first, last in split_rows(sizes, chunk):
            part = np.array(halos[starts[first] : starts[last - 1] + sizes[last - 1]])
            offset = np.repeat(starts[first:last] - starts[first], sizes[first:last])
            columns = {name: part[name] for name in ("Descendant", "FirstProgenitor", "Vmax")}
            columns |= {"SnapNum": part["SnapNum"], "host": part["FirstHaloInFOFgroup"], "mass": part[self.mass]}
            columns["position"] = part["Pos"]
            place = f"{path} (trees {first} to {last - 1})"
            inside = np.repeat(sizes[first:last], sizes[first:last])
            yield lhalo_forest(columns, offset, inside, scales, h, place, int(starts[first]))


def _counts(path: Path) -> tuple[str, np.ndarray, int]:
    """Byte order, number of halos of each tree, and size of the header in bytes."""
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(8)
        for order in "<>":
            if len(start) < 8:
                break
            trees, halos = np.frombuffer(start, order + "i4")
            if 0 < trees <= halos and 8 + 4 * int(trees) <= size:
                file.seek(8)
                sizes = np.frombuffer(file.read(4 * int(trees)), order + "i4").astype(np.int64)
                if len(sizes) == trees and np.all(sizes > 0) and sizes.sum() == halos:
                    return order, sizes, 8 + 4 * int(trees)
    raise ValueError(f"{path}: does not begin with the counts of a binary LHaloTree file, in either byte order")


def lhalo_forest(columns: dict, offset, size, scales, h: float, place: str, first: int) -> Forest:
    """A forest from the columns of LHaloTree: links count within a tree, whose first row is at `offset`.

    Halos are named by their place in the file, counted from `first`; positions are in comoving Mpc/h.

    Raises
    ------
    ValueError
        A link leads out of its tree.
    """
    for name in ("Descendant", "FirstProgenitor", "host"):
        link = columns[name]
        outside = (link >= size) | (link < -1)
        if np.any(outside):
            row = int(np.argmax(outside))
            raise ValueError(
                f"{place}: halo {row} has {name} {link[row]}, outside its tree of {size[row]} halos; the file is "
                "damaged or in another byte order"
            )
    count = len(offset)
    descendant = np.where(columns["Descendant"] >= 0, columns["Descendant"] + offset, -1)
    firsts = columns["FirstProgenitor"]
    preferred = np.zeros(count, bool)
    preferred[(firsts + offset)[firsts >= 0]] = True
    central = columns["host"] + offset == np.arange(count)
    mass = checked_mass(np.where(central, columns["mass"] * (1e10 / h), np.nan), place)
    vmax = columns["Vmax"].astype(float)
    return Forest(
        place=place,
        name=first + np.arange(count),
        descendant=descendant.astype(np.int64),
        scale_factor=snapshot_scales(columns["SnapNum"], scales, place),
        mass=mass,
        central=central,
        preferred=preferred,
        columns={"vmax": np.where(central & (vmax > 0.0), vmax, np.nan)},
        position=None if "position" not in columns else np.asarray(columns["position"], float) / h,
    )
