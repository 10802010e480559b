"""How far the posterior of few halos lies from that of many, without and with a control variate.

Posteriors are compared by the means of one set of draws under the weights of each, because a mode says little of a
posterior that is skewed or has several, and its search leaves an error of its own.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any, NamedTuple, cast

import jax.numpy as jnp
import numpy as np

from ...numerics.random_keys import seed
from ...printing import in_short
from ..batches import in_batches
from ..evaluate import ln_density_at, predict, uncorrected
from ..summaries import PopulationSummaries
from ..surrogates.control import BothPredictions, points_about, with_learned
from ..surrogates.known_points import densities_of
from ..target import Target
from ..vectors import rows_of_vectors
from .convergence import subset_weights

__all__ = ["ControlConvergence", "control_convergence"]


class ControlConvergence(NamedTuple):
    """How far posterior means with few halos lie from those of the whole sample.

    Attributes
    ----------
    names : tuple of str
    sizes : array, (sizes,)
    without, corrected : arrays, (sizes, repeats, P)
        In standard deviations of the posterior of the whole sample: few halos alone, and with a control variate.
    width : array, (sizes, repeats, P)
        Standard deviation with a control variate over that of the whole sample.
    effective : array, (sizes, repeats)
        Effective number of draws with a control variate; shifts are known to about its inverse root.
    off : array, (sizes, repeats)
        Standard deviation of corrected minus true log density over the posterior.

    Examples
    --------
    >>> shifts = np.full((1, 2, 3), 0.1)
    >>> result = co.inference.ControlConvergence(
    ...     ("a", "b", "c"), np.array([60]), 5.0 * shifts, shifts, shifts, np.full((1, 2), 100.0), np.full((1, 2), 0.2)
    ... )
    >>> print(result.table())
    | halos | alone, largest | median | corrected, largest | median |
    |---|---|---|---|---|
    | 60 | 0.50 | 0.50 | 0.10 | 0.10 |
    """

    names: tuple[str, ...]
    sizes: np.ndarray
    without: np.ndarray
    corrected: np.ndarray
    width: np.ndarray
    effective: np.ndarray
    off: np.ndarray

    def __repr__(self) -> str:
        return in_short(self)

    def table(self) -> str:
        """Largest and median over the parameters of the root mean square shift, as a Markdown table."""
        lines = ["| halos | alone, largest | median | corrected, largest | median |", "|---" * 5 + "|"]
        for row, size in enumerate(self.sizes):
            rms = [np.sqrt(np.mean(shifts[row] ** 2, axis=0)) for shifts in (self.without, self.corrected)]
            cells = [f"{number:.2f}" for shift in rms for number in (shift.max(), np.median(shift))]
            lines.append(f"| {size} | " + " | ".join(cells) + " |")
        return "\n".join(lines)


def control_convergence(
    target: Target,
    reference: Target,
    draws: Any,
    sizes: Sequence[int],
    *,
    points: int = 400,
    repeats: int = 4,
    key: int = 0,
    candidates: int = 1,
) -> ControlConvergence:
    """Replace the halos of a target by subsets, learn the difference, and compare the three posteriors.

    Parameters
    ----------
    target : Target
        With a large sample of halos.
    reference : Target
        A target with about the same posterior, from which draws can be had: with a control variate, say.  Its data
        are those that count.
    draws : array, shape (S, P)
        Coordinates of draws from the posterior of `reference`.  The large sample is solved at all of them.
    sizes : sequence of int
        Numbers of halos.
    points : int
        That differences are learned from.
    repeats : int
        Subsets of each size.
    key : int
    candidates : int
        As for `halo_convergence`.

    Raises
    ------
    ValueError
        A size is not below the number of halos.

    Examples
    --------
    >>> target = co.inference.Target(model, halos, ["shmr_behroozi19_sf"], ["mass_loading.amplitude"])
    >>> draws = target.start() + np.random.default_rng(0).normal(scale=0.1, size=(40, 1))
    >>> result = co.inference.control_convergence(target, target, draws, [6], points=12, repeats=1)
    >>> result.corrected.shape
    (1, 1, 1)
    """
    halos, draws = (
        cast(PopulationSummaries, target.summaries).halos,
        np.asarray(rows_of_vectors("draws", draws, target.names)),
    )
    if not sizes or max(sizes) >= len(halos) or min(sizes) < 2:
        raise ValueError(f"sizes: got {list(sizes)}; allowed 2 to {len(halos) - 1}, below the number of halos")
    target = uncorrected(target).with_data(reference.data.y)
    ln_drawn = in_batches(ln_density_at, reference, draws)
    covariance = np.cov(draws, rowvar=False).reshape(1, len(target.names), -1)
    places = points_about(draws.mean(axis=0)[None], covariance, points, key)
    whole, learned_from = (in_batches(predict, target, u) for u in (draws, places))
    rng, rows = np.random.default_rng(seed(key)), []
    for size in sizes:
        for _ in range(repeats):
            weights = subset_weights(halos, size, candidates, rng)
            chosen = np.flatnonzero(weights)
            few = target.with_halos(dataclasses.replace(halos[chosen], weights=jnp.asarray(weights[chosen])))
            known = BothPredictions(places, in_batches(predict, few, places), learned_from)
            corrected = with_learned(few, known)
            predictions = (whole, in_batches(predict, few, draws), in_batches(predict, corrected, draws))
            rows.append(_compared(target, draws, predictions, ln_drawn))
    columns = [
        np.array(rows_of).reshape(len(sizes), repeats, *np.shape(rows_of[0])) for rows_of in zip(*rows, strict=True)
    ]
    return ControlConvergence(target.names, np.asarray(sizes), *columns)


def _compared(target, draws, predictions, ln_drawn):
    """Shifts without and with a control variate, width, effective draws and error of ln density of one subset."""
    densities = [densities_of(target, draws, *prediction[:3]) for prediction in predictions]
    (mean, width, weights), alone, corrected = (_moments(draws, ln - ln_drawn) for ln in densities)
    off = np.where(weights > 0, densities[2] - densities[0], 0.0)
    spread = np.sqrt(weights @ (off - weights @ off) ** 2)
    shifts = ((moments[0] - mean) / width for moments in (alone, corrected))
    return *shifts, corrected[1] / width, 1.0 / np.sum(corrected[2] ** 2), spread


def _moments(draws, ln_weights):
    """Mean and standard deviation of draws, (S, P), under weights, and these."""
    ln_weights = np.where(np.isfinite(ln_weights), ln_weights, -np.inf)
    weights = np.exp(ln_weights - ln_weights.max())
    weights /= weights.sum()
    mean = weights @ draws
    return mean, np.sqrt(weights @ (draws - mean) ** 2), weights
