"""A learned law with its uncertainty over its base law."""

from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes

from ..names import law_label
from ..style import COLORS, CYCLE, new_axes, plain_log_ticks, styled

__all__ = ["law_band"]


@styled
def law_band(
    bands: Any,
    ax: Axes | None = None,
    *,
    also: Mapping[str, Any] | None = None,
    color: str | None = None,
    label: str | None = None,
) -> Axes:
    """A law over virial velocity: median, 68% and 95% of the draws, and the base law without its departure.

    Parameters
    ----------
    bands : LawBands
        Of `corundum.inference.law_bands`.
    ax : Axes, optional
    also : mapping of str to array, (n,), optional
        Values of other laws at the same velocities, by the name that the legend gives them.
    color, label : str, optional

    Examples
    --------
    >>> values = np.array([0.5, 0.8, 1.0, 1.2, 2.0])[:, None] * np.array([3.0, 1.0])
    >>> bands = co.inference.LawBands("mass_loading", 0.0, np.array([50.0, 150.0]), values, np.array([2.5, 0.8]))
    >>> [line.get_label() for line in co.plots.law_band(bands).get_lines()]
    ['median at z = 0', 'base law']
    """
    if ax is None:
        ax = new_axes()
    color = COLORS["model"] if color is None else color
    lowest, low, middle, high, highest = bands.percentiles
    ax.fill_between(bands.vvir, lowest, highest, color=color, alpha=0.15, lw=0, label="95%")
    ax.fill_between(bands.vvir, low, high, color=color, alpha=0.3, lw=0, label="68%")
    ax.plot(bands.vvir, middle, color=color, label=label or f"median at z = {bands.redshift:g}")
    ax.plot(bands.vvir, bands.base, color="0.35", ls="--", lw=1.2, label="base law")
    for turn, (name, values) in enumerate((also or {}).items()):
        ax.plot(bands.vvir, values, color=CYCLE[1 + turn % 6], ls=("-.", ":")[turn % 2], label=name)
    ax.set(xscale="log", yscale="linear" if bands.place == "prevention" else "log")
    plain_log_ticks(ax.xaxis)
    ax.set_xlabel(r"$V_{\rm vir}$ [km/s]")
    ax.set_ylabel(law_label(bands.place))
    ax.legend()
    return ax
