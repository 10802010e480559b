"""Whole merger trees as columns, whatever file they come from: their main branches and what merged onto them.

A reader fills a `Forest`; links are rows, so that every step back in time is one indexing of arrays for all
halos at once.  Trees that are not trees (a progenitor later than its descendant, a link to a halo that is not
there, one halo twice) are refused with the halo and the file.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

__all__ = ["Forest", "MainBranches", "check_scales", "rows_of_ids", "main_branches"]

NONE = -1
_MOST_MASS = 1e17  # Msun; beyond any halo
_FARTHEST = 1e6  # comoving Mpc; beyond any simulation, the observable universe included


class Forest(NamedTuple):
    """Halos of whole trees, one row per halo and snapshot, in any order.

    Attributes
    ----------
    place : the file, and where in it, for errors
    name : what the source calls each halo
    descendant : row of the halo each becomes; -1 for none
    scale_factor : scale factor of each
    mass : mass [Msun] in the source's definition; NaN where it has none
    central : whether a halo lies in no other halo
    preferred : whether the source calls it the main progenitor of its descendant; all False to take the most massive
    columns : more quantities by the names of `corundum.halos.tables.columns` (rvir [kpc], rs [kpc], vmax [km/s],
        concentration), with NaN where unknown
    position : comoving [Mpc], or None where the source has none
    """

    place: str
    name: Int[np.ndarray, " n"]
    descendant: Int[np.ndarray, " n"]
    scale_factor: Float[np.ndarray, " n"]
    mass: Float[np.ndarray, " n"]
    central: Bool[np.ndarray, " n"]
    preferred: Bool[np.ndarray, " n"]
    columns: dict[str, Float[np.ndarray, " n"]]
    position: Float[np.ndarray, "n 3"] | None = None


class MainBranches(NamedTuple):
    """Main branches of some trees, branch after branch and earliest first, as rows of their forest.

    Attributes
    ----------
    roots : row of the last halo of each branch
    branch : which branch each entry of `row` belongs to
    row : rows of the forest
    merger_branch, merger_scale, merger_ratio : the progenitors that merged onto a branch, the scale factor at
        which each was last seen apart, and its mass ratio (see `Mergers`)
    """

    roots: Int[np.ndarray, " b"]
    branch: Int[np.ndarray, " r"]
    row: Int[np.ndarray, " r"]
    merger_branch: Int[np.ndarray, " m"]
    merger_scale: Float[np.ndarray, " m"]
    merger_ratio: Float[np.ndarray, " m"]


def rows_of_ids(ids: Int[np.ndarray, " n"], wanted: Int[np.ndarray, " m"], place: str, what: str) -> np.ndarray:
    """Rows at which `wanted` ids stand among `ids`; negative ones give -1.

    Raises
    ------
    ValueError
        An id stands twice among `ids`, or a wanted one is not there.
    """
    order = np.argsort(ids, kind="stable")
    ordered = ids[order]
    twice = np.flatnonzero(ordered[1:] == ordered[:-1])
    if len(twice):
        raise ValueError(f"{place}: halo {ordered[twice[0]]} is there twice; every halo must have an id of its own")
    position = np.minimum(np.searchsorted(ordered, wanted), max(len(ordered) - 1, 0))
    found = ordered[position] == wanted if len(ordered) else np.zeros(len(wanted), bool)
    missing = np.flatnonzero(~found & (wanted >= 0))
    if len(missing):
        raise ValueError(
            f"{place}: {what} {wanted[missing[0]]} is not in the file ({len(missing)} such links); the trees are "
            "incomplete, so read all files of the forest together or copy the file again"
        )
    return np.where(found, order[position] if len(order) else NONE, NONE)


def check_scales(scale_factor: Float[np.ndarray, " n"], place: str) -> None:
    """Refuse scale factors that no snapshot has.

    Raises
    ------
    ValueError
        One is not above 0, or above 1 by more than a simulation overshoots.
    """
    if not np.all((scale_factor > 0.0) & (scale_factor < 1.02)):
        raise ValueError(
            f"{place}: scale factors run from {scale_factor.min():g} to {scale_factor.max():g}; the file is damaged"
        )


def main_branches(forest: Forest, *, lowest_ratio: float = 0.01) -> MainBranches:
    """The main branch of every tree that ends in a central halo.

    Parameters
    ----------
    forest : Forest
    lowest_ratio : float
        Mergers below this mass ratio are left out.

    Raises
    ------
    ValueError
        A halo does not become a later one: the links go round in a loop or the times are wrong; or a number is one
        that no halo has.
    """
    check_scales(forest.scale_factor, forest.place)
    _check_numbers(forest)
    _check_links(forest)
    progenitor = _main_progenitors(forest)
    ends = forest.descendant == NONE
    roots = np.flatnonzero(ends & forest.central)
    branch_of = np.full(len(forest.name), NONE)
    current, number = roots, np.arange(len(roots))
    while len(current):
        branch_of[current] = number
        earlier = progenitor[current]
        current, number = earlier[earlier != NONE], number[earlier != NONE]
    row = np.flatnonzero(branch_of != NONE)
    row = row[np.lexsort((forest.scale_factor[row], branch_of[row]))]
    return MainBranches(roots, branch_of[row], row, *_mergers(forest, progenitor, branch_of, lowest_ratio))


def _check_numbers(forest):
    heavy = np.flatnonzero(forest.mass > _MOST_MASS)  # NaN is no mass
    if len(heavy):
        told = f"halo {forest.name[heavy[0]]} has a mass of {forest.mass[heavy[0]]:.3g} Msun"
        raise ValueError(f"{forest.place}: {told}, which no halo has; the file is damaged, so copy it again")
    if forest.position is not None:
        far = np.flatnonzero(np.any(np.abs(forest.position) > _FARTHEST, axis=1))
        if len(far):
            told = f"halo {forest.name[far[0]]} lies at {np.max(np.abs(forest.position[far[0]])):.3g} comoving Mpc"
            raise ValueError(f"{forest.place}: {told}; the file is damaged, so copy it again")


def _check_links(forest):
    linked = np.flatnonzero(forest.descendant != NONE)
    later = forest.scale_factor[forest.descendant[linked]] > forest.scale_factor[linked]
    if not np.all(later):
        row = linked[np.argmin(later)]
        to = forest.descendant[row]
        raise ValueError(
            f"{forest.place}: halo {forest.name[row]} at scale factor {forest.scale_factor[row]:.5g} becomes halo "
            f"{forest.name[to]} at {forest.scale_factor[to]:.5g}, which is not later, so the links are no tree "
            "(a loop, or wrong times); repair or copy the file again"
        )


def _main_progenitors(forest):
    """Row of the main progenitor of each halo: the one its source prefers, or else the most massive one."""
    linked = np.flatnonzero(forest.descendant != NONE)
    mass = np.nan_to_num(forest.mass[linked], nan=-1.0)
    order = linked[np.lexsort((mass, forest.preferred[linked], forest.descendant[linked]))]
    progenitor = np.full(len(forest.name), NONE)
    progenitor[forest.descendant[order]] = order  # of several, the last one stays
    return progenitor


def _mergers(forest, progenitor, branch_of, lowest_ratio):
    peak = _peak_masses(forest, progenitor)
    secondary = np.flatnonzero(forest.descendant != NONE)
    into = forest.descendant[secondary]
    merging = (branch_of[into] != NONE) & (progenitor[into] != secondary)
    secondary, into = secondary[merging], into[merging]
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = peak[secondary] / peak[progenitor[into]]
    counted = np.isfinite(ratio) & (ratio >= lowest_ratio)
    secondary = secondary[counted]
    return branch_of[into[counted]], forest.scale_factor[secondary], ratio[counted]


def _peak_masses(forest, progenitor):
    """Largest mass along each halo's own main branch until then."""
    peak = np.nan_to_num(forest.mass, nan=0.0)
    order = np.argsort(forest.scale_factor, kind="stable")
    steps = np.flatnonzero(np.diff(forest.scale_factor[order])) + 1
    for rows in np.split(order, steps):
        rows = rows[progenitor[rows] != NONE]
        peak[rows] = np.maximum(peak[rows], peak[progenitor[rows]])
    return peak
