"""Figures of fits: predictive bands over data, unfitted quantities, chains, calibration, forecasts."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from ...observables import Measurement
from ..relations import short_citation
from ..sensitivity.prior import symbol
from ..style import COLORS, CYCLE, legend_above, new_axes, plain_log_ticks, styled

__all__ = [
    "predictive_band",
    "extras_bands",
    "loading_factors",
    "index_bands",
    "trace_and_rank",
    "coverage_figure",
    "recovery",
    "forecast_bars",
]


@styled
def predictive_band(
    measurement: Measurement,
    predicted: Mapping[str, np.ndarray],
    *,
    used: np.ndarray | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Median and 68% band of the model's relation over the data.

    Parameters
    ----------
    measurement : Measurement
    predicted : dict of str to array, (S, n)
        The relation at the points of the measurement, by label; ``"prior"`` is drawn grey.
    used : boolean array, (n,), optional
        Points that were fitted; the others are drawn hollow.
    ax : Axes, optional
    """
    ax = new_axes() if ax is None else ax
    x = np.asarray(measurement.x)
    colors = iter(CYCLE)
    for label, each in predicted.items():
        color = "0.55" if label == "prior" else next(colors)
        low, middle, high = np.nanpercentile(each, [15.865, 50.0, 84.135], axis=0)
        ax.fill_between(x, low, high, color=color, alpha=0.22 if label == "prior" else 0.3, linewidth=0)
        ax.plot(x, middle, color=color, label=label, linestyle=":" if label == "prior" else "-")
    used = np.ones(len(x), bool) if used is None else np.asarray(used, bool)
    y, error = np.asarray(measurement.y), np.asarray(measurement.error)
    bars = dict(color=COLORS["data"], fmt="none", elinewidth=1.1, capsize=2.5)
    ax.errorbar(x, y, error, **bars)
    name = short_citation(measurement.citation)
    ax.plot(x[used], y[used], "o", color=COLORS["data"], markersize=4.5, label=name)
    if not used.all():
        ax.plot(
            x[~used], y[~used], "o", color=COLORS["data"], markerfacecolor="white", markersize=4.5, label="not fitted"
        )
    ax.set_xlabel(measurement.relation.x_axis.meaning)
    ax.set_ylabel(measurement.relation.y_axis.meaning)
    ax.legend(loc="best")
    return ax


@styled
def extras_bands(
    told: Mapping[str, Mapping[str, tuple[np.ndarray, np.ndarray]]], labels: Mapping[str, str]
) -> np.ndarray:
    """Quantities that no fit has seen against halo mass, one panel each.

    Parameters
    ----------
    told : dict of str to dict of str to (nodes, values (S, m))
        By posterior, then by quantity.
    labels : dict of str to str
        Axis label of each quantity.
    """
    names = list(next(iter(told.values())))
    columns = 2
    rows = -(-len(names) // columns)
    axes = np.atleast_2d(new_axes(rows, columns, size=(8.4, 2.7 * rows), sharex=True))
    for ax, name in zip(axes.ravel(), names, strict=False):
        _bands(ax, {label: each[name] for label, each in told.items()})
        ax.set_ylabel(labels[name])
        if name == "cooling_time":
            ax.axhline(1.0, color="0.4", linewidth=0.9, linestyle="--")
    for ax in axes.ravel()[len(names) :]:
        ax.set_visible(False)
    for ax in axes[-1]:
        ax.set_xlabel(r"$\log_{10}(M_{\rm vir}/{\rm M}_\odot)$")
    legend_above(axes)
    return axes


def _bands(ax, curves):
    colors = iter(CYCLE)
    for label, (x, values) in curves.items():
        color = "0.55" if label == "prior" else next(colors)
        low, middle, high = np.nanpercentile(values, [15.865, 50.0, 84.135], axis=0)
        ax.fill_between(x, low, high, color=color, alpha=0.28, linewidth=0)
        ax.plot(x, middle, color=color, label=label)


@styled
def loading_factors(curves: Mapping[str, Mapping[str, np.ndarray]], vvir: np.ndarray) -> np.ndarray:
    """Scalings against virial velocity at z = 0 with 68% bands.

    Parameters
    ----------
    curves : dict of str to dict of str to array, (S, m)
        By posterior, then by axis label.
    vvir : array, (m,) [km/s]
    """
    names = list(next(iter(curves.values())))
    axes = np.atleast_1d(new_axes(1, len(names), size=(3.0 * len(names) + 0.6, 3.1)))
    for ax, name in zip(axes, names, strict=True):
        _bands(ax, {label: (vvir, each[name]) for label, each in curves.items()})
        ax.set(xscale="log", yscale="log", xlabel=r"$V_{\rm vir}$ [km/s]", ylabel=name)
        plain_log_ticks(ax.xaxis, (1, 2, 3, 5))
        if np.log10(np.divide(*ax.get_ylim()[::-1])) < 2.0:
            plain_log_ticks(ax.yaxis)
    legend_above(axes)
    return axes


@styled
def index_bands(indices: Mapping[str, tuple[np.ndarray, Mapping[str, np.ndarray]]]) -> np.ndarray:
    """Prevention and ejection indices against halo mass, and the preventive fraction, with 68% bands."""
    shown = {
        "prevention": "prevention index",
        "ejection": "ejection index",
        "preventive_fraction": "preventive fraction",
    }
    axes = new_axes(1, 3, size=(10.2, 3.3), sharex=True)
    for ax, (name, label) in zip(axes, shown.items(), strict=True):
        _bands(ax, {fit: (mass, values[name]) for fit, (mass, values) in indices.items()})
        ax.set(xlabel=r"$\log_{10}(M_{\rm vir}/{\rm M}_\odot)$", ylabel=label)
    axes[2].axhline(0.5, color="0.4", linestyle="--", linewidth=0.9)
    legend_above(axes)
    return axes


@styled
def trace_and_rank(posterior: Any) -> np.ndarray:
    """Every chain of every parameter, and how its draws rank among all: flat if chains agree."""
    size = len(posterior.names)
    axes = np.atleast_2d(new_axes(size, 2, size=(9.0, 1.25 * size + 0.6)))
    chains, draws = posterior.theta.shape[:2]
    shown = min(chains, len(CYCLE))
    for i, name in enumerate(posterior.names):
        values = posterior.theta[..., i]
        rank = values.ravel().argsort().argsort().reshape(values.shape) / values.size
        edges = np.linspace(0.0, 1.0, 21)
        for chain in range(shown):
            axes[i, 0].plot(values[chain], color=CYCLE[chain], linewidth=0.5)
            height = np.histogram(rank[chain], edges)[0] / (draws / 20.0)
            axes[i, 1].stairs(height, edges, color=CYCLE[chain], linewidth=1.0)
        axes[i, 1].axhline(1.0, color="0.5", linewidth=0.8)
        axes[i, 0].set_ylabel(symbol(name), fontsize=9)
        axes[i, 1].set_ylim(0.0, None)
        for ax in axes[i]:
            ax.tick_params(labelsize=8)
            if i < size - 1:
                ax.set_xticklabels([])
    axes[-1, 0].set_xlabel("draw")
    axes[-1, 1].set_xlabel("rank")
    return axes


@styled
def coverage_figure(result: Any, axes: np.ndarray | None = None) -> np.ndarray:
    """Ranks of the truths, which are flat if intervals can be believed, and coverage at every level."""
    axes = new_axes(1, 2, size=(9.0, 3.9)) if axes is None else axes
    levels, shares = result.curve()
    number = int(result.fitted.sum())
    bins = int(np.clip(number // 6, 4, 20))
    edges = np.linspace(0.0, 1.0, bins + 1)
    for i, name in enumerate(result.names):
        color, line = CYCLE[i % len(CYCLE)], "-" if i < len(CYCLE) else "--"
        height = np.histogram(result.rank[result.fitted, i], edges)[0]
        axes[0].stairs(height, edges, color=color, linestyle=line, label=symbol(name))
        axes[1].plot(levels, shares[:, i] - levels, color=color, linestyle=line)
    error = np.sqrt(number / bins * (1 - 1 / bins))
    axes[0].axhspan(number / bins - 2 * error, number / bins + 2 * error, color="0.85", zorder=0)
    axes[0].set(xlabel="posterior probability below the truth", ylabel=f"mocks of {number}")
    width = 2.0 * np.sqrt(levels * (1 - levels) / max(number, 1))
    axes[1].fill_between(levels, -width, width, color="0.85", linewidth=0)
    axes[1].axhline(0.0, color="0.4", linewidth=0.8)
    axes[1].set(xlabel="probability of the interval", ylabel="coverage minus probability")
    axes[0].legend(fontsize=8, ncols=2, loc="upper center")
    axes[0].set_ylim(0.0, 1.45 * axes[0].get_ylim()[1])
    return axes


@styled
def recovery(result: Any) -> np.ndarray:
    """Estimates against truths, one panel a parameter, with 68% intervals."""
    size = len(result.names)
    columns = min(4, size)
    rows = -(-size // columns)
    axes = np.atleast_1d(new_axes(rows, columns, size=(2.5 * columns, 2.5 * rows))).reshape(rows, columns)
    good = result.fitted
    for i, (ax, name) in enumerate(zip(axes.ravel(), result.names, strict=False)):
        truth, middle = result.truth[good, i], result.middle[good, i]
        bars = np.abs(np.stack([middle - result.low[good, i], result.high[good, i] - middle]))
        ax.errorbar(truth, middle, bars, fmt="o", markersize=3, elinewidth=0.7, color=COLORS["model"], alpha=0.75)
        ends = [result.truth[:, i].min(), result.truth[:, i].max()]
        ax.plot(ends, ends, color="0.4", linewidth=0.9)
        ax.set_title(symbol(name), fontsize=10)
        ax.tick_params(labelsize=8)
    for ax in axes.ravel()[size:]:
        ax.set_visible(False)
    axes[0, 0].figure.supxlabel("truth")
    axes[0, 0].figure.supylabel("fit")
    return axes


@styled
def forecast_bars(told: Any) -> np.ndarray:
    """Half of the 68% interval of each parameter, filled by Fisher, hollow sampled; below, what shifts of data do.

    Returns
    -------
    array of Axes, (panels,)
        One panel, and a second where scenarios are shifted.
    """
    shifted = [k for k, scenario in enumerate(told.scenarios) if scenario.shift]
    rest = [k for k in range(len(told.scenarios)) if k not in shifted]
    panels = 1 + bool(shifted)
    axes = np.ravel(new_axes(panels, 1, size=(1.05 * len(told.names) + 2.4, 1.0 + 3.2 * panels), sharex=True))
    place = np.arange(len(told.names))
    for ax, which in zip(axes, (rest, shifted), strict=False):
        for turn, k in enumerate(which):
            at = place + 0.7 * ((turn + 0.5) / len(which) - 0.5)
            color, marker = CYCLE[turn % len(CYCLE)], "osD^vPX<>"[turn % 9]
            shown = told.bias[k] / told.sigma_fisher[k] if which is shifted else told.sigma_fisher[k]
            ax.plot(at, shown, marker, color=color, markersize=5, label=told.scenarios[k].name)
            if which is rest and np.isfinite(told.sigma_sampled[k]).any():
                ax.plot(at, told.sigma_sampled[k], marker, color=color, markerfacecolor="white", markersize=9, zorder=1)
        if which:
            ax.legend(fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
    axes[0].set_yscale("log")
    axes[0].set_ylabel("half of the 68% interval")
    if shifted:
        axes[1].axhline(0.0, color="0.6", linewidth=0.8, zorder=0)
        axes[1].set_ylabel("moved by [half intervals]")
    axes[-1].set_xticks(place, [symbol(name) for name in told.names], rotation=35, ha="right", rotation_mode="anchor")
    for ax in axes:
        ax.tick_params(axis="x", which="both", length=0)
    axes[-1].set_xlim(-0.6, len(told.names) - 0.4)
    return axes
