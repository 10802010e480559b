"""A measurement: points of one scaling relation, their covariance, and the provenance needed to use them correctly.

The kind of error that a paper gives is part of the data.  A scatter says how much galaxies differ; a standard error how
well their mean is known; a posterior how well a fitted model is known; and a calibration systematic moves neighbouring
points together.  A `Measurement` keeps these separate and states which kind its covariance is.
"""

import dataclasses
from typing import Any

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Float

from ..annotations import Array
from ..arguments import strategy
from ..array_library import array_library, on_host
from ..parameters import require_float64
from ..plain_numbers import float64
from .provenance import CORRELATIONS_IGNORED, ERROR_KINDS, check_values, error_parts, summarise
from .redshifts import SAME_REDSHIFT, require_comparable
from .regression import AbstractRegression, LocalLinear, RegressedRelation
from .relations import AbstractRelation

__all__ = ["Measurement", "ERROR_KINDS"]


def _float64(value):
    require_float64()
    return float64("measurement", value)


def _optional_float64(value):
    return None if value is None else _float64(value)


class Measurement(eqx.Module):
    """Points of one scaling relation; a pytree whose text is static.

    Parameters
    ----------
    name : str
        Short name, as `load` accepts it.
    relation : AbstractRelation
        What is measured; evaluates a model on the same axes.
    x, y : arrays, shape (n,)
        The points [dex], `x` increasing.
    covariance : array, shape (n, n)
        Statistical covariance of `y` [dex^2]: of the kind `error_kind`, without the systematic.
    scatter : array, shape (n,), optional
        Spread of galaxies about the relation [dex], where published.
    systematic : float
        Calibration uncertainty [dex], added as systematic^2 exp(-|dx| / systematic_length).
    systematic_length : float
        Distance in x [dex] over which the systematic error changes.
    error_kind : str
        A key of `ERROR_KINDS`.
    statistic : str
        Which statistic of the galaxies in a bin `y` is: median, mean of the logarithm, logarithm of the mean, fit.
    bandwidth : float
        Width [dex] of the kernel with which a model is regressed: narrow enough not to smooth away the curvature.
    redshift : float
        Redshift at which to compare a model.
    redshift_range : (float, float)
        Redshifts of the galaxies.
    upper_limit : bool array, shape (n,), optional
        Points at which `y` is an upper limit and its error the width of the limit; they are independent of all others.
    shared_with : str
        Name of another measurement of the same galaxies, if there is one.
    correlation : array, shape (n,), optional
        Correlation of the error of each point with that of the point of `shared_with` at the same x.
    imf, h, calibration, selection, citation, bibcode, source, licence : str
        Provenance, in words.
    notes : tuple of str
        What was done to the published numbers, in order.

    Raises
    ------
    ValueError
        Shapes disagree, a value is not finite, `x` does not increase, or the covariance is not symmetric and positive.

    Examples
    --------
    >>> measurement = co.observables.Measurement(
    ...     name="my_shmr", relation=co.observables.StellarToHaloMass(), citation="A et al. 2030",
    ...     x=[11.0, 12.0], y=[-2.2, -1.6], covariance=[[0.01, 0.0], [0.0, 0.01]], error_kind="standard error",
    ... )
    >>> measurement
    <Measurement my_shmr: stellar-to-halo mass ratio, 2 points at z = 0, A et al. 2030>
    >>> measurement.scaled_errors(2.0).error.tolist()
    [0.2, 0.2]
    """

    name: str = eqx.field(static=True)
    relation: AbstractRelation
    x: Float[Array, " n"] = eqx.field(converter=_float64)
    y: Float[Array, " n"] = eqx.field(converter=_float64)
    covariance: Float[Array, "n n"] = eqx.field(converter=_float64)
    error_kind: str = eqx.field(static=True)
    citation: str = eqx.field(static=True)
    redshift: float = eqx.field(static=True, default=0.0)
    imf: str = eqx.field(static=True, default="not stated")
    h: str = eqx.field(static=True, default="not stated")
    calibration: str = eqx.field(static=True, default="not stated")
    statistic: str = eqx.field(static=True, default="not stated")
    scatter: Float[Array, " n"] | None = eqx.field(converter=_optional_float64, default=None)
    systematic: Float[Array, ""] = eqx.field(converter=_float64, default=0.0)
    systematic_length: Float[Array, ""] = eqx.field(converter=_float64, default=1.0)
    bandwidth: Float[Array, ""] = eqx.field(converter=_float64, default=0.2)
    redshift_range: tuple[float, float] | None = eqx.field(static=True, default=None)
    upper_limit: tuple[bool, ...] | None = eqx.field(static=True, default=None)
    shared_with: str = eqx.field(static=True, default="")
    correlation: Float[Array, " n"] | None = eqx.field(converter=_optional_float64, default=None)
    selection: str = eqx.field(static=True, default="not stated")
    bibcode: str = eqx.field(static=True, default="")
    source: str = eqx.field(static=True, default="not stated")
    licence: str = eqx.field(static=True, default="not stated")
    notes: tuple[str, ...] = eqx.field(static=True, default=())

    def __check_init__(self):
        n = self.x.shape
        if len(n) != 1 or n[0] < 1 or self.y.shape != n or self.covariance.shape != n * 2:
            raise ValueError(
                f"measurement {self.name}: got x {n}, y {self.y.shape}, covariance {self.covariance.shape}; "
                "expected (n,), (n,) and (n, n) with at least one point"
            )
        for name in ("scatter", "correlation"):
            value = getattr(self, name)
            if value is not None and value.shape != n:
                raise ValueError(f"measurement {self.name}: got {name} {value.shape}; expected one per point, {n}")
        if bool(self.shared_with) != (self.correlation is not None):
            raise ValueError(
                f"measurement {self.name}: got only one of shared_with and correlation; give both or neither"
            )
        if self.upper_limit is not None and len(self.upper_limit) != n[0]:
            raise ValueError(
                f"measurement {self.name}: got {len(self.upper_limit)} upper_limit flags for {n[0]} points"
            )
        if self.error_kind not in ERROR_KINDS:
            raise ValueError(
                f"measurement {self.name}: got error_kind {self.error_kind!r}; allowed {', '.join(ERROR_KINDS)}"
            )
        if not any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree.leaves(self)):
            check_values(self)

    def __len__(self) -> int:
        return self.x.shape[0]

    @property
    def total_covariance(self) -> Float[Array, "n n"]:
        """Statistical plus systematic covariance [dex^2]: what a likelihood uses."""
        x, covariance, size, length = on_host(self.x, self.covariance, self.systematic, self.systematic_length)
        return covariance + size**2 * array_library(x, length).exp(-abs(x[:, None] - x[None, :]) / length)

    @property
    def error(self) -> Float[Array, " n"]:
        """Total error of each point [dex], the root of the diagonal of `total_covariance`."""
        variance = self.total_covariance.diagonal()
        return array_library(variance).sqrt(variance)

    @property
    def error_parts(self) -> str:
        """What the total errors are made of, in a few words, the larger part first: for legends and tables."""
        return error_parts(self)

    def cross_covariance(self, other: "Measurement") -> Float[np.ndarray, "n m"] | None:
        """Covariance of the points of two measurements of the same galaxies [dex^2]; None if the galaxies differ."""
        if self.shared_with != other.name or self.correlation is None:
            return None
        error, other_error = (np.sqrt(np.diag(np.asarray(m.covariance))) for m in (self, other))
        same = np.abs(np.asarray(self.x)[:, None] - np.asarray(other.x)[None, :]) < 1e-6
        return np.where(same, (np.asarray(self.correlation) * error)[:, None] * other_error, 0.0)

    def predict(
        self,
        galaxies: Any,
        regression: AbstractRegression | None = None,
        *,
        redshift_tolerance: float = SAME_REDSHIFT,
    ) -> RegressedRelation:
        """The same relation of model galaxies, at the points of this measurement; NaN where they do not reach.

        Parameters
        ----------
        galaxies : Galaxies or mapping of str to array, shape (N,)
            Quantities by name; its `valid` and `weights`, where it has them, are used.  A relation that declares
            `histories` reads them with ``galaxies.history(name)``.
        regression : AbstractRegression, optional
            Default `LocalLinear(self.bandwidth)`, which follows slopes up to the edges of the galaxies; the
            published fits use `NadarayaWatson(0.2)`.
        redshift_tolerance : float
            Largest |ln[(1 + z) / (1 + z_data)]| between galaxies that state their redshift and the data; galaxies
            within `redshift_range` pass as well.  Infinity compares galaxies of any redshift.

        Raises
        ------
        ValueError
            The galaxies are at another redshift than the data.

        Examples
        --------
        >>> measurement = co.observables.load("shmr_moster18")
        >>> relation = measurement.predict(population.at(0.0))
        >>> bool(jnp.all(jnp.isfinite(relation.mean) == relation.reached))
        True
        >>> measurement.predict(population.at(2.0))
        Traceback (most recent call last):
        ValueError: measurement shmr_moster18: it is at z = 0.1 and these galaxies are at z = 2; ...
        """
        require_comparable(self, galaxies, redshift_tolerance)
        regression = strategy("regression", regression, LocalLinear(self.bandwidth))
        relation, galaxies, nodes, regression = on_host(self.relation, galaxies, self.x, regression)
        return relation.regressed(galaxies, nodes, regression).where_reached()

    def _noted(self, note: str, **changes) -> "Measurement":
        return dataclasses.replace(self, notes=(*self.notes, note), **changes)

    def shifted(self, dy: float) -> "Measurement":
        """All points moved by `dy` [dex]."""
        return self._noted(f"y shifted by {float(dy):+g} dex", y=self.y + dy)

    def scaled_errors(self, factor: float) -> "Measurement":
        """All errors, systematic included, multiplied by `factor`."""
        if not factor > 0:
            raise ValueError(f"scaled_errors: got factor {factor}; it must be positive")
        return self._noted(
            f"errors multiplied by {float(factor):g}",
            covariance=self.covariance * factor**2,
            systematic=self.systematic * factor,
        )

    def with_systematic(self, size: float, length: float = 1.0) -> "Measurement":
        """With a systematic error of `size` [dex] over `length` [dex] in place of the present one."""
        return self._noted(
            f"systematic error set to {float(size):g} dex over {float(length):g} dex",
            systematic=size,
            systematic_length=length,
        )

    def diagonal(self) -> "Measurement":
        """Points taken as independent, each with its total error, as fits that ignore correlations do."""
        error = self.error
        return self._noted(
            CORRELATIONS_IGNORED,
            covariance=array_library(error).diag(error**2),
            systematic=0.0,
            shared_with="",
            correlation=None,
        )

    def between(self, low: float, high: float) -> "Measurement":
        """The points with low <= x <= high [dex]."""
        keep = np.flatnonzero((np.asarray(self.x) >= low) & (np.asarray(self.x) <= high))
        if not len(keep):
            raise ValueError(
                f"between: no point of {self.name} has {low:g} <= x <= {high:g}; they span "
                f"{float(self.x[0]):g} to {float(self.x[-1]):g}"
            )
        return self._noted(
            f"cut to {low:g} <= x <= {high:g}",
            x=np.asarray(self.x)[keep],
            y=np.asarray(self.y)[keep],
            covariance=np.asarray(self.covariance)[np.ix_(keep, keep)],
            scatter=None if self.scatter is None else np.asarray(self.scatter)[keep],
            correlation=None if self.correlation is None else np.asarray(self.correlation)[keep],
            upper_limit=None if self.upper_limit is None else tuple(self.upper_limit[i] for i in keep),
        )

    def summary(self) -> str:
        """What this measurement is, in lines of text: the provenance, errors, systematics and notes."""
        return summarise(self)

    def __repr__(self) -> str:
        # While JAX maps over a pytree, fields may hold anything: only static text and a shape are read.
        title, shape = getattr(self.relation, "title", "relation"), getattr(self.x, "shape", ())
        points = f"{shape[0]} points" if shape else "points"
        return f"<Measurement {self.name}: {title}, {points} at z = {self.redshift:g}, {self.citation}>"
