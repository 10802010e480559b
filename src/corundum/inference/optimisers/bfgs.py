"""Quasi-Newton steps with a line search."""

from typing import Any

import equinox as eqx
import jax
import optimistix as optx
from jaxtyping import Float

from ...annotations import Array
from ...numerics.compiling import compiled
from ..evaluate import ln_density
from ..target import Target
from .base import AbstractOptimiser

__all__ = ["BFGS"]


class BFGS(AbstractOptimiser):
    """Quasi-Newton steps with a line search, by optimistix.

    Parameters
    ----------
    rtol, atol : float
        A start ends when both its step in u and its gain in log density are smaller than these.
    max_steps : int

    Examples
    --------
    >>> result = co.inference.maximise(target, starts=2, optimiser=co.inference.BFGS())
    >>> result.converged
    True
    """

    rtol: float = eqx.field(static=True, default=1e-5)
    atol: float = eqx.field(static=True, default=1e-3)
    max_steps: int = eqx.field(static=True, default=150)

    def __call__(
        self, target: Target, u: Float[Array, "s p"], y: Float[Array, "s m"]
    ) -> tuple[Float[Array, "s p"], Any]:
        return _bfgs(self, target, u, y)


@compiled
def _bfgs(settings, target, u, y):
    solver = optx.BFGS(rtol=settings.rtol, atol=settings.atol)

    def of_one_start(u, y):
        solution = optx.minimise(
            lambda point, args: -ln_density(point, *args), solver, u, args=(target, y), max_steps=settings.max_steps,
            throw=False,
        )  # fmt: skip
        return solution.value, solution.stats["num_steps"]

    return jax.vmap(of_one_start)(u, y)  # not shared among devices: lineax does not know arrays of one of several
