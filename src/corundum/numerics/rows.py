"""Tables that hold one row per trajectory, read lazily.

The solver moves trajectories between lanes; copying their tables along would cost more than the physics.  A `Rows`
keeps the tables of all trajectories in place and carries only the number of the row that a lane reads.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Int

from ..annotations import Array
from ..array_library import is_traced

__all__ = ["Rows", "any_over_batch", "at_rows", "chosen", "row_axes", "take"]


def chosen(tree: Any, index: Any) -> Any:
    """``array[index]`` of every array of `tree`; of known numbers in NumPy, which compiles nothing for a new shape.

    What is in NumPy stays there.

    Examples
    --------
    >>> chosen({"a": jnp.arange(4.0)}, np.array([True, False, True, False]))
    {'a': Array([0., 2.], dtype=float64)}
    """
    if is_traced((tree, index)):
        return jax.tree.map(lambda array: array[index], tree)
    index = np.asarray(index) if isinstance(index, jax.Array) else index
    rows = jax.tree.map(lambda array: np.asarray(array)[index], tree)
    return jax.device_put(rows) if any(isinstance(leaf, jax.Array) for leaf in jax.tree.leaves(tree)) else rows


def take(array: Array, index: Any) -> Array:
    """``array[index]`` for an index known to be inside and not negative: several times faster than a checked one.

    Examples
    --------
    >>> take(jnp.array([1.0, 2.0, 4.0]), jnp.array([2, 0]))
    Array([4., 1.], dtype=float64)
    """
    return array.at[index].get(mode="promise_in_bounds", wrap_negative_indices=False)


class Rows(NamedTuple):
    """One row of a table: ``rows[i]`` is its entry `i`, counted from the front.

    Attributes
    ----------
    table : array, shape (n, ...)
        The entries of all trajectories.
    row : integer
        Number of the trajectory that reads.

    Examples
    --------
    >>> row = Rows(jnp.arange(6.0).reshape(2, 3), jnp.array(1))
    >>> float(row[2]), row.entry
    (5.0, Array([3., 4., 5.], dtype=float64))
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
    """`tree` with every `Rows` in it reading `row`.

    Examples
    --------
    >>> tree = {"table": Rows(jnp.arange(6.0).reshape(2, 3), jnp.arange(2)), "number": 1.0}
    >>> at_rows(tree, jnp.array(0))["table"].entry
    Array([0., 1., 2.], dtype=float64)
    """
    return jax.tree.map(lambda node: Rows(node.table, row) if _is_rows(node) else node, tree, is_leaf=_is_rows)


def row_axes(tree: Any) -> Any:
    """``in_axes`` of `jax.vmap` over the rows of `tree`.

    Examples
    --------
    >>> row_axes({"table": Rows(jnp.ones((2, 3)), jnp.arange(2)), "number": 1.0})
    {'number': None, 'table': Rows(table=None, row=0)}
    """
    return jax.tree.map(lambda node: Rows(None, 0) if _is_rows(node) else None, tree, is_leaf=_is_rows)


def _is_rows(node: Any) -> bool:
    return isinstance(node, Rows)


@jax.custom_batching.custom_vmap
def any_over_batch(flags: Bool[Array, "..."]) -> Bool[Array, ""]:
    """Whether any flag is set, in any batch of a `jax.vmap`: a loop that continues for one batch continues for all."""
    return jnp.any(flags)


@any_over_batch.def_vmap
def _any_over_batch_rule(axis_size, in_batched, flags):
    return jnp.any(flags), False
