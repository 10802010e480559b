"""Converting merger trees to one file of halo histories, so that an interruption loses at most the current files.

The main branches of each source file are kept beside the output as soon as they are read; the same call after an
interruption reads only what is missing.  When all are there they are smoothed together and written, and the parts
are removed.
"""

import contextlib
import functools
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import equinox as eqx
import h5py
import jax
import numpy as np
from jaxtyping import Array, Float

from .. import __version__
from ..cosmology import Cosmology
from ..storage.files import check_destination, checksum, create_hdf5, open_hdf5
from .branches.branch import Branch
from .branches.repair import AbstractBranchRepair
from .branches.smoothing import AbstractMassLoss, AbstractSmoothing
from .concentration import AbstractConcentration
from .files import save
from .histories import HaloHistories
from .report import BranchReport, report_on
from .trees.branch_sets import FileBranches, joined
from .trees.file_workers import map_files
from .trees.formats import AbstractTreeFormat
from .trees.reader import branch_reader, smooth_trees
from .trees.sources import find_trees

__all__ = ["Conversion", "convert_trees"]

_LAYOUT = 2  # of the parts; raised when it changes
_PER_SNAPSHOT = ("time", "log_mvir", "log_concentration", "log_radius_ratio")


class Conversion(NamedTuple):
    """Histories, and the report on how they were made."""

    halos: HaloHistories
    report: BranchReport


def convert_trees(
    source: str | Path,
    output: str | Path,
    *,
    format: AbstractTreeFormat | None = None,
    cosmology: Cosmology | None = None,
    log_mvir: tuple[float, float] = (0.0, 20.0),
    lowest_ratio: float = 0.01,
    mass_loss: AbstractMassLoss | None = None,
    smoothing: AbstractSmoothing | None = None,
    concentration: AbstractConcentration | None = None,
    repairs: Sequence[AbstractBranchRepair] | None = None,
    times: Float[Array, " t"] | None = None,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Conversion:
    """Read merger trees, write histories to `output`, and report on them.

    Parameters
    ----------
    source : path
        A file or a directory of merger trees.
    output : path
        The HDF5 file to write; until it is there, ``OUTPUT.parts`` beside it holds what is done.
    format, cosmology, log_mvir, lowest_ratio, mass_loss, smoothing, concentration, repairs, times, workers
        As for `corundum.halos.read_trees`.
    progress : callable, optional
        Called as ``progress(files done, files)``.

    Raises
    ------
    ValueError, OSError
        A file cannot be read or written; the message names it.
    """
    trees, output = find_trees(source, format, cosmology), Path(os.path.realpath(output))
    check_destination(output)
    read_file = branch_reader(trees, log_mvir, lowest_ratio, concentration)
    with _parts_folder(output) as folder:
        parts = _read_parts(read_file, trees.files, folder, workers, progress)
        read = joined((part.read for part in parts), trees)
        if not read.branches:
            shutil.rmtree(folder)  # there is nothing to resume from
        checksums = "; ".join(f"{file.name} {part.checksum}" for file, part in zip(trees.files, parts, strict=True))
        read = read._replace(words=read.words | {"sha256": checksums, "code": f"corundum {__version__}"})
        smoothed = smooth_trees(
            read, mass_loss=mass_loss, smoothing=smoothing, concentration=concentration, repairs=repairs, times=times
        )
        # Among the parts first, so that whatever a killed process leaves of it goes with them.
        save(folder / output.name, smoothed.halos)
        os.replace(folder / output.name, output)
        shutil.rmtree(folder)
    return Conversion(smoothed.halos, report_on(smoothed, read.counts, read.files))


@contextlib.contextmanager
def _parts_folder(output: Path) -> Iterator[Path]:
    """A folder for finished parts, which stays after an interruption unless nothing is in it."""
    folder = output.with_name(output.name + ".parts")
    folder.mkdir(exist_ok=True)
    try:
        yield folder
    finally:
        with contextlib.suppress(OSError):
            folder.rmdir()


def _read_parts(read_file, files, folder, workers, progress) -> "list[_Part]":
    asked = _identity(read_file.keywords)
    jobs = [(file, folder / f"part_{number:05d}.h5", asked) for number, file in enumerate(files)]
    missing = [job for job in jobs if not _is_done(*job)]
    done = len(jobs) - len(missing)
    if progress is not None:
        progress(done, len(jobs))
    for _ in map_files(functools.partial(_convert_file, read_file), missing, workers):
        done += 1
        if progress is not None:
            progress(done, len(jobs))
    return [_read_part(part) for _, part, _ in jobs]


def _identity(options) -> str:
    """SHA-256 of settings: their numbers, their words, and the files they name (a list of scale factors)."""
    numbers, words = eqx.partition(options, eqx.is_array)
    named = [Path(leaf) for leaf in jax.tree.leaves(words) if isinstance(leaf, str | Path) and Path(leaf).is_file()]
    told = [repr(words), [np.asarray(leaf).tolist() for leaf in jax.tree.leaves(numbers)], checksum(named)]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


class _Part(NamedTuple):
    read: FileBranches
    checksum: str


def _made_from(file: Path, asked: str) -> str:
    stats = [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in _sources(file)]
    return json.dumps([str(file.resolve()), stats, asked, __version__, _LAYOUT])


def _sources(file: Path) -> Sequence[Path]:
    return sorted(path for path in file.iterdir() if path.is_file()) if file.is_dir() else [file]


def _is_done(file: Path, part: Path, asked: str) -> bool:
    if not part.exists():
        return False
    try:
        with open_hdf5(part, "branches") as stored:
            return stored.attrs["made_from"] == _made_from(file, asked)
    except (OSError, ValueError):
        return False  # left by a crash, or of another version: made anew


def _convert_file(read_file, job) -> None:
    file, part, asked = job
    made_from = _made_from(file, asked)
    read = read_file(file)
    with create_hdf5(part, "branches") as stored:
        stored.attrs["made_from"], stored.attrs["counts"] = made_from, json.dumps(read.counts)
        stored.attrs["sha256"] = checksum(_sources(file))
        stored["heavier"] = read.heavier
        _write_branches(stored, read.branches)


def _write_branches(stored: h5py.File, branches: Sequence[Branch]) -> None:
    stored["name"] = np.array([branch.name for branch in branches], dtype=h5py.string_dtype())
    stored["snapshots"] = np.array([len(branch.time) for branch in branches], dtype=np.int64)
    stored["mergers_of_each"] = np.array([branch.mergers.shape[1] for branch in branches], dtype=np.int64)
    for name in _PER_SNAPSHOT:
        values = [getattr(branch, name) for branch in branches]
        if branches and values[0] is not None:
            stored[name] = np.concatenate(values)
    if branches and branches[0].position is not None:
        stored["position"] = np.stack([branch.position for branch in branches])
    stored["mergers"] = (
        np.concatenate([branch.mergers for branch in branches], axis=1) if branches else np.zeros((2, 0))
    )


def _read_part(part: Path) -> _Part:
    with open_hdf5(part, "branches") as stored:
        counts, summed = json.loads(stored.attrs["counts"]), str(stored.attrs["sha256"])
        heavier = stored["heavier"][()]
        position = stored["position"][()] if "position" in stored else [None] * len(stored["name"])
        names = stored["name"].asstr()[()]
        ends = np.cumsum(stored["snapshots"][()])[:-1]
        curves = [np.split(stored[name][()], ends) if name in stored else None for name in _PER_SNAPSHOT]
        mergers = np.split(stored["mergers"][()], np.cumsum(stored["mergers_of_each"][()])[:-1], axis=1)
    branches = []
    for row, name in enumerate(names):
        time, log_mvir, log_c, ratio = (None if curve is None else curve[row] for curve in curves)
        branches.append(Branch(str(name), time, log_mvir, log_c, ratio, 1.0, mergers[row], position=position[row]))
    return _Part(FileBranches(branches, counts, heavier), summed)
