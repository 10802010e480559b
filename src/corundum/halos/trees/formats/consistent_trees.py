"""Merger trees of Consistent-Trees (Behroozi et al. 2013, ApJ 763, 18): ``tree_*.dat`` and ``isotree_*.dat``."""

from collections.abc import Iterator, Sequence
from fnmatch import fnmatch
from pathlib import Path

import numpy as np

from ....storage.text_files import TEXT_SUFFIXES, text_lines, without_suffix
from ..file_sets import files_in, require_whole_set
from ..forests import Forest, check_scales, host_rows, rows_of_ids
from .base import AbstractTreeFormat, Simulation, checked_mass
from .text import choose_columns, header_or_none, parse_rows, read_header, simulation_of, tree_blocks

__all__ = ["ConsistentTrees", "consistent_forest"]

_BYTES_PER_HALO = 400
_NAME = "*tree_*.dat"
_NUMBERED = r".*tree_(\d+)_(\d+)_(\d+)\.dat"
_NAMES_IN_MESSAGE = 4


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
        files = _listed(path)
        if not files or files[0].is_dir():
            return False
        is_named = fnmatch(without_suffix(files[0]), _NAME)
        header = header_or_none(files[0], is_certain=is_named)
        return header is not None and (header.is_tree or is_named)

    def files(self, path: Path) -> list[Path]:
        files = _listed(path)
        if path.is_dir():
            require_whole_set(files, _NUMBERED)
            _require_located_files(path, files)
        return files

    def simulation(self, path: Path) -> Simulation:
        header = read_header(path)
        return simulation_of(header, choose_columns(header, self.mass, path), self.definition)

    def forests(self, path: Path, h: float, chunk: int) -> Iterator[Forest]:
        header = read_header(path)
        columns, markers, roots = choose_columns(header, self.mass, path), 0, 0
        for block in tree_blocks(path, chunk * _BYTES_PER_HALO, header.lines):
            rows = parse_rows(block.text, header.names, columns, path, block.first_line)
            markers += block.trees
            roots += int(np.sum(rows["desc_id"] < 0))
            if len(rows["id"]):
                yield consistent_forest(rows, h, f"{path} (from line {block.first_line})")
        # Without lines that begin trees, only their last halos count them, of which a forest may have several.
        trees = markers or min(roots, header.trees or 0)
        if header.trees is not None and trees != header.trees:
            raise ValueError(
                f"{path}: states {header.trees} trees but has {trees}; the file is cut short, so copy it again"
            )


def _listed(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    return files_in(path, *(_NAME + suffix for suffix in TEXT_SUFFIXES))


def _require_located_files(folder: Path, files: Sequence[Path]) -> None:
    """Refuse a folder that lacks a file in which its list of trees, ``locations.dat``, says that trees are."""
    locations = folder / "locations.dat"
    if not locations.is_file():
        return
    located = {line.split()[-1] for line in text_lines(locations) if line.strip() and not line.startswith("#")}
    missing = sorted(located - {without_suffix(file) for file in files})
    if missing:
        raise ValueError(
            f"{folder}: {len(missing)} of {len(located)} files that locations.dat lists are missing "
            f"({', '.join(missing[:_NAMES_IN_MESSAGE])}), so that trees would be lost; copy the whole set, or read the "
            "files one at a time and join the halos"
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
    velocity = np.column_stack([rows[name] for name in ("vx", "vy", "vz")]) if "vx" in rows else None
    central = rows["pid"] < 0
    return Forest(
        place=place,
        name=rows["id"],
        descendant=rows_of_ids(rows["id"], rows["desc_id"], place, "descendant"),
        scale_factor=scale,
        mass=checked_mass(rows["mass"] / h, place),
        central=central,
        preferred=rows["mmp?"] > 0,
        columns={name: np.where(values > 0.0, values, np.nan) for name, values in quantities.items()},
        position=position,
        host=host_rows(rows["id"], rows["pid"], central),
        velocity=velocity,
    )
