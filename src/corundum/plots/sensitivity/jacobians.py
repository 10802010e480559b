"""Jacobians as annotated heat maps, and the routes of each parameter as bars."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import SymLogNorm
from matplotlib.patches import Rectangle

from ...sensitivity import Labelled, by_channel_group
from ..style import CYCLE, new_axes, styled

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


@styled
def jacobian_map(
    jacobian: Labelled,
    ax: Axes | None = None,
    *,
    routes: Labelled | None = None,
    linear: float = 0.1,
    limit: float = 10.0,
) -> Axes:
    """A Jacobian, numbers and all: red where a quantity rises with a parameter, blue where it falls.

    Rows are bracketed by reservoir and columns by component.  The colours are linear below `linear` and logarithmic
    above.

    Parameters
    ----------
    jacobian : Labelled, (quantity, parameter) or (quantity, channel)
        One galaxy: select the others away first.
    ax : Axes, optional
    routes : Labelled, (quantity, parameter, channel), optional
        Of the same galaxy; the flow that carries most of each block is then named in it.
    linear, limit : float
        Where the colours turn logarithmic, and where they end.

    Raises
    ------
    ValueError
        The array does not have just these two dimensions.
    """
    if len(jacobian.dims) != 2 or jacobian.dims[0] != "quantity":
        raise ValueError(
            f"jacobian_map: got dimensions {jacobian.dims}; select one galaxy, so that (quantity, ...) is left"
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
        ax.text(
            j, i, _number(value), ha="center", va="center", fontsize=8.5, color="w" if abs(shade - 0.5) > 0.36 else "k"
        )
    labels = jacobian.labels("quantity")
    ax.set_yticks(range(height), [RESERVOIRS.get(labels[k], ("", labels[k]))[1] for k in order[0]])
    names = jacobian.labels(jacobian.dims[1])
    ax.set_xticks(range(width), [_short(names[k]) for k in order[1]], rotation=35, ha="right", rotation_mode="anchor")
    ax.tick_params(which="both", length=0, top=False, right=False)
    ax.minorticks_off()
    _brackets(ax, rows, columns, height)
    if routes is not None:
        _name_blocks(ax, routes, rows, columns, order, height)
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


def _brackets(ax, rows, columns, height):
    """Lines between groups, and their names above and to the left."""
    at = -0.5
    for name, members in columns.items():
        end = at + len(members)
        if name:
            ax.annotate("", (at + 0.12, -0.66), (end - 0.12, -0.66), annotation_clip=False,
                        arrowprops=dict(arrowstyle="-", lw=1.2, color="0.25"))  # fmt: skip
            words = name if len(members) > 1 else name.replace(" ", "\n")
            ax.text(0.5 * (at + end), -0.78, words, ha="center", va="bottom", fontsize=10)
        if end < ax.get_xlim()[1]:
            ax.axvline(end, color="0.2", lw=1.0)
        at = end
    at = -0.5
    for name, members in rows.items():
        end = at + len(members)
        if name:
            trans = ax.get_yaxis_transform()
            ax.text(-0.115, 0.5 * (at + end), name, ha="right", va="center", fontsize=10, rotation=90, transform=trans)
        if end < height - 0.5:
            ax.axhline(end, color="0.2", lw=1.0)
        at = end


def _name_blocks(ax, routes, rows, columns, order, height):
    channels = routes.labels("channel")
    top = -0.5
    for row_members in rows.values():
        left = -0.5
        for column_members in columns.values():
            block = routes.values[np.ix_(row_members, column_members)]
            strength = np.linalg.norm(block, axis=(0, 1))
            wide, tall = len(column_members), len(row_members)
            if strength.max() > 0.02:
                name = channels[int(np.argmax(strength))].replace("_", " ")
                ink = dict(ha="left", va="bottom", fontsize=7.2, style="italic", color="0.15")
                ax.text(left + 0.06, top + tall - 0.05, f"via {name}", **ink)
            ax.add_patch(Rectangle((left, top), wide, tall, fill=False, lw=0.8, ec="0.2"))
            left += wide
        top += len(row_members)


@styled
def route_bars(
    routes: Labelled,
    ax: Axes | None = None,
    *,
    quantity: str = "mstar",
    processes: Mapping[str, tuple[str, ...]] | None = None,
    names: Sequence[str] | None = None,
) -> Axes:
    """Through which processes each parameter moves one quantity: stacked bars to either side, total marked.

    Parameters
    ----------
    routes : Labelled, (quantity, parameter, channel)
        One galaxy, or a mean over some.
    ax : Axes, optional
    quantity : str
    processes : mapping, optional
        Channels of each process; default those of the thermal CGM models.
    names : sequence of str, optional
        Parameters to show, from above; default all.
    """
    part = by_channel_group(routes.sel(quantity=quantity), None if processes is None else dict(processes))
    names = part.labels("parameter") if names is None else list(names)
    part = part.sel(parameter=list(names))
    if ax is None:
        ax = new_axes(size=(7.4, 1.5 + 0.34 * len(names)))
    at = np.arange(len(names))[::-1]
    right, left = np.zeros(len(names)), np.zeros(len(names))
    for k, (process, color) in enumerate(zip(part.labels("channel"), _colors(), strict=False)):
        value = part.values[:, k]
        if np.all(np.abs(value) < 1e-12):
            continue
        ax.barh(at, value, left=np.where(value > 0, right, left), height=0.62, color=color, label=process)
        right, left = right + np.maximum(value, 0), left + np.minimum(value, 0)
    ax.plot(part.values.sum(axis=1), at, "D", ms=5, mfc="w", mec="k", label="total", zorder=5)
    ax.axvline(0, color="0.3", lw=0.8)
    ax.set_yticks(at, [_long(name) for name in names])
    ax.tick_params(axis="y", which="both", length=0)
    ax.tick_params(axis="y", which="minor", left=False, right=False)
    symbol = RESERVOIRS.get(quantity, ("", quantity))[1]
    ax.set_xlabel(rf"response of $\log_{{10}}$ {symbol} [dex per unit of the parameter]")
    ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return ax


def _long(name):
    return name.replace("_", " ").replace(".", ": ")


def _colors():
    return (*CYCLE, "#999933", "#882255", "#117733", "#aaaaaa")
