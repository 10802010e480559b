"""Flow diagrams (Sankey style) of what has flowed between the reservoirs of a galaxy, and its feedback indices.

The width of a ribbon is the amount that the flow has carried, relative to the supply.  If a parameter is named, the
colour is the derivative of that amount with respect to the parameter.
"""

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.patches import FancyBboxPatch, PathPatch
from matplotlib.path import Path

from ..models import Ledger
from ..models.currencies import CURRENCIES
from ..sensitivity import Budgets
from .binning import equal_bins, running
from .names import symbol
from .style import COLORS, HALO_MASS, channel_label, legend_right, new_axes, styled

__all__ = ["flow_diagram", "feedback_indices"]

_KNOWN_BOXES = {
    "igm": (0.0, 0.5, "outside\nthe halo"),
    "cgm": (1.0, 0.5, "CGM"),
    "ism": (2.0, 0.5, "ISM"),
    "stars": (3.0, 0.5, "stars"),
    "supernovae": (2.0, 0.08, "supernovae"),
    "nucleosynthesis": (3.0, 0.02, "new metals"),
    "radiated": (2.0, 0.92, "radiated"),
}
_CURRENCIES = tuple(name for name, currency in CURRENCIES.items() if currency.conserved)
_BOX_SIZE = (0.34, 0.15)
_SHARES = {
    "never_accreted": ("never accreted", "#08519c"),
    "kept_hot": ("kept in the CGM", "#3182bd"),
    "expelled_hot": ("expelled before any cooling", "#9ecae1"),
    "ejected": ("ejected, now in the CGM", "#fd8d3c"),
    "expelled": ("ejected and expelled", "#a63603"),
    "ism": ("ISM", "#74c476"),
    "stars": ("stars", "#006d2c"),
}
"""Label and colour of the shares of the baryon budget, from below."""


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
        Of the model; it says which reservoirs each flow joins.
    budgets : Budgets
    ax : Axes, optional
    currency : str
        What the model follows: ``"mass"``, ``"energy"``, ``"metals"``, ``"oxygen"`` ...
    halo : int
    redshift : float
    parameter : str, optional
        One of the parameters of `budgets`: colours are d(flow)/d(parameter).

    Raises
    ------
    ValueError
        The currency is none of these or the model does not follow it, or the budgets have no derivative with respect to
        the parameter.

    Examples
    --------
    >>> budgets = co.sensitivity.budgets(model, halos, [0.0], solver=co.numerics.LaneSolver(tolerance=1e-6))
    >>> co.plots.flow_diagram(model.ledger, budgets, currency="energy").get_title()
    'energy flows over the energy supplied'
    """
    followed = ", ".join(ledger.currencies)
    if currency not in _CURRENCIES:
        raise ValueError(f"flow_diagram: got currency {currency!r}; allowed {followed}")
    kind = f"{currency}_flows"
    if currency not in ledger.currencies:
        raise ValueError(
            f"flow_diagram: got currency {currency!r}, which the model does not follow; allowed {followed}"
        )
    shares = budgets.of(kind).sel(halo=halo, redshift=redshift)
    response = None
    if parameter is not None:
        if kind not in budgets.derivative:
            raise ValueError("flow_diagram: these budgets have no derivatives; make them with parameters=[...]")
        response = budgets.derivative[kind].sel(halo=halo, redshift=redshift, parameter=parameter).values
    if ax is None:
        ax = new_axes(size=(8.2, 4.1))
    ax.set_axis_off()
    limit = 1.0 if response is None else max(float(np.nanmax(np.abs(response))), 1e-6)
    norm, colors = Normalize(-limit, limit), matplotlib.colormaps["RdBu_r"]
    boxes, routes = dict(_KNOWN_BOXES), {flow.name: getattr(flow, currency) for flow in ledger.flows}
    used = {reservoir for name in shares.labels("flow") for reservoir in routes[name]}
    for k, reservoir in enumerate(sorted(used - set(boxes))):
        boxes[reservoir] = (1.0 + k, 0.94, reservoir)
    scale = 0.16 / max(float(np.nanmax(shares.values)), 1e-12)
    for k, name in enumerate(shares.labels("flow")):
        value = float(shares.values[k])
        source, sink = (boxes[reservoir] for reservoir in routes[name])
        color = (*matplotlib.colors.to_rgb(COLORS["ism"]), 0.55) if response is None else colors(norm(response[k]))
        _ribbon(ax, source, sink, value * scale, color, f"{channel_label(name)} {_short_number(value)}")
    for reservoir in used:
        _box(ax, *boxes[reservoir])
    ax.set(xlim=(-0.35, 3.35), ylim=(-0.08, 1.02))
    supplied = r"$f_{\rm b}M_{\rm vir}$" if currency == "mass" else f"the {currency} supplied"
    ax.set_title(f"{currency} flows over {supplied}", fontsize=11)
    if response is not None:
        bar = ax.figure.colorbar(ScalarMappable(norm, colors), ax=ax, pad=0.01, shrink=0.8)
        bar.set_label(f"change of the flow per unit of {symbol(str(parameter))}")
    return ax


def _box(ax, x, y, title):
    width, height = _BOX_SIZE
    ax.add_patch(
        FancyBboxPatch(
            (x - width / 2, y - height / 2), width, height, boxstyle="round,pad=0.01,rounding_size=0.03",
            fc="w", ec="0.2", lw=1.0, zorder=5, mutation_aspect=0.5,
        )
    )  # fmt: skip
    ax.text(x, y, title, ha="center", va="center", fontsize=9.5, zorder=6)


def _short_number(value):
    return f"{value:.2f}" if value >= 0.005 else f"{value:.0e}".replace("e-0", "e-").replace("e+00", "")


def _ribbon(ax, source, sink, width, color, label):
    """A ribbon from box to box, arched where the boxes are at the same height and straight where they are not."""
    (x0, y0, _), (x1, y1, _) = source, sink
    forward = x1 > x0
    level = y0 == y1
    lift = (0.30 if forward else -0.30) if level else 0.0
    offset = 0.045 * (np.sign(lift) if level else np.sign(y1 - y0))
    edge = _BOX_SIZE[0] / 2
    x0, x1 = (x0 + edge, x1 - edge) if forward else (x0 - edge, x1 + edge)
    start, end, half = y0 + offset, y1 + (offset if level else 0.0), max(width, 0.004) / 2
    first, second = (start + lift, end + lift) if level else (start, end)
    left, right = 0.7 * x0 + 0.3 * x1, 0.3 * x0 + 0.7 * x1
    vertices = [
        (x0, start + half), (left, first + half), (right, second + half), (x1, end + half),
        (x1, end - half), (right, second - half), (left, first - half), (x0, start - half), (x0, start + half),
    ]  # fmt: skip
    curve = [Path.CURVE4] * 3
    codes = [Path.MOVETO, *curve, Path.LINETO, *curve, Path.CLOSEPOLY]
    ax.add_patch(PathPatch(Path(vertices, codes), fc=color, ec="0.35", lw=0.5, alpha=0.9, zorder=2))
    middle = 0.125 * (start + end) + 0.375 * (first + second)  # height of the curve half way
    text = f"{label} →" if forward else f"← {label}"
    if level:
        height, side = middle + np.sign(lift) * (half + 0.015), "bottom" if lift > 0 else "top"
        ax.text(0.5 * (x0 + x1), height, text, ha="center", va=side, fontsize=9, zorder=7)
    else:
        background = dict(fc="w", ec="none", pad=1.5, alpha=0.75)
        ax.text(0.5 * (x0 + x1), middle, text, ha="center", va="center", fontsize=9, zorder=7, bbox=background)


@styled
def feedback_indices(budgets: Budgets, ax: Axes | None = None, *, redshift: float = 0.0) -> Axes:
    """Shares of the baryons f_b Mvir of a halo, stacked against halo mass.

    Prevention (blue) is below, then ejection, then the galaxy.  The shares are means in bins of 0.2 dex; the solid line
    is the prevention index and the dashed line its sum with the ejection index.

    Parameters
    ----------
    budgets : Budgets
    ax : Axes, optional
    redshift : float

    Examples
    --------
    >>> budgets = co.sensitivity.budgets(model, halos, [0.0], solver=co.numerics.LaneSolver(tolerance=1e-6))
    >>> [round(float(edge), 1) for edge in co.plots.feedback_indices(budgets).get_ylim()]
    [0.0, 1.0]
    """
    if ax is None:
        ax = new_axes(size=(7.2, 4.0))
    mass = budgets.log_mvir.sel(redshift=redshift).values
    edges = equal_bins(mass)

    def mean(values):
        return running(mass, values, np.ones_like(mass), edges, fewest=1).mean

    x = 0.5 * (edges[1:] + edges[:-1])
    good = np.isfinite(mean(mass))
    x, floor = x[good], np.zeros(int(good.sum()))
    for share, (label, color) in _SHARES.items():
        value = mean(budgets.mass.sel(share=share, redshift=redshift).values)[good]
        ax.fill_between(x, floor, floor + value, color=color, lw=0, label=label)
        floor = floor + value
    prevention, retained = (
        mean(budgets.indices.sel(index=name, redshift=redshift).values)[good] for name in ("prevention", "retained")
    )
    ax.plot(x, prevention, color="k", lw=1.2)
    ax.plot(x, 1.0 - retained, color="k", lw=1.2, ls="--")
    if len(x) > 1:
        ax.set_xlim(x[0], x[-1])
    ax.set(ylim=(0, 1), xlabel=HALO_MASS)
    ax.set_ylabel(r"share of $f_{\rm b}\,M_{\rm vir}$")
    legend_right(ax, reverse=True)
    return ax
