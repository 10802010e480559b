"""Kernel regression of a relation on chosen nodes, differentiable everywhere.

Given one (x, y) per galaxy, a regression estimates at each node the mean of y, its scatter and the standard
error of the mean, from galaxies weighted by a Gaussian kernel in x.  Weights are normalised by log-sum-exp,
so a node far from every galaxy still gets finite numbers and finite derivatives; they mean nothing there, and
`reached` is False.
"""

import abc
from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Bool, Float

from ..parameters import parameter

__all__ = [
    "RegressedRelation",
    "AbstractScatter",
    "PooledScatter",
    "LocalScatter",
    "AbstractRegression",
    "NadarayaWatson",
    "LocalLinear",
    "scott_bandwidth",
    "published_nodes",
]


class RegressedRelation(NamedTuple):
    """A relation estimated at M nodes; every number is finite, but only those where `reached` mean something.

    Attributes
    ----------
    nodes : array, shape (M,)
        Where the relation is estimated [dex].
    mean : array, shape (M,)
        Mean of y [dex].
    scatter : array, shape (M,)
        Standard deviation of y about the relation [dex].
    standard_error : array, shape (M,)
        Standard error of `mean` [dex].
    effective_count : array, shape (M,)
        (sum w)^2 / sum w^2 of the kernel weights w: how many equally weighted galaxies the mean is worth.
    count : array, shape (M,)
        Galaxies within the kernel, each counted as exp(-d^2/2) at d bandwidths from the node.
    reached : bool array, shape (M,)
        Enough galaxies, and around the node rather than all to one side of it.
    """

    nodes: Float[Array, " m"]
    mean: Float[Array, " m"]
    scatter: Float[Array, " m"]
    standard_error: Float[Array, " m"]
    effective_count: Float[Array, " m"]
    count: Float[Array, " m"]
    reached: Bool[Array, " m"]


class AbstractScatter(eqx.Module):
    """Rule for the variance of y about the relation, given what the galaxies near each node show."""

    @abc.abstractmethod
    def variance(
        self, residual: Float[Array, " m"], leverage: Float[Array, " m"], effective_count: Float[Array, " m"]
    ) -> Float[Array, " m"]:
        """SigmaOfMass at each node [dex^2].

        Parameters
        ----------
        residual : array
            Kernel-weighted mean of the squared residuals [dex^2].  If the true variance is V its expectation
            is V (1 - leverage), because the fitted curve follows the galaxies it is fitted to.
        leverage : array
            Share of the variance that the fit absorbs: 1 / effective_count for a mean, more for a line.
        effective_count : array
            Effective number of galaxies at each node.
        """


class PooledScatter(AbstractScatter):
    """Local variance made up to an unbiased one with the variance pooled over nodes; the default.

    V = residual + leverage V_pool.  This is exactly unbiased where the scatter is the same at all nodes, and
    tends to the pooled value, not to zero, where one galaxy alone reaches a node.  V_pool in turn counts
    `typical` as one more galaxy, which only matters when there is hardly any other.
    """

    typical: Float[Array, ""] = parameter(
        0.2,
        unit="dex",
        meaning="scatter assumed when no galaxy tells",
        source="choice: between the scatters of the observed relations (0.05-0.4 dex)",
        bounds=(0.05, 0.5),
    )

    def variance(
        self, residual: Float[Array, " m"], leverage: Float[Array, " m"], effective_count: Float[Array, " m"]
    ) -> Float[Array, " m"]:
        squares = jnp.sum(effective_count * residual) + self.typical**2
        freedom = jnp.sum(effective_count * (1.0 - leverage)) + 1.0
        return residual + leverage * squares / freedom


class LocalScatter(AbstractScatter):
    """SigmaOfMass of the weighted galaxies as it is (Pandya et al. 2026): zero where a node has one galaxy."""

    def variance(
        self, residual: Float[Array, " m"], leverage: Float[Array, " m"], effective_count: Float[Array, " m"]
    ) -> Float[Array, " m"]:
        return residual


class AbstractRegression(eqx.Module):
    """Rule to estimate the mean of y at given x from galaxies; concrete ones hold a `bandwidth` [dex]."""

    @abc.abstractmethod
    def __call__(
        self,
        x: Float[Array, " n"],
        y: Float[Array, " n"],
        nodes: Float[Array, " m"],
        *,
        valid: Bool[Array, " n"] | None = None,
        weights: Float[Array, " n"] | None = None,
    ) -> RegressedRelation:
        """Estimate the relation at `nodes`.

        Parameters
        ----------
        x, y : arrays, shape (N,)
            One point per galaxy [dex].  A point that is not finite is left out.
        nodes : array, shape (M,)
            Where to estimate [dex].
        valid : bool array, shape (N,), optional
            Galaxies to use; default all.
        weights : array, shape (N,), optional
            How many galaxies each stands for; default 1.  Those not positive and finite are left out.
        """


class _Neighbours(NamedTuple):
    share: Float[Array, "m n"]  # normalised kernel weights; all zero if no galaxy is valid
    offset: Float[Array, "m n"]  # x of each galaxy from each node [dex]
    y: Float[Array, " n"]
    effective_count: Float[Array, " m"]
    count: Float[Array, " m"]
    reached: Bool[Array, " m"]


def _neighbours(x, y, nodes, valid, weights, bandwidth, minimum_count) -> _Neighbours:
    x, y, nodes = (jnp.asarray(value, jnp.float64) for value in (x, y, nodes))
    weights = jnp.ones_like(x) if weights is None else jnp.asarray(weights, jnp.float64)
    if x.ndim != 1 or y.shape != x.shape or weights.shape != x.shape or nodes.ndim != 1:
        raise ValueError(
            f"regression: got x {x.shape}, y {y.shape}, weights {weights.shape} and nodes {nodes.shape}; "
            "x, y and weights must be lists of the same length and nodes a list"
        )
    good = jnp.isfinite(x) & jnp.isfinite(y) & jnp.isfinite(weights) & (weights > 0)
    if valid is not None:
        good = good & jnp.asarray(valid, bool)
    x, y, weights = (jnp.where(good, value, fill) for value, fill in ((x, 0.0), (y, 0.0), (weights, 1.0)))

    offset = jnp.where(good, x[None, :] - nodes[:, None], 0.0)
    log_kernel = -0.5 * (offset / bandwidth) ** 2
    log_weight = log_kernel + jnp.log(weights)
    top = lax.stop_gradient(jnp.max(jnp.where(good, log_weight, -jnp.inf), axis=1, keepdims=True, initial=-jnp.inf))
    top = jnp.where(jnp.isfinite(top), top, 0.0)
    weight = jnp.where(good, jnp.exp(jnp.where(good, log_weight - top, 0.0)), 0.0)
    total = jnp.sum(weight, axis=1, keepdims=True)  # at least 1, by the choice of `top`, if any galaxy is good
    share = weight / jnp.where(total > 0, total, 1.0)

    squares = jnp.sum(share**2, axis=1)
    effective_count = jnp.where(squares > 0, 1.0 / jnp.where(squares > 0, squares, 1.0), 0.0)
    count = jnp.sum(jnp.where(good, jnp.exp(log_kernel), 0.0), axis=1)
    # At the edge of a dense population the kernel mean of x is 0.8 bandwidths inside; beyond 1 a node has
    # left it.
    centred = jnp.abs(jnp.sum(share * offset, axis=1)) <= bandwidth
    reached = (effective_count >= minimum_count) & (count >= minimum_count) & centred
    return _Neighbours(share, offset, y, effective_count, count, reached)


def _safe_sqrt(value):
    return jnp.where(value > 0, jnp.sqrt(jnp.where(value > 0, value, 1.0)), 0.0)


def _bandwidth():
    return parameter(
        0.2,
        unit="dex",
        meaning="standard deviation of the Gaussian kernel",
        source="Pandya et al. 2026 (halo mass relation); see scott_bandwidth",
        bounds=(0.02, 1.0),
        scale="log10",
    )


def _minimum_count():
    return parameter(
        5.0,
        unit="1",
        meaning="galaxies a node needs, by effective_count and by count, to be reached",
        source="choice: the standard error itself is then known to about a third",
        bounds=(1.0, 100.0),
    )


class NadarayaWatson(AbstractRegression):
    """Kernel-weighted mean: local constant.

    The published summaries use it (with `scatter=LocalScatter()`).  It is biased where the density of
    galaxies has a slope, by up to 0.8 bandwidths times the slope of the relation at an edge; `LocalLinear` is
    not.
    """

    bandwidth: Float[Array, ""] = _bandwidth()
    minimum_count: Float[Array, ""] = _minimum_count()
    scatter: AbstractScatter = eqx.field(default_factory=PooledScatter)

    def __call__(
        self,
        x: Float[Array, " n"],
        y: Float[Array, " n"],
        nodes: Float[Array, " m"],
        *,
        valid: Bool[Array, " n"] | None = None,
        weights: Float[Array, " n"] | None = None,
    ) -> RegressedRelation:
        near = _neighbours(x, y, nodes, valid, weights, self.bandwidth, self.minimum_count)
        mean = jnp.sum(near.share * near.y, axis=1)
        residual = jnp.sum(near.share * (near.y - mean[:, None]) ** 2, axis=1)
        # With no galaxy at all the share of one galaxy stands in: the error is then the typical scatter, not
        # zero.
        leverage = jnp.where(near.effective_count > 0, jnp.sum(near.share**2, axis=1), 1.0)
        return _estimate(nodes, near, mean, residual, leverage, leverage, self.scatter)


class LocalLinear(AbstractRegression):
    """Kernel-weighted straight line through the neighbours, read at the node (Fan & Gijbels 1996).

    Exact on a linear relation however the galaxies are spread.  Residuals are taken about the local line, and
    the standard error is that of its value at the node, so it grows beyond the last galaxies.
    """

    bandwidth: Float[Array, ""] = _bandwidth()
    minimum_count: Float[Array, ""] = _minimum_count()
    scatter: AbstractScatter = eqx.field(default_factory=PooledScatter)

    def __call__(
        self,
        x: Float[Array, " n"],
        y: Float[Array, " n"],
        nodes: Float[Array, " m"],
        *,
        valid: Bool[Array, " n"] | None = None,
        weights: Float[Array, " n"] | None = None,
    ) -> RegressedRelation:
        near = _neighbours(x, y, nodes, valid, weights, self.bandwidth, self.minimum_count)
        share = near.share
        centre = jnp.sum(share * near.offset, axis=1, keepdims=True)
        level = jnp.sum(share * near.y, axis=1, keepdims=True)
        apart = near.offset - centre
        spread = jnp.sum(share * apart**2, axis=1, keepdims=True)
        # Neighbours at practically one x have no slope: there the line is level.
        sloped = spread > 1e-4 * self.bandwidth**2
        inverse = jnp.where(sloped, 1.0 / jnp.where(sloped, spread, 1.0), 0.0)
        slope = jnp.sum(share * apart * near.y, axis=1, keepdims=True) * inverse
        mean = (level - slope * centre)[:, 0]
        residual = jnp.sum(share * (near.y - level - slope * apart) ** 2, axis=1)
        # mean = sum_j l_j y_j, so its variance is that of one galaxy times sum l^2; the trace of the
        # projection onto the weighted line gives the share of the variance that the fit absorbs.
        alone = near.effective_count == 0
        linear = share * (1.0 - centre * apart * inverse)
        error_share = jnp.where(alone, 1.0, jnp.sum(linear**2, axis=1))
        leverage = jnp.where(alone, 1.0, jnp.sum(share**2 * (1.0 + apart**2 * inverse), axis=1))
        return _estimate(nodes, near, mean, residual, leverage, error_share, self.scatter)


def _estimate(nodes, near, mean, residual, leverage, error_share, scatter) -> RegressedRelation:
    variance = scatter.variance(residual, leverage, near.effective_count)
    return RegressedRelation(
        nodes=jnp.asarray(nodes, jnp.float64),
        mean=mean,
        scatter=_safe_sqrt(variance),
        standard_error=_safe_sqrt(variance * error_share),
        effective_count=near.effective_count,
        count=near.count,
        reached=near.reached,
    )


def _finite(x, valid) -> np.ndarray:
    x = np.asarray(x, float)
    good = np.isfinite(x) if valid is None else np.isfinite(x) & np.asarray(valid, bool)
    if good.sum() < 2:
        raise ValueError(f"x: got {int(good.sum())} valid finite values; a bandwidth needs at least two")
    return x[good]


def scott_bandwidth(x, *, valid=None) -> float:
    """Scott's rule [dex]: standard deviation of the valid x times N^(-1/5) (Scott 1992)."""
    x = _finite(x, valid)
    width = float(np.std(x) * len(x) ** -0.2)
    if width == 0:
        raise ValueError(f"x: all {len(x)} values are {x[0]:.6g}; a bandwidth needs different ones")
    return width


def published_nodes(x, bandwidth: float, *, valid=None) -> np.ndarray:
    """Nodes one bandwidth [dex] apart, from the 5th percentile of x up to, at most, one past the 95th.

    The placement of Pandya et al. 2026.  The number of nodes depends on the values of x: call it on data, not
    inside a function to be differentiated.
    """
    if not bandwidth > 0:
        raise ValueError(f"bandwidth: got {bandwidth}; it must be positive [dex]")
    low, high = np.percentile(_finite(x, valid), [5.0, 95.0])
    return np.arange(low, high + bandwidth, bandwidth)
