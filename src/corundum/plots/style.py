"""The style of the figures, and the functions that make them and their legends.

Figures are made without pyplot, so that none stays open and no display is needed.  The style holds inside a context,
so that a reader's own matplotlib settings do not change.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any, Literal

import matplotlib
import numpy as np
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.rcsetup import cycler
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from ..observables.relations import HALO_MASS as _RELATION_HALO_MASS

__all__ = [
    "COLORS",
    "HALO_MASS",
    "IMAGE_DPI",
    "STYLE",
    "UNKNOWN",
    "styled",
    "new_axes",
    "new_panels",
    "finish",
    "in_empty_panel",
    "legend",
    "legend_above",
    "legend_right",
    "slanted_labels",
    "mass_ticks",
    "plain_log_ticks",
    "channel_label",
    "colors_along",
]

COLORS = {
    "model": "#0b4f8a",
    "halo": "#4d4d4d",
    "stars": "#b35806",
    "ism": "#1b7cb5",
    "cgm": "#d9a400",
    "missing": "#d8d8d8",
    "other": "#8e4a9e",
    "data": "#111111",
}
"""Colours by meaning, distinct for readers with any colour vision and in grey."""

UNKNOWN: dict[str, Any] = dict(facecolor="w", edgecolor="0.6", hatch="////", linewidth=0)
"""Cells of a map where nothing was sampled or solved, so that they do not look like zero."""

_Corner = Literal["upper left", "upper right", "lower right", "lower left"]

_WIDEST_LEGEND = 0.96  # of the width of its axes

CYCLE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#333333", "#8e4a9e")
"""Okabe & Ito 2008, in order of contrast."""

HALO_MASS = _RELATION_HALO_MASS.meaning
"""Label of a halo-mass axis: log10 of the mass over the unit, as on the axes of relations."""

IMAGE_DPI = 200.0
"""Pixels of an image for each inch of its figure."""

STYLE = {
    "font.family": "STIXGeneral",
    "mathtext.fontset": "stix",
    "font.size": 11.0,
    "axes.labelsize": 12.0,
    "axes.titlesize": 11.5,
    "axes.linewidth": 0.8,
    "axes.axisbelow": "line",
    "axes.prop_cycle": cycler(color=CYCLE),
    "legend.fontsize": 9.5,
    "legend.frameon": False,
    "legend.handlelength": 1.8,
    "lines.linewidth": 1.7,
    "lines.solid_capstyle": "round",
    "figure.dpi": 110.0,
    "savefig.dpi": IMAGE_DPI,
    "pdf.fonttype": 42,
    "svg.fonttype": "path",
    "svg.hashsalt": "corundum",
}
"""Settings that replace matplotlib's defaults while a figure is made or saved."""


def styled(function: Callable) -> Callable:
    """Run a figure function in the style of this package, and restore the settings of matplotlib afterwards."""

    @functools.wraps(function)
    def wrapped(*args, **kwargs):
        with style.context(["default", STYLE]):
            return function(*args, **kwargs)

    return wrapped


def new_axes(size: tuple[float, float] = (5.4, 4.2)) -> Axes:
    """The axes of a new figure; `size` is that of the whole figure [inch]."""
    return new_panels(1, 1, size=size)[0]


def new_panels(rows: int, columns: int, *, size: tuple[float, float], **kwargs: Any) -> np.ndarray:
    """The axes of a new figure of several panels; `size` is that of the whole figure [inch].

    The array has shape (rows, columns), or one dimension where one of the two is 1; with ``squeeze=False`` it always
    has two.
    """
    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    axes = np.atleast_1d(figure.subplots(rows, columns, **kwargs))
    for ax in axes.flat:
        finish(ax)
    return axes


def finish(ax: Axes) -> None:
    """Ticks inside on all sides, as in journals; the axes keep them after the style context."""
    ax.tick_params(which="both", direction="in", top=True, right=True, width=0.8, labelsize=10.5)
    ax.tick_params(which="major", length=5)
    ax.tick_params(which="minor", length=2.5)
    ax.minorticks_on()


def legend_above(axes: np.ndarray, columns: int | None = None, place: str = "outside upper center") -> None:
    """One legend for all panels of a figure, above them, because names of data sets are too long for one panel."""
    entries: dict[str, Any] = {}
    for ax in np.ravel(axes):
        for handle, label in zip(*ax.get_legend_handles_labels(), strict=True):
            entries.setdefault(label, handle)
    if columns is None:
        columns = min(len(entries), 1 if max(map(len, entries)) > 60 else 3)
    figure = np.ravel(axes)[0].figure
    figure.legend(entries.values(), entries.keys(), loc=place, ncols=columns, frameon=False)


def plain_log_ticks(axis: Axis, steps: Sequence[int] = (1, 2, 5)) -> None:
    """Plain numbers instead of powers of ten, at `steps` of each decade, for a logarithmic axis of few decades."""
    axis.set_major_locator(LogLocator(subs=steps))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def legend(ax: Axes, x: np.ndarray, y: np.ndarray) -> None:
    """A legend in the corner with the fewest points (x, y), in letters small enough for it to fit into the axes.

    The vertical limits grow where it would cover points.
    """
    places: tuple[_Corner, ...] = ("upper left", "upper right", "lower right", "lower left")
    extent, letters = _legend_extent(ax, places[0])
    if extent.width > _WIDEST_LEGEND:
        extent, letters = _legend_extent(ax, places[0], letters * _WIDEST_LEGEND / extent.width)
    width, height = min(extent.width + 0.04, 1.0), min(extent.height + 0.05, 0.9)
    (left, right), (low, high) = ax.get_xlim(), ax.get_ylim()
    u, v = (np.asarray(x) - left) / (right - left), (np.asarray(y) - low) / (high - low)
    inside = (u >= 0) & (u <= 1) & (v >= 0) & (v <= 1)
    corners: dict[_Corner, np.ndarray] = {
        place: inside
        & ((u < width) if place.endswith("left") else (u > 1 - width))
        & ((v > 1 - height) if place.startswith("upper") else (v < height))
        for place in places
    }
    location = min(corners, key=lambda place: int(corners[place].sum()))
    covered = v[corners[location]]
    if covered.size:
        upper = location.startswith("upper")
        grow = max(0.0, (covered.max() if upper else 1 - covered.min()) - (1 - height)) * (high - low) / (1 - height)
        ax.set_ylim(low - (0.0 if upper else grow), high + (grow if upper else 0.0))
    ax.legend(loc=location, fontsize=letters).set_in_layout(False)


def _legend_extent(ax, place, letters=None):
    """The size of a legend as a share of the axes, and that of its letters [pt]."""
    box = ax.legend(loc=place, fontsize=letters)
    box.set_in_layout(False)  # a long name would otherwise shrink the axes
    root = ax.get_figure(root=True)
    assert root is not None  # axes that are drawn on have a figure
    root.draw_without_rendering()
    return box.get_window_extent().transformed(ax.transAxes.inverted()), box.get_texts()[0].get_fontsize()


def in_empty_panel(ax: Axes, words: str) -> None:
    """Say, in a panel in which nothing is drawn, why."""
    ax.text(0.5, 0.7, words, ha="center", va="center", transform=ax.transAxes, color="0.35", fontsize=9.5)


def legend_right(ax: Axes, *, reverse: bool = False) -> None:
    """A legend to the right of the axes; `reverse` lists the last entry first, as stacked areas lie."""
    order = slice(None, None, -1 if reverse else 1)
    handles, labels = ax.get_legend_handles_labels()
    ax.legend(handles[order], labels[order], loc="center left", bbox_to_anchor=(1.0, 0.5))


def mass_ticks(axis: Axis) -> None:
    """At most six intervals between round numbers, for an axis of log halo mass or concentration."""
    axis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))


def slanted_labels(ax: Axes, positions: Sequence[float] | np.ndarray, labels: Sequence[str]) -> None:
    """Names along the horizontal axis, slanted so that long ones do not overlap."""
    ax.set_xticks(positions, labels, rotation=35, ha="right", rotation_mode="anchor")


def channel_label(name: str) -> str:
    """The name of a flow in figures: that of the ledger, in words."""
    return name.replace("_", " ")


def colors_along(values: np.ndarray) -> list[tuple[float, float, float, float]]:
    """One colour for each value, from dark to light along a perceptually even map."""
    values = np.asarray(values, float)
    span = np.ptp(values) or 1.0
    fractions = 0.08 + 0.74 * (values - values.min()) / span
    return [tuple(color) for color in matplotlib.colormaps["viridis"](fractions)]
