"""Jacobians as annotated heat maps, and the routes of each parameter as bars."""

import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import SymLogNorm
from matplotlib.patches import Rectangle

from ...sensitivity import Labelled, by_channel_group
from ..style import CYCLE, UNKNOWN, channel_label, legend_right, new_axes, slanted_labels, styled

__all__ = ["jacobian_map", "route_bars", "RESERVOIRS"]

RESERVOIRS = {
    "mstar": ("stars", r"$M_\star$"),
    "mzstar": ("stars", r"$M_{Z\star}$"),
    "mism": ("ISM", r"$M_{\rm ISM}$"),
    "mzism": ("ISM", r"$M_{Z,\rm ISM}$"),
    "mcgm": ("CGM", r"$M_{\rm CGM}$"),
    "mzcgm": ("CGM", r"$M_{Z,\rm CGM}$"),
    "eth": ("CGM", r"$E_{\rm th}$"),
}
"""Reservoir and symbol of the quantities of the thermal CGM models."""

_DIVERGING = "RdBu_r"
_GROUP_COLORS = (*CYCLE, "#999933", "#882255", "#117733", "#aaaaaa")


@styled
def jacobian_map(
    jacobian: Labelled,
    ax: Axes | None = None,
    *,
    routes: Labelled | None = None,
    linear: float = 0.1,
    limit: float = 10.0,
) -> Axes:
    """A Jacobian as a heat map with its numbers: red where a quantity rises with a parameter, blue where it falls.

    Rows are grouped by reservoir and columns by component.  The colours are linear below `linear` and logarithmic
    above; a number that is not known is a dash on a hatched cell.

    Parameters
    ----------
    jacobian : Labelled, (quantity, parameter) or (quantity, channel)
        Of one galaxy: select it with ``sel(halo=..., redshift=...)``.
    ax : Axes, optional
    routes : Labelled, (quantity, parameter, channel), optional
        Of the same galaxy; the flow that carries most of each block is then named in it.
    linear, limit : float
        Where the colours turn logarithmic, and where they end.

    Raises
    ------
    ValueError
        The array has other dimensions than these two.

    Examples
    --------
    >>> ax = co.plots.jacobian_map(jacobian.derivative.sel(halo=0, redshift=0.0))
    >>> len(ax.get_xticklabels())
    8
    """
    if len(jacobian.dims) != 2 or jacobian.dims[0] != "quantity":
        raise ValueError(
            f"jacobian_map: got dimensions {jacobian.dims}; select one galaxy, so that quantity and one more remain"
        )
    rows, columns = _grouped_rows(jacobian.labels("quantity")), _grouped_columns(jacobian.labels(jacobian.dims[1]))
    order = [k for members in rows.values() for k in members], [k for members in columns.values() for k in members]
    values = jacobian.values[np.ix_(*order)]
    height, width = values.shape
    if ax is None:
        ax = new_axes(size=(1.9 + 0.72 * width, 1.75 + 0.52 * height))
    norm = SymLogNorm(linear, vmin=-limit, vmax=limit, base=10)
    image = ax.imshow(values, cmap=_DIVERGING, norm=norm, aspect="auto")
    for (i, j), value in np.ndenumerate(values):
        shade = norm(np.clip(value, -limit, limit)) if np.isfinite(value) else 0.5
        if not np.isfinite(value):  # white is the colour of zero
            ax.add_patch(Rectangle((j - 0.5, i - 0.5), 1, 1, **UNKNOWN))
        ax.text(
            j, i, _number(value), ha="center", va="center", fontsize=8.5, color="w" if abs(shade - 0.5) > 0.36 else "k"
        )
    labels = jacobian.labels("quantity")
    ax.set_yticks(range(height), [RESERVOIRS.get(labels[k], ("", labels[k]))[1] for k in order[0]])
    names = jacobian.labels(jacobian.dims[1])
    slanted_labels(ax, range(width), [_short(names[k]) for k in order[1]])
    ax.tick_params(which="both", length=0, top=False, right=False)
    ax.minorticks_off()
    _group_lines(ax, rows, columns, height)
    if routes is not None:
        _name_blocks(ax, routes, rows, columns)
    bar = ax.figure.colorbar(image, ax=ax, pad=0.02, ticks=[-limit, -1, -linear, 0, linear, 1, limit], format="%g")
    bar.set_label("response [dex per unit]")
    return ax


def _number(value):
    if not np.isfinite(value):
        return "–"
    if value == 0:
        return "0"
    text = f"{value:.2f}" if 0.005 <= abs(value) < 10 else f"{value:.0e}".replace("e-0", "e-").replace("e+0", "e")
    return text.replace("-", "−")


def _short(name):
    return name.rpartition(".")[2].replace("_", " ")


def _grouped_rows(labels):
    groups: dict[str, list[int]] = {}
    for k, label in enumerate(labels):
        groups.setdefault(RESERVOIRS.get(label, ("", label))[0], []).append(k)
    return groups


def _grouped_columns(labels):
    groups: dict[str, list[int]] = {}
    for k, label in enumerate(labels):
        groups.setdefault(label.rpartition(".")[0].replace("_", " ").replace(".", " "), []).append(k)
    return groups


def _group_lines(ax, rows, columns, height):
    """Lines between groups, and their names above and to the left."""
    start = -0.5
    for name, members in columns.items():
        end = start + len(members)
        if name:
            ax.annotate("", (start + 0.12, -0.66), (end - 0.12, -0.66), annotation_clip=False,
                        arrowprops=dict(arrowstyle="-", lw=1.2, color="0.25"))  # fmt: skip
            title = name if len(members) > 1 else name.replace(" ", "\n")
            ax.text(0.5 * (start + end), -0.78, title, ha="center", va="bottom", fontsize=10)
        if end < ax.get_xlim()[1]:
            ax.axvline(end, color="0.2", lw=1.0)
        start = end
    start = -0.5
    for name, members in rows.items():
        end = start + len(members)
        if name:
            position = dict(ha="right", va="center", rotation=90, transform=ax.get_yaxis_transform())
            ax.text(-0.115, 0.5 * (start + end), name, fontsize=10, **position)
        if end < height - 0.5:
            ax.axhline(end, color="0.2", lw=1.0)
        start = end


def _name_blocks(ax, routes, rows, columns):
    """A box around each block, with the name of the flow that carries most of it."""
    channels = routes.labels("channel")
    top = -0.5
    for row_members in rows.values():
        left = -0.5
        for column_members in columns.values():
            block = routes.values[np.ix_(row_members, column_members)]
            strength = np.linalg.norm(block, axis=(0, 1))
            wide, tall = len(column_members), len(row_members)
            if strength.max() > 0.02:
                name = channel_label(channels[int(np.argmax(strength))])
                font = dict(ha="left", va="bottom", fontsize=7.0, style="italic", color="0.15", linespacing=0.9)
                # About fourteen letters fit into the width of a column.
                ax.text(left + 0.06, top + tall - 0.04, textwrap.fill(f"via {name}", 14 * wide), **font)
            ax.add_patch(Rectangle((left, top), wide, tall, fill=False, lw=0.8, ec="0.2"))
            left += wide
        top += len(row_members)


@styled
def route_bars(
    routes: Labelled,
    ax: Axes | None = None,
    *,
    quantity: str = "mstar",
    groups: Mapping[str, tuple[str, ...]] | None = None,
    names: Sequence[str] | None = None,
) -> Axes:
    """Responses of one quantity to each parameter, by channel group: stacked bars, with the total as a diamond.

    Parameters
    ----------
    routes : Labelled, (quantity, parameter, channel)
        Of one galaxy, or a mean over several.
    ax : Axes, optional
    quantity : str
    groups : mapping, optional
        Channels of each group; default `corundum.sensitivity.CHANNEL_GROUPS`.
    names : sequence of str, optional
        Parameters to show, from above; default all.

    Examples
    --------
    >>> labels = {"quantity": ("mstar",), "parameter": ("loading",), "channel": ("cooling", "wind")}
    >>> routes = co.sensitivity.Labelled(np.array([[[0.2, -0.5]]]), tuple(labels), labels, "dex", "response")
    >>> [text.get_text() for text in co.plots.route_bars(routes).get_legend().get_texts()]
    ['total', 'cooling', 'wind']
    """
    response = by_channel_group(routes.sel(quantity=quantity), groups)
    names = response.labels("parameter") if names is None else list(names)
    response = response.sel(parameter=list(names))
    if ax is None:
        ax = new_axes(size=(7.4, 1.5 + 0.34 * len(names)))
    y = np.arange(len(names))[::-1]
    right, left = np.zeros(len(names)), np.zeros(len(names))
    for k, (group, color) in enumerate(zip(response.labels("channel"), _GROUP_COLORS, strict=False)):
        value = response.values[:, k]
        if np.all(np.abs(value) < 1e-12):
            continue
        ax.barh(y, value, left=np.where(value > 0, right, left), height=0.62, color=color, label=group)
        right, left = right + np.maximum(value, 0), left + np.minimum(value, 0)
    ax.plot(response.values.sum(axis=1), y, "D", ms=5, mfc="w", mec="k", label="total", zorder=5)
    ax.axvline(0, color="0.3", lw=0.8)
    ax.set_yticks(y, [name.replace("_", " ").replace(".", ": ") for name in names])
    ax.tick_params(axis="y", which="both", length=0)
    ax.tick_params(axis="y", which="minor", left=False, right=False)
    symbol = RESERVOIRS.get(quantity, ("", quantity))[1]
    ax.set_xlabel(rf"response of $\log_{{10}}$ {symbol} [dex per unit of the parameter]")
    legend_right(ax)
    return ax
