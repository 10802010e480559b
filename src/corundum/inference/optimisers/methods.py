"""How to climb a log density from many starts at once: Gauss-Newton with damping, BFGS, Adam."""

import abc
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import optimistix as optx
from jaxtyping import Array, Float

from ..batches import in_batches, over_points
from ..evaluate import linearise, log_density
from ..laplace import information_at
from ..target import Target

__all__ = ["AbstractOptimiser", "GaussNewton", "BFGS", "Adam"]


class AbstractOptimiser(eqx.Module):
    """Climbs the log density from many starts at once."""

    @abc.abstractmethod
    def __call__(
        self, target: Target, u: Float[Array, "s p"], y: Float[Array, "s m"]
    ) -> tuple[Float[Array, "s p"], Any]:
        """Where each start ends, and the steps it took."""


class GaussNewton(AbstractOptimiser):
    """Newton steps with the expected information, damped as by Levenberg and Marquardt; the default.

    The expected information is positive definite everywhere, so that few steps are needed and none of them is a search
    along a line: one that does not gain is repeated with more damping, and one that gains as promised with less.
    The solution of an adaptive solver has small corners, at which its gradient promises gains that are not there: a
    start also ends when several steps together have not gained what one should.

    Parameters
    ----------
    gain : float
        A start ends when a full step promises less log density than this, or the last `patience` steps gained less.
    patience : int
    max_steps : int
    damping : float
        That of the first step, in units of the information of each parameter.
    reach : float
        Longest step of any coordinate, in standard deviations of its prior.

    References
    ----------
    Marquardt 1963, SIAM J. Appl. Math. 11, 431; Nielsen 1999, IMM-REP-1999-05 (how the damping is changed).
    """

    gain: float = eqx.field(static=True, default=2e-3)
    patience: int = eqx.field(static=True, default=8)
    max_steps: int = eqx.field(static=True, default=60)
    damping: float = eqx.field(static=True, default=1e-2)
    reach: float = eqx.field(static=True, default=1.0)

    def __call__(
        self, target: Target, u: Float[Array, "s p"], y: Float[Array, "s m"]
    ) -> tuple[Float[Array, "s p"], Any]:
        u, y = np.array(u, float), np.asarray(y, float)
        told = in_batches(linearise, target, u, y)
        value, slope, information = told.log_density, told.gradient, information_at(target, u, told, y)
        damping, growth = np.full(len(u), self.damping), np.full(len(u), 2.0)
        steps, climbing = np.zeros(len(u), int), np.isfinite(value) & np.isfinite(slope).all(axis=1)
        climbed = [value.copy()]
        for _ in range(self.max_steps):
            climbing &= 0.5 * np.einsum("sp,sp->s", slope, _solved(information, slope)) > self.gain
            if len(climbed) > self.patience:
                climbing &= value - climbed[-1 - self.patience] > self.gain
            at = np.flatnonzero(climbing)
            if not len(at):
                break
            diagonal = np.einsum("spp->sp", information[at])
            damped = information[at] + damping[at, None, None] * diagonal[:, :, None] * np.eye(u.shape[1])
            move = _solved(damped, slope[at])
            move *= np.minimum(1.0, self.reach / np.max(np.abs(move), axis=1, keepdims=True))
            promised = np.einsum("sp,sp->s", slope[at], move)
            promised -= 0.5 * np.einsum("sp,spq,sq->s", move, information[at], move)
            told = in_batches(linearise, target, u[at] + move, y[at])
            kept = np.nan_to_num((told.log_density - value[at]) / promised, nan=-1.0, neginf=-1.0)
            better = (kept > 0) & np.all(np.isfinite(told.gradient), axis=1)
            steps[at] += 1
            gained, lost = at[better], at[~better]
            damping[gained] *= np.maximum(1 / 3, 1 - (2 * np.minimum(kept[better], 1.5) - 1) ** 3)
            growth[gained] = 2.0
            damping[lost] *= growth[lost]
            growth[lost] *= 2.0
            if len(gained):
                there = jax.tree.map(lambda leaf, better=better: leaf[better], told)
                u[gained] += move[better]
                value[gained], slope[gained] = there.log_density, there.gradient
                information[gained] = information_at(target, u[gained], there, y[gained])
            climbed.append(value.copy())
        return jnp.asarray(u), steps


def _solved(matrices, vectors):
    return np.linalg.solve(matrices, vectors[..., None])[..., 0]


class BFGS(AbstractOptimiser):
    """Quasi-Newton steps with a line search, by optimistix.

    Parameters
    ----------
    rtol, atol : float
        A start ends when both its step in u and its gain in log density fall below these.
    max_steps : int
    """

    rtol: float = eqx.field(static=True, default=1e-5)
    atol: float = eqx.field(static=True, default=1e-3)
    max_steps: int = eqx.field(static=True, default=150)

    def __call__(
        self, target: Target, u: Float[Array, "s p"], y: Float[Array, "s m"]
    ) -> tuple[Float[Array, "s p"], Any]:
        return _bfgs(self, target, u, y)


class Adam(AbstractOptimiser):
    """Adam with an exponentially falling rate, by optax; robust where curvature misleads, and slower.

    Parameters
    ----------
    steps : int
    rate : float
        First step in u.
    decay : float
        Last rate over first.
    """

    steps: int = eqx.field(static=True, default=300)
    rate: float = eqx.field(static=True, default=0.1)
    decay: float = eqx.field(static=True, default=1e-2)

    def __call__(
        self, target: Target, u: Float[Array, "s p"], y: Float[Array, "s m"]
    ) -> tuple[Float[Array, "s p"], Any]:
        return _adam(self, target, u, y)


@eqx.filter_jit
def _bfgs(settings, target, u, y):
    solver = optx.BFGS(rtol=settings.rtol, atol=settings.atol)

    def one(u, y):
        found = optx.minimise(
            lambda at, args: -log_density(at, *args), solver, u, args=(target, y), max_steps=settings.max_steps,
            throw=False,
        )  # fmt: skip
        return found.value, found.stats["num_steps"]

    return jax.vmap(one)(u, y)  # lineax does not know arrays of a single device of several


@eqx.filter_jit
def _adam(settings, target, u, y):
    schedule = optax.exponential_decay(settings.rate, settings.steps, settings.decay)
    rule = optax.adam(schedule)

    def slope(u):
        return over_points(lambda target, u, y: jax.grad(lambda at: -log_density(at, target, y))(u), target, u, y)

    def step(carry, _):
        u, state = carry
        update, state = rule.update(slope(u), state)
        return (u + update, state), None

    (u, _), _ = jax.lax.scan(step, (u, rule.init(u)), None, length=settings.steps)
    return u, jnp.full(len(u), settings.steps)
