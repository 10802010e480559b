"""From a catalogue of individual galaxies to a measurement, by the kernel regression that is also applied to models.

The catalogue is a text table (see `corundum.observables.tables`) or a mapping of names to arrays.  The call states
which column is which axis, which galaxies are used and how upper limits are treated, and the notes of the measurement
record it.  Errors come from resampling the galaxies (bootstrap), so nodes that share galaxies are correlated.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import numpy as np

from ..annotations import Array
from ..arguments import strategy
from ..numerics.compiling import compiled
from .kernel import published_nodes
from .measurement import Measurement
from .regression import AbstractRegression, NadarayaWatson, RegressedRelation
from .relations import AbstractRelation
from .tables import Table, read_table

__all__ = ["regress_catalogue"]

Column = str | Callable[[Mapping[str, np.ndarray]], np.ndarray]


class _Columns(Mapping):
    """Columns of a table or a mapping as float64 by name, converted when they are read; missing values are NaN."""

    def __init__(self, catalogue):
        self._table = catalogue if isinstance(catalogue, (Mapping, Table)) else read_table(catalogue)
        self.names = list(self._table.names if isinstance(self._table, Table) else self._table)

    def __getitem__(self, name):
        if isinstance(self._table, Table):
            return self._table.column(name, missing=True)
        if name not in self._table:
            raise ValueError(f"catalogue: no column {name!r}; it has {', '.join(self.names)}")
        return np.asarray(self._table[name], float)

    def __iter__(self):
        return iter(self.names)

    def __len__(self):
        return len(self.names)

    def read(self, column: Column, axis: str) -> np.ndarray:
        values = np.asarray(column(self) if callable(column) else self[column], float)
        if values.ndim != 1:
            raise ValueError(f"catalogue: {axis} has shape {values.shape}; it must be one number per galaxy")
        return values


def regress_catalogue(
    catalogue: Any,
    relation: AbstractRelation,
    *,
    x: Column,
    y: Column,
    name: str,
    citation: str,
    regression: AbstractRegression | None = None,
    nodes: Array | Sequence[float] | None = None,
    weights: Column | None = None,
    select: Mapping[str, tuple[float, float]] | None = None,
    upper_limits: str | None = None,
    samples: int = 400,
    seed: int = 0,
    **about: Any,
) -> Measurement:
    """Regress a relation from individual galaxies.

    Parameters
    ----------
    catalogue : path, or mapping of str to array
        One row per galaxy.  Galaxies with a missing x, y or weight are left out and counted in the notes.
    relation : AbstractRelation
        What is measured; says what x and y must be.
    x, y : str or callable
        Column holding the axis [dex], or a function of the columns: ``lambda c: np.log10(c["SFR"])``.
    name, citation : str
        Of the measurement.
    regression : AbstractRegression, optional
        Default `NadarayaWatson()`, bandwidth 0.2 dex.
    nodes : array, optional
        Where to estimate [dex]; default `published_nodes` with the bandwidth of `regression`.  Nodes that too few
        galaxies reach are left out and counted in the notes.
    weights : str or callable, optional
        How many galaxies each stands for (inverse selection probability); default 1.
    select : mapping of str to (low, high), optional
        Columns and the closed ranges in which to keep galaxies.
    upper_limits : str, optional
        Column that is not 0 where y is an upper limit.  Limits are used at their value, and nodes where they
        carry more than half of the kernel weight are left out.
    samples, seed : int
        Bootstrap resamplings, and the seed of their random numbers.
    **about
        Other fields of `Measurement`: redshift, imf, h, calibration, systematic and so on.

    Returns
    -------
    Measurement
        Standard errors with their covariance, and the scatter.

    Raises
    ------
    ValueError
        A column is missing or holds no numbers, no galaxy is left, no node is reached, or `samples` is too small.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> log_mstar = rng.uniform(9.0, 11.0, 300)
    >>> catalogue = {"log_mstar": log_mstar, "sfr": 10 ** (log_mstar - 10.0 + rng.normal(0.0, 0.3, 300))}
    >>> measurement = co.observables.regress_catalogue(
    ...     catalogue, co.observables.StarFormingMainSequence(), x="log_mstar", y=lambda c: np.log10(c["sfr"]),
    ...     name="mine", citation="A et al. 2030", nodes=[9.5, 10.0, 10.5], samples=30,
    ... )
    >>> np.round(measurement.y, 1).tolist()
    [-0.5, 0.0, 0.5]
    """
    columns = _Columns(catalogue)
    points, notes = _points(columns, x, y, weights, select or {}, upper_limits)
    regression = strategy("regression", regression, NadarayaWatson())
    if nodes is None:
        nodes = published_nodes(points["x"], float(regression.bandwidth))
    kept, estimate, note = _reached(regression, points, np.asarray(nodes, float))
    if samples < 10 * len(kept):
        raise ValueError(f"samples: got {samples} for {len(kept)} nodes; a covariance needs at least {10 * len(kept)}")
    notes += note
    notes.append(f"covariance of {samples} bootstrap resamplings of the galaxies, seed {seed}")
    return Measurement(
        name=name,
        relation=relation,
        x=kept,
        y=estimate.mean,
        covariance=_bootstrap(regression, points, kept, samples, seed),
        scatter=estimate.scatter,
        error_kind="standard error",
        citation=citation,
        statistic=f"mean of the logarithm, {type(regression).__name__}",
        bandwidth=regression.bandwidth,
        notes=(*notes, *about.pop("notes", ())),
        **about,
    )


def _points(columns, x, y, weights, select, upper_limits) -> tuple[dict[str, np.ndarray], list[str]]:
    points = {"x": columns.read(x, "x"), "y": columns.read(y, "y")}
    points["weights"] = np.ones_like(points["x"]) if weights is None else columns.read(weights, "weights")
    points["limit"] = np.zeros_like(points["x"]) if upper_limits is None else columns.read(upper_limits, "upper_limits")
    lengths = {axis: len(values) for axis, values in points.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"catalogue: columns differ in length: {lengths}")
    total = lengths["x"]
    usable = np.all([np.isfinite(values) for values in points.values()], axis=0) & (points["weights"] > 0)
    notes = [f"{total} galaxies in the catalogue, {int(total - usable.sum())} with a missing value left out"]
    for column, (low, high) in select.items():
        inside = (columns[column] >= low) & (columns[column] <= high)
        notes.append(f"selection {low:g} <= {column} <= {high:g}: {int((usable & ~inside).sum())} left out")
        usable &= inside
    if usable.sum() < 2:
        raise ValueError(f"catalogue: {int(usable.sum())} galaxies are left ({'; '.join(notes)}); widen the selection")
    points = {axis: values[usable] for axis, values in points.items()}
    limits = int(np.count_nonzero(points["limit"]))
    notes.append(f"{int(usable.sum())} galaxies used, {limits} of them upper limits used at their value")
    return points, notes


def _reached(regression, points, nodes) -> tuple[np.ndarray, RegressedRelation, list[str]]:
    estimate = _regressed(regression, points["x"], points["y"], nodes, points["weights"])
    reached, mostly_limits = np.asarray(estimate.reached), np.zeros(len(nodes), bool)
    if np.any(points["limit"]):
        limit = (points["limit"] != 0).astype(float)
        share_of_limits = NadarayaWatson(regression.bandwidth)
        mostly_limits = np.asarray(_regressed(share_of_limits, points["x"], limit, nodes, points["weights"]).mean) > 0.5
    keep = reached & ~mostly_limits
    if not keep.any():
        raise ValueError(
            f"catalogue: none of {len(nodes)} nodes is usable ({int((~reached).sum())} not reached by enough "
            f"galaxies, {int((reached & mostly_limits).sum())} mostly upper limits); "
            "widen the bandwidth or move the nodes"
        )
    notes = []
    if not keep.all():
        dropped = ", ".join(f"{node:.3g}" for node in nodes[~keep])
        notes.append(f"nodes with too few galaxies or mostly upper limits left out: {dropped}")
    return nodes[keep], jax.tree.map(lambda values: np.asarray(values)[keep], estimate), notes


@compiled
def _regressed(regression, x, y, nodes, weights) -> RegressedRelation:
    return regression(x, y, nodes, weights=weights)


def _bootstrap(regression, points, nodes, samples, seed) -> np.ndarray:
    # Drawing N of N galaxies with replacement counts each galaxy 0, 1, 2 ... times.  These counts are weights, so that
    # shapes never change and one compiled program serves all resamplings.
    n = len(points["x"])
    # The number of galaxies is part of the seed, so that a mock catalogue of the same small seed is not correlated.
    counts = np.random.default_rng([seed, n]).multinomial(n, np.full(n, 1.0 / n), size=samples)

    means = _resampled_means(regression, points["x"], points["y"], nodes, points["weights"], counts)
    return np.atleast_2d(np.cov(np.asarray(means), rowvar=False))


@compiled
def _resampled_means(regression, x, y, nodes, weights, counts):
    return jax.lax.map(lambda count: regression(x, y, nodes, weights=count * weights).mean, counts)
