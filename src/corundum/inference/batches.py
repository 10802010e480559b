"""Evaluating a target at any number of points in batches of one size, so that each function compiles once."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..numerics.batching import shard_rows
from ..sensitivity.derivatives import FORWARD_LIMIT

__all__ = ["in_batches", "over_points", "WIDTH"]


WIDTH = 8
"""Points evaluated at once: enough for their galaxies to fill the lanes of the solver."""


def in_batches(function: Callable, target: Any, *rows: Any, width: int | None = None) -> Any:
    """``function(target, *rows)`` over rows (S, ...), as NumPy arrays.

    Parameters
    ----------
    function : callable
        Maps the target and rows to arrays with the same leading axis.
    target : Target
    *rows : arrays, shape (S, ...)
    width : int, optional
        Rows at once; by default `WIDTH`, or one with more than `FORWARD_LIMIT` free parameters, whose tangents fill the
        lanes at a single point.
    """
    total, width = len(rows[0]), width or (WIDTH if len(target.free) <= FORWARD_LIMIT else 1)
    batches = []
    for first in range(0, total, width):
        # The last batch is filled up by repeating its last row.
        at = np.minimum(np.arange(first, first + width), total - 1)
        values = function(target, *(jnp.asarray(row)[at] for row in rows))
        count = min(width, total - first)
        batches.append(jax.tree.map(lambda leaf, count=count: np.asarray(leaf)[:count], values))
    return jax.tree.map(lambda *leaves: np.concatenate(leaves), *batches)


def over_points(function: Callable, target: Any, *rows: Any) -> Any:
    """``function(target, *row)`` for each of S rows, (S, ...), inside a compiled function: each device takes points."""

    def on_device(target, rows):
        if len(rows[0]) == 1:  # without a batch its parameters need not be looked up for every galaxy
            return jax.tree.map(lambda leaf: leaf[None], function(target, *(row[0] for row in rows)))
        return jax.vmap(lambda *row: function(target, *row))(*rows)

    return shard_rows(on_device, target, rows)
