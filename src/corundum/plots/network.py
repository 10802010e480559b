"""The network of a model: its reservoirs as boxes and its flows as arrows, drawn from its ledger."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from ..models import Ledger
from .style import new_axes, styled

__all__ = ["network"]

_COLORS = {
    "mass": "#1b7cb5",
    "metals": "#009e73",
    "energy": "#d55e00",
    "oxygen": "#56b4e9",
    "iron": "#8c564b",
    "momentum": "#cc79a7",
}
_KNOWN_POSITIONS = {
    "igm": (0.0, 2.0),
    "cgm": (2.0, 2.0),
    "ism": (4.0, 2.0),
    "stars": (6.0, 2.0),
    "turbulence": (2.0, 3.5),
    "radiated": (4.0, 3.5),
    "supernovae": (4.0, 0.5),
    "nucleosynthesis": (6.0, 0.5),
    "black_hole": (6.0, 3.5),
    "active_nucleus": (0.0, 3.5),
    "swallowed": (4.0, 4.7),
    "nearby": (0.0, 0.5),
    "progenitors": (6.0, -1.0),
    "potential": (2.0, 0.5),
    "arriving": (8.0, 0.5),
    "icl": (8.0, 2.0),
    "spheroid": (8.0, 3.5),
}
_BOX = (1.15, 0.46)
_ALWAYS = ("mass", "metals", "energy")
_MOST_NAMES, _MOST_FIELDS = 2, 3
_SLANTED = 0.35  # of the way: names of slanted arrows, which cross each other half way


@styled
def network(ledger: Ledger, ax: Axes | None = None) -> Axes:
    """Draw a ledger.

    Solid boxes are reservoirs of the galaxy, with the fields of the state that they hold; dashed ones lie outside it.
    An arrow is a flow, coloured by what it carries; flows between the same two boxes share one bundle of arrows, which
    names at most two of them.  Oxygen, iron and angular momentum that go with mass or metals are not drawn apart.

    Parameters
    ----------
    ledger : Ledger
        Of any model: ``model.ledger``.
    ax : Axes, optional

    Examples
    --------
    >>> ax = co.plots.network(model.ledger)
    >>> "CGM" in [text.get_text().upper() for text in ax.texts]
    True
    """
    bundles: dict[tuple[str, str], dict[str, list[str]]] = {}
    for flow in ledger.flows:
        for currency in _COLORS:
            route = getattr(flow, currency)
            if route is not None and not _goes_along(flow, currency):
                bundles.setdefault(route, {}).setdefault(flow.name, []).append(currency)
    positions = _positions(list(dict.fromkeys(end for route in bundles for end in route)))
    if ax is None:
        ax = new_axes(size=(10.5, 6.0))
    ax.set_axis_off()
    for (source, sink), flows in bundles.items():
        _arrows(ax, positions[source], positions[sink], flows, both_ways=(sink, source) in bundles)
    for name, (x, y) in positions.items():
        fields = [field for (_, reservoir), field in ledger.contents.items() if reservoir == name]
        _box(ax, x, y, name.replace("_", " "), ", ".join(_first(fields, _MOST_FIELDS, "...")), inside=bool(fields))
    shown = dict.fromkeys(what for flows in bundles.values() for carried in flows.values() for what in carried)
    handles = [
        Line2D([], [], color=color, lw=2.0, label=currency) for currency, color in _COLORS.items() if currency in shown
    ]
    ax.legend(handles=handles, loc="lower left", ncols=3)
    xs, ys = np.array(list(positions.values())).T
    ax.set(xlim=(xs.min() - 0.9, xs.max() + 0.9), ylim=(ys.min() - 0.9, ys.max() + 0.6))
    return ax


def _goes_along(flow, currency):
    """Whether mass or metals of the same flow take the same way."""
    return currency not in _ALWAYS and getattr(flow, currency) in (flow.mass, flow.metals)


def _first(names, most, rest):
    """At most so many names, the last of which says how many there are beside."""
    return list(names) if len(names) <= most else [*list(names)[: most - 1], rest]


def _positions(names):
    """Where each box is drawn; unknown ones stand in a row below the others."""
    unknown = [name for name in names if name not in _KNOWN_POSITIONS]
    lowest = min([_KNOWN_POSITIONS[name][1] for name in names if name in _KNOWN_POSITIONS], default=2.0) - 1.5
    return {name: _KNOWN_POSITIONS.get(name) or (2.0 * unknown.index(name), lowest) for name in names}


def _box(ax, x, y, title, fields, *, inside):
    style = dict(boxstyle="round,pad=0.02,rounding_size=0.08", fc="w", ec="0.15" if inside else "0.5", zorder=5)
    ax.add_patch(
        FancyBboxPatch((x - _BOX[0] / 2, y - _BOX[1] / 2), *_BOX, lw=1.3, ls="-" if inside else (0, (4, 2)), **style)
    )
    ax.text(x, y + (0.08 if fields else 0.0), title, ha="center", va="center", fontsize=10.5, zorder=6)
    if fields:
        ax.text(x, y - 0.12, fields, ha="center", va="center", fontsize=7.5, color="0.35", zorder=6)


def _arrows(ax, source, sink, flows, *, both_ways):
    """One arrow for each currency between two boxes, side by side, and the names of the flows next to them."""
    start, end = np.array(source), np.array(sink)
    direction = (end - start) / np.hypot(*(end - start))
    side = np.array([-direction[1], direction[0]])
    carried = [currency for currency in _COLORS if any(currency in currencies for currencies in flows.values())]
    level = 0.17 if both_ways else 0.0
    for k, currency in enumerate(carried):
        shift = side * (level + 0.055 * (k - 0.5 * (len(carried) - 1)))
        gap = direction * _edge_distance(direction)
        first, last = start + shift + gap, end + shift - gap
        ax.add_patch(
            FancyArrowPatch(first, last, arrowstyle="-|>", mutation_scale=9, lw=1.4, color=_COLORS[currency], zorder=3)
        )
    angle = np.degrees(np.arctan2(direction[1], direction[0]))
    angle = angle - 180.0 if angle > 90.0 else angle + 180.0 if angle <= -90.0 else angle
    away = side if both_ways or side[1] > 0 or (side[1] == 0 and side[0] < 0) else -side
    lines = _first([name.replace("_", " ") for name in flows], _MOST_NAMES, f"and {len(flows) - _MOST_NAMES + 1} more")
    names = "\n".join(lines)
    place = 0.5 if 0.0 in direction else _SLANTED
    position = start + place * (end - start) + away * (level + 0.09 + 0.07 * len(lines))
    background = dict(fc="w", ec="none", pad=0.8, alpha=0.8)
    ax.text(
        *position, names, rotation=angle, ha="center", va="center", fontsize=8.0, color="0.15", zorder=4,
        bbox=background,
    )  # fmt: skip


def _edge_distance(direction):
    """Distance from the middle of a box to its edge along a direction."""
    sizes = zip(_BOX, direction, strict=True)
    return min(0.5 * size / abs(x) if abs(x) > 1e-9 else np.inf for size, x in sizes) + 0.03
