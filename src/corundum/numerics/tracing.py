"""Whether numbers are known or being traced."""

from typing import Any

import jax

__all__ = ["is_traced"]


def is_traced(tree: Any) -> bool:
    """Whether any leaf of `tree` is being traced by a JAX transformation."""
    return any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree.leaves(tree))
