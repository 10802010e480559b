"""Figures of a training: its losses, and the departures that laws have learned."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from ..names import feature_label
from ..style import CYCLE, new_axes, new_panels, styled

__all__ = ["learned_departures", "training_curves"]

_POINTS = 61
_LEVELS = [15.865, 50.0, 84.135]


@styled
def training_curves(trained: Any, *, ax: Axes | None = None) -> Axes:
    """Loss of every step (thin), and the validation loss (dots), of each seed; a star where its model was kept.

    Parameters
    ----------
    trained : Trained
    ax : Axes, optional

    Examples
    --------
    >>> ax = co.plots.training_curves(co.inference.train(objective, steps=4, every=2))
    >>> ax.get_xlabel()
    'step'
    """
    ax = new_axes(size=(5.4, 4.0)) if ax is None else ax
    for seed, (losses, validation) in enumerate(zip(trained.losses, trained.validation, strict=True)):
        color = CYCLE[seed % len(CYCLE)]
        ax.plot(np.arange(1, len(losses) + 1), losses, color=color, linewidth=0.6, alpha=0.45)
        ax.plot(trained.checked, validation, "o-", color=color, markersize=3.0, linewidth=1.3, label=f"seed {seed + 1}")
        best = trained.best_step[seed]
        ax.plot(best, np.nanmin(validation), "*", color=color, markersize=11, markeredgecolor="white")
    ax.set_xlabel("step")
    ax.set_ylabel(r"$-\ln p$ of a data point")
    positive = np.nanmin(trained.losses) > 0.0 and np.nanmin(trained.validation) > 0.0
    ax.set_yscale("log" if positive else "linear")
    ax.plot([], [], color="0.4", linewidth=0.6, label="each step")
    ax.plot([], [], "o-", color="0.4", markersize=3.0, linewidth=1.3, label="validation, without priors")
    ax.legend()
    return ax


@styled
def learned_departures(laws: Sequence[Any]) -> np.ndarray:
    """The departure of a law from its base along each of its features, the others in the middle of their ranges.

    Two seeds have the colours that `training_curves` gives them.

    Parameters
    ----------
    laws : sequence of LearnedLaw
        The same law as each seed has learned it; with three or more, median and 68% range are drawn as well.

    Returns
    -------
    array of Axes, one for each feature

    Examples
    --------
    >>> law = co.physics.neural_law(["log_vvir", "redshift"], base=co.physics.MassLoading(), width=4)
    >>> len(co.plots.learned_departures([law]))
    2
    """
    features = laws[0].features
    axes = np.atleast_1d(new_panels(1, len(features), size=(max(4.2, 3.4 * len(features)), 3.4), sharey=True))
    middles = [0.5 * (feature.low + feature.high) for feature in features]
    for i, (ax, feature) in enumerate(zip(axes, features, strict=True)):
        reach = 0.15 * (feature.high - feature.low)
        x = np.linspace(feature.low - reach, feature.high + reach, _POINTS)
        inputs = [x if j == i else np.full(_POINTS, middle) for j, middle in enumerate(middles)]
        curves = np.array([np.asarray(law.departure(*inputs)) for law in laws])
        ax.axhline(0.0, color="0.4", linewidth=0.9, linestyle=(0, (1, 1.5)))
        ax.axvspan(feature.low, feature.high, color="0.94", zorder=-5)
        for seed, curve in enumerate(curves):
            color = CYCLE[0 if len(laws) > 2 else seed]
            width, alpha = (0.7, 0.6) if len(laws) > 2 else (1.4, 1.0)
            ax.plot(x, curve, color=color, linewidth=width, alpha=alpha, label=f"seed {seed + 1}")
        if len(laws) >= 3:
            low, middle, high = np.percentile(curves, _LEVELS, axis=0)
            ax.fill_between(x, low, high, color=CYCLE[0], alpha=0.22, linewidth=0)
            ax.plot(x, middle, color=CYCLE[0], linewidth=1.8)
        ax.set_xlabel(feature_label(feature.name, feature.unit))
        others = [(one.name, one.unit, middle) for one, middle in zip(features, middles, strict=True) if one != feature]
        ax.set_title(", ".join(f"{feature_label(name, unit)} = {middle:.3g}" for name, unit, middle in others), size=9)
    axes[0].set_ylabel("departure [dex]")
    if len(laws) == 2:
        axes[0].legend()
    return axes
