"""Information in data: the gain of each observable, and the combinations of parameters that data constrain."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes

from ...sensitivity import PRIOR_INFORMATION, DesignTable, Fisher
from ..names import symbol
from ..style import COLORS, new_axes, slanted_labels, styled

__all__ = ["greedy_bars", "combination_map"]


@styled
def greedy_bars(table: DesignTable, ax: Axes | None = None, *, labels: Mapping[str, str] | None = None) -> Axes:
    """Information of each observable alone (pale) and added in greedy order (dark), in bits.

    Parameters
    ----------
    table : DesignTable
    ax : Axes, optional
    labels : mapping of str to str, optional
        What to call each observable; default its name.

    Examples
    --------
    >>> table = co.sensitivity.DesignTable({"smhm": (2.0, 0.9)}, [("smhm", 2.0, 2.0, 0.9)])
    >>> co.plots.greedy_bars(table).get_xlabel()
    'information over the prior [bit]'
    """
    if ax is None:
        ax = new_axes(size=(7.0, 1.1 + 0.42 * len(table.order)))
    y = np.arange(len(table.order))[::-1]
    alone = [table.alone[name][0] for name, *_ in table.order]
    ax.barh(y, alone, height=0.66, color="0.82", label="alone")
    ax.barh(y, [gain for _, gain, _, _ in table.order], height=0.36, color=COLORS["model"], label="added in this order")
    for row, (_, gain, _, effective), gain_alone in zip(y, table.order, alone, strict=True):
        ax.text(max(gain, gain_alone), row, f"  {effective:.1f} combinations so far", va="center", fontsize=8.5)
    known = {} if labels is None else labels
    ax.set_yticks(y, [known.get(name, name.replace("_", " ")) for name, *_ in table.order])
    ax.tick_params(axis="y", which="both", length=0)
    ax.set_xlim(0, 1.45 * max(alone))
    ax.set_xlabel("information over the prior [bit]")
    ax.legend(loc="lower right")
    return ax


@styled
def combination_map(fisher: Fisher, ax: Axes | None = None) -> Axes:
    """Eigenvectors of a Fisher matrix in named parameters, best known first.

    Each row is a combination; the number on its right is the width of the prior over its own width.

    Parameters
    ----------
    fisher : Fisher
    ax : Axes, optional

    Examples
    --------
    >>> fisher = co.sensitivity.fisher_of(np.diag([1200.0, 0.0]), ["loading", "time"], ["prior width"] * 2)
    >>> co.plots.combination_map(fisher).get_ylabel()
    'combination'
    """
    names = fisher.directions.labels("parameter")
    if ax is None:
        ax = new_axes(size=(2.6 + 0.62 * len(names), 1.9 + 0.4 * len(names)))
    image = ax.imshow(fisher.directions.values, cmap="RdBu_r", vmin=-1, vmax=1, aspect="auto")
    for (i, j), value in np.ndenumerate(fisher.directions.values):
        if abs(value) >= 0.1:
            ink = "w" if abs(value) > 0.7 else "k"
            ax.text(j, i, f"{value:.2f}".replace("-", "−"), ha="center", va="center", fontsize=8, color=ink)
    narrower = np.sqrt(1.0 + np.maximum(fisher.eigenvalues, 0.0) / PRIOR_INFORMATION)
    ax.set_yticks(range(len(names)), [f"{k + 1}" for k in range(len(names))])
    ax.set_ylabel("combination")
    slanted_labels(ax, range(len(names)), [symbol(name) for name in names])
    ax.tick_params(which="both", length=0)
    ax.minorticks_off()
    for k, factor in enumerate(narrower):
        ax.text(len(names) - 0.4, k, f"× {factor:.3g}", va="center", fontsize=9)
    ax.text(len(names) - 0.4, -0.75, "narrower", va="bottom", fontsize=9)
    ax.figure.colorbar(image, ax=ax, pad=0.12 + 0.02, label="component")
    return ax
