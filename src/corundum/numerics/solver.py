"""Adaptive integration of many trajectories, and the reference engine, diffrax.

`DiffraxSolver` owns the method, the tolerances and the step limit; it knows nothing of what it integrates.  A
trajectory that cannot be finished is reported by its status, never by an exception or a special value.
"""

import abc
from collections.abc import Callable
from typing import Any, NamedTuple

import diffrax
import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

__all__ = ["STATUS", "Trajectory", "AbstractSolver", "DiffraxSolver", "check_settings"]

STATUS = {
    0: "solved",
    1: "needed more steps than the solver's max_steps",
    2: "the step size fell below the smallest allowed",
    3: "the solution stopped being finite",
    4: "the implicit solver failed",
}
"""What each status means."""


class Trajectory(NamedTuple):
    """Solutions of n initial value problems.

    Attributes
    ----------
    values : array, shape (n, outputs, state); undefined where the status is not 0
    status : integer array, shape (n,), keys of `STATUS`
    steps : integer array, shape (n,), steps tried
    rejected : integer array, shape (n,), steps of these that were rejected
    """

    values: Float[Array, "n outputs state"]
    status: Int[Array, " n"]
    steps: Int[Array, " n"]
    rejected: Int[Array, " n"]


class AbstractSolver(eqx.Module):
    """Integrates dy/dx = rhs(x, y, args) of n trajectories through shared, sorted outputs."""

    @abc.abstractmethod
    def __call__(
        self,
        rhs: Callable[[Float[Array, ""], Float[Array, " state"], Any], Float[Array, " state"]],
        start: Float[Array, " n"],
        initial: Float[Array, "n state"],
        outputs: Float[Array, " outputs"],
        args: Any,
        args_axes: Any = None,
    ) -> Trajectory:
        """Solve all trajectories.

        Parameters
        ----------
        rhs : callable
            The derivative of one trajectory.
        start, initial : arrays
            Where and in which state each trajectory starts.
        outputs : array
            Sorted; an output before a start gives the initial state.
        args : pytree
            Passed to `rhs`.
        args_axes : pytree prefix
            Axes of `args` that hold one entry per trajectory, as `in_axes` of `jax.vmap`; None is shared.
        """


class DiffraxSolver(AbstractSolver):
    """Any diffrax method under a PID step-size controller.

    Parameters
    ----------
    rtol, atol : float
        Tolerances on the integrated coordinates (decades, for galaxy models).
    first_step : float
        First step in the independent variable (decades of time).
    max_steps : int
        Steps after which a trajectory is given up.
    method : diffrax.AbstractSolver
        Default Tsit5.
    adjoint : diffrax.AbstractAdjoint
        How derivatives pass through the solve; the default is forward mode.
    """

    rtol: float = eqx.field(default=1e-7, converter=float, static=True)
    atol: float = eqx.field(default=1e-7, converter=float, static=True)
    first_step: float = eqx.field(default=1e-10, converter=float, static=True)
    max_steps: int = eqx.field(default=65536, static=True)
    method: diffrax.AbstractSolver = eqx.field(default_factory=diffrax.Tsit5)
    adjoint: diffrax.AbstractAdjoint = eqx.field(default_factory=diffrax.ForwardMode)

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
        one = lambda start, initial, args: self._solve(rhs, start, initial, outputs, args)  # noqa: E731
        return jax.vmap(one, in_axes=(0, 0, args_axes))(start, initial, args)

    def _solve(self, rhs, start, initial, outputs, args):
        outputs = jnp.maximum(outputs, start)
        solution = diffrax.diffeqsolve(
            diffrax.ODETerm(rhs),
            self.method,
            t0=start,
            t1=outputs[-1],
            dt0=jnp.minimum(self.first_step, outputs[-1] - start),
            y0=initial,
            args=args,
            saveat=diffrax.SaveAt(ts=outputs),
            stepsize_controller=diffrax.PIDController(rtol=self.rtol, atol=self.atol, norm=_error_norm),
            adjoint=self.adjoint,
            max_steps=self.max_steps,
            throw=False,
        )
        status = _status(solution.result, jnp.all(jnp.isfinite(solution.ys)))
        return Trajectory(solution.ys, status, solution.stats["num_steps"], solution.stats["num_rejected_steps"])


def check_settings(solver: AbstractSolver) -> None:
    """Raise ValueError where a tolerance, first step or step limit makes no sense."""
    for name in ("rtol", "atol", "first_step"):
        value = getattr(solver, name)
        if not 0.0 < value < 1.0:
            raise ValueError(f"solver {name}: got {value}; allowed 0 < {name} < 1")
    if not (isinstance(solver.max_steps, int) and solver.max_steps > 0):
        raise ValueError(f"solver max_steps: got {solver.max_steps!r}; allowed a positive integer")


def _error_norm(scaled):
    # A trial step that overflows has an error of inf / inf; taken as NaN it would freeze the step size for good.
    # Step sizes stay out of derivatives; the square root of a zero error would bring a NaN into the reverse pass.
    norm = jnp.sqrt(jnp.mean(jax.lax.stop_gradient(scaled) ** 2))
    return jnp.where(jnp.isnan(norm), jnp.inf, norm)


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
