"""Figures of what posteriors predict: relations with data, quantities that were not fitted, scalings, indices."""

from collections.abc import Mapping
from itertools import cycle
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from ...observables import Measurement
from ..data_points import bar_ends
from ..names import bars_in_words, short_name
from ..style import COLORS, CYCLE, HALO_MASS, legend, legend_above, new_axes, new_panels, plain_log_ticks, styled

__all__ = ["predictive_band", "extras_bands", "loading_factors", "index_bands"]

_LEVELS = [15.865, 50.0, 84.135]
"""Percentiles of the lower edge, the middle and the upper edge of a 68% band."""


@styled
def predictive_band(
    measurement: Measurement,
    predicted: Mapping[str, np.ndarray],
    *,
    used: np.ndarray | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Median and 68% band of the model's relation, and the data.

    Parameters
    ----------
    measurement : Measurement
    predicted : dict of str to array, (S, n)
        The relation at the points of the measurement, by label; ``"prior"`` is drawn grey.
    used : boolean array, (n,), optional
        Points that were fitted; the others are drawn hollow.
    ax : Axes, optional

    Examples
    --------
    >>> measurement = co.observables.load("shmr_moster18")
    >>> draws = np.asarray(measurement.y) + 0.1 * np.random.default_rng(0).normal(size=(50, 1))
    >>> ax = co.plots.predictive_band(measurement, {"posterior": draws})
    >>> ax.get_xlabel() == measurement.relation.x_axis.meaning
    True
    """
    own = ax is None
    ax = new_axes(size=(5.4, 4.2 + 0.19 * len(predicted))) if ax is None else ax
    x = np.asarray(measurement.x)
    _bands(ax, {label: (x, values) for label, values in predicted.items()})
    used = np.ones(len(x), bool) if used is None else np.asarray(used, bool)
    y, error = np.asarray(measurement.y), np.asarray(measurement.error)
    bars: dict[str, Any] = dict(color=COLORS["data"], fmt="none", elinewidth=1.1, capsize=2.5)
    ax.errorbar(x, y, error, **bars)
    name = f"{short_name(measurement)}; bars: {bars_in_words(measurement)}"
    hollow: dict[str, Any] = dict(color=COLORS["data"], markerfacecolor="white", markersize=4.5)
    if used.any():
        ax.plot(x[used], y[used], "o", color=COLORS["data"], markersize=4.5, label=name)
    if not used.all():
        ax.plot(x[~used], y[~used], "o", label="open: not fitted" if used.any() else f"{name}; not fitted", **hollow)
    ax.set_xlabel(measurement.relation.x_axis.meaning)
    ax.set_ylabel(measurement.relation.y_axis.meaning)
    if own:
        legend_above(np.array([ax]), columns=1, place="outside upper left")
    else:
        legend(ax, *bar_ends(measurement))
    return ax


@styled
def extras_bands(
    extras: Mapping[str, Mapping[str, tuple[np.ndarray, np.ndarray]]], labels: Mapping[str, str]
) -> np.ndarray:
    """Quantities that were not fitted against halo mass, one panel for each.

    Parameters
    ----------
    extras : dict of str to dict of str to (nodes, values (S, m))
        By posterior, then by quantity.
    labels : dict of str to str
        Axis label of each quantity.

    Examples
    --------
    >>> nodes, draws = np.linspace(10.0, 12.0, 5), np.random.default_rng(0).normal(size=(50, 5))
    >>> co.plots.extras_bands({"posterior": {"gas_fraction": (nodes, draws)}}, {"gas_fraction": "gas fraction"}).shape
    (1, 2)
    """
    names = list(next(iter(extras.values())))
    columns = 2
    rows = -(-len(names) // columns)
    axes = np.atleast_2d(new_panels(rows, columns, size=(8.4, 2.7 * rows), sharex=True))
    for ax, name in zip(axes.ravel(), names, strict=False):
        _bands(ax, {label: quantities[name] for label, quantities in extras.items()})
        ax.set_ylabel(labels[name])
        if name == "cooling_time":
            ax.axhline(1.0, color="0.4", linewidth=0.9, linestyle=(0, (6, 2)), label="cooling in ten free-fall times")
    for ax in axes.ravel()[len(names) :]:
        ax.set_visible(False)
    for ax in axes[-1]:
        ax.set_xlabel(HALO_MASS)
    legend_above(axes)
    return axes


def _bands(ax, curves):
    """Medians and 68% bands by label, each with its own colour, line and hatch; that of the prior is plain grey."""
    styles = cycle(zip(CYCLE, ("-", "--", "-.", ":"), ("", "////", "\\\\\\\\", "...."), strict=False))
    for label, (x, values) in curves.items():
        color, line, hatch = ("0.55", (0, (1, 1)), "") if label == "prior" else next(styles)
        low, middle, high = np.nanpercentile(values, _LEVELS, axis=0)
        if hatch:
            ax.fill_between(x, low, high, facecolor="none", edgecolor=color, hatch=hatch, linewidth=0.8, alpha=0.55)
        else:
            ax.fill_between(x, low, high, color=color, alpha=0.25, linewidth=0)
        ax.plot(x, middle, color=color, label=label, linestyle=line)


@styled
def loading_factors(curves: Mapping[str, Mapping[str, np.ndarray]], vvir: np.ndarray) -> np.ndarray:
    """Scalings against virial velocity at z = 0 with 68% bands.

    Parameters
    ----------
    curves : dict of str to dict of str to array, (S, m)
        By posterior, then by axis label.
    vvir : array, (m,) [km/s]

    Examples
    --------
    >>> vvir, amplitude = np.linspace(30.0, 200.0, 10), np.random.default_rng(0).uniform(0.1, 0.2, size=(50, 1))
    >>> co.plots.loading_factors({"posterior": {"eta_E": amplitude * (vvir / 125.0) ** -1.0}}, vvir).shape
    (1,)
    """
    names = list(next(iter(curves.values())))
    axes = new_panels(1, len(names), size=(3.0 * len(names) + 0.6, 3.1))
    for ax, name in zip(axes, names, strict=True):
        _bands(ax, {label: (vvir, laws[name]) for label, laws in curves.items()})
        ax.set(xscale="log", yscale="log", xlabel=r"$V_{\rm vir}$ [km/s]", ylabel=name)
        plain_log_ticks(ax.xaxis, (1, 2, 3, 5))
        if np.log10(np.divide(*ax.get_ylim()[::-1])) < 2.0:
            plain_log_ticks(ax.yaxis)
    legend_above(axes)
    return axes


@styled
def index_bands(indices: Mapping[str, tuple[np.ndarray, Mapping[str, np.ndarray]]]) -> np.ndarray:
    """Prevention and ejection indices against halo mass, and the preventive fraction, with 68% bands.

    Parameters
    ----------
    indices : dict of str to (log_mvir (m,), dict of str to array, (S, m))
        By posterior: halo masses [dex(Msun)], and draws of each index.

    Examples
    --------
    >>> names, draws = ("prevention", "ejection", "preventive_fraction"), np.full((20, 4), 0.5)
    >>> co.plots.index_bands({"posterior": (np.linspace(10.0, 12.0, 4), dict.fromkeys(names, draws))}).shape
    (3,)
    """
    labels = {
        "prevention": "prevention index",
        "ejection": "ejection index",
        "preventive_fraction": "preventive fraction",
    }
    axes = new_panels(1, 3, size=(10.2, 3.3), sharex=True)
    for ax, (name, label) in zip(axes, labels.items(), strict=True):
        _bands(ax, {fit: (mass, values[name]) for fit, (mass, values) in indices.items()})
        ax.set(xlabel=HALO_MASS, ylabel=label)
    half = "half of the missing baryons: as many prevented as ejected"
    axes[2].axhline(0.5, color="0.4", linestyle=(0, (6, 2)), linewidth=0.9, label=half)
    legend_above(axes)
    return axes
