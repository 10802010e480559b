"""Keeping the compiler from merging computations.

XLA merges elementwise operations into one kernel per result and repeats in each kernel what several results share.
The components of a right-hand side share most of their terms, so that merging them costs several times the work.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from ..annotations import Array

__all__ = ["materialise"]


def materialise(function: Callable, flag: Array, *args: Any) -> Any:
    """``function(*args)``, with all results stored before anything uses them.

    Parameters
    ----------
    function : callable
    flag : boolean scalar
        True, but known only when the program runs: the compiler cannot merge a branch that might not be taken with the
        operations after it.
    *args : pytrees of arrays

    Examples
    --------
    >>> add = jax.jit(lambda x: materialise(lambda x: x + 1.0, jnp.isfinite(x), x) * 2.0)
    >>> float(add(2.0))
    6.0
    """
    function = jax.jit(function, inline=True)  # traced once, for its shapes and for the branch
    shapes = jax.eval_shape(function, *args)

    def zeros(*args):
        return jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shapes)

    return jax.lax.cond(flag, function, zeros, *args)
