"""Reading the histories of galaxies between the times at which they were kept."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from ..annotations import Array
from ..array_library import array_library, is_traced, on_host
from ..numerics.rows import take
from ..plain_numbers import plain_numbers

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
    values, knots, times, last = on_host(values, knots, plain_numbers("times", times, "Gyr"), last)
    xp = array_library(values, knots, times, last)
    times = xp.atleast_1d(xp.asarray(times, np.float64))
    _check_inside(times, knots[0], last)
    ln_knots, ln_times = xp.log(knots), xp.log(times)
    if len(ln_knots) < 2:
        return xp.broadcast_to(values, (len(values), len(times)))
    right = xp.clip(xp.searchsorted(ln_knots, ln_times), 1, len(ln_knots) - 1)
    low, high = (ln_knots[end] if xp is np else take(ln_knots, end) for end in (right - 1, right))
    weight = (ln_times - low) / (high - low)
    weight = xp.clip(weight, 0.0, 1.0)
    finite = xp.isfinite(values)
    # Interpolated without the NaN, which would reach derivatives that do not use them.
    filled = xp.where(finite, values, 0.0)
    low, high = filled[:, right - 1], filled[:, right]
    return xp.where(finite[:, right - 1] & finite[:, right], low + weight * (high - low), xp.nan)


def _check_inside(times, first, last):
    if is_traced((times, first, last)):
        return
    outside = np.asarray(times)[(np.asarray(times) < first * (1.0 - 1e-6)) | (np.asarray(times) > last * (1.0 + 1e-6))]
    if len(outside):
        raise ValueError(
            f"times: got {', '.join(f'{time:g}' for time in outside)} Gyr; these histories cover "
            f"{float(first):.4g} to {float(last):.4g} Gyr; ask for times inside, or evolve with history_times=..."
        )
