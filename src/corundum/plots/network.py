"""The network of a model: its reservoirs as boxes and its flows as arrows, drawn from the ledger itself."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from ..models import Ledger
from .style import new_axes, styled

__all__ = ["network"]

_COLORS = {"mass": "#1b7cb5", "metals": "#009e73", "energy": "#d55e00"}
_PLACES = {
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
}
_BOX = (1.15, 0.46)


@styled
def network(ledger: Ledger, ax: Axes | None = None) -> Axes:
    """Draw a ledger.

    Solid boxes are reservoirs of the galaxy, with the fields of the state that they hold; dashed ones lie outside it.
    An arrow is a flow, coloured by what it carries; flows between the same two places share one bundle of arrows.

    Parameters
    ----------
    ledger : Ledger
        Of any model: ``model.ledger``.
    ax : Axes, optional
    """
    bundles: dict[tuple[str, str], dict[str, list[str]]] = {}
    for flow in ledger.flows:
        for currency in _COLORS:
            route = getattr(flow, currency)
            if route is not None:
                bundles.setdefault(route, {}).setdefault(flow.name, []).append(currency)
    places = _placed(list(dict.fromkeys(place for route in bundles for place in route)))
    if ax is None:
        ax = new_axes(size=(10.5, 6.0))
    ax.set_axis_off()
    for (source, sink), flows in bundles.items():
        _arrows(ax, places, source, sink, flows, both=(sink, source) in bundles)
    for place, (x, y) in places.items():
        held = [f"{field}" for (_, reservoir), field in ledger.contents.items() if reservoir == place]
        _box(ax, x, y, place.replace("_", " "), ", ".join(held), inside=bool(held))
    handles = [Line2D([], [], color=color, lw=2.0, label=currency) for currency, color in _COLORS.items()]
    ax.legend(handles=handles, loc="lower left", ncols=3)
    xs, ys = np.array(list(places.values())).T
    ax.set(xlim=(xs.min() - 0.9, xs.max() + 0.9), ylim=(ys.min() - 0.9, ys.max() + 0.6))
    return ax


def _placed(names):
    """Where each place is drawn; those that are not known stand in a row below."""
    unknown = [name for name in names if name not in _PLACES]
    lowest = min([_PLACES[name][1] for name in names if name in _PLACES], default=2.0) - 1.5
    return {name: _PLACES[name] if name in _PLACES else (2.0 * unknown.index(name), lowest) for name in names}


def _box(ax, x, y, title, held, *, inside):
    style = dict(boxstyle="round,pad=0.02,rounding_size=0.08", fc="w", ec="0.15" if inside else "0.5", zorder=5)
    ax.add_patch(
        FancyBboxPatch((x - _BOX[0] / 2, y - _BOX[1] / 2), *_BOX, lw=1.3, ls="-" if inside else (0, (4, 2)), **style)
    )
    ax.text(x, y + (0.08 if held else 0.0), title, ha="center", va="center", fontsize=10.5, zorder=6)
    if held:
        ax.text(x, y - 0.12, held, ha="center", va="center", fontsize=7.5, color="0.35", zorder=6)


def _arrows(ax, places, source, sink, flows, *, both):
    """One arrow for each currency between two places, side by side, and the names of the flows beside them."""
    start, end = np.array(places[source]), np.array(places[sink])
    way = (end - start) / np.hypot(*(end - start))
    side = np.array([-way[1], way[0]])
    carried = [currency for currency in _COLORS if any(currency in held for held in flows.values())]
    level = 0.17 if both else 0.0
    for k, currency in enumerate(carried):
        shift = side * (level + 0.055 * (k - 0.5 * (len(carried) - 1)))
        first, last = start + shift + way * _reach(way), end + shift - way * _reach(way)
        ax.add_patch(
            FancyArrowPatch(first, last, arrowstyle="-|>", mutation_scale=9, lw=1.4, color=_COLORS[currency], zorder=3)
        )
    angle = np.degrees(np.arctan2(way[1], way[0]))
    angle = angle - 180.0 if angle > 90.0 else angle + 180.0 if angle <= -90.0 else angle
    away = side if both or side[1] > 0 or (side[1] == 0 and side[0] < 0) else -side
    names = "\n".join(name.replace("_", " ") for name in flows)
    at = 0.5 * (start + end) + away * (level + 0.09 + 0.07 * len(flows))
    paper = dict(fc="w", ec="none", pad=0.8, alpha=0.8)
    ax.text(*at, names, rotation=angle, ha="center", va="center", fontsize=8.0, color="0.15", zorder=4, bbox=paper)


def _reach(way):
    """Distance from the middle of a box to its edge along `way`."""
    sizes = zip(_BOX, way, strict=True)
    return min(0.5 * size / abs(part) if abs(part) > 1e-9 else np.inf for size, part in sizes) + 0.03
