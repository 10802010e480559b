"""What the figures and tables of a report read: a population, read once, and a second one to compare it with."""

from typing import Any, NamedTuple

import jax
import numpy as np

from ...halos import HaloHistories
from ...printing import in_short

__all__ = ["Compared", "OnHost"]


class OnHost:
    """A population whose arrays are NumPy arrays, as are those of its galaxies at each redshift.

    Figures and tables read the same arrays many times; as JAX arrays each would be copied anew, and a slice of another
    shape compiled anew.  Everything else is asked of the population itself.

    Parameters
    ----------
    population : Population or OnHost

    Examples
    --------
    >>> from corundum.plots.reports.host import OnHost
    >>> held = OnHost(population)
    >>> held.at(0.0) is held.at(0.0), type(held["mstar"]).__name__
    (True, 'ndarray')
    """

    def __init__(self, population: Any):
        known = isinstance(population, OnHost)
        self._population = population._population if known else jax.tree.map(np.asarray, population)
        self._galaxies: dict[float, Any] = population._galaxies if known else {}

    def at(self, redshift: float) -> Any:
        """The galaxies at one of the output redshifts, as `Population.at` chooses them."""
        if redshift not in self._galaxies:
            self._galaxies[redshift] = jax.tree.map(np.asarray, self._population.at(redshift))
        return self._galaxies[redshift]

    def __getitem__(self, name: str) -> np.ndarray:
        return self._population[name]

    def __len__(self) -> int:
        return len(self._population)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._population, name)


class Compared(NamedTuple):
    """A second set of halos to compare with the first: its galaxies, its histories, the names of both.

    Examples
    --------
    >>> co.plots.Compared(population, halos, ("built-in", "trees")).labels
    ('built-in', 'trees')
    """

    population: Any
    halos: HaloHistories
    labels: tuple[str, str] = ("first", "second")

    def __repr__(self) -> str:
        return in_short(self)
