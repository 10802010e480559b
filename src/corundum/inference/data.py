r"""All data of a fit as one vector, with every covariance where it belongs.

The covariance of data minus prediction is the sum of

- the data's own: statistical, and systematic over neighbouring points (replaced where an offset is free);
- between measurements, where it is known;
- the Monte-Carlo error of a finite number of halos, which kernels share between neighbouring points: for two points d
  apart in x under kernels of width b the errors correlate as exp(-d^2 / 4 b^2);
- a model discrepancy, where one is free.

Scatter of galaxies never enters as the error of a mean; `corundum.inference.ScatterLikelihood` compares it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ..annotations import Array
from ..observables import Measurement
from ..plain_numbers import plain_numbers
from ..printing import Component
from .nuisances import DISCREPANCY_LENGTH
from .summaries import Prediction

__all__ = ["Data", "data_of", "data_of_vector"]

_SMALLEST_EIGENVALUE = 1e-10  # of a correlation matrix that is not singular


class Data(Component):
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
        Positions of upper limits.

    Examples
    --------
    >>> target.data.names, len(target.data)
    (('data',), 5)
    >>> target.data.positions("data")
    array([0, 1, 2, 3, 4])
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

    def positions(self, name: str) -> np.ndarray:
        """Positions of the points of a measurement in the vector."""
        index = self.names.index(name)
        first = sum(self.sizes[:index])
        return np.arange(first, first + self.sizes[index])

    @classmethod
    def join(cls, parts: Sequence["Data"]) -> "Data":
        """The data of several fits side by side, without covariance between them.

        Raises
        ------
        ValueError
            A measurement is in two of them.
        """
        names = tuple(name for part in parts for name in part.names)
        _check_once(names)
        first = np.cumsum([0, *(len(part) for part in parts)])
        columns = {key: jnp.concatenate([getattr(part, key) for part in parts]) for key in ("x", "y", "scatter")}
        matrices = {
            key: jax.scipy.linalg.block_diag(*(getattr(part, key) for part in parts))
            for key in ("covariance", "sampling_correlation", "discrepancy_correlation")
        }
        sizes = tuple(size for part in parts for size in part.sizes)
        limits = tuple(int(start) + limit for start, part in zip(first, parts, strict=False) for limit in part.limits)
        return cls(**columns, **matrices, names=names, sizes=sizes, limits=limits)

    def numbers(self, y: Any = None) -> Float[Array, " m"]:
        """Numbers in the place of the measured ones, (M,), NaN where a point does not count; the measured for None.

        Raises
        ------
        ValueError
            They are not one for each point.
        """
        if y is None:
            return self.y
        y = jnp.asarray(plain_numbers("y", y), jnp.float64)
        if y.shape != self.y.shape:
            raise ValueError(f"y: got shape {y.shape}; give {self.y.shape}, one number for each point of the data")
        return y

    def among(self, names: Sequence[str]) -> np.ndarray:
        """Whether each point belongs to one of these measurements, (M,).

        Raises
        ------
        ValueError
            There is no such measurement, or none is named.
        """
        unknown = [name for name in names if name not in self.names]
        if unknown or not names:
            wrong = ", ".join(unknown) or "an empty list"
            raise ValueError(f"using: got {wrong}; this fit has {', '.join(self.names)}")
        used = np.zeros(len(self), bool)
        for name in names:
            used[self.positions(name)] = True
        return used

    def scaled_covariance(self, factor: float | Mapping[str, float]) -> Float[Array, "m m"]:
        """The covariance with the errors of all data, or of some measurements, multiplied.

        Raises
        ------
        ValueError
            A factor is not positive.
        """
        scale = np.ones(len(self))
        for name in self.names:
            scale[self.positions(name)] = factor.get(name, 1.0) if isinstance(factor, Mapping) else factor
        if not np.all(scale > 0):
            raise ValueError(f"scaled_errors: got {factor}; allowed positive factors")
        return self.covariance * scale[:, None] * scale[None, :]

    @property
    def measured(self) -> np.ndarray:
        """Positions of the points that are not limits."""
        return np.setdiff1d(np.arange(sum(self.sizes)), self.limits)

    def total_covariance(self, prediction: Prediction, values: Mapping[str, Any]) -> Float[Array, "m m"]:
        """Covariance of data minus prediction; `values` are those of the free parameters, by name."""
        total = self.covariance + self.sampling_correlation * prediction.error[:, None] * prediction.error[None, :]
        for name in self.names:
            size = values.get(f"discrepancy.{name}")
            if size is not None:
                inside = np.zeros(len(self))
                inside[self.positions(name)] = 1.0
                total = total + size**2 * inside[:, None] * inside[None, :] * self.discrepancy_correlation
        return total

    def shift(self, values: Mapping[str, Any]) -> Float[Array, " m"]:
        """What calibration offsets add to the prediction."""
        total = jnp.zeros(self.y.shape)
        for name in self.names:
            offset = values.get(f"offset.{name}")
            if offset is not None:
                total = total.at[self.positions(name)].add(offset)
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
        Covariance between the points of two measurements [dex^2].  It need not be given for measurements whose files
        say that they are of the same galaxies.

    Raises
    ------
    ValueError
        There are no data, a name occurs twice, a cross-covariance has the wrong shape, or the whole covariance is
        singular.
    """
    names = tuple(m.name for m in measurements)
    if not names:
        raise ValueError("data: got no measurement; give at least one")
    _check_once(names)
    sizes = tuple(len(m) for m in measurements)
    edges = np.concatenate([[0], np.cumsum(sizes)])
    slices = {name: slice(edges[i], edges[i + 1]) for i, name in enumerate(names)}
    total = int(edges[-1])
    covariance, sampling_correlation, discrepancy_correlation = np.zeros((3, total, total))
    scatter = np.full(total, np.nan)
    limits: list[int] = []
    for m in measurements:
        rows, x = slices[m.name], np.asarray(m.x)
        distance = np.abs(x[:, None] - x[None, :])
        covariance[rows, rows] = np.asarray(m.covariance if f"offset.{m.name}" in free_names else m.total_covariance)
        sampling_correlation[rows, rows] = np.exp(-(distance**2) / (4.0 * float(m.bandwidth) ** 2))
        discrepancy_correlation[rows, rows] = np.exp(-0.5 * (distance / DISCREPANCY_LENGTH) ** 2)
        if m.scatter is not None:
            scatter[rows] = np.asarray(m.scatter)
        if m.upper_limit is not None:
            limits += [int(rows.start) + i for i, flag in enumerate(m.upper_limit) if flag]
    for (first, second), block in {**_known_cross(measurements), **(cross or {})}.items():
        _put_cross(covariance, slices, first, second, block)
    _check_positive(covariance, names, slices)
    y = np.concatenate([np.asarray(m.y) for m in measurements])
    x = np.concatenate([np.asarray(m.x) for m in measurements])
    return Data(
        jnp.asarray(x),
        jnp.asarray(y),
        jnp.asarray(covariance),
        jnp.asarray(sampling_correlation),
        jnp.asarray(discrepancy_correlation),
        jnp.asarray(scatter),
        names,
        sizes,
        tuple(limits),
    )


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


def _check_once(names):
    if len(set(names)) < len(names):
        raise ValueError(f"data: {', '.join(sorted({n for n in names if names.count(n) > 1}))} given twice")


def _known_cross(measurements):
    """The covariances between measurements that their files state, each pair once."""
    blocks = {}
    for i, one in enumerate(measurements):
        for other in measurements[i + 1 :]:
            block = one.cross_covariance(other)
            if block is not None:
                blocks[one.name, other.name] = block
    return blocks


def _put_cross(covariance, slices, first, second, block):
    for name in (first, second):
        if name not in slices:
            raise ValueError(f"cross: no measurement {name!r} in this fit; it has {', '.join(slices)}")
    block = np.asarray(block, float)
    shape = tuple(slices[name].stop - slices[name].start for name in (first, second))
    if first == second or block.shape != shape:
        raise ValueError(f"cross: {first} with {second} has the shape {block.shape}; expected {shape} of two different")
    covariance[slices[first], slices[second]] = block
    covariance[slices[second], slices[first]] = block.T


def _check_positive(covariance, names, slices):
    if not np.all(np.isfinite(covariance)):
        raise ValueError("data: the covariance has entries that are not finite")
    if np.abs(covariance - covariance.T).max() > 1e-8 * np.abs(covariance).max():
        raise ValueError("data: the covariance is not symmetric")
    scale = np.sqrt(np.maximum(np.diag(covariance), 1e-300))
    correlation = covariance / scale[:, None] / scale[None, :]
    lowest = np.linalg.eigvalsh(correlation).min()
    if lowest < _SMALLEST_EIGENVALUE:
        blocks = {name: correlation[slices[name], slices[name]] for name in names}
        singular = [name for name in names if np.linalg.eigvalsh(blocks[name]).min() < _SMALLEST_EIGENVALUE]
        where = f" already in {', '.join(singular)}" if singular else ""
        raise ValueError(
            f"data: the covariance is singular{where} (lowest eigenvalue of its correlation matrix {lowest:.2g}); "
            "add the error that is missing, or remove points that repeat others"
        )
