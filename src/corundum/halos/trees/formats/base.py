"""What every merger-tree format has to say, and what readers share.

A format is a small object: its fields are what the files do not state themselves (a list of scale factors, which of
several masses to take), and its four methods recognise files, list them, state the simulation, and hand over whole
trees in chunks, so that a forest larger than the memory can be read.
"""

import abc
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import equinox as eqx
import numpy as np
from jaxtyping import Float

from ..forests import Forest

__all__ = ["AbstractTreeFormat", "Simulation", "checked_mass", "scale_factor_list", "split_rows", "snapshot_scales"]


class Simulation(NamedTuple):
    """What a file says of its simulation; None where it says nothing.

    Attributes
    ----------
    h, omega_m : Hubble constant over 100 km/s/Mpc, matter density over critical
    definition : definition of the masses, as in `corundum.halos.nfw.reference_density`
    words : columns and units used, and how they were read
    box : side of the periodic box [comoving Mpc]
    """

    h: float | None
    omega_m: float | None
    definition: str
    words: str
    box: float | None = None


class AbstractTreeFormat(eqx.Module):
    """A merger-tree file format."""

    @abc.abstractmethod
    def recognises(self, path: Path) -> bool:
        """Whether a file, or a directory of files, looks like this format; never an error."""

    @abc.abstractmethod
    def files(self, path: Path) -> list[Path]:
        """The parts of a source that can be read on their own: no tree lies in two of them."""

    @abc.abstractmethod
    def simulation(self, path: Path) -> Simulation:
        """What one of these parts says of its simulation."""

    @abc.abstractmethod
    def forests(self, path: Path, h: float, chunk: int) -> Iterator[Forest]:
        """The trees of one part, whole, about `chunk` halos at a time; masses in Msun with this `h`."""


def scale_factor_list(given: str | Path | Sequence[float] | None, kind: str) -> Float[np.ndarray, " s"]:
    """Scale factor of every snapshot number, from a list, or from a text file with one number a line.

    Raises
    ------
    ValueError
        There is none, the file cannot be read, or a number is no scale factor.
    """
    if given is None:
        raise ValueError(
            f"{kind} files hold snapshot numbers but no times; give format=halos.{kind}(scale_factors=...), a list "
            "or a text file with the scale factor of every snapshot, the first one first"
        )
    if isinstance(given, str | Path):
        try:
            values = np.loadtxt(given, ndmin=1, comments="#")
        except (OSError, ValueError) as error:
            raise ValueError(f"{given}: cannot be read as a list of scale factors ({error})") from None
        values = values if values.ndim == 1 else values[:, -1]
    else:
        values = np.asarray(given, float)
    if values.ndim != 1 or not len(values) or not np.all((values > 0.0) & (values < 1.02)):
        raise ValueError(
            f"scale_factors: got numbers from {np.min(values):g} to {np.max(values):g}; they must be above 0 and at "
            "most 1 (a = 1 / (1 + z)), one for each snapshot"
        )
    return values


def snapshot_scales(snapshot: np.ndarray, scales: Float[np.ndarray, " s"], place: str) -> Float[np.ndarray, " n"]:
    """Scale factor of halos at these snapshot numbers.

    Raises
    ------
    ValueError
        A snapshot is beyond the list.
    """
    if len(snapshot) and (snapshot.min() < 0 or snapshot.max() >= len(scales)):
        raise ValueError(
            f"{place}: has snapshots {snapshot.min()} to {snapshot.max()} but the list of scale factors has "
            f"{len(scales)}, numbered from 0; give the list of this simulation"
        )
    return scales[snapshot]


def checked_mass(mass: Float[np.ndarray, " n"], place: str) -> Float[np.ndarray, " n"]:
    """Masses [Msun] with NaN where there is none.

    Raises
    ------
    ValueError
        Masses that no halo has: a damaged file, another byte order, or other units.
    """
    mass = np.where(np.isfinite(mass) & (mass > 0.0), mass, np.nan)
    typical = float(np.nanmedian(mass)) if np.any(np.isfinite(mass)) else np.nan
    if not (np.isnan(typical) or 1e2 <= typical <= 1e17):
        raise ValueError(
            f"{place}: masses are typically {typical:.3g} Msun, which no halo has; the file is damaged, in another "
            "byte order, or in other units than this format has"
        )
    return mass


def split_rows(sizes: Sequence[int], chunk: int) -> Iterator[tuple[int, int]]:
    """First and last plus one of consecutive trees that together hold about `chunk` halos."""
    sizes, first = np.asarray(sizes), 0
    ends = np.cumsum(sizes)
    while first < len(sizes):
        begun = ends[first] - sizes[first]
        last = max(int(np.searchsorted(ends, begun + chunk, side="right")), first + 1)
        yield first, last
        first = last
