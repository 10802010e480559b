"""Any quantity of galaxies against any other."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import NullFormatter

from ..units import Quantity
from .style import COLORS, new_axes, styled

__all__ = ["scatter"]


@styled
def scatter(
    galaxies: Any,
    x: str,
    y: str,
    ax: Axes | None = None,
    *,
    color: str = COLORS["model"],
    label: str | None = None,
) -> Axes:
    """One point per galaxy, with names and units on the axes, logarithmic where the quantities are.

    ``galaxies.plot(x, y)`` is the same.

    Parameters
    ----------
    galaxies : Galaxies or mapping of str to array, shape (N,)
        At one redshift; galaxies that are not valid, or have no logarithm on a logarithmic axis, are left out.
    x, y : str
        Names of quantities, such as ``"mvir"`` and ``"mstar"``.
    ax : Axes, optional
    color : str
    label : str, optional
        Name in the legend.

    Raises
    ------
    KeyError
        There is no quantity of that name; the message lists those that exist.

    Examples
    --------
    >>> ax = co.plots.scatter(population.at(0.0), "mvir", "mstar")
    >>> ax.get_xscale(), len(ax.collections[0].get_offsets())
    ('log', 8)
    """
    ax = new_axes() if ax is None else ax
    quantities: Mapping[str, Quantity] = getattr(galaxies, "quantities", {})
    good = np.asarray(getattr(galaxies, "valid", True), bool)
    points = []
    for name, axis in ((x, ax.xaxis), (y, ax.yaxis)):
        quantity = quantities.get(name, Quantity("1", name, log=False))
        values = np.asarray(galaxies[name], float)
        good = good & np.isfinite(values) & ((values > 0.0) | (not quantity.log))
        points.append(values)
        unit = "" if quantity.unit in ("1", "none") else f" [{quantity.unit}]"
        axis.set_label_text(f"{quantity.meaning}{unit}")
        if quantity.log:
            getattr(ax, f"set_{axis.axis_name}scale")("log")
            axis.set_minor_formatter(NullFormatter())  # labels between the decades overlap
    size = float(np.clip(4000 / max(good.sum(), 1), 3, 16))
    ax.scatter(*(values[good] for values in points), s=size, color=color, alpha=0.6, linewidth=0, label=label)
    if label is not None:
        ax.legend()
    return ax
