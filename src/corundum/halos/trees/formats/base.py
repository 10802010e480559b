"""What every merger-tree format states, and what the readers of formats share.

A format is a small object.  Its fields are what the files do not state themselves (a list of scale factors, or which of
several masses to take).  Its four methods recognise files, list them, state the simulation, and return whole trees in
chunks, so that a forest larger than the memory can be read.

Every module of a format has the same order: the names of its columns, the class with these four methods, and a function
that turns the columns of the format into a `Forest`.
"""

import abc
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int, Num

from ....printing import Component
from ....units import GADGET_MASS_MSUN
from ..forests import LARGEST_SCALE, SMALLEST_SCALE, Forest
from ..stated_cosmology import StatedCosmology

__all__ = [
    "AbstractTreeFormat",
    "Simulation",
    "central_values",
    "checked_mass",
    "group_masses",
    "mass_definition",
    "scale_factor_list",
    "simulation",
    "snapshot_scales",
    "split_rows",
]

_LOWEST_TYPICAL_MASS, _HIGHEST_TYPICAL_MASS = 1e2, 1e17  # Msun


class Simulation(NamedTuple):
    """What a file states of its simulation; None where it states nothing.

    Attributes
    ----------
    h, omega_m : float or None
        Hubble constant over 100 km/s/Mpc, and matter density over the critical one.
    definition : str
        Definition of the masses, as in `corundum.halos.nfw.reference_density`.
    description : str
        Columns and units used, and how they were read; for the provenance.
    box : float or None
        Side of the periodic box [comoving Mpc].
    omega_b : float or None
        Baryon density over the critical one.
    n_eff : float or None
        Effective number of neutrinos.
    unclear, departure : str
        Why what the file states does not determine a universe, and what of it flat LCDM does not have
        (`corundum.halos.trees.stated_cosmology.StatedCosmology`).
    in_units_of_h : bool
        Whether masses or lengths are stored over h, so that they mean nothing without it.
    """

    h: float | None
    omega_m: float | None
    definition: str
    description: str
    box: float | None = None
    omega_b: float | None = None
    n_eff: float | None = None
    unclear: str = ""
    departure: str = ""
    in_units_of_h: bool = True


class AbstractTreeFormat(Component):
    """A merger-tree file format.

    Examples
    --------
    A format with one line ``id descendant scale mass`` for each halo:

    >>> from corundum.halos.trees.formats import Simulation
    >>> from corundum.halos.trees.forests import Forest
    >>> class PlainTrees(co.halos.AbstractTreeFormat):
    ...     def recognises(self, path):
    ...         return path.suffix == ".plain"
    ...
    ...     def files(self, path):
    ...         return [path]
    ...
    ...     def simulation(self, path):
    ...         return Simulation(h=0.7, omega_m=0.3, definition="vir", description="mass [Msun]")
    ...
    ...     def forests(self, path, h, chunk):
    ...         halo, descendant, scale, mass = np.loadtxt(path, unpack=True)
    ...         some = np.ones(len(halo), bool)
    ...         yield Forest(str(path), halo.astype(int), descendant.astype(int), scale, mass, some, ~some, {})
    >>> rows = [f"{k} {k - 1} {a} {1e12 * a**2}" for k, a in enumerate(np.linspace(1.0, 0.2, 9))]
    >>> from pathlib import Path
    >>> _ = Path("forest.plain").write_text("\\n".join(rows))
    >>> histories = co.halos.read_trees("forest.plain", format=PlainTrees())
    >>> round(float(histories.log_mvir[0, -1]), 3)
    12.0
    """

    @abc.abstractmethod
    def recognises(self, path: Path) -> bool:
        """Whether a file, or a directory of files, is of this format.

        One that is clearly meant to be and cannot be read as such raises a `ValueError` with the reason, which the user
        sees where no other format fits; anything else is False.
        """

    @abc.abstractmethod
    def files(self, path: Path) -> list[Path]:
        """The parts of a source that can be read one by one, because no tree lies in two of them."""

    @abc.abstractmethod
    def simulation(self, path: Path) -> Simulation:
        """What one of these parts states of its simulation."""

    @abc.abstractmethod
    def forests(self, path: Path, h: float, chunk: int) -> Iterator[Forest]:
        """The trees of one part, whole, about `chunk` halos at a time; masses are in Msun with this `h`."""


def simulation(stated: StatedCosmology, definition: str, description: str, box: float | None = None) -> Simulation:
    """A `Simulation` whose cosmology is as stated in a file.

    Examples
    --------
    >>> from corundum.halos.trees.formats.base import simulation
    >>> from corundum.halos.trees.stated_cosmology import StatedCosmology
    >>> simulation(StatedCosmology(h=0.7, omega_m=0.3), "vir", "mass = mvir [Msun/h]").omega_m
    0.3
    """
    return Simulation(definition=definition, description=description, box=box, **stated._asdict())


def mass_definition(kind: str, mass: str, definitions: Mapping[str, str]) -> str:
    """The definition of a mass that the user has chosen by the name of its column.

    Parameters
    ----------
    kind : str
        Name of the format, for the message.
    mass : str
        Name of the column.
    definitions : mapping of str to str
        Definitions by the names that are allowed.

    Raises
    ------
    ValueError
        The name is not one of them.

    Examples
    --------
    >>> from corundum.halos.trees.formats.base import mass_definition
    >>> mass_definition("LHaloTree", "Mvir", {"M_TopHat": "vir", "Mvir": "200c"})
    '200c'
    """
    if mass not in definitions:
        raise ValueError(f"{kind}: got mass={mass!r}; allowed {', '.join(definitions)}")
    return definitions[mass]


def scale_factor_list(scale_factors: str | Path | Sequence[float] | None, kind: str) -> Float[np.ndarray, " s"]:
    """Scale factor of every snapshot number.

    Parameters
    ----------
    scale_factors : sequence of float, or path
        A text file has one number a line, or a table whose last column they are.
    kind : str
        Name of the format, for the message.

    Raises
    ------
    ValueError
        There is no list, the file cannot be read, or a number is no scale factor.

    Examples
    --------
    >>> from corundum.halos.trees.formats.base import scale_factor_list
    >>> scale_factor_list([0.25, 0.5, 1.0], "SubLink")
    array([0.25, 0.5 , 1.  ])
    """
    if scale_factors is None:
        raise ValueError(
            f"{kind} files hold snapshot numbers but no times; give format=halos.{kind}(scale_factors=...), a list "
            "or a text file with the scale factor of every snapshot, the first one first"
        )
    if isinstance(scale_factors, str | Path):
        try:
            values = np.loadtxt(scale_factors, ndmin=1, comments="#")
        except (OSError, ValueError) as error:
            raise ValueError(f"{scale_factors}: cannot be read as a list of scale factors ({error})") from None
        values = values if values.ndim == 1 else values[:, -1]
    else:
        values = np.asarray(scale_factors, float)
    if values.ndim != 1 or not len(values) or not np.all((values >= SMALLEST_SCALE) & (values < LARGEST_SCALE)):
        raise ValueError(
            f"scale_factors: got numbers from {np.min(values):g} to {np.max(values):g}; they must be from "
            f"{SMALLEST_SCALE:g} to 1 (a = 1 / (1 + z)), one for each snapshot"
        )
    return values


def snapshot_scales(
    snapshot: Int[np.ndarray, " n"], scales: Float[np.ndarray, " s"], place: str
) -> Float[np.ndarray, " n"]:
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
    """Masses [Msun], NaN where they are not positive numbers.

    Raises
    ------
    ValueError
        The masses are such as no halo has: the file is damaged, in another byte order, or in other units.
    """
    mass = np.where(np.isfinite(mass) & (mass > 0.0), mass, np.nan)
    typical = float(np.nanmedian(mass)) if np.any(np.isfinite(mass)) else np.nan
    if not (np.isnan(typical) or _LOWEST_TYPICAL_MASS <= typical <= _HIGHEST_TYPICAL_MASS):
        raise ValueError(
            f"{place}: masses are typically {typical:.3g} Msun, which no halo has; the file is damaged, in another "
            "byte order, or in other units than this format has"
        )
    return mass


def group_masses(
    mass: Float[np.ndarray, " n"], central: Bool[np.ndarray, " n"], h: float, place: str
) -> Float[np.ndarray, " n"]:
    """Masses [Msun] of halos whose file has those of their groups, in 1e10 Msun/h.

    The mass of a group is that of its central halo; other halos have none and get NaN.

    Raises
    ------
    ValueError
        As for `checked_mass`.
    """
    return checked_mass(central_values(mass, central) * (GADGET_MASS_MSUN / h), place)


def central_values(values: Num[np.ndarray, " n"], central: Bool[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """Values of central halos in double precision, whatever the file stores, NaN for the others."""
    return np.where(central, values.astype(np.float64), np.nan)


def split_rows(sizes: Sequence[int] | Int[np.ndarray, " t"], chunk: int) -> Iterator[tuple[int, int]]:
    """Ranges of consecutive trees that together hold about `chunk` halos.

    Parameters
    ----------
    sizes : sequence of int
        Number of halos of each tree.
    chunk : int
        A range holds at least one tree, and no more than this number of halos where it holds several.

    Yields
    ------
    first, end : int
        The first tree, and the one after the last.

    Examples
    --------
    >>> from corundum.halos.trees.formats.base import split_rows
    >>> list(split_rows([5, 5, 20, 1], chunk=10))
    [(0, 2), (2, 3), (3, 4)]
    """
    sizes, first = np.asarray(sizes), 0
    ends = np.cumsum(sizes)
    while first < len(sizes):
        halos_before = ends[first] - sizes[first]
        last = max(int(np.searchsorted(ends, halos_before + chunk, side="right")), first + 1)
        yield first, last
        first = last
