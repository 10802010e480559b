"""Where a model is wrong: laws by what freeing them gains, and maps of what data ask of a law, and where."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from ...messages import did_you_mean
from ..names import feature_label
from ..style import COLORS, new_axes, styled

__all__ = ["departure_map", "law_gains", "shrinkage_map"]


@styled
def law_gains(criticism: Any, ax: Axes | None = None) -> Axes:
    """Gain in ln evidence of freeing each law, the largest above, and how many combinations data determine.

    Parameters
    ----------
    criticism : Criticism
        Of `corundum.inference.criticise`.
    ax : Axes, optional

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> criticism = SimpleNamespace(
    ...     laws=("mass_loading", "depletion_time"), gain=np.array([-0.4, 5.0]), effective_all=np.array([1.2, 2.0]),
    ...     order=[1, 0], amplitude=0.3,
    ... )
    >>> [label.get_text() for label in co.plots.law_gains(criticism).get_yticklabels()]
    ['depletion time', 'mass loading']
    """
    names = [criticism.laws[k].replace("_", " ") for k in criticism.order]
    gain, effective = (np.asarray(values)[criticism.order] for values in (criticism.gain, criticism.effective_all))
    if ax is None:
        ax = new_axes(size=(6.4, 1.2 + 0.4 * len(names)))
    y = np.arange(len(names))[::-1]
    ax.barh(y, gain, height=0.6, color=np.where(gain > 0.0, COLORS["model"], "0.75"))
    ax.axvline(0.0, color="0.3", lw=0.8)
    reach = max(np.max(np.abs(gain)), 0.5)
    for row, value, number in zip(y, gain, effective, strict=True):
        ax.text(max(value, 0.0) + 0.03 * reach, row, f"{number:.1f} determined", va="center", fontsize=8.5)
    ax.set_xlim(min(1.15 * gain.min(), -0.05 * reach), 1.45 * max(gain.max(), 0.3 * reach))
    ax.set_yticks(y, names)
    ax.tick_params(axis="y", which="both", length=0)
    ax.set_xlabel(f"gain in ln evidence, departures of {criticism.amplitude:g} dex")
    return ax


@styled
def departure_map(criticism: Any, law: str, ax: Axes | None = None) -> Axes:
    """The departure that data ask of a law at each knot [dex], with its standard deviation.

    Parameters
    ----------
    criticism : Criticism
    law : str
        One of ``criticism.laws``.
    ax : Axes, optional

    Raises
    ------
    ValueError
        There is no such law.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> criticism = SimpleNamespace(
    ...     laws=("mass_loading",), features=("log_vvir",), units=("dex(km/s)",), knots=((1.5, 2.5),), amplitude=0.3,
    ...     departure=np.array([[0.1, -0.2]]), shrinkage=np.array([[0.9, 0.5]]),
    ... )
    >>> co.plots.departure_map(criticism, "mass_loading").texts[1].get_text()
    '−0.20\\n±0.15'
    """
    position = _position(criticism, law)
    values, widths = criticism.departure[position], criticism.amplitude * criticism.shrinkage[position]
    texts = np.vectorize(lambda value, width: f"{value:+.2f}\n±{width:.2f}".replace("-", "−"))(values, widths)
    limit = max(float(np.max(np.abs(values))), criticism.amplitude)
    bar = f"departure of the {law.replace('_', ' ')} [dex]"
    return _cells(criticism, values, texts, ax, bar, cmap="RdBu_r", vmin=-limit, vmax=limit)


@styled
def shrinkage_map(criticism: Any, law: str, ax: Axes | None = None) -> Axes:
    """Where data determine a law: the posterior width of its departure at each knot over that of the prior.

    Parameters
    ----------
    criticism : Criticism
    law : str
        One of ``criticism.laws``.
    ax : Axes, optional

    Raises
    ------
    ValueError
        There is no such law.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> criticism = SimpleNamespace(
    ...     laws=("mass_loading",), features=("log_vvir",), units=("dex(km/s)",), knots=((1.5, 2.5),), amplitude=0.3,
    ...     departure=np.array([[0.1, -0.2]]), shrinkage=np.array([[0.9, 0.5]]),
    ... )
    >>> [label.get_text() for label in co.plots.shrinkage_map(criticism, "mass_loading").get_xticklabels()]
    ['1.5', '2.5']
    """
    values = criticism.shrinkage[_position(criticism, law)]
    texts = np.vectorize(lambda value: f"{value:.2f}")(values)
    bar = f"{law.replace('_', ' ')}: posterior over prior width"
    return _cells(criticism, values, texts, ax, bar, cmap="viridis", vmin=0.0, vmax=1.0)


def _position(criticism, law):
    if law not in criticism.laws:
        hint = did_you_mean(law, criticism.laws)
        raise ValueError(f"law: got {law!r}; {hint}the laws are {', '.join(criticism.laws)}")
    return criticism.laws.index(law)


def _cells(criticism, values, texts, ax, bar, **colors):
    """One cell for each knot: the first feature from left to right, the second upwards."""
    table, words = (np.atleast_2d(part.T) for part in (values, texts))
    if ax is None:
        ax = new_axes(size=(2.6 + 0.75 * table.shape[1], 1.9 + 0.55 * table.shape[0]))
    image = ax.imshow(table, origin="lower", aspect="auto", **colors)
    for (row, column), word in np.ndenumerate(words):
        red, green, blue, _ = image.cmap(image.norm(table[row, column]))
        dark = 0.299 * red + 0.587 * green + 0.114 * blue < 0.5
        ax.text(column, row, word, ha="center", va="center", fontsize=8, color="w" if dark else "k")
    axes = zip((ax.xaxis, ax.yaxis), criticism.features, criticism.units, criticism.knots, strict=False)
    for axis, feature, unit, knots in axes:
        axis.set_ticks(range(len(knots)), [f"{knot:g}" for knot in knots])
        axis.set_label_text(feature_label(feature, unit))
    if len(criticism.knots) == 1:
        ax.set_yticks([])
    ax.tick_params(which="both", length=0)
    ax.minorticks_off()
    ax.figure.colorbar(image, ax=ax, label=bar)
    return ax
