"""The default solver with tangents carried along: derivatives in forward mode from one loop.

`LaneSolver` finds its steps in one loop and repeats them in another, which JAX differentiates in every mode.  Where
only forward mode is asked for, the first loop alone is enough, with the derivative of every state beside it: half as
much to compile, and the same derivative, because the choice of steps has none.
"""

from typing import Any

from jaxtyping import Float

from ...annotations import Array
from .base import AbstractSolver, Equation, Stops, Trajectory
from .lanes import LaneSolver, search

__all__ = ["ForwardLaneSolver", "for_forward_mode"]


class ForwardLaneSolver(AbstractSolver):
    """A `LaneSolver` whose solutions have derivatives in forward mode only, and compile in half the time.

    Parameters
    ----------
    lanes : LaneSolver

    Examples
    --------
    >>> decay = co.numerics.Equation(lambda x, y, forcing, args: -args * y)
    >>> solver = ForwardLaneSolver(co.numerics.LaneSolver(tolerance=1e-8))
    >>> at_one = lambda rate: solver(decay, jnp.zeros(1), jnp.ones(1), jnp.array([1.0]), rate).values[0, 0]
    >>> round(float(jax.jvp(at_one, (1.0,), (1.0,))[1]), 6)
    -0.367879
    """

    lanes: LaneSolver

    def __call__(
        self,
        equation: Equation,
        start: Float[Array, " n"],
        initial: Any,
        outputs: Float[Array, " outputs"] | Stops,
        args: Any,
    ) -> Trajectory:
        return search(self.lanes, equation, start, initial, Stops.of(outputs), args)


def for_forward_mode(solver: AbstractSolver) -> AbstractSolver:
    """`solver`, or one with the same solutions that compiles faster where derivatives are taken in forward mode.

    Examples
    --------
    >>> from corundum.numerics.solvers.forward_lanes import for_forward_mode
    >>> type(for_forward_mode(co.numerics.LaneSolver())).__name__
    'ForwardLaneSolver'
    """
    return ForwardLaneSolver(solver) if isinstance(solver, LaneSolver) else solver
