"""The coordinate in which positive quantities are integrated: the logarithm, made smooth where they start from nothing.

A reservoir that starts almost empty grows through many e-folds while it does not matter yet, and following each of them
to a relative tolerance takes half of all steps.  In ln(X + offset) the growth is linear until X passes the offset, and
the logarithm from there on.
"""

from typing import Any

import jax
import jax.numpy as jnp

__all__ = ["from_coordinate", "coordinate", "coordinate_slope"]


def coordinate(values: Any, offset: Any) -> Any:
    """ln(values + offset) of every leaf."""
    return jax.tree.map(lambda x, d: jnp.log(x + d), values, offset)


def from_coordinate(u: Any, offset: Any) -> Any:
    """The values whose `coordinate` is `u`."""
    return jax.tree.map(lambda u, d: jnp.exp(u) - d, u, offset)


def coordinate_slope(values: Any, slope: Any, offset: Any) -> Any:
    """Rate of change of the coordinate where the values change at `slope`."""
    return jax.tree.map(lambda x, s, d: s / (x + d), values, slope, offset)
