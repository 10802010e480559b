"""Where the baryons and the energy of a population go, channel by channel, against halo mass."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from ..cosmology import pandya26_cosmology
from ..models import FlowRates
from .binning import equal_bins, running
from .style import COLORS, CYCLE, HALO_MASS, legend_right, mass_ticks, new_axes, styled

__all__ = ["mass_budget", "energy_budget", "baryon_budget", "flows_at"]

_CHANNEL_STYLES = {
    "accretion": ("accretion into the halo", COLORS["halo"], "--"),
    "cooling": ("CGM cooling onto the ISM", COLORS["cgm"], "-"),
    "star_formation": ("locked in stars", COLORS["stars"], "-"),
    "wind": ("wind out of the ISM", COLORS["ism"], "-"),
    "outflow": ("outflow from the halo", COLORS["other"], "-"),
    "radiation": ("radiated by the CGM", COLORS["cgm"], "-"),
    "wind_heating": ("supernova wind heating", COLORS["ism"], "-"),
}

"""Label, colour and line style of the flows of the CGM models."""

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

    Lines are weighted medians and bands the 16th to 84th percentiles in bins of 0.2 dex; halos that are not
    growing have no supply and are left out.

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

    The remainder to one was never accreted, or has left the halo.

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
    edges = equal_bins(log_mass)
    cosmic = baryon_fraction * np.asarray(galaxies["mvir"])
    floor = np.zeros(len(edges) - 1)
    for name, label in (("mstar", "stars"), ("mism", "ISM"), ("mcgm", "CGM")):
        share = running(log_mass, np.asarray(galaxies[name]) / cosmic, weights, edges)
        filled = np.isfinite(share.mean)
        top = floor + share.mean
        color = COLORS["stars" if name == "mstar" else name[1:]]
        ax.fill_between(share.center[filled], (floor + 0 * top)[filled], top[filled], color=color, lw=0, label=label)
        floor = top
    highest = max(1.0, float(np.nanmax(floor)) * 1.02) if np.any(filled) else 1.0
    ax.fill_between(
        share.center[filled], floor[filled], np.maximum(floor, 1.0)[filled], color=COLORS["missing"], lw=0,
        label="never accreted or lost",
    )  # fmt: skip
    ax.axhline(1.0, color="0.4", linewidth=0.8)
    ax.set(ylim=(0, highest), xlabel=HALO_MASS)
    if np.count_nonzero(filled) > 1:
        ax.set_xlim(share.center[filled][[0, -1]])
    ax.set_ylabel(r"share of $f_{\rm b}\,M_{\rm vir}$")
    mass_ticks(ax.xaxis)
    legend_right(ax, reverse=True)
    return ax


def _mass_and_weights(galaxies):
    log_mass = np.log10(np.asarray(galaxies["mvir"]))
    return log_mass, np.where(np.asarray(galaxies.valid), np.asarray(galaxies.weights), 0.0)


def _channels(ax, galaxies, flows, reference):
    """Median and scatter of every flow over `reference` against halo mass."""
    log_mass, weights = _mass_and_weights(galaxies)
    edges = equal_bins(np.where(weights > 0, log_mass, np.nan))
    other_colors = iter(CYCLE)
    drawn = []
    for name in sorted(flows, key=lambda name: [*_CHANNEL_STYLES, name].index(name)):
        rate = flows[name]
        if rate is None:
            continue
        label, color, dashes = _CHANNEL_STYLES.get(name) or (name.replace("_", " "), next(other_colors), "-.")
        share = running(log_mass, rate / reference, weights, edges)
        ax.fill_between(share.center, share.low, share.high, color=color, alpha=0.15, linewidth=0)
        ax.plot(share.center, share.median, color=color, linestyle=dashes, label=label)
        drawn.append(share.median)
    ax.axhline(1.0, color="0.6", linewidth=0.8, zorder=0)
    ax.set_yscale("log")
    ax.set_xlabel(HALO_MASS)
    mass_ticks(ax.xaxis)
    drawn = np.concatenate(drawn)
    drawn = drawn[np.isfinite(drawn) & (drawn > 0)]
    if drawn.size:
        top = 3.0 * max(drawn.max(), 1.0)
        ax.set_ylim(max(0.3 * drawn.min(), top * 1e-6), top)
    legend_right(ax)
