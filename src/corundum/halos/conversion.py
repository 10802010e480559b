"""Conversion of merger trees to one file of halo histories, which an interruption sets back by the current files only.

The main branches of each source file are saved in a folder beside the output as soon as they are read, so that the same
call after an interruption reads only the files that are missing.  When the branches of all files are complete they are
smoothed together and written, and the folder is removed.
"""

import contextlib
import functools
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Float

from .. import __version__
from ..annotations import Array
from ..cosmology import Cosmology
from ..printing import in_short
from ..storage.checkpoints import CheckpointFolder, fingerprint
from ..storage.files import check_destination, checksum
from ..storage.locks import exclusive
from .branches.repair import AbstractBranchRepair
from .branches.smoothing import AbstractMassLoss, AbstractSmoothing
from .concentration import AbstractConcentration
from .files import save
from .histories import HaloHistories
from .report import BranchReport, report_on
from .trees.branch_arrays import branches_from_arrays, branches_to_arrays
from .trees.branch_sets import combine_files
from .trees.file_workers import check_workers, map_files
from .trees.formats import AbstractTreeFormat
from .trees.reader import branch_reader, smooth_trees
from .trees.sources import find_trees

__all__ = ["Conversion", "convert_trees"]


class Conversion(NamedTuple):
    """Histories, and the report on how they were obtained: what `convert_trees` returns.

    Attributes
    ----------
    halos : HaloHistories
    report : BranchReport

    Examples
    --------
    >>> from pathlib import Path
    >>> rows = [f"{k},{k - 1},{z},{70.0 / (1.0 + z) ** 2}" for k, z in enumerate(np.linspace(0.0, 4.0, 9))]
    >>> header = ["#SQL= select ... from MPAHaloTrees..MHalo", "haloId,descendantId,redshift,m_tophat"]
    >>> _ = Path("query.csv").write_text("\\n".join([*header, *rows]) + "\\n")
    >>> conversion = co.halos.convert_trees("query.csv", "halos.h5")
    >>> len(conversion.halos)
    1
    """

    halos: HaloHistories
    report: BranchReport

    def __repr__(self) -> str:
        return in_short(self)


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
    times: Sequence[float] | Float[Array, " t"] | None = None,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Conversion:
    """Read merger trees, write histories to `output`, and report on them.

    Parameters
    ----------
    source : path
        A file or a directory of merger trees.
    output : path
        The HDF5 file to write, which may lie in the folder of the source; until it is complete, the folder
        ``OUTPUT.parts`` beside it holds the branches read.
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
    InUseError
        Another conversion writes to the same file.

    Examples
    --------
    >>> from pathlib import Path
    >>> rows = [f"{k},{k - 1},{z},{70.0 / (1.0 + z) ** 2}" for k, z in enumerate(np.linspace(0.0, 4.0, 9))]
    >>> header = ["#SQL= select ... from MPAHaloTrees..MHalo", "haloId,descendantId,redshift,m_tophat"]
    >>> _ = Path("query.csv").write_text("\\n".join([*header, *rows]) + "\\n")
    >>> conversion = co.halos.convert_trees("query.csv", "halos.h5")
    >>> conversion.report.counts["halos kept"], len(co.halos.read("halos.h5"))
    (1, 1)
    """
    check_workers(workers)
    trees, output = find_trees(source, format, cosmology), Path(os.path.realpath(output))
    check_destination(output)
    read_file = branch_reader(trees, log_mvir, lowest_ratio, concentration)
    with _claimed(output), _checkpoint_folder(output) as folder:
        parts = _read_files(read_file, trees.files, folder, workers, progress)
        branches = combine_files((branches_from_arrays(arrays) for arrays in parts), trees)
        if not branches.branches:
            shutil.rmtree(folder)  # there is nothing to resume from
        checksums = "; ".join(
            f"{file.name} {arrays['sha256']}" for file, arrays in zip(trees.files, parts, strict=True)
        )
        origin = {"sha256": checksums, "code": f"corundum {__version__}"}
        branches = branches._replace(provenance=branches.provenance | origin)
        smoothed = smooth_trees(
            branches, mass_loss=mass_loss, smoothing=smoothing, concentration=concentration, repairs=repairs,
            times=times,
        )  # fmt: skip
        # Written beside the checkpoints first, so that an unfinished file of a killed process is removed with them.
        save(folder / output.name, smoothed.halos)
        os.replace(folder / output.name, output)
        shutil.rmtree(folder)
    return Conversion(smoothed.halos, report_on(smoothed, branches.counts, branches.files))


def _claimed(output: Path) -> AbstractContextManager[None]:
    """No other conversion writes to this file meanwhile."""
    return exclusive(output.with_name(f".{output.name}.lock"), f"{output}: another conversion writes to it")


@contextlib.contextmanager
def _checkpoint_folder(output: Path) -> Iterator[Path]:
    """The folder of the branches that are read, which stays after an interruption unless it is empty."""
    folder = output.with_name(output.name + ".parts")
    folder.mkdir(exist_ok=True)
    try:
        yield folder
    finally:
        with contextlib.suppress(OSError):
            folder.rmdir()


def _read_files(
    read_file: functools.partial,
    files: Sequence[Path],
    folder: Path,
    workers: int,
    progress: Callable[[int, int], None] | None,
) -> list[dict[str, np.ndarray]]:
    """The branches of every file as arrays, read only where there is no checkpoint."""
    checkpoints = CheckpointFolder(folder, _settings_fingerprint(read_file.keywords))
    arrays = {number: checkpoints.load(number, _state(file)) for number, file in enumerate(files)}
    missing = [(number, file) for number, file in enumerate(files) if arrays[number] is None]
    done = len(files) - len(missing)
    if progress is not None:
        progress(done, len(files))
    for number, new in map_files(functools.partial(_read_and_keep, read_file, checkpoints), missing, workers):
        arrays[number] = new
        done += 1
        if progress is not None:
            progress(done, len(files))
    return [arrays[number] for number in range(len(files))]


def _read_and_keep(
    read_file: functools.partial, checkpoints: CheckpointFolder, numbered: tuple[int, Path]
) -> tuple[int, dict[str, np.ndarray]]:
    """The branches of one file as arrays, which are kept in a checkpoint."""
    number, file = numbered
    state = _state(file)  # before the file is read, so that a change in the meantime is noticed
    arrays = branches_to_arrays(read_file(file)) | {"sha256": np.array(checksum(_source_files(file)))}
    checkpoints.save(number, arrays, state)
    return number, arrays


def _settings_fingerprint(settings: Mapping[str, Any]) -> str:
    """Fingerprint of settings and of the files that they name (a list of scale factors)."""
    texts = [leaf for leaf in jax.tree.leaves(dict(settings)) if isinstance(leaf, str | Path)]
    return fingerprint(dict(settings), files=[Path(text) for text in texts if Path(text).is_file()])


def _state(file: Path) -> dict[str, str]:
    """Name, size and time of change of a file, or of all files of a directory."""
    states = [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in _source_files(file)]
    return {"file": str(file.resolve()), "state": json.dumps(states)}


def _source_files(file: Path) -> Sequence[Path]:
    return sorted(path for path in file.iterdir() if path.is_file()) if file.is_dir() else [file]
