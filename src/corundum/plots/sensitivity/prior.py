"""Sensitivity over a whole prior: maps of fractional column norms, and global indices as bars."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.patches import Rectangle

from ...sensitivity import Measures, PriorMap
from ..names import symbol
from ..style import CYCLE, HALO_MASS, UNKNOWN, legend_right, new_axes, new_panels, styled

__all__ = ["prior_maps", "index_bars"]


@styled
def prior_maps(
    prior_map: PriorMap, axes: np.ndarray | None = None, *, columns: int = 2, low: float = 1e-2
) -> np.ndarray:
    """Mean fractional sensitivity phi_j against halo mass and each parameter, one panel for each parameter.

    Parameters
    ----------
    prior_map : PriorMap
    axes : array of Axes, optional
        One for each parameter.
    columns : int
        Panels in a row; with two, amplitude and slope of each law share a row.
    low : float
        Lower end of the logarithmic colours; the upper end is 1.

    Examples
    --------
    >>> design = co.sensitivity.latin_hypercube(co.sensitivity.prior_box(model, ["energy_loading.amplitude"]), 32)
    >>> log_mvir, phi = np.tile(np.linspace(10.0, 12.0, 8), (32, 1)), np.full((32, 8, 1), 0.5)
    >>> co.plots.prior_maps(co.sensitivity.prior_map(design, log_mvir, phi, bins=3), columns=1).shape
    (1, 1)
    """
    number = len(prior_map.names)
    if axes is None:
        rows = -(-number // columns)
        axes = new_panels(rows, columns, size=(3.6 * columns + 0.8, 2.5 * rows + 0.3), squeeze=False)
    flat = np.ravel(axes)
    # A column that is exactly zero is as dark as a small one; cells without galaxies are left to the hatched ground.
    mean = np.ma.array(np.maximum(prior_map.mean, low), mask=(prior_map.counts == 0) | ~np.isfinite(prior_map.mean))
    for j, name in enumerate(prior_map.names):
        image = flat[j].pcolormesh(
            prior_map.mass_edges, prior_map.parameter_edges[j], mean[j].T, cmap="magma",
            norm=LogNorm(low, 1.0), rasterized=True,
        )  # fmt: skip
        flat[j].set_ylabel(symbol(name))
        flat[j].add_patch(Rectangle((0, 0), 1, 1, transform=flat[j].transAxes, zorder=0, **UNKNOWN))
        if j >= number - columns:
            flat[j].set_xlabel(HALO_MASS)
    for unused in flat[number:]:
        unused.set_axis_off()
    figure = flat[0].figure
    bar = figure.colorbar(image, ax=list(flat), pad=0.02, aspect=40, extend="min")
    bar.set_label(r"mean $\phi_j=\|J_j\|/\|J\|$")
    if mean.mask.any():
        figure.legend([Rectangle((0, 0), 1, 1, **UNKNOWN)], ["no galaxies"], loc="outside upper right", frameon=False)
    return axes


@styled
def index_bars(
    measures: Mapping[str, Measures], ax: Axes | None = None, *, output: tuple[int, ...] = (), label: str = ""
) -> Axes:
    """Global measures of each parameter for one output, with bootstrap intervals.

    Parameters
    ----------
    measures : mapping of measure to Measures
        The results to show, by measure, for example ``{"first": sobol, "total": sobol, "total_bound": dgsm}``.
    ax : Axes, optional
    output : tuple of int
        Index of the output, along the axes of each measure before its parameters.
    label : str
        Of the horizontal axis.

    Examples
    --------
    >>> values = {"total": np.array([0.7, 0.2])}
    >>> sobol = co.sensitivity.Measures(("loading", "time"), values, values, np.array(128), np.array(0))
    >>> co.plots.index_bars({"total": sobol}).get_xlabel()
    'index'
    """
    names = next(iter(measures.values())).names
    if ax is None:
        ax = new_axes(size=(6.4, 1.2 + 0.42 * len(names)))
    y, height = np.arange(len(names))[::-1], 0.76 / len(measures)
    for k, ((measure, result), color) in enumerate(zip(measures.items(), CYCLE, strict=False)):
        value, error = result.values[measure][output], result.errors[measure][output]
        # An index cannot be negative; a bootstrap interval from few sets may reach below zero, so it is cut there.
        error = [np.minimum(error, value) if np.all(value >= 0) else error, error]
        ax.barh(y + 0.38 - height * (k + 0.5), value, height=0.9 * height, color=color, xerr=error, ecolor="0.2",
                capsize=2, error_kw={"lw": 0.9}, label=measure.replace("_", " "))  # fmt: skip
    ax.set_yticks(y, [symbol(name) for name in names])
    ax.tick_params(axis="y", which="both", length=0)
    ax.set_xlabel(label or "index")
    ax.axvline(0, color="0.3", lw=0.8)
    if len(measures) > 1:
        legend_right(ax)
    return ax
