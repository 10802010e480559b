"""Reading the histories of galaxies between the times at which they were kept."""

from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ..annotations import Array
from ..numerics.rows import take
from ..numerics.tracing import is_traced
from ..plain_numbers import float64

__all__ = ["interpolated"]


def interpolated(
    values: Float[Array, "n s"],
    knots: Float[Array, " s"],
    times: Sequence[float] | Float[Array, " t"],
    last: Float[Array, ""],
) -> Float[Array, "n t"]:
    """Histories between their first time and `last`, linear in ln(t), NaN beside a NaN.

    Parameters
    ----------
    values : array, shape (N, S)
    knots : array, shape (S,)
        Cosmic ages [Gyr] of the values, increasing.
    times : array, shape (T,)
        Cosmic ages [Gyr].
    last : float
        Latest cosmic age [Gyr] that may be asked for.

    Raises
    ------
    ValueError
        A time lies outside.

    Examples
    --------
    >>> float(interpolated(jnp.array([[1.0, 3.0]]), jnp.array([1.0, 4.0]), [2.0], 4.0)[0, 0])
    2.0
    """
    times = jnp.atleast_1d(float64("times", times, "Gyr"))
    _check_inside(times, knots[0], last)
    ln_knots, ln_times = jnp.log(knots), jnp.log(times)
    if len(ln_knots) < 2:
        return jnp.broadcast_to(values, (len(values), len(times)))
    right = jnp.clip(jnp.searchsorted(ln_knots, ln_times), 1, len(ln_knots) - 1)
    weight = (ln_times - take(ln_knots, right - 1)) / (take(ln_knots, right) - take(ln_knots, right - 1))
    weight = jnp.clip(weight, 0.0, 1.0)
    finite = jnp.isfinite(values)
    # Interpolated without the NaN, which would reach derivatives that do not use them.
    filled = jnp.where(finite, values, 0.0)
    low, high = filled[:, right - 1], filled[:, right]
    return jnp.where(finite[:, right - 1] & finite[:, right], low + weight * (high - low), jnp.nan)


def _check_inside(times, first, last):
    if is_traced((times, first, last)):
        return
    outside = np.asarray(times)[(np.asarray(times) < first * (1.0 - 1e-6)) | (np.asarray(times) > last * (1.0 + 1e-6))]
    if len(outside):
        raise ValueError(
            f"times: got {', '.join(f'{time:g}' for time in outside)} Gyr; these histories cover "
            f"{float(first):.4g} to {float(last):.4g} Gyr; ask for times inside, or evolve with history_times=..."
        )
