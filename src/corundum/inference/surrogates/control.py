"""Control variates: few halos that predict what many predict, because their difference is known.

Galaxies of few halos respond to parameters as those of many do, and what they predict is off by nearly the same amount
in all of the posterior.  That difference is learned once, from both samples at some points; from then on every
prediction is that of the few halos plus the difference, at the cost of the few.

References
----------
Owen 2013, Monte Carlo theory, methods and examples, section 8.9 (control variates).
"""

from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ...annotations import Array
from ...arguments import instance, strategy, whole_number
from ...halos import HaloHistories
from ...numerics.random_keys import seed
from ...printing import Component
from ..batches import in_batches
from ..evaluate import predict
from ..laplace import expected_information
from ..optimisers.maximise import maximise
from ..summaries import Prediction
from ..target import Target
from ..vectors import rows_of_vectors
from .base import AbstractEmulator, AbstractSurrogate
from .kernel import KernelSurrogate
from .known_points import densities_of

__all__ = ["ControlVariate", "control_variate", "in_other_halos", "learned_difference", "posterior_points"]

STARTS = 8
"""Of the search for modes, about which points lie."""

WIDE = 1.5
"""Points spread over this many standard deviations: the posterior of many halos lies elsewhere than that of few."""

FREEDOM = 8.0
"""Degrees of freedom of their Student t distribution."""


class ControlVariate(Component):
    """What many halos predict minus what few predict, as a function of the coordinates.

    Attributes
    ----------
    difference : AbstractEmulator
        Its error is that of the many halos and how far it is off, in quadrature.
    center : array, (P,)
    whitener : array, (P, P)
        Makes the coordinates of the points uncorrelated, with standard deviations of one.
    reach : float
        Largest distance of a point from `center`, in these.  Beyond it the difference stays as it is at that distance,
        because a quadratic means nothing there, and the error of the few halos comes back.
    """

    difference: AbstractEmulator
    center: Float[Array, " p"]
    whitener: Float[Array, "p p"]
    reach: Float[Array, ""]

    def __call__(self, u: Float[Array, " p"], prediction: Prediction) -> Prediction:
        """The prediction of few halos at u, corrected to that of many."""
        offset = u - self.center
        distance = jnp.sqrt(jnp.sum((self.whitener @ offset) ** 2) + 1e-12)
        share = jnp.minimum(1.0, self.reach / distance)
        learned = self.difference(self.center + share * offset)
        error = jnp.sqrt(learned.error**2 + (1.0 - share**2) * prediction.error**2)
        return prediction._replace(
            mean=prediction.mean + learned.mean, error=error, scatter=prediction.scatter + learned.scatter
        )


def control_variate(
    target: Target,
    halos: HaloHistories,
    u: Any = None,
    *,
    points: int = 200,
    monte_carlo_error: float = 1.0,
    surrogate: AbstractSurrogate | None = None,
    key: int = 0,
) -> Target:
    few = predict_at = None
    raise NotImplementedError


def in_other_halos(target: Target, halos: HaloHistories, monte_carlo_error: float) -> Target:
    """The same target with other halos, whose Monte-Carlo error counts with this factor."""
    other = target.with_halos(halos)
    object.__setattr__(other, "monte_carlo_error", float(monte_carlo_error))
    return other


def learned_difference(
    target: Target, u: np.ndarray, few: Prediction, many: Prediction, surrogate: AbstractSurrogate | None = None
) -> ControlVariate:
    good = np.isfinite(many.mean).all(axis=1) & (few.failed <= 0.1) & (many.failed <= 0.1)
    u, few, many = u[good], *(Prediction(*(np.asarray(part)[good] for part in one)) for one in (few, many))
    center, covariance = u.mean(axis=0), np.cov(u.T).reshape(u.shape[1], -1)
    root = np.linalg.cholesky(covariance)
    difference = many._replace(mean=many.mean - few.mean, scatter=many.scatter - few.scatter)
    density = densities_of(target, u, many.mean, many.error, many.scatter)
    learned = strategy("surrogate", surrogate, KernelSurrogate()).learn(target, u, difference, density, center, root)
    whitener = np.linalg.inv(root)
    reach = np.max(np.linalg.norm((u - center) @ whitener.T, axis=1))
    return ControlVariate(learned, *(jnp.asarray(array) for array in (center, whitener, reach)))


def posterior_points(target: Target, number: int, key: int = 0) -> np.ndarray:
    """Coordinates, (number, P), about all modes of the posterior, as many about each."""
    best = maximise(target, starts=STARTS, key=key)
    ends = best.starts
    modes = [ends.u[np.flatnonzero(ends.mode == k)[0]] for k in range(len(best.modes))] or [best.u]
    return points_about(target, np.stack(modes), number, key)


def points_about(target, modes, number, key):
    rng, (count, size) = np.random.default_rng(seed(key)), modes.shape
    roots = np.linalg.cholesky(np.linalg.inv(expected_information(target, modes)))
    which = np.arange(number) % count
    radius = WIDE / np.sqrt(rng.chisquare(FREEDOM, size=(number, 1)) / FREEDOM)
    return modes[which] + radius * np.einsum("npq,nq->np", roots[which], rng.normal(size=(number, size)))
