"""Population statistics of weighted galaxies: mass functions and cosmic densities.

Weights are the number density of halos that each galaxy stands for [comoving Mpc^-3], as
`corundum.halos.abundance_weights` or a halo source with a mass function gives them.  The weight of galaxies that were
not solved is distributed over the solved ones of the same population.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ..annotations import Array
from ..population import Galaxies, Population

__all__ = ["Abundance", "mass_function_of", "stellar_mass_function", "cosmic_density", "cosmic_sfr_density"]


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


def mass_function_of(galaxies: Galaxies, name: str, edges: Sequence[float] | Float[Array, " e"]) -> Abundance:
    """Number density per dex of any positive quantity of the galaxies.

    Parameters
    ----------
    galaxies : Galaxies
        ``population.at(redshift)``, with number densities as weights.
    name : str
        The quantity, such as ``"mstar"``.
    edges : array, shape (b + 1,)
        Edges of the bins in log10, increasing.

    Returns
    -------
    Abundance

    Raises
    ------
    ValueError
        The edges do not increase, or the weights are no number densities.

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
    values, weights = _valid(galaxies, name)
    width = jnp.diff(edges)
    inside = [(values >= low) & (values < high) for low, high in zip(edges[:-1], edges[1:], strict=True)]
    summed = jnp.stack([jnp.sum(jnp.where(rows, weights, 0.0)) for rows in inside])
    squared = jnp.stack([jnp.sum(jnp.where(rows, weights**2, 0.0)) for rows in inside])
    counts = jnp.stack([jnp.sum(rows) for rows in inside])
    return Abundance(0.5 * (edges[1:] + edges[:-1]), summed / width, jnp.sqrt(squared) / width, counts)


def stellar_mass_function(galaxies: Galaxies, edges: Sequence[float] | Float[Array, " e"] | None = None) -> Abundance:
    """Number density of galaxies per dex of stellar mass; bins default to 0.25 dex from 10^7 to 10^12 Msun.

    Parameters
    ----------
    galaxies : Galaxies
        ``population.at(redshift)``, with number densities as weights.
    edges : array, shape (b + 1,), optional
        Edges of the bins in log10 [Msun], increasing.

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
    return mass_function_of(galaxies, "mstar", np.arange(7.0, 12.01, 0.25) if edges is None else edges)


def cosmic_density(galaxies: Galaxies, name: str) -> Float[Array, ""]:
    """Sum of a quantity over all galaxies, per comoving Mpc^3; differentiable with respect to the quantity.

    The sum runs over the halos of the population alone: if their masses lie between 10^a and 10^b Msun, halos outside
    that range are not counted.

    Parameters
    ----------
    galaxies : Galaxies
        ``population.at(redshift)``, with number densities as weights.
    name : str
        The quantity, such as ``"mstar"``.

    Raises
    ------
    ValueError
        The weights are no number densities.

    Examples
    --------
    >>> import equinox as eqx
    >>> weighted = eqx.tree_at(lambda p: p.weights, population, jnp.full(8, 1e-3))  # 10^-3 halos per Mpc^3 each
    >>> galaxies = weighted.at(0.0)
    >>> density = co.observables.cosmic_density(galaxies, "mstar")  # [Msun per Mpc^3]
    >>> bool(density > 0.0)
    True
    """
    weights = _weights(galaxies)
    return jnp.sum(jnp.where(galaxies.valid, galaxies[name], 0.0) * weights)


def cosmic_sfr_density(population: Population) -> Float[Array, " k"]:
    """Star-formation rate density [Msun/yr per comoving Mpc^3] at each output redshift of a population.

    Parameters
    ----------
    population : Population
        With number densities as weights of its halos.

    Raises
    ------
    ValueError
        The weights are no number densities.

    Examples
    --------
    >>> import equinox as eqx
    >>> weighted = eqx.tree_at(lambda p: p.weights, population, jnp.full(8, 1e-3))
    >>> co.observables.cosmic_sfr_density(weighted).shape  # at z = 0 and 2
    (2,)
    """
    return jnp.stack([cosmic_density(population.at(float(z)), "sfr") for z in np.asarray(population.redshifts)])


def _valid(galaxies: Galaxies, name: str) -> tuple[Any, Any]:
    """log10 of the quantity, minus infinity where it has no logarithm, and the weights."""
    values = galaxies[name]
    positive = galaxies.valid & (values > 0.0)
    return jnp.where(positive, jnp.log10(jnp.where(positive, values, 1.0)), -jnp.inf), _weights(galaxies)


def _weights(galaxies: Galaxies) -> Float[Array, " n"]:
    weights = jnp.asarray(galaxies.weights)
    if bool(jnp.all(weights == 1.0)):
        raise ValueError(
            "weights: every galaxy has weight 1, which is no number density; give the halos theirs with "
            "halos.abundance_weights or halos.volume_weights before evolving"
        )
    solved = jnp.sum(jnp.where(galaxies.valid, weights, 0.0))
    return weights * jnp.sum(weights) / jnp.where(solved > 0.0, solved, 1.0)
