"""Growth histories of a few halos and their galaxies.

They need a population with many output redshifts (`corundum.evolve` with a list of them).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from ..cosmology import Cosmology, as_cosmology
from ..units import SOLAR_METALLICITY
from .style import COLORS, new_panels, styled

__all__ = ["growth_histories", "redshift_axis", "spread_rows"]

_TICKS = (0, 0.5, 1, 2, 3, 6)


def spread_rows(population: Any, count: int = 3) -> np.ndarray:
    """Rows of a few solved halos, spread evenly in final log mass.

    Parameters
    ----------
    population : Population
    count : int

    Raises
    ------
    ValueError
        No halo was solved.

    Examples
    --------
    >>> len(co.plots.spread_rows(population, 3))
    3
    """
    latest = int(np.argmin(np.asarray(population.redshifts)))
    log_mass = np.log10(np.asarray(population["mvir"])[:, latest])
    rows = np.flatnonzero(np.asarray(population.valid)[:, latest])
    if rows.size == 0:
        raise ValueError("growth histories: no halo of this population was solved; see population.status_counts()")
    mass = log_mass[rows]
    targets = mass.min() + (np.arange(count) + 0.5) / count * np.ptp(mass)
    nearest = [int(rows[np.argmin(np.abs(mass - target))]) for target in targets]
    return np.array(list(dict.fromkeys(nearest)))


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
        Of the redshift axis; default `pandya26_cosmology()`.

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
    order = np.argsort(-np.asarray(population.redshifts))
    if axes is None:
        panels = len(_curves(population, rows[0], order))
        size = (1.5 + 2.5 * len(rows), 0.6 + 1.9 * panels)
        axes = new_panels(panels, len(rows), size=size, sharex=True, sharey="row", squeeze=False)
    for column, row in enumerate(rows):
        time, mass = (np.asarray(population[name])[row][order] for name in ("time", "mvir"))
        curves = _curves(population, row, order)
        for ax, (_, lines) in zip(axes[:, column], curves, strict=True):
            for name, (color, dashes, values) in lines.items():
                ax.plot(time, values, color=color, linestyle=dashes, label=name)
        final = np.log10(mass[np.isfinite(mass)][-1]) if np.isfinite(mass).any() else np.nan
        axes[0, column].set_title(rf"$\log_{{10}}(M_{{\rm vir}}/{{\rm M}}_\odot) = {final:.2f}$", pad=6)
        axes[-1, column].set_xlabel("cosmic time [Gyr]")
    for ax, (title, _) in zip(axes[:, 0], curves, strict=True):
        ax.set_ylabel(title)
    for row_axes in axes:
        _decades(row_axes)
        row_axes[-1].legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    for ax in axes[0]:
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
    cosmology = as_cosmology(cosmology)
    low, high = ax.get_xlim()
    ages = np.asarray(cosmology.age(np.array(_TICKS, float)))
    inside = (ages >= low) & (ages <= high)
    top = ax.twiny()
    top.set_xlim(low, high)
    top.set_xticks(ages[inside], [f"{z:g}" for z in np.array(_TICKS)[inside]])
    top.tick_params(which="both", direction="in", top=True, labelsize=9.5, length=5, width=0.8)
    top.minorticks_off()
    top.set_xlabel("redshift", fontsize=10.5)
    ax.tick_params(which="both", top=False)
    return top


def _curves(population, row, order):
    """Title and curves (colour, dashes, values by name) of every panel, of what the model has."""
    known = population.values

    def values(name):
        return np.asarray(known[name])[row][order] if name in known else None

    def flow(name):
        return np.asarray(population.flows[name].mass)[row][order] if name in population.flows else None

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


def _decades(axes, most=7.0):
    # A reservoir that is nearly empty must not stretch the axis over tens of decades.
    drawn = np.concatenate([line.get_ydata() for ax in axes for line in ax.get_lines()])
    drawn = drawn[np.isfinite(drawn) & (drawn > 0)]
    for ax in axes:
        ax.set_yscale("log")
        if drawn.size:
            top = 2.0 * drawn.max()
            ax.set_ylim(max(0.5 * drawn.min(), top / 10.0**most), top)
