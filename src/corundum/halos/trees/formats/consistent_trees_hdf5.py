"""Consistent-Trees forests in the HDF5 layout of ``convert_ctrees_to_h5`` (as released by the Uchuu simulations).

``/Forests`` holds one dataset per column, or one table of all columns called ``halos``; ``/ForestInfo`` holds the first
row of each forest and its number of halos, as one table or one dataset per column.  The converter writes several files
``forest_0.h5``, ... and ``forest.h5``, which links to them.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from ....messages import one_line, short_name
from ....storage.files import open_foreign_hdf5
from ..file_sets import files_in, require_whole_set
from ..forests import Forest
from ..stated_cosmology import StatedCosmology, cosmology_in_attributes
from .base import AbstractTreeFormat, Simulation, split_rows
from .consistent_trees import consistent_forest
from .hdf5 import as_ids, checked_columns, has_members, read_columns, stated_count
from .text import INTEGERS, Header, choose_columns, parse_header, simulation_of

__all__ = ["ConsistentTreesHDF5"]

_PLACES = ("ForestHalosOffset", "ForestNhalos")
_CONTAINED = re.compile(r"File\d+")
_NUMBERED = r".*?(\d+)\.(?:h5|hdf5)"


class ConsistentTreesHDF5(AbstractTreeFormat):
    """HDF5 files of Consistent-Trees forests.

    Parameters
    ----------
    mass : str
        Column of the mass.
    definition : str
        Definition of that mass.

    Examples
    --------
    >>> import h5py
    >>> from pathlib import Path
    >>> a = np.linspace(1.0, 0.2, 9)
    >>> columns = {"scale": a, "id": np.arange(9), "desc_id": np.arange(9) - 1, "pid": np.full(9, -1)}
    >>> columns |= {"mmp?": np.ones(9, int), "Mvir": 7e11 * a**2}
    >>> with h5py.File("forest_0.h5", "w") as file:
    ...     file["ForestInfo/ForestHalosOffset"], file["ForestInfo/ForestNhalos"] = [0], [9]
    ...     for name, values in columns.items():
    ...         file[f"Forests/{name}"] = values
    >>> trees = co.halos.read_branches(
    ...     "forest_0.h5", format=co.halos.ConsistentTreesHDF5(mass="Mvir"), cosmology=co.cosmology.planck18()
    ... )
    >>> len(trees.branches)
    1
    """

    mass: str = "mvir"
    definition: str = "vir"

    def recognises(self, path: Path) -> bool:
        files = _listed(path)
        return any(_is_container(file) or has_members(file, "Forests", "ForestInfo") for file in files[:1])

    def files(self, path: Path) -> list[Path]:
        files = _listed(path)
        containers = [file for file in files if _is_container(file)]
        if not containers:
            if path.is_dir():
                require_whole_set(files, _NUMBERED)
            return files
        linked = {linked for container in containers for linked in _linked_files(container)}
        others = [file.name for file in files if file not in containers and file.resolve() not in linked]
        if others:
            raise ValueError(
                f"{path}: {containers[0].name} does not link to {short_name(others[0])}, which may hold the same "
                f"trees; give {containers[0].name} to read its files only, or move it elsewhere to read all files"
            )
        return sorted(linked)

    def simulation(self, path: Path) -> Simulation:
        with open_foreign_hdf5(path) as file:
            header = _header(file)
        return simulation_of(header, choose_columns(header, self.mass, path), self.definition)

    def forests(self, path: Path, h: float, chunk: int) -> Iterator[Forest]:
        with open_foreign_hdf5(path) as file:
            columns = choose_columns(_header(file), self.mass, path)
            stored_names = {name.lower(): name for name in _names(file)}
            table = file["Forests"].get("halos")
            if table is None:
                group = file["Forests"]
                datasets = checked_columns({key: group[stored_names[name]] for key, name in columns.items()}, path)
                stored = len(next(iter(datasets.values())))
            else:
                stored = len(table)
            starts, sizes = _forest_rows(file, stored, path)
            for first, last in split_rows(sizes, chunk):
                rows = slice(int(starts[first]), int(starts[last - 1] + sizes[last - 1]))
                if table is None:
                    values = {quantity: dataset[rows] for quantity, dataset in datasets.items()}
                else:
                    part = table[rows]  # of a table, all columns are read at once
                    values = {quantity: part[stored_names[name]] for quantity, name in columns.items()}
                place = f"{path} (rows {rows.start} to {rows.stop - 1})"
                yield consistent_forest(_in_full_precision(values, place), h, place)


def _listed(path: Path) -> list[Path]:
    return files_in(path, "*forest*.h5", "*forest*.hdf5") if path.is_dir() else [path]


def _is_container(path: Path) -> bool:
    """Whether a file only links to those that hold the trees."""
    return has_members(path) and bool(_links(path))


def _links(path: Path) -> list[str]:
    """Names of the files that a container links to."""
    with open_foreign_hdf5(path) as file:
        links = [file.get(name, getlink=True) for name in file if _CONTAINED.fullmatch(one_line(name))]
    return [link.filename for link in links if isinstance(link, h5py.ExternalLink) and link.path == "/"]


def _linked_files(container: Path) -> list[Path]:
    files = [(container.parent / name).resolve() for name in _links(container)]
    missing = [file.name for file in files if not file.is_file()]
    if missing:
        raise ValueError(
            f"{container}: links to {short_name(missing[0])}, which is missing ({len(missing)} of {len(files)} files), "
            "so that trees would be lost; copy the whole set, or read the files one at a time and join the halos"
        )
    return files


def _names(file: h5py.File) -> list[str]:
    group = file["Forests"]
    if "halos" not in group:
        return [one_line(name) for name in group]
    table = group["halos"]
    if not isinstance(table, h5py.Dataset) or table.ndim != 1 or not table.dtype.names:
        raise ValueError(f"{file.filename}: /Forests/halos is no table with a row for each halo; copy the file again")
    return list(table.dtype.names)


def _header(file: h5py.File) -> Header:
    """The header as comment lines of the text files say it, or else as parameters of the simulation do."""
    texts = [value for name, value in file.attrs.items() if one_line(name).lower().endswith("metadata")]
    text = "\n".join(_text(line) for lines in texts for line in np.atleast_1d(lines).ravel())
    header = parse_header([name.lower() for name in _names(file)], text)
    parameters = dict(file["simulation_params"].attrs) if "simulation_params" in file else {}
    if header.cosmology == StatedCosmology():
        header = header._replace(cosmology=cosmology_in_attributes(parameters))
    if header.box is None and "Boxsize" in parameters:
        header = header._replace(box=float(parameters["Boxsize"]))
    return header


def _text(line: Any) -> str:
    return line.decode("latin-1") if isinstance(line, bytes) else str(line)


def _forest_rows(file: h5py.File, stored: int, path: Path) -> tuple[np.ndarray, np.ndarray]:
    """First row and number of rows of every forest, in the order of the rows, of which all belong to one forest."""
    info = file["ForestInfo"]
    if isinstance(info, h5py.Group):
        info = read_columns(info, {name: name for name in _PLACES}, slice(None), path)
    starts, sizes = (np.asarray(info[name], np.int64) for name in _PLACES)
    counts = {"Nforests": len(starts), "Nhalos": stored}
    for name, count in counts.items():
        stated = stated_count(file.attrs, name, count, path)
        if stated != count:
            raise ValueError(f"{path}: states {name} = {stated} but has {count}; the file is incomplete")
    order = np.lexsort((sizes, starts))
    starts, sizes = starts[order], sizes[order]
    if np.any(starts != np.cumsum(sizes) - sizes) or sizes.sum() != stored:
        raise ValueError(
            f"{path}: the forests of /ForestInfo hold {sizes.sum()} halos, which are not the {stored} rows of /Forests "
            "one after the other; the file is incomplete, so copy it again"
        )
    return starts, sizes


def _in_full_precision(values: dict[str, np.ndarray], place: str) -> dict[str, np.ndarray]:
    return {
        name: as_ids(np.asarray(column), name, place) if name in INTEGERS else np.asarray(column, float)
        for name, column in values.items()
    }
