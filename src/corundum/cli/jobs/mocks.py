"""The job behind ``corundum mocks``: fits of mock data with known truth, and whether their intervals hold it."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ... import inference, io
from ...plots import coverage_figure, recovery, save_figure, write_report
from ...plots.reports.page import Code, Drawing, Facts, Section, Table
from ...storage.files import atomic_path
from ..output import claim
from ..progress import progress_bar
from ..runfile.builder import construct
from ..runfile.reader import read_run_file
from ..runfile.schema import Mocks
from ..runfile.toml import write_toml
from ..stages import finished_before, recorded_run, timed
from .fit_plan import plan_fit, sampler_of, spare_halos

__all__ = ["check", "run"]


def _plan(file: Path, overrides: Sequence[str]):
    run_file = read_run_file(file, overrides)
    made = plan_fit(run_file)
    with run_file.located():
        built = construct(Mocks, run_file.tables.get("mocks", {}), ("mocks",))
    settings = built.value
    halos, samples = None, ()
    if settings.independent_halos:
        halos = spare_halos(made.job, run_file, settings.truth_halos)
        others = range(2, settings.samples + 1)
        samples = (made.job.halos, *(spare_halos(made.job, run_file, turn=turn) for turn in others))
    return made, settings, halos, samples, {**made.tables, "mocks": built.table}


def check(file: Path, overrides: Sequence[str] = ()) -> str:
    """The resolved run file; nothing is computed and nothing written."""
    return write_toml(_plan(file, overrides)[-1])


def run(file: Path, directory: Path, overrides: Sequence[str] = (), *, overwrite: bool = False) -> str:
    """Run a campaign of mocks and return a summary in words.

    Parameters
    ----------
    file, directory, overrides, overwrite
        As for `corundum.cli.jobs.run.run`.
    """
    timing: dict[str, float] = {}
    with timed(timing, "prepare"):
        made, settings, halos, samples, tables = _plan(file, overrides)
    output = claim(directory, tables, made.identity, overwrite=overwrite)
    if told := finished_before(output):
        return told
    if settings.method in ("nuts", "hmc"):
        fit = inference.FitSampler(sampler_of(settings.method, made.settings, settings), settings.starts)
    else:
        fit = inference.FitLaplace(settings.starts)
    results, target = {}, made.target
    about = dict(title=made.job.title, identity=made.identity, seeds=made.job.seeds)
    with recorded_run(output, tables, timing, **about) as info:
        for number, combination in enumerate(made.combinations):
            label = " + ".join(combination)
            folder = output.folder("checkpoint") / f"mocks-{number}"
            store = io.BlockFolder(folder, made.identity)
            with timed(timing, label), progress_bar(settings.number, what=label, unit="mocks") as told:
                results[label] = inference.campaign(
                    target.using(combination), settings.number, halos=halos, samples=samples, noise=settings.noise,
                    fit=fit, key=settings.key, block=settings.block, store=store, unfinished=io.StateFolder(folder),
                    progress=lambda done, total, told=told: told(done),
                )  # fmt: skip
        with timed(timing, "save, figures and report"):
            _save(results, made, output, info)
    lines = [f"{made.job.title}: {settings.number} mocks by {settings.method}"]
    lines += [f"  {label}: {result.verdict()}" for label, result in results.items()]
    lines += [
        f"  time     {sum(timing.values()):.1f} s, compilation included",
        f"  report   {directory / 'report.html'}",
    ]
    return "\n".join(lines)


def _save(results, made, output, info):
    lines = ["combination,mock,status,points,condition,gain,parameter,truth,p16,p50,p84,rank"]
    sections, drawings = [], []
    for number, (label, result) in enumerate(results.items()):
        for i in range(len(result.status)):
            how = inference.mocks.STATUS[int(result.status[i])]
            head = f'"{label}",{i},"{how}",{int(result.points[i])},{result.condition[i]:.6g},{result.gain[i]:.6g}'
            for j, name in enumerate(result.names):
                cells = (each[i, j] for each in (result.truth, result.low, result.middle, result.high, result.rank))
                lines.append(f"{head},{name}," + ",".join(f"{value:.6g}" for value in cells))
        section, figures = _section(label, number, result)
        sections.append(section)
        drawings += figures
    with atomic_path(output.file("mocks.csv")) as scratch:
        scratch.write_text("\n".join(lines) + "\n", encoding="utf-8")
    sections.append(Section("How to reproduce", [Code(info["run_file"])]))
    folder = output.folder("figures")
    for drawing in drawings:
        for kind in made.job.output.figures:
            save_figure(drawing.figure, folder / f"{drawing.name}.{kind}")
    write_report(
        output.file("report.html"), sections, title=f"{made.job.title}: mocks", subtitle=f"{len(results)} campaigns"
    )


def _section(label, number, result):
    drawings = []
    if result.fitted.sum() >= 5:
        drawings = [
            Drawing(coverage_figure(result)[0].figure, f"{label}: ranks of truths and coverage of central intervals; "
                    "grey: two binomial standard deviations.", f"coverage_{number + 1}"),
            Drawing(recovery(result)[0, 0].figure, f"{label}: fits against truths, with 68% intervals.",
                    f"recovery_{number + 1}"),
        ]  # fmt: skip
    good = result.fitted
    share, error = result.coverage()
    rows = []
    for j, name in enumerate(result.names):
        accuracy = np.percentile(result.accuracy[good, j], (16, 50, 84)) if good.any() else [np.nan] * 3
        precision = np.percentile(result.precision[good, j], (16, 50, 84)) if good.any() else [np.nan] * 3
        p = float(result.uniformity()[j]) if good.any() else np.nan
        rows.append([name, float(share[j]), p, *map(float, accuracy), *map(float, precision)])
    header = ["parameter", "coverage of 68%", "p of uniform ranks", *(f"accuracy {q}%" for q in (16, 50, 84)),
              *(f"precision {q}%" for q in (16, 50, 84))]  # fmt: skip
    condition = np.percentile(result.condition[good], (16, 50, 84)) if good.any() else [np.nan] * 3
    facts = {
        **result.status_counts(),
        "binomial error of a coverage": f"{error:.3f}",
        "condition number of the correlation matrix, 16-50-84%": " - ".join(f"{c:.3g}" for c in condition),
    }
    caption = "Accuracy: (median - truth) / sigma. Precision: sigma / (1 + |median|). Sigma: half of the 68% interval."
    return Section(label, [result.verdict(), Facts([(value, told) for told, value in facts.items()]), *drawings,
                           Table(header, rows, caption)]), drawings  # fmt: skip
