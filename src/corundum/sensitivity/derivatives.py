"""Exact derivatives of what a population holds, halo by halo, with respect to any numbers of model and cosmology.

`differentiate` is the one place where derivatives pass through the solver; everything else in this family reads its
result.  The derivatives are those of the discrete solution: step sizes are held out of them (see
`corundum.numerics.solvers.lanes`), so they agree with finite differences as the tolerance tightens.  Columns go through
in blocks of fixed size, so that asking for other parameters never compiles anything anew.
"""

import abc
from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from ..halos import HaloHistories
from ..models import AbstractModel
from ..numerics.batching import map_batch
from ..numerics.solvers.base import AbstractSolver
from ..numerics.solvers.lanes import LaneSolver
from ..parameters import require_float64
from ..population import Population, evolve
from .prior_wide.space import with_vector

__all__ = [
    "AbstractMode",
    "Forward",
    "Reverse",
    "Differentiated",
    "differentiate",
    "values_at",
    "check_redshifts",
    "PER_HALO",
]

PER_HALO = ("log_mvir", "log_concentration", "start", "weights", "log_rvir", "log_growth")


class Differentiated(NamedTuple):
    """Values of N halos and their derivatives along C directions.

    Attributes
    ----------
    values : pytree of arrays, shape (N, ...); NaN where a galaxy is not valid
    derivatives : the same pytree, arrays of shape (N, ..., C)
    valid : boolean array, shape (N, K)
    status : integer array, shape (N,), keys of `corundum.population.STATUS`
    mvir : array, shape (N, K) [Msun]
    """

    values: Any
    derivatives: Any
    valid: Bool[Array, "n k"]
    status: Int[Array, " n"]
    mvir: Float[Array, "n k"]


class AbstractMode(eqx.Module):
    """How derivatives pass through the solver."""

    columns: eqx.AbstractVar[int | None]

    @abc.abstractmethod
    def __call__(
        self, function: Callable, vector: Float[Array, " p"], directions: Float[Array, "c p"], batch: Any
    ) -> tuple[Any, Any, Any]:
        """``(values, derivatives, rest)`` of ``function(vector, batch) -> (values, rest)``.

        Derivatives have the directions on their last axis; all arrays have halos on their first.
        """


class Forward(AbstractMode):
    """Tangents carried along with the solution: the right choice for up to some tens of parameters; the default.

    Parameters
    ----------
    columns : int
        Directions carried at once; bounds the memory.
    """

    columns: int | None = eqx.field(default=8, static=True)

    def __check_init__(self):
        if not (isinstance(self.columns, int) and self.columns > 0):
            raise ValueError(f"Forward columns: got {self.columns!r}; allowed a positive whole number")

    def __call__(
        self, function: Callable, vector: Float[Array, " p"], directions: Float[Array, "c p"], batch: Any
    ) -> tuple[Any, Any, Any]:
        def along(direction):
            return jax.jvp(lambda v: function(v, batch), (vector,), (direction,), has_aux=True)

        values, tangents, rest = jax.vmap(along, out_axes=(None, -1, None))(directions)
        return values, tangents, rest


class Reverse(AbstractMode):
    """The solution retraced backwards: the cost does not grow with the number of parameters, but with the outputs.

    Needs a solver that can be differentiated in reverse.
    """

    columns: int | None = eqx.field(default=None, static=True)

    def __call__(
        self, function: Callable, vector: Float[Array, " p"], directions: Float[Array, "c p"], batch: Any
    ) -> tuple[Any, Any, Any]:
        def one(row):
            # One halo at a time: its outputs do not depend on the others, so no zero is ever propagated.
            def alone(v):
                values, rest = function(v, jax.tree.map(lambda leaf: leaf[None], row))
                values = jax.tree.map(lambda leaf: leaf[0], values)
                return values, (values, rest)

            gradients, (values, rest) = jax.jacrev(alone, has_aux=True)(vector)
            along = jax.tree.map(lambda gradient: jnp.tensordot(gradient, directions, axes=(-1, 1)), gradients)
            return values, along, jax.tree.map(lambda leaf: leaf[0], rest)

        return jax.vmap(one)(batch)


def differentiate(
    select: Callable[[Population], Any],
    model: AbstractModel,
    halos: HaloHistories,
    redshifts: Float[Array, " k"],
    names: tuple[str, ...],
    vector: Float[Array, " p"],
    directions: Float[Array, "c p"],
    *,
    mode: AbstractMode | None = None,
    solver: AbstractSolver | None = None,
    chunk: int = 1024,
    progress: Callable[[int, int], None] | None = None,
) -> Differentiated:
    """``select(population)`` of every halo and its derivatives along `directions` in the space of the named numbers.

    Parameters
    ----------
    select : callable
        Maps a `Population` to arrays whose first axis is the halo; the same object, or an `equinox.Module`, from call
        to call, or it compiles anew.
    model : AbstractModel
    halos : HaloHistories
    redshifts : array, shape (K,)
    names : tuple of str
        Numbers that may vary; see `corundum.sensitivity.prior_wide.space.varied_names`.
    vector : array, shape (P,)
        Their values at which to differentiate.
    directions : array, shape (C, P)
    mode : AbstractMode, optional
        Default `Forward()`.
    solver : AbstractSolver, optional
        Default `LaneSolver()`.
    chunk : int, optional
        Halos at once on each device; bounds the memory.
    progress : callable, optional
        Called as ``progress(done, total)`` in halos, counted once for each block of directions.
    """
    require_float64()
    mode = Forward() if mode is None else mode
    solver = LaneSolver() if solver is None else solver
    redshifts = check_redshifts(halos, redshifts)
    directions = np.asarray(directions, np.float64)
    width = mode.columns or len(directions)
    blocks = -(-len(directions) // width)
    padded = np.concatenate([directions, np.zeros((blocks * width - len(directions), directions.shape[1]))])
    batch = {name: getattr(halos, name) for name in PER_HALO}
    whole = (halos.time, halos.cosmology, halos.interpolation)
    parts = []
    for block in range(blocks):
        told = None if progress is None else _shifted(progress, block, blocks, len(halos))
        ahead = jnp.asarray(padded[block * width : (block + 1) * width])
        shared = (mode, select, model, solver, whole, redshifts, names, jnp.asarray(vector), ahead)
        parts.append(map_batch(_differentiate_batch, shared, batch, chunk=chunk, progress=told))
    values, _, (valid, status, mvir) = parts[0]
    derivatives = jax.tree.map(
        lambda *leaves: np.concatenate(leaves, axis=-1)[..., : len(directions)], *[part[1] for part in parts]
    )
    return Differentiated(jax.tree.map(np.asarray, values), derivatives, *map(np.asarray, (valid, status, mvir)))


def values_at(
    select: Callable[[Population], Any],
    model: AbstractModel,
    halos: HaloHistories,
    redshifts: Float[Array, " k"],
    names: tuple[str, ...],
    vectors: Float[Array, "s p"],
    *,
    solver: AbstractSolver,
) -> Any:
    """``select(population)`` at each of many vectors of the named numbers, solved as one list of work.

    Parameters
    ----------
    select, model, halos, redshifts, names, solver
        As for `differentiate`.
    vectors : array, shape (S, P)

    Returns
    -------
    pytree of arrays, shape (S, N, ...)
    """
    batch = {name: getattr(halos, name) for name in PER_HALO}
    whole = (halos.time, halos.cosmology, halos.interpolation)
    return _values_at(select, model, solver, whole, redshifts, names, jnp.asarray(vectors), batch)


@eqx.filter_jit
def _values_at(select, model, solver, whole, redshifts, names, vectors, batch):
    return jax.vmap(lambda vector: select(_population(model, solver, whole, redshifts, names, vector, batch)))(vectors)


def _population(model, solver, whole, redshifts, names, vector, batch) -> Population:
    time, cosmology, interpolation = whole
    changed, universe = with_vector(model, cosmology, names, vector)
    halos = HaloHistories(time, **batch, cosmology=universe, interpolation=interpolation)
    return evolve(changed, halos, redshifts, solver=solver)


def _differentiate_batch(shared, batch):
    mode, select, model, solver, whole, redshifts, names, vector, directions = shared

    def function(vector, batch):
        population = _population(model, solver, whole, redshifts, names, vector, batch)
        return select(population), (population.valid, population.status, population.halo.mvir)

    values, derivatives, rest = mode(function, vector, directions, batch)
    valid = rest[0]
    failed = ~jnp.any(valid, axis=1)

    def masked(leaf):
        # The derivative of a masked value is zero; a galaxy that is not there has none.
        there = valid if leaf.ndim > 1 and leaf.shape[:2] == valid.shape else ~failed
        return jnp.where(there.reshape(there.shape + (1,) * (leaf.ndim - there.ndim)), leaf, jnp.nan)

    return values, jax.tree.map(masked, derivatives), rest


def _shifted(progress, block, blocks, halos):
    return lambda done, total: progress(block * halos + done, blocks * halos)


def check_redshifts(halos: HaloHistories, redshifts: Any) -> Float[Array, " k"]:
    """`redshifts` as an array.

    Raises
    ------
    ValueError
        There is none, or one lies outside the histories.
    """
    outputs = np.atleast_1d(np.asarray(redshifts, np.float64))
    if outputs.ndim != 1 or not len(outputs):
        raise ValueError("redshifts: give at least one, as a number or a flat list")
    if not len(halos):
        raise ValueError("halos: there is none; check the selection that made them")
    first, last = np.asarray(halos.cosmology.redshift(halos.time[np.array([0, -1])]))
    outside = [z for z in outputs if not last - 1e-6 <= z <= first + 1e-6]
    if outside:
        raise ValueError(
            f"redshifts: got {', '.join(f'{z:g}' for z in outside)}; these histories cover {halos.span}; "
            "ask for times inside them"
        )
    return jnp.asarray(outputs)
