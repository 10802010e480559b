"""The coordinate in which positive quantities are integrated: a logarithm that stays finite for an empty reservoir.

A reservoir that starts almost empty grows through many e-folds while it is still negligible, and following each of them
to a relative tolerance takes half of all steps.  The coordinate ln(X + offset) is linear in X below the offset and
logarithmic above it.
"""

from typing import Any

import jax
import jax.numpy as jnp

__all__ = ["from_coordinate", "coordinate", "coordinate_slope"]


def coordinate(values: Any, offset: Any) -> Any:
    """ln(values + offset) of every leaf.

    Examples
    --------
    >>> u = coordinate({"mass": jnp.array(9.0)}, {"mass": jnp.array(1.0)})
    >>> round(float(u["mass"]), 4), round(float(from_coordinate(u, {"mass": 1.0})["mass"]), 6)
    (2.3026, 9.0)
    """
    return jax.tree.map(lambda x, d: jnp.log(x + d), values, offset)


def from_coordinate(u: Any, offset: Any) -> Any:
    """The values whose `coordinate` is `u`.

    Examples
    --------
    >>> round(float(from_coordinate(jnp.array(0.0), 0.25)), 4)
    0.75
    """
    return jax.tree.map(lambda u, d: jnp.exp(u) - d, u, offset)


def coordinate_slope(values: Any, slope: Any, offset: Any) -> Any:
    """Rate of change of the coordinate where the values change at the rate `slope`.

    Examples
    --------
    >>> coordinate_slope(9.0, 20.0, 1.0)
    2.0
    """
    return jax.tree.map(lambda x, s, d: s / (x + d), values, slope, offset)
