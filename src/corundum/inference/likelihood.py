r"""How probable data are, given a prediction: Gaussian or Student-t, with every covariance where it belongs.

The covariance of data minus prediction is the sum of

- the data's own: statistical, and systematic over neighbouring points (replaced where an offset is free);
- between measurements, where it is known;
- the Monte-Carlo error of a finite number of halos, which kernels share between neighbouring points: for two points d
  apart in x under kernels of width b the errors correlate as exp(-d^2 / 4 b^2);
- a model discrepancy, where one is free.

Upper limits count as the probability that the datum lies below them.  A scatter likelihood asks, in addition, that the
model show the spread of galaxies that is observed; scatter never enters as the error of a mean.
"""

import abc
from collections.abc import Mapping, Sequence
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import gammaln, log_ndtr
from jaxtyping import Array, Bool, Float

from ..numerics.linear_algebra import inverse, quadratic_form
from ..observables import Measurement
from .nuisances import DISCREPANCY_LENGTH
from .summaries import Prediction

__all__ = [
    "Data",
    "AbstractLikelihood",
    "Gaussian",
    "StudentT",
    "ScatterLikelihood",
    "data_of",
    "data_of_vector",
    "only_used",
    "upper_limits",
    "pointwise",
]

_LN_2PI = float(np.log(2.0 * np.pi))


class Data(eqx.Module):
    """All data of a fit as one vector.

    Attributes
    ----------
    x, y : arrays, shape (M,)
        A point whose y is NaN does not count.
    covariance : array, shape (M, M)
        Of the data.
    sampling_correlation : array, shape (M, M)
        Correlation of Monte-Carlo errors between points.
    discrepancy_correlation : array, shape (M, M)
        Correlation of a discrepancy between points.
    scatter : array, shape (M,)
        Observed spread of galaxies; NaN where not known.
    names : tuple of str
        Measurements, in order.
    sizes : tuple of int
        Points of each.
    limits : tuple of int
        Places of upper limits.
    """

    x: Float[Array, " m"]
    y: Float[Array, " m"]
    covariance: Float[Array, "m m"]
    sampling_correlation: Float[Array, "m m"]
    discrepancy_correlation: Float[Array, "m m"]
    scatter: Float[Array, " m"]
    names: tuple[str, ...] = eqx.field(static=True)
    sizes: tuple[int, ...] = eqx.field(static=True)
    limits: tuple[int, ...] = eqx.field(static=True, default=())

    def __len__(self) -> int:
        return self.y.shape[0]

    def places(self, name: str) -> np.ndarray:
        """Where the points of a measurement stand in the vector."""
        at = self.names.index(name)
        first = sum(self.sizes[:at])
        return np.arange(first, first + self.sizes[at])

    @property
    def measured(self) -> np.ndarray:
        """Places of the points that are not limits."""
        return np.setdiff1d(np.arange(sum(self.sizes)), self.limits)

    def total_covariance(self, prediction: Prediction, values: Mapping[str, Any]) -> Float[Array, "m m"]:
        """Covariance of data minus prediction."""
        total = self.covariance + self.sampling_correlation * prediction.error[:, None] * prediction.error[None, :]
        for name in self.names:
            size = values.get(f"discrepancy.{name}")
            if size is not None:
                own = np.zeros(len(self))
                own[self.places(name)] = 1.0
                total = total + size**2 * own[:, None] * own[None, :] * self.discrepancy_correlation
        return total

    def shift(self, values: Mapping[str, Any]) -> Any:
        """What calibration offsets add to the prediction."""
        total = jnp.zeros(self.y.shape)
        for name in self.names:
            offset = values.get(f"offset.{name}")
            if offset is not None:
                total = total.at[self.places(name)].add(offset)
        return total


def data_of(
    measurements: Sequence[Measurement],
    free_names: Sequence[str] = (),
    cross: Mapping[tuple[str, str], Any] | None = None,
) -> Data:
    """The data of some measurements.

    Parameters
    ----------
    measurements : sequence of Measurement
    free_names : sequence of str
        A free ``offset.NAME`` takes the place of the systematic covariance of that measurement.
    cross : mapping of (str, str) to array, shape (n, m), optional
        Covariance between the points of two measurements [dex^2]; that of measurements which say that the same
        galaxies made them is known without.

    Raises
    ------
    ValueError
        No data, a name twice, a cross-covariance of the wrong shape, or a singular covariance in total.
    """
    names = tuple(m.name for m in measurements)
    if not names:
        raise ValueError("data: got no measurement; give at least one")
    if len(set(names)) < len(names):
        raise ValueError(f"data: {', '.join(sorted({n for n in names if names.count(n) > 1}))} given twice")
    sizes = tuple(len(m) for m in measurements)
    edges = np.concatenate([[0], np.cumsum(sizes)])
    part = {name: slice(edges[i], edges[i + 1]) for i, name in enumerate(names)}
    total = int(edges[-1])
    covariance, sampling_correlation, discrepancy_correlation = np.zeros((3, total, total))
    scatter = np.full(total, np.nan)
    limits: list[int] = []
    for m in measurements:
        at, x = part[m.name], np.asarray(m.x)
        apart = np.abs(x[:, None] - x[None, :])
        own = m.covariance if f"offset.{m.name}" in free_names else m.total_covariance
        covariance[at, at] = np.asarray(own)
        sampling_correlation[at, at] = np.exp(-(apart**2) / (4.0 * float(m.bandwidth) ** 2))
        discrepancy_correlation[at, at] = np.exp(-0.5 * (apart / DISCREPANCY_LENGTH) ** 2)
        if m.scatter is not None:
            scatter[at] = np.asarray(m.scatter)
        if m.upper_limit is not None:
            limits += [int(at.start) + i for i, flag in enumerate(m.upper_limit) if flag]
    for (first, second), block in {**_known_cross(measurements), **(cross or {})}.items():
        _put_cross(covariance, part, first, second, block)
    _check_positive(covariance, names, part)
    y = np.concatenate([np.asarray(m.y) for m in measurements])
    x = np.concatenate([np.asarray(m.x) for m in measurements])
    arrays = (jnp.asarray(a) for a in (x, y, covariance, sampling_correlation, discrepancy_correlation, scatter))
    return Data(*arrays, names, sizes, tuple(limits))


def data_of_vector(y: Any, covariance: Any, name: str = "data") -> Data:
    """The data of a plain vector with a covariance (M, M) or independent variances (M,)."""
    y, covariance = np.atleast_1d(np.asarray(y, float)), np.asarray(covariance, float)
    covariance = np.diag(covariance) if covariance.ndim == 1 else covariance
    if y.ndim != 1 or covariance.shape != (len(y),) * 2:
        raise ValueError(f"data: got y {y.shape} and covariance {covariance.shape}; expected (m,) and (m, m) or (m,)")
    _check_positive(covariance, (name,), {name: slice(0, len(y))})
    eye = jnp.eye(len(y))
    return Data(
        jnp.arange(len(y), dtype=float), jnp.asarray(y), jnp.asarray(covariance), eye, eye,
        jnp.full(len(y), jnp.nan), (name,), (len(y),),
    )  # fmt: skip


def _known_cross(measurements):
    """What measurements know of one another, each pair once."""
    blocks = {}
    for i, one in enumerate(measurements):
        for other in measurements[i + 1 :]:
            block = one.cross_covariance(other)
            if block is not None:
                blocks[one.name, other.name] = block
    return blocks


def _put_cross(covariance, part, first, second, block):
    for name in (first, second):
        if name not in part:
            raise ValueError(f"cross: no measurement {name!r} in this fit; it has {', '.join(part)}")
    block = np.asarray(block, float)
    shape = tuple(part[name].stop - part[name].start for name in (first, second))
    if first == second or block.shape != shape:
        raise ValueError(f"cross: {first} with {second} has the shape {block.shape}; expected {shape} of two different")
    covariance[part[first], part[second]] = block
    covariance[part[second], part[first]] = block.T


def _check_positive(covariance, names, part):
    if not np.all(np.isfinite(covariance)):
        raise ValueError("data: the covariance has entries that are not finite")
    if np.abs(covariance - covariance.T).max() > 1e-8 * np.abs(covariance).max():
        raise ValueError("data: the covariance is not symmetric")
    scale = np.sqrt(np.maximum(np.diag(covariance), 1e-300))
    correlation = covariance / scale[:, None] / scale[None, :]
    lowest = np.linalg.eigvalsh(correlation).min()
    if lowest < 1e-10:
        alone = [n for n in names if np.linalg.eigvalsh(correlation[part[n], part[n]]).min() < 1e-10]
        where = f" already in {', '.join(alone)}" if alone else ""
        raise ValueError(
            f"data: the covariance is singular{where} (lowest eigenvalue of its correlation matrix {lowest:.2g}); "
            "add the error that is missing, or remove points that say the same"
        )


class AbstractLikelihood(eqx.Module):
    """The distribution of data about a prediction."""

    @abc.abstractmethod
    def __call__(
        self, residual: Float[Array, " m"], covariance: Float[Array, "m m"], groups: Sequence[np.ndarray]
    ) -> Float[Array, ""]:
        """Log probability density of `residual`; `groups` are the places of each measurement."""

    @abc.abstractmethod
    def information(self, size: int) -> float:
        """Expected information over that of a Gaussian with the same matrix, for a group of `size` points."""


class Gaussian(AbstractLikelihood):
    """Multivariate normal; the default."""

    def __call__(
        self, residual: Float[Array, " m"], covariance: Float[Array, "m m"], groups: Sequence[np.ndarray]
    ) -> Float[Array, ""]:
        square, log_volume = quadratic_form(residual, covariance)
        return -0.5 * (square + log_volume + residual.shape[0] * _LN_2PI)

    def information(self, size: int) -> float:
        return 1.0


class StudentT(AbstractLikelihood):
    """Multivariate Student t, each measurement by itself: one that disagrees with the rest loses its pull.

    Parameters
    ----------
    degrees : float
        Degrees of freedom; the covariance is the scale matrix.
    """

    degrees: float = eqx.field(static=True, default=4.0)

    def __check_init__(self):
        if not self.degrees > 0:
            raise ValueError(f"StudentT degrees: got {self.degrees}; allowed a positive number")

    def __call__(
        self, residual: Float[Array, " m"], covariance: Float[Array, "m m"], groups: Sequence[np.ndarray]
    ) -> Float[Array, ""]:
        total, nu = 0.0, self.degrees
        for places in groups:
            size = len(places)
            if not size:
                continue
            square, log_volume = quadratic_form(residual[places], covariance[np.ix_(places, places)])
            total += gammaln(0.5 * (nu + size)) - gammaln(0.5 * nu) - 0.5 * size * jnp.log(nu * jnp.pi)
            total += -0.5 * log_volume - 0.5 * (nu + size) * jnp.log1p(square / nu)
        return total

    def information(self, size: int) -> float:
        return (self.degrees + size) / (self.degrees + size + 2.0)


class ScatterLikelihood(eqx.Module):
    """Gaussian likelihood of the observed spread of galaxies.

    Parameters
    ----------
    error : float
        Uncertainty of each observed spread [dex].
    measurement : float
        Spread that errors of single galaxies add, taken in quadrature [dex].
    """

    error: float = eqx.field(static=True, default=0.02)
    measurement: float = eqx.field(static=True, default=0.0)

    def __call__(self, prediction: Prediction, scatter: Float[Array, " m"]) -> Float[Array, ""]:
        known = jnp.isfinite(scatter)
        spread = jnp.sqrt(prediction.scatter**2 + self.measurement**2 + 1e-12)
        # A spread from n galaxies is known to spread / sqrt(2 n), and error = spread / sqrt(n).
        variance = self.error**2 + 0.5 * prediction.error**2
        terms = -0.5 * ((spread - jnp.where(known, scatter, 0.0)) ** 2 / variance + jnp.log(variance) + _LN_2PI)
        return jnp.sum(jnp.where(known, terms, 0.0))


def only_used(covariance: Float[Array, "m m"], used: Bool[Array, " m"]) -> Float[Array, "m m"]:
    """The covariance with points that do not count replaced by independent ones of unit variance."""
    return jnp.where(used[:, None] & used[None, :], covariance, jnp.eye(covariance.shape[-1]))


def upper_limits(residual: Float[Array, " m"], variance: Float[Array, " m"]) -> Float[Array, ""]:
    """Log probability that the true values lie below limits; `residual` is limit minus prediction."""
    return jnp.sum(log_ndtr(residual / jnp.sqrt(variance)))


def pointwise(residual: Float[Array, " m"], covariance: Float[Array, "m m"]) -> Float[Array, " m"]:
    """Log density of each point of a Gaussian given all others (Buerkner, Gabry & Vehtari 2021)."""
    precision, _ = inverse(covariance)
    pull, variance = precision @ residual, 1.0 / jnp.diagonal(precision)
    return -0.5 * (jnp.log(variance) + _LN_2PI + pull**2 * variance)
