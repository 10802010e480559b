"""Progenitors that merged onto a main branch: when, and how large they were.

Halos have different numbers of mergers; here they are rows of equal length, filled up with NaN, so that a list
of mergers can be cut, stacked and mapped over halos like every other array of the histories.
"""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

__all__ = ["Mergers"]


class Mergers(eqx.Module):
    """Mergers of N halos, at most K each, the earliest first.

    Parameters
    ----------
    time : array, shape (N, K)
        Cosmic age [Gyr] at which the progenitor was last seen apart; NaN where a halo has fewer than K mergers.
    ratio : array, shape (N, K)
        Largest mass that progenitor had until then over the largest mass the main progenitor had until then;
        NaN where `time` is.  It can exceed 1 where the source calls the lighter progenitor the main one.
    """

    time: Float[Array, "n k"] = eqx.field(converter=jnp.asarray)
    ratio: Float[Array, "n k"] = eqx.field(converter=jnp.asarray)

    def __check_init__(self):
        if self.time.ndim != 2 or self.time.shape != self.ratio.shape:
            raise ValueError(
                f"Mergers: got times of shape {self.time.shape} and ratios of shape {self.ratio.shape}; "
                "both must be (halos, mergers)"
            )

    def __len__(self) -> int:
        return self.time.shape[0]

    def __getitem__(self, rows) -> "Mergers":
        return Mergers(self.time[rows], self.ratio[rows])

    @classmethod
    def from_list(
        cls,
        halo: Int[np.ndarray, " m"],
        time: Float[np.ndarray, " m"],
        ratio: Float[np.ndarray, " m"],
        halos: int,
    ) -> "Mergers":
        """Mergers given one by one: the row of its halo (0 to `halos` - 1), time [Gyr] and mass ratio of each."""
        order = np.lexsort((time, halo))
        halo = np.asarray(halo)[order]
        counts = np.bincount(halo, minlength=halos)
        place = np.arange(len(halo)) - np.repeat(np.cumsum(counts) - counts, counts)
        rows = np.full((2, halos, int(counts.max(initial=0))), np.nan)
        rows[:, halo, place] = np.asarray(time)[order], np.asarray(ratio)[order]
        return cls(*rows)

    def to_list(self) -> tuple[Int[np.ndarray, " m"], Float[np.ndarray, " m"], Float[np.ndarray, " m"]]:
        """Row of the halo, time [Gyr] and mass ratio of every merger, halo by halo."""
        time, ratio = np.asarray(self.time), np.asarray(self.ratio)
        halo, place = np.nonzero(np.isfinite(time))
        return halo, time[halo, place], ratio[halo, place]
