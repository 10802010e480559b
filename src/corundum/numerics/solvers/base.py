"""What a population solver is: the interface of the engines.

A solver owns the method, the tolerances and the step limit; it knows nothing of what it integrates.  A trajectory that
cannot be finished is reported by its status, never by an exception or a special value.
"""

import abc
from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from ..tracing import is_traced

__all__ = ["STATUS", "AbstractSolver", "Equation", "Stops", "Trajectory", "check_settings"]

STATUS = {
    0: "solved",
    1: "needed more steps than the solver's max_steps",
    2: "the step size fell below the smallest allowed",
    3: "the solution stopped being finite",
    4: "the implicit solver failed",
}
"""What each status means."""


class Equation(NamedTuple):
    """The equation of one trajectory, dy/dx = combine(rates(x, y, forced, args)), `y` a pytree of arrays.

    In four parts, because a compiler that merges them would work out again for each result what several share.

    Attributes
    ----------
    rates : callable
        ``rates(x, y, forced, args)``: what the components of the derivative share, such as flows between them.
    reading : callable
        ``reading(x, args)``: what tables hold at `x`; nothing by default.
    forcing : callable
        ``forcing(x, read, args)``, made of the reading: all that does not depend on the state; by default the reading.
    combine : callable
        ``combine(rates)``: the derivative, a pytree like `y`; by default the rates are the derivative.
    """

    rates: Callable[[Float[Array, ""], Any, Any, Any], Any]
    reading: Callable[[Float[Array, ""], Any], Any] = lambda x, args: ()
    forcing: Callable[[Float[Array, ""], Any, Any], Any] = lambda x, read, args: read
    combine: Callable[[Any], Any] = lambda rates: rates

    def __call__(self, x: Float[Array, ""], y: Any, args: Any) -> Any:
        return self.combine(self.rates(x, y, self.forcing(x, self.reading(x, args), args), args))


class Stops(NamedTuple):
    """Where steps end, which may be at more places than are wanted.

    Attributes
    ----------
    at : array, shape (stops,), sorted
    outputs : integer array, shape (outputs,)
        The numbers of those that are outputs, in the order wanted.
    """

    at: Float[Array, " stops"]
    outputs: Int[Array, " outputs"]

    @classmethod
    def of(cls, outputs: "Float[Array, ' outputs'] | Stops") -> "Stops":
        """Sorted outputs and nothing else, unless they are stops already."""
        return outputs if isinstance(outputs, cls) else cls(outputs, jnp.arange(len(outputs)))


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
    """Integrates an `Equation` for n trajectories through shared outputs."""

    @abc.abstractmethod
    def __call__(
        self,
        equation: Equation,
        start: Float[Array, " n"],
        initial: Any,
        outputs: Float[Array, " outputs"] | Stops,
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
        outputs : array, or Stops
            Sorted; an output before a start gives the initial state.  Steps end on every one of them, and on the other
            stops, so that a place where the equation jumps, put among them, costs no accuracy.
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
