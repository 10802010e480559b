"""Scaling relations of a population compared with data, and of two populations compared with each other.

In all of these figures points are model galaxies, a line is their kernel-regressed mean with its standard error, and a
pale band is their scatter.  Data are black: thin bars with caps are the total error, whose parts the legend names;
thick pale bars are the spread of galaxies.
"""

import re
from collections.abc import Sequence
from itertools import cycle
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from ..observables import AbstractRegression, AbstractRelation, Measurement, NadarayaWatson, RegressedRelation
from .style import COLORS, CYCLE, legend, new_axes, new_panels, styled

__all__ = ["scaling_relation", "compare_relation", "short_citation"]

_MARKERS = "osD^vPX"
_SHADES = ("#111111", "#7a7a7a", "#a8431c", "#3c6e47", "#6d4a8f")
_MOST_POINTS = 5000  # more galaxies are drawn as a density
_NODES = 61  # always the same number, so that the regression is compiled once


@styled
def scaling_relation(
    galaxies: Any,
    relation: AbstractRelation,
    measurements: Sequence[Measurement] = (),
    ax: Axes | None = None,
    *,
    regression: AbstractRegression | None = None,
    label: str = "model",
) -> Axes:
    """Galaxies of one redshift on the axes of a relation, their regressed mean, and the data.

    Parameters
    ----------
    galaxies : Galaxies
    relation : AbstractRelation
    measurements : sequence of Measurement
    ax : Axes, optional
    regression : AbstractRegression, optional
        Default `NadarayaWatson` with the kernel of the first measurement, or 0.2 dex.
    label : str
        Name of the model in the legend.

    Examples
    --------
    >>> measurement = co.observables.load("shmr_moster18")
    >>> ax = co.plots.scaling_relation(population.at(0.0), measurement.relation, [measurement])
    >>> ax.get_ylabel() == measurement.relation.y_axis.meaning
    True
    """
    ax = new_axes() if ax is None else ax
    x, y, good = _points(galaxies, relation)
    color = COLORS["model"]
    if good.sum() > _MOST_POINTS:
        ax.hexbin(
            x[good],
            y[good],
            gridsize=70,
            mincnt=1,
            bins="log",
            cmap="Blues",
            linewidths=0,
            alpha=0.7,
            zorder=1,
        )
    else:
        size = float(np.clip(4000 / max(good.sum(), 1), 3, 14))
        ax.scatter(x[good], y[good], s=size, color=color, alpha=0.28, linewidth=0, rasterized=True, zorder=1)
    if regression is None:
        regression = NadarayaWatson(measurements[0].bandwidth if measurements else 0.2)
    estimate = regress(galaxies, relation, regression)
    draw_estimate(ax, estimate, color, label)
    for measurement, marker, shade in zip(measurements, cycle(_MARKERS), cycle(_SHADES), strict=False):
        _draw_measurement(ax, measurement, marker, shade, float(getattr(galaxies, "redshift", measurement.redshift)))
    ax.set_xlabel(relation.x_axis.meaning)
    ax.set_ylabel(relation.y_axis.meaning)
    _limits(ax, x[good], y[good], measurements)
    bars = [_bar_points(data) for data in measurements]
    legend(ax, np.concatenate([x[good], *(b[0] for b in bars)]), np.concatenate([y[good], *(b[1] for b in bars)]))
    return ax


@styled
def compare_relation(
    galaxies: Sequence[Any],
    relation: AbstractRelation,
    labels: Sequence[str],
    axes: np.ndarray | None = None,
    *,
    regression: AbstractRegression | None = None,
) -> np.ndarray:
    """Two populations on one relation, and below it the second minus the first with its standard error.

    Parameters
    ----------
    galaxies : two Galaxies
    relation : AbstractRelation
    labels : two texts
    axes : array of two Axes, optional
    regression : AbstractRegression, optional
        Default ``NadarayaWatson()``.

    Returns
    -------
    array of two Axes

    Examples
    --------
    >>> relation = co.observables.load("shmr_moster18").relation
    >>> co.plots.compare_relation([population.at(0.0), population.at(2.0)], relation, ("z = 0", "z = 2")).shape
    (2,)
    """
    if axes is None:
        axes = new_panels(2, 1, size=(5.0, 5.2), sharex=True, gridspec_kw={"height_ratios": [2.4, 1.0]})
    regression = NadarayaWatson() if regression is None else regression
    first, second = galaxies
    nodes = _nodes(np.concatenate([x[good] for x, _, good in (_points(g, relation) for g in galaxies)]))
    estimates = [regress(g, relation, regression, nodes) for g in (first, second)]
    for estimate, color, label in zip(estimates, CYCLE, labels, strict=False):
        draw_estimate(axes[0], estimate, color, label, scatter_label=None)
    axes[0].set_ylabel(relation.y_axis.meaning)
    axes[0].legend(loc="best")
    difference, error = difference_of(*estimates)
    axes[1].axhline(0.0, color="0.5", linewidth=0.8)
    axes[1].fill_between(nodes, difference - error, difference + error, color=CYCLE[1], alpha=0.3, linewidth=0)
    axes[1].plot(nodes, difference, color=CYCLE[1])
    axes[1].set_xlabel(relation.x_axis.meaning)
    axes[1].set_ylabel("difference [dex]")
    return axes


def regress(
    galaxies: Any, relation: AbstractRelation, regression: AbstractRegression, nodes: np.ndarray | None = None
) -> RegressedRelation:
    """The relation of these galaxies at `nodes` (default: spread over them), as NumPy arrays."""
    x, y, good = _points(galaxies, relation)
    nodes = _nodes(x[good]) if nodes is None else nodes
    weights = getattr(galaxies, "weights", None)
    return RegressedRelation(*map(np.asarray, regression(x, y, nodes, valid=good, weights=weights)))


def difference_of(first: RegressedRelation, second: RegressedRelation) -> tuple[np.ndarray, np.ndarray]:
    """Second minus first where both are reached, NaN elsewhere, and the standard error of that [dex]."""
    reached = first.reached & second.reached
    error = np.hypot(first.standard_error, second.standard_error)
    return np.where(reached, second.mean - first.mean, np.nan), np.where(reached, error, np.nan)


def draw_estimate(
    ax: Axes,
    estimate: RegressedRelation,
    color: str,
    label: str,
    scatter_label: str | None = "scatter of its galaxies",
) -> None:
    """Draw a regressed mean with its standard error and scatter; nodes that are not reached are left out."""
    mean, error, scatter = (
        np.where(estimate.reached, value, np.nan)
        for value in (estimate.mean, estimate.standard_error, estimate.scatter)
    )
    ax.plot(estimate.nodes, mean, color=color, label=f"{label}: mean ± standard error", zorder=4)
    low, high = mean - error, mean + error
    ax.fill_between(estimate.nodes, low, high, color=color, alpha=0.45, linewidth=0, zorder=3)
    low, high = mean - scatter, mean + scatter
    ax.fill_between(estimate.nodes, low, high, color=color, alpha=0.13, linewidth=0, label=scatter_label, zorder=2)


def short_citation(citation: str) -> str:
    """``"Behroozi et al. 2019"`` from a full citation: first author and year."""
    year = re.search(r"\b(1[89]|20)\d\d\b", citation)
    if year is None:
        return citation
    authors = citation[: year.start()].strip(" ,(+")
    first = re.split(r",| & | and | et al", authors)[0]
    pair = re.fullmatch(r"[^,]+(?: & | and )([^,]+)", authors)
    others = "" if authors == first else f" & {pair.group(1)}" if pair else " et al."
    return f"{first}{others} {year.group()}"


def _points(galaxies, relation):
    x, y = np.asarray(relation.x(galaxies)), np.asarray(relation.y(galaxies))
    valid = getattr(galaxies, "valid", None)
    good = np.isfinite(x) & np.isfinite(y)
    return x, y, good if valid is None else good & np.asarray(valid)


def _nodes(x):
    if x.size == 0:
        raise ValueError("scaling relation: no galaxy has values on both axes; see population.status_counts()")
    return np.linspace(x.min(), x.max(), _NODES)


def _draw_measurement(ax, data, marker, shade, redshift):
    x, y = np.asarray(data.x), np.asarray(data.y)
    name = short_citation(data.citation)
    if abs(data.redshift - redshift) > 0.15:
        name += f" at z = {data.redshift:g}"
    spread = np.asarray(data.error) if data.error_kind == "scatter" else data.scatter
    if spread is not None:
        ax.errorbar(x, y, np.asarray(spread), fmt="none", ecolor=shade, alpha=0.22, elinewidth=4.5, zorder=4.5)
    if data.error_kind == "scatter":
        label = f"{name} (bars: {data.error_parts})"
        ax.plot(x, y, marker, color=shade, markerfacecolor="white", markersize=5, label=label, zorder=6)
        return
    label = f"{name} (bars: {data.error_parts}{'; pale: scatter' if spread is not None else ''})"
    style = dict(fmt=marker, color=shade, markersize=4.5, elinewidth=1.1, capsize=2.5, capthick=1.1)
    ax.errorbar(x, y, np.asarray(data.error), label=label, zorder=6, **style)


def _bar_points(data):
    """Both ends and the middle of every error bar, so that the legend can avoid them."""
    spread = np.asarray(data.error) if data.scatter is None else np.maximum(data.error, data.scatter)
    y = np.asarray(data.y)
    return np.repeat(np.asarray(data.x), 3), np.stack([y - spread, y, y + spread], axis=1).ravel()


def _limits(ax, x, y, measurements):
    # Limits follow the bulk of the galaxies and all data, so that a few outliers do not shrink the relation.
    for values, name, low, high in ((x, "x", 0.2, 99.8), (y, "y", 0.5, 99.5)):
        edges = list(np.percentile(values, [low, high])) if values.size else []
        for data in measurements:
            error = np.asarray(data.error) if name == "y" else 0.0
            edges += [
                np.min(np.asarray(getattr(data, name)) - error),
                np.max(np.asarray(getattr(data, name)) + error),
            ]
        if edges:
            pad = 0.06 * (max(edges) - min(edges)) + 0.02
            getattr(ax, f"set_{name}lim")(min(edges) - pad, max(edges) + pad)
