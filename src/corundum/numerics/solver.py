"""What a population solver is: the interface of the engines.

A solver owns the method, the tolerances and the step limit; it knows nothing of what it integrates.  A trajectory that
cannot be finished is reported by its status, never by an exception or a special value.
"""

import abc
from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
from jaxtyping import Array, Float, Int

from .tracing import is_traced

__all__ = ["STATUS", "Equation", "Trajectory", "AbstractSolver", "check_settings"]

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
