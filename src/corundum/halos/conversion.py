"""Conversion of merger trees to one file of halo histories, which an interruption sets back by the current files only.

The main branches of each source file are saved in a folder beside the output as soon as they are read, so that the same
call after an interruption reads only the files that are missing.  When the branches of all files are complete they are
smoothed together and written, and the folder is removed.
"""

import contextlib
import functools
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

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
from .trees.branch_sets import FileBranches, combine_files
from .trees.file_workers import map_files
from .trees.formats import AbstractTreeFormat
from .trees.reader import branch_reader, smooth_trees
from .trees.sources import find_trees

__all__ = ["Conversion", "convert_trees"]

_LAYOUT = 3  # version of the layout of the saved branches
_PER_SNAPSHOT = ("time", "log_mvir", "log_concentration", "log_radius_ratio")


class Conversion(NamedTuple):
    """Histories, and the report on how they were obtained."""

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
    times: Float[Array, " t"] | Float[np.ndarray, " t"] | None = None,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Conversion:
    """Read merger trees, write histories to `output`, and report on them.

    Parameters
    ----------
    source : path
        A file or a directory of merger trees.
    output : path
        The HDF5 file to write; until it is complete, the folder ``OUTPUT.parts`` beside it holds the branches read.
    format, cosmology, log_mvir, lowest_ratio, mass_loss, smoothing, concentration, repairs, times, workers
        As for `corundum.halos.read_trees`.
    progress : callable, optional
        Called as ``progress(files done, files)``.

    Returns
    -------
    Conversion

    Raises
    ------
    ValueError, OSError
        A file cannot be read or written; the message names it.

    Examples
    --------
    >>> from pathlib import Path
    >>> from corundum.halos.conversion import convert_trees
    >>> rows = [f"{k},{k - 1},{z},{70.0 / (1.0 + z) ** 2}" for k, z in enumerate(np.linspace(0.0, 4.0, 9))]
    >>> _ = Path("query.csv").write_text("\\n".join(["haloId,descendantId,redshift,m_tophat", *rows]) + "\\n")
    >>> conversion = convert_trees("query.csv", "halos.h5")
    >>> conversion.report.counts["halos kept"], len(co.halos.read("halos.h5"))
    (1, 1)
    """
    trees, output = find_trees(source, format, cosmology), Path(os.path.realpath(output))
    check_destination(output)
    read_file = branch_reader(trees, log_mvir, lowest_ratio, concentration)
    with _parts_folder(output) as folder:
        parts = _read_parts(read_file, trees.files, folder, workers, progress)
        branches = combine_files((part.branches for part in parts), trees)
        if not branches.branches:
            shutil.rmtree(folder)  # there is nothing to resume from
        checksums = "; ".join(f"{file.name} {part.checksum}" for file, part in zip(trees.files, parts, strict=True))
        origin = {"sha256": checksums, "code": f"corundum {__version__}"}
        branches = branches._replace(provenance=branches.provenance | origin)
        smoothed = smooth_trees(
            branches, mass_loss=mass_loss, smoothing=smoothing, concentration=concentration, repairs=repairs,
            times=times,
        )  # fmt: skip
        # Written among the parts first, so that an unfinished file of a killed process is removed with them.
        save(folder / output.name, smoothed.halos)
        os.replace(folder / output.name, output)
        shutil.rmtree(folder)
    return Conversion(smoothed.halos, report_on(smoothed, branches.counts, branches.files))


class _Part(NamedTuple):
    """The branches of one file, and the checksum of that file."""

    branches: FileBranches
    checksum: str


class _Job(NamedTuple):
    """A file to read, the file to save its branches in, and the SHA-256 of the settings."""

    file: Path
    part: Path
    settings: str

    def fingerprint(self) -> str:
        """What the branches depend on: the source and its state, the settings, and the version of the code."""
        states = [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in _source_files(self.file)]
        return json.dumps([str(self.file.resolve()), states, self.settings, __version__, _LAYOUT])


@contextlib.contextmanager
def _parts_folder(output: Path) -> Iterator[Path]:
    """The folder of saved branches, which stays after an interruption unless it is empty."""
    folder = output.with_name(output.name + ".parts")
    folder.mkdir(exist_ok=True)
    try:
        yield folder
    finally:
        with contextlib.suppress(OSError):
            folder.rmdir()


def _read_parts(
    read_file: functools.partial,
    files: Sequence[Path],
    folder: Path,
    workers: int,
    progress: Callable[[int, int], None] | None,
) -> list[_Part]:
    """The branches of every file, read only where they are not saved already."""
    settings = _settings_hash(read_file.keywords)
    jobs = [_Job(file, folder / f"part_{number:05d}.h5", settings) for number, file in enumerate(files)]
    missing = [job for job in jobs if not _is_saved(job)]
    done = len(jobs) - len(missing)
    if progress is not None:
        progress(done, len(jobs))
    for _ in map_files(functools.partial(_convert_file, read_file), missing, workers):
        done += 1
        if progress is not None:
            progress(done, len(jobs))
    return [_read_part(job.part) for job in jobs]


def _settings_hash(settings: dict[str, Any]) -> str:
    """SHA-256 of settings: their numbers, their texts, and the files that they name (a list of scale factors)."""
    numbers, texts = eqx.partition(settings, eqx.is_array)
    named = [Path(leaf) for leaf in jax.tree.leaves(texts) if isinstance(leaf, str | Path) and Path(leaf).is_file()]
    content = [repr(texts), [np.asarray(leaf).tolist() for leaf in jax.tree.leaves(numbers)], checksum(named)]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _source_files(file: Path) -> Sequence[Path]:
    return sorted(path for path in file.iterdir() if path.is_file()) if file.is_dir() else [file]


def _is_saved(job: _Job) -> bool:
    if not job.part.exists():
        return False
    try:
        with open_hdf5(job.part, "branches") as stored:
            return stored.attrs["fingerprint"] == job.fingerprint()
    except (OSError, ValueError):
        return False  # cut short by a crash, or of another version: the file is read again


def _convert_file(read_file: Callable[[Path], FileBranches], job: _Job) -> None:
    fingerprint = job.fingerprint()  # of the file as it is before it is read
    branches = read_file(job.file)
    with create_hdf5(job.part, "branches") as stored:
        stored.attrs["fingerprint"], stored.attrs["counts"] = fingerprint, json.dumps(branches.counts)
        stored.attrs["sha256"] = checksum(_source_files(job.file))
        stored["heavier"] = branches.heavier
        _write_branches(stored, branches.branches)


def _write_branches(stored: h5py.File, branches: Sequence[Branch]) -> None:
    stored["name"] = np.array([branch.name for branch in branches], dtype=h5py.string_dtype())
    stored["snapshots"] = np.array([len(branch.time) for branch in branches], dtype=np.int64)
    stored["merger_count"] = np.array([branch.mergers.shape[1] for branch in branches], dtype=np.int64)
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
        counts, checksum_of_source = json.loads(stored.attrs["counts"]), str(stored.attrs["sha256"])
        heavier = stored["heavier"][()]
        names = stored["name"].asstr()[()]
        position = stored["position"][()] if "position" in stored else [None] * len(names)
        ends = np.cumsum(stored["snapshots"][()])[:-1]
        curves = {name: np.split(stored[name][()], ends) for name in _PER_SNAPSHOT if name in stored}
        mergers = np.split(stored["mergers"][()], np.cumsum(stored["merger_count"][()])[:-1], axis=1)
    branches = [
        Branch(
            name=str(name),
            **{quantity: values[row] for quantity, values in curves.items()},
            mergers=mergers[row],
            position=position[row],
        )
        for row, name in enumerate(names)
    ]
    return _Part(FileBranches(branches, counts, heavier), checksum_of_source)
