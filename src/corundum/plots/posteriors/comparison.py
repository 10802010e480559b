"""Figure of a comparison of models: evidence and cross-validation of each, over those of the best."""

from typing import Any

import numpy as np

from ..style import CYCLE, new_panels, styled

__all__ = ["model_comparison"]


@styled
def model_comparison(comparison: Any) -> np.ndarray:
    """ln Bayes factor of each model against the best one, and the difference in predicting points left out.

    Parameters
    ----------
    comparison : Comparison
        Of `corundum.inference.compare`.

    Returns
    -------
    array of Axes, (2,)

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> row = dict(model="constant loading", ln_bayes_factor=-3.0, ln_bayes_factor_error=0.1, elpd_difference=-2.0,
    ...            elpd_difference_error=1.0)
    >>> co.plots.model_comparison(SimpleNamespace(rows=lambda: [row])).shape
    (2,)
    """
    rows = comparison.rows()
    places = np.arange(len(rows))[::-1]
    axes = np.ravel(new_panels(1, 2, size=(7.6, 1.3 + 0.42 * len(rows)), sharey=True))
    panels = (
        ("ln_bayes_factor", "ln (evidence / that of the best)"),
        ("elpd_difference", "ln density of points left out\nminus that of the best"),
    )
    for ax, (name, label) in zip(axes, panels, strict=True):
        for place in places[::2]:
            ax.axhspan(place - 0.5, place + 0.5, color="0.95", zorder=0)
        value = np.array([row[name] for row in rows])
        error = np.array([row[f"{name}_error"] for row in rows])
        ax.axvline(0.0, color="0.5", linewidth=0.8, zorder=0.5)
        ax.errorbar(value, places, xerr=error, fmt="o", color=CYCLE[0], capsize=2.5)
        ax.set_xlabel(label)
        ax.tick_params(axis="y", which="both", length=0)
    # Between these lines the data do not decide (Kass & Raftery 1995: "strong" from 20 to 1).
    axes[0].axvspan(-3.0, 0.0, color=CYCLE[0], alpha=0.12, linewidth=0, zorder=0.2)
    axes[0].set_yticks(places, [row["model"] for row in rows])
    axes[0].set_ylim(-0.5, len(rows) - 0.5)
    return axes
