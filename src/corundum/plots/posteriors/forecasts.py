"""Figure of forecasts: the expected width of every parameter under each scenario."""

from typing import Any

import numpy as np

from ..sensitivity.prior import symbol
from ..style import CYCLE, new_panels, slanted_labels, styled

__all__ = ["forecast_bars"]


@styled
def forecast_bars(forecast: Any) -> np.ndarray:
    """Half of the 68% interval of each parameter, and the bias from shifted data.

    Filled symbols are from the Fisher matrix and hollow ones from samples.

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
    ...     names=("loading",), scenarios=[SimpleNamespace(name="half the errors", shift={})],
    ...     sigma_fisher=np.array([[0.2]]), sigma_sampled=np.array([[np.nan]]), bias=np.zeros((1, 1)),
    ... )
    >>> co.plots.forecast_bars(forecast).shape
    (1,)
    """
    shifted = [k for k, scenario in enumerate(forecast.scenarios) if scenario.shift]
    unshifted = [k for k in range(len(forecast.scenarios)) if k not in shifted]
    panels = 1 + bool(shifted)
    axes = np.ravel(new_panels(panels, 1, size=(1.05 * len(forecast.names) + 2.4, 1.0 + 3.2 * panels), sharex=True))
    positions = np.arange(len(forecast.names))
    for ax, members in zip(axes, (unshifted, shifted), strict=False):
        for turn, k in enumerate(members):
            x = positions + 0.7 * ((turn + 0.5) / len(members) - 0.5)
            color, marker = CYCLE[turn % len(CYCLE)], "osD^vPX<>"[turn % 9]
            sigma, sampled = forecast.sigma_fisher[k], forecast.sigma_sampled[k]
            values = forecast.bias[k] / sigma if members is shifted else sigma
            ax.plot(x, values, marker, color=color, markersize=5, label=forecast.scenarios[k].name)
            if members is unshifted and np.isfinite(sampled).any():
                ax.plot(x, sampled, marker, color=color, markerfacecolor="white", markersize=9, zorder=1)
        if members:
            ax.legend(fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
    axes[0].set_yscale("log")
    axes[0].set_ylabel("half of the 68% interval")
    if shifted:
        axes[1].axhline(0.0, color="0.6", linewidth=0.8, zorder=0)
        axes[1].set_ylabel("bias [half intervals]")
    slanted_labels(axes[-1], positions, [symbol(name) for name in forecast.names])
    for ax in axes:
        ax.tick_params(axis="x", which="both", length=0)
    axes[-1].set_xlim(-0.6, len(forecast.names) - 0.4)
    return axes
