"""Gaussian kernel weights of galaxies around the nodes of a regression, safe for derivatives.

Weights are normalised by log-sum-exp, so that a node far from every galaxy still gets finite numbers and finite
derivatives.
"""

from typing import NamedTuple

import numpy as np
from jax import lax
from jaxtyping import Bool, Float

from ..annotations import Array
from ..array_library import array_library
from ..plain_numbers import plain_numbers

__all__ = ["Neighbours", "neighbours", "scott_bandwidth", "published_nodes"]


class Neighbours(NamedTuple):
    """The galaxies as seen from each node.

    Attributes
    ----------
    share : array, shape (m, n)
        Normalised kernel weights; all zero if no galaxy is valid.
    offset : array, shape (m, n)
        x of each galaxy from each node [dex].
    y : array, shape (n,)
    effective_count, count : arrays, shape (m,)
    reached : bool array, shape (m,)
        The last three as in `corundum.observables.RegressedRelation`.
    """

    share: Float[Array, "m n"]
    offset: Float[Array, "m n"]
    y: Float[Array, " n"]
    effective_count: Float[Array, " m"]
    count: Float[Array, " m"]
    reached: Bool[Array, " m"]


def neighbours(
    x: Float[Array, " n"],
    y: Float[Array, " n"],
    nodes: Float[Array, " m"],
    valid: Bool[Array, " n"] | None,
    weights: Float[Array, " n"] | None,
    bandwidth: Float[Array, ""],
    minimum_count: Float[Array, ""],
) -> Neighbours:
    """Kernel weights of the galaxies at each node; the arguments are those of `AbstractRegression`.

    Raises
    ------
    ValueError
        The arrays differ in length or are not lists.
    """
    x, y = plain_numbers("x", x, hidden_as_nan=True), plain_numbers("y", y, hidden_as_nan=True)
    nodes = plain_numbers("nodes", nodes)
    weights = np.ones(np.shape(x)) if weights is None else plain_numbers("weights", weights, hidden_as_nan=True)
    xp = array_library(x, y, nodes, weights, valid, parameters=(bandwidth, minimum_count))
    x, y, nodes, weights = (xp.asarray(value, np.float64) for value in (x, y, nodes, weights))
    bandwidth, minimum_count = xp.asarray(bandwidth), xp.asarray(minimum_count)
    if x.ndim != 1 or y.shape != x.shape or weights.shape != x.shape or nodes.ndim != 1:
        raise ValueError(
            f"regression: got x {x.shape}, y {y.shape}, weights {weights.shape} and nodes {nodes.shape}; "
            "x, y and weights must be lists of the same length and nodes a list"
        )
    usable = xp.isfinite(x) & xp.isfinite(y) & xp.isfinite(weights) & (weights > 0)
    if valid is not None:
        usable = usable & xp.asarray(valid, bool)
    x, y, weights = (xp.where(usable, value, fill) for value, fill in ((x, 0.0), (y, 0.0), (weights, 1.0)))

    offset = xp.where(usable, x[None, :] - nodes[:, None], 0.0)
    ln_kernel = -0.5 * (offset / bandwidth) ** 2
    ln_weight = ln_kernel + xp.log(weights)[None, :]
    top = xp.max(xp.where(usable, ln_weight, -xp.inf), axis=1, keepdims=True, initial=-xp.inf)
    top = top if xp is np else lax.stop_gradient(top)
    top = xp.where(xp.isfinite(top), top, 0.0)
    weight = xp.where(usable, xp.exp(xp.where(usable, ln_weight - top, 0.0)), 0.0)
    total = xp.sum(weight, axis=1, keepdims=True)  # at least 1, by the choice of `top`, if any galaxy is usable
    share = weight / xp.where(total > 0, total, 1.0)

    squares = xp.sum(share**2, axis=1)
    effective_count = xp.where(squares > 0, 1.0 / xp.where(squares > 0, squares, 1.0), 0.0)
    count = xp.sum(xp.where(usable, xp.exp(ln_kernel), 0.0), axis=1)
    # At the edge of a dense population the kernel mean of x lies 0.8 bandwidths inside; a node from which it is more
    # than one bandwidth away lies outside the population.
    centred = xp.abs(xp.sum(share * offset, axis=1)) <= bandwidth
    reached = (effective_count >= minimum_count) & (count >= minimum_count) & centred
    return Neighbours(share, offset, y, effective_count, count, reached)


def _finite(x, valid) -> np.ndarray:
    x = np.asarray(x, float)
    usable = np.isfinite(x) if valid is None else np.isfinite(x) & np.asarray(valid, bool)
    if usable.sum() < 2:
        raise ValueError(f"x: got {int(usable.sum())} valid finite values; a bandwidth needs at least two")
    return x[usable]


def scott_bandwidth(x, *, valid=None) -> float:
    """Scott's rule [dex]: standard deviation of the valid x times N^(-1/5) (Scott 1992).

    Parameters
    ----------
    x : array, shape (n,)
        Horizontal axis of each galaxy [dex]; values that are not finite are left out.
    valid : bool array, shape (n,), optional
        Galaxies to use; default all.

    Raises
    ------
    ValueError
        There are fewer than two valid values, or all are equal.

    Examples
    --------
    >>> round(co.observables.scott_bandwidth(np.linspace(9.0, 11.0, 200)), 2)
    0.2
    """
    x = _finite(x, valid)
    width = float(np.std(x) * len(x) ** -0.2)
    if width == 0:
        raise ValueError(f"x: all {len(x)} values are {x[0]:.6g}; a bandwidth needs different ones")
    return width


def published_nodes(x, bandwidth: float, *, valid=None) -> np.ndarray:
    """Nodes one bandwidth apart, from the 5th percentile of x to at most one bandwidth beyond the 95th [dex].

    The placement of Pandya et al. 2026.  The number of nodes depends on the values of x: call it on data, not inside a
    function to be differentiated.

    Parameters
    ----------
    x : array, shape (n,)
        Horizontal axis of each galaxy [dex]; values that are not finite are left out.
    bandwidth : float
        Distance of the nodes [dex].
    valid : bool array, shape (n,), optional
        Galaxies to use; default all.

    Raises
    ------
    ValueError
        The bandwidth is not positive, or there are fewer than two valid values.

    Examples
    --------
    >>> np.round(co.observables.published_nodes(np.linspace(9.0, 11.0, 201), 0.4), 1).tolist()
    [9.1, 9.5, 9.9, 10.3, 10.7, 11.1]
    """
    if not bandwidth > 0:
        raise ValueError(f"bandwidth: got {bandwidth}; it must be positive [dex]")
    low, high = np.percentile(_finite(x, valid), [5.0, 95.0])
    return np.arange(low, high + bandwidth, bandwidth)
