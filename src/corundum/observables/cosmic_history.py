"""Densities of the universe at several redshifts, each summed over halos that are counted at that redshift."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from ..annotations import Array
from ..halos import HaloHistories, complete_roots
from ..models import AbstractModel
from ..population import evolve
from ..printing import in_short
from .abundance import cosmic_density

__all__ = ["CosmicHistory", "cosmic_history"]


class CosmicHistory(NamedTuple):
    """Densities at several redshifts.

    Attributes
    ----------
    redshift : array, shape (k,)
    density : dict of str to array, shape (k,)
        Sum of each quantity over all galaxies, per comoving Mpc^3.
    log_mvir : array, shape (k, 2)
        log10 of the smallest and of the largest halo mass of each sum [Msun].
    solved, failed : arrays, shape (k,)
        Number of galaxies in each sum, and of those that could not be solved, whose weight the others carry.

    Examples
    --------
    See `cosmic_history`, which makes one.

    >>> history = co.observables.CosmicHistory(np.zeros(1), {"sfr": np.array([0.02])}, *[None] * 3)
    >>> history.density["sfr"].shape
    (1,)
    """

    redshift: Float[Array, " k"]
    density: dict[str, Float[Array, " k"]]
    log_mvir: Float[Array, "k 2"]
    solved: Int[Array, " k"]
    failed: Int[Array, " k"]

    def __repr__(self) -> str:
        return in_short(self)


def cosmic_history(
    model: AbstractModel,
    redshifts: Sequence[float] | Float[Array, " k"] = (0.0, 1.0, 2.0, 3.0),
    *,
    names: str | Sequence[str] = ("sfr",),
    halos: Callable[[float], HaloHistories] = complete_roots,
    **settings: Any,
) -> CosmicHistory:
    """Densities such as that of star formation, from halos that have their mass at each redshift.

    Parameters
    ----------
    model : AbstractModel
    redshifts : sequence of float
    names : str or sequence of str
        Quantities to sum, such as ``"sfr"`` [Msun/yr] and ``"mstar"`` [Msun].
    halos : callable
        Takes a redshift and returns halos that end there, with number densities as weights; default
        `corundum.halos.complete_roots`.
    **settings
        ``solver`` and others as for `corundum.evolve`.

    Raises
    ------
    ValueError
        The halos of a redshift end at another one, or their weights are no number densities.

    Examples
    --------
    >>> history = co.observables.cosmic_history(
    ...     model, [0.0, 2.0], halos=lambda z: co.halos.complete_roots(z, 40, log_mvir=(10.0, 12.5))
    ... )
    >>> sfr = history.density["sfr"]  # [Msun/yr per comoving Mpc^3]
    >>> bool(sfr[1] > sfr[0]), history.solved.tolist()
    (True, [40, 40])
    """
    redshifts = np.atleast_1d(np.asarray(redshifts, np.float64))
    if not len(redshifts):
        raise ValueError("redshifts: give at least one redshift at which to sum galaxies")
    names = (names,) if isinstance(names, str) else tuple(names)
    rows, ranges, solved = [], [], []
    for redshift in redshifts:
        roots = halos(float(redshift))
        galaxies = evolve(model, roots, [float(redshift)], keep=names, **settings).at(float(redshift))
        rows.append([cosmic_density(galaxies, name) for name in names])
        final = np.asarray(roots.log_mvir[:, -1])
        ranges.append([final.min(), final.max()])
        solved.append([int(np.sum(galaxies.valid)), int(np.sum(~np.asarray(galaxies.valid)))])
    density = {name: jnp.stack(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)}
    return CosmicHistory(redshifts, density, np.array(ranges), *np.array(solved).T)
