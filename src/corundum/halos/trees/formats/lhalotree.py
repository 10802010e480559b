"""LHaloTree files (Springel et al. 2005, Nature 435, 629): the binary trees of the Millennium simulations.

A file holds two counts, the number of halos of each tree, and one record of 104 bytes per halo.  It states neither its
format nor its byte order; both follow from the condition that the counts and the size of the file fit together.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from ....storage.text_files import compression
from ..file_sets import files_in, require_whole_set
from ..forests import NONE, Forest
from .base import (
    AbstractTreeFormat,
    Simulation,
    central_values,
    group_masses,
    mass_definition,
    scale_factor_list,
    snapshot_scales,
    split_rows,
)

__all__ = ["LHaloTree", "lhalo_forest"]

RECORD: list[tuple[Any, ...]] = [
    ("Descendant", "i4"), ("FirstProgenitor", "i4"), ("NextProgenitor", "i4"), ("FirstHaloInFOFgroup", "i4"),
    ("NextHaloInFOFgroup", "i4"), ("Len", "i4"), ("M_Mean200", "f4"), ("Mvir", "f4"), ("M_TopHat", "f4"),
    ("Pos", "f4", 3), ("Vel", "f4", 3), ("VelDisp", "f4"), ("Vmax", "f4"), ("Spin", "f4", 3), ("MostBoundID", "i8"),
    ("SnapNum", "i4"), ("FileNr", "i4"), ("SubhaloIndex", "i4"), ("SubHalfMass", "f4"),
]  # fmt: skip
_NUMBERED = r"trees_\d+\.(\d+)"
DEFINITIONS = {"M_TopHat": "vir", "Mvir": "200c", "M_Mean200": "200m"}
_COLUMNS = {
    "descendant": "Descendant", "first_progenitor": "FirstProgenitor", "host": "FirstHaloInFOFgroup",
    "snapshot": "SnapNum", "vmax": "Vmax", "position": "Pos", "velocity": "Vel",
}  # fmt: skip


class LHaloTree(AbstractTreeFormat):
    """Binary LHaloTree files ``trees_063.0``, ``trees_063.1``, ...

    Parameters
    ----------
    scale_factors : list of numbers or path
        Scale factor of every snapshot, the first one first.
    mass : str
        The mass to take: ``"M_TopHat"`` (Bryan & Norman), ``"Mvir"`` (200 times critical, in spite of its name), or
        ``"M_Mean200"``.  Only central halos have one: where a halo lies in another, its snapshot counts as missing.

    Examples
    --------
    >>> from pathlib import Path
    >>> from corundum.halos.trees.formats.lhalotree import RECORD
    >>> tree_format = co.halos.LHaloTree(scale_factors=[0.25, 0.5, 1.0], mass="Mvir")
    >>> halos = np.zeros(3, RECORD)
    >>> halos["Descendant"], halos["FirstProgenitor"], halos["FirstHaloInFOFgroup"] = [-1, 0, 1], [1, 2, -1], [0, 1, 2]
    >>> halos["SnapNum"], halos["Mvir"] = [2, 1, 0], [70.0, 20.0, 5.0]
    >>> _ = Path("trees_063.0").write_bytes(np.array([1, 3, 3], "i4").tobytes() + halos.tobytes())
    >>> cosmology = co.cosmology.Cosmology(h=0.73, omega_m=0.25)
    >>> trees = co.halos.read_branches("trees_063.0", format=tree_format, cosmology=cosmology)
    >>> len(trees.branches), trees.branches[0].time.shape
    (1, (3,))
    """

    scale_factors: str | Path | Sequence[float] | None = None
    mass: str = "M_TopHat"

    def recognises(self, path: Path) -> bool:
        files = _listed(path)
        if not files or files[0].is_dir():
            return False
        try:
            _read_counts(files[0])
        except FileNotFoundError:
            return False
        except ValueError:
            if re.fullmatch(_NUMBERED, files[0].name):
                raise
            return False
        return True

    def files(self, path: Path) -> list[Path]:
        files = _listed(path)
        if path.is_dir():
            require_whole_set(files, _NUMBERED)
        return files

    def simulation(self, path: Path) -> Simulation:
        definition = mass_definition("LHaloTree", self.mass, DEFINITIONS)
        scale_factor_list(self.scale_factors, "LHaloTree")  # asked for before the cosmology
        byte_order = "big-endian" if _read_counts(path)[0] == ">" else "little-endian"
        description = (
            f"mass = {self.mass} [1e10 Msun/h], vmax = Vmax [km/s], Pos [comoving Mpc/h], {byte_order}; main "
            "progenitors by FirstProgenitor"
        )
        return Simulation(None, None, definition, description)

    def forests(self, path: Path, h: float, chunk: int) -> Iterator[Forest]:
        scales = scale_factor_list(self.scale_factors, "LHaloTree")
        byte_order, sizes, header = _read_counts(path)
        record = np.dtype([(name, byte_order + kind, *shape) for name, kind, *shape in RECORD])
        stored = (path.stat().st_size - header) // record.itemsize
        if stored * record.itemsize + header != path.stat().st_size or stored != sizes.sum():
            raise ValueError(
                f"{path}: promises {sizes.sum()} halos of {record.itemsize} bytes but holds "
                f"{(path.stat().st_size - header) / record.itemsize:g}; the file is cut short or has other records, so "
                "copy it again"
            )
        if not stored:
            return
        halos = np.memmap(path, record, "r", header, (stored,))
        starts = np.cumsum(sizes) - sizes
        columns = _COLUMNS | {"mass": self.mass}
        for first, last in split_rows(sizes, chunk):
            chunk_halos = np.array(halos[starts[first] : starts[last - 1] + sizes[last - 1]])
            rows = {quantity: chunk_halos[name] for quantity, name in columns.items()}
            place = f"{path} (trees {first} to {last - 1})"
            yield lhalo_forest(rows, sizes[first:last], scales, h, place, int(starts[first]))


def _listed(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    return [file for file in files_in(path, "trees_*.*") if re.fullmatch(_NUMBERED, file.name)]


def _read_counts(path: Path) -> tuple[str, np.ndarray, int]:
    """Byte order, number of halos of each tree, and size of the header in bytes.

    A part of a box may hold no trees, and a tree no halos; a file that begins with zeros is one only if it ends there.
    """
    file_size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(8)
        for byte_order in "<>":
            if len(start) < 8:
                break
            trees, halos = np.frombuffer(start, byte_order + "i4")
            if trees >= 0 and halos >= 0 and 8 + 4 * int(trees) <= file_size:
                file.seek(8)
                sizes = np.frombuffer(file.read(4 * int(trees)), byte_order + "i4").astype(np.int64)
                is_whole = halos > 0 or file_size == 8 + 4 * int(trees)
                if len(sizes) == trees and np.all(sizes >= 0) and sizes.sum() == halos and is_whole:
                    return byte_order, sizes, 8 + 4 * int(trees)
    method = compression(path)
    if method is not None:
        raise ValueError(f"{path}: is compressed ({method}), which only text files may be; unpack it first")
    raise ValueError(f"{path}: does not begin with the counts of a binary LHaloTree file, in either byte order")


def lhalo_forest(
    rows: Mapping[str, np.ndarray],
    sizes: Int[np.ndarray, " t"],
    scales: Float[np.ndarray, " s"],
    h: float,
    place: str,
    first_halo: int,
) -> Forest:
    """A forest from the columns of LHaloTree, in which links count within a tree.

    Parameters
    ----------
    rows : mapping of str to array
        descendant, first_progenitor and host (links), snapshot, mass [1e10 Msun/h], vmax [km/s], and, where
        known, position [comoving Mpc/h] and velocity [km/s].
    sizes : array, shape (t,)
        Number of halos of each tree.
    scales : array, shape (s,)
        Scale factor of every snapshot.
    h : float
        Hubble constant over 100 km/s/Mpc.
    place : str
        The file and the part of it, for error messages.
    first_halo : int
        Number in the file of the first halo.

    Raises
    ------
    ValueError
        A link leads out of its tree, or a snapshot or the masses cannot be right.
    """
    tree_size, tree_start = np.repeat(sizes, sizes), np.repeat(np.cumsum(sizes) - sizes, sizes)
    for name in ("descendant", "first_progenitor", "host"):
        link = rows[name]
        outside = (link >= tree_size) | (link < -1)
        if np.any(outside):
            halo = int(np.argmax(outside))
            raise ValueError(
                f"{place}: halo {halo} has the {name.replace('_', ' ')} {link[halo]}, outside its tree of "
                f"{tree_size[halo]} halos; the file is damaged or in another byte order"
            )
    count = len(tree_size)
    descendant = np.where(rows["descendant"] >= 0, rows["descendant"] + tree_start, -1)
    first_progenitor = rows["first_progenitor"]
    preferred = np.zeros(count, bool)
    preferred[(first_progenitor + tree_start)[first_progenitor >= 0]] = True
    host = np.where(rows["host"] >= 0, rows["host"] + tree_start, NONE)
    central = host == np.arange(count)
    vmax = rows["vmax"]
    return Forest(
        place=place,
        name=first_halo + np.arange(count),
        descendant=descendant.astype(np.int64),
        scale_factor=snapshot_scales(rows["snapshot"], scales, place),
        mass=group_masses(rows["mass"], central, h, place),
        central=central,
        preferred=preferred,
        columns={"vmax": central_values(vmax, central & (vmax > 0.0))},
        position=np.asarray(rows["position"], float) / h if "position" in rows else None,
        host=host.astype(np.int64),
        velocity=np.asarray(rows["velocity"], float) if "velocity" in rows else None,
    )
