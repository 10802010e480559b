"""The interface of the solvers.

A solver owns the method, the tolerances and the step limit, and knows nothing of the equation it integrates.  A
trajectory that cannot be finished is reported by its status, never by an exception or a special value.
"""

import abc
from collections.abc import Callable
from typing import Any, NamedTuple

import jax.numpy as jnp
from jaxtyping import Float, Int

from ...annotations import Array
from ...array_library import is_traced
from ...printing import Component, in_short

__all__ = ["STATUS", "AbstractSolver", "Equation", "Stops", "Trajectory", "check_settings"]

STATUS = {
    0: "solved",
    1: "needed more steps than the solver's max_steps",
    2: "the step size fell below the smallest allowed",
    3: "the solution stopped being finite",
    4: "the implicit solver failed",
    5: "a law returned NaN or infinity, however short the step",
}
"""What each status means."""


class Equation(NamedTuple):
    """The equation of one trajectory, dy/dx = combine(rates(x, y, forcing, args)), with `y` a pytree of arrays.

    It comes in four parts because the compiler, if it merged them, would compute for each result again what several
    results share.

    Attributes
    ----------
    rates : callable
        ``rates(x, y, forcing, args)``: what the components of the derivative share, such as flows between them.
    reading : callable
        ``reading(x, args)``: the entries of tables at `x`; nothing by default.
    forcing : callable
        ``forcing(x, reading, args)``: all that does not depend on the state; by default the reading.
    combine : callable
        ``combine(rates)``: the derivative, a pytree like `y`; by default the rates are the derivative.

    Examples
    --------
    >>> decay = co.numerics.Equation(lambda x, y, forcing, args: -args * y)
    >>> float(decay(0.0, jnp.array(2.0), 3.0))
    -6.0
    """

    rates: Callable[[Float[Array, ""], Any, Any, Any], Any]
    reading: Callable[[Float[Array, ""], Any], Any] = lambda x, args: ()
    forcing: Callable[[Float[Array, ""], Any, Any], Any] = lambda x, reading, args: reading
    combine: Callable[[Any], Any] = lambda rates: rates

    def __repr__(self) -> str:
        return in_short(self)

    def __call__(self, x: Float[Array, ""], y: Any, args: Any) -> Any:
        return self.combine(self.rates(x, y, self.forcing(x, self.reading(x, args), args), args))


class Stops(NamedTuple):
    """Where steps end: the outputs, and other places such as jumps of the equation.

    Attributes
    ----------
    at : array, shape (stops,), sorted
    outputs : integer array, shape (outputs,)
        Numbers of the stops that are outputs, in the order in which they are returned.

    Examples
    --------
    >>> co.numerics.Stops.of(jnp.array([1.0, 2.0])).outputs.tolist()
    [0, 1]
    >>> jump = co.numerics.Stops(jnp.array([0.5, 1.0, 2.0]), jnp.array([1, 2]))  # 0.5 is no output
    """

    at: Float[Array, " stops"]
    outputs: Int[Array, " outputs"]

    def __repr__(self) -> str:
        return in_short(self)

    @classmethod
    def of(cls, outputs: "Float[Array, ' outputs'] | Stops") -> "Stops":
        """Stops at sorted outputs and nowhere else; stops are returned unchanged."""
        return outputs if isinstance(outputs, cls) else cls(outputs, jnp.arange(len(outputs)))


class Trajectory(NamedTuple):
    """Solutions of n initial value problems.

    Attributes
    ----------
    values : pytree of arrays, shape (n, outputs, ...); undefined where the status is not 0
    status : integer array, shape (n,), keys of `STATUS`
    steps : integer array, shape (n,), steps tried
    rejected : integer array, shape (n,), steps among these that were rejected

    Examples
    --------
    >>> decay = co.numerics.Equation(lambda x, y, forcing, args: -y)
    >>> solver = co.numerics.LaneSolver()
    >>> trajectory = solver(decay, jnp.zeros(2), jnp.array([1.0, 2.0]), jnp.array([1.0, 3.0]), None)
    >>> trajectory.values.shape, trajectory.status.tolist()
    ((2, 2), [0, 0])
    """

    values: Any
    status: Int[Array, " n"]
    steps: Int[Array, " n"]
    rejected: Int[Array, " n"]

    def __repr__(self) -> str:
        return in_short(self)


class AbstractSolver(Component):
    """Integrates an `Equation` for n trajectories through shared outputs.

    Examples
    --------
    >>> class TightSolver(co.numerics.AbstractSolver):
    ...     '''The default solver with a tolerance of its own.'''
    ...     def __call__(self, equation, start, initial, outputs, args):
    ...         return co.numerics.LaneSolver(tolerance=1e-8)(equation, start, initial, outputs, args)
    >>> decay = co.numerics.Equation(lambda x, y, forcing, args: -y)
    >>> trajectory = TightSolver()(decay, jnp.zeros(1), jnp.ones(1), jnp.array([1.0]), None)
    >>> round(float(trajectory.values[0, 0]), 6)
    0.367879
    """

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
            The equation of one trajectory.
        start : array, shape (n,)
            Where each trajectory starts.
        initial : pytree of arrays, shape (n, ...)
            The state in which each one starts; most efficient with arrays of shape (n,).
        outputs : array, or Stops
            Sorted; an output before a start gives the initial state.  Steps end on all outputs and all other stops: a
            jump of the equation costs no accuracy where it is one of them.
        args : pytree
            Passed to `equation`; the `Rows` in it read the row of the trajectory.
        """


def check_settings(solver: AbstractSolver, *fractions: str) -> None:
    """Check the step limit of a solver and the named settings, which lie between 0 and 1.

    Raises
    ------
    ValueError
        One of them is out of range.

    Examples
    --------
    >>> check_settings(co.numerics.LaneSolver(), "tolerance")
    """
    for name in fractions:
        value = getattr(solver, name)
        if not is_traced(value) and not 0.0 < float(value) < 1.0:
            raise ValueError(f"solver {name}: got {float(value)}; allowed 0 < {name} < 1")
    settings: Any = solver
    max_steps = settings.max_steps
    if not (isinstance(max_steps, int) and max_steps > 0):
        raise ValueError(f"solver max_steps: got {max_steps!r}; allowed a positive integer")
