"""Corner plots: every parameter and every pair, for several posteriors, their prior and, if known, the truth."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from scipy.ndimage import gaussian_filter

from ..sensitivity.prior import symbol
from ..style import CYCLE, new_panels, styled

__all__ = ["corner"]

_BINS = 36


@styled
def corner(
    draws: Mapping[str, np.ndarray],
    names: Sequence[str],
    *,
    prior: np.ndarray | None = None,
    truth: np.ndarray | None = None,
    others: Mapping[str, np.ndarray] | None = None,
) -> np.ndarray:
    """Marginals and 68% and 95% regions of one or more posteriors.

    Parameters
    ----------
    draws : dict of str to array, (S, P)
        Draws of theta, by label.
    names : sequence of str
        Parameters, in order.
    prior : array, (S, P), optional
        Draws from the prior; its range sets the axes, and its marginals are drawn pale.
    truth : array, (P,), optional
        Marked in every panel.
    others : dict of str to array, (3, P), optional
        Published 16th, 50th and 84th percentiles to mark on the diagonal, by label.

    Returns
    -------
    array of Axes, (P, P)

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> names = ("energy_loading.amplitude", "mass_loading.amplitude")
    >>> co.plots.corner({"fit": rng.normal(size=(500, 2))}, names, truth=np.zeros(2)).shape
    (2, 2)
    """
    size = len(names)
    axes = np.atleast_2d(new_panels(size, size, size=(1.35 * size + 0.8,) * 2))
    all_draws = np.concatenate([*draws.values(), *([] if prior is None else [prior])])
    low, high = np.percentile(all_draws, [0.2, 99.8], axis=0)
    pad = 0.04 * (high - low) + 1e-12
    low, high = low - pad, high + pad
    for i in range(size):
        for j in range(size):
            ax = axes[i, j]
            if j > i:
                ax.set_visible(False)
                continue
            ax.set_xlim(low[j], high[j])
            ax.tick_params(labelsize=8)
            if i == j:
                _marginal(ax, draws, prior, i, (low[i], high[i]))
                _marks(ax, truth, others, i)
            else:
                ax.set_ylim(low[i], high[i])
                for color, sample in zip(CYCLE, draws.values(), strict=False):
                    _regions(ax, sample[:, j], sample[:, i], color)
                if truth is not None:
                    ax.plot(truth[j], truth[i], "k*", markersize=7)
            ax.xaxis.set_major_locator(_ticks())
            if i == size - 1:
                ax.set_xlabel(symbol(names[j]), fontsize=10)
            else:
                ax.set_xticklabels([])
            if j == 0 and i > 0:
                ax.yaxis.set_major_locator(_ticks())
                ax.set_ylabel(symbol(names[i]), fontsize=10)
            else:
                ax.set_yticklabels([])
    figure = axes[0, 0].figure
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="upper right", fontsize=11, frameon=False)
    return axes


def _ticks():
    return MaxNLocator(3, prune="both")


def _marginal(ax: Axes, draws, prior, i, span):
    edges = np.linspace(span[0], span[1], _BINS + 1)
    middle = 0.5 * (edges[1:] + edges[:-1])
    if prior is not None:
        height = np.histogram(prior[:, i], edges, density=True)[0]
        ax.fill_between(middle, height, step="mid", color="0.85", linewidth=0, label="prior")
    for color, (label, sample) in zip(CYCLE, draws.items(), strict=False):
        height = gaussian_filter(np.histogram(sample[:, i], edges, density=True)[0].astype(float), 1.0)
        ax.plot(middle, height, color=color, linewidth=1.4, label=label)
    ax.set_ylim(0.0, None)
    ax.set_yticks([])


def _marks(ax, truth, others, i):
    if truth is not None:
        ax.axvline(truth[i], color="k", linewidth=0.9, label="truth")
    top = ax.get_ylim()[1]
    for k, (label, interval) in enumerate((others or {}).items()):
        height = top * (0.93 - 0.1 * k)
        ax.plot(interval[[0, 2], i], [height] * 2, color="k", linewidth=1.2, label=label)
        ax.plot(interval[1, i], height, "kD", markersize=3)


def _regions(ax, x, y, color):
    """68% and 95% regions of highest density."""
    (x0, x1), (y0, y1) = ax.get_xlim(), ax.get_ylim()
    density, xe, ye = np.histogram2d(x, y, bins=_BINS, range=[[x0, x1], [y0, y1]])
    density = gaussian_filter(density, 1.2)
    ordered = np.sort(density.ravel())[::-1]
    share = np.cumsum(ordered) / max(ordered.sum(), 1e-300)
    levels = sorted({float(ordered[np.searchsorted(share, p)]) for p in (0.95, 0.68)})
    if len(levels) < 2 or levels[0] <= 0:
        return
    grid = 0.5 * (xe[1:] + xe[:-1]), 0.5 * (ye[1:] + ye[:-1])
    ax.contourf(*grid, density.T, levels=[*levels, density.max() * 1.01], colors=[color] * 2, alpha=0.28)
    ax.contour(*grid, density.T, levels=levels, colors=[color], linewidths=0.8)
