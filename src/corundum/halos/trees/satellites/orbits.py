"""The orbit of a satellite at infall, from its position and velocity in the halo of its host."""

import numpy as np
from jaxtyping import Float

__all__ = ["orbits"]

_LARGEST = 5.0  # radius of the circular orbit over Rvir, beyond which a halo is hardly bound: v = 2 V at Rvir


def orbits(
    offset: Float[np.ndarray, "n 3"],
    velocity: Float[np.ndarray, "n 3"],
    rvir: Float[np.ndarray, " n"],
    vvir: Float[np.ndarray, " n"],
) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    """Circularity, and radius of the circular orbit of the same energy over Rvir, in an isothermal host.

    Its potential is V^2 ln r: the energy gives ln(r_c) = ln(r) + (v^2/V^2 - 1) / 2, and the circularity is
    r v_t / (r_c V), at most 1.

    Parameters
    ----------
    offset : array, shape (n, 3)
        Position relative to the host [kpc].
    velocity : array, shape (n, 3)
        Velocity relative to it, with the expansion of space [km/s].
    rvir, vvir : array, shape (n,)
        Of the host [kpc, km/s].

    Returns
    -------
    circularity, radius : array, shape (n,)
        NaN where they are not known or the halo is hardly bound, with a radius above 5.

    Examples
    --------
    A circular orbit, and a radial one of the same energy:

    >>> from corundum.halos.trees.satellites.orbits import orbits
    >>> offset, speed = np.array([[100.0, 0.0, 0.0]] * 2), np.array([[0.0, 150.0, 0.0], [150.0, 0.0, 0.0]])
    >>> circularity, radius = orbits(offset, speed, np.full(2, 200.0), np.full(2, 150.0))
    >>> circularity.tolist(), radius.tolist()
    ([1.0, 0.0], [0.5, 0.5])
    """
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        distance = np.linalg.norm(offset, axis=-1)
        radius = distance / rvir * np.exp(0.5 * (np.sum(velocity**2, axis=-1) / vvir**2 - 1.0))
        spin = np.linalg.norm(np.cross(offset, velocity), axis=-1)
        circularity = spin / (radius * rvir * vvir)
    known = np.isfinite(circularity) & np.isfinite(radius) & (radius > 0.0) & (radius <= _LARGEST)
    return np.where(known, circularity, np.nan), np.where(known, radius, np.nan)
