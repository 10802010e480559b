"""How close each halo is to a heavier one: which halos are isolated at the end of their histories.

The model follows central halos as if they were alone.  A halo that ends near a heavier one may have passed through it,
or feel its tides; a source that knows positions lets one leave such halos out.
"""

import numpy as np
from jaxtyping import Float
from scipy.spatial import cKDTree

from ...cosmology import Cosmology
from ...units import MPC_PER_KPC
from ..selection import FARTHEST

__all__ = ["nearest_heavier"]

_TOGETHER = 4096  # heavier halos whose surroundings are looked up at once; bounds the memory


def nearest_heavier(
    position: Float[np.ndarray, "n 3"],
    log_mvir: Float[np.ndarray, " n"],
    redshift: float,
    cosmology: Cosmology,
    box: float | None = None,
) -> Float[np.ndarray, " n"]:
    """Distance of each halo from a heavier one, in virial radii of the heavier one: the smallest of all.

    Parameters
    ----------
    position : array, shape (n, 3)
        Comoving [Mpc]; NaN where unknown.
    log_mvir : array, shape (n,)
        log10 of virial mass [Msun].
    redshift : float
        Of the positions.
    cosmology : Cosmology
    box : float, optional
        Side of a periodic box [comoving Mpc]; default none.

    Returns
    -------
    array, shape (n,)
        Infinite where no heavier halo is within `FARTHEST` of its radii.  NaN where the position is unknown, and for
        all halos where every position is the same, as in files that hold zeros in the place of positions.

    Examples
    --------
    A halo one comoving Mpc from a heavier one:

    >>> position = np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0]])
    >>> distance = nearest_heavier(position, np.array([13.0, 11.0]), 0.0, co.cosmology.planck15())
    >>> float(distance[0]), round(float(distance[1]), 1)
    (inf, 1.8)
    """
    nearest = np.full(len(position), np.nan)
    known = np.flatnonzero(np.all(np.isfinite(position), axis=1))
    if not len(known) or np.all(np.ptp(position[known], axis=0) == 0.0):
        return nearest
    if box is not None:
        position = np.mod(position, box)
    points, masses = position[known], log_mvir[known]
    radius = np.asarray(cosmology.virial_radius(10.0**masses, redshift)) * (1.0 + redshift) * MPC_PER_KPC  # comoving
    tree = cKDTree(points, boxsize=box)
    distance = np.full(len(known), np.inf)
    for first in range(0, len(known), _TOGETHER):
        rows = slice(first, first + _TOGETHER)
        neighbours = tree.query_ball_point(points[rows], FARTHEST * radius[rows])
        heavy = np.repeat(np.arange(len(known))[rows], [len(indices) for indices in neighbours])
        light = np.concatenate([np.asarray(indices, int) for indices in neighbours])
        lighter = masses[light] < masses[heavy]
        heavy, light = heavy[lighter], light[lighter]
        offset = points[light] - points[heavy]
        if box is not None:
            offset -= box * np.round(offset / box)
        np.minimum.at(distance, light, np.linalg.norm(offset, axis=1) / radius[heavy])
    nearest[known] = distance
    return nearest
