"""Damped Gauss-Newton steps."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ...annotations import Array
from ..batches import in_batches
from ..evaluate import linearise
from ..laplace import information_at
from ..target import Target
from .base import AbstractOptimiser

__all__ = ["GaussNewton"]


class GaussNewton(AbstractOptimiser):
    """Newton steps with the expected information, damped as by Levenberg and Marquardt; the default.

    The expected information is positive definite everywhere, so few steps are needed and none of them searches along a
    line: a step that does not increase the density is repeated with more damping, one that increases it as predicted
    is followed by one with less.  An adaptive solver makes the density slightly rough, so that a gradient can predict
    gains that do not exist; a start therefore also ends when several steps together have not gained enough.

    Parameters
    ----------
    gain : float
        A start ends when a full step predicts a smaller gain in log density than this, or the last `patience` steps
        together gained less.
    patience : int
    max_steps : int
    damping : float
        That of the first step, in units of the information of each parameter.
    reach : float
        Longest step of any coordinate, in standard deviations of its prior.

    References
    ----------
    Marquardt 1963, SIAM J. Appl. Math. 11, 431; Nielsen 1999, IMM-REP-1999-05 (how the damping is changed).

    Examples
    --------
    >>> result = co.inference.maximise(target, starts=2, optimiser=co.inference.GaussNewton(max_steps=20))
    >>> result.converged
    True
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
        linearised = in_batches(linearise, target, u, y)
        value, slope = linearised.ln_density, linearised.gradient
        information = information_at(target, u, linearised, y)
        damping, growth = np.full(len(u), self.damping), np.full(len(u), 2.0)
        steps, moving = np.zeros(len(u), int), np.isfinite(value) & np.isfinite(slope).all(axis=1)
        values_so_far = [value.copy()]
        for _ in range(self.max_steps):
            moving &= 0.5 * np.einsum("sp,sp->s", slope, _solved(information, slope)) > self.gain
            if len(values_so_far) > self.patience:
                moving &= value - values_so_far[-1 - self.patience] > self.gain
            rows = np.flatnonzero(moving)
            if not len(rows):
                break
            diagonal = np.einsum("spp->sp", information[rows])
            damped = information[rows] + damping[rows, None, None] * diagonal[:, :, None] * np.eye(u.shape[1])
            step = _solved(damped, slope[rows])
            step *= np.minimum(1.0, self.reach / np.max(np.abs(step), axis=1, keepdims=True))
            predicted = np.einsum("sp,sp->s", slope[rows], step)
            predicted -= 0.5 * np.einsum("sp,spq,sq->s", step, information[rows], step)
            linearised = in_batches(linearise, target, u[rows] + step, y[rows])
            ratio = np.nan_to_num((linearised.ln_density - value[rows]) / predicted, nan=-1.0, neginf=-1.0)
            better = (ratio > 0) & np.all(np.isfinite(linearised.gradient), axis=1)
            steps[rows] += 1
            gained, lost = rows[better], rows[~better]
            damping[gained] *= np.maximum(1 / 3, 1 - (2 * np.minimum(ratio[better], 1.5) - 1) ** 3)
            growth[gained] = 2.0
            damping[lost] *= growth[lost]
            growth[lost] *= 2.0
            if len(gained):
                accepted = jax.tree.map(lambda leaf, better=better: leaf[better], linearised)
                u[gained] += step[better]
                value[gained], slope[gained] = accepted.ln_density, accepted.gradient
                information[gained] = information_at(target, u[gained], accepted, y[gained])
            values_so_far.append(value.copy())
        return jnp.asarray(u), steps


def _solved(matrices, vectors):
    return np.linalg.solve(matrices, vectors[..., None])[..., 0]
