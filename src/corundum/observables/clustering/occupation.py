"""Halo occupation: how many galaxies of a selection live in each halo, as centrals and as satellites.

A galaxy counts with the probability that its observed stellar mass lies in the selection, so that the numbers have
derivatives.  Satellites count with the probability not to have merged, in the halo of the central at the end of their
line of hosts.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ...annotations import Array
from ...array_library import is_traced, on_host
from ...numerics.compiling import compiled
from ...printing import in_short
from ..abundance import number_densities
from ..relations import log10

__all__ = ["Occupation", "OccupationByMass", "halo_occupation"]

_LEVELS = 12  # of satellites of satellites that are followed up to a central
_CUT = 0.5  # how far a satellite a galaxy without a host may be: a central that is just falling in


class OccupationByMass(NamedTuple):
    """Mean numbers of galaxies per halo in bins of halo mass.

    Attributes
    ----------
    log_mvir : array, shape (b,)
        Middle of each bin, log10 [Msun].
    centrals, satellites : arrays, shape (b,)
        Mean number of galaxies of the selection in a halo; NaN in bins without halos.
    halos : array, shape (b,)
        Comoving number density of halos [Mpc^-3].

    Examples
    --------
    >>> mean = co.observables.OccupationByMass(np.array([12.0]), np.array([0.9]), np.array([0.2]), np.array([1e-3]))
    >>> float(mean.centrals[0] + mean.satellites[0])
    1.1
    """

    log_mvir: Float[Array, " b"]
    centrals: Float[Array, " b"]
    satellites: Float[Array, " b"]
    halos: Float[Array, " b"]

    def __repr__(self) -> str:
        return in_short(self)


class Occupation(NamedTuple):
    """Galaxies of a selection in each of N halos.

    Attributes
    ----------
    weight : array, shape (n,)
        Comoving number density of halos that each one stands for [Mpc^-3].
    exists : array, shape (n,)
        How far each halo is one of its own, 0 for that of a satellite.
    log_mvir : array, shape (n,)
        log10 of virial mass [Msun].
    radius : array, shape (n,)
        Comoving virial radius [Mpc].
    concentration : array, shape (n,)
    centrals, satellites : arrays, shape (n,)
        Expected number of galaxies in the halo.
    satellite_pairs : array, shape (n,)
        Expected number of ordered pairs of two different satellites.
    count : array
        Number of galaxies in the selection.

    Examples
    --------
    `halo_occupation` makes it; two halos by hand, of which the second has a satellite and a half on average:

    >>> both = np.ones(2)
    >>> occupation = co.observables.Occupation(
    ...     weight=1e-3 * both, exists=both, log_mvir=12.0 * both, radius=0.3 * both, concentration=9.0 * both,
    ...     centrals=both, satellites=np.array([0.0, 1.5]), satellite_pairs=np.array([0.0, 2.25]), count=np.array(4.0),
    ... )
    >>> round(float(occupation.density), 4), occupation.by_mass([11.0, 13.0]).satellites.tolist()
    (0.0035, [0.75])
    """

    weight: Float[Array, " n"]
    exists: Float[Array, " n"]
    log_mvir: Float[Array, " n"]
    radius: Float[Array, " n"]
    concentration: Float[Array, " n"]
    centrals: Float[Array, " n"]
    satellites: Float[Array, " n"]
    satellite_pairs: Float[Array, " n"]
    count: Float[Array, ""]

    @property
    def density(self) -> Any:
        """Comoving number density of galaxies of the selection [Mpc^-3]."""
        return (self.weight * (self.centrals + self.satellites)).sum()

    def by_mass(self, edges: Any) -> OccupationByMass:
        """Mean numbers of centrals and satellites in bins of halo mass.

        Parameters
        ----------
        edges : array, shape (b + 1,)
            Edges of the bins in log10 [Msun], increasing.

        Raises
        ------
        ValueError
            The edges do not increase.
        """
        edges = np.asarray(edges, float)
        if edges.ndim != 1 or len(edges) < 2 or not np.all(np.diff(edges) > 0.0):
            raise ValueError(
                f"edges: got {np.array2string(edges, threshold=8)}; give at least two edges of bins in log10 of halo "
                "mass, increasing"
            )
        inside = (self.log_mvir >= edges[:-1, None]) & (self.log_mvir < edges[1:, None])
        halos, centrals, satellites = (
            (inside * (self.weight * numbers)).sum(axis=1) for numbers in (self.exists, self.centrals, self.satellites)
        )
        per_halo = 1.0 / np.where(np.asarray(halos) > 0.0, halos, np.nan) if not is_traced(halos) else 1.0 / halos
        return OccupationByMass(0.5 * (edges[1:] + edges[:-1]), centrals * per_halo, satellites * per_halo, halos)

    def __repr__(self) -> str:
        return in_short(self)


def halo_occupation(galaxies: Any, low: Any, high: Any = np.inf, *, error: Any = 0.1) -> Occupation:
    """The galaxies of a range of stellar mass, by the halos in which they live.

    Parameters
    ----------
    galaxies : Galaxies
        ``population.at(redshift)`` with number densities as weights; of whole trees, so that satellites are known.
        Without satellites every galaxy is the central of its halo.
    low, high : float
        Range of log10 of stellar mass [Msun]; without `high` all galaxies above `low`.
    error : float
        Standard deviation of the error of observed stellar masses [dex], which softens the range.

    Raises
    ------
    ValueError
        The range is empty, the error is not positive, the weights are no number densities, or trees are cut into
        pieces so that the hosts of satellites are missing.

    Examples
    --------
    >>> import equinox as eqx
    >>> weighted = eqx.tree_at(lambda p: p.weights, population, jnp.full(8, 1e-3))  # 10^-3 halos per Mpc^3 each
    >>> occupation = co.observables.halo_occupation(weighted.at(0.0), 7.0)
    >>> mean = occupation.by_mass([10.0, 13.0])
    >>> round(float(mean.centrals[0]), 2), float(mean.satellites[0]), round(float(occupation.density), 4)
    (1.0, 0.0, 0.008)
    """
    if not is_traced((low, high, error)) and not (low < high and error > 0.0):
        raise ValueError(
            f"halo_occupation: got {low:g} to {high:g} with an error of {error:g} dex; give log10 of two stellar "
            "masses that increase, and a positive error"
        )
    host, share = _hosts(galaxies)
    values = tuple(galaxies[name] for name in ("mvir", "rvir", "concentration"))
    inputs = (
        log10(galaxies["mstar"]), number_densities(galaxies), share, host, galaxies.valid, values, galaxies.redshift,
        (low, high, error),
    )  # fmt: skip
    (occupation,) = on_host(_occupation(*jax.tree.map(jnp.asarray, inputs)))
    return occupation


def _hosts(galaxies):
    """Row of the host of each galaxy, -1 for centrals, and how far each is a satellite."""
    host = getattr(galaxies, "host", None)
    if host is None:
        if "satellite" in galaxies and not is_traced(share := galaxies["satellite"]) and np.nanmax(share) > _CUT:
            raise ValueError(
                "halo_occupation: these galaxies have satellites but not their hosts, as files of earlier versions "
                "do; evolve them again"
            )
        return np.full(len(galaxies), -1), np.zeros(len(galaxies))
    share = galaxies["satellite"]
    if not is_traced((host, share)):
        lost = np.flatnonzero((np.asarray(host) < 0) & (np.nan_to_num(np.asarray(share)) > _CUT))
        if len(lost):
            raise ValueError(
                f"halo_occupation: galaxy {lost[0]} is a satellite whose host was not chosen; choose whole trees "
                "with halos.select_trees before evolving"
            )
    return host, share


@compiled
def _occupation(log_mstar, density, share, host, valid, halo, redshift, selection):
    low, high, error = selection
    number, is_satellite = len(host), host >= 0
    own = jnp.arange(number)
    root = jnp.where(is_satellite, host, own)
    for _ in range(4):  # each doubles the number of levels that are climbed
        root = root[root]
    into = jnp.where(is_satellite, host, number)
    share = jnp.where(is_satellite & valid, share, 0.0)
    weight = jnp.where(valid[root], density[root], 0.0)
    known = valid & jnp.isfinite(log_mstar)
    mass = jnp.where(known, log_mstar, 0.0)
    within = jax.scipy.special.ndtr((high - mass) / error) - jax.scipy.special.ndtr((low - mass) / error)
    within = jnp.where(known, within, 0.0)
    # The weight of a galaxy holds the probability not to have merged, that of its root does not.
    member = within * jnp.where(weight > 0.0, density / jnp.where(weight > 0.0, weight, 1.0), 0.0)

    def handed_up(passing, power):
        """Sums over satellites, each in the halo in which it is: that of its host, as far as that is a central."""
        staying = jnp.zeros(number)
        for _ in range(_LEVELS):
            arriving = jax.ops.segment_sum(passing, into, number)
            staying, passing = staying + arriving * (1.0 - share) ** power, arriving * share**power
        return staying

    satellites = handed_up(member * share, 1)
    squares = handed_up((member * share) ** 2, 2)
    mvir, rvir, concentration = (jnp.where(valid, value, 1.0) for value in halo)
    return Occupation(
        weight=weight,
        exists=1.0 - share,
        log_mvir=jnp.log10(mvir),
        radius=rvir * (1.0 + redshift) / 1e3,
        concentration=jnp.maximum(concentration, 1.0),
        centrals=member * (1.0 - share),
        satellites=satellites,
        satellite_pairs=satellites**2 - squares,
        count=within.sum(),
    )
