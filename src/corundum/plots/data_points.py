"""Data on the axes of a relation: points with their errors, and what the legend says of them.

Thin bars with caps are the total error.  Where a part of it is systematic, a thick bar inside is the rest, unless that
is too short to be seen.  Wide pale bars are the spread of galaxies; open symbols are points whose only published error
is that spread.
"""

import re
import textwrap
from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from ..observables import Measurement
from ..observables.provenance import CORRELATIONS_IGNORED

__all__ = [
    "MARKERS",
    "SHADES",
    "bar_ends",
    "bars_in_words",
    "data_points",
    "short_citation",
    "short_name",
    "short_names",
]

MARKERS = "osD^vPX"
SHADES = ("#111111", "#7a7a7a", "#a8431c", "#3c6e47", "#6d4a8f")
_KINDS = {
    "standard error": "statistical error",
    "posterior": "68% posterior",
    "residual": "departures from a smooth curve",
    "scatter": "scatter of galaxies",
}


def short_citation(citation: str) -> str:
    """``"Behroozi et al. 2019"`` from a full citation: first author and year."""
    first, second, year = _authors(citation)
    return citation if not year else f"{first}{second or ' et al.' * (second is None)} {year}"


def short_name(data: Measurement) -> str:
    """A name for a legend, with the survey where the citation names it: ``"xGASS (Catinella+18)"``.

    Examples
    --------
    >>> from corundum.plots.data_points import short_name
    >>> short_name(co.observables.load("coldgas_xgass")), short_name(co.observables.load("gasmzr_andrews13"))
    ('xGASS (Catinella+18)', 'Andrews & Martini 13')
    """
    first, second, year = _authors(data.citation)
    if not year:
        return data.citation
    brief = f"{first}{f'{second} ' if second else '+' if second is None else ' '}{year[2:]}"
    survey = re.search(r"\(([A-Z][\w -]*|[a-z]+[A-Z]\w*)\)", data.citation)
    return f"{survey.group(1)} ({brief})" if survey else brief


def short_names(measurements: Iterable[Measurement]) -> dict[str, str]:
    """A name for the legend by the name of each measurement; what would have the same says its relation too.

    Examples
    --------
    >>> from corundum.plots.data_points import short_names
    >>> data = [co.observables.load(name) for name in ("shmr_behroozi19_sf", "shmr_behroozi19_z2", "gasmzr_curti20")]
    >>> list(short_names(data).values())
    ['Behroozi+19 (z = 0)', 'Behroozi+19 (z = 2)', 'Curti+20']
    """
    measurements = list(measurements)
    names = {data.name: short_name(data) for data in measurements}
    for add in (lambda data: f" (z = {data.redshift:g})", lambda data: f", {data.relation.title}"):
        common = Counter(names.values())
        titles = Counter((names[data.name], add(data)) for data in measurements)
        for data in measurements:
            name = names[data.name]
            if common[name] > 1 and titles[name, add(data)] < common[name]:
                names[data.name] = name + add(data)
    return names


def _authors(citation):
    """First author; " & second", empty for one author and None for more than two; year."""
    year = re.search(r"\b(1[89]|20)\d\d\b", citation)
    if year is None:
        return citation, "", ""
    authors = citation[: year.start()].strip(" ,(+")
    first = re.split(r",| & | and | et al", authors)[0]
    pair = re.fullmatch(r"[^,]+(?: & | and )([^,]+)", authors)
    return first, "" if authors == first else f" & {pair.group(1)}" if pair else None, year.group()


def bars_in_words(data: Measurement) -> str:
    """What the error bars of a measurement are: statistical, systematic, both together, or a spread.

    Examples
    --------
    >>> from corundum.plots.data_points import bars_in_words
    >>> bars_in_words(co.observables.load("sfms_davies16"))
    'total error: 0.1 dex systematic, 0.0034 dex statistical'
    """
    kind, systematic = _KINDS[data.error_kind], float(data.systematic)
    if systematic == 0 and CORRELATIONS_IGNORED in data.notes and data.error_kind in ("standard error", "residual"):
        return "total error, points taken as independent"
    if systematic == 0:
        return kind
    usual = float(np.median(_statistical(data)))
    part = "statistical" if data.error_kind == "standard error" else kind
    return f"total error: {systematic:.2g} dex systematic, {usual:.2g} dex {part}"


def data_points(
    ax: Axes, data: Measurement, *, marker: str = "o", shade: str = "#111111", redshift: float | None = None,
    after: str = "",
) -> None:  # fmt: skip
    """Draw a measurement on the axes of its relation.

    Parameters
    ----------
    ax : Axes
    data : Measurement
    marker, shade : str
        Symbol and colour.
    redshift : float, optional
        Of the galaxies beside it; the label states that of the data where it differs by more than 0.15.
    after : str
        What follows in the label, such as the distance of a model.

    Examples
    --------
    >>> from corundum.plots.data_points import data_points
    >>> ax = plt.figure().subplots()
    >>> data_points(ax, co.observables.load("shmr_moster18"))
    >>> ax.get_legend_handles_labels()[1]
    ['Moster et al. 2018, open symbols; bars: scatter of galaxies']
    >>> plt.close()
    """
    x, y, error = np.asarray(data.x), np.asarray(data.y), np.asarray(data.error)
    name = short_citation(data.citation)
    if redshift is not None and abs(data.redshift - redshift) > 0.15:
        name += f" at z = {data.redshift:g}"
    spread = error if data.error_kind == "scatter" else data.scatter
    if spread is not None:
        ax.errorbar(x, y, np.asarray(spread), fmt="none", ecolor=shade, alpha=0.22, elinewidth=4.5, zorder=4.5)
    if data.error_kind == "scatter":
        label = _lines(f"{name}, open symbols; bars: {bars_in_words(data)}") + after
        ax.plot(x, y, marker, color=shade, markerfacecolor="white", markersize=5, label=label, zorder=6)
        return
    limit = np.zeros(len(x), bool) if data.upper_limit is None else np.asarray(data.upper_limit)
    # A part that would hide behind its symbol is only named.
    inner = float(data.systematic) > 0 and float(np.median(_statistical(data) / error)) > 0.3
    words = [bars_in_words(data)]
    words += ["thick part: without the systematic"] if inner else []
    words += ["pale: scatter of galaxies"] if spread is not None else []
    words += ["arrows: upper limits"] if limit.any() else []
    style: dict[str, Any] = dict(color=shade, elinewidth=1.1, capsize=2.5, capthick=1.1)
    label = _lines(f"{name}; bars: {', '.join(words)}") + after
    ax.errorbar(x, y, error, fmt=marker, markersize=4.5, label=label, uplims=limit, zorder=6, **style)
    if inner:
        ax.errorbar(x, y, _statistical(data), fmt="none", ecolor=shade, elinewidth=2.6, zorder=6.1)


def bar_ends(data: Measurement) -> tuple[np.ndarray, np.ndarray]:
    """Both ends and the middle of every error bar, so that a legend can avoid them."""
    spread = np.asarray(data.error) if data.scatter is None else np.maximum(data.error, data.scatter)
    y = np.asarray(data.y)
    return np.repeat(np.asarray(data.x), 3), np.stack([y - spread, y, y + spread], axis=1).ravel()


def _lines(text):
    return textwrap.fill(text, 76)


def _statistical(data):
    return np.sqrt(np.diag(np.asarray(data.covariance)))
