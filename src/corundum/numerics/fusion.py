"""Where the compiler may not merge computations.

XLA merges elementwise operations into one kernel per result, and computes what several results share again in each.
For the derivatives of a right-hand side, whose results share most of their terms, that costs several times the work.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array

__all__ = ["materialise"]


def materialise(function: Callable, flag: Array, *args: Any) -> Any:
    """``function(*args)``, whose results are all stored before anything uses them.

    Parameters
    ----------
    flag : boolean scalar
        True, but only known so when the program runs: a branch that might not be taken cannot be merged with what
        follows it.
    """
    shapes = jax.eval_shape(function, *args)

    def nothing(*args):
        return jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shapes)

    return jax.lax.cond(flag, function, nothing, *args)
