"""What a law may look at: the halo alone, or the galaxy in it as well.

A scaling that follows from the halo is known before the galaxy is, and models evaluate it apart from the state; a law
of the galaxy (a loading that depends on stellar mass, say) needs the state.  Both are called through the same two
methods, so that a model takes either in the same place.
"""

import abc
from typing import Any, NamedTuple

import equinox as eqx
from jaxtyping import Array, Float

from ..halos import Halo

__all__ = ["Galaxy", "AbstractScaling", "AbstractGalaxyScaling"]


class Galaxy(NamedTuple):
    """A galaxy at one time, as laws and processes see it.

    Attributes
    ----------
    state : named tuple
        What the reservoirs hold: ``mstar``, ``mism``, ``mcgm`` [Msun], ``eth`` [erg], ``mzism`` [Msun] ...
    halo : Halo
    quantities : dict of str to array
        What the model knows by then, by the names of its diagnostics: ``t_dyn``, ``t_ff`` [Gyr], ``specific_energy``
        [erg/Msun] and, for processes, ``sfr`` [Msun/yr], ``temperature`` [K] and the others.
    flows : dict of str to FlowRates
        Rates of the model's own flows; for laws, only those that are known by then (see the model).
    """

    state: Any
    halo: Halo
    quantities: dict[str, Float[Array, "..."]]
    flows: dict[str, Any]


class AbstractScaling(eqx.Module):
    """A quantity that follows from a halo's virial velocity and the redshift."""

    @abc.abstractmethod
    def __call__(self, vvir: Float[Array, "..."], redshift: Float[Array, "..."]) -> Float[Array, "..."]:
        """Value for `vvir` [km/s] at `redshift`."""

    def imposed(self, halo: Halo) -> Float[Array, "..."]:
        """The value that the halo imposes."""
        return self(halo.vvir, halo.redshift)

    def value(self, imposed: Any, galaxy: Galaxy) -> Float[Array, "..."]:
        """The value for a galaxy, given what the halo imposes."""
        return imposed


class AbstractGalaxyScaling(eqx.Module):
    """A quantity that follows from the galaxy itself."""

    @abc.abstractmethod
    def __call__(self, galaxy: Galaxy) -> Float[Array, "..."]:
        """Value for `galaxy`."""

    def imposed(self, halo: Halo) -> None:
        """Nothing: the halo alone does not say."""

    def value(self, imposed: Any, galaxy: Galaxy) -> Float[Array, "..."]:
        """The value for a galaxy."""
        return self(galaxy)
