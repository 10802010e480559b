"""Corner plots: every parameter and every pair, for several posteriors, their prior and, if known, the truth."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from scipy.ndimage import gaussian_filter

from ..names import symbol
from ..style import CYCLE, new_panels, styled

__all__ = ["corner", "decimals"]

_BINS = 36  # of the prior
_KERNEL = 5.0  # bins in the width of the kernel that smooths a posterior


@styled
def corner(
    draws: Mapping[str, np.ndarray],
    names: Sequence[str],
    *,
    prior: np.ndarray | None = None,
    truth: np.ndarray | None = None,
    others: Mapping[str, np.ndarray] | None = None,
) -> np.ndarray:
    """Marginals and 68% and 95% regions of one or more posteriors, with medians and 68% intervals above the diagonal.

    Densities are smoothed by a Gaussian kernel of Scott's width, about a quarter of a standard deviation.

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
    axes = np.atleast_2d(new_panels(size, size, size=(1.35 * size + 0.8, 1.35 * size + 0.8 + 0.2 * len(draws))))
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
                _numbers(ax, [sample[:, i] for sample in draws.values()], i == 0)
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


def decimals(*errors: float) -> int:
    """Decimals with which the smallest of these errors has two digits.

    Examples
    --------
    >>> from corundum.plots.posteriors.corner import decimals
    >>> decimals(0.034), decimals(0.7, 1.2), decimals(12.0)
    (3, 2, 0)
    """
    smallest = min(errors)
    return int(np.clip(1 - np.floor(np.log10(smallest)), 0, 6)) if smallest > 0 else 3


def _ticks():
    return MaxNLocator(3, prune="both")


def _marginal(ax: Axes, draws, prior, i, span):
    edges = np.linspace(span[0], span[1], _BINS + 1)
    middle = 0.5 * (edges[1:] + edges[:-1])
    if prior is not None:
        height = np.histogram(prior[:, i], edges)[0]
        ax.fill_between(middle, height / max(height.max(), 1), step="mid", color="0.85", linewidth=0, label="prior")
    for color, (label, sample) in zip(CYCLE, draws.items(), strict=False):
        fine = _edges(sample[:, i], len(sample) ** -0.2)
        height = gaussian_filter(np.histogram(sample[:, i], fine)[0].astype(float), _KERNEL)
        # Each has its peak at one, so that a wide posterior is seen beside a narrow one.
        ax.plot(0.5 * (fine[1:] + fine[:-1]), height / height.max(), color=color, linewidth=1.4, label=label)
    ax.set_ylim(0.0, None)
    ax.set_yticks([])


def _edges(values, share):
    """Bins over all values and their kernel, a fifth of the kernel wide; the kernel is `share` standard deviations."""
    width = max(share * float(np.std(values)) / _KERNEL, 1e-12)
    pad = 4.0 * _KERNEL * width
    low, high = np.min(values) - pad, np.max(values) + pad
    return np.linspace(low, high, int(np.clip(np.ceil((high - low) / width), 8, 2000)) + 1)


def _numbers(ax, samples, first):
    """Median and 68% interval of each posterior above the panel, in its colour."""
    for k, (color, sample) in enumerate(zip(CYCLE, samples, strict=False)):
        low, middle, high = np.percentile(sample, (15.865, 50.0, 84.135))
        digits = decimals(high - middle, middle - low)
        text = f"${middle:.{digits}f}^{{+{high - middle:.{digits}f}}}_{{-{middle - low:.{digits}f}}}$"
        height = 1.04 + 0.19 * (len(samples) - 1 - k)
        words = ax.text(0.5, height, text, color=color, fontsize=8, ha="center", va="bottom", transform=ax.transAxes)
        words.set_in_layout(first)  # above the others there is an empty panel


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
    share = len(x) ** (-1.0 / 6.0)
    density, xe, ye = np.histogram2d(x, y, bins=[_edges(x, share), _edges(y, share)])
    density = gaussian_filter(density, _KERNEL)
    ordered = np.sort(density.ravel())[::-1]
    within = np.cumsum(ordered) / max(ordered.sum(), 1e-300)
    levels = sorted({float(ordered[np.searchsorted(within, p)]) for p in (0.95, 0.68)})
    if len(levels) < 2 or levels[0] <= 0:
        return
    grid = 0.5 * (xe[1:] + xe[:-1]), 0.5 * (ye[1:] + ye[:-1])
    ax.contourf(*grid, density.T, levels=[*levels, density.max() * 1.01], colors=[color] * 2, alpha=0.28)
    ax.contour(*grid, density.T, levels=levels, colors=[color], linewidths=0.8)
