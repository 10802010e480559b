"""Halo histories from any file: one that corundum wrote, merger trees of a simulation, or a table of main branches."""

import os
from collections.abc import Sequence

from jaxtyping import Float

from ..annotations import Array
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
    times: Sequence[float] | Float[Array, " t"] | None = None,
    workers: int | None = None,
    drop_bad: bool | None = None,
) -> HaloHistories:
    """Halo histories from a file that corundum wrote, from merger trees, or from a table of main branches.

    Parameters
    ----------
    path : path
        A file written by `save` or ``corundum halos``, a file or directory of merger trees (`read_trees`), or a table
        of main branches with the usual column names and units (for others, `read_table` takes them as arguments).
    format, cosmology, log_mvir, lowest_ratio, mass_loss, smoothing, concentration, repairs, times, workers
        As for `corundum.halos.read_trees`.  Tables take only those of `read_table`, and histories written by corundum,
        which come back as they were, none.
    drop_bad : bool, optional
        As for `read_table`, of tables; merger trees always leave out the halos that cannot be used.

    Raises
    ------
    ValueError
        The file is missing, damaged, no halo file, or fits more than one format; the sentence says which.

    Examples
    --------
    >>> co.halos.save("halos.h5", halos)
    >>> co.halos.read("halos.h5")
    HaloHistories(8 halos, 100 times, 10^10.59 to 10^12.08 Msun, 0 <= z <= 12)
    """
    options = {name: value for name, value in locals().items() if name != "path" and value is not None}
    location: str = os.fspath(path)
    saved, table = is_halo_file(location), format is None and is_table(location)
    if not saved and not table:
        if not options.pop("drop_bad", True):
            raise ValueError(f"{path}: merger trees always leave out halos that cannot be used; remove drop_bad=False")
        return read_trees(location, **options)
    applicable = ("cosmology", "mass_loss", "smoothing", "concentration", "times", "drop_bad") if table else ()
    inapplicable = [name for name in options if name not in applicable]
    if inapplicable:
        kind = "is a table of main branches" if table else "holds histories that are ready"
        raise ValueError(
            f"{path}: {kind}, so {', '.join(inapplicable)} cannot be applied; leave it out, or read the trees "
            "they came from"
        )
    return read_table(location, **options) if table else load(location)
