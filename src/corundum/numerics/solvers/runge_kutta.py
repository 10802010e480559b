"""Explicit Runge-Kutta steps of states that are pytrees of arrays, one entry per trajectory.

References
----------
Tsitouras 2011, Computers & Mathematics with Applications 62, 770 (the 5(4) pair).
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ...annotations import Array
from ..rows import take

__all__ = ["STAGES", "ORDER", "tsit5"]

_C = np.array([0.0, 0.161, 0.327, 0.9, 0.9800255409045097, 1.0, 1.0])
_A = np.zeros((7, 7))
_A[1, :1] = [0.161]
_A[2, :2] = [-0.008480655492356989, 0.335480655492357]
_A[3, :3] = [2.8971530571054935, -6.359448489975075, 4.3622954328695815]
_A[4, :4] = [5.325864828439257, -11.748883564062828, 7.4955393428898365, -0.09249506636175525]
_A[5, :5] = [5.86145544294642, -12.92096931784711, 8.159367898576159, -0.071584973281401, -0.028269050394068383]
_A[6, :6] = [
    0.09646076681806523, 0.01, 0.4798896504144996, 1.379008574103742, -3.290069515436081, 2.324710524099774
]  # fmt: skip
_ERROR = np.array(
    [-0.00178001105222577714, -0.0008164344596567469, 0.007880878010261995, -0.1447110071732629, 0.5823571654525552,
     -0.45808210592918697, 0.015151515151515152]
)  # fmt: skip
STAGES, ORDER = len(_C), 5


def tsit5(
    forcing: Callable[[Float[Array, "stage lane"]], Any],
    slope: Callable[[Float[Array, " lane"], Any, Any], Any],
    x: Float[Array, " lane"],
    y: Any,
    first: Any,
    step: Float[Array, " lane"],
) -> tuple[Any, Any, Any]:
    """One step of every trajectory.

    Parameters
    ----------
    forcing : callable
        The part of the derivative that does not depend on the state, at many places at once.
    slope : callable
        ``slope(x, y, forcing)``, the derivative.
    x : array, shape (lane,)
    y : pytree of arrays, shape (..., lane)
        The state at `x`.
    first : pytree
        Its slope.
    step : array, shape (lane,)

    Returns
    -------
    new : pytree
        The state at ``x + step``.
    last : pytree
        Its slope, which is the first of the next step.
    error : pytree
        Estimate of the local error.

    Examples
    --------
    >>> x, y, step = jnp.zeros(1), jnp.ones(1), jnp.full(1, 0.1)
    >>> new, last, error = tsit5(lambda x: x, lambda x, y, forcing: -y, x, y, -y, step)
    >>> round(float(new[0]), 7)
    0.9048374
    """
    # The last two stages are at the same place.  One loop over the stages compiles the slope once.  States stay trees
    # of one-dimensional arrays: stacking them would make XLA compute shared terms once per field.
    a, c = jnp.asarray(_A), jnp.asarray(_C)
    forced = forcing(x[None] + c[1 : STAGES - 1, None] * step[None])

    def stage(i, carry):
        slopes, _ = carry
        weights = list(take(a, i))
        new = jax.tree.map(lambda y, k: y + _step_of(k[0], step) * _weighted(weights, k), y, slopes)
        at_stage = jax.tree.map(lambda leaf: take(leaf, jnp.minimum(i, STAGES - 2) - 1), forced)
        last = slope(x + c[i] * step, new, at_stage)
        return jax.tree.map(lambda k, ki: jax.lax.dynamic_update_index_in_dim(k, ki, i, 0), slopes, last), new

    slopes = jax.tree.map(lambda k: jnp.zeros((STAGES, *k.shape)).at[0].set(k), first)
    slopes, new = jax.lax.fori_loop(1, STAGES, stage, (slopes, y))
    last = jax.tree.map(lambda k: k[-1], slopes)
    return new, last, jax.tree.map(lambda k: _step_of(k[0], step) * _weighted(_ERROR, k), slopes)


def _step_of(leaf, step):
    """The step of each trajectory in the rank of a leaf of the state, whose last axis counts the trajectories."""
    return step.reshape((1,) * (leaf.ndim - step.ndim) + step.shape)


def _weighted(weights, slopes):
    return sum(weights[j] * slopes[j] for j in range(STAGES))
