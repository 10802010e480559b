"""Figures of halo histories: growth of a population, and raw branches compared with their smooth curves."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import NullLocator, ScalarFormatter

from .histories import redshift_axis
from .style import COLORS, HALO_MASS, colors_along, mass_ticks, new_axes, new_panels, styled

__all__ = ["halo_growth", "raw_over_smooth", "mean_growth"]


@styled
def halo_growth(halos: Any, axes: np.ndarray | None = None, *, bins: int = 4) -> np.ndarray:
    """Mass, growth rate and concentration against time: medians and 16th to 84th percentiles by final mass.

    Parameters
    ----------
    halos : HaloHistories
    axes : array of 3 Axes, optional
        Where to draw; default a new figure.
    bins : int
        Number of ranges of final mass.

    Returns
    -------
    array of 3 Axes

    Examples
    --------
    >>> co.plots.halo_growth(halos, bins=2).shape
    (3,)
    """
    axes = new_panels(1, 3, size=(12.5, 4.3)) if axes is None else axes
    time = np.geomspace(float(halos.time[0]), float(halos.time[-1]), 80)
    halo = halos.along(time)
    exists = halos.exist_at(time)
    final = np.log10(np.asarray(halo.mvir)[:, -1])
    edges = np.linspace(final.min(), final.max() + 1e-9, bins + 1 if np.ptp(final) > 0.05 else 2)
    middles = 0.5 * (edges[1:] + edges[:-1])
    for low, high, color in zip(edges[:-1], edges[1:], colors_along(middles), strict=True):
        rows = (final >= low) & (final < high)
        if not np.any(rows):
            continue
        for ax, values in zip(axes, (halo.mvir, halo.growth, halo.concentration), strict=True):
            curves = np.where(exists[rows], np.asarray(values)[rows], np.nan)
            covered = np.sum(np.isfinite(curves), axis=0) >= 0.84 * np.sum(rows)
            lower, middle, upper = np.nanquantile(curves[:, covered], [0.16, 0.5, 0.84], axis=0)
            ax.plot(time[covered], middle, color=color, label=f"{low:.1f} to {high:.1f}")
            ax.fill_between(time[covered], lower, upper, color=color, alpha=0.2, linewidth=0)
    rate = r"$dM_{\rm vir}/dt$ [${\rm M}_\odot\,\mathrm{yr}^{-1}$]"
    labels = (r"$M_{\rm vir}$ [${\rm M}_\odot$]", rate, "concentration")
    for ax, label in zip(axes, labels, strict=True):
        ax.set(xlabel="cosmic time [Gyr]", ylabel=label, yscale="log")
        redshift_axis(ax, halos.cosmology)
    # Concentrations span too little for ticks at powers of ten.
    mass_ticks(axes[2].yaxis)
    axes[2].yaxis.set_major_formatter(ScalarFormatter(useOffset=False))
    axes[2].yaxis.set_minor_locator(NullLocator())
    axes[0].legend(title=f"final {HALO_MASS}")
    return axes


@styled
def raw_over_smooth(worst: Sequence[Any], axes: np.ndarray | None = None) -> np.ndarray:
    """Raw snapshots and smooth histories of the halos that smoothing changed most.

    Parameters
    ----------
    worst : sequence of RawAndSmooth
        ``worst`` of a `corundum.halos.BranchReport`.
    axes : array of Axes, optional
        One for each halo; default a new figure.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> time = np.linspace(1.0, 13.8, 20)
    >>> worst = SimpleNamespace(name=7, time=time, raw=10 + 0.1 * time, smooth=10 + 0.1 * time, rms=0.0)
    >>> co.plots.raw_over_smooth([worst]).shape
    (1, 1)
    """
    columns = min(3, len(worst))
    rows = -(-len(worst) // columns)
    if axes is None:
        axes = new_panels(rows, columns, size=(3.9 * columns, 2.9 * rows), squeeze=False)
    for ax, halo in zip(np.ravel(axes), worst, strict=False):
        ax.plot(halo.time, halo.raw, ".", color=COLORS["data"], markersize=4, label="raw")
        ax.plot(halo.time, halo.smooth, color=COLORS["model"], label="smooth")
        ax.set_title(f"halo {halo.name}: {halo.rms:.2f} dex")
        ax.set(xlabel="cosmic time [Gyr]", ylabel=HALO_MASS)
    np.ravel(axes)[0].legend()
    for ax in np.ravel(axes)[len(worst) :]:
        ax.set_visible(False)
    return axes


@styled
def mean_growth(means: Sequence[Any], ax: Axes | None = None) -> Axes:
    """Mean histories of a source compared with those of the built-in population.

    Parameters
    ----------
    means : sequence of MeanHistory
        ``means`` of a `corundum.halos.BranchReport`.
    ax : Axes, optional

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> redshift = np.array([0.0, 1.0, 2.0])
    >>> mean = SimpleNamespace(low=11.0, high=11.5, redshift=redshift, mean=-0.3 * redshift, built_in=-0.3 * redshift)
    >>> co.plots.mean_growth([mean]).get_xlabel()
    'redshift'
    """
    ax = new_axes() if ax is None else ax
    for mean, color in zip(means, colors_along(np.array([mean.low for mean in means])), strict=True):
        ax.plot(mean.redshift, mean.mean, "o", color=color, label=f"{mean.low:.1f} to {mean.high:.1f}")
        ax.plot(mean.redshift, mean.built_in, "--", color=color)
    ax.set(xlabel="redshift", ylabel=r"mean $\log_{10} M/M_0$")
    ax.legend(title=r"final $\log_{10} M$; dashed: built-in")
    return ax
