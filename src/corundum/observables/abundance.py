"""Population statistics of weighted galaxies: mass functions and cosmic densities.

Weights are the number density of halos that each galaxy stands for [comoving Mpc^-3], as
`corundum.halos.abundance_weights` or a halo source with a mass function gives them.  The weight of galaxies that were
not solved is distributed over the solved ones of the same population.

Halos are counted when their histories end.  At earlier times the main branches of those halos are not all halos: many
have merged by the end.  Sums over them would miss 0.18, 0.26, 0.37 and 0.42 dex of the star formation at z = 0.5, 1, 2
and 3, and are refused; `corundum.observables.cosmic_history` evolves halos for each redshift instead.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from ..annotations import Array
from ..array_library import array_library, is_traced, on_host
from ..halos import HaloHistories
from ..population import Galaxies, Population
from ..printing import in_short
from .relations import log10

_SAME = 0.02  # of ln(1 + z) between galaxies and the end of their halos

__all__ = [
    "Abundance",
    "mass_function_of",
    "stellar_mass_function",
    "cosmic_density",
    "cosmic_sfr_density",
    "number_densities",
]


class Abundance(NamedTuple):
    """Number density of galaxies per dex of a quantity.

    Attributes
    ----------
    x : array, shape (b,)
        Middle of each bin, log10.
    density : array, shape (b,)
        [comoving Mpc^-3 dex^-1].
    error : array, shape (b,)
        Sampling error of the density, from the number and weights of the galaxies in the bin.
    galaxies : array, shape (b,)
        Number of galaxies in the bin.

    Examples
    --------
    >>> abundance = co.observables.Abundance(jnp.array([10.0]), jnp.array([1e-2]), jnp.array([1e-3]), jnp.array([100]))
    >>> float(abundance.density[0])
    0.01
    """

    x: Float[Array, " b"]
    density: Float[Array, " b"]
    error: Float[Array, " b"]
    galaxies: Float[Array, " b"]

    def __repr__(self) -> str:
        return in_short(self)


def mass_function_of(
    galaxies: Galaxies, name: str, edges: Sequence[float] | Float[Array, " e"], *, complete: bool = False
) -> Abundance:
    """Number density per dex of any positive quantity of the galaxies.

    Parameters
    ----------
    galaxies : Galaxies
        ``population.at(redshift)``, with number densities as weights.
    name : str
        The quantity, such as ``"mstar"``.
    edges : array, shape (b + 1,)
        Edges of the bins in log10, increasing.
    complete : bool
        The halos are all halos at this redshift, such as whole trees, and not the main branches of later ones.

    Returns
    -------
    Abundance

    Raises
    ------
    ValueError
        The edges do not increase, the weights are no number densities, or they count the halos at another redshift.

    Examples
    --------
    The weights come from the halos, for example from `corundum.halos.abundance_weights`; here they are equal:

    >>> import equinox as eqx
    >>> weighted = eqx.tree_at(lambda p: p.weights, population, jnp.full(8, 1e-3))  # 10^-3 halos per Mpc^3 each
    >>> galaxies = weighted.at(0.0)
    >>> abundance = co.observables.mass_function_of(galaxies, "mcgm", [7.0, 13.0])
    >>> int(abundance.galaxies[0]), round(float(abundance.density[0]), 5)  # per Mpc^3 and dex
    (8, 0.00133)
    """
    edges = np.asarray(edges, float)
    if edges.ndim != 1 or len(edges) < 2 or not np.all(np.diff(edges) > 0.0):
        raise ValueError(
            f"edges: got {np.array2string(edges, threshold=8)}; give at least two edges of bins in log10, increasing"
        )
    values, weights = _valid(galaxies, name, complete)
    xp, width = array_library(values, weights), np.diff(edges)
    inside = [(values >= low) & (values < high) for low, high in zip(edges[:-1], edges[1:], strict=True)]
    summed = xp.stack([xp.sum(xp.where(rows, weights, 0.0)) for rows in inside])
    squared = xp.stack([xp.sum(xp.where(rows, weights**2, 0.0)) for rows in inside])
    counts = xp.stack([xp.sum(rows) for rows in inside])
    return Abundance(0.5 * (edges[1:] + edges[:-1]), summed / width, xp.sqrt(squared) / width, counts)


def stellar_mass_function(
    galaxies: Galaxies, edges: Sequence[float] | Float[Array, " e"] | None = None, *, complete: bool = False
) -> Abundance:
    """Number density of galaxies per dex of stellar mass; bins default to 0.25 dex from 10^7 to 10^12 Msun.

    Parameters
    ----------
    galaxies : Galaxies
        ``population.at(redshift)``, with number densities as weights.
    edges : array, shape (b + 1,), optional
        Edges of the bins in log10 [Msun], increasing.
    complete : bool
        As for `mass_function_of`.

    Raises
    ------
    ValueError
        As `mass_function_of`.

    Examples
    --------
    >>> import equinox as eqx
    >>> weighted = eqx.tree_at(lambda p: p.weights, population, jnp.full(8, 1e-3))  # 10^-3 halos per Mpc^3 each
    >>> galaxies = weighted.at(0.0)
    >>> co.observables.stellar_mass_function(galaxies).density.shape
    (20,)
    """
    edges = np.arange(7.0, 12.01, 0.25) if edges is None else edges
    return mass_function_of(galaxies, "mstar", edges, complete=complete)


def cosmic_density(galaxies: Galaxies, name: str, *, complete: bool = False) -> Float[Array, ""]:
    """Sum of a quantity over all galaxies, per comoving Mpc^3; differentiable with respect to the quantity.

    The sum runs over the halos of the population alone: if their masses lie between 10^a and 10^b Msun, halos outside
    that range are not counted.

    Parameters
    ----------
    galaxies : Galaxies
        ``population.at(redshift)``, with number densities as weights.
    name : str
        The quantity, such as ``"mstar"``.
    complete : bool
        The halos are all halos at this redshift, such as whole trees, and not the main branches of later ones.

    Raises
    ------
    ValueError
        The weights are no number densities, or they count the halos at another redshift.

    Examples
    --------
    >>> import equinox as eqx
    >>> weighted = eqx.tree_at(lambda p: p.weights, population, jnp.full(8, 1e-3))  # 10^-3 halos per Mpc^3 each
    >>> galaxies = weighted.at(0.0)
    >>> density = co.observables.cosmic_density(galaxies, "mstar")  # [Msun per Mpc^3]
    >>> bool(density > 0.0)
    True
    """
    valid, values = on_host(galaxies.valid, galaxies[name])
    weights = number_densities(galaxies, complete)
    xp = array_library(valid, values, weights)
    return xp.sum(xp.where(valid, values, 0.0) * weights)


def cosmic_sfr_density(population: Population, *, complete: bool = False) -> Float[Array, " k"]:
    """Star-formation rate density [Msun/yr per comoving Mpc^3] at each output redshift of a population.

    Parameters
    ----------
    population : Population
        With number densities as weights of its halos.
    complete : bool
        As for `cosmic_density`.

    Raises
    ------
    ValueError
        As for `cosmic_density`.

    Examples
    --------
    >>> today = co.evolve(model, co.halos.abundance_weights(halos), [0.0])
    >>> co.observables.cosmic_sfr_density(today).shape
    (1,)
    """
    outputs = [population.at(float(z)) for z in np.asarray(population.redshifts)]
    densities = [cosmic_density(galaxies, "sfr", complete=complete) for galaxies in outputs]
    return array_library(densities).stack(densities)


def _valid(galaxies: Galaxies, name: str, complete: bool) -> tuple[Any, Any]:
    """log10 of the quantity, minus infinity where it has no logarithm, and the weights."""
    valid, values = on_host(galaxies.valid, galaxies[name])
    xp, log_values = array_library(valid, values), log10(values)
    counted = valid & xp.isfinite(log_values)
    return xp.where(counted, log_values, -np.inf), number_densities(galaxies, complete)


def number_densities(galaxies: Any, complete: bool = False) -> Float[Array, " n"]:
    """Comoving number density of halos that each galaxy stands for [Mpc^-3]; solved galaxies stand for failed ones too.

    Raises
    ------
    ValueError
        The weights are no number densities, or they count the halos at another redshift.
    """
    _check_root(galaxies, complete)
    weights, valid = on_host(galaxies.weights, galaxies.valid)
    xp = array_library(weights, valid)
    weights = xp.asarray(weights)
    if not is_traced(weights) and np.all(np.asarray(weights) == 1.0):
        raise ValueError(
            "weights: every galaxy has weight 1, which is no number density; give the halos theirs with "
            "halos.abundance_weights or halos.volume_weights before evolving"
        )
    solved = xp.sum(xp.where(valid, weights, 0.0))
    return weights * xp.sum(weights) / xp.where(solved > 0.0, solved, 1.0)


def counted_at(halos: HaloHistories) -> float:
    """The redshift at which the main branches of halos end, where their weights count them.

    Examples
    --------
    >>> from corundum.observables.abundance import counted_at
    >>> round(counted_at(co.halos.complete_roots(1.0, 4)), 3)
    1.0
    """
    return max(float(halos.cosmology.redshift(np.asarray(halos.time)[-1:])[0]), 0.0)


def outputs_until_end(halos: HaloHistories, redshifts: Iterable[float]) -> tuple[float, ...]:
    """Those redshifts at which these halos have not ended yet; one just after their end is moved to it.

    Examples
    --------
    >>> from corundum.observables.abundance import outputs_until_end
    >>> outputs_until_end(co.halos.complete_roots(1.0, 4), (0.0, 1.0, 2.0))
    (1.0, 2.0)
    """
    end = counted_at(halos)
    return tuple(max(z, end) for z in redshifts if np.log1p(z) >= np.log1p(end) - _SAME)


def check_counted(halos: HaloHistories, redshift: float) -> None:
    """Refuse, before they are evolved, halos whose galaxies have no number density at a redshift.

    Raises
    ------
    ValueError
        As `number_densities`.

    Examples
    --------
    >>> from corundum.observables.abundance import check_counted
    >>> check_counted(co.halos.complete_roots(1.0, 4), 1.0)
    """
    solved, complete = np.ones(len(halos), bool), halos.satellites is not None
    number_densities(Galaxies(redshift, {}, solved, halos.weights, root_redshift=counted_at(halos)), complete)


def _check_root(galaxies: Galaxies, complete: bool) -> None:
    """Refuse galaxies of main branches at another redshift than that at which their halos were counted."""
    redshift, root = galaxies.redshift, galaxies.root_redshift
    if complete or root is None or is_traced((redshift, root)):
        return
    redshift, root = float(redshift), max(float(root), 0.0)
    if abs(np.log((1.0 + redshift) / (1.0 + root))) > _SAME:
        raise ValueError(
            f"weights: these galaxies are at z = {redshift:.4g}, but their halos are counted at z = {root:.4g}, where "
            "their histories end; main branches are not all halos at another redshift (star formation at z = 2 would "
            "be 0.37 dex low); use observables.cosmic_history, draw halos with their mass at that redshift, such as "
            "halos.complete_roots(redshift), or pass complete=True if these are all halos there"
        )
