"""Data on the axes of a relation: points with their errors, and what the legend says of them.

Thin bars with caps are the total error.  Where a part of it is systematic, a thick bar inside is the rest, unless that
is too short to be seen.  Wide pale bars are the spread of galaxies; open symbols are points whose only published error
is that spread.
"""

import textwrap
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from ..observables import Measurement
from .names import bars_in_words, short_citation, statistical_error

__all__ = [
    "MARKERS",
    "SHADES",
    "bar_ends",
    "data_points",
]

MARKERS = "osD^vPX"
SHADES = ("#111111", "#7a7a7a", "#a8431c", "#3c6e47", "#6d4a8f")


def data_points(
    ax: Axes, data: Measurement, *, marker: str = "o", shade: str = "#111111", redshift: float | None = None,
    after: str = "",
) -> None:  # fmt: skip
    """Draw a measurement on the axes of its relation.

    Parameters
    ----------
    ax : Axes
    data : Measurement
    marker, shade : str
        Symbol and colour.
    redshift : float, optional
        Of the galaxies beside it; the label states that of the data where it differs by more than 0.15.
    after : str
        What follows in the label, such as the distance of a model.

    Examples
    --------
    >>> from corundum.plots.data_points import data_points
    >>> ax = plt.figure().subplots()
    >>> data_points(ax, co.observables.load("shmr_moster18"))
    >>> ax.get_legend_handles_labels()[1]
    ['Moster et al. 2018, open symbols; bars: scatter of galaxies']
    >>> plt.close()
    """
    x, y, error = np.asarray(data.x), np.asarray(data.y), np.asarray(data.error)
    name = short_citation(data.citation)
    if redshift is not None and abs(data.redshift - redshift) > 0.15:
        name += f" at z = {data.redshift:g}"
    spread = error if data.error_kind == "scatter" else data.scatter
    if spread is not None:
        ax.errorbar(x, y, np.asarray(spread), fmt="none", ecolor=shade, alpha=0.22, elinewidth=4.5, zorder=4.5)
    if data.error_kind == "scatter":
        label = _lines(f"{name}, open symbols; bars: {bars_in_words(data)}") + after
        ax.plot(x, y, marker, color=shade, markerfacecolor="white", markersize=5, label=label, zorder=6)
        return
    limit = np.zeros(len(x), bool) if data.upper_limit is None else np.asarray(data.upper_limit)
    # A part that would hide behind its symbol is only named.
    inner = float(data.systematic) > 0 and float(np.median(statistical_error(data) / error)) > 0.3
    words = [bars_in_words(data)]
    words += ["thick part: without the systematic"] if inner else []
    words += ["pale: scatter of galaxies"] if spread is not None else []
    words += ["arrows: upper limits"] if limit.any() else []
    style: dict[str, Any] = dict(color=shade, elinewidth=1.1, capsize=2.5, capthick=1.1)
    label = _lines(f"{name}; bars: {', '.join(words)}") + after
    ax.errorbar(x, y, error, fmt=marker, markersize=4.5, label=label, uplims=limit, zorder=6, **style)
    if inner:
        ax.errorbar(x, y, statistical_error(data), fmt="none", ecolor=shade, elinewidth=2.6, zorder=6.1)


def bar_ends(data: Measurement) -> tuple[np.ndarray, np.ndarray]:
    """Both ends and the middle of every error bar, so that a legend can avoid them."""
    spread = np.asarray(data.error) if data.scatter is None else np.maximum(data.error, data.scatter)
    y = np.asarray(data.y)
    return np.repeat(np.asarray(data.x), 3), np.stack([y - spread, y, y + spread], axis=1).ravel()


def _lines(text):
    return textwrap.fill(text, 76)
