"""Repairs of raw main branches before they are smoothed: swapped halos and unresolved first snapshots.

Halo finders sometimes exchange two halos for a few snapshots, or lose part of one, so that the mass of a branch jumps
and comes back; and the first snapshots of every branch hold few particles.  Both repairs leave snapshots out, change
none, and are counted in the provenance.
"""

import abc

import numpy as np
from jaxtyping import Bool, Float

from ...annotations import Array
from ...parameters import NOT_NEGATIVE, parameter
from ...printing import Component

__all__ = ["AbstractBranchRepair", "KeepAll", "RemoveExcursions", "ResolutionFloor", "count_jumps"]


class AbstractBranchRepair(Component):
    """Rule for snapshots of a branch that cannot be right.

    Examples
    --------
    A rule that leaves out the first snapshot:

    >>> class WithoutFirst(co.halos.AbstractBranchRepair):
    ...     def __call__(self, log_mvir):
    ...         return np.arange(len(log_mvir)) > 0
    >>> WithoutFirst()(np.array([10.0, 10.5, 11.0])).tolist()
    [False, True, True]
    """

    @abc.abstractmethod
    def __call__(self, log_mvir: Float[np.ndarray, " t"]) -> Bool[np.ndarray, " t"]:
        """Which snapshots to keep; masses are log10 [Msun], first snapshot first."""


class KeepAll(AbstractBranchRepair):
    """Keep every snapshot.

    Examples
    --------
    >>> co.halos.KeepAll()(np.array([10.0, 10.1])).tolist()
    [True, True]
    """

    def __call__(self, log_mvir: Float[np.ndarray, " t"]) -> Bool[np.ndarray, " t"]:
        return np.ones(len(log_mvir), bool)


class RemoveExcursions(AbstractBranchRepair):
    """Leave out snapshots at which the mass jumps away and comes back; the default.

    An excursion is a run of at most `longest` snapshots that all lie more than `dex` above, or all below, both
    the snapshot before and the one after it.  A jump that stays, as in a merger, is no excursion.

    Examples
    --------
    >>> co.halos.RemoveExcursions()(np.array([10.0, 10.1, 11.0, 10.2, 10.3])).tolist()
    [True, True, False, True, True]
    """

    dex: Float[Array, ""] = parameter(
        0.3,
        unit="dex",
        meaning="smallest jump that counts as an error",
        source="choice: more than an equal-mass merger",
        bounds=(0.1, 2.0),
        allowed=NOT_NEGATIVE,
    )
    longest: int = 3

    def __call__(self, log_mvir: Float[np.ndarray, " t"]) -> Bool[np.ndarray, " t"]:
        keep, dex = np.ones(len(log_mvir), bool), float(self.dex)
        steps = np.diff(log_mvir)
        for step in np.flatnonzero(np.abs(steps) > dex):
            first = int(step) + 1
            sign = np.sign(steps[first - 1])
            for end in range(first + 1, min(first + self.longest, len(log_mvir) - 1) + 1):
                low = max(float(sign * log_mvir[first - 1]), float(sign * log_mvir[end]))
                if keep[first - 1] and np.all(sign * log_mvir[first:end] > low + dex):
                    keep[first:end] = False
                    break
        return keep


class ResolutionFloor(AbstractBranchRepair):
    """Start each branch where it first holds enough particles.

    Parameters
    ----------
    particle_mass : float
        Mass of a simulation particle [Msun].
    particles : int
        Fewest particles of a halo that counts as resolved.

    Examples
    --------
    >>> co.halos.ResolutionFloor(particle_mass=1e8, particles=100)(np.array([9.5, 10.2, 10.4])).tolist()
    [False, True, True]
    """

    particle_mass: Float[Array, ""] = parameter(
        1e9,
        unit="Msun",
        meaning="mass of a particle",
        source="the simulation",
        bounds=(1e-12, 1e13),
        allowed=NOT_NEGATIVE,
    )
    particles: int = 100

    def __call__(self, log_mvir: Float[np.ndarray, " t"]) -> Bool[np.ndarray, " t"]:
        floor = np.log10(float(self.particle_mass) * self.particles)
        return np.maximum.accumulate(log_mvir) >= floor


def count_jumps(log_mvir: Float[np.ndarray, " t"], dex: float = 0.3) -> int:
    """Steps between snapshots over which the mass changes by more than `dex`."""
    return int(np.sum(np.abs(np.diff(log_mvir)) > dex))
