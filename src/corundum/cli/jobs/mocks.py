"""The job behind ``corundum mocks``: fits of mock data with known truth, and whether their intervals hold it."""

from typing import Any, NamedTuple

import numpy as np

from ... import inference, plots
from ...halos import HaloHistories
from ...plots.names import short_names
from ...plots.reports.page import Drawing, Facts, Section, Table
from ..progress import progress_bar
from ..runfile.builder import construct
from ..runfile.inference_settings import Mocks
from ..runfile.job import Job
from ..runfile.reader import RunFile
from .fit_plan import FitPlan, plan_fit, spare_halos
from .scaffold import AbstractJob, Run

__all__ = ["JOB", "MocksPlan"]

_FEWEST = 20  # mocks that make a histogram of ranks


class MocksPlan(NamedTuple):
    """A checked run file and its [mocks] settings.

    Attributes
    ----------
    fit : FitPlan
    settings : Mocks
    truth_halos : HaloHistories, optional
        Halos in which truths are evolved; None where they are those of the fits.
    samples : tuple of HaloHistories
        Halos of the fits, taken in turn.
    tables : dict
        The resolved run file.
    """

    fit: FitPlan
    settings: Mocks
    truth_halos: HaloHistories | None
    samples: tuple[HaloHistories, ...]
    tables: dict[str, Any]

    @property
    def job(self) -> Job:
        """What the run file describes apart from [fit] and [mocks]."""
        return self.fit.job

    @property
    def identity(self) -> str:
        """Fingerprint of all inputs."""
        return self.fit.identity


class _MocksJob(AbstractJob):
    def plan(self, run_file: RunFile) -> MocksPlan:
        fit = plan_fit(run_file)
        with run_file.located():
            built = construct(Mocks, run_file.tables.get("mocks", {}), ("mocks",))
        settings = built.value
        truth_halos: HaloHistories | None = None
        samples: tuple[HaloHistories, ...] = ()
        if settings.independent_halos:
            truth_halos = spare_halos(fit.job, run_file, settings.truth_halos)
            others = range(2, settings.samples + 1)
            samples = (fit.job.halos, *(spare_halos(fit.job, run_file, turn=turn) for turn in others))
        return MocksPlan(fit, settings, truth_halos, samples, {**fit.tables, "mocks": built.table})

    def compute(self, plan: MocksPlan, run: Run) -> dict[str, Any]:
        settings, results, labels = plan.settings, {}, short_names(plan.fit.measurements)
        for number, combination in enumerate(plan.fit.combinations):
            label = " + ".join(labels[name] for name in combination)
            store = run.checkpoints(f"mocks-{number}")
            with run.stage(label), progress_bar(settings.number, title=label, unit="mocks") as progress:
                results[label] = inference.campaign(
                    plan.fit.target.using(combination), settings.number, halos=plan.truth_halos, samples=plan.samples,
                    noise=settings.noise, fit=settings.fit, key=settings.key, block=settings.block, store=store,
                    unfinished=store.part, progress=progress,
                )  # fmt: skip
        return results

    def save(self, plan: MocksPlan, results: dict[str, Any], run: Run) -> None:
        _save(plan, results, run)

    def summary(self, plan: MocksPlan, results: dict[str, Any], run: Run) -> list[str]:
        headline = f"{plan.job.title}: {plan.settings.number} mocks by {type(plan.settings.fit).__name__}"
        return [headline, *(f"  {label}: {result.verdict()}" for label, result in results.items())]


JOB = _MocksJob()
"""``corundum mocks``."""


def _save(plan: MocksPlan, results: dict[str, Any], run: Run) -> None:
    """Write a row for each parameter of each mock, the figures and the report."""
    lines = ["combination,mock,status,points,condition,gain,parameter,truth,p16,p50,p84,rank"]
    sections = []
    for label, result in results.items():
        for i in range(len(result.status)):
            status = result.outcomes[i]
            head = f'"{label}",{i},"{status}",{int(result.points[i])},{result.condition[i]:.6g},{result.gain[i]:.6g}'
            for j, name in enumerate(result.names):
                cells = (array[i, j] for array in (result.truth, result.low, result.middle, result.high, result.rank))
                lines.append(f"{head},{name}," + ",".join(f"{value:.6g}" for value in cells))
    run.write_text("mocks.csv", "\n".join(lines) + "\n")
    with run.stage("drawing figures", "figures") as part:
        for number, (label, result) in enumerate(results.items()):
            section, figures = _section(label, number, result)
            sections.append(section)
            run.save_figures(figures, part)
    run.write_report(sections, title="mocks", subtitle=f"{len(results)} campaigns", measurements=plan.fit.measurements)


def _section(label: str, number: int, result: Any) -> tuple[Section, list[Drawing]]:
    """The part of the report on one combination of data, and its figures."""
    drawings = []
    if result.fitted.sum() >= _FEWEST:
        caption = f"{label}: ranks of truths and coverage of central intervals; grey: two binomial standard deviations."
        drawings = [Drawing(plots.coverage_figure(result)[0].figure, caption, f"coverage_{number + 1}")]
    elif result.fitted.any():
        caption = (
            f"{label}: distance of each fit from the truth, a point for each mock; ranks and coverage are drawn from "
            f"{_FEWEST} mocks on."
        )
        drawings = [Drawing(plots.pull_figure(result).figure, caption, f"pulls_{number + 1}")]
    if result.fitted.any():
        drawings += [
            Drawing(plots.recovery(result)[0, 0].figure, f"{label}: fits against truths, with 68% intervals.",
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
    return Section(label, [result.verdict(), Facts([(value, name) for name, value in facts.items()]), *drawings,
                           Table(header, rows, caption)]), drawings  # fmt: skip
