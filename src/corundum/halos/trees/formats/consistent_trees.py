"""Merger trees of Consistent-Trees (Behroozi et al. 2013, ApJ 763, 18): ``tree_*.dat`` and ``isotree_*.dat``."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ..forests import Forest, check_scales, rows_of_ids
from .base import AbstractTreeFormat, Simulation, checked_mass
from .text import choose_columns, parse_rows, read_header, require_last_line, simulation_of, tree_blocks

__all__ = ["ConsistentTrees", "consistent_forest"]

_BYTES_PER_HALO = 400


class ConsistentTrees(AbstractTreeFormat):
    """Text files of Consistent-Trees, with old or new headers; whole forests or isolated trees.

    Parameters
    ----------
    mass : str
        Column of the mass.
    definition : str
        Definition of that mass.

    Examples
    --------
    >>> from pathlib import Path
    >>> header = "#scale id desc_id pid mmp? mvir\\n#Omega_M = 0.3; h0 = 0.7\\n#tree 0\\n"
    >>> rows = [f"{a} {k} {k - 1} -1 1 {7e11 * a**2}\\n" for k, a in enumerate(np.linspace(1.0, 0.2, 9))]
    >>> _ = Path("tree_0_0_0.dat").write_text(header + "".join(rows))
    >>> histories = co.halos.read_trees("tree_0_0_0.dat", format=co.halos.ConsistentTrees(definition="200c"))
    >>> len(histories), float(histories.cosmology.h)
    (1, 0.7)
    """

    mass: str = "mvir"
    definition: str = "vir"

    def recognises(self, path: Path) -> bool:
        try:
            files = self.files(path)
            return bool(files) and read_header(files[0]).has_trees
        except (OSError, ValueError):
            return False

    def files(self, path: Path) -> list[Path]:
        return sorted(path.glob("*tree_*.dat")) if path.is_dir() else [path]

    def simulation(self, path: Path) -> Simulation:
        header = read_header(path)
        return simulation_of(header, choose_columns(header, self.mass, path), self.definition)

    def forests(self, path: Path, h: float, chunk: int) -> Iterator[Forest]:
        header = read_header(path)
        columns, trees = choose_columns(header, self.mass, path), 0
        require_last_line(path)
        for line, block in tree_blocks(path, chunk * _BYTES_PER_HALO):
            trees += block.count(b"#tree")
            start = block.find(b"#tree")
            if start < 0:
                continue
            line += block[:start].count(b"\n")
            rows = parse_rows(block[start:], header.names, columns, path, line)
            if len(rows["id"]):
                yield consistent_forest(rows, h, f"{path} (from line {line})")
        if header.trees is not None and trees != header.trees:
            raise ValueError(
                f"{path}: states {header.trees} trees but has {trees}; the file is cut short, so copy it again"
            )


def consistent_forest(rows: dict[str, np.ndarray], h: float, place: str) -> Forest:
    """A forest from the columns of Consistent-Trees.

    Parameters
    ----------
    rows : dict of str to array
        The quantities of `corundum.halos.trees.formats.text.choose_columns`; masses in Msun/h, radii in comoving kpc/h,
        positions in comoving Mpc/h, velocities in km/s.
    h : float
        Hubble constant over 100 km/s/Mpc.
    place : str
        The file and the part of it, for error messages.
    """
    scale = rows["scale"]
    check_scales(scale, place)
    lengths = [name for name in ("rvir", "rs") if name in rows]
    quantities: dict[str, np.ndarray] = {name: rows[name] * scale / h for name in lengths}
    if "vmax" in rows:
        quantities["vmax"] = rows["vmax"]
    position = np.column_stack([rows[name] / h for name in ("x", "y", "z")]) if "x" in rows else None
    return Forest(
        place=place,
        name=rows["id"],
        descendant=rows_of_ids(rows["id"], rows["desc_id"], place, "descendant"),
        scale_factor=scale,
        mass=checked_mass(rows["mass"] / h, place),
        central=rows["pid"] < 0,
        preferred=rows["mmp?"] > 0,
        columns={name: np.where(values > 0.0, values, np.nan) for name, values in quantities.items()},
        position=position,
    )
