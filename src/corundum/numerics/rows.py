"""Tables that hold one row per trajectory, read lazily.

The solver moves trajectories between lanes; copying their tables along would cost more than the physics.  A `Rows`
keeps the tables of all trajectories in place and only carries the number of the row that a lane reads.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Int

__all__ = ["Rows", "any_over_batch", "at_rows", "row_axes", "take"]


def take(array: Array, index: Any) -> Array:
    """``array[index]`` for an index known to lie inside, not negative: several times faster than a checked one."""
    return array.at[index].get(mode="promise_in_bounds", wrap_negative_indices=False)


class Rows(NamedTuple):
    """One row of a table: ``rows[i]`` is entry `i` of it, counted from the front.

    Attributes
    ----------
    table : array, shape (n, ...)
        Of all trajectories.
    row : integer
        The trajectory that reads.
    """

    table: Array
    row: Int[Array, ""]

    def __getitem__(self, index: Any) -> Array:
        return take(self.table, (self.row, *index) if isinstance(index, tuple) else (self.row, index))

    @property
    def entry(self) -> Array:
        """The whole row."""
        return take(self.table, self.row)


def at_rows(tree: Any, row: Int[Array, "..."]) -> Any:
    """`tree` with every `Rows` in it reading `row`."""
    return jax.tree.map(lambda node: Rows(node.table, row) if _is_rows(node) else node, tree, is_leaf=_is_rows)


def row_axes(tree: Any) -> Any:
    """``in_axes`` of `jax.vmap` over the rows of `tree`."""
    return jax.tree.map(lambda node: Rows(None, 0) if _is_rows(node) else None, tree, is_leaf=_is_rows)


def _is_rows(node: Any) -> bool:
    return isinstance(node, Rows)


@jax.custom_batching.custom_vmap
def any_over_batch(flags: Bool[Array, "..."]) -> Bool[Array, ""]:
    """Whether any flag is set, in all batches of a `jax.vmap` too: a loop that goes on for one goes on for all."""
    return jnp.any(flags)


@any_over_batch.def_vmap
def _anywhere_in_batch(axis_size, in_batched, flags):
    return jnp.any(flags), False
