"""Whether numbers are known, or stand for any numbers while JAX traces a function."""

from typing import Any

import jax

__all__ = ["is_traced"]


def is_traced(tree: Any) -> bool:
    """Whether any leaf of `tree` is being traced by a JAX transformation.

    Examples
    --------
    >>> is_traced(1.0), is_traced({"x": jnp.ones(3)})
    (False, False)
    >>> traced = []
    >>> slope = jax.grad(lambda x: (traced.append(is_traced(x)), x**2)[1])(3.0)
    >>> traced
    [True]
    """
    return any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree.leaves(tree))
