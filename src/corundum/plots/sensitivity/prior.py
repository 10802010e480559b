"""Sensitivity over a whole prior: maps of fractional column norms, and global indices as bars."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm

from ...sensitivity import Measures, PriorMap
from ..style import CYCLE, new_axes, styled

__all__ = ["prior_maps", "index_bars", "symbol"]

_SYMBOLS = {
    "mass_loading": r"\eta_M",
    "energy_loading": r"\eta_E",
    "depletion_time": r"t_{\rm dep}",
    "metal_loading": r"\eta_Z",
}


def symbol(name: str, log10: bool = True) -> str:
    """A short label of a parameter of a scaling law: amplitude (in decades) or slope; else its name in words."""
    law, _, what = name.rpartition(".")
    if law in _SYMBOLS and what == "amplitude":
        return rf"$\log_{{10}}\,A({_SYMBOLS[law]})$" if log10 else rf"$A({_SYMBOLS[law]})$"
    if law in _SYMBOLS and what == "slope":
        return rf"$\alpha({_SYMBOLS[law]})$"
    return name.replace("_", " ").replace(".", ": ")


@styled
def prior_maps(found: PriorMap, axes: np.ndarray | None = None, *, columns: int = 2, low: float = 1e-2) -> np.ndarray:
    """Mean fractional sensitivity phi_j over halo mass and each parameter, one panel a parameter.

    Parameters
    ----------
    found : PriorMap
    axes : array of Axes, optional
        As many as parameters.
    columns : int
        Panels in a row; two puts amplitude and slope of each law beside each other.
    low : float
        Lower end of the logarithmic colours; the upper end is 1.
    """
    number = len(found.names)
    if axes is None:
        rows = -(-number // columns)
        axes = new_axes(rows, columns, size=(3.6 * columns + 0.8, 2.5 * rows + 0.3), squeeze=False)
    flat = np.ravel(axes)
    # A column that is exactly zero is dark like any small one; only cells without galaxies are grey.
    shown = np.ma.masked_invalid(np.maximum(found.mean, low))
    for j, name in enumerate(found.names):
        image = flat[j].pcolormesh(
            found.mass_edges, found.parameter_edges[j], shown[j].T, cmap="magma",
            norm=LogNorm(low, 1.0), rasterized=True,
        )  # fmt: skip
        flat[j].set_ylabel(symbol(name))
        flat[j].set_facecolor("0.85")
        if j >= number - columns:
            flat[j].set_xlabel(r"$\log_{10}\,M_{\rm vir}\ [M_\odot]$")
    for spare in flat[number:]:
        spare.set_axis_off()
    bar = flat[0].figure.colorbar(image, ax=list(flat), pad=0.02, aspect=40)
    bar.set_label(r"mean $\phi_j=\|J_j\|/\|J\|$")
    return axes


@styled
def index_bars(
    measures: Mapping[str, Measures], ax: Axes | None = None, *, output: tuple[int, ...] = (), label: str = ""
) -> Axes:
    """Global measures of each parameter for one output, with bootstrap intervals.

    Parameters
    ----------
    measures : mapping of measure to Measures
        Which measure of each to show, for example ``{"first": sobol, "total": sobol, "total_bound": dgsm}``.
    ax : Axes, optional
    output : tuple of int
        Which output, an index into the shape of each measure before its parameters.
    label : str
        Of the horizontal axis.
    """
    names = next(iter(measures.values())).names
    if ax is None:
        ax = new_axes(size=(6.4, 1.2 + 0.42 * len(names)))
    at, each = np.arange(len(names))[::-1], 0.76 / len(measures)
    for k, ((measure, found), color) in enumerate(zip(measures.items(), CYCLE, strict=False)):
        place = at + 0.38 - each * (k + 0.5)
        value, error = found.values[measure][output], found.errors[measure][output]
        # Where nothing was below zero no index is: an interval from few sets may say otherwise.
        error = [np.minimum(error, value) if np.all(value >= 0) else error, error]
        ax.barh(place, value, height=0.9 * each, color=color, xerr=error, ecolor="0.2", capsize=2,
                error_kw={"lw": 0.9}, label=measure.replace("_", " "))  # fmt: skip
    ax.set_yticks(at, [symbol(name) for name in names])
    ax.tick_params(axis="y", which="both", length=0)
    ax.set_xlabel(label or "index")
    ax.axvline(0, color="0.3", lw=0.8)
    if len(measures) > 1:
        ax.legend(loc="lower right")
    return ax
