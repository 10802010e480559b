"""How many halos a fit needs: until the posterior stops moving when they are replaced by others.

Subsets of one large sample take its place, and each moves the mode by a Gauss-Newton step and changes its width.  A
subset is the sample with weights of zero for the rest, so that nothing compiles more than once.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from ..halos.selection import representatives
from .batches import in_batches
from .evaluate import Linearised, linearise
from .laplace import information_of, rows_of
from .target import Target

__all__ = ["HaloConvergence", "halo_convergence"]


class HaloConvergence(NamedTuple):
    """What replacing halos does.

    Attributes
    ----------
    names : tuple of str
    sizes : array, (sizes,)
    shift : array, (sizes, P)
        Root mean square over subsets of how far the mode lies from that of the whole sample, in standard deviations of
        the posterior.
    width : array, (sizes, P)
        Standard deviation over that of the whole sample, mean over subsets.
    """

    names: tuple[str, ...]
    sizes: np.ndarray
    shift: np.ndarray
    width: np.ndarray

    def enough(self, tolerance: float = 0.1) -> int | None:
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
    """Replace the halos of a target by subsets, evenly spread over mass, about coordinates u, (P,).

    Parameters
    ----------
    target : Target
        With a large sample of halos.
    u : array, shape (P,)
        Near the mode.
    sizes : sequence of int
    repeats : int
        Subsets of each size.
    key : int
    candidates : int
        With more than one, subsets are those that `corundum.halos.select_representative` chooses from so many times
        their number of halos (or all there are); the target's `monte_carlo_error` should fit that.

    Raises
    ------
    ValueError
        A size is not below the number of halos.
    """
    halos, u = target.summaries.halos, np.asarray(u, float)
    if not sizes or max(sizes) >= len(halos) or min(sizes) < 1:
        raise ValueError(f"sizes: got {list(sizes)}; allowed 1 to {len(halos) - 1}, below the number of halos")
    order = np.argsort(np.asarray(halos.log_mvir)[:, -1])
    whole = _mode(target, u, np.ones(len(halos)))
    rng, shifts, widths = np.random.default_rng(key), [], []
    for size in sizes:
        found = []
        for _ in range(repeats):
            found.append(_mode(target, u, _subset(halos, order, size, candidates, rng)))
        apart = np.array([(mode - whole[0]) / whole[1] for mode, _ in found])
        shifts.append(np.sqrt(np.mean(apart**2, axis=0)))
        widths.append(np.mean([width / whole[1] for _, width in found], axis=0))
    return HaloConvergence(target.names, np.asarray(sizes), np.array(shifts), np.array(widths))


def _subset(halos, order, size, candidates, rng):
    """Weights of all halos, zero where they are not in the subset."""
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
    told = in_batches(linearise, target.with_halos(halos), u[None], width=1)
    told = Linearised(*next(zip(*rows_of(told), strict=True)))
    used = np.isfinite(np.asarray(target.data.y))
    at = np.intersect1d(target.data.measured, np.flatnonzero(used))
    residual = np.asarray(target.data.y)[at] - (told.prediction.mean + told.shift)[at]
    covariance = np.linalg.inv(np.eye(len(u)) + information_of(target, told, used))
    push = told.mean_slope[at].T @ np.linalg.solve(told.covariance[np.ix_(at, at)], residual) - u
    return u + covariance @ push, np.sqrt(np.diag(covariance))
