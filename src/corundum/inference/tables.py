"""Results of several fits side by side: tables for a paper, and findings in sentences computed from the numbers."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

__all__ = ["interval_rows", "csv_table", "latex_table", "findings"]


def interval_rows(fits: Mapping[str, np.ndarray], names: Sequence[str]) -> list[tuple]:
    """Rows (parameter, then 16th, 50th and 84th percentile of each fit) of draws (S, P) by fit."""
    levels = [np.percentile(draws, (15.865, 50.0, 84.135), axis=0) for draws in fits.values()]
    return [(name, *(float(value) for level in levels for value in level[:, i])) for i, name in enumerate(names)]


def csv_table(fits: Mapping[str, np.ndarray], names: Sequence[str]) -> str:
    """Medians and 68% intervals as comma-separated values."""
    header = ["parameter", *(f"{label} {level}" for label in fits for level in ("p16", "p50", "p84"))]
    rows = [",".join([row[0], *(f"{value:.5g}" for value in row[1:])]) for row in interval_rows(fits, names)]
    return "\n".join([",".join(f'"{cell}"' for cell in header), *rows]) + "\n"


def latex_table(fits: Mapping[str, np.ndarray], names: Sequence[str], symbols: Mapping[str, str]) -> str:
    """Medians and 68% intervals as a LaTeX table."""
    lines = [r"\begin{tabular}{l" + "c" * len(fits) + "}", r"\hline"]
    lines += ["parameter & " + " & ".join(label.replace("_", r"\_") for label in fits) + r" \\", r"\hline"]
    for row in interval_rows(fits, names):
        cells = []
        for low, middle, high in zip(*[iter(row[1:])] * 3, strict=True):
            cells.append(f"${middle:.2f}_{{-{middle - low:.2f}}}^{{+{high - middle:.2f}}}$")
        name = symbols.get(row[0], row[0].replace("_", r"\_"))
        lines.append(f"{name} & " + " & ".join(cells) + r" \\")
    return "\n".join([*lines, r"\hline", r"\end{tabular}"]) + "\n"


def findings(
    fits: Mapping[str, np.ndarray],
    names: Sequence[str],
    prior: np.ndarray,
    *,
    effective: Mapping[str, float] | None = None,
    p_values: Mapping[str, Mapping[str, float]] | None = None,
    indices: Mapping[str, tuple[np.ndarray, Mapping[str, np.ndarray]]] | None = None,
    verdicts: Mapping[str, Any] | None = None,
) -> list[str]:
    """The results in sentences, one for each result.

    Parameters
    ----------
    fits : dict of str to array, (S, P)
        Draws of theta by fit, in the order in which data were added.
    names : sequence of str
    prior : array, (S, P)
    effective : dict of str to float, optional
        Combinations better known than from the prior, by fit.
    p_values : dict of str to dict of str to float, optional
        Posterior predictive p-values of measurements, by fit.
    indices : dict of str to (lg Mvir, dict of str to array), optional
        Feedback indices, by fit.
    verdicts : dict of str to Verdict, optional
    """

    def width(draws):
        low, high = np.percentile(draws, (15.865, 84.135), axis=0)
        return 0.5 * (high - low)

    sentences, before = [], None
    for label, draws in fits.items():
        sentences.append(_precision(label, draws, names, prior, (effective or {}).get(label)))
        if before is not None:
            sentences.append(_progress(before, (label, draws), names))
        before = (label, draws)
        for name, p in (p_values or {}).get(label, {}).items():
            if np.isfinite(p) and not 0.025 < p < 0.975:
                how = "worse" if p < 0.5 else "better"
                sentences.append(f"{label}: {name} is fitted {how} than its errors allow (predictive p-value {p:.3f}).")
        if verdicts and label in verdicts and not verdicts[label].good:
            sentences.append(f"{label}: the chains are {verdicts[label].sentence}.")
    return sentences + [_prevention(label, *pair) for label, pair in (indices or {}).items()]


def _width(draws):
    """Half of the 68% interval of each parameter."""
    low, high = np.percentile(draws, (15.865, 84.135), axis=0)
    return 0.5 * (high - low)


def _precision(label, draws, names, prior, effective):
    ratio = _width(draws) / _width(prior)
    known = [f"{name} ({r:.2f})" for name, r in zip(names, ratio, strict=True) if r < 0.5]
    text = f"{label}: {len(known)} of {len(names)} parameters are known to less than half of their prior width"
    text += f": {', '.join(known)}" if known else ""
    if effective is not None:
        text += f"; the data determine {effective:.1f} combinations better than the prior"
    return text + "."


def _progress(before, after, names):
    """What the data added from one fit to the next change."""
    (first, old), (second, new) = before, after
    gain = _width(old) / _width(new)
    best = int(np.argmax(gain))
    moved = np.abs(np.median(new, axis=0) - np.median(old, axis=0)) / np.hypot(_width(new), _width(old))
    far = int(np.argmax(moved))
    return (
        f"From {first} to {second}, {names[best]} becomes {gain[best]:.1f} times better known, the most; "
        f"{names[far]} moves most, by {moved[far]:.1f} of the joint standard deviation."
    )


def _prevention(label, mass, values):
    share = values["preventive_fraction"]
    probability, middle = np.mean(share > 0.5, axis=0), np.median(share, axis=0)
    prevented, ejected = _stretches(mass, probability > 0.95), _stretches(mass, probability < 0.05)
    text = (
        f"{label}: of the baryons missing from galaxies, a median of {middle.min():.2f} to {middle.max():.2f} "
        f"over lg Mvir {mass.min():.1f} to {mass.max():.1f} never entered them"
    )
    text += f"; prevention exceeds ejection with 95% probability at lg Mvir {prevented}" if prevented else ""
    text += f"; ejection exceeds prevention with 95% probability at {ejected}" if ejected else ""
    return text + "."


def _stretches(mass, holds):
    """The ranges of increasing masses in which `holds` is true: "10.0 to 11.9, 12.5"."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], holds.astype(int), [0]])))
    ends = [(f"{mass[first]:.1f}", f"{mass[beyond - 1]:.1f}") for first, beyond in edges.reshape(-1, 2)]
    return ", ".join(first if first == last else f"{first} to {last}" for first, last in ends)
