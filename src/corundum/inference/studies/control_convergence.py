"""How far the posterior of few halos lies from that of many, without and with a control variate.

Posteriors are compared by the means of one set of draws under the weights of each: predictions of all samples are
known at the same points, so that no mode has to be searched.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any, NamedTuple, cast

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from ...numerics.random_keys import seed
from ...printing import in_short
from ..batches import in_batches
from ..evaluate import predict
from ..summaries import PopulationSummaries, Prediction
from ..surrogates.control import BothPredictions, points_about, with_learned
from ..surrogates.known_points import densities_of
from ..target import Target
from ..vectors import one_vector
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
        Effective number of draws; shifts below its inverse root mean nothing.
    off : array, (sizes, repeats)
        Standard deviation of how far the corrected log density is off, over the posterior.

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
    u: Any,
    sizes: Sequence[int],
    *,
    points: int = 200,
    checks: int = 800,
    repeats: int = 4,
    key: int = 0,
    candidates: int = 1,
) -> ControlConvergence:
    """Replace the halos of a target by subsets, learn the difference, and compare the three posteriors.

    Parameters
    ----------
    target : Target
        With a large sample of halos.
    u : array, shape (P,)
        Its mode.
    sizes : sequence of int
        Numbers of halos.
    points : int
        That differences are learned from.
    checks : int
        Further points at which posteriors are compared.
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
    >>> result = co.inference.control_convergence(target, target.start(), [6], points=12, checks=40, repeats=1)
    >>> result.corrected.shape
    (1, 1, 1)
    """
    halos, u = cast(PopulationSummaries, target.summaries).halos, np.asarray(one_vector("u", u, target.names))
    if not sizes or max(sizes) >= len(halos) or min(sizes) < 2:
        raise ValueError(f"sizes: got {list(sizes)}; allowed 2 to {len(halos) - 1}, below the number of halos")
    places, ln_drawn = points_about(target, u[None], points + checks, key)
    whole, rng, rows = in_batches(predict, target, places), np.random.default_rng(seed(key)), []
    for size in sizes:
        for _ in range(repeats):
            weights = subset_weights(halos, size, candidates, rng)
            chosen = np.flatnonzero(weights)
            few = target.with_halos(dataclasses.replace(halos[chosen], weights=jnp.asarray(weights[chosen])))
            rows.append(
                _compared(few, BothPredictions(places, in_batches(predict, few, places), whole), points, ln_drawn)
            )
    columns = [
        np.array(column).reshape(len(sizes), repeats, *np.shape(column[0])) for column in zip(*rows, strict=True)
    ]
    return ControlConvergence(target.names, np.asarray(sizes), *columns)


def _compared(few, known, points, ln_drawn):
    """Shifts without and with a control variate, width, effective draws and error of ln density of one subset."""
    head, tail = (_rows(known, slice(*ends)) for ends in ((0, points), (points, None)))
    corrected = with_learned(few, head)
    numbers = _corrected(corrected.correction, jnp.asarray(tail.u), jax.tree.map(jnp.asarray, tail.few))
    densities = [  # of the same data, without those beyond reach
        densities_of(corrected, tail.u, *(np.asarray(part) for part in prediction[:3]))
        for prediction in (tail.many, tail.few, numbers)
    ]
    (mean, width, weights), alone, better = (_moments(tail.u, ln - ln_drawn[points:]) for ln in densities)
    effective = 1.0 / np.sum(weights**2)
    off = (densities[2] - densities[0])[weights > 0]
    share = weights[weights > 0]
    spread = np.sqrt(share @ (off - share @ off) ** 2)
    return (alone[0] - mean) / width, (better[0] - mean) / width, better[1] / width, effective, spread


def _rows(known, rows):
    few, many = (Prediction(*(np.asarray(part)[rows] for part in prediction)) for prediction in known[1:])
    return BothPredictions(known.u[rows], few, many)


@eqx.filter_jit
def _corrected(correction, u, prediction):
    return jax.vmap(correction)(u, prediction)


def _moments(u, ln_weights):
    """Mean and standard deviation of u, (S, P), under weights, and these."""
    ln_weights = np.where(np.isfinite(ln_weights), ln_weights, -np.inf)
    weights = np.exp(ln_weights - ln_weights.max())
    weights /= weights.sum()
    mean = weights @ u
    return mean, np.sqrt(weights @ (u - mean) ** 2), weights
