"""The validation report of merger trees as one HTML file: what was read, what was done, and the worst halos to see."""

import os
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from ..halo_histories import halo_growth, mean_growth, raw_over_smooth
from ..style import COLORS, new_axes, styled
from .page import Drawing, Facts, Section, Table, write_report

__all__ = ["write_halo_report", "report_path"]


def write_halo_report(path: str | os.PathLike, report: Any, halos: Any) -> None:
    """Write the report of a conversion.

    Parameters
    ----------
    path : path
        The HTML file.
    report : BranchReport
    halos : HaloHistories

    Raises
    ------
    OSError
        The folder is missing or not writable, or the disk is full.
    """
    kept, read = report.counts["halos kept"], report.counts["branches read"]
    growth = Drawing(_figure(halo_growth(halos)), "Median growth and 16-84 per cent, by final mass.")
    raw = Drawing(_figure(raw_over_smooth(report.worst)), "The halos that smoothing changed most.")
    spread = Drawing(_figure(_changes(report.rms)), "How much smoothing changed each halo.")
    sections = [
        Section("Summary", [_facts(report, kept, read), Table(("what", "how many"), list(report.counts.items()))]),
        Section("What was done", [Table(("step", "in words"), [_short(item) for item in report.provenance.items()])]),
        Section("Raw over smooth", [spread, raw]),
        Section("Histories", [growth]),
    ]
    if report.means:
        drawn = Drawing(_figure(mean_growth(report.means)), "Mean histories beside the built-in population (dashed).")
        sections.append(Section("Beside the built-in population", [drawn]))
    if report.dropped:
        rows = [(name, reason) for name, reason in list(report.dropped.items())[:200]]
        caption = f"{len(report.dropped)} halos left out" + (", the first 200" if len(report.dropped) > 200 else "")
        sections.append(Section("Left out", [Table(("halo", "because it"), rows, caption)]))
    if report.files:
        sections.insert(1, Section("File by file", [_files(report.files)]))
    write_report(path, sections, title="Halo histories", subtitle=report.provenance.get("source", ""))


def _facts(report, kept, read):
    return Facts(
        [
            (f"{kept} of {read}", "halos kept"),
            (f"{np.median(report.rms):.3f} dex", "median change by smoothing"),
            (f"{report.counts['jumps of more than 0.3 dex that stay']}", "jumps that stay"),
            (f"{report.growth_error:.0e}", "growth rate against mass gained"),
        ]
    )


def _files(files):
    names = list(next(iter(files.values())))
    rows = [(name, *(counts.get(words, 0) for words in names)) for name, counts in files.items()]
    return Table(("file", *names), rows, f"{len(rows)} files")


def _short(item, most=600):
    name, words = item
    return name, words if len(words) <= most else f"{words[:most]} ..."


@styled
def _changes(rms) -> Axes:
    ax = new_axes()
    ax.hist(np.log10(np.maximum(rms, 1e-5)), bins=40, color=COLORS["model"])
    ax.set(xlabel="log10 of rms of raw minus smooth [dex]", ylabel="halos")
    return ax


def _figure(axes):
    return np.ravel(axes)[0].get_figure(root=True)


def report_path(output: str | os.PathLike) -> Path:
    """Where the report of a file of histories is written: beside it, with the ending .html."""
    return Path(output).with_suffix(".html")
