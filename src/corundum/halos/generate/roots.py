"""All halos of the universe at one redshift: evenly spaced masses, histories from merger trees, number densities.

The main branches of the halos of today are not all halos of an earlier time, because many of those have merged.  A
density at redshift z is a sum over halos that have their mass at z.
"""

from typing import Any

import numpy as np

from ...arguments import mass_range, one_number, whole_number
from ..histories import HaloHistories
from .mass_function import VirialMassFunction, abundance_weights
from .mass_sampling import GivenMasses
from .tree_population import monte_carlo_trees

__all__ = ["complete_roots"]

_LOWEST, _LOWEST_EARLY, _EARLY = 9.5, 8.5, 6.0  # log10 of mass [Msun], and the redshift from which halos are lighter
_HIGHEST, _HIGHEST_SLOPE = 15.0, -0.35  # log10 of mass [Msun] at z = 0, and its change with z


def complete_roots(
    redshift: float = 0.0, n: int = 300, *, log_mvir: tuple[float, float] | None = None, **settings: Any
) -> HaloHistories:
    """Halos that have their mass at `redshift`, each weighted with the number density that it stands for then.

    Parameters
    ----------
    redshift : float
        0 to 12.
    n : int
        Number of halos, at equal steps of log10 of mass.
    log_mvir : (float, float), optional
        Range of log10 of virial mass at `redshift` [Msun]; default from 9.5 (8.5 at z >= 6) to 15 - 0.35 z, which holds
        all but a hundredth of the star formation.
    **settings
        ``key``, ``cosmology``, ``power`` and others as for `monte_carlo_trees`.

    Returns
    -------
    HaloHistories
        They end at `redshift`; the weights [comoving Mpc^-3] integrate the mass function of Despali et al. 2016.

    Raises
    ------
    ValueError
        As `monte_carlo_trees`.

    Examples
    --------
    >>> early = co.halos.complete_roots(2.0, 40)
    >>> early
    HaloHistories(40 halos, 100 times, 10^9.5 to 10^14.3 Msun, 2 <= z <= 12)
    """
    if "sampling" in settings:
        raise ValueError("sampling: complete_roots has masses at equal steps; use monte_carlo_trees for other masses")
    n = whole_number("n", n, meaning="halos")
    redshift = one_number("redshift", redshift, meaning="one redshift, 0 to 12")
    if log_mvir is None:
        log_mvir = _LOWEST_EARLY if redshift >= _EARLY else _LOWEST, _HIGHEST + _HIGHEST_SLOPE * redshift
    sampling = GivenMasses(np.linspace(*mass_range("log_mvir", log_mvir, least=8.0, most=15.5), n))
    roots = monte_carlo_trees(n, log_mvir=log_mvir, redshift=redshift, sampling=sampling, **settings)
    mass_function = VirialMassFunction(settings.get("power"), roots.cosmology)
    return abundance_weights(roots, mass_function)
