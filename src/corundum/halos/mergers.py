"""Progenitors that merged onto a main branch: when, and how large they were.

Halos have different numbers of mergers; here they are rows of equal length, filled up with NaN, so that a list
of mergers can be cut, stacked and mapped over halos like every other array of the histories.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int

from ..annotations import Array
from ..plain_numbers import float64
from ..printing import Component
from .per_halo import per_halo_field, take_rows

__all__ = ["Mergers"]


class Mergers(Component):
    """Mergers of N halos, at most K each, the earliest first.

    Parameters
    ----------
    time : array, shape (N, K)
        Cosmic age [Gyr] at which the progenitor was last seen as a halo of its own; NaN where a halo has fewer than K
        mergers.
    ratio : array, shape (N, K)
        Largest mass that progenitor had until then over the largest mass the main progenitor had until then;
        NaN where `time` is.  It can exceed 1 where the source calls the lighter progenitor the main one.

    Raises
    ------
    ValueError
        The shapes disagree.

    Examples
    --------
    The first halo of two had one merger, of a tenth of its mass, at 3 Gyr:

    >>> mergers = co.halos.Mergers.from_list(np.array([0]), np.array([3.0]), np.array([0.1]), halos=2)
    >>> len(mergers), mergers.time.shape
    (2, (2, 1))
    >>> [column.tolist() for column in mergers.to_list()]
    [[0], [3.0], [0.1]]
    """

    time: Float[Array, "n k"] = per_halo_field()
    ratio: Float[Array, "n k"] = per_halo_field()

    def __init__(self, time, ratio):
        self.time = float64("time", time, "Gyr")
        self.ratio = float64("ratio", ratio)

    def __check_init__(self):
        if self.time.ndim != 2 or self.time.shape != self.ratio.shape:
            raise ValueError(
                f"Mergers: got times of shape {self.time.shape} and ratios of shape {self.ratio.shape}; "
                "both must be (halos, mergers)"
            )

    def __len__(self) -> int:
        return self.time.shape[0]

    def __getitem__(self, rows) -> "Mergers":
        return Mergers(**take_rows(self, rows))

    @classmethod
    def from_list(
        cls,
        halo: Int[np.ndarray, " m"],
        time: Float[np.ndarray, " m"],
        ratio: Float[np.ndarray, " m"],
        halos: int,
    ) -> "Mergers":
        """From one entry per merger: the row of its halo (0 to `halos` - 1), its time [Gyr] and its mass ratio."""
        order = np.lexsort((time, halo))
        halo = np.asarray(halo)[order]
        counts = np.bincount(halo, minlength=halos)
        column = np.arange(len(halo)) - np.repeat(np.cumsum(counts) - counts, counts)
        rows = np.full((2, halos, int(counts.max(initial=0))), np.nan)
        rows[:, halo, column] = np.asarray(time)[order], np.asarray(ratio)[order]
        return cls(*rows)

    def to_list(self) -> tuple[Int[np.ndarray, " m"], Float[np.ndarray, " m"], Float[np.ndarray, " m"]]:
        """Row of the halo, time [Gyr] and mass ratio of every merger, halo by halo."""
        time, ratio = np.asarray(self.time), np.asarray(self.ratio)
        halo, column = np.nonzero(np.isfinite(time))
        return halo, time[halo, column], ratio[halo, column]

    @classmethod
    def join(cls, mergers: Sequence["Mergers"]) -> "Mergers":
        """The mergers of several sets of halos, one set after the other."""
        first = np.cumsum([0, *map(len, mergers)])
        columns = zip(*(one.to_list() for one in mergers), strict=True)
        halo, time, ratio = (np.concatenate(column) for column in columns)
        shift = np.repeat(first[:-1], [len(one.to_list()[0]) for one in mergers])
        return cls.from_list(halo + shift, time, ratio, int(first[-1]))
