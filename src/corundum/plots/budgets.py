"""Where the baryons and the energy of a population go, channel by channel, against halo mass."""

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from ..cosmology import pandya26_cosmology
from ..models import FlowRates
from .binning import equal_bins, running
from .style import COLORS, CYCLE, HALO_MASS, channel_label, in_empty_panel, legend_right, mass_ticks, new_axes, styled

__all__ = ["mass_budget", "energy_budget", "baryon_budget", "flows_at"]

_CHANNEL_STYLES = {
    "accretion": (COLORS["halo"], "--"),
    "cooling": (COLORS["cgm"], "-"),
    "star_formation": (COLORS["stars"], "-"),
    "wind": (COLORS["ism"], "-"),
    "outflow": (COLORS["other"], "-"),
    "radiation": (COLORS["cgm"], "-"),
    "wind_heating": (COLORS["ism"], "-"),
}
"""Colour and line style of the flows of the CGM models."""

_CONTENTS = {
    "mstar": ("stars", COLORS["stars"]),
    "mism": ("ISM", COLORS["ism"]),
    "mcgm": ("CGM", COLORS["cgm"]),
}
"""Label and colour of what holds baryons, from below."""

_REMAINDER = "never accreted or lost"
_FEWEST = 24  # galaxies; fewer are drawn one by one
_MOST = 16  # flows in one figure
_OTHER_DASHES = ("-.", ":", (0, (5, 1)))
_WIDE = (6.6, 3.9)


def flows_at(population: Any, redshift: float) -> dict[str, FlowRates]:
    """The flows of a population at one of its output redshifts, arrays of shape (N,)."""
    k = int(np.argmin(np.abs(np.asarray(population.redshifts) - float(population.at(redshift).redshift))))
    return {
        name: FlowRates(*(None if rate is None else np.asarray(rate)[:, k] for rate in rates))
        for name, rates in population.flows.items()
    }


@styled
def mass_budget(
    population: Any, ax: Axes | None = None, *, redshift: float = 0.0, baryon_fraction: float | None = None
) -> Axes:
    """Mass flow of every channel over the baryon supply f_b dMvir/dt, against halo mass.

    Lines are weighted medians and bands the 16th to 84th percentiles in bins of 0.2 dex or more; fewer than 24 galaxies
    are drawn one by one.  Halos that are not growing have no supply and are left out.

    Parameters
    ----------
    population : Population
    ax : Axes, optional
    redshift : float
        One of the population's output redshifts.
    baryon_fraction : float, optional
        Default that of `pandya26_cosmology`.

    Examples
    --------
    >>> ax = co.plots.mass_budget(population, redshift=2.0)
    >>> ax.get_yscale()
    'log'
    """
    ax = new_axes(size=_WIDE) if ax is None else ax
    galaxies, flows = population.at(redshift), flows_at(population, redshift)
    if baryon_fraction is None:
        baryon_fraction = float(pandya26_cosmology().baryon_fraction)
    growth = np.asarray(galaxies["growth"])
    supply = np.where(growth > 0, baryon_fraction * growth, np.nan)
    _channels(ax, galaxies, {name: rates.mass for name, rates in flows.items()}, supply)
    ax.set_ylabel(r"mass flow$\,/\,f_{\rm b}\,\dot M_{\rm vir}$")
    return ax


@styled
def energy_budget(
    population: Any,
    ax: Axes | None = None,
    *,
    redshift: float = 0.0,
    supply: Sequence[str] = ("accretion", "wind_heating"),
) -> Axes:
    """Energy flow of every channel over the total heating of the CGM, against halo mass.

    Parameters
    ----------
    population : Population
    ax : Axes, optional
    redshift : float
        One of the population's output redshifts.
    supply : sequence of str
        Flows that heat the CGM; the other flows are shown relative to their sum.

    Raises
    ------
    ValueError
        A flow of `supply` is not in the model or carries no energy.

    Examples
    --------
    >>> ax = co.plots.energy_budget(population)
    >>> ax.get_yscale()
    'log'
    """
    ax = new_axes(size=_WIDE) if ax is None else ax
    galaxies = population.at(redshift)
    power = {name: rates.energy for name, rates in flows_at(population, redshift).items() if rates.energy is not None}
    without_energy = [name for name in supply if name not in power]
    if without_energy:
        raise ValueError(
            f"energy budget: no energy in {', '.join(without_energy)}; give supply=... from {', '.join(power)}"
        )
    _channels(ax, galaxies, power, sum(power[name] for name in supply))
    ax.set_ylabel(r"energy flow$\,/\,$CGM heating")
    return ax


@styled
def baryon_budget(
    population: Any, ax: Axes | None = None, *, redshift: float = 0.0, baryon_fraction: float | None = None
) -> Axes:
    """Mean share of the cosmic baryons f_b Mvir that is in stars, ISM and CGM, stacked, against halo mass.

    The remainder to one was never accreted, or has left the halo.  Fewer than 24 galaxies are drawn as a bar each.

    Parameters
    ----------
    population : Population
    ax : Axes, optional
    redshift : float
        One of the population's output redshifts.
    baryon_fraction : float, optional
        Default that of `pandya26_cosmology`.

    Examples
    --------
    >>> ax = co.plots.baryon_budget(population)
    >>> [text.get_text() for text in ax.get_legend().get_texts()][-1]
    'stars'
    """
    ax = new_axes(size=_WIDE) if ax is None else ax
    galaxies = population.at(redshift)
    if baryon_fraction is None:
        baryon_fraction = float(pandya26_cosmology().baryon_fraction)
    log_mass, weights = _mass_and_weights(galaxies)
    cosmic = baryon_fraction * np.asarray(galaxies["mvir"])
    shares = {name: np.asarray(galaxies[name]) / cosmic for name in _CONTENTS}
    if np.count_nonzero(weights) < _FEWEST:
        _single_budgets(ax, log_mass, weights, shares)
    else:
        _mean_budgets(ax, log_mass, weights, shares)
    ax.axhline(1.0, color="0.4", linewidth=0.8)
    ax.set_ylabel(r"share of $f_{\rm b}\,M_{\rm vir}$")
    legend_right(ax, reverse=True)
    return ax


def _mean_budgets(ax, log_mass, weights, shares):
    """Stacked mean shares in bins of mass."""
    edges = _bins(np.where(weights > 0, log_mass, np.nan))
    floor = np.zeros(len(edges) - 1)
    for name, (label, color) in _CONTENTS.items():
        share = running(log_mass, shares[name], weights, edges, fewest=1)
        filled = np.isfinite(share.mean)
        top = floor + share.mean
        ax.fill_between(share.center[filled], floor[filled], top[filled], color=color, lw=0, label=label)
        floor = top
    center, floor = share.center[filled], floor[filled]
    ax.fill_between(center, floor, np.maximum(floor, 1.0), color=COLORS["missing"], lw=0, label=_REMAINDER)
    ax.set(ylim=(0, max(1.0, float(floor.max()) * 1.02)), xlim=center[[0, -1]], xlabel=HALO_MASS)
    mass_ticks(ax.xaxis)


def _single_budgets(ax, log_mass, weights, shares):
    """A stacked bar for every galaxy, in order of halo mass: they are too few for means in bins."""
    rows = np.flatnonzero(weights > 0)
    rows = rows[np.argsort(log_mass[rows])]
    place, floor = np.arange(len(rows)), np.zeros(len(rows))
    for name, (label, color) in _CONTENTS.items():
        ax.bar(place, shares[name][rows], bottom=floor, width=0.8, color=color, label=label)
        floor = floor + shares[name][rows]
    ax.bar(place, np.maximum(1.0 - floor, 0.0), bottom=floor, width=0.8, color=COLORS["missing"], label=_REMAINDER)
    ax.set_ylim(0, max(1.0, float(np.max(floor, initial=0.0)) * 1.02))
    turned = 90 if len(rows) > 8 else 0
    ax.set_xticks(place, [f"{mass:.2f}" for mass in log_mass[rows]], rotation=turned, fontsize=9)
    ax.tick_params(axis="x", which="minor", bottom=False, top=False)
    ax.set_xlabel(f"{HALO_MASS} of each galaxy")


def _mass_and_weights(galaxies):
    log_mass = np.log10(np.asarray(galaxies["mvir"]))
    return log_mass, np.where(np.asarray(galaxies.valid), np.asarray(galaxies.weights), 0.0)


def _channels(ax, galaxies, flows, reference):
    """Median and scatter of every flow over `reference` against halo mass."""
    log_mass, weights = _mass_and_weights(galaxies)
    good = weights > 0
    singly = np.count_nonzero(good) < _FEWEST
    edges = None if singly else _bins(np.where(good, log_mass, np.nan))
    other_styles = itertools.cycle(itertools.product(_OTHER_DASHES, CYCLE))
    drawn = []
    with np.errstate(invalid="ignore", divide="ignore"):
        ratios = {name: rate / reference for name, rate in flows.items() if rate is not None}
    shown = _largest(ratios, good)
    for name in sorted(shown, key=lambda name: [*_CHANNEL_STYLES, name].index(name)):
        if name in _CHANNEL_STYLES:
            color, dashes = _CHANNEL_STYLES[name]
        else:
            dashes, color = next(other_styles)
        label, ratio = channel_label(name), ratios[name]
        if edges is None:
            order = np.flatnonzero(good)[np.argsort(log_mass[good])]
            ax.plot(log_mass[order], ratio[order], "o", linestyle=dashes, lw=0.7, ms=5, color=color, label=label)
            drawn.append(ratio[order])
            continue
        share = running(log_mass, ratio, weights, edges)
        ax.fill_between(share.center, share.low, share.high, color=color, alpha=0.15, linewidth=0)
        # Dots show a bin whose neighbours hold too few galaxies for a line.
        ax.plot(share.center, share.median, ".", linestyle=dashes, ms=5, color=color, label=label)
        drawn.append(share.median)
    ax.axhline(1.0, color="0.6", linewidth=0.8, zorder=0)
    ax.set_yscale("log")
    ax.set_xlabel(HALO_MASS)
    mass_ticks(ax.xaxis)
    positive = np.concatenate([np.zeros(0), *drawn])
    positive = positive[np.isfinite(positive) & (positive > 0)]
    if positive.size:
        top = 3.0 * max(positive.max(), 1.0)
        ax.set_ylim(max(0.3 * positive.min(), top * 1e-6), top)
    else:
        in_empty_panel(ax, "no galaxy here has a flow and a supply")
    if len(shown) < len(ratios):
        ax.plot([], [], " ", label=f"and {len(ratios) - len(shown)} smaller ones")
    legend_right(ax)


def _largest(ratios, good):
    """Names of the flows that are largest in a tenth of the galaxies, at most as many as a person tells apart."""
    size = {
        name: np.percentile([0.0, *np.nan_to_num(np.abs(ratio[good]), posinf=0.0)], 90)
        for name, ratio in ratios.items()
    }
    return sorted(ratios, key=lambda name: (name not in _CHANNEL_STYLES, -size[name]))[:_MOST]


def _bins(log_mass):
    """Bins of 0.2 dex, or wider ones where they would hold fewer than six galaxies on average."""
    finite = log_mass[np.isfinite(log_mass)]
    return equal_bins(finite, max(0.2, 6.0 * np.ptp(finite) / len(finite)))
