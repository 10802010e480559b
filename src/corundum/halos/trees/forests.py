"""Whole merger trees as columns, whatever file they come from: their main branches, and what merged onto them.

The reader of each format fills a `Forest`.  Links between halos are row numbers, so that one step back in time is one
indexing of arrays for all halos at once.  Links that do not form trees (a progenitor later than its descendant, a link
to a halo that is not in the file, the same halo twice) are refused with the name of the halo and the file.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from ...plausible import filled

__all__ = [
    "NONE",
    "Forest",
    "MainBranches",
    "check_forest",
    "check_scales",
    "host_rows",
    "main_branches",
    "main_progenitors",
    "rows_of_ids",
]

NONE = -1
_LARGEST_MASS = 1e17  # Msun; beyond any halo
_LARGEST_DISTANCE = 1e6  # comoving Mpc; beyond any simulation, and beyond the observable universe
SMALLEST_SCALE, LARGEST_SCALE = 1e-4, 1.02  # no simulation begins before z = 10^4; some run a little beyond a = 1


class Forest(NamedTuple):
    """Halos of whole trees, one row per halo and snapshot, in any order.

    Attributes
    ----------
    place : str
        The file and the part of it, for error messages.
    name : array, shape (n,)
        Identifier of each halo in the source.
    descendant : array, shape (n,)
        Row of the halo that each halo becomes; -1 for none.
    scale_factor : array, shape (n,)
    mass : array, shape (n,)
        Mass [Msun] in the definition of the source; NaN where it has none.
    central : array, shape (n,)
        Whether a halo lies in no other halo.
    preferred : array, shape (n,)
        Whether the source calls the halo the main progenitor of its descendant; all False to take the most massive.
    columns : dict of str to array, shape (n,)
        More quantities by the names of `corundum.halos.tables.columns` (rvir [kpc], rs [kpc], vmax [km/s],
        concentration), NaN where unknown.
    position : array, shape (n, 3), or None
        Comoving [Mpc]; None where the source has no positions.
    host : array, shape (n,), or None
        Row of the halo that each halo lies in, its own for central halos, and -1 where that halo is not in the forest;
        None where the source does not know.
    velocity : array, shape (n, 3), or None
        Peculiar [km/s]; None where the source has no velocities.
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
    host: Int[np.ndarray, " n"] | None = None
    velocity: Float[np.ndarray, "n 3"] | None = None


class MainBranches(NamedTuple):
    """Main branches of some trees as rows of their forest, branch after branch and earliest first.

    Attributes
    ----------
    roots : array, shape (b,)
        Row of the last halo of each branch.
    branch : array, shape (r,)
        The branch that each entry of `row` belongs to.
    row : array, shape (r,)
        Rows of the forest.
    merger_branch : array, shape (m,)
        The branch that each merger belongs to.
    merger_scale : array, shape (m,)
        Scale factor at which the progenitor was last seen as a halo of its own.
    merger_ratio : array, shape (m,)
        Mass ratio of the merger (see `Mergers`).
    """

    roots: Int[np.ndarray, " b"]
    branch: Int[np.ndarray, " r"]
    row: Int[np.ndarray, " r"]
    merger_branch: Int[np.ndarray, " m"]
    merger_scale: Float[np.ndarray, " m"]
    merger_ratio: Float[np.ndarray, " m"]


def rows_of_ids(
    ids: Int[np.ndarray, " n"],
    linked_ids: Int[np.ndarray, " m"],
    place: str,
    link: str,
    *,
    tree: Int[np.ndarray, " n"] | None = None,
) -> Int[np.ndarray, " m"]:
    """Rows of halos that links name by their ids.

    Parameters
    ----------
    ids : array, shape (n,)
        Id of every halo.
    linked_ids : array, shape (m,)
        Ids to look for; negative ones stand for no halo.
    place : str
        The file and the part of it, for error messages.
    link : str
        What the link leads to, for error messages.
    tree : array, shape (n,), optional
        The tree that each halo is in, where two trees may use the same id; every halo has one link then (m = n), which
        leads to a halo of its own tree.

    Returns
    -------
    array, shape (m,)
        Rows, -1 where an id is negative.

    Raises
    ------
    ValueError
        An id appears twice among `ids` (of one tree), or a linked one is not among them.

    Examples
    --------
    >>> from corundum.halos.trees.forests import rows_of_ids
    >>> rows_of_ids(np.array([30, 10, 20]), np.array([10, 30, -1]), "tree.dat", "descendant").tolist()
    [1, 0, -1]
    >>> rows_of_ids(
    ...     np.array([1, 2, 1, 2]), np.array([-1, 1, -1, 1]), "tree.dat", "descendant", tree=np.array([0, 0, 1, 1])
    ... ).tolist()
    [-1, 0, -1, 2]
    """
    key, linked_key = (ids, linked_ids) if tree is None else _keys_within_trees(ids, linked_ids, tree)
    order = np.argsort(key, kind="stable")
    ordered = key[order]
    repeated = np.flatnonzero(ordered[1:] == ordered[:-1])
    if len(repeated):
        every = "every halo" if tree is None else "every halo of a tree"
        raise ValueError(f"{place}: halo {ids[order[repeated[0]]]} appears twice; {every} must have an id of its own")
    position = np.minimum(np.searchsorted(ordered, linked_key), max(len(ordered) - 1, 0))
    present = ordered[position] == linked_key if len(ordered) else np.zeros(len(linked_key), bool)
    missing = np.flatnonzero(~present & (linked_ids >= 0))
    if len(missing):
        raise ValueError(
            f"{place}: {link} {linked_ids[missing[0]]} is not in the {'file' if tree is None else 'tree of its halo'} "
            f"({len(missing)} such links); the trees are incomplete, so read all files of the forest together or "
            "copy the file again"
        )
    return np.where(present & (linked_ids >= 0), order[position] if len(order) else NONE, NONE)


def host_rows(
    ids: Int[np.ndarray, " n"],
    host_ids: Int[np.ndarray, " n"],
    central: Bool[np.ndarray, " n"],
    *,
    tree: Int[np.ndarray, " n"] | None = None,
) -> Int[np.ndarray, " n"]:
    """Row of the halo that each halo lies in: its own for central halos, -1 where the host is not among these halos.

    Parameters
    ----------
    ids, tree : array, shape (n,)
        As for `rows_of_ids`.
    host_ids : array, shape (n,)
        Id of the host of each halo.
    central : array, shape (n,)
        Whether a halo lies in no other one, whatever its `host_ids` say.

    Examples
    --------
    >>> from corundum.halos.trees.forests import host_rows
    >>> host_rows(np.array([30, 10, 20]), np.array([30, 30, 77]), np.array([True, False, False])).tolist()
    [0, 0, -1]
    """
    key, host_key = (ids, host_ids) if tree is None else _keys_within_trees(ids, host_ids, tree)
    rows = np.arange(len(key))
    order = np.argsort(key, kind="stable")
    place = np.minimum(np.searchsorted(key[order], host_key), max(len(order) - 1, 0))
    host = order[place] if len(order) else rows
    return np.where(central, rows, np.where(key[host] == host_key, host, NONE))


def _keys_within_trees(ids, linked_ids, tree) -> tuple[np.ndarray, np.ndarray]:
    """Numbers that are the same only for one id in one tree, and those that links lead to, -1 where there is none."""
    distinct, number = np.unique(ids, return_inverse=True)
    linked_number = np.minimum(np.searchsorted(distinct, linked_ids), max(len(distinct) - 1, 0))
    known = distinct[linked_number] == linked_ids if len(distinct) else np.zeros(len(linked_ids), bool)
    first = tree.astype(np.int64) * len(distinct)
    return first + number, np.where(known, first + linked_number, NONE)


def check_scales(scale_factor: Float[np.ndarray, " n"], place: str) -> None:
    """Refuse scale factors that no snapshot has.

    Raises
    ------
    ValueError
        One is no number, earlier than any simulation begins, or above 1 by more than a simulation overshoots.
    """
    wrong = np.flatnonzero(~((scale_factor >= SMALLEST_SCALE) & (scale_factor < LARGEST_SCALE)))  # True for NaN
    if len(wrong):
        value = float(scale_factor[wrong[0]])
        raise ValueError(
            f"{place}: has the scale factor {value:g}{filled(value)} ({len(wrong)} of {len(scale_factor)} cannot be "
            f"right); scale factors must be from {SMALLEST_SCALE:g} to 1, so copy the file again"
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
        A halo becomes one that is not later, so that the links go round in a loop or the times are wrong; or a number
        is one that no halo has.

    Examples
    --------
    A halo (row 0) with two progenitors, of which the second is the more massive:

    >>> from corundum.halos.trees.forests import Forest, main_branches
    >>> forest = Forest(
    ...     place="example", name=np.arange(3), descendant=np.array([-1, 0, 0]),
    ...     scale_factor=np.array([1.0, 0.5, 0.5]), mass=np.array([10.0, 1.0, 4.0]),
    ...     central=np.ones(3, bool), preferred=np.zeros(3, bool), columns={},
    ... )
    >>> branches = main_branches(forest)
    >>> branches.row.tolist(), branches.merger_ratio.tolist()
    ([2, 0], [0.25])
    """
    check_forest(forest)
    progenitor = main_progenitors(forest)
    is_last = forest.descendant == NONE
    roots = np.flatnonzero(is_last & forest.central)
    branch_of = np.full(len(forest.name), NONE)
    current, branch = roots, np.arange(len(roots))
    while len(current):
        branch_of[current] = branch
        earlier = progenitor[current]
        current, branch = earlier[earlier != NONE], branch[earlier != NONE]
    row = np.flatnonzero(branch_of != NONE)
    row = row[np.lexsort((forest.scale_factor[row], branch_of[row]))]
    return MainBranches(roots, branch_of[row], row, *_mergers(forest, progenitor, branch_of, lowest_ratio))


def check_forest(forest: Forest) -> None:
    """Refuse a forest with numbers that no halo has, or whose links form no trees.

    Raises
    ------
    ValueError
        As for `main_branches`.
    """
    check_scales(forest.scale_factor, forest.place)
    _check_numbers(forest)
    _check_links(forest)


def _check_numbers(forest: Forest) -> None:
    too_heavy = np.flatnonzero(forest.mass > _LARGEST_MASS)  # False for NaN, which stands for no mass
    if len(too_heavy):
        row = too_heavy[0]
        raise ValueError(
            f"{forest.place}: halo {forest.name[row]} has a mass of {forest.mass[row]:.3g} Msun, which no halo has; "
            "the file is damaged, so copy it again"
        )
    if forest.position is not None:
        too_far = np.flatnonzero(np.any(np.abs(forest.position) > _LARGEST_DISTANCE, axis=1))
        if len(too_far):
            row = too_far[0]
            raise ValueError(
                f"{forest.place}: halo {forest.name[row]} lies at {np.max(np.abs(forest.position[row])):.3g} comoving "
                "Mpc; the file is damaged, so copy it again"
            )


def _check_links(forest: Forest) -> None:
    linked = np.flatnonzero(forest.descendant != NONE)
    later = forest.scale_factor[forest.descendant[linked]] > forest.scale_factor[linked]
    if not np.all(later):
        row = linked[np.argmin(later)]
        descendant = forest.descendant[row]
        raise ValueError(
            f"{forest.place}: halo {forest.name[row]} at scale factor {forest.scale_factor[row]:.5g} becomes halo "
            f"{forest.name[descendant]} at {forest.scale_factor[descendant]:.5g}, which is not later, so the links do "
            "not form a tree (a loop, or wrong times); repair or copy the file again"
        )


def main_progenitors(forest: Forest) -> Int[np.ndarray, " n"]:
    """Row of the main progenitor of each halo: the one that its source prefers, or else the most massive one; -1 for
    none.

    Of equal masses a central halo comes before others, and then the larger id, so that the order of the rows does not
    matter; this is also the rule of Galacticus.
    """
    linked = np.flatnonzero(forest.descendant != NONE)
    mass = np.nan_to_num(forest.mass[linked], nan=-1.0)
    keys = (forest.name, forest.central, mass, forest.preferred, forest.descendant)  # the last one counts first
    order = linked[np.lexsort([key if key is mass else key[linked] for key in keys])]
    progenitor = np.full(len(forest.name), NONE)
    progenitor[forest.descendant[order]] = order  # of several assignments to a row, the last one remains
    return progenitor


def _mergers(forest: Forest, progenitor: np.ndarray, branch_of: np.ndarray, lowest_ratio: float):
    """Branch, scale factor and mass ratio of every progenitor that is not the main one."""
    peak_mass = _peak_masses(forest, progenitor)
    secondary = np.flatnonzero(forest.descendant != NONE)
    into = forest.descendant[secondary]
    merging = (branch_of[into] != NONE) & (progenitor[into] != secondary)
    secondary, into = secondary[merging], into[merging]
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = peak_mass[secondary] / peak_mass[progenitor[into]]
    counted = np.isfinite(ratio) & (ratio >= lowest_ratio)
    secondary = secondary[counted]
    return branch_of[into[counted]], forest.scale_factor[secondary], ratio[counted]


def _peak_masses(forest: Forest, progenitor: np.ndarray) -> np.ndarray:
    """Largest mass along each halo's own main branch up to its time."""
    peak_mass = np.nan_to_num(forest.mass, nan=0.0)
    order = np.argsort(forest.scale_factor, kind="stable")
    steps = np.flatnonzero(np.diff(forest.scale_factor[order])) + 1
    for rows in np.split(order, steps):
        rows = rows[progenitor[rows] != NONE]
        peak_mass[rows] = np.maximum(peak_mass[rows], peak_mass[progenitor[rows]])
    return peak_mass
