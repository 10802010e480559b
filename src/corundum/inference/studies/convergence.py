"""How many halos a fit needs: so many that the posterior stays the same when they are replaced by others.

Subsets of one large sample take its place; each changes the mode, estimated by one Gauss-Newton step, and the width.  A
subset is the sample with weights of zero for the other halos, so that nothing is compiled more than once.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any, NamedTuple, cast

import jax.numpy as jnp
import numpy as np

from ...halos import HaloHistories
from ...halos.selection import representatives
from ...numerics.random_keys import seed
from ...printing import in_short
from ..batches import in_batches
from ..evaluate import linearise
from ..laplace import information_of, points_of
from ..summaries import PopulationSummaries
from ..target import Target
from ..vectors import one_vector

__all__ = ["HaloConvergence", "halo_convergence", "subset_weights"]


class HaloConvergence(NamedTuple):
    """How mode and width of a posterior change when halos are replaced, by the number of halos.

    Attributes
    ----------
    names : tuple of str
    sizes : array, (sizes,)
    shift : array, (sizes, P)
        Root mean square over subsets of how far the mode lies from that of the whole sample, in standard deviations of
        the posterior.
    width : array, (sizes, P)
        Standard deviation over that of the whole sample, mean over subsets.

    Examples
    --------
    >>> result = co.inference.HaloConvergence(
    ...     ("slope",), np.array([30, 60]), np.array([[0.4], [0.05]]), np.array([[1.1], [1.0]])
    ... )
    >>> result.sufficient(tolerance=0.1)
    60
    """

    names: tuple[str, ...]
    sizes: np.ndarray
    shift: np.ndarray
    width: np.ndarray

    def __repr__(self) -> str:
        return in_short(self)

    def sufficient(self, tolerance: float = 0.1) -> int | None:
        """The smallest size whose mode moves by less than `tolerance` standard deviations in every parameter."""
        good = np.flatnonzero(self.shift.max(axis=1) < tolerance)
        return int(self.sizes[good[0]]) if len(good) else None

    def table(self) -> str:
        """The shifts as a Markdown table."""
        lines = ["| halos | " + " | ".join(self.names) + " |", "|---" * (len(self.names) + 1) + "|"]
        lines += [
            f"| {n} | " + " | ".join(f"{v:.2f}" for v in row) + " |"
            for n, row in zip(self.sizes, self.shift, strict=True)
        ]
        return "\n".join(lines)


def halo_convergence(
    target: Target, u: Any, sizes: Sequence[int], *, repeats: int = 4, key: int = 0, candidates: int = 1
) -> HaloConvergence:
    """Replace the halos of a target by subsets, evenly spread over mass, and compare the posteriors.

    Parameters
    ----------
    target : Target
        With a large sample of halos.
    u : array, shape (P,)
        Coordinates near the mode.
    sizes : sequence of int
        Numbers of halos.
    repeats : int
        Subsets of each size.
    key : int
    candidates : int
        With more than one, subsets are those that `corundum.halos.select_representative` chooses from so many times
        their number of halos (or from the whole sample); set the target's `monte_carlo_error` accordingly.

    Raises
    ------
    ValueError
        A size is not below the number of halos.

    Examples
    --------
    >>> target = co.inference.Target(model, halos, ["shmr_behroozi19_sf"], ["mass_loading.amplitude"])
    >>> result = co.inference.halo_convergence(target, target.start(), [4], repeats=2)
    >>> result.shift.shape
    (1, 1)
    """
    halos, u = cast(PopulationSummaries, target.summaries).halos, np.asarray(one_vector("u", u, target.names))
    if not sizes or max(sizes) >= len(halos) or min(sizes) < 1:
        raise ValueError(f"sizes: got {list(sizes)}; allowed 1 to {len(halos) - 1}, below the number of halos")
    whole = _mode(target, u, np.ones(len(halos)))
    rng, shifts, widths = np.random.default_rng(seed(key)), [], []
    for size in sizes:
        modes = [_mode(target, u, subset_weights(halos, size, candidates, rng)) for _ in range(repeats)]
        offsets = np.array([(mode - whole[0]) / whole[1] for mode, _ in modes])
        shifts.append(np.sqrt(np.mean(offsets**2, axis=0)))
        widths.append(np.mean([width / whole[1] for _, width in modes], axis=0))
    return HaloConvergence(target.names, np.asarray(sizes), np.array(shifts), np.array(widths))


def subset_weights(halos: HaloHistories, size: int, candidates: int, rng: np.random.Generator) -> np.ndarray:
    """Weights of all halos, zero for those outside a subset that `halo_convergence` would choose."""
    order = np.argsort(np.asarray(halos.log_mvir)[:, -1])
    weights = np.zeros(len(halos))
    if candidates == 1:
        edges = np.linspace(0, len(halos), size + 1)
        weights[order[(edges[:-1] + rng.uniform(size=size) * np.diff(edges)).astype(int)]] = 1.0
        return weights
    pool = rng.permutation(len(halos))[: size * candidates]
    rows, shares = representatives(np.asarray(halos.log_mvir)[pool], np.asarray(halos.time), size)
    weights[pool[rows]] = [len(share) for share in shares]
    return weights


def _mode(target, u, weights):
    """Mode, to first order, and standard deviations with these halos."""
    halos = dataclasses.replace(target.summaries.halos, weights=jnp.asarray(weights))
    linearised = points_of(in_batches(linearise, target.with_halos(halos), u[None], width=1))[0]
    used = np.isfinite(np.asarray(target.data.y))
    rows = np.intersect1d(target.data.measured, np.flatnonzero(used))
    residual = np.asarray(target.data.y)[rows] - (linearised.prediction.mean + linearised.shift)[rows]
    covariance = np.linalg.inv(np.eye(len(u)) + information_of(target, linearised, used))
    weighted = np.linalg.solve(linearised.covariance[np.ix_(rows, rows)], residual)
    gradient = linearised.mean_slope[rows].T @ weighted - u
    return u + covariance @ gradient, np.sqrt(np.diag(covariance))
