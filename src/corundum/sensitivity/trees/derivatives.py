"""Exact derivatives of galaxies of whole trees, which act on each other, beside those of halos that stand alone.

Satellites hand over what they hold, so that the galaxies of a tree are differentiated together: the levels of all trees
are solved one after the other with the tangents of all their galaxies.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ...annotations import Array
from ...arguments import strategy, whole_number
from ...halos import HaloHistories
from ...models import AbstractModel
from ...models.checks.arguments import check_model_and_halos
from ...numerics.solvers.base import AbstractSolver
from ...numerics.solvers.lanes import LaneSolver
from ...population import Population, evolve
from ..derivatives import AbstractMode, Differentiated, Forward, check_redshifts, differentiate
from ..parameter_space import with_vector

__all__ = ["differentiate_galaxies"]


def differentiate_galaxies(
    select: Callable[[Population], Any],
    model: AbstractModel,
    halos: HaloHistories,
    redshifts: Any,
    names: tuple[str, ...],
    vector: Float[Array, " p"],
    directions: Float[Array, "c p"],
    *,
    mode: AbstractMode | None = None,
    solver: AbstractSolver | None = None,
    chunk: int = 1024,
    progress: Callable[[int, int], None] | None = None,
) -> Differentiated:
    """`differentiate` of halos that stand alone, and the same of whole trees where they have satellites.

    Parameters
    ----------
    select, model, halos, redshifts, names, vector, directions, solver, chunk, progress
        As for `differentiate`.
    mode : AbstractMode, optional
        Default `Forward()`, the only one for trees.

    Raises
    ------
    ValueError
        Another mode is asked for with trees.
    """
    mode = strategy("mode", mode, Forward())
    if halos.satellites is None:
        return differentiate(
            select, model, halos, redshifts, names, vector, directions, mode=mode, solver=solver, chunk=chunk,
            progress=progress,
        )  # fmt: skip
    check_model_and_halos(model, halos)
    if not isinstance(mode, Forward):
        raise ValueError(
            f"mode: got {type(mode).__name__}; galaxies of trees act on each other and are differentiated with "
            "Forward()"
        )
    chunk = whole_number("chunk", chunk, meaning="halos")
    solver = mode.solver(strategy("solver", solver, LaneSolver()))
    redshifts = check_redshifts(halos, redshifts, apart=False)
    directions, vector = np.asarray(directions, np.float64), jnp.asarray(vector)
    width = mode.columns or len(directions)

    def function(vector, halos):
        changed, universe = with_vector(model, halos.cosmology, names, vector)
        trees = dataclasses.replace(halos, cosmology=universe)
        population = evolve(changed, trees, redshifts, solver=solver, chunk=chunk)
        return select(population), (population.valid, population.status, population.halo.mvir)

    columns: list[Any] = []
    for first in range(0, len(directions), width):
        block = np.zeros((width, directions.shape[1]))
        block[: len(directions) - first] = directions[first : first + width]
        # The last block is filled up, so that the number of parameters needs no other program.
        values, derivatives, auxiliary = jax.tree.map(np.asarray, mode(function, vector, jnp.asarray(block), halos))
        columns.append(derivatives)
        if progress is not None:
            progress(min(first + width, len(directions)) * len(halos), len(directions) * len(halos))
    valid = auxiliary[0]

    def joined(*blocks):
        leaf = np.concatenate(blocks, axis=-1)[..., : len(directions)]
        defined = valid if leaf.ndim > 2 and leaf.shape[:2] == valid.shape else np.any(valid, axis=1)
        return np.where(defined.reshape(defined.shape + (1,) * (leaf.ndim - defined.ndim)), leaf, np.nan)

    return Differentiated(values, jax.tree.map(joined, *columns), *auxiliary)
