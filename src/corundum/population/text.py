"""Populations in a few lines of words: what `print` and notebooks show."""

import html
from typing import Any

import numpy as np

from ..array_library import is_traced

__all__ = ["counted", "html_of_population", "number", "numbers", "of_galaxies", "of_population"]

_MOST_NUMBERS = 6
_SHOWN = ("mvir", "mstar", "mism", "mcgm", "sfr")  # whose range a summary gives, where they are there


def counted(count: int, one: str, many: str) -> str:
    """``"1 halo"`` or ``"8 halos"``."""
    return f"{count} {one if count == 1 else many}"


def number(value: Any) -> str:
    """A number in short, or that it is being traced."""
    return "(traced)" if is_traced(value) else f"{float(value):.4g}"


def numbers(values: Any) -> str:
    """A few numbers in short."""
    if is_traced(values):
        return "(traced)"
    shown = [f"{float(value):.4g}" for value in np.asarray(values)]
    if len(shown) > _MOST_NUMBERS:
        shown = [*shown[: _MOST_NUMBERS - 2], "...", shown[-1]]
    return ", ".join(shown)


def _names(names) -> str:
    names = list(names)
    shown = ", ".join(names[:8])
    return f"{shown} ... ({len(names)} in all)" if len(names) > 8 else shown or "none"


def _range(array, unit) -> str:
    finite = np.asarray(array)[np.isfinite(array)]
    if not len(finite):
        return "nowhere finite"
    unit = "" if unit in ("1", "none") else f" {unit}"
    return f"{finite.min():.3g} to {finite.max():.3g}{unit}"


def _ranges(values, quantities, column=...):
    """(name, range in words) of some well-known quantities; nothing where they are being traced."""
    for name in _SHOWN:
        if name in values and not is_traced(values[name]):
            unit = quantities[name].unit if name in quantities else ""
            yield name, _range(values[name][column], unit)


def _statuses(population) -> str:
    if is_traced(population.status):
        return "(traced)"
    return "; ".join(f"{count} {words}" for words, count in population.status_counts().items())


def _rows(population) -> list[tuple[str, str]]:
    """What a summary of a population says, as (label, words)."""
    rows = [
        ("redshifts", numbers(population.redshifts)),
        ("solves", _statuses(population)),
        ("quantities", _names(population.values)),
        ("flows", _names(population.flows)),
    ]
    if population.histories is not None:
        times = counted(len(population.histories.times), "time", "times")
        rows.append(("histories", f"{_names(population.histories.values)} at {times}"))
    return rows


def of_population(population: Any) -> str:
    """A `Population` in a few lines."""
    lines = [f"Population of {counted(len(population), 'halo', 'halos')}"]
    lines += [f"  {label:<10} {words}" for label, words in _rows(population)]
    return "\n".join(lines)


def of_galaxies(galaxies: Any) -> str:
    """`Galaxies` in a few lines."""
    lines = [repr(galaxies)]
    if not is_traced(galaxies.valid):
        lines.append(f"  valid      {int(np.sum(galaxies.valid))} of {len(galaxies)}")
    lines.append(f"  quantities {_names(galaxies.values)}")
    lines += [f"  {name:<10} {words}" for name, words in _ranges(galaxies.values, galaxies.quantities)]
    return "\n".join(lines)


def html_of_population(population: Any) -> str:
    """A `Population` as a table for notebooks, with the range of some quantities at every redshift."""
    rows = [(label, words) for label, words in _rows(population)]
    if not is_traced(population.redshifts):
        for k, redshift in enumerate(np.asarray(population.redshifts)[:_MOST_NUMBERS]):
            ranges = _ranges(population.values, population.quantities, (slice(None), k))
            words = "; ".join(f"{name} {range_}" for name, range_ in ranges)
            if words:
                rows.append((f"z = {redshift:.4g}", words))
    body = "".join(
        f"<tr><th style='text-align:left'>{html.escape(label)}</th>"
        f"<td style='text-align:left'>{html.escape(words)}</td></tr>"
        for label, words in rows
    )
    return f"<table><caption>Population of {counted(len(population), 'halo', 'halos')}</caption>{body}</table>"
