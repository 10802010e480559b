"""All halos of the universe at one redshift: evenly spaced masses, histories from merger trees, number densities.

The main branches of the halos of today are not all halos of an earlier time, because many of those have merged.  A
density at redshift z is a sum over halos that have their mass at z.  Whole trees, with every halo that fell in, hold
nearly all halos of earlier times as well.
"""

from typing import Any

import numpy as np

from ...arguments import mass_range, one_number, whole_number
from ..histories import HaloHistories
from .forest_population import monte_carlo_forest
from .latents import with_latents
from .mass_function import VirialMassFunction, abundance_weights
from .mass_sampling import GivenMasses
from .tree_population import monte_carlo_trees

__all__ = ["complete_forest", "complete_roots"]

_LOWEST, _LOWEST_EARLY, _EARLY = 9.5, 8.5, 6.0  # log10 of mass [Msun], and the redshift from which halos are lighter
_HIGHEST, _HIGHEST_SLOPE = 15.0, -0.35  # log10 of mass [Msun] at z = 0, and its change with z


def complete_roots(
    redshift: float = 0.0,
    n: int = 300,
    *,
    log_mvir: tuple[float, float] | None = None,
    key: int = 0,
    **settings: Any,
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
    key : int
        Random key of their histories.
    **settings
        ``cosmology``, ``power`` and others as for `monte_carlo_trees`.

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
    _refuse_sampling(settings, "complete_roots", "monte_carlo_trees")
    n = whole_number("n", n, meaning="halos")
    redshift = one_number("redshift", redshift, meaning="one redshift, 0 to 12")
    if log_mvir is None:
        log_mvir = _LOWEST_EARLY if redshift >= _EARLY else _LOWEST, _HIGHEST + _HIGHEST_SLOPE * redshift
    sampling = GivenMasses(np.linspace(*mass_range("log_mvir", log_mvir, least=8.0, most=15.5), n))
    roots = monte_carlo_trees(n, log_mvir=log_mvir, redshift=redshift, sampling=sampling, key=key, **settings)
    return _counted(roots, settings)


def complete_forest(
    redshift: float = 0.0,
    n: int = 90,
    *,
    log_mvir: tuple[float, float] = (9.8, 14.2),
    smallest: float = 5e-3,
    smallest_log_mvir: float = 10.7,
    latents: bool = True,
    key: int = 0,
    **settings: Any,
) -> HaloHistories:
    """Whole merger trees, each weighted with the number density that it stands for: centrals and their satellites.

    Unlike the main branches of `complete_roots` they hold the halos of earlier times too, up to those that are too
    light or too rare to be followed.  Two samples of the default trees, beside the mass function of Despali et al.
    2016: at z = 0.95, 0.16 dex low to 0.04 dex high between 10^10.8 and 10^13.3 Msun; at z = 2.2, 0 to 0.15 dex low
    between 10^11.3 and 10^12.8 Msun, 0.18 dex low below, and 0.2 to 0.4 dex low above, where there are eight halos.
    With ``smallest=1e-3, smallest_log_mvir=10.3`` the light ones are 0.06 dex low: they are in massive hosts by z = 0.

    Parameters
    ----------
    redshift : float
        At which the trees have their masses, 0 to 12.
    n : int
        Number of trees, at equal steps of log10 of mass.
    log_mvir : (float, float)
        Range of log10 of virial mass at `redshift` [Msun].
    smallest, smallest_log_mvir : float
        Least mass of satellites at infall, over the final mass of the tree and as log10 [Msun]; the larger counts.
    latents : bool
        Whether halos have the random numbers of `with_latents`: spin, loadings, and a wandering of star formation.
    key : int
    **settings
        ``cosmology``, ``power`` and others as for `monte_carlo_forest`.

    Raises
    ------
    ValueError
        As `monte_carlo_forest`.

    Examples
    --------
    >>> forest = co.halos.complete_forest(0.0, 4, log_mvir=(11.0, 12.5), smallest=0.05)
    >>> int(np.sum(forest.host < 0)), forest.satellites is not None, sorted(forest.extras)[:1]
    (4, True, ['loading_latent'])
    """
    _refuse_sampling(settings, "complete_forest", "monte_carlo_forest")
    n = whole_number("n", n, meaning="trees")
    sampling = GivenMasses(np.linspace(*mass_range("log_mvir", log_mvir, least=9.0, most=15.5), n))
    forest = monte_carlo_forest(
        n, log_mvir=log_mvir, redshift=redshift, sampling=sampling, smallest=smallest,
        smallest_log_mvir=smallest_log_mvir, key=key, **settings,
    )  # fmt: skip
    forest = _counted(forest, settings)
    return with_latents(forest, key=key + 1) if latents else forest


def _refuse_sampling(settings, name: str, other: str) -> None:
    if "sampling" in settings:
        raise ValueError(f"sampling: {name} has masses at equal steps; use {other} for other masses")


def _counted(halos: HaloHistories, settings) -> HaloHistories:
    return abundance_weights(halos, VirialMassFunction(settings.get("power"), halos.cosmology))
