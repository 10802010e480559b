"""Exact derivatives of what a population holds, halo by halo, with respect to any numbers of model and cosmology.

`differentiate` takes derivatives through the solver, and most of this family reads its result.  The derivatives are
those of the discrete solution: step sizes are treated as constants (see `corundum.numerics.solvers.lanes`), so they
agree with finite differences as the tolerance tightens.  Directions are processed in blocks of a fixed number, so that
a request for other parameters compiles nothing again.
"""

import abc
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float, Int

from ..annotations import Array
from ..arguments import strategy, whole_number
from ..halos import HaloHistories
from ..halos.per_halo import per_halo_values
from ..models import AbstractModel
from ..models.checks.arguments import check_apart, check_model_and_halos
from ..numerics.batching import map_batch
from ..numerics.compiling import compiled
from ..numerics.solvers.base import AbstractSolver
from ..numerics.solvers.forward_lanes import for_forward_mode
from ..numerics.solvers.lanes import LaneSolver
from ..plain_numbers import plain_numbers
from ..population import Population, evolve
from ..population.problem import without_galaxies
from ..printing import Component
from .parameter_space import with_vector

__all__ = [
    "AbstractMode",
    "FORWARD_LIMIT",
    "Forward",
    "Reverse",
    "Differentiated",
    "differentiate",
    "values_at",
    "check_redshifts",
]

FORWARD_LIMIT = 24
"""Parameters up to which gradients are computed in forward mode; with more, in reverse mode."""


class Differentiated(NamedTuple):
    """Values of N halos and their derivatives along C directions.

    Attributes
    ----------
    values : pytree of arrays, shape (N, ...); NaN where a galaxy is not valid
    derivatives : pytree of arrays, shape (N, ..., C), with the structure of `values`
    valid : boolean array, shape (N, K)
    status : integer array, shape (N,)
        Keys of `corundum.population.STATUS`.
    mvir : array, shape (N, K) [Msun]
    """

    values: Any
    derivatives: Any
    valid: Bool[Array, "n k"]
    status: Int[Array, " n"]
    mvir: Float[Array, "n k"]


class AbstractMode(Component):
    """How derivatives pass through the solver.

    `columns` is the number of directions taken at once; None takes all of them.  Where rows of halos without a galaxy
    cost next to nothing, `sizes` names numbers of rows that batches are filled up to with these, so that another number
    of halos needs no other program; with none, batches are computed as they are.

    Examples
    --------
    A mode returns values, derivatives along the directions, and whatever else the function returns:

    >>> class OneByOne(co.sensitivity.AbstractMode):
    ...     columns: int | None = 1
    ...
    ...     def __call__(self, function, vector, directions, batch):
    ...         return co.sensitivity.Forward(columns=1)(function, vector, directions, batch)
    >>> function = lambda vector, batch: (batch * vector[0] ** 2, None)
    >>> values, derivatives, _ = OneByOne()(function, jnp.array([3.0]), jnp.eye(1), jnp.array([1.0, 2.0]))
    >>> derivatives[:, 0].tolist()
    [6.0, 12.0]
    """

    columns: eqx.AbstractVar[int | None]
    sizes: ClassVar[tuple[int, ...]] = ()

    def solver(self, solver: AbstractSolver) -> AbstractSolver:
        """The solver to use in place of `solver`: one with the same solutions that suits the mode."""
        return solver

    @abc.abstractmethod
    def __call__(
        self, function: Callable, vector: Float[Array, " p"], directions: Float[Array, "c p"], batch: Any
    ) -> tuple[Any, Any, Any]:
        """``(values, derivatives, auxiliary)`` of ``function(vector, batch) -> (values, auxiliary)``.

        Derivatives have the directions on their last axis; all arrays have halos on their first.
        """


class Forward(AbstractMode):
    """Forward mode: tangents integrated along with the solution; the default.

    It is the faster mode for up to some tens of parameters.

    Parameters
    ----------
    columns : int
        Directions carried at once; bounds the memory.

    Examples
    --------
    >>> function = lambda vector, batch: (jnp.sin(vector[0] * batch), None)
    >>> batch, directions = jnp.array([0.0, 1.0]), jnp.eye(1)
    >>> values, derivatives, _ = co.sensitivity.Forward()(function, jnp.array([2.0]), directions, batch)
    >>> np.asarray(derivatives)[:, 0].round(3)  # x cos(2 x)
    array([ 0.   , -0.416])
    """

    columns: int | None = eqx.field(default=8, static=True)
    sizes: ClassVar[tuple[int, ...]] = (64, 512)

    def __check_init__(self):
        whole_number("columns", self.columns, meaning="directions carried at once", floats=False)

    def solver(self, solver: AbstractSolver) -> AbstractSolver:
        """`solver`, or one that carries tangents along."""
        return for_forward_mode(solver)

    def __call__(
        self, function: Callable, vector: Float[Array, " p"], directions: Float[Array, "c p"], batch: Any
    ) -> tuple[Any, Any, Any]:
        def along(direction):
            return jax.jvp(lambda v: function(v, batch), (vector,), (direction,), has_aux=True)

        values, tangents, auxiliary = jax.vmap(along, out_axes=(None, -1, None))(directions)
        return values, tangents, auxiliary


class Reverse(AbstractMode):
    """Reverse mode: the solution is retraced backwards.

    The cost grows with the number of outputs and not with the number of parameters.  It needs a solver that can be
    differentiated in reverse.

    Examples
    --------
    >>> function = lambda vector, batch: (jnp.sin(vector[0] * batch), batch)
    >>> batch, directions = jnp.array([0.0, 1.0]), jnp.eye(1)
    >>> values, derivatives, _ = co.sensitivity.Reverse()(function, jnp.array([2.0]), directions, batch)
    >>> np.asarray(derivatives)[:, 0].round(3)
    array([ 0.   , -0.416])
    """

    columns: int | None = eqx.field(default=None, static=True)

    def __call__(
        self, function: Callable, vector: Float[Array, " p"], directions: Float[Array, "c p"], batch: Any
    ) -> tuple[Any, Any, Any]:
        def one(row):
            # One halo at a time: its outputs do not depend on the other halos, so no zero block is computed.
            def one_halo(v):
                values, auxiliary = function(v, jax.tree.map(lambda leaf: leaf[None], row))
                values = jax.tree.map(lambda leaf: leaf[0], values)
                return values, (values, auxiliary)

            gradients, (values, auxiliary) = jax.jacrev(one_halo, has_aux=True)(vector)
            along = jax.tree.map(lambda gradient: jnp.tensordot(gradient, directions, axes=(-1, 1)), gradients)
            return values, along, jax.tree.map(lambda leaf: leaf[0], auxiliary)

        return jax.vmap(one)(batch)


def differentiate(
    select: Callable[[Population], Any],
    model: AbstractModel,
    halos: HaloHistories,
    redshifts: Sequence[float] | Float[Array, " k"],
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
        Maps a `Population` to arrays whose first axis is the halo.  Pass the same object, or an `equinox.Module`, in
        every call: a new function is compiled again.
    model : AbstractModel
    halos : HaloHistories
    redshifts : array, shape (K,)
    names : tuple of str
        Numbers that may vary; see `corundum.sensitivity.parameter_space.varied_names`.
    vector : array, shape (P,)
        Their values at which to differentiate.
    directions : array, shape (C, P)
    mode : AbstractMode, optional
        Default `Forward()`.
    solver : AbstractSolver, optional
        Default `LaneSolver()`.
    chunk : int, optional
        Halos at once on each device.
    progress : callable, optional
        Called as ``progress(done, total)`` in halos, counted once for each block of directions.
    """
    check_model_and_halos(model, halos)
    mode = strategy("mode", mode, Forward())
    solver = strategy("solver", solver, LaneSolver())
    chunk = whole_number("chunk", chunk, meaning="halos")
    redshifts = check_redshifts(halos, redshifts)
    directions = np.asarray(directions, np.float64)
    width = mode.columns or len(directions)
    blocks = -(-len(directions) // width)
    padded = np.concatenate([directions, np.zeros((blocks * width - len(directions), directions.shape[1]))])
    batch = per_halo_values(halos)
    whole = (halos.time, halos.cosmology, halos.interpolation)
    solved = []
    for block in range(blocks):
        block_progress = None if progress is None else _progress_of_block(progress, block, blocks, len(halos))
        block_directions = jnp.asarray(padded[block * width : (block + 1) * width])
        shared = (mode, select, model, solver, whole, redshifts, names, jnp.asarray(vector), block_directions)
        solved.append(
            map_batch(
                _differentiate_batch, shared, batch, chunk=chunk, idle=without_galaxies if mode.sizes else None,
                sizes=mode.sizes, progress=block_progress,
            )
        )  # fmt: skip
    values, _, (valid, status, mvir) = solved[0]
    derivatives = jax.tree.map(
        lambda *leaves: np.concatenate(leaves, axis=-1)[..., : len(directions)],
        *[block_derivatives for _, block_derivatives, _ in solved],
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
    batch = per_halo_values(halos)
    whole = (halos.time, halos.cosmology, halos.interpolation)
    return _values_at(select, model, solver, whole, redshifts, names, jnp.asarray(vectors), batch)


@compiled
def _values_at(select, model, solver, whole, redshifts, names, vectors, batch):
    return jax.vmap(lambda vector: select(_population(model, solver, whole, redshifts, names, vector, batch)))(vectors)


def _population(model, solver, whole, redshifts, names, vector, batch) -> Population:
    time, cosmology, interpolation = whole
    changed, universe = with_vector(model, cosmology, names, vector)
    halos = HaloHistories(time, **batch, cosmology=universe, interpolation=interpolation)
    return evolve(changed, halos, redshifts, solver=solver)


def _differentiate_batch(shared, batch):
    mode, select, model, solver, whole, redshifts, names, vector, directions = shared
    solver = mode.solver(solver)

    def function(vector, batch):
        population = _population(model, solver, whole, redshifts, names, vector, batch)
        return select(population), (population.valid, population.status, population.halo.mvir)

    values, derivatives, auxiliary = mode(function, vector, directions, batch)
    valid = auxiliary[0]
    failed = ~jnp.any(valid, axis=1)

    def masked(leaf):
        # JAX gives zero for the derivative of a masked value; a galaxy that is not valid has no derivative: NaN.
        defined = valid if leaf.ndim > 1 and leaf.shape[:2] == valid.shape else ~failed
        return jnp.where(defined.reshape(defined.shape + (1,) * (leaf.ndim - defined.ndim)), leaf, jnp.nan)

    return values, jax.tree.map(masked, derivatives), auxiliary


def _progress_of_block(progress, block, blocks, halos):
    return lambda done, total: progress(block * halos + done, blocks * halos)


def check_redshifts(halos: HaloHistories, redshifts: Any, *, apart: bool = True) -> Float[Array, " k"]:
    """Output redshifts as an array, checked against the time span of the halo histories.

    Parameters
    ----------
    halos : HaloHistories
    redshifts : number or sequence of float
    apart : bool, optional
        Whether halos with satellites are refused.

    Returns
    -------
    array, shape (K,)

    Raises
    ------
    ValueError
        No redshift was given, or one lies outside the histories.

    Examples
    --------
    >>> co.sensitivity.check_redshifts(halos, [0.0, 2.0]).tolist()
    [0.0, 2.0]
    """
    outputs = np.atleast_1d(np.asarray(plain_numbers("redshifts", redshifts), np.float64))
    if outputs.ndim != 1 or not len(outputs):
        raise ValueError("redshifts: got none, or a nested list; give at least one, as a number or a flat list")
    if apart:
        check_apart(halos)
    first, last = np.asarray(halos.cosmology.redshift(np.asarray(halos.time)[[0, -1]]))
    outside = [z for z in outputs if not last - 1e-6 <= z <= first + 1e-6]
    if outside:
        raise ValueError(
            f"redshifts: got {', '.join(f'{z:g}' for z in outside)}; these histories cover {halos.span}; "
            "give redshifts inside that range"
        )
    return jnp.asarray(outputs)
