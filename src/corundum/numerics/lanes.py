"""The fast engine: explicit Runge-Kutta on many trajectories at once, each with its own adaptive step.

All lanes advance in one loop, with arrays laid out state-major so that every operation runs over contiguous lanes; a
lane that is done waits without being evaluated into trouble.  Steps land exactly on the outputs, so no interpolant is
needed there.  Step sizes are held out of derivatives: a tangent is the exact derivative of the discrete solution.

References
----------
Tsitouras 2011, Computers & Mathematics with Applications 62, 770 (the 5(4) pair).
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from .solver import AbstractSolver, Trajectory, check_settings

__all__ = ["LaneSolver"]

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
_SAFETY, _SHRINK, _GROW = 0.9, 0.2, 10.0
_SMALLEST_STEP = 1e-14


class _Lanes(NamedTuple):
    """The state of the loop; lanes on the last axis."""

    x: Float[Array, " lane"]
    y: Float[Array, "state lane"]
    slope: Float[Array, "state lane"]
    step: Float[Array, " lane"]
    output: Int[Array, " lane"]  # index of the next output
    saved: Float[Array, "lane outputs state"]
    steps: Int[Array, " lane"]
    rejected: Int[Array, " lane"]
    status: Int[Array, " lane"]
    active: Bool[Array, " lane"]


class LaneSolver(AbstractSolver):
    """Tsitouras 5(4) on lanes; the default solver.

    Parameters
    ----------
    rtol, atol : float
        Tolerances on the integrated coordinates (decades, for galaxy models).
    first_step : float
        First step in the independent variable (decades of time).
    max_steps : int
        Steps after which a trajectory is given up.
    """

    rtol: float = eqx.field(default=1e-6, converter=float, static=True)
    atol: float = eqx.field(default=1e-6, converter=float, static=True)
    first_step: float = eqx.field(default=1e-8, converter=float, static=True)
    max_steps: int = eqx.field(default=100_000, static=True)

    def __check_init__(self):
        check_settings(self)

    def __call__(
        self,
        rhs: Callable[[Float[Array, ""], Float[Array, " state"], Any], Float[Array, " state"]],
        start: Float[Array, " n"],
        initial: Float[Array, "n state"],
        outputs: Float[Array, " outputs"],
        args: Any,
        args_axes: Any = None,
    ) -> Trajectory:
        batched = jax.vmap(rhs, in_axes=(0, 1, args_axes), out_axes=1)
        function = lambda x, y: batched(x, y, args)  # noqa: E731
        # An output before the start is the initial state; it is saved here and skipped in the loop.
        early = jnp.sum(outputs[None, :] <= start[:, None], axis=1)
        saved = jnp.broadcast_to(initial[:, None, :], (*early.shape, len(outputs), initial.shape[1]))
        lanes = _Lanes(
            x=start,
            y=initial.T,
            slope=function(start, initial.T),
            step=jnp.full_like(start, self.first_step),
            output=early,
            saved=saved,
            steps=jnp.zeros_like(early),
            rejected=jnp.zeros_like(early),
            status=jnp.zeros_like(early),
            active=early < len(outputs),
        )
        lanes = jax.lax.while_loop(
            lambda lanes: jnp.any(lanes.active), lambda lanes: self._advance(function, outputs, lanes), lanes
        )
        return Trajectory(lanes.saved, lanes.status, lanes.steps, lanes.rejected)

    def _advance(self, function, outputs, lanes):
        fixed = jax.lax.stop_gradient
        target = outputs[jnp.minimum(lanes.output, len(outputs) - 1)]
        remaining = fixed(target - lanes.x)
        lands = lanes.step >= remaining * (1.0 - 1e-9)
        # Two steps to the output are better than a full one and a sliver.
        step = jnp.where(lands, remaining, jnp.where(lanes.step > 0.5 * remaining, 0.5 * remaining, lanes.step))
        y, slope, error = _tsit5(function, lanes.x, lanes.y, lanes.slope, step)

        scale = self.atol + self.rtol * jnp.maximum(jnp.abs(lanes.y), jnp.abs(y))
        size = fixed(jnp.sqrt(jnp.mean((error / scale) ** 2, axis=0)))
        good = jnp.isfinite(size)  # an overflowing trial step is only a step too long
        size = jnp.where(good, size, 1e10)
        accept = lanes.active & (size <= 1.0) & jnp.all(jnp.isfinite(fixed(slope)), axis=0)
        factor = jnp.clip(_SAFETY * jnp.maximum(size, 1e-12) ** -0.2, _SHRINK, jnp.where(accept, _GROW, _SAFETY))

        arrived = accept & lands
        index = jnp.where(arrived, lanes.output, len(outputs))
        x = lanes.x + step
        landing = y + slope * (target - x)  # zero but for the derivatives of start and output
        saved = lanes.saved.at[jnp.arange(len(index)), index].set(landing.T, mode="drop")
        output = lanes.output + arrived
        steps = lanes.steps + lanes.active
        next_step = jnp.where(arrived, jnp.maximum(lanes.step, step * factor), step * factor)
        status = jnp.where(lanes.active & (steps >= self.max_steps), 1, lanes.status)
        status = jnp.where(lanes.active & ~accept & (step < _SMALLEST_STEP), 2, status)
        status = jnp.where(output == len(outputs), 0, status)
        return _Lanes(
            x=jnp.where(accept, x, lanes.x),
            y=jnp.where(accept, y, lanes.y),
            slope=jnp.where(accept, slope, lanes.slope),
            step=jnp.where(lanes.active, next_step, lanes.step),
            output=output,
            saved=saved,
            steps=steps,
            rejected=lanes.rejected + (lanes.active & ~accept),
            status=status,
            active=lanes.active & (output < len(outputs)) & (status == 0),
        )


def _tsit5(function, x, y, slope, step):
    """One step of every lane: the new state, its slope, and the error estimate."""
    a, c = jnp.asarray(_A), jnp.asarray(_C)

    def stage(i, carry):
        slopes, _ = carry
        at = y + step * jnp.sum(a[i][:, None, None] * slopes, axis=0)
        return slopes.at[i].set(function(x + c[i] * step, at)), at

    slopes = jnp.zeros((7, *y.shape)).at[0].set(slope)
    slopes, new = jax.lax.fori_loop(1, 7, stage, (slopes, y))
    error = step * jnp.sum(jnp.asarray(_ERROR)[:, None, None] * slopes, axis=0)
    return new, slopes[6], error
