"""Differences between two sets of halo histories: growth, growth rate and concentration in bins of final mass."""

from collections.abc import Sequence
from typing import NamedTuple

import jax
import numpy as np

from ..halos import HaloHistories, HaloTables
from ..numerics.compiling import compiled
from ..units import GYR_YR, LN10
from .histories import redshift_axis
from .style import colors_along, new_panels, styled

__all__ = [
    "Curve",
    "HistoryMeans",
    "mean_histories",
    "differences",
    "history_differences",
    "compare_histories",
]

_FEWEST = 5
_DASHES = ("-", (0, (4, 2)))


class Curve(NamedTuple):
    """Value and standard error of a statistic: arrays of shape (bins, times)."""

    value: np.ndarray
    error: np.ndarray


class HistoryMeans(NamedTuple):
    """Statistics over the halos of each bin of final mass; NaN where fewer than five halos exist.

    Attributes
    ----------
    edges : array, shape (B + 1,)
        log10 of final virial mass [Msun].
    time, redshift : arrays, shape (K,)
        Cosmic age [Gyr] and redshift.
    counts : array, shape (B,)
        Halos in each bin.
    log_mass : Curve, shape (B, K)
        Mean log10 of mass over final mass.
    growth : Curve, shape (B, K)
        Mean specific growth rate dM/dt / M [1/Gyr].
    log_concentration : Curve, shape (B, K)
        Mean log10 of concentration.
    """

    edges: np.ndarray
    time: np.ndarray
    redshift: np.ndarray
    counts: np.ndarray
    log_mass: Curve
    growth: Curve
    log_concentration: Curve


def mean_histories(halos: HaloHistories, edges: np.ndarray, redshifts: np.ndarray) -> HistoryMeans:
    """Mean histories of `halos` in bins of their mass at the lowest of `redshifts`.

    Parameters
    ----------
    halos : HaloHistories
    edges : array, shape (B + 1,)
        log10 of final virial mass [Msun].
    redshifts : array, shape (K,)

    Examples
    --------
    >>> means = co.plots.mean_histories(halos, np.array([10.0, 14.0]), np.array([0.0, 1.0, 2.0]))
    >>> means.counts.tolist(), means.log_mass.value.shape
    ([8], (1, 3))
    """
    age = np.minimum(np.asarray(halos.cosmology.age(np.asarray(redshifts, float))), float(halos.time[-1]))
    halo = _read(halos.interpolation, halos.time, halos.curves, halos.cosmology, age)
    exists = halos.exist_at(age)
    mass = np.where(exists, np.asarray(halo.mvir), np.nan)
    final = mass[:, np.argmax(age)]
    growth = np.asarray(halo.growth) * GYR_YR / mass
    concentration = np.where(exists, np.log10(np.asarray(halo.concentration)), np.nan)
    weights = np.asarray(halos.weights)
    bins = np.searchsorted(edges, np.log10(final), side="right") - 1
    rows = [np.flatnonzero(bins == k) for k in range(len(edges) - 1)]

    def curve(values, statistic):
        table = np.array([[statistic(column[row], weights[row]) for column in values.T] for row in rows])
        return Curve(table[..., 0], table[..., 1])

    log_mass = curve(np.log10(mass / final[:, None]), _mean)
    count = np.array([len(row) for row in rows])
    return HistoryMeans(
        np.asarray(edges), age, np.asarray(redshifts), count, log_mass, curve(growth, _mean),
        curve(concentration, _mean)
    )  # fmt: skip


def differences(first: HistoryMeans, second: HistoryMeans) -> tuple[Curve, Curve, Curve]:
    """Second minus first [dex]: of mean log mass, of log mean growth rate, of mean log concentration."""
    in_logs = [first._replace(growth=_log10(first.growth)), second._replace(growth=_log10(second.growth))]
    pairs = [[getattr(means, name) for means in in_logs] for name in ("log_mass", "growth", "log_concentration")]
    log_mass, growth, log_concentration = (Curve(b.value - a.value, np.hypot(a.error, b.error)) for a, b in pairs)
    return log_mass, growth, log_concentration


def history_differences(first: HistoryMeans, second: HistoryMeans, redshift: float = 2.0) -> list[tuple]:
    """A table of the differences between two sets, with one row for each mass bin.

    A row holds the mass bin, the numbers of halos of both sets in it, and for each of the three `differences` [dex] the
    value and its standard error.

    Parameters
    ----------
    first, second : HistoryMeans
        At the same redshifts.
    redshift : float
        The table is at the output redshift nearest to this one.

    Examples
    --------
    >>> means = co.plots.mean_histories(halos, np.array([10.0, 14.0]), np.array([0.0, 1.0, 2.0]))
    >>> name, first, second, mass, growth, concentration = co.plots.history_differences(means, means)[0]
    >>> first, second, mass[0]
    (8, 8, 0.0)
    """
    k = int(np.argmin(np.abs(first.redshift - redshift)))
    curves = differences(first, second)
    return [
        (
            f"{first.edges[b]:.1f}\N{EN DASH}{first.edges[b + 1]:.1f}",
            int(first.counts[b]),
            int(second.counts[b]),
            *((float(curve.value[b, k]), float(curve.error[b, k])) for curve in curves),
        )
        for b in range(len(first.counts))
    ]


@styled
def compare_histories(
    first: HaloHistories,
    second: HaloHistories,
    labels: Sequence[str] = ("first", "second"),
    axes: np.ndarray | None = None,
    *,
    bins: int = 3,
    redshift: float = 2.0,
) -> np.ndarray:
    """Two sets of histories: mean growth, growth rate and concentration in bins of final mass, and differences.

    The legend states the difference in mean log mass at `redshift`, second minus first.  Bands are standard errors.

    Parameters
    ----------
    first, second : HaloHistories
    labels : two texts
    axes : array of Axes, shape (2, 3), optional
    bins : int
        Bins of final mass, equal in log mass over the range both sets cover.
    redshift : float
        Where the difference is stated.

    Returns
    -------
    array of Axes, shape (2, 3)
        Above the histories, below the differences [dex].

    Raises
    ------
    ValueError
        The sets share no redshifts or no final masses.

    Examples
    --------
    >>> co.plots.compare_histories(halos, halos, ("one", "the same"), bins=1).shape
    (2, 3)
    """
    means = compared_means(first, second, bins)
    if axes is None:
        axes = new_panels(2, 3, size=(11.5, 5.6), sharex=True, gridspec_kw={"height_ratios": [2.2, 1.0]})
    colors = colors_along(np.arange(bins))
    for mean, dashes, width in zip(means, _DASHES, (1.6, 2.0), strict=True):
        for ax, curve in zip(axes[0], (mean.log_mass, mean.growth, mean.log_concentration), strict=True):
            for values, color in zip(curve.value, colors, strict=True):
                ax.plot(mean.time, values, color=color, linestyle=dashes, linewidth=width)
    for ax, curve in zip(axes[1], differences(*means), strict=True):
        ax.axhline(0.0, color="0.5", linewidth=0.8)
        for value, error, color in zip(curve.value, curve.error, colors, strict=True):
            ax.plot(means[0].time, value, color=color)
            ax.fill_between(means[0].time, value - error, value + error, color=color, alpha=0.2, linewidth=0)
        ax.set_xlabel("cosmic time [Gyr]")
    for ax in axes[0]:
        redshift_axis(ax, first.cosmology)
    axes[0, 0].set_ylabel(r"mean $\log_{10}\,M_{\rm vir}(t)/M_{\rm vir}(t_0)$")
    axes[0, 1].set_ylabel(r"mean $\dot M_{\rm vir}/M_{\rm vir}\ [\mathrm{Gyr}^{-1}]$")
    axes[0, 2].set_ylabel(r"mean $\log_{10}\,c$")
    axes[0, 1].set_yscale("log")
    axes[1, 0].set_ylabel("difference [dex]")
    axes[1, 0].set_title(f"{labels[1]} minus {labels[0]}", loc="left", fontsize=9.0)
    _history_legends(axes[0], means, labels, colors, redshift)
    return axes


def _history_legends(axes, means, labels, colors, redshift):
    near = means[0].redshift[np.argmin(np.abs(means[0].redshift - redshift))]
    for color, (name, _, _, (value, error), *_) in zip(colors, history_differences(*means, redshift), strict=True):
        difference = f"${value:+.2f}\\pm{error:.2f}$ dex" if np.isfinite(value) else "too few halos"
        axes[0].plot([], [], color=color, label=f"{name}:  {difference}")
    title = f"final $\\log_{{10}}(M_{{\\rm vir}}/{{\\rm M}}_\\odot)$: difference at z = {near:.2g}"
    axes[0].legend(loc="lower right", title=title, title_fontsize=9.5)
    for label, dashes in zip(labels, _DASHES, strict=True):
        axes[2].plot([], [], color="0.2", linestyle=dashes, label=label)
    axes[2].legend(loc="best")


def compared_means(first: HaloHistories, second: HaloHistories, bins: int = 3) -> tuple[HistoryMeans, HistoryMeans]:
    """Mean histories of both sets in the same mass bins and at the same redshifts, over what both cover.

    Raises
    ------
    ValueError
        The sets share no redshifts or no final masses.
    """
    spans = [np.asarray(h.cosmology.redshift(h.time[np.array([0, -1])])) for h in (first, second)]
    high, low = min(span[0] for span in spans), max(0.0, *(span[1] for span in spans))
    if not high > low:
        raise ValueError("compare histories: the two sets share no redshifts; choose sets that overlap in time")
    redshifts = np.expm1(np.linspace(np.log1p(low), np.log1p(min(high, 8.0)), 25))
    finals = [np.log10(np.asarray(h.at(redshift=low + 1e-9).mvir)) for h in (first, second)]
    edges = np.linspace(max(f.min() for f in finals), min(f.max() for f in finals), bins + 1)
    if not edges[-1] > edges[0]:
        raise ValueError("compare histories: the two sets share no final masses; choose sets that overlap in mass")
    edges[-1] += 1e-6
    return mean_histories(first, edges, redshifts), mean_histories(second, edges, redshifts)


@compiled
def _read(interpolation, time, curves, cosmology, age):
    tables = interpolation.tables(time, curves, cosmology)
    return jax.vmap(jax.vmap(interpolation.read, (HaloTables.HALO_AXIS, None)), (None, 0), out_axes=1)(tables, age)


def _log10(curve):
    positive = np.where(curve.value > 0, curve.value, np.nan)
    return Curve(np.log10(positive), curve.error / positive / LN10)


def _mean(values, weights):
    good = np.isfinite(values)
    values, weights = values[good], weights[good]
    if good.sum() < _FEWEST:
        return np.nan, np.nan
    mean = np.average(values, weights=weights)
    return mean, np.sqrt(np.average((values - mean) ** 2, weights=weights) / _effective_count(weights))


def _effective_count(weights):
    return weights.sum() ** 2 / np.sum(weights**2)
