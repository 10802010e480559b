"""Growth histories of a few halos and their galaxies.

They need a population with many output redshifts (`corundum.evolve` with a list of them).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy
from matplotlib.axes import Axes

from ..cosmology import Cosmology, as_cosmology
from ..units import SOLAR_METALLICITY
from .binning import spread_rows
from .style import COLORS, new_panels, styled

__all__ = ["growth_histories", "redshift_axis", "redshifts_on_top"]

_TICKS = np.array([0.0, 0.5, 1.0, 2.0, 3.0, 6.0])


@styled
def growth_histories(
    population: Any,
    rows: Sequence[int] | np.ndarray | None = None,
    axes: np.ndarray | None = None,
    *,
    cosmology: Cosmology | None = None,
) -> np.ndarray:
    """Mass, rates, metals and CGM temperature of a few halos against cosmic time.

    Parameters
    ----------
    population : Population
        With several output redshifts, the time axis.
    rows : sequence of int, optional
        Which halos; default three, spread in final mass.
    axes : array of Axes, shape (panels, number of halos), optional
        Where to draw; default a new figure.
    cosmology : Cosmology, optional
        Of the redshift axis; default that of the population, by a cubic spline through its ages and redshifts.

    Returns
    -------
    array of Axes, shape (panels, number of halos)
        Rows: masses; rates of accretion, cooling, star formation and wind; metallicities; temperatures.  A model
        without metals or temperatures has fewer.

    Raises
    ------
    ValueError
        The population has fewer than three output redshifts.

    Examples
    --------
    >>> history = co.evolve(model, halos[:2], [4.0, 3.0, 2.0, 1.0, 0.0])
    >>> co.plots.growth_histories(history).shape
    (4, 2)
    """
    if len(population.redshifts) < 3:
        raise ValueError(
            f"growth histories: got {len(population.redshifts)} output redshifts; evolve at 3 or more, 50 for smooth "
            "curves"
        )
    rows = spread_rows(population) if rows is None else np.atleast_1d(rows)
    redshifts = np.asarray(population.redshifts)
    order = np.argsort(-redshifts)
    read = np.ix_(rows, order)
    panels = _panels(population, read)
    if axes is None:
        size = (1.5 + 2.5 * len(rows), 0.6 + 1.9 * len(panels))
        axes = new_panels(len(panels), len(rows), size=size, sharex=True, sharey="row", squeeze=False)
    time, mass = (np.asarray(population[name])[read] for name in ("time", "mvir"))
    for row_axes, (title, lines) in zip(axes, panels, strict=True):
        for name, (color, dashes, values) in lines.items():
            for column, ax in enumerate(row_axes):
                ax.plot(time[column], values[column], color=color, linestyle=dashes, label=name)
        row_axes[0].set_ylabel(title)
        _decades(row_axes, np.concatenate([values.ravel() for *_, values in lines.values()]))
        row_axes[-1].legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    for column, ax in enumerate(axes[0]):
        reached = mass[column][np.isfinite(mass[column])]
        final = np.log10(reached[-1]) if reached.size else np.nan
        ax.set_title(rf"$\log_{{10}}(M_{{\rm vir}}/{{\rm M}}_\odot) = {final:.2f}$", pad=6)
        axes[-1, column].set_xlabel("cosmic time [Gyr]")
        if cosmology is None:
            redshifts_on_top(ax, time[column], redshifts[order])
        else:
            redshift_axis(ax, cosmology)
    return axes


def redshift_axis(ax: Axes, cosmology: Cosmology | None = None) -> Axes:
    """Label the top of a cosmic-time axis [Gyr] with redshifts.

    Parameters
    ----------
    ax : Axes
    cosmology : Cosmology, optional
        Default `pandya26_cosmology()`.

    Returns
    -------
    Axes
        The twin axes on top.

    Examples
    --------
    >>> ax = plt.figure().subplots()
    >>> _ = ax.set_xlim(1.0, 13.8)
    >>> co.plots.redshift_axis(ax).get_xlabel()
    'redshift'
    >>> plt.close()
    """
    return _label_top(ax, np.asarray(as_cosmology(cosmology).age(_TICKS)))


def redshifts_on_top(ax: Axes, time: np.ndarray, redshift: np.ndarray) -> Axes:
    """`redshift_axis` of a cosmology that is known by cosmic times [Gyr] and the redshifts at these.

    Redshifts that they do not cover get no label.

    Parameters
    ----------
    ax : Axes
    time, redshift : arrays, shape (K,)
        At least three; entries that are not finite do not count.
    """
    known = np.isfinite(time)
    time, redshift = time[known], redshift[known]
    _, first = np.unique(redshift, return_index=True)
    ages = np.full(len(_TICKS), np.nan)
    if len(first) > 2:
        curve = scipy.interpolate.CubicSpline(np.log1p(redshift[first]), np.log(time[first]), extrapolate=False)
        ages = np.exp(curve(np.log1p(_TICKS)))
    return _label_top(ax, ages)


def _label_top(ax, ages):
    low, high = ax.get_xlim()
    inside = (ages >= low) & (ages <= high)
    top = ax.twiny()
    top.set_xlim(low, high)
    top.set_xticks(ages[inside], [f"{z:g}" for z in _TICKS[inside]])
    top.tick_params(which="both", direction="in", top=True, labelsize=9.5, length=5, width=0.8)
    top.minorticks_off()
    top.set_xlabel("redshift", fontsize=10.5)
    ax.tick_params(which="both", top=False)
    return top


def _panels(population, read):
    """Title and curves (colour, dashes, values by name) of every panel, of what the model has.

    Values are read at the halos and outputs of the open mesh `read`, once for all panels.
    """
    known = population.values

    def values(name):
        return np.asarray(known[name])[read] if name in known else None

    def flow(name):
        return np.asarray(population.flows[name].mass)[read] if name in population.flows else None

    def metallicity(reservoir):
        metals, mass = values(f"mz{reservoir}"), values(f"m{reservoir}")
        return None if metals is None or mass is None else metals / mass / SOLAR_METALLICITY

    halo, stars, ism, cgm = COLORS["halo"], COLORS["stars"], COLORS["ism"], COLORS["cgm"]
    masses = {
        "halo": (halo, "--", values("mvir")),
        "CGM": (cgm, "-", values("mcgm")),
        "ISM": (ism, "-", values("mism")),
        "stars": (stars, "-", values("mstar")),
    }
    rates = {
        "accretion": (halo, "--", flow("accretion")),
        "cooling": (cgm, "-", flow("cooling")),
        "wind": (ism, "-", flow("wind")),
        "SFR": (stars, "-", values("sfr")),
    }
    metals = {
        "CGM": (cgm, "-", metallicity("cgm")),
        "ISM": (ism, "-", metallicity("ism")),
        "stars": (stars, "-", metallicity("star")),
    }
    temperatures = {
        r"$T_{\rm vir}$": (halo, "--", values("tvir")),
        r"$T_{\rm CGM}$": (cgm, "-", values("temperature")),
    }
    panels = (
        (r"mass [${\rm M}_\odot$]", masses),
        (r"rate [${\rm M}_\odot\,\mathrm{yr}^{-1}$]", rates),
        (r"metallicity [${\rm Z}_\odot$]", metals),
        (r"temperature [K]", temperatures),
    )
    held = [(title, {name: line for name, line in lines.items() if line[2] is not None}) for title, lines in panels]
    return [(title, lines) for title, lines in held if lines]


def _decades(axes, drawn, most=7.0):
    # A reservoir that is nearly empty must not stretch the axis over tens of decades.
    drawn = drawn[np.isfinite(drawn) & (drawn > 0)]
    limits = None
    if drawn.size:
        top = 2.0 * drawn.max()
        limits = (max(0.5 * drawn.min(), top / 10.0**most), top)
    for ax in axes:
        if ax.get_yscale() != "log":  # panels that share the axis have it from the first
            ax.set_yscale("log")
        if limits is not None and ax.get_ylim() != limits:
            ax.set_ylim(limits)
