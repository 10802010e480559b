"""Halo catalogues of Rockstar and Consistent-Trees, one text file per snapshot: ``hlist_1.00000.list``.

The row of every halo names its descendant.  Snapshots are read backwards from the last one, and only those halos are
kept that become part of a main branch or merge onto one, so that one snapshot is in memory at a time; where satellites
are followed, all halos are kept.
"""

import dataclasses
import itertools
from collections.abc import Iterator, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Int

from ....storage.text_files import TEXT_SUFFIXES, line_blocks, text_lines, without_suffix
from ..file_sets import files_in
from ..forests import NONE, Forest
from .base import AbstractTreeFormat, Simulation
from .consistent_trees import consistent_forest
from .text import choose_columns, header_or_none, parse_rows, read_header, simulation_of

__all__ = ["HaloLists", "with_every_halo"]

_NAME = "hlist_*.list"
_CHARACTERS = 1 << 26  # read at once
_SAME_SCALE = 2e-4  # scale factors are written with few digits


class HaloLists(AbstractTreeFormat):
    """A directory of ``hlist_*.list`` files, or any one of them.

    Parameters
    ----------
    mass : str
        Column of the mass.
    definition : str
        Definition of that mass.
    every_halo : bool
        Whether all halos are kept, which takes the memory of all catalogues, and not only those of main branches and
        what merges onto them; `read_forest` sets it.

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
    every_halo: bool = False

    def recognises(self, path: Path) -> bool:
        lists = _lists(path)
        if not lists:
            return False
        header = header_or_none(lists[-1], is_certain=fnmatch(without_suffix(lists[-1]), _NAME))
        return header is not None and not header.is_tree

    def files(self, path: Path) -> list[Path]:
        return [path]  # a branch runs through all snapshots, so they are read together

    def simulation(self, path: Path) -> Simulation:
        last = _lists(path)[-1]
        header = read_header(last)
        return simulation_of(header, choose_columns(header, self.mass, last), self.definition)

    def forests(self, path: Path, h: float, chunk: int) -> Iterator[Forest]:
        snapshots = _snapshots(_lists(path), self.mass, path)
        later, parts = None, []
        for snapshot in snapshots:
            rows, ids = _read(snapshot, later, self.every_halo)
            parts.append(rows)
            leading = rows["pid"] < 0 if later is None else rows["mmp?"] > 0
            leading = leading | self.every_halo
            if later is None:
                rows["desc_id"] = np.full(len(rows["id"]), NONE)  # nothing comes after the last snapshot
            later = _Later(snapshot, ids, rows["id"][leading])
            if not len(later.branches):
                break
        names = set.intersection(*(set(part) for part in parts))
        rows = {name: np.concatenate([part[name] for part in parts]) for name in names}
        if not len(rows["id"]):
            raise ValueError(f"{snapshots[0].file}: the last snapshot has no central halo (pid = -1)")
        yield consistent_forest(rows, h, str(path))


def with_every_halo(tree_format: AbstractTreeFormat) -> AbstractTreeFormat:
    """The format that keeps the halos which do not belong to main branches; most formats do."""
    return dataclasses.replace(tree_format, every_halo=True) if isinstance(tree_format, HaloLists) else tree_format


class _Snapshot(NamedTuple):
    """A file with halos: its scale factor, names and columns."""

    file: Path
    scale: float
    names: list[str]
    columns: dict[str, str]


class _Later(NamedTuple):
    """The next snapshot in time: ids of all its halos in rising order, and of those whose progenitors are kept."""

    snapshot: _Snapshot
    ids: Int[np.ndarray, " n"]
    branches: Int[np.ndarray, " b"]


def _lists(path: Path) -> list[Path]:
    """All catalogues of a folder, or of the folder of one of them; other files of such names hold no histories."""
    if not path.is_dir() and not without_suffix(path).endswith(".list"):
        return []
    folder = path if path.is_dir() else path.parent
    names = [_NAME] if fnmatch(without_suffix(path), _NAME) or path.is_dir() else []
    for pattern in [*names, "*.list"]:
        files = files_in(folder, *(pattern + suffix for suffix in TEXT_SUFFIXES))
        if files:
            return files
    return []


def _snapshots(files: Sequence[Path], mass: str, path: Path) -> list[_Snapshot]:
    """The catalogues that hold halos, the last one first."""
    snapshots = []
    for file in files:
        header = read_header(file)
        columns = choose_columns(header, mass, file)
        if "desc_scale" in header.names:
            columns["desc_scale"] = "desc_scale"
        row = next((line for line in text_lines(file) if line.strip() and not line.startswith("#")), None)
        if row is not None:
            scale = float(parse_rows(row, header.names, columns, file, header.lines + 1)["scale"][0])
            snapshots.append(_Snapshot(file, scale, header.names, columns))
    if not snapshots:
        raise ValueError(f"{path}: has headers but no halos; copy the files again")
    snapshots.sort(key=lambda snapshot: snapshot.scale, reverse=True)
    for one, other in itertools.pairwise(snapshots):
        if one.scale == other.scale:
            raise ValueError(f"{one.file} and {other.file.name}: hold the same scale factor {one.scale:g}; remove one")
    return snapshots


def _read(
    snapshot: _Snapshot, later: _Later | None, every_halo: bool
) -> tuple[dict[str, np.ndarray], Int[np.ndarray, " n"]]:
    """The halos of a snapshot that become part of a branch, and the ids of all its halos in rising order."""
    parts, ids = [], []
    for first_line, block in line_blocks(snapshot.file, _CHARACTERS):
        rows = parse_rows(block, snapshot.names, snapshot.columns, snapshot.file, first_line)
        if np.any(rows["scale"] != snapshot.scale):
            other = rows["scale"][rows["scale"] != snapshot.scale][0]
            raise ValueError(
                f"{snapshot.file}: holds the scale factors {snapshot.scale:g} and {other:g}; a catalogue has one, and "
                "trees are read with format=halos.ConsistentTrees()"
            )
        if later is not None:
            _require_descendants(rows, snapshot, later)
        keep = (
            np.ones(len(rows["id"]), bool) if later is None or every_halo else np.isin(rows["desc_id"], later.branches)
        )
        parts.append({name: values[keep] for name, values in rows.items()})
        ids.append(rows["id"])
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}, np.sort(np.concatenate(ids))


def _require_descendants(rows: dict[str, np.ndarray], snapshot: _Snapshot, later: _Later) -> None:
    """Refuse halos that continue in a snapshot, or in a halo of the next one, that is not there."""
    descendant = rows["desc_id"]
    place = np.minimum(np.searchsorted(later.ids, descendant), len(later.ids) - 1)
    lost = np.flatnonzero((descendant >= 0) & (later.ids[place] != descendant))
    if not len(lost):
        return
    scale = float(rows["desc_scale"][lost[0]]) if "desc_scale" in rows else later.snapshot.scale
    if snapshot.scale < scale < later.snapshot.scale - _SAME_SCALE:
        raise ValueError(
            f"{snapshot.file}: its halos continue at scale factor {scale:g}, but the next file is "
            f"{later.snapshot.file.name}; a snapshot is missing, at which every branch would break off, so add its file"
        )
    raise ValueError(
        f"{snapshot.file}: {len(lost)} halos continue in halos that {later.snapshot.file.name} does not have, such as "
        f"{descendant[lost[0]]}; a snapshot between them is missing or that file is cut short, so copy it again"
    )
