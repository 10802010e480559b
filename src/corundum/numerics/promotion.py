"""Functions of other packages, called under the rules for shapes and types that they are written for.

JAX can be set to refuse that arrays of different ranks or types are combined, which finds mistakes
(``jax_numpy_rank_promotion = "raise"``, ``jax_numpy_dtype_promotion = "strict"``).  corundum works under these
settings; a package that it calls may not.
"""

import functools
from collections.abc import Callable

import jax

__all__ = ["with_numpy_promotion"]


def with_numpy_promotion(function: Callable) -> Callable:
    """The same function, in which ranks and types are promoted as NumPy does, whatever JAX is set to.

    Parameters
    ----------
    function : callable

    Examples
    --------
    >>> from corundum.numerics.promotion import with_numpy_promotion
    >>> add = with_numpy_promotion(lambda x, y: x + y)
    >>> with jax.numpy_rank_promotion("raise"), jax.numpy_dtype_promotion("strict"):
    ...     add(jnp.zeros((2, 1)), jnp.ones(2, int)).shape
    (2, 2)
    """

    @functools.wraps(function)
    def call(*arguments, **keywords):
        with jax.numpy_rank_promotion("allow"), jax.numpy_dtype_promotion("standard"):
            return function(*arguments, **keywords)

    return call
