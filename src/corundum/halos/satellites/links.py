"""Who is whose satellite: levels, roots and whole trees, from the rows of the hosts.

A central has level 0, its satellites level 1, theirs level 2.  The root of a halo is the central at the end of its line
of hosts, and a tree is a central with all halos of which it is the root.
"""

import dataclasses
from typing import Any

import numpy as np
from jaxtyping import Int

from ...annotations import Array
from ...array_library import is_traced
from ..per_halo import renumbered, take_rows

__all__ = ["check_hosts", "check_satellites", "chosen_rows", "levels_and_roots", "select_centrals", "select_trees"]


def levels_and_roots(host: Int[Array, " n"]) -> tuple[Int[np.ndarray, " n"], Int[np.ndarray, " n"]]:
    """Number of hosts above each halo, and the row of the central at the end of that line.

    Parameters
    ----------
    host : integer array, shape (N,)
        Row of the host of each halo, -1 for centrals.

    Raises
    ------
    ValueError
        Hosts go round in a circle.

    Examples
    --------
    >>> from corundum.halos.satellites.links import levels_and_roots
    >>> level, root = levels_and_roots(np.array([-1, 0, 1, -1]))
    >>> level.tolist(), root.tolist()
    ([0, 1, 2, 0], [0, 0, 0, 3])
    """
    host = np.asarray(host)
    level, root, above = np.zeros(len(host), int), np.arange(len(host)), host.copy()
    while np.any(above >= 0):
        climbing = above >= 0
        level += climbing
        root = np.where(climbing, above, root)
        if level.max(initial=0) > len(host):
            row = int(np.argmax(level))
            raise ValueError(
                f"host: the hosts of halo {row} go round in a circle ({_circle(host, row)}); give one of them -1, as "
                "every line of hosts must end in a central"
            )
        above = np.where(climbing, host[np.maximum(above, 0)], -1)
    return level, root


def _circle(host, row):
    rows = [row]
    while host[rows[-1]] not in rows:
        rows.append(int(host[rows[-1]]))
    rows = rows[rows.index(host[rows[-1]]) :]
    return " -> ".join(map(str, [*rows, rows[0]]))


def check_hosts(host: Int[np.ndarray, " n"]) -> None:
    """Refuse hosts that are no halo, the halo itself, or go round in a circle.

    Raises
    ------
    ValueError
        The message names the halo.
    """
    rows = np.arange(len(host))
    wrong = (host < -1) | (host >= len(host)) | (host == rows)
    if np.any(wrong):
        row = _first(wrong)
        raise ValueError(
            f"host: halo {row} has the host {host[row]}; allowed the row of another halo, 0 to {len(host) - 1}, "
            "or -1 for a central"
        )
    levels_and_roots(host)


def check_satellites(halos: Any) -> None:
    """Refuse satellites that cannot be: without a host, or fallen in before they or their host existed.

    Raises
    ------
    ValueError
        The message names the halo.
    """
    satellites = halos.satellites
    if len(satellites) != len(halos):
        raise ValueError(f"satellites: got {len(satellites)} rows; expected one per halo, {len(halos)}")
    if halos.host is None:
        raise ValueError(
            "satellites: got them without host=...; give the row of the host of each halo, -1 for centrals"
        )
    if is_traced((halos.start, halos.end, halos.host, satellites)):
        return
    host, infall = np.asarray(halos.host), np.asarray(satellites.infall)
    start, end, ratio = (np.asarray(values) for values in (halos.start, halos.end, satellites.ratio))
    wrong = (host >= 0) != np.isfinite(infall)
    if np.any(wrong):
        row = _first(wrong)
        raise ValueError(
            f"satellites: halo {row} has the host {host[row]} and falls in at {infall[row]:.6g} Gyr; allowed a host "
            "and a time, or -1 and an infinite time for a central"
        )
    one = np.flatnonzero(host >= 0)
    for row in one[~((infall[one] > start[one]) & (infall[one] < end[one]))][:1]:
        raise ValueError(
            f"satellites: halo {row} falls in at {infall[row]:.6g} Gyr, and is there from {start[row]:.6g} to "
            f"{end[row]:.6g} Gyr; it must fall in between, so leave out what is never seen as a satellite or a central"
        )
    for row in one[~(infall[one] > start[host[one]])][:1]:
        raise ValueError(
            f"satellites: halo {row} falls in at {infall[row]:.6g} Gyr, before its host {host[row]} starts at "
            f"{start[host[row]]:.6g} Gyr; give another host or a later time"
        )
    for row in one[~(ratio[one] > 0.0)][:1]:
        raise ValueError(
            f"satellites: halo {row} has the mass ratio {ratio[row]:.4g}; allowed positive, its mass over that of its "
            "host at infall"
        )


def chosen_rows(halos: Any, index: Any) -> dict[str, Any]:
    """The arrays of some halos by field: an integer, a slice, an index array or a boolean mask.

    Hosts are renumbered.  Where satellites are followed, whole trees are chosen.

    Raises
    ------
    IndexError, ValueError
        There is no such halo, or a tree is cut into pieces.
    """
    rows = np.asarray(index) if isinstance(index, list) else index
    if isinstance(index, int | np.integer):
        if not -len(halos) <= index < len(halos):
            raise IndexError(f"halo {index}: there are {len(halos)} halos")
        rows = slice(index, index + 1 or None)
    chosen = take_rows(halos, rows)
    if halos.host is None:
        return chosen
    numbers = np.arange(len(halos))[rows]
    if halos.satellites is not None and not is_traced(halos.host):
        _check_whole(np.asarray(halos.host), numbers)
    return chosen | {"host": renumbered(chosen["host"], numbers, len(halos))}


def _check_whole(host, rows):
    """Refuse rows that are not whole trees."""
    if len(np.unique(rows)) < len(rows):
        raise ValueError("halos: the same halo is chosen twice; trees with satellites can be chosen once")
    _, root = levels_and_roots(host)
    inside = np.zeros(len(host), bool)
    inside[rows] = True
    cut = np.flatnonzero(inside != inside[root])
    if len(cut):
        halo = int(cut[0])
        raise ValueError(
            f"halos: the choice cuts the tree of halo {root[halo]} into pieces (halo {halo} is "
            f"{'in' if inside[halo] else 'not in'} it); choose whole trees with halos.select_trees(halos, centrals)"
        )


def select_trees(halos: Any, centrals: Any) -> Any:
    """Some centrals with all of their satellites.

    Parameters
    ----------
    halos : HaloHistories
        With satellites.
    centrals : integer, slice, integer array or boolean mask
        Which of the centrals, counted among the centrals alone.

    Returns
    -------
    HaloHistories
        Trees in the order in which they were, with hosts renumbered.

    Raises
    ------
    ValueError, IndexError
        The halos have no satellites, or there are not as many centrals.

    Examples
    --------
    >>> import dataclasses
    >>> satellites = co.halos.Satellites([np.inf, 4.0, np.inf], [np.nan, 0.1, np.nan])
    >>> trees = dataclasses.replace(halos[:3], host=[-1, 0, -1], satellites=satellites)
    >>> len(co.halos.select_trees(trees, 0)), len(co.halos.select_trees(trees, [0, 1]))
    (2, 3)
    """
    if halos.host is None:
        raise ValueError("select_trees: these halos have no satellites; choose halos with halos[rows]")
    host = np.asarray(halos.host)
    _, root = levels_and_roots(host)
    chosen = np.atleast_1d(np.flatnonzero(host < 0)[centrals])
    return dataclasses.replace(halos, **chosen_rows(halos, np.flatnonzero(np.isin(root, chosen))))


def select_centrals(halos: Any) -> Any:
    """The centrals alone, which then grow as if all of their growth brought gas.

    Parameters
    ----------
    halos : HaloHistories

    Examples
    --------
    >>> len(co.halos.select_centrals(co.halos.monte_carlo_forest(2, smallest=0.3)))
    2
    """
    if halos.host is None:
        return halos
    centrals = take_rows(halos, np.flatnonzero(np.asarray(halos.host) < 0))
    return dataclasses.replace(halos, **centrals | {"host": None, "satellites": None})


def _first(flags) -> int:
    return int(np.flatnonzero(flags)[0])
