"""Kernel regression of a relation on chosen nodes, differentiable everywhere.

Given one (x, y) per galaxy, a regression estimates at each node the mean of y, its scatter and the standard error of
the mean, from galaxies weighted by a Gaussian kernel in x (`corundum.observables.kernel`).  A node far from every
galaxy gets finite numbers and derivatives too, which likelihoods need; they mean nothing there, and `reached` is False.
`RegressedRelation.where_reached` puts NaN in their place, as `corundum.observables.Measurement.predict` does.
"""

import abc
from typing import NamedTuple

import equinox as eqx
import numpy as np
from jaxtyping import Bool, Float

from ..annotations import Array
from ..array_library import array_library
from ..parameters import NOT_NEGATIVE, parameter
from ..printing import Component, in_short
from .kernel import neighbours
from .scatter import AbstractScatter, PooledScatter

__all__ = ["RegressedRelation", "AbstractRegression", "NadarayaWatson", "LocalLinear"]


class RegressedRelation(NamedTuple):
    """A relation estimated at M nodes; only the numbers where `reached` mean something.

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
        (sum w)^2 / sum w^2 of the kernel weights w: the number of equally weighted galaxies with the same error.
    count : array, shape (M,)
        Galaxies within the kernel, where one at d bandwidths from the node counts as exp(-d^2/2).
    reached : bool array, shape (M,)
        Whether there are enough galaxies, and around the node rather than all to one side of it.

    Examples
    --------
    >>> x = jnp.linspace(9.0, 11.0, 100)
    >>> relation = co.observables.LocalLinear()(x, 0.5 * x, jnp.array([10.0, 13.0]))
    >>> relation.reached.tolist(), np.round(relation.where_reached().mean, 2).tolist()
    ([True, False], [5.0, nan])
    """

    nodes: Float[Array, " m"]
    mean: Float[Array, " m"]
    scatter: Float[Array, " m"]
    standard_error: Float[Array, " m"]
    effective_count: Float[Array, " m"]
    count: Float[Array, " m"]
    reached: Bool[Array, " m"]

    def __repr__(self) -> str:
        return in_short(self)

    def where_reached(self) -> "RegressedRelation":
        """The same with NaN for mean, scatter and standard error where galaxies do not reach; slopes there are 0."""
        xp = array_library(self)
        mean, scatter, error = (
            xp.where(self.reached, value, xp.nan) for value in (self.mean, self.scatter, self.standard_error)
        )
        return self._replace(mean=mean, scatter=scatter, standard_error=error)


class AbstractRegression(Component):
    """Rule to estimate the mean of y at given x from galaxies.

    Attributes
    ----------
    bandwidth : array
        Distance in x [dex] over which galaxies count as neighbours.

    Examples
    --------
    A rule of your own may build on another:

    >>> class Widened(co.observables.AbstractRegression):
    ...     bandwidth: float = 0.2
    ...
    ...     def __call__(self, x, y, nodes, *, valid=None, weights=None):
    ...         return co.observables.LocalLinear(2.0 * self.bandwidth)(x, y, nodes, valid=valid, weights=weights)
    >>> x = jnp.linspace(9.0, 11.0, 100)
    >>> np.round(Widened()(x, 0.5 * x, jnp.array([9.0, 10.0])).mean, 2).tolist()
    [4.5, 5.0]
    """

    bandwidth: eqx.AbstractVar[Float[Array, ""]]

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
        allowed=NOT_NEGATIVE,
    )


class NadarayaWatson(AbstractRegression):
    """Kernel-weighted mean: locally constant.

    The published summaries use it (with `scatter=LocalScatter()`).  It is biased where the density of galaxies has a
    slope, by up to 0.8 bandwidths times the slope of the relation at an edge; `LocalLinear` is not.

    Parameters
    ----------
    bandwidth : float
        Standard deviation of the Gaussian kernel [dex].
    minimum_count : float
        Galaxies that a node needs, by `effective_count` and by `count`, to be reached.
    scatter : AbstractScatter
        How the variance at each node is estimated.

    Examples
    --------
    >>> x = jnp.linspace(9.0, 11.0, 100)
    >>> relation = co.observables.NadarayaWatson(0.2)(x, 0.5 * x, jnp.array([9.0, 10.0]))
    >>> np.round(relation.mean, 2).tolist()  # exact in the middle, biased at the edge
    [4.58, 5.0]
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
        near = neighbours(x, y, nodes, valid, weights, self.bandwidth, self.minimum_count)
        xp = array_library(near, parameters=self)
        mean = xp.sum(near.share * near.y[None], axis=1)
        residual = xp.sum(near.share * (near.y[None] - mean[:, None]) ** 2, axis=1)
        # Without any galaxy the leverage is that of a single one: the error is then the typical scatter, not zero.
        leverage = xp.where(near.effective_count > 0, xp.sum(near.share**2, axis=1), 1.0)
        return _estimate(nodes, near, mean, residual, leverage, leverage, self.scatter)


class LocalLinear(AbstractRegression):
    """Kernel-weighted straight line through the neighbours, read at the node (Fan & Gijbels 1996).

    Exact on a linear relation however the galaxies are distributed.  Residuals are taken about the local line, and the
    standard error is that of its value at the node, so it grows beyond the last galaxies.

    Parameters
    ----------
    bandwidth : float
        Standard deviation of the Gaussian kernel [dex].
    minimum_count : float
        Galaxies that a node needs, by `effective_count` and by `count`, to be reached.
    scatter : AbstractScatter
        How the variance at each node is estimated.

    Examples
    --------
    >>> x = jnp.linspace(9.0, 11.0, 100)
    >>> relation = co.observables.LocalLinear(0.2)(x, 0.5 * x, jnp.array([9.0, 10.0]))
    >>> np.round(relation.mean, 2).tolist()
    [4.5, 5.0]
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
        near = neighbours(x, y, nodes, valid, weights, self.bandwidth, self.minimum_count)
        xp = array_library(near, parameters=self)
        share = near.share
        centre = xp.sum(share * near.offset, axis=1, keepdims=True)
        level = xp.sum(share * near.y[None], axis=1, keepdims=True)
        distance = near.offset - centre
        spread = xp.sum(share * distance**2, axis=1, keepdims=True)
        # Neighbours at practically one x have no slope: there the line is level.
        sloped = spread > 1e-4 * xp.asarray(self.bandwidth) ** 2
        inverse = xp.where(sloped, 1.0 / xp.where(sloped, spread, 1.0), 0.0)
        slope = xp.sum(share * distance * near.y[None], axis=1, keepdims=True) * inverse
        mean = (level - slope * centre)[:, 0]
        residual = xp.sum(share * (near.y[None] - level - slope * distance) ** 2, axis=1)
        # mean = sum_j l_j y_j, so its variance is that of one galaxy times sum l^2; the trace of the projection onto
        # the weighted line gives the share of the variance that the fit absorbs.
        no_galaxy = near.effective_count == 0
        linear = share * (1.0 - centre * distance * inverse)
        error_share = xp.where(no_galaxy, 1.0, xp.sum(linear**2, axis=1))
        leverage = xp.where(no_galaxy, 1.0, xp.sum(share**2 * (1.0 + distance**2 * inverse), axis=1))
        return _estimate(nodes, near, mean, residual, leverage, error_share, self.scatter)


def _safe_sqrt(xp, value):
    return xp.where(value > 0, xp.sqrt(xp.where(value > 0, value, 1.0)), 0.0)


def _estimate(nodes, near, mean, residual, leverage, error_share, scatter) -> RegressedRelation:
    variance = scatter.variance(residual, leverage, near.effective_count)
    xp = array_library(mean, variance)
    return RegressedRelation(
        nodes=xp.asarray(nodes, np.float64),
        mean=mean,
        scatter=_safe_sqrt(xp, variance),
        standard_error=_safe_sqrt(xp, variance * error_share),
        effective_count=near.effective_count,
        count=near.count,
        reached=near.reached,
    )
