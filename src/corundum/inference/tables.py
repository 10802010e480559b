"""Results of several fits side by side: tables for a paper, and findings in plain words computed from the numbers."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

__all__ = ["interval_rows", "csv_table", "latex_table", "findings"]


def interval_rows(fits: Mapping[str, np.ndarray], names: Sequence[str]) -> list[tuple]:
    """Rows (parameter, then 16th, 50th and 84th percentile of each fit) of draws (S, P) by fit."""
    told = {label: np.percentile(draws, (15.865, 50.0, 84.135), axis=0) for label, draws in fits.items()}
    return [(name, *(float(v) for each in told.values() for v in each[:, i])) for i, name in enumerate(names)]


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
    """What the numbers say, one sentence each.

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

    said, before = [], None
    for label, draws in fits.items():
        ratio = width(draws) / width(prior)
        known = [f"{n} ({r:.2f})" for n, r in zip(names, ratio, strict=True) if r < 0.5]
        text = f"{label}: {len(known)} of {len(names)} parameters are known to less than half of their prior width"
        text += f": {', '.join(known)}" if known else ""
        if effective and label in effective:
            text += f"; the data determine {effective[label]:.1f} combinations better than the prior"
        said.append(text + ".")
        if before is not None:
            gain = width(before[1]) / width(draws)
            best = int(np.argmax(gain))
            moved = np.abs(np.median(draws, axis=0) - np.median(before[1], axis=0)) / np.hypot(
                width(draws), width(before[1])
            )
            far = int(np.argmax(moved))
            said.append(
                f"From {before[0]} to {label}, {names[best]} becomes {gain[best]:.1f} times better known, the most; "
                f"{names[far]} moves most, by {moved[far]:.1f} of the joint standard deviation."
            )
        before = (label, draws)
        for name, p in (p_values or {}).get(label, {}).items():
            if np.isfinite(p) and not 0.025 < p < 0.975:
                how = "worse" if p < 0.5 else "better"
                said.append(f"{label}: {name} is fitted {how} than its errors allow (predictive p-value {p:.3f}).")
        if verdicts and label in verdicts and not verdicts[label].good:
            said.append(f"{label}: the chains are {verdicts[label].sentence}.")
    for label, (mass, values) in (indices or {}).items():
        share = values["preventive_fraction"]
        probability = np.mean(share > 0.5, axis=0)
        middle = np.median(share, axis=0)
        strong, weak = _stretches(mass, probability > 0.95), _stretches(mass, probability < 0.05)
        text = (
            f"{label}: of the baryons missing from galaxies, a median of {middle.min():.2f} to {middle.max():.2f} "
            f"over lg Mvir {mass.min():.1f} to {mass.max():.1f} was kept from ever entering them"
        )
        text += f"; prevention exceeds ejection with 95% probability at lg Mvir {strong}" if strong else ""
        text += f"; ejection exceeds prevention with 95% probability at {weak}" if weak else ""
        said.append(text + ".")
    return said


def _stretches(mass, holds):
    """Where something holds along increasing masses: "10.0 to 11.9, 12.5"."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], holds.astype(int), [0]])))
    ends = [(f"{mass[first]:.1f}", f"{mass[beyond - 1]:.1f}") for first, beyond in edges.reshape(-1, 2)]
    return ", ".join(first if first == last else f"{first} to {last}" for first, last in ends)
