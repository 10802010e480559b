"""Scaling relations of a population compared with data, and of two populations compared with each other.

In all of these figures points are model galaxies (a density where there are many), a line is their kernel-regressed
mean with its standard error, and a pale band holds the 16th to 84th percentile of galaxies.  How data are drawn is said
in `corundum.plots.data_points`.
"""

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from ..arguments import strategy
from ..observables import AbstractRegression, AbstractRelation, LocalLinear, Measurement, RegressedRelation
from ..observables.files import measurements_of
from .data_points import MARKERS, SHADES, bar_ends, data_points
from .regressed import Spread, difference_of, regress, relation_points, residual, spread_about
from .residuals import residual_panel
from .style import COLORS, CYCLE, colors_along, in_empty_panel, legend, legend_above, new_axes, new_panels, styled

__all__ = ["scaling_relation", "compare_relation", "relation_evolution"]

_MOST_POINTS = 5000  # more galaxies are drawn as a density
_FEW = 60  # fewer galaxies of a comparison are drawn one by one as well


@styled
def scaling_relation(
    galaxies: Any,
    relation: AbstractRelation,
    measurements: Sequence[Measurement | str] = (),
    ax: Axes | None = None,
    *,
    regression: AbstractRegression | None = None,
    label: str = "model",
) -> Axes:
    """Galaxies of one redshift on the axes of a relation, their regressed mean, and the data.

    Of mass functions and cosmic densities, which are sums, only the line is drawn.
    A new figure has a second panel below with model minus data, and its legend above the panels; on axes that are given
    there is no second panel, and the legend is in the emptiest corner.

    Parameters
    ----------
    galaxies : Galaxies, or CosmicHistory for a cosmic density
    relation : AbstractRelation
    measurements : sequence of Measurement or str
        Measurements, names of shipped ones, or paths of files.
    ax : Axes, optional
    regression : AbstractRegression, optional
        Default `LocalLinear` with the kernel of the first measurement, or 0.2 dex.
    label : str
        Name of the model in the legend.

    Raises
    ------
    ValueError
        No galaxy has values on both axes.

    Examples
    --------
    >>> measurement = co.observables.load("shmr_moster18")
    >>> ax = co.plots.scaling_relation(population.at(0.0), measurement.relation, [measurement])
    >>> ax.get_ylabel() == measurement.relation.y_axis.meaning
    True
    >>> ax.figure.axes[1].get_ylabel()
    'model minus\\ndata [dex]'
    """
    own, below, measurements = ax is None, None, measurements_of(measurements)
    if ax is None and measurements:
        size = (5.4, 5.3 + 0.19 * len(measurements))
        ax, below = new_panels(2, 1, size=size, sharex=True, gridspec_kw={"height_ratios": [3.0, 1.0]})
    elif ax is None:
        ax = new_axes()
    if regression is None:
        regression = LocalLinear(measurements[0].bandwidth if measurements else 0.2)
    estimate = regress(galaxies, relation, regression)
    x, y, good = relation_points(galaxies, relation)
    if relation.single_galaxies:
        _limits(ax, x[good], y[good], measurements)
        _draw_galaxies(ax, x[good], y[good])
    else:
        _limits(ax, estimate.nodes[estimate.reached], estimate.mean[estimate.reached], measurements)
    spread = spread_about(galaxies, relation, estimate, float(regression.bandwidth))
    draw_estimate(ax, estimate, COLORS["model"], label, spread)
    for measurement, marker, shade in zip(measurements, cycle(MARKERS), cycle(SHADES), strict=False):
        redshift = getattr(galaxies, "redshift", measurement.redshift)
        redshift = float(measurement.redshift if np.ndim(redshift) else redshift)
        distance = residual(galaxies, measurement, redshift_tolerance=np.inf)  # the legend names another redshift
        after = f"\n{distance.sentence}" if own else ""
        data_points(ax, measurement, marker=marker, shade=shade, redshift=redshift, after=after)
    ax.set_ylabel(relation.y_axis.meaning)
    if below is not None:
        residual_panel(galaxies, measurements, below)
    (ax if below is None else below).set_xlabel(relation.x_axis.meaning)
    if own:
        legend_above(np.array([ax]), columns=1, place="outside upper left")
    else:
        ends = [(x[good], y[good]), *map(bar_ends, measurements)]
        legend(ax, *(np.concatenate(values) for values in zip(*ends, strict=True)))
    return ax


@styled
def compare_relation(
    galaxies: Sequence[Any],
    relation: AbstractRelation,
    labels: Sequence[str],
    axes: np.ndarray | None = None,
    *,
    measurements: Sequence[Measurement] = (),
    regression: AbstractRegression | None = None,
) -> np.ndarray:
    """Two populations on one relation, the data, and below the second minus the first with its standard error.

    Parameters
    ----------
    galaxies : two Galaxies
    relation : AbstractRelation
    labels : two texts
    axes : array of two Axes, optional
    measurements : sequence of Measurement
        Data of this relation.
    regression : AbstractRegression, optional
        Default ``LocalLinear()``.

    Returns
    -------
    array of two Axes

    Examples
    --------
    >>> relation = co.observables.load("shmr_moster18").relation
    >>> axes = co.plots.compare_relation([population.at(0.0), population.at(2.0)], relation, ("z = 0", "z = 2"))
    >>> axes[1].get_title(loc="left")
    'z = 2 minus z = 0'
    """
    if axes is None:
        axes = new_panels(2, 1, size=(5.4, 5.6), sharex=True, gridspec_kw={"height_ratios": [2.4, 1.0]})
    regression = strategy("regression", regression, LocalLinear())
    first, second = galaxies
    points = [relation_points(g, relation) for g in galaxies]
    together = np.concatenate([x[good] for x, _, good in points])
    if not together.size:
        raise ValueError("compare relation: no galaxy has values on both axes; see population.status_counts()")
    nodes = np.linspace(together.min(), together.max(), 61)
    estimates = [regress(g, relation, regression, nodes) for g in (first, second)]
    for g, (x, y, good), estimate, color, label in zip(galaxies, points, estimates, CYCLE, labels, strict=False):
        spread = spread_about(g, relation, estimate, float(regression.bandwidth))
        draw_estimate(axes[0], estimate, color, label, spread)
        if good.sum() < _FEW:  # a mean of so few may reach nowhere
            axes[0].plot(x[good], y[good], "o", color=color, markersize=4, markeredgewidth=0, alpha=0.7, zorder=1)
    for measurement, marker, shade in zip(measurements, cycle(MARKERS), cycle(SHADES), strict=False):
        data_points(axes[0], measurement, marker=marker, shade=shade, redshift=float(first.redshift))
    _limits(axes[0], together, np.concatenate([y[good] for _, y, good in points]), measurements)
    axes[0].set_ylabel(relation.y_axis.meaning)
    legend_above(axes[:1], columns=1, place="outside upper left")
    difference, error = difference_of(*estimates)
    axes[1].axhline(0.0, color="0.5", linewidth=0.8)
    axes[1].fill_between(nodes, difference - error, difference + error, color=CYCLE[1], alpha=0.3, linewidth=0)
    axes[1].plot(nodes, difference, color=CYCLE[1])
    if not np.isfinite(difference).any():
        in_empty_panel(axes[1], "too few galaxies at the same masses for a difference")
    axes[1].set_xlabel(relation.x_axis.meaning)
    axes[1].set_ylabel("difference [dex]")
    axes[1].set_title(f"{labels[1]} minus {labels[0]}", loc="left", fontsize=10)
    return axes


@styled
def relation_evolution(
    population: Any, relations: Sequence[AbstractRelation], axes: np.ndarray | None = None
) -> np.ndarray:  # fmt: skip
    """The regressed mean of each relation at every output redshift at which enough galaxies exist.

    Parameters
    ----------
    population : Population
    relations : sequence of AbstractRelation
    axes : array of Axes, optional
        At least one for each relation.

    Returns
    -------
    array of Axes

    Examples
    --------
    >>> axes = co.plots.relation_evolution(population, [co.observables.StellarToHaloMass()])
    >>> axes[0].get_ylabel() == co.observables.StellarToHaloMass.y_axis.meaning
    True
    """
    number = len(relations)
    columns = min(3, number)
    if axes is None:
        rows = -(-number // columns)
        axes = np.ravel(new_panels(rows, columns, size=(3.7 * columns, 3.0 * rows + 0.4), squeeze=False))
    axes = np.ravel(axes)
    redshifts = sorted(float(z) for z in np.asarray(population.redshifts))
    shades = colors_along(np.log1p(redshifts))
    for ax, relation in zip(axes, relations, strict=False):
        for redshift, shade in zip(redshifts, shades, strict=True):
            galaxies = population.at(redshift)
            x, y, good = relation_points(galaxies, relation)
            if good.any():
                estimate = regress(galaxies, relation, LocalLinear())
                mean = np.where(estimate.reached, estimate.mean, np.nan)
                ax.plot(estimate.nodes, mean, color=shade, label=f"z = {redshift:g}")
                alone = good & ~_is_reached(x, estimate)
                ax.plot(x[alone], y[alone], ".", color=shade, markersize=2.5)
        ax.set(xlabel=relation.x_axis.meaning, ylabel=relation.y_axis.meaning)
    for ax in axes[number:]:
        ax.set_axis_off()
    legend_above(axes, columns=min(len(redshifts), 6))
    return axes


def draw_estimate(
    ax: Axes, estimate: RegressedRelation, color: str, label: str, spread: Spread | None = None
) -> None:  # fmt: skip
    """Draw a regressed mean with its standard error, and the spread of galaxies; nodes not reached are left out."""
    if not np.any(estimate.reached):
        ax.plot([], [], color=color, label=f"{label}: too few galaxies for a mean")
        return
    mean, error = (
        np.where(estimate.reached, value, np.nan) for value in (estimate.mean, estimate.standard_error)
    )  # fmt: skip
    ax.plot(estimate.nodes, mean, color=color, label=f"{label}: mean ± standard error", zorder=4)
    low, high = mean - error, mean + error
    ax.fill_between(estimate.nodes, low, high, color=color, alpha=0.45, linewidth=0, zorder=3)
    if spread is not None and np.isfinite(spread.low).any():
        words = f"{label}: 16th to 84th percentile of galaxies"
        ax.fill_between(estimate.nodes, spread.low, spread.high, color=color, alpha=0.14, linewidth=0, label=words,
                        zorder=2)  # fmt: skip


def _is_reached(x, estimate):
    """Whether the node nearest to each x is reached."""
    return estimate.reached[np.abs(np.asarray(x)[:, None] - estimate.nodes).argmin(axis=1)]


def _draw_galaxies(ax, x, y):
    (left, right), (low, high) = ax.get_xlim(), ax.get_ylim()
    outside = int(np.sum((x < left) | (x > right) | (y < low) | (y > high)))
    words = f"{len(x):,} galaxies" if len(x) > 1 else "1 galaxy"
    words += f", {outside} of them beyond the axes" if outside else ""
    color = COLORS["model"]
    if len(x) > _MOST_POINTS:
        style: Mapping[str, Any] = dict(gridsize=70, mincnt=1, bins="log", cmap="Blues", linewidths=0, alpha=0.7)
        ax.hexbin(x, y, extent=(left, right, low, high), zorder=1, **style)
        ax.plot([], [], "h", color=color, alpha=0.5, label=f"density of {words}")
        return
    size = float(np.clip(4000 / max(len(x), 1), 3, 30))
    strength = 0.28 if len(x) > 30 else 0.8
    ax.scatter(x, y, s=size, color=color, alpha=strength, linewidth=0, rasterized=True, zorder=1)
    ax.plot([], [], "o", color=color, alpha=0.6, markersize=4, markeredgewidth=0, label=words)


def _limits(ax, x, y, measurements):
    """Limits that hold all data and the bulk of the galaxies, but not the few far from all others, as without stars."""
    for values, name in ((x, "x"), (y, "y")):
        low, middle, high = np.percentile(values, [16.0, 50.0, 84.0]) if values.size else (0.0, 0.0, 0.0)
        edges = []
        if values.size:
            edges.append(max(values.min(), middle - 3.5 * (middle - low)))
            edges.append(min(values.max(), middle + 3.5 * (high - middle)))
        for data in measurements:
            points = bar_ends(data)[name == "y"]
            edges += [points.min(), points.max()]
        pad = 0.06 * (max(edges) - min(edges)) + 0.02
        getattr(ax, f"set_{name}lim")(min(edges) - pad, max(edges) + pad)
