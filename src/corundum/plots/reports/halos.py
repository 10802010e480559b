"""The validation report of merger trees: what was read, how it was processed, and the halos that changed most."""

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

    Examples
    --------
    >>> from pathlib import Path
    >>> rows = [f"{k},{k - 1},{z},{70.0 / (1.0 + z) ** 2}" for k, z in enumerate(np.linspace(0.0, 4.0, 9))]
    >>> header = ["#SQL= select ... from MPAHaloTrees..MHalo", "haloId,descendantId,redshift,m_tophat"]
    >>> _ = Path("query.csv").write_text("\\n".join([*header, *rows]) + "\\n")
    >>> branches = co.halos.read_branches("query.csv")
    >>> smoothed = co.halos.smooth_trees(branches)
    >>> report = co.halos.report_on(smoothed, branches.counts)
    >>> co.plots.write_halo_report("report.html", report, smoothed.halos)
    """
    kept, read = report.counts["halos kept"], report.counts["branches read"]
    growth = Drawing(_figure(halo_growth(halos)), "Median growth and 16th to 84th percentiles, by final mass.")
    raw = Drawing(_figure(raw_over_smooth(report.worst)), "The halos that smoothing changed most.")
    spread = Drawing(_figure(_changes(report.rms)), "How much smoothing changed each halo.")
    sections = [
        Section("Summary", [_facts(report, kept, read), Table(("what", "number"), list(report.counts.items()))]),
        Section(
            "What was done", [Table(("step", "description"), [_short(item) for item in report.provenance.items()])]
        ),
        Section("Raw over smooth", [spread, raw]),
        Section("Histories", [growth]),
    ]
    if report.means:
        drawing = Drawing(_figure(mean_growth(report.means)), "Mean histories and the built-in population (dashed).")
        sections.append(Section("Comparison with the built-in population", [drawing]))
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
    rows = [(name, *(counts.get(count, 0) for count in names)) for name, counts in files.items()]
    return Table(("file", *names), rows, f"{len(rows)} files")


def _short(item, most=600):
    name, text = item
    return name, text if len(text) <= most else f"{text[:most]} ..."


@styled
def _changes(rms) -> Axes:
    ax = new_axes()
    ax.hist(np.log10(np.maximum(rms, 1e-5)), bins=40, color=COLORS["model"])
    ax.set(xlabel="log10 of rms of raw minus smooth [dex]", ylabel="halos")
    return ax


def _figure(axes):
    return np.ravel(axes)[0].get_figure(root=True)


def report_path(output: str | os.PathLike) -> Path:
    """Path of the report of a file of histories: the same name with the ending .html."""
    return Path(output).with_suffix(".html")
