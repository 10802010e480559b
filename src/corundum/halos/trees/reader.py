"""From merger-tree files to halo histories: main branches of central halos, and what merged onto them.

Files are read a few trees at a time, so that the memory holds the main branches and not the forest, and several files
at once in processes of their own.  The provenance counts what was read, left out and changed; `corundum.halos.report`
compares the histories with the branches.
"""

import functools
from collections.abc import Callable, Sequence
from pathlib import Path

from jaxtyping import Float

from ...annotations import Array
from ...arguments import strategy
from ...cosmology import Cosmology
from ...parameters import require_float64
from ..branches.branch import Smoothed, smooth_branches
from ..branches.repair import AbstractBranchRepair, RemoveExcursions
from ..branches.smoothing import AbstractMassLoss, AbstractSmoothing, GaussianInLogTime, RunningMaximum
from ..concentration import AbstractConcentration, Diemer19
from ..histories import HaloHistories
from .branch_sets import BranchSet, FileBranches, combine_files, in_one_sentence
from .file_branches import CHUNK, branches_of_file
from .file_workers import check_workers, map_files
from .formats import AbstractTreeFormat
from .sources import TreeSource, find_trees

__all__ = ["read_branches", "read_trees", "smooth_trees", "branch_reader"]


def read_trees(
    path: str | Path,
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
) -> HaloHistories:
    """Halo histories of the central halos of merger trees.

    Parameters
    ----------
    path : path
        A file, or a directory with all files of a forest.
    format : AbstractTreeFormat, optional
        Default: recognised by the content.
    cosmology : Cosmology, optional
        Default: what the files state, else `pandya26_cosmology()`; the provenance says which.
    log_mvir : (float, float)
        Range of log10 of virial mass [Msun] at the end of a branch; others are left out.
    lowest_ratio : float
        Mergers below this mass ratio are not listed.
    mass_loss, smoothing, concentration : optional
        As in `read_table`.
    repairs : sequence of AbstractBranchRepair, optional
        Default `RemoveExcursions()`; add a `ResolutionFloor` for the particle mass of the simulation.
    times : array, shape (t,), optional
        Cosmic ages [Gyr] of the histories; default 128, uniform in ln(t), from first to last snapshot.
    workers : int
        Processes that read files at the same time.

    Returns
    -------
    HaloHistories

    Raises
    ------
    ValueError
        A file cannot be read or is no tree, files disagree, or no halo is left; the message names the file and the
        place in it.

    Examples
    --------
    A Consistent-Trees file with one tree of nine snapshots:

    >>> from pathlib import Path
    >>> header = "#scale id desc_id pid mmp? mvir\\n#Omega_M = 0.3; h0 = 0.7\\n#tree 0\\n"
    >>> rows = [f"{a} {k} {k - 1} -1 1 {7e11 * a**2}\\n" for k, a in enumerate(np.linspace(1.0, 0.2, 9))]
    >>> _ = Path("tree_0_0_0.dat").write_text(header + "".join(rows))
    >>> histories = co.halos.read_trees("tree_0_0_0.dat", log_mvir=(11.0, 13.0))
    >>> round(float(histories.log_mvir[0, -1]), 3)
    12.0
    """
    branches = read_branches(
        path, format=format, cosmology=cosmology, log_mvir=log_mvir, lowest_ratio=lowest_ratio,
        concentration=concentration, workers=workers,
    )  # fmt: skip
    return smooth_trees(
        branches, mass_loss=mass_loss, smoothing=smoothing, concentration=concentration, repairs=repairs, times=times
    ).halos


def smooth_trees(
    branches: BranchSet,
    *,
    mass_loss: AbstractMassLoss | None = None,
    smoothing: AbstractSmoothing | None = None,
    concentration: AbstractConcentration | None = None,
    repairs: Sequence[AbstractBranchRepair] | None = None,
    times: Sequence[float] | Float[Array, " t"] | None = None,
) -> Smoothed:
    """Histories of branches that were read before.

    Parameters
    ----------
    branches : BranchSet
        From `read_branches`.
    mass_loss, smoothing, concentration, repairs, times : optional
        As for `read_trees`.

    Returns
    -------
    Smoothed
        The histories, and the branches that they come from.

    Raises
    ------
    ValueError
        No branch is left, or the histories have numbers that no halo has; the message names the source.

    Examples
    --------
    Histories that keep every snapshot as it is, and the number of snapshots that were left out:

    >>> from pathlib import Path
    >>> rows = [f"{k},{k - 1},{z},{70.0 / (1.0 + z) ** 2}" for k, z in enumerate(np.linspace(0.0, 4.0, 9))]
    >>> header = ["#SQL= select ... from MPAHaloTrees..MHalo", "haloId,descendantId,redshift,m_tophat"]
    >>> _ = Path("query.csv").write_text("\\n".join([*header, *rows]) + "\\n")
    >>> branches = co.halos.read_branches("query.csv")
    >>> smoothed = co.halos.smooth_trees(branches, repairs=(), smoothing=co.halos.GaussianInLogTime(0.0))
    >>> smoothed.removed
    [0]
    """
    source = branches.provenance["source"]
    if not branches.branches:
        if not branches.counts.get("trees"):
            raise ValueError(f"{source}: holds no halos; give the files that have the trees")
        counts = in_one_sentence(branches.counts)
        raise ValueError(f"{source}: no central halo is left ({counts}); widen the mass range")
    try:
        return smooth_branches(
            branches.branches,
            cosmology=branches.cosmology,
            concentration=strategy("concentration", concentration, Diemer19()),
            mass_loss=strategy("mass_loss", mass_loss, RunningMaximum()),
            smoothing=strategy("smoothing", smoothing, GaussianInLogTime()),
            repairs=(RemoveExcursions(),) if repairs is None else tuple(repairs),
            times=times,
            drop_bad=True,
            provenance=branches.provenance,
        )
    except ValueError as error:
        raise ValueError(f"{source}: {error}") from None


def read_branches(
    path: str | Path,
    *,
    format: AbstractTreeFormat | None = None,
    cosmology: Cosmology | None = None,
    log_mvir: tuple[float, float] = (0.0, 20.0),
    lowest_ratio: float = 0.01,
    concentration: AbstractConcentration | None = None,
    workers: int = 1,
    chunk: int = CHUNK,
    progress: Callable[[int, int], None] | None = None,
) -> BranchSet:
    """Main branches of merger trees before any repair or smoothing.

    Parameters
    ----------
    path, format, cosmology, log_mvir, lowest_ratio, concentration, workers
        As for `read_trees`.
    chunk : int
        Halos of a forest in memory at once.
    progress : callable, optional
        Called as ``progress(files done, files)`` after every file.

    Returns
    -------
    BranchSet

    Raises
    ------
    ValueError
        As for `read_trees`.

    Examples
    --------
    >>> from pathlib import Path
    >>> rows = [f"{k},{k - 1},{z},{70.0 / (1.0 + z) ** 2}" for k, z in enumerate(np.linspace(0.0, 4.0, 9))]
    >>> header = ["#SQL= select ... from MPAHaloTrees..MHalo", "haloId,descendantId,redshift,m_tophat"]
    >>> _ = Path("query.csv").write_text("\\n".join([*header, *rows]) + "\\n")
    >>> branches = co.halos.read_branches("query.csv")
    >>> branches.counts["trees"], branches.branches[0].time.shape
    (1, (9,))
    """
    require_float64()
    check_workers(workers)
    source = find_trees(path, format, cosmology)
    read_file = branch_reader(source, log_mvir, lowest_ratio, concentration, chunk)
    parts = []
    for part in map_files(read_file, source.files, workers):
        parts.append(part)
        if progress is not None:
            progress(len(parts), len(source.files))
    return combine_files(parts, source)


def branch_reader(
    source: TreeSource,
    log_mvir: tuple[float, float],
    lowest_ratio: float,
    concentration: AbstractConcentration | None,
    chunk: int = CHUNK,
) -> functools.partial[FileBranches]:
    """`branches_of_file` with all settings of a source; its result depends on nothing but these and the file."""
    relation = strategy("concentration", concentration, Diemer19())
    low, high = log_mvir
    return functools.partial(
        branches_of_file, tree_format=source.format, definition=source.simulation.definition,
        cosmology=source.cosmology, log_mvir=(low, high), lowest_ratio=lowest_ratio, relation=relation, chunk=chunk,
    )  # fmt: skip
