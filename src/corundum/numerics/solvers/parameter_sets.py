"""Trajectories times parameter sets as one list of work.

Under `jax.vmap` a loop over lanes would run every parameter set until the slowest trajectory of the slowest set is
done.  Here a batch of sets becomes one longer list of trajectories, each of which reads the parameters of its own set,
so that 100 sets of 1000 halos cost as much as 100 000 halos.
"""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Float

from ...annotations import Array
from ..rows import Rows, take
from .base import Equation, Stops, Trajectory

__all__ = ["flat_over_sets"]


def flat_over_sets(
    search: Callable[..., Trajectory],
    solver: Any,
    equation: Equation,
    start: Float[Array, " n"],
    initial: Any,
    stops: Stops,
    args: Any,
) -> Trajectory:
    """``search(solver, equation, start, ...)``, which under `jax.vmap` solves all sets as one list.

    Parameters
    ----------
    search : callable
        Solves one list of trajectories.
    solver, equation, start, initial, stops, args
        As in `AbstractSolver`.
    """
    arrays, static = eqx.partition((solver, start, initial, stops, args), eqx.is_array)

    @jax.custom_batching.custom_vmap
    def solve(arrays):
        solver, *problem = eqx.combine(arrays, static)
        return search(solver, equation, *problem)

    @solve.def_vmap
    def solve_sets(sets, batched, arrays):
        solver, start, initial, stops, args = eqx.combine(arrays, static)
        (of_arrays,) = batched
        flags = eqx.combine(of_arrays, jax.tree.map(lambda leaf: False, static))  # functions are the same in all sets
        of_solver, of_start, of_initial, of_stops, of_args = flags
        n = start.shape[-1]
        if any(jax.tree.leaves((of_solver, of_stops))):  # sets with different solvers or stops cannot share a list
            axes = jax.tree.map(lambda flag: 0 if flag else None, of_arrays)
            solved = jax.vmap(solve.fun, (axes,))(arrays)
            return solved, jax.tree.map(lambda leaf: True, solved)
        start, initial = (
            jax.tree.map(lambda leaf, flag: _joined(_whole(leaf, flag, sets)), tree, flags)
            for tree, flags in ((start, of_start), (initial, of_initial))
        )
        row = jnp.arange(sets * n, dtype=jnp.int32)
        flat = (_flat_rows(args, of_args), Rows(row, row))
        solved = flat_over_sets(search, solver, _of_sets(equation, of_args, n), start, initial, stops, flat)
        solved = jax.tree.map(lambda leaf: leaf.reshape(sets, n, *leaf.shape[1:]), solved)
        return solved, jax.tree.map(lambda leaf: True, solved)

    return solve(arrays)


def _whole(leaf, batched, sets):
    return leaf if batched else jnp.broadcast_to(leaf, (sets, *leaf.shape))


def _joined(leaf):
    return leaf.reshape(-1, *leaf.shape[2:])


def _is_rows(node):
    return isinstance(node, Rows)


def _flat_rows(args, batched):
    """Tables whose axis of sets is joined to that of trajectories; not `Rows`, whose row the solver would set."""

    def flat(node, flag):
        if not _is_rows(node):
            return node
        return _Table(_joined(node.table) if flag.table else node.table)

    return jax.tree.map(flat, args, batched, is_leaf=_is_rows)


class _Table(eqx.Module):
    """A table whose row follows from the place in the list."""

    table: Array


def _of_sets(equation, batched, n):
    """The equation of a place in the list: trajectory ``place % n`` under parameter set ``place // n``."""

    def of_place(args):
        args, place = args
        place = place.row

        def read(node, flag):
            if isinstance(node, _Table):
                return Rows(node.table, place if flag.table else place % n)
            return take(node, place // n) if flag else node

        return jax.tree.map(read, args, batched, is_leaf=lambda node: isinstance(node, _Table))

    return Equation(
        lambda x, y, forcing, args: equation.rates(x, y, forcing, of_place(args)),
        lambda x, args: equation.reading(x, of_place(args)),
        lambda x, reading, args: equation.forcing(x, reading, of_place(args)),
        equation.combine,
    )
