"""Functions with a removable singularity, evaluated smoothly through it."""

import jax.numpy as jnp
from jaxtyping import Float

from ..annotations import Array

__all__ = ["power_integral"]


def power_integral(power: Float[Array, "..."], low: Float[Array, "..."]) -> Float[Array, "..."]:
    """The integral of x^(power - 1) from `low` to 1, finite and smooth through power = 0, where it is -ln(low).

    Parameters
    ----------
    power : array, shape (...)
    low : float or array, shape (...)
        Lower limit, above 0.

    Examples
    --------
    >>> [round(float(power_integral(jnp.array(power), 0.1)), 4) for power in (-1.0, 0.0, 1.0)]
    [9.0, 2.3026, 0.9]
    """
    u = power * jnp.log(low)
    small = jnp.abs(u) < 1e-3
    safe = jnp.where(small, 1.0, u)
    series = 1.0 + u / 2.0 * (1.0 + u / 3.0 * (1.0 + u / 4.0 * (1.0 + u / 5.0)))
    return -jnp.log(low) * jnp.where(small, series, jnp.expm1(safe) / safe)
