"""Figure of forecasts: the expected width of every parameter under each scenario, and the bias from shifted data."""

from typing import Any

import numpy as np

from ..names import symbol
from ..style import CYCLE, new_panels, plain_log_ticks, styled

__all__ = ["forecast_bars"]

_SPAN = 0.72  # of the row of a parameter that its symbols take


@styled
def forecast_bars(forecast: Any) -> np.ndarray:
    """Half of the 68% interval of each parameter over that of the first scenario, and the bias from shifted data.

    Ratios have no unit, so that amplitudes and slopes share an axis.  Filled symbols are from the Fisher matrix and
    open ones from samples; the width of the first scenario is written below each name.

    Parameters
    ----------
    forecast : Forecast
        Of `corundum.inference.forecast`.

    Returns
    -------
    array of Axes, (panels,)
        One panel, and a second where scenarios are shifted.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> forecast = SimpleNamespace(
    ...     names=("loading",), units=("dex",), scenarios=[SimpleNamespace(name="half the errors", shift={})],
    ...     sigma_fisher=np.array([[0.2]]), sigma_sampled=np.array([[np.nan]]), bias=np.zeros((1, 1)),
    ... )
    >>> co.plots.forecast_bars(forecast).shape
    (1,)
    """
    shifted = [k for k, scenario in enumerate(forecast.scenarios) if scenario.shift]
    unshifted = [k for k in range(len(forecast.scenarios)) if k not in shifted]
    panels, number = 1 + bool(shifted), len(forecast.names)
    entries = max(len(shifted), len(unshifted), 1)
    size = (2.2 + 4.3 * panels, 1.1 + 0.24 * entries + number * max(0.42, 0.12 * entries))
    axes = np.ravel(new_panels(1, panels, size=size, sharey=True))
    rows = np.arange(number)[::-1]
    for ax in axes:
        for row in rows[::2]:
            ax.axhspan(row - 0.5, row + 0.5, color="0.95", zorder=0)
        ax.tick_params(axis="y", which="both", length=0)
    reference = forecast.sigma_fisher[unshifted[0]] if unshifted else np.ones(number)
    for turn, k in enumerate(unshifted):
        y, style = _place(rows, turn, len(unshifted)), _style(turn)
        axes[0].plot(forecast.sigma_fisher[k] / reference, y, label=forecast.scenarios[k].name, **style)
        if np.isfinite(forecast.sigma_sampled[k]).any():
            open_symbol: dict[str, Any] = {**style, "markerfacecolor": "white", "markersize": 8}
            axes[0].plot(forecast.sigma_sampled[k] / reference, y, zorder=1, **open_symbol)
    axes[0].axvline(1.0, color="0.5", linewidth=0.8, zorder=0.5)
    axes[0].set(xscale="log", xlabel="half of the 68% interval\nover that of the first scenario")
    plain_log_ticks(axes[0].xaxis)
    for turn, k in enumerate(shifted):
        y = _place(rows, turn, len(shifted))
        axes[1].plot(forecast.bias[k] / forecast.sigma_fisher[k], y, label=forecast.scenarios[k].name, **_style(turn))
    if shifted:
        axes[1].axvline(0.0, color="0.5", linewidth=0.8, zorder=0.5)
        axes[1].set_xlabel("bias of each parameter\nover half of its 68% interval")
    labels = zip(map(symbol, forecast.names), reference, forecast.units, strict=True)
    axes[0].set_yticks(
        rows, [f"{name}\n{width:.2g}{'' if unit == '1' else f' {unit}'}" for name, width, unit in labels]
    )
    axes[0].set_ylim(-0.5, number - 0.5)
    for ax, members in zip(axes, (unshifted, shifted), strict=False):
        if members:
            ax.legend(fontsize=8.5, loc="lower left", bbox_to_anchor=(0.0, 1.0))
    return axes


def _place(rows, turn, entries):
    """Heights of one scenario in the rows of all parameters, the first above."""
    return rows - _SPAN * ((turn + 0.5) / entries - 0.5)


def _style(turn):
    marker = "osD^vPX<>"[turn % 9]
    return {"linestyle": "none", "marker": marker, "color": CYCLE[turn % len(CYCLE)], "markersize": 4.5}
