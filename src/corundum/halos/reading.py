"""Halo histories from any file: one this package wrote, merger trees of a simulation, or a table of main branches."""

import os
from collections.abc import Sequence

from jaxtyping import Array, Float

from ..cosmology import Cosmology
from .branches.repair import AbstractBranchRepair
from .branches.smoothing import AbstractMassLoss, AbstractSmoothing
from .concentration import AbstractConcentration
from .files import is_halo_file, load
from .histories import HaloHistories
from .tables.reader import is_table, read_table
from .trees.formats import AbstractTreeFormat
from .trees.reader import read_trees

__all__ = ["read"]


def read(
    path: str | os.PathLike,
    *,
    format: AbstractTreeFormat | None = None,
    cosmology: Cosmology | None = None,
    log_mvir: tuple[float, float] | None = None,
    lowest_ratio: float | None = None,
    mass_loss: AbstractMassLoss | None = None,
    smoothing: AbstractSmoothing | None = None,
    concentration: AbstractConcentration | None = None,
    repairs: Sequence[AbstractBranchRepair] | None = None,
    times: Float[Array, " t"] | None = None,
    workers: int | None = None,
) -> HaloHistories:
    """Halo histories from a file: those this package wrote come back as they were; trees and tables are read.

    Parameters
    ----------
    path : path
        A file written by `save` or ``corundum halos``, a file or directory of merger trees (`read_trees`), or a table
        of main branches with the usual column names and units (else `read_table`, which can be told them).
    format, cosmology, log_mvir, lowest_ratio, mass_loss, smoothing, concentration, repairs, times, workers
        As for `corundum.halos.read_trees`; histories that are ready take none of them, tables only those of
        `read_table`.

    Raises
    ------
    ValueError
        The file is missing, damaged, no halo file, or fits more than one format; the sentence says which.
    """
    given = {name: value for name, value in locals().items() if name != "path" and value is not None}
    ready, table = is_halo_file(path), format is None and is_table(path)
    if not ready and not table:
        return read_trees(path, **given)
    known = ("cosmology", "mass_loss", "smoothing", "concentration", "times") if table else ()
    foreign = [name for name in given if name not in known]
    if foreign:
        kind = "is a table of main branches" if table else "holds histories that are ready"
        raise ValueError(
            f"{path}: {kind}, so {', '.join(foreign)} cannot be applied; leave it out, or read the trees they came from"
        )
    return read_table(path, **given) if table else load(path)
