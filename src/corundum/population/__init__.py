"""The join: a model, halo histories and a solver make a population of galaxies.

`evolve` integrates every galaxy in log-log coordinates and returns a `Population`: states, flows and diagnostics at the
redshifts asked for, with a status for each halo and, where asked for, the histories of some quantities.  It is a plain
differentiable function of the model, of the histories and of the cosmology they carry.
"""

from typing import TYPE_CHECKING

from ..lazy_names import lazy_names

if TYPE_CHECKING:  # imported when they are first used
    from ..numerics.solvers.base import STATUS
    from .evolution import evolve
    from .galaxies import Galaxies, Histories, Population
    from .mergers import with_mergers
    from .sweeps import Sweep, sweep

__all__ = ["STATUS", "Galaxies", "Histories", "Population", "Sweep", "evolve", "sweep", "with_mergers"]

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy_names(__name__)
