"""The report of a run: its galaxies, their comparison with data, its settings and how to reproduce it."""

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ...halos import HaloHistories
from ...observables import ERROR_KINDS, Measurement, Residuals
from ...parameters import Parameter, describe
from ..names import bars_in_words, short_name
from ..regressed import residual
from .about import model_fact, papers, parameter_table, reproduction, run_sections
from .host import Compared
from .page import Drawing, Facts, Figure, Section, Table, write_report
from .survey import residual_table

__all__ = ["standard_report", "failures"]


def standard_report(
    path: str | os.PathLike,
    population: Any,
    *,
    drawings: Iterable[Drawing | str] = (),
    title: str = "corundum run",
    note: str = "",
    model: Any = None,
    preset: str = "",
    parameters: Mapping[str, Parameter] | None = None,
    defaults: Mapping[str, Any] | None = None,
    halos: HaloHistories | None = None,
    measurements: Sequence[tuple[Measurement, float]] = (),
    compared: Compared | None = None,
    run_info: Mapping[str, Any] | None = None,
    command: str = "",
    run_file: str = "",
    images: Mapping[Figure, bytes] | None = None,
    residuals: Residuals | None = None,
) -> None:
    """Write the standard report of a population.

    Parameters
    ----------
    path : path
        The HTML file.
    population : Population
    drawings : iterable of Drawing or str
        Figures, such as those of `standard_drawings`, and texts between them.
    title : str
    note : str
        A sentence that opens the report, below its title.
    model : AbstractModel, optional
        Its name, its parameters and the papers that it comes from are listed.
    preset : str
        Name of what made the model, such as ``"models.pandya26"``.
    parameters : mapping, optional
        Parameters to list instead of those of `model`; a results file holds them.
    defaults : mapping of str to float, optional
        Values before they were changed; parameters that differ are marked.
    halos : HaloHistories, optional
        Their cosmology and provenance are listed.
    measurements : sequence of (Measurement, float)
        Data to compare with, and the output redshift to do it at.
    compared : Compared, optional
        A second set of halos; needs `halos`.
    run_info : mapping, optional
        Versions, timings, seeds: shown as a table, nested names dotted.
    command, run_file : str
        The command and the resolved run file that reproduce the results.
    images : mapping of Figure to bytes, optional
        Figures of `drawings` that are PNG images already.
    residuals : Residuals, optional
        How far the galaxies are from a survey.

    Raises
    ------
    OSError
        The folder is missing or not writable, or the disk is full.

    Examples
    --------
    >>> drawings = list(co.plots.standard_drawings(population, halos=halos))[:1]
    >>> co.plots.standard_report("report.html", population, drawings=drawings, model=model, halos=halos)
    """
    if parameters is None and model is not None:
        parameters = describe(model)
    sections = [
        Section("Summary", _summary(population, model, preset, run_info or {})),
        Section("Figures", list(drawings)),
    ]
    if residuals is not None:
        sections.append(Section(f"Survey {residuals.survey.name}", [residual_table(residuals)]))
    if measurements:
        sections.append(Section("Model and data", _against_data(population, measurements)))
    if compared is not None and halos is not None:
        sections.append(Section("Comparison of the halos", _against_halos(halos, compared)))
    sections.append(Section("Solves", [failures(population), _effort(population)]))
    if parameters:
        sections.append(Section("Parameters", [parameter_table(parameters, defaults, preset)]))
    if halos is not None:
        sections.append(Section("Halos", _halos(halos)))
    if measurements:
        sections.append(Section("Sources of the data", [_sources(measurements)]))
    sections.append(papers(model, halos, [data for data, _ in measurements]))
    sections += [*run_sections(run_info or {}), reproduction(command, run_file)]
    solved = int(np.sum(np.asarray(population.status) == 0))
    subtitle = f"{len(population.status):,} halos, {solved:,} solved, at z = {_redshifts(population)}"
    subtitle = "; ".join(text for text in (note.rstrip("."), subtitle) if text)
    write_report(path, sections, title=title, subtitle=subtitle, images=images)


def failures(population: Any) -> Table:
    """A table of the number of halos by the way their solve ended.

    Parameters
    ----------
    population : Population

    Examples
    --------
    >>> co.plots.failures(population).rows
    [('solved', 8, 100.0)]
    """
    total = len(population.status)
    rows = [(outcome, count, 100.0 * count / total) for outcome, count in population.status_counts().items()]
    started = np.asarray(population.valid)[np.asarray(population.status) == 0]
    late = int(np.sum(~started.all(axis=1)))
    if late:
        rows.append(("solved, but started after one of the output redshifts", late, 100.0 * late / total))
    return Table(("how the solve ended", "halos", "%"), rows)


def _redshifts(population):
    redshifts = np.asarray(population.redshifts)
    if len(redshifts) > 6:
        return f"{redshifts.min():.3g} to {redshifts.max():.3g} ({len(redshifts)} redshifts)"
    return ", ".join(f"{z:g}" for z in redshifts)


def _summary(population, model, preset, run_info):
    status = np.asarray(population.status)
    latest = population.at(float(np.min(np.asarray(population.redshifts))))
    valid = np.asarray(latest.valid)
    items = [
        (len(status), "halos"),
        (int(np.sum(status == 0)), "solved"),
        (int(np.sum(status != 0)), "failed"),
        (_redshifts(population), "output redshifts"),
    ]
    if model is not None:
        items.insert(0, model_fact(model, preset))
    if valid.any():
        for name, label in (("mvir", "log10 Mvir [Msun]"), ("mstar", "log10 Mstar [Msun]")):
            with np.errstate(divide="ignore"):
                low, high = np.percentile(np.log10(np.asarray(latest[name])[valid]), [0, 100])
            items.append((f"{low:.2f} – {high:.2f}", f"{label} at z = {float(latest.redshift):g}"))
    timing = run_info.get("timing_s", run_info.get("timing", {}))
    if isinstance(timing, Mapping) and timing:
        items.append(
            (f"{sum(float(seconds) for seconds in timing.values()):.1f} s", "until this report, compilation included")
        )
    return [Facts(items)]


def _against_data(population, measurements):
    rows = []
    for data, redshift in measurements:
        comparison = residual(population.at(redshift), data, redshift_tolerance=np.inf)  # the pair states the redshift
        name = f"{data.relation.title}: {short_name(data)}"
        numbers = (round(number, 3) for number in comparison[3:6])
        p_value = float(f"{comparison.p_value:.2g}")
        rows.append((name, redshift, comparison.points, comparison.reached, *numbers, p_value, bars_in_words(data)))
    header = (
        "measurement",
        "z",
        "points",
        "reached",
        "mean offset [dex]",
        "largest [dex]",
        "chi²",
        "p",
        "bars are",
    )
    caption = (
        "Model minus data at the points that enough model galaxies reach; the others do not count. chi² "
        "uses the full covariance of the data, systematic included, plus the variance of the model's mean; p is "
        "the probability of a larger chi² if the model were right, with as many degrees of freedom as points that are "
        "reached. Where a paper gives only the scatter of galaxies its bars are wider than the error of the mean: chi² "
        "is low for that reason and has no p."
    )
    return [Table(header, rows, caption)]


def _against_halos(halos, compared):
    from ..comparison import compared_means, history_differences  # which draws as well: see `page.Figure`

    first, second = compared.labels
    differences = history_differences(*compared_means(halos, compared.halos))

    def text(pair):
        return f"{pair[0]:+.3f} ± {pair[1]:.3f}" if np.isfinite(pair[0]) else "too few halos"

    rows = [(name, n, m, *map(text, pairs)) for name, n, m, *pairs in differences]
    header = (
        "final log10 Mvir",
        f"halos, {first}",
        f"halos, {second}",
        "mass [dex]",
        "growth rate [dex]",
        "c [dex]",
    )
    caption = (
        f"{second} minus {first} at z = 2, with standard errors: mean log10 of mass over final mass, log10 of "
        "the mean specific growth rate, mean log10 of concentration."
    )
    return [Table(header, rows, caption)]


def _effort(population):
    steps, rejected = np.asarray(population.steps), np.asarray(population.rejected)
    if steps.size == 0:
        return "There are no halos."
    return (
        f"Solver steps per halo: median {np.median(steps):.0f}, 99th percentile "
        f"{np.percentile(steps, 99):.0f}, largest {steps.max()}; "
        f"{100.0 * rejected.sum() / max(steps.sum(), 1):.1f}% of all steps were rejected."
    )


def _halos(halos):
    cosmology = describe(halos.cosmology)
    rows = [
        (name, f"{float(p.value):.6g}", "" if p.unit == "1" else p.unit, p.meaning) for name, p in cosmology.items()
    ]
    provenance = [(name, text) for name, text in halos.provenance]
    low, high = np.asarray(halos.time)[[0, -1]]
    span = f"{len(halos):,} histories on {len(halos.time)} times from {low:.3f} to {high:.3f} Gyr of cosmic age."
    tables = [Table(("name", "value", "unit", "meaning"), rows, "Cosmology of the histories.")]
    return [span, *([Table(("provenance", ""), provenance)] if provenance else []), *tables]


def _sources(measurements):
    rows = []
    for data, redshift in measurements:
        notes = "; ".join((f"calibration: {data.calibration}", f"statistic: {data.statistic}", *data.notes))
        kind = f"{data.error_parts} ({data.error_kind}: {ERROR_KINDS[data.error_kind]})"
        rows.append(
            (
                data.name,
                data.citation,
                f"{data.redshift:g} (model {redshift:g})",
                data.imf,
                data.h,
                kind,
                notes,
            )
        )
    return Table(("name", "citation", "z", "IMF", "h", "errors", "notes"), rows)
