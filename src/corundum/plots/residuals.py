"""The distance of a population from each measurement, drawn point by point."""

from collections.abc import Sequence
from itertools import cycle
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from ..observables import AbstractRegression, Measurement
from .data_points import MARKERS, SHADES
from .names import short_name
from .regressed import distances
from .style import in_empty_panel, new_axes, styled

__all__ = ["residual_panel"]


@styled
def residual_panel(
    galaxies: Any,
    measurements: Sequence[Measurement],
    ax: Axes | None = None,
    *,
    regression: AbstractRegression | None = None,
) -> Axes:
    """Model minus data at each point that enough galaxies reach; bars are data and model errors together.

    Parameters
    ----------
    galaxies : Galaxies
    measurements : sequence of Measurement
        Of one relation; their symbols are those of `scaling_relation`.
    ax : Axes, optional
    regression : AbstractRegression, optional
        Default that of each measurement.

    Examples
    --------
    >>> ax = co.plots.residual_panel(population.at(0.0), [co.observables.load("shmr_moster18")])
    >>> ax.get_ylabel()
    'model minus\\ndata [dex]'
    """
    ax = new_axes(size=(5.4, 2.2)) if ax is None else ax
    ax.axhline(0.0, color="0.5", linewidth=0.8)
    ends = [np.zeros(1)]
    for data, marker, shade in zip(measurements, cycle(MARKERS), cycle(SHADES), strict=False):
        use, distance, covariance = distances(galaxies, data, regression, np.inf)  # legends name another redshift
        face = "white" if data.error_kind == "scatter" else shade
        style: dict[str, Any] = dict(color=shade, markerfacecolor=face, markersize=4.5, elinewidth=1.1, capsize=2.5)
        error = np.sqrt(np.diag(covariance))
        ax.errorbar(np.asarray(data.x)[use], distance, error, fmt=marker, label=short_name(data), **style)
        ends += [distance - error, distance + error]
    low, high = np.min(np.concatenate(ends)), np.max(np.concatenate(ends))
    pad = 0.08 * (high - low) or 0.1
    ax.set_ylim(low - pad, high + pad)
    if low == high:
        in_empty_panel(ax, "no point is reached by enough galaxies")
    ax.set_ylabel("model minus\ndata [dex]")
    return ax
