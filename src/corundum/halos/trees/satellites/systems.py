"""Who is whose satellite in a forest: branches, the systems in which they end, and where each fell in.

A branch is a halo with its main progenitors.  Its system is the central halo in which it is at the end: itself for a
central; for a subhalo, the central of its group; for a branch that merges, the system of what it merged with.  A
branch fell in when it was first a subhalo of a branch that ends in the same system.  What it passed through before does
not count, and neither do visits of a halo that is a central at the end; a satellite that leaves and returns stays one.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Int

from ..forests import NONE, Forest, check_forest, main_progenitors

__all__ = ["Infalls", "find_infalls"]

_SAME_TIME = 1e-6  # largest relative difference between the scale factors of a halo and of its host


class Infalls(NamedTuple):
    """The B branches of a forest, and how each came to its host.

    Attributes
    ----------
    branch : array, shape (n,)
        Branch of each halo of the forest.
    progenitor : array, shape (n,)
        Row of its main progenitor, -1 for none.
    last : array, shape (B,)
        Row of the last halo of each branch.
    system : array, shape (B,)
        Branch of the central in whose system it ends, -1 where that is not known.
    host : array, shape (B,)
        Branch that it fell into; -1 for centrals.
    before : array, shape (B,)
        Row of the branch when it was last seen outside of its host; -1 for centrals and where it was never.
    after : array, shape (B,)
        Row at which it is first seen inside; for a branch that merges without being seen inside, that of the halo which
        it has become.
    counts : dict of str to int
        What is unusual in the forest, by reason.
    """

    branch: Int[np.ndarray, " n"]
    progenitor: Int[np.ndarray, " n"]
    last: Int[np.ndarray, " b"]
    system: Int[np.ndarray, " b"]
    host: Int[np.ndarray, " b"]
    before: Int[np.ndarray, " b"]
    after: Int[np.ndarray, " b"]
    counts: dict[str, int]


def find_infalls(forest: Forest) -> Infalls:
    """Branches, systems and infalls of a forest that knows the hosts of its halos.

    Raises
    ------
    ValueError
        The forest does not say which halos lie in which, or is damaged (see `main_branches`).

    Examples
    --------
    A halo (rows 0 and 1) with a subhalo (row 2) that was a halo of its own before (row 3):

    >>> from corundum.halos.trees.forests import Forest
    >>> from corundum.halos.trees.satellites.systems import find_infalls
    >>> forest = Forest(
    ...     place="example", name=np.arange(4), descendant=np.array([-1, 0, -1, 2]),
    ...     scale_factor=np.array([1.0, 0.5, 1.0, 0.5]), mass=np.array([10.0, 8.0, 1.0, 1.0]),
    ...     central=np.array([True, True, False, True]), preferred=np.zeros(4, bool), columns={},
    ...     host=np.array([0, 1, 0, 3]),
    ... )
    >>> infalls = find_infalls(forest)
    >>> infalls.host.tolist(), infalls.before.tolist(), infalls.after.tolist()
    ([-1, 0], [-1, 3], [-1, 2])
    """
    if forest.host is None:
        raise ValueError(
            f"{forest.place}: does not say which halo each subhalo lies in, so that satellites cannot be followed; "
            "read its main branches with halos.read_trees"
        )
    check_forest(forest)
    counts: dict[str, int] = {}
    host, centre = _hosts(forest, counts)
    progenitor = main_progenitors(forest)
    branch, last = _branches(forest, progenitor)
    system = _systems(forest, branch, last, centre)
    into, before, after = _infalls(forest, branch, progenitor, last, system, host, counts)
    into = _without_circles(forest, into, system, after, counts)
    return Infalls(branch, progenitor, last, system, into, before, after, counts)


def _hosts(forest: Forest, counts: dict[str, int]) -> tuple[Int[np.ndarray, " n"], Int[np.ndarray, " n"]]:
    """Host of each halo and the central of its group, both its own for centrals; -1 where they are not known."""
    rows = np.arange(len(forest.name))
    host = np.where(forest.central, rows, np.asarray(forest.host))
    apart = np.abs(forest.scale_factor[host] / forest.scale_factor - 1.0) > _SAME_TIME
    host = np.where((host != NONE) & apart, NONE, host)
    counts["subhalos whose host is not there"] = int(np.sum(host == NONE))
    # Of halos that lie in each other, the most massive one is taken for the central.
    centre = _climbed(host)
    loops = _loops(host, centre[(centre != NONE) & (host[centre] != centre)])
    for loop in loops:
        heaviest = max(loop, key=lambda row: (np.nan_to_num(forest.mass[row], nan=-1.0), forest.name[row]))
        host[heaviest] = heaviest
    counts["loops of halos that lie in each other"] = len(loops)
    return host, _climbed(host) if loops else centre


def _climbed(host):
    """The end of each line of hosts: a central, which is its own host, -1, or a member of a loop."""
    centre = host
    for _ in range(len(host).bit_length() + 1):
        above = np.where(centre == NONE, NONE, centre[centre])
        if np.array_equal(above, centre):
            break
        centre = above
    return centre


def _loops(host, members):
    """The loops that some rows belong to, each as a list of its rows."""
    loops, done = [], set()
    for row in np.unique(members).tolist():
        loop = []
        while row not in done:
            done.add(row)
            loop.append(row)
            row = int(host[row])
        if loop:
            loops.append(loop)
    return loops


def _branches(forest: Forest, progenitor) -> tuple[Int[np.ndarray, " n"], Int[np.ndarray, " b"]]:
    is_main = np.zeros(len(progenitor), bool)
    is_main[progenitor[progenitor != NONE]] = True
    last = np.flatnonzero(~is_main)
    branch = np.full(len(progenitor), NONE)
    branch[last] = np.arange(len(last))
    current = last
    while len(current):
        earlier = progenitor[current]
        current, latest = earlier[earlier != NONE], branch[current[earlier != NONE]]
        branch[current] = latest
    return branch, last


def _systems(forest: Forest, branch, last, centre) -> Int[np.ndarray, " b"]:
    """The branch of the central in whose system each branch ends, the latest branches first."""
    system = np.full(len(last), NONE)
    scale, descendant = forest.scale_factor[last], forest.descendant[last]
    order = np.argsort(-scale, kind="stable")
    for group in np.split(order, np.flatnonzero(np.diff(scale[order])) + 1):
        merges, central = descendant[group] != NONE, centre[last[group]] == last[group]
        system[group[merges]] = system[branch[descendant[group[merges]]]]
        system[group[~merges & central]] = group[~merges & central]
        inside = group[~merges & ~central]
        known = inside[centre[last[inside]] != NONE]
        system[known] = system[branch[centre[last[known]]]]
    return system


def _infalls(forest: Forest, branch, progenitor, last, system, host, counts):
    """Host of each branch, its last row outside and its first one inside; -1 for centrals."""
    number = np.arange(len(last))
    follows = (system != NONE) & (system != number)
    inside = np.flatnonzero((host != NONE) & (host != np.arange(len(host))))
    own, others = branch[inside], branch[host[inside]]
    same = follows[own] & (system[others] == system[own]) & (others != own)
    counts["satellites that passed through another halo before"] = len(np.unique(own[follows[own] & ~same]))
    counts["centrals that were inside another halo before"] = len(np.unique(own[system[own] == own]))
    entering = inside[same]
    entering = entering[np.argsort(-forest.scale_factor[entering], kind="stable")]
    after = np.full(len(last), NONE)
    after[branch[entering]] = entering  # of several assignments, the last one remains: the earliest halo
    seen = after != NONE
    into = np.where(follows, system, NONE)
    into[seen] = branch[host[after[seen]]]
    before = np.where(seen, progenitor[after], np.where(follows, last, NONE))
    # A branch that is never seen inside falls in as it merges.
    merging = follows & ~seen & (forest.descendant[last] != NONE)
    into[merging] = branch[forest.descendant[last[merging]]]
    after = np.where(merging, forest.descendant[last], np.where(follows & ~seen, last, after))
    return into, before, after


def _without_circles(forest: Forest, into, system, after, counts) -> Int[np.ndarray, " b"]:
    """Hosts without circles: where branches fell into each other, the last one falls into the centre of the system."""
    end = _climbed(into)
    circles = _loops(into, end[end != NONE])
    for circle in circles:
        latest = max(circle, key=lambda one: forest.scale_factor[after[one]])
        into[latest] = system[latest]
    counts["satellites that changed places with their host"] = len(circles)
    return into
