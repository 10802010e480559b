"""Flow diagrams: what has flowed between the reservoirs of a galaxy over its life, as ribbons (Sankey style).

The width of a ribbon is what the flow has carried, over what was supplied; its colour, if a parameter is named, is how
much of it that parameter brings or takes.
"""

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.patches import FancyBboxPatch, PathPatch
from matplotlib.path import Path

from ..models import Ledger
from ..sensitivity import Budgets
from .binning import equal_bins, running
from .style import COLORS, new_axes, styled

__all__ = ["flow_diagram", "feedback_indices"]

_PLACES = {
    "igm": (0.0, 0.5, "outside\nthe halo"),
    "cgm": (1.0, 0.5, "CGM"),
    "ism": (2.0, 0.5, "ISM"),
    "stars": (3.0, 0.5, "stars"),
    "supernovae": (2.0, 0.08, "supernovae"),
    "nucleosynthesis": (3.0, 0.02, "new metals"),
    "radiated": (2.0, 0.92, "radiated"),
}
_UNITS = {"mass": r"$f_{\rm b}M_{\rm vir}$", "energy": "the energy supplied", "metals": "the metals supplied"}
_BOX = (0.34, 0.15)


@styled
def flow_diagram(
    ledger: Ledger,
    budgets: Budgets,
    ax: Axes | None = None,
    *,
    currency: str = "mass",
    halo: int = 0,
    redshift: float = 0.0,
    parameter: str | None = None,
) -> Axes:
    """The flows of one halo since its start.

    Parameters
    ----------
    ledger : Ledger
        Of the model, for which flow goes where.
    budgets : Budgets
    ax : Axes, optional
    currency : {"mass", "energy", "metals"}
    halo : int
    redshift : float
    parameter : str, optional
        One that `budgets` was differentiated with respect to: colours are d(flow)/d(parameter).

    Raises
    ------
    ValueError
        The currency or parameter is not there.
    """
    if currency not in _UNITS:
        raise ValueError(f"flow_diagram: got currency {currency!r}; allowed {', '.join(_UNITS)}")
    kind = f"{currency}_flows"
    shares = getattr(budgets, kind).sel(halo=halo, redshift=redshift)
    tint = None
    if parameter is not None:
        if kind not in budgets.derivative:
            raise ValueError("flow_diagram: these budgets have no derivatives; make them with parameters=[...]")
        tint = budgets.derivative[kind].sel(halo=halo, redshift=redshift, parameter=parameter).values
    if ax is None:
        ax = new_axes(size=(8.2, 4.1))
    ax.set_axis_off()
    limit = 1.0 if tint is None else max(float(np.nanmax(np.abs(tint))), 1e-6)
    norm, colors = Normalize(-limit, limit), matplotlib.colormaps["RdBu_r"]
    places, routes = dict(_PLACES), {flow.name: getattr(flow, currency) for flow in ledger.flows}
    used = {place for name in shares.labels("flow") for place in routes[name]}
    for k, place in enumerate(sorted(used - set(places))):
        places[place] = (1.0 + k, 0.94, place)
    scale = 0.16 / max(float(np.nanmax(shares.values)), 1e-12)
    for k, name in enumerate(shares.labels("flow")):
        value = float(shares.values[k])
        source, sink = (places[place] for place in routes[name])
        color = colors(norm(tint[k])) if tint is not None else (*matplotlib.colors.to_rgb(COLORS["ism"]), 0.55)
        _ribbon(ax, source, sink, value * scale, color, f"{name.replace('_', ' ')} {_said(value)}")
    for place in used:
        x, y, words = places[place]
        ax.add_patch(
            FancyBboxPatch((x - _BOX[0] / 2, y - _BOX[1] / 2), *_BOX, boxstyle="round,pad=0.01,rounding_size=0.03",
                           fc="w", ec="0.2", lw=1.0, zorder=5, mutation_aspect=0.5)
        )  # fmt: skip
        ax.text(x, y, words, ha="center", va="center", fontsize=9.5, zorder=6)
    ax.set(xlim=(-0.35, 3.35), ylim=(-0.08, 1.02))
    told = "" if tint is None else "; colour: response to the parameter"
    ax.set_title(f"{currency} flows over {_UNITS[currency]}{told}", fontsize=11)
    if tint is not None:
        bar = ax.figure.colorbar(ScalarMappable(norm, colors), ax=ax, pad=0.01, shrink=0.8)
        bar.set_label(f"d flow / d {parameter}")
    return ax


def _said(value):
    return f"{value:.2f}" if value >= 0.005 else f"{value:.0e}".replace("e-0", "e-").replace("e+00", "")


def _ribbon(ax, source, sink, width, color, words):
    """A ribbon from box to box: arched over or under where the boxes are level, straight across where they are not."""
    (x0, y0, _), (x1, y1, _) = source, sink
    forward = x1 > x0
    level = y0 == y1
    lift = (0.30 if forward else -0.30) if level else 0.0
    aim = 0.045 * (np.sign(lift) if level else np.sign(y1 - y0))
    reach = _BOX[0] / 2
    x0, x1 = (x0 + reach, x1 - reach) if forward else (x0 - reach, x1 + reach)
    start, end, half = y0 + aim, y1 + (aim if level else 0.0), max(width, 0.004) / 2
    first, second = (start + lift, end + lift) if level else (start, end)
    left, right = 0.7 * x0 + 0.3 * x1, 0.3 * x0 + 0.7 * x1
    vertices = [
        (x0, start + half), (left, first + half), (right, second + half), (x1, end + half),
        (x1, end - half), (right, second - half), (left, first - half), (x0, start - half), (x0, start + half),
    ]  # fmt: skip
    curve = [Path.CURVE4] * 3
    codes = [Path.MOVETO, *curve, Path.LINETO, *curve, Path.CLOSEPOLY]
    ax.add_patch(PathPatch(Path(vertices, codes), fc=color, ec="0.35", lw=0.5, alpha=0.9, zorder=2))
    middle = 0.125 * (start + end) + 0.375 * (first + second)  # the curve half way
    text = f"{words} →" if forward else f"← {words}"
    if level:
        at, side = middle + np.sign(lift) * (half + 0.015), "bottom" if lift > 0 else "top"
        ax.text(0.5 * (x0 + x1), at, text, ha="center", va=side, fontsize=9, zorder=7)
    else:
        paper = dict(fc="w", ec="none", pad=1.5, alpha=0.75)
        ax.text(0.5 * (x0 + x1), middle, text, ha="center", va="center", fontsize=9, zorder=7, bbox=paper)


@styled
def feedback_indices(budgets: Budgets, ax: Axes | None = None, *, redshift: float = 0.0) -> Axes:
    """Where the owed baryons are, stacked against halo mass: prevention (blue) below, ejection, then the galaxy.

    Means in bins of 0.2 dex; the solid line is the prevention index, the dashed one its sum with the ejection index.

    Parameters
    ----------
    budgets : Budgets
    ax : Axes, optional
    redshift : float
    """
    if ax is None:
        ax = new_axes(size=(7.2, 4.0))
    mass = budgets.log_mvir.sel(redshift=redshift).values
    edges = equal_bins(mass)
    mean = lambda values: running(mass, values, np.ones_like(mass), edges, fewest=1).mean  # noqa: E731
    x = 0.5 * (edges[1:] + edges[:-1])
    good = np.isfinite(mean(mass))
    x, floor = x[good], np.zeros(int(good.sum()))
    parts = {
        "never_accreted": ("never accreted", "#08519c"),
        "kept_hot": ("kept in the CGM", "#3182bd"),
        "expelled_hot": ("expelled before any cooling", "#9ecae1"),
        "ejected": ("ejected, now in the CGM", "#fd8d3c"),
        "expelled": ("ejected and expelled", "#a63603"),
        "ism": ("ISM", "#74c476"),
        "stars": ("stars", "#006d2c"),
    }
    for share, (words, color) in parts.items():
        value = mean(budgets.mass.sel(share=share, redshift=redshift).values)[good]
        ax.fill_between(x, floor, floor + value, color=color, lw=0, label=words)
        floor = floor + value
    prevention, retained = (
        mean(budgets.indices.sel(index=name, redshift=redshift).values)[good] for name in ("prevention", "retained")
    )
    ax.plot(x, prevention, color="k", lw=1.2)
    ax.plot(x, 1.0 - retained, color="k", lw=1.2, ls="--")
    if len(x) > 1:
        ax.set_xlim(x[0], x[-1])
    ax.set(ylim=(0, 1), xlabel=r"$\log_{10}\,M_{\rm vir}\ [M_\odot]$")
    ax.set_ylabel(r"share of $f_{\rm b}\,M_{\rm vir}$")
    handles, words = ax.get_legend_handles_labels()
    ax.legend(handles[::-1], words[::-1], loc="center left", bbox_to_anchor=(1.0, 0.5))
    return ax
