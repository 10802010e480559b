"""Figures of fits to mock data: are intervals calibrated, and are the true parameters recovered?"""

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from ..names import symbol
from ..style import COLORS, CYCLE, legend_right, new_axes, new_panels, styled

__all__ = ["coverage_figure", "pull_figure", "recovery"]


@styled
def coverage_figure(result: Any, axes: np.ndarray | None = None) -> np.ndarray:
    """Ranks of the truths, which are flat if the intervals are calibrated, and coverage at every level.

    Parameters
    ----------
    result : Campaign
        Of `corundum.inference.campaign`.
    axes : array of 2 Axes, optional

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> levels, rank = np.linspace(0.05, 0.95, 10), np.random.default_rng(0).uniform(size=(60, 1))
    >>> result = SimpleNamespace(
    ...     names=("loading",), rank=rank, fitted=np.ones(60, bool), curve=lambda: (levels, levels[:, None])
    ... )
    >>> co.plots.coverage_figure(result).shape
    (2,)
    """
    axes = new_panels(1, 2, size=(9.0, 3.9)) if axes is None else axes
    levels, shares = result.curve()
    number = int(result.fitted.sum())
    bins = int(np.clip(number // 6, 4, 20))
    edges = np.linspace(0.0, 1.0, bins + 1)
    for i, name in enumerate(result.names):
        color, line = CYCLE[i % len(CYCLE)], "-" if i < len(CYCLE) else "--"
        height = np.histogram(result.rank[result.fitted, i], edges)[0]
        axes[0].stairs(height, edges, color=color, linestyle=line, label=symbol(name))
        axes[1].plot(levels, shares[:, i] - levels, color=color, linestyle=line)
    error = np.sqrt(number / bins * (1 - 1 / bins))
    axes[0].axhspan(number / bins - 2 * error, number / bins + 2 * error, color="0.85", zorder=0)
    axes[0].set(xlabel="posterior probability below the truth", ylabel=f"mocks of {number}")
    width = 2.0 * np.sqrt(levels * (1 - levels) / max(number, 1))
    axes[1].fill_between(levels, -width, width, color="0.85", linewidth=0)
    axes[1].axhline(0.0, color="0.4", linewidth=0.8)
    axes[1].set(xlabel="probability of the interval", ylabel="coverage minus probability")
    axes[0].legend(fontsize=8, ncols=2, loc="upper center")
    axes[0].set_ylim(0.0, 1.45 * axes[0].get_ylim()[1])
    return axes


@styled
def pull_figure(result: Any, ax: Axes | None = None) -> Axes:
    """Median minus truth of each mock and parameter, over half of the 68% interval: readable for a few mocks.

    Of calibrated fits 68% of the points lie in the dark band and 95% in the pale one.

    Parameters
    ----------
    result : Campaign
        Of `corundum.inference.campaign`.
    ax : Axes, optional

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> result = SimpleNamespace(names=("loading",), accuracy=np.array([[0.3], [-1.2]]), fitted=np.ones(2, bool))
    >>> co.plots.pull_figure(result).get_xlabel()
    '(median minus truth) over half of the 68% interval'
    """
    number = len(result.names)
    ax = new_axes(size=(6.4, 1.3 + 0.36 * number)) if ax is None else ax
    ax.axvspan(-2.0, 2.0, color="0.93", zorder=0, label="95%")
    ax.axvspan(-1.0, 1.0, color="0.84", zorder=0, label="68%")
    ax.axvline(0.0, color="0.4", linewidth=0.8)
    mocks = np.flatnonzero(result.fitted)
    rows = np.arange(number)[::-1]
    shift = (np.arange(len(mocks)) + 0.5) / max(len(mocks), 1) - 0.5
    for k, mock in enumerate(mocks):
        ax.plot(result.accuracy[mock], rows - 0.6 * shift[k], "o", color=COLORS["model"], markersize=4, alpha=0.8)
    ax.set_yticks(rows, [symbol(name) for name in result.names])
    ax.tick_params(axis="y", which="both", length=0)
    ax.set(xlabel="(median minus truth) over half of the 68% interval", ylim=(-0.6, number - 0.4))
    reach = np.abs(result.accuracy[mocks])
    ax.set_xlim(*np.array([-1.0, 1.0]) * max(2.5, 1.1 * float(np.max(reach, initial=0.0))))
    legend_right(ax)
    return ax


@styled
def recovery(result: Any) -> np.ndarray:
    """Estimates against truths, one panel for each parameter, with 68% intervals.

    Parameters
    ----------
    result : Campaign
        Of `corundum.inference.campaign`.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> truth = np.random.default_rng(0).uniform(size=(20, 1))
    >>> result = SimpleNamespace(
    ...     names=("loading",), truth=truth, middle=truth, low=truth - 0.1, high=truth + 0.1, fitted=np.ones(20, bool)
    ... )
    >>> co.plots.recovery(result).shape
    (1, 1)
    """
    size = len(result.names)
    columns = min(4, size)
    rows = -(-size // columns)
    axes = new_panels(rows, columns, size=(2.5 * columns, 2.5 * rows)).reshape(rows, columns)
    good = result.fitted
    for i, (ax, name) in enumerate(zip(axes.ravel(), result.names, strict=False)):
        truth, middle = result.truth[good, i], result.middle[good, i]
        bars = np.abs(np.stack([middle - result.low[good, i], result.high[good, i] - middle]))
        ax.errorbar(truth, middle, bars, fmt="o", markersize=3, elinewidth=0.7, color=COLORS["model"], alpha=0.75)
        ends = [result.truth[:, i].min(), result.truth[:, i].max()]
        ax.plot(ends, ends, color="0.4", linewidth=0.9)
        ax.set_title(symbol(name), fontsize=10)
        ax.tick_params(labelsize=8)
    for ax in axes.ravel()[size:]:
        ax.set_visible(False)
    axes[0, 0].figure.supxlabel("truth")
    axes[0, 0].figure.supylabel("fit")
    return axes
