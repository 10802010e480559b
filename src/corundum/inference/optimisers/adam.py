"""Adam with an exponentially falling rate."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Float

from ...annotations import Array
from ...numerics.compiling import compiled
from ..batches import over_points
from ..evaluate import ln_density
from ..target import Target
from .base import AbstractOptimiser

__all__ = ["Adam"]


class Adam(AbstractOptimiser):
    """Adam with an exponentially falling rate, by optax; robust where the curvature misleads, and slower.

    Parameters
    ----------
    steps : int
    rate : float
        Size of the first step in u.
    decay : float
        Last rate over first.

    Examples
    --------
    >>> result = co.inference.maximise(target, starts=2, optimiser=co.inference.Adam(steps=300))
    >>> result.theta.shape
    (2,)
    """

    steps: int = eqx.field(static=True, default=300)
    rate: float = eqx.field(static=True, default=0.1)
    decay: float = eqx.field(static=True, default=1e-2)

    def __call__(
        self, target: Target, u: Float[Array, "s p"], y: Float[Array, "s m"]
    ) -> tuple[Float[Array, "s p"], Any]:
        return _adam(self, target, u, y)


@compiled
def _adam(settings, target, u, y):
    schedule = optax.exponential_decay(settings.rate, settings.steps, settings.decay)
    rule = optax.adam(schedule)

    def slope(u):
        def of_one_start(target, u, y):
            return jax.grad(lambda point: -ln_density(point, target, y))(u)

        return over_points(of_one_start, target, u, y)

    def step(carry, _):
        u, state = carry
        update, state = rule.update(slope(u), state)
        return (u + update, state), None

    (u, _), _ = jax.lax.scan(step, (u, rule.init(u)), None, length=settings.steps)
    return u, jnp.full(len(u), settings.steps)
