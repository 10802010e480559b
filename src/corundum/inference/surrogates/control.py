"""Control variates: few halos that predict what many predict, because their difference is known.

Galaxies of few halos respond to the parameters much as those of many do, so what the few predict is off by an amount
that hardly depends on the parameters.  This difference is learned once, from both samples at some points; from then on
a prediction is that of the few halos plus the difference, at the cost of the few.

References
----------
Owen 2013, Monte Carlo theory, methods and examples, section 8.9 (control variates).
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ...annotations import Array
from ...arguments import instance, strategy, whole_number
from ...halos import HaloHistories
from ...models.checks.arguments import check_model_and_halos
from ...numerics.random_keys import seed
from ...printing import Component
from ..batches import in_batches
from ..evaluate import predict, uncorrected, with_correction
from ..laplace import expected_information
from ..optimisers.maximise import maximise
from ..reach import MAX_FAILED
from ..summaries import Prediction
from ..target import Target
from ..vectors import rows_of_vectors
from .base import AbstractSurrogate
from .kernel import KernelSurrogate
from .known_points import densities_of

__all__ = [
    "BothPredictions",
    "ControlVariate",
    "both_predictions",
    "control_variate",
    "in_other_halos",
    "points_about",
    "posterior_points",
    "with_learned",
]

STARTS = 8
"""Of the search for modes, about which points lie."""

WIDE = 1.5
"""Points spread over this many standard deviations: the posterior of many halos lies elsewhere than that of few."""

FREEDOM = 8.0
"""Degrees of freedom of their Student t distribution, some of whose points lie far out."""

COVERED = 0.98
"""Share of the points within which the difference is used as it was learned."""

_TINY = 1e-12


class ControlVariate(Component):
    """What many halos predict minus what few predict, as a function of the coordinates.

    Attributes
    ----------
    difference : AbstractEmulator
        Of the predictions.  Its error is that of the many halos and how far it is off, in quadrature.
    center : array, (P,)
        Mean of the points that it was learned from.
    whitener : array, (P, P)
        Makes their coordinates uncorrelated, with standard deviations of one.
    reach : float
        Within it of the center, in these coordinates, are 98 per cent of the points.  Beyond it the difference stays
        what it is at that distance, because a quadratic goes astray there, and the error of the few halos comes back.

    Examples
    --------
    >>> sample, many = (co.halos.diffmah_population(n, log_mvir=(10.5, 13.0), key=n) for n in (24, 96))
    >>> few = co.inference.Target(model, sample, ["shmr_behroozi19_sf"], ["mass_loading.amplitude"])
    >>> corrected = co.inference.control_variate(few, many, few.start(), points=16)
    >>> type(corrected.correction).__name__, corrected.correction.center.shape
    ('ControlVariate', (1,))
    """

    difference: Any
    center: Float[Array, " p"]
    whitener: Float[Array, "p p"]
    reach: Float[Array, ""]

    def __call__(self, u: Float[Array, " p"], prediction: Prediction) -> Prediction:
        """The prediction of the few halos at u as that of the many."""
        offset = u - self.center
        distance = jnp.sqrt(jnp.sum((self.whitener @ offset) ** 2) + _TINY)
        share = jnp.minimum(1.0, self.reach / distance)
        learned = self.difference(self.center + share * offset)
        # The tiny number keeps the slope of the root finite where no error is left.
        error = jnp.sqrt(learned.error**2 + (1.0 - share**2) * prediction.error**2 + _TINY**2)
        return prediction._replace(
            mean=prediction.mean + learned.mean, error=error, scatter=prediction.scatter + learned.scatter
        )


class BothPredictions(NamedTuple):
    """What few and many halos predict at the same points u, (S, P)."""

    u: np.ndarray
    few: Prediction
    many: Prediction


def control_variate(
    target: Target,
    halos: HaloHistories,
    u: Any = None,
    *,
    points: int = 400,
    monte_carlo_error: float = 1.0,
    surrogate: AbstractSurrogate | None = None,
    key: int = 0,
) -> Target:
    """The same target, whose few halos predict what many halos predict.

    The difference of the two predictions (means, errors, and scatter where it is compared) is learned at points about
    the posterior.  It is learned, and not taken with its Jacobian at one point, because relations have kinks where
    galaxies enter and leave the reach of a datum: a Jacobian at one point would hold on one side of them only.

    Data that galaxies of the many halos do not reach at most of the points are left out: a relation without galaxies
    is an extrapolation, the difference of two of them is noise, and a single such datum made most of the error of a
    corrected density.

    The Monte-Carlo error is then that of the many halos and how far the learned difference is off, in quadrature.
    Solving the many halos at the points is what it costs; everything later costs what the few halos cost.

    Parameters
    ----------
    target : Target
        Of a model in few halos, dozens of them.
    halos : HaloHistories
        Many halos, thousands of them, over the same masses.
    u : array, shape (P,) or (S, P), optional
        Coordinates near the mode, about which points are drawn, or the points themselves, such as draws of the
        posterior of the few halos.  By default points are drawn about all modes that `maximise` finds.
    points : int
        How many to draw; at least P + 2.
    monte_carlo_error : float
        As for `Target`, of the many halos.
    surrogate : AbstractSurrogate, optional
        How the difference is learned; default `KernelSurrogate()`.
    key : int
        Of starts and points.

    Returns
    -------
    Target
        Its halos are the few and data beyond reach are NaN; `with_halos` gives a target without the correction.

    Raises
    ------
    ValueError
        The target has no halos, there are too few points, the model fails at most of them, or they reach no datum.

    References
    ----------
    Owen 2013, Monte Carlo theory, methods and examples, section 8.9.

    Examples
    --------
    >>> sample, many = (co.halos.diffmah_population(n, log_mvir=(10.5, 13.0), key=n) for n in (24, 96))
    >>> few = co.inference.Target(model, sample, ["shmr_behroozi19_sf"], ["mass_loading.amplitude"])
    >>> corrected = co.inference.control_variate(few, many, few.start(), points=16)
    >>> at = few.start()[None] + 0.1
    >>> off = co.inference.predict(corrected, at).mean - co.inference.predict(few.with_halos(many), at).mean
    >>> bool(np.max(np.abs(off)) < 0.02)
    True
    """
    many, target = in_other_halos(target, halos, monte_carlo_error), uncorrected(target)
    whole_number("points", points, least=len(target.names) + 2, meaning="points that the difference is learned from")
    if u is None:
        u = posterior_points(target, points, key)
    else:
        u = np.asarray(rows_of_vectors("u", u, target.names, single=True))
        u = _about_modes(target, u, points, key) if len(u) == 1 else u
    return with_learned(target, both_predictions(target, many, u), surrogate)


def posterior_points(target: Target, number: int, key: int = 0) -> np.ndarray:
    """Coordinates, (number, P), about all modes that are found, as many about each."""
    best = maximise(target, starts=STARTS, key=key)
    ends = best.starts
    modes = [ends.u[np.flatnonzero(ends.mode == mode)[0]] for mode in range(len(best.modes))]
    return _about_modes(target, np.array(modes or [best.u]), number, key)


def in_other_halos(target: Target, halos: HaloHistories, monte_carlo_error: float = 1.0) -> Target:
    """The same target in other halos, whose Monte-Carlo error counts with a factor of its own.

    Raises
    ------
    ValueError
        The target has no halos, these do not fit its model, or the factor is negative.
    """
    instance("target", target, Target, expected="a target, such as inference.Target(model, halos, data, free)")
    summaries: Any = target.summaries
    if not hasattr(summaries, "halos"):
        raise ValueError("control_variate: the target has no halos; give inference.Target(model, halos, data, free)")
    if hasattr(summaries, "model"):
        check_model_and_halos(summaries.model, halos)
    if not (np.isfinite(monte_carlo_error) and monte_carlo_error >= 0.0):
        raise ValueError(f"monte_carlo_error: got {monte_carlo_error}; allowed 0 or more, 1 for independent halos")
    other = target.with_halos(halos)
    object.__setattr__(other, "monte_carlo_error", float(monte_carlo_error))
    return other


def both_predictions(target: Target, many: Target, u: np.ndarray) -> BothPredictions:
    """What `target` and `many` predict at points u, (S, P), solved as lists."""
    return BothPredictions(u, in_batches(predict, target, u), in_batches(predict, many, u))


def with_learned(target: Target, known: BothPredictions, surrogate: AbstractSurrogate | None = None) -> Target:
    """`target` with the difference that these predictions show, and without data beyond reach.

    Raises
    ------
    ValueError
        Too few points are left, because the model fails at the others, or galaxies reach no datum.
    """
    u, few, many = known
    density = densities_of(target, u, many.mean, many.error, many.scatter)
    failed = np.maximum(few.failed, many.failed) > MAX_FAILED
    good = np.isfinite(few.mean).all(axis=1) & np.isfinite(density) & ~failed
    if good.sum() < u.shape[1] + 2:
        raise ValueError(
            f"control_variate: the model could be solved at {good.sum()} of {len(u)} points, and {u.shape[1] + 2} are "
            "needed; give more points, or points nearer to the mode"
        )
    u, density = u[good], density[good]
    few, many = (Prediction(*(np.asarray(part)[good] for part in prediction)) for prediction in (few, many))
    center, root = u.mean(axis=0), np.linalg.cholesky(np.cov(u, rowvar=False).reshape(u.shape[1], -1))
    difference = many._replace(mean=many.mean - few.mean, scatter=many.scatter - few.scatter)
    surrogate = strategy("surrogate", surrogate, KernelSurrogate(points=len(u)))
    learned = surrogate.learn(target, u, difference, density, center, root)
    whitener = np.linalg.inv(root)
    reach = np.quantile(np.linalg.norm((u - center) @ whitener.T, axis=1), COVERED)
    correction = ControlVariate(learned, *(jnp.asarray(part) for part in (center, whitener, reach)))
    return with_correction(target.with_data(_reached(target, many)), correction)


def _reached(target, many):
    """The data, NaN where galaxies of the many halos are at half of the points or less."""
    y = np.where(np.mean(many.reached, axis=0) > 0.5, np.asarray(target.data.y), np.nan)
    if not np.isfinite(y).any():
        raise ValueError("control_variate: galaxies reach no datum at most of the points; give points near the mode")
    return y


def points_about(modes: np.ndarray, covariances: np.ndarray, number: int, key: int) -> np.ndarray:
    """Coordinates, (number, P), in turn about some modes, (K, P), as wide as `WIDE` says."""
    rng, (count, size) = np.random.default_rng(seed(key)), modes.shape
    which = np.arange(number) % count
    radius = WIDE / np.sqrt(rng.chisquare(FREEDOM, size=(number, 1)) / FREEDOM)
    white = radius * rng.normal(size=(number, size))
    return modes[which] + np.einsum("npq,nq->np", np.linalg.cholesky(covariances)[which], white)


def _about_modes(target, modes, number, key):
    return points_about(modes, np.linalg.inv(expected_information(target, modes)), number, key)
