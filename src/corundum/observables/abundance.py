"""Population statistics of weighted galaxies: mass functions and cosmic densities.

Weights are the number density of halos that each galaxy stands for [comoving Mpc^-3], as
`corundum.halos.abundance_weights` or a halo source with a mass function gives them.  Galaxies that were not solved
leave their share to those of the same population that were.
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

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
        Its sampling error, from the number and weights of the galaxies in the bin.
    galaxies : array, shape (b,)
        How many galaxies it rests on.
    """

    x: Float[Array, " b"]
    density: Float[Array, " b"]
    error: Float[Array, " b"]
    galaxies: Float[Array, " b"]


def mass_function_of(galaxies: Galaxies, name: str, edges: Float[Array, " e"]) -> Abundance:
    """Number density per dex of any positive quantity of the galaxies.

    Parameters
    ----------
    galaxies : Galaxies
        ``population.at(redshift)``, with number densities as weights.
    name : str
        The quantity, such as ``"mstar"``.
    edges : array, shape (b + 1,)
        Edges of the bins in log10, increasing.

    Raises
    ------
    ValueError
        Edges that do not increase, or weights that are no number densities.
    """
    edges = np.asarray(edges, float)
    if edges.ndim != 1 or len(edges) < 2 or not np.all(np.diff(edges) > 0.0):
        raise ValueError("edges: give at least two edges of bins in log10, increasing")
    values, weights = _valid(galaxies, name)
    width = jnp.diff(edges)
    inside = [(values >= low) & (values < high) for low, high in zip(edges[:-1], edges[1:], strict=True)]
    summed = jnp.stack([jnp.sum(jnp.where(rows, weights, 0.0)) for rows in inside])
    squared = jnp.stack([jnp.sum(jnp.where(rows, weights**2, 0.0)) for rows in inside])
    counts = jnp.stack([jnp.sum(rows) for rows in inside])
    return Abundance(0.5 * (edges[1:] + edges[:-1]), summed / width, jnp.sqrt(squared) / width, counts)


def stellar_mass_function(galaxies: Galaxies, edges: Float[Array, " e"] | None = None) -> Abundance:
    """Number density of galaxies per dex of stellar mass; bins default to 0.25 dex from 10^7 to 10^12 Msun."""
    return mass_function_of(galaxies, "mstar", np.arange(7.0, 12.01, 0.25) if edges is None else edges)


def cosmic_density(galaxies: Galaxies, name: str) -> Float[Array, ""]:
    """Sum of a quantity over all galaxies, per comoving Mpc^3; differentiable in it.

    It counts the halos that are there: with masses from 10^a to 10^b, those of that range only.
    """
    weights = _weights(galaxies)
    return jnp.sum(jnp.where(galaxies.valid, galaxies[name], 0.0) * weights)


def cosmic_sfr_density(population: Population) -> Float[Array, " k"]:
    """Star-formation rate density [Msun/yr per comoving Mpc^3] at each output redshift of a population."""
    return jnp.stack([cosmic_density(population.at(float(z)), "sfr") for z in np.asarray(population.redshifts)])


def _valid(galaxies: Galaxies, name: str) -> tuple[Any, Any]:
    """log10 of the quantity, far below any bin where there is none, and the weights."""
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
