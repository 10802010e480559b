"""What a population solver is: the interface of the engines, and the reference engine, diffrax.

A solver owns the method, the tolerances and the step limit; it knows nothing of what it integrates.  A trajectory that
cannot be finished is reported by its status, never by an exception or a special value.
"""

import abc
from collections.abc import Callable
from typing import Any, NamedTuple

import diffrax
import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from .batching import is_traced
from .rows import at_rows, row_axes

__all__ = ["STATUS", "Equation", "Trajectory", "AbstractSolver", "DiffraxSolver", "check_settings"]

STATUS = {
    0: "solved",
    1: "needed more steps than the solver's max_steps",
    2: "the step size fell below the smallest allowed",
    3: "the solution stopped being finite",
    4: "the implicit solver failed",
}
"""What each status means."""


class Equation(NamedTuple):
    """The equation of one trajectory: dy/dx = combine(rates(x, y, forcing(x, args), args)), `y` a pytree of arrays.

    Attributes
    ----------
    forcing : callable
        ``forcing(x, args)``: all that does not depend on the state.
    rates : callable
        ``rates(x, y, forced, args)``: what the components of the derivative share, such as flows between them.
    combine : callable
        ``combine(rates)``: the derivative, a pytree like `y`; by default the rates are the derivative.
    """

    forcing: Callable[[Float[Array, ""], Any], Any]
    rates: Callable[[Float[Array, ""], Any, Any, Any], Any]
    combine: Callable[[Any], Any] = lambda rates: rates

    def __call__(self, x: Float[Array, ""], y: Any, args: Any) -> Any:
        return self.combine(self.rates(x, y, self.forcing(x, args), args))


class Trajectory(NamedTuple):
    """Solutions of n initial value problems.

    Attributes
    ----------
    values : pytree of arrays, shape (n, outputs, ...); undefined where the status is not 0
    status : integer array, shape (n,), keys of `STATUS`
    steps : integer array, shape (n,), steps tried
    rejected : integer array, shape (n,), steps of these that were rejected
    """

    values: Any
    status: Int[Array, " n"]
    steps: Int[Array, " n"]
    rejected: Int[Array, " n"]


class AbstractSolver(eqx.Module):
    """Integrates an `Equation` for n trajectories through shared, sorted outputs."""

    @abc.abstractmethod
    def __call__(
        self,
        equation: Equation,
        start: Float[Array, " n"],
        initial: Any,
        outputs: Float[Array, " outputs"],
        args: Any,
    ) -> Trajectory:
        """Solve all trajectories.

        Parameters
        ----------
        equation : Equation
            Of one trajectory.
        start : array, shape (n,)
            Where each trajectory starts.
        initial : pytree of arrays, shape (n, ...)
            In which state each one starts; most efficient with arrays of shape (n,).
        outputs : array
            Sorted; an output before a start gives the initial state.  Steps end on every one of them, so that a place
            where the equation jumps, put among the outputs, costs no accuracy.
        args : pytree
            Passed to `equation`; the `Rows` in it read the row of the trajectory.
        """


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
        outputs: Float[Array, " outputs"],
        args: Any,
    ) -> Trajectory:
        one = lambda start, initial, args: self._solve(equation, start, initial, outputs, args)  # noqa: E731
        return jax.vmap(one, in_axes=(0, 0, row_axes(args)))(start, initial, at_rows(args, jnp.arange(len(start))))

    def _solve(self, equation, start, initial, outputs, args):
        outputs = jnp.maximum(outputs, start)
        solution = diffrax.diffeqsolve(
            diffrax.ODETerm(equation),
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
        finite = jnp.all(jnp.array([jnp.all(jnp.isfinite(leaf)) for leaf in jax.tree.leaves(solution.ys)]))
        status = _status(solution.result, finite)
        return Trajectory(solution.ys, status, solution.stats["num_steps"], solution.stats["num_rejected_steps"])


def check_settings(solver: AbstractSolver, *fractions: str) -> None:
    """Raise ValueError where a step limit or one of the settings named (between 0 and 1) makes no sense."""
    for name in fractions:
        value = getattr(solver, name)
        if is_traced(value):
            continue
        if not 0.0 < value < 1.0:
            raise ValueError(f"solver {name}: got {float(value)}; allowed 0 < {name} < 1")
    if not (isinstance(solver.max_steps, int) and solver.max_steps > 0):
        raise ValueError(f"solver max_steps: got {solver.max_steps!r}; allowed a positive integer")


def _error_norm(scaled):
    # A trial step that overflows has an error of inf / inf; taken as NaN it would freeze the step size for good.
    # Step sizes stay out of derivatives; the square root of a zero error would bring a NaN into the reverse pass.
    leaves = [jax.lax.stop_gradient(leaf) for leaf in jax.tree.leaves(scaled)]
    norm = jnp.sqrt(sum(jnp.mean(leaf**2) for leaf in leaves) / len(leaves))
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
