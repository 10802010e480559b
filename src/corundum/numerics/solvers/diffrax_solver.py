"""The reference solver: diffrax, with any of its methods."""

from typing import Any

import diffrax
import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Float

from ...annotations import Array
from ..rows import at_rows, row_axes, take
from .base import AbstractSolver, Equation, Stops, Trajectory, check_settings

__all__ = ["DiffraxSolver"]

_SMALLEST_STEP = 1e-13
_BEYOND = 1e-12  # of the independent variable: a few of the smallest steps


class DiffraxSolver(AbstractSolver):
    """Any diffrax method under a PID step-size controller.

    Parameters
    ----------
    rtol, atol : float
        Tolerances on the integrated coordinates (logarithms, for galaxy models).
    first_step : float
        First step in the independent variable (e-folds of time).
    max_steps : int
        Steps after which a trajectory is given up.
    method : diffrax.AbstractSolver
        Default Tsit5.
    adjoint : diffrax.AbstractAdjoint
        How derivatives pass through the solve; the default is forward mode.

    Raises
    ------
    ValueError
        A tolerance or the step limit is out of range.

    Examples
    --------
    >>> decay = co.numerics.Equation(lambda x, y, forcing, args: -y)
    >>> trajectory = co.numerics.DiffraxSolver()(decay, jnp.zeros(1), jnp.ones(1), jnp.array([1.0]), None)
    >>> round(float(trajectory.values[0, 0]), 6)
    0.367879
    """

    rtol: float = eqx.field(default=1e-7, converter=float, static=True)
    atol: float = eqx.field(default=1e-7, converter=float, static=True)
    first_step: float = eqx.field(default=1e-10, converter=float, static=True)
    max_steps: int = eqx.field(default=65536, static=True)
    method: diffrax.AbstractSolver = eqx.field(default_factory=diffrax.Tsit5)
    adjoint: diffrax.AbstractAdjoint = eqx.field(default_factory=diffrax.ForwardMode)

    def __check_init__(self):
        check_settings(self, "rtol", "atol", "first_step")

    def __call__(
        self,
        equation: Equation,
        start: Float[Array, " n"],
        initial: Any,
        outputs: Float[Array, " outputs"] | Stops,
        args: Any,
    ) -> Trajectory:
        stops = Stops.of(outputs)
        one = lambda start, initial, args: self._solve(equation, start, initial, stops, args)  # noqa: E731
        return jax.vmap(one, in_axes=(0, 0, row_axes(args)))(start, initial, at_rows(args, jnp.arange(len(start))))

    def _solve(self, equation, start, initial, stops, args):
        outputs = jnp.maximum(stops.at, start)
        solution = diffrax.diffeqsolve(
            diffrax.ODETerm(equation),
            self.method,
            t0=start,
            t1=outputs[-1],
            dt0=jnp.minimum(self.first_step, outputs[-1] - start),
            y0=initial,
            args=args,
            saveat=diffrax.SaveAt(subs=[diffrax.SubSaveAt(ts=outputs), diffrax.SubSaveAt(t1=True)]),
            stepsize_controller=diffrax.PIDController(
                rtol=self.rtol, atol=self.atol, norm=_error_norm, dtmin=_SMALLEST_STEP, force_dtmin=False
            ),
            adjoint=self.adjoint,
            max_steps=self.max_steps,
            throw=False,
        )
        saved, last = solution.ys
        status = _status(solution.result, _finite(saved))
        x, y = jax.lax.stop_gradient((solution.ts[1][0], jax.tree.map(lambda leaf: leaf[0], last)))
        status = jnp.where((status == 2) & ~_finite_beyond(equation, x, y, args), 5, status)
        values = jax.tree.map(lambda leaf: take(leaf, stops.outputs), saved)
        return Trajectory(values, status, solution.stats["num_steps"], solution.stats["num_rejected_steps"])


def _error_norm(scaled):
    # A trial step that overflows has an error of inf / inf; as NaN it would keep the step size from changing again.
    # Step sizes stay out of derivatives: the square root of a zero error would bring a NaN into the reverse pass.
    leaves = [jax.lax.stop_gradient(leaf) for leaf in jax.tree.leaves(scaled)]
    norm = jnp.sqrt(sum(jnp.mean(leaf**2) for leaf in leaves) / len(leaves))
    return jnp.where(jnp.isnan(norm), jnp.inf, norm)


def _finite(tree):
    return jnp.all(jnp.array([jnp.all(jnp.isfinite(leaf)) for leaf in jax.tree.leaves(tree)]))


def _finite_beyond(equation, x, y, args):
    """Whether the derivative is finite where a trajectory ended, and a little beyond."""
    slope = equation(x, y, args)
    beyond = jax.tree.map(lambda value, change: value + _BEYOND * change, y, slope)
    return _finite(slope) & _finite(equation(x + _BEYOND, beyond, args))


def _status(result, finite):
    known = (
        (diffrax.RESULTS.successful, 0),
        (diffrax.RESULTS.max_steps_reached, 1),
        (diffrax.RESULTS.dt_min_reached, 2),
    )
    status = jnp.full((), 4)
    for kind, code in known:
        status = jnp.where(result == kind, code, status)
    return jnp.where((status == 0) & ~finite, 3, status)
