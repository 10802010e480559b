"""The job behind ``corundum calibrate``: the numbers of a model that bring its galaxies nearest to a survey.

Every evaluation is kept; a calibration that was interrupted resumes and takes the same steps bit for bit.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from .... import __version__, inference, io, plots
from ....halos import HaloHistories
from ....inference.calibration.slopes import evaluations_for_slopes
from ....models.checks.calibrated import halo_domain
from ....plots.reports.page import Drawing, Section, Table
from ....plots.reports.survey import residual_table
from ....storage.checkpoints import fingerprint
from ...progress import progress_bar
from ...runfile.builder import construct
from ...runfile.errors import RunFileError
from ...runfile.inference_settings import Calibrate
from ...runfile.job import Job, name_or_path, prepare, survey_at
from ...runfile.reader import RunFile
from ..fit_plan import priors_in
from ..scaffold import AbstractJob, Run

__all__ = ["JOB", "CalibratePlan"]


class CalibratePlan(NamedTuple):
    """A checked run file and its [calibrate] settings.

    Attributes
    ----------
    job : Job
    settings : Calibrate
    survey : Survey
    tables : dict
        The resolved run file.
    held : dict of str to float
        Numbers of the model that the run file sets.
    identity : str
    """

    job: Job
    settings: Calibrate
    survey: Any
    tables: dict[str, Any]
    held: dict[str, float]
    identity: str


class _CalibrateJob(AbstractJob):
    def plan(self, run_file: RunFile) -> CalibratePlan:
        with run_file.located():
            if "calibrate" not in run_file.tables:
                raise RunFileError(
                    (), "the group [calibrate] is missing; it says which numbers to find, as free = [...]"
                )
            built = construct(Calibrate, run_file.tables["calibrate"], ("calibrate",))
            chosen = survey_at(built.value.survey, ("calibrate", "survey"))
        solver = {"tolerance": inference.TOLERANCE, **run_file.tables.get("solver", {})}
        job = prepare(run_file._replace(tables={**run_file.tables, "solver": solver}))
        settings = built.value
        with run_file.located():
            try:
                inference.check_calibration(
                    job.model,
                    _samples(job),
                    chosen,
                    settings.free,
                    _priors(settings.priors),
                    ties=_flat(settings.ties),
                    count_widths=settings.count_widths,
                )
            except RunFileError:
                raise
            except ValueError as error:
                raise RunFileError(("calibrate",), str(error)) from error
        tables = {**job.tables, "calibrate": {**built.table, "survey": name_or_path(settings.survey)}}
        identity = fingerprint((np.frombuffer(job.identity.encode(), np.uint8), chosen), [])
        set_here = _flat(run_file.tables["model"].get("parameters", {}))
        held = {name: float(value) for name, value in set_here.items() if np.ndim(value) == 0}
        return CalibratePlan(job, settings, chosen, tables, held, identity)

    def compute(self, plan: CalibratePlan, run: Run) -> Any:
        settings, job = plan.settings, plan.job
        stages = 1 + len(settings.count_widths)
        total = settings.starts + stages * settings.rounds * (evaluations_for_slopes(len(settings.free)) + 7)
        done = [0]
        with run.stage("calibrating"), progress_bar(total, title="calibrating", unit="evaluations") as update:

            def progress(sentence: str) -> None:
                done[0] = min(done[0] + 1, total)
                update(done[0], note=sentence)

            return inference.calibrate(
                job.model, _samples(job), plan.survey, settings.free, _priors(settings.priors),
                ties=_flat(settings.ties), starts=settings.starts, key=settings.key, rounds=settings.rounds,
                difference=settings.difference, damping=settings.damping, count_widths=settings.count_widths,
                slope_thinning=settings.slope_thinning, solver=job.solver, store=run.checkpoints().part("evaluations"),
                progress=progress,
            )  # fmt: skip

    def save(self, plan: CalibratePlan, results: Any, run: Run) -> None:
        with run.stage("saving results", "save"):
            about = {
                "title": plan.job.title, "version": __version__, "seeds": plan.job.seeds,
                "halos": dict(plan.job.halos.provenance),
                **({"earlier_halos": dict(earlier.provenance)} if (earlier := plan.job.earlier_halos) else {}),
                "calibrated_for": {**halo_domain(plan.job.halos), "redshifts": list(plan.survey.redshifts)},
            }  # fmt: skip
            io.save_calibration(run.output.file("calibration.json"), results, about, held=plan.held)
            run.write_text("findings.txt", f"{results}\n")
        with run.stage("drawing figures", "figures") as part:
            drawings = run.save_figures([_drawing(results)], part)
        sections = [
            Section("Galaxies beside the survey", [*drawings, residual_table(results.after, results.before)]),
            Section("Numbers", [_numbers(results)]),
        ]
        halos = sum(len(sample) for sample in _samples(plan.job))
        run.write_report(
            sections, title="calibrate", subtitle=f"{halos} halos, survey {plan.survey.name}",
            measurements=plan.survey.measurements,
        )  # fmt: skip

    def summary(self, plan: CalibratePlan, results: Any, run: Run) -> list[str]:
        return [f"{plan.job.title}: {results.in_words()}", *(f"  {line}" for line in str(results.after).splitlines())]


JOB = _CalibrateJob()
"""``corundum calibrate``."""


def _samples(job: Job) -> tuple[HaloHistories, ...]:
    return (job.halos,) if job.earlier_halos is None else (job.halos, job.earlier_halos)


def _priors(tables: Mapping[str, Any]) -> dict[str, Any]:
    return priors_in(tables, group="calibrate")


def _flat(table: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Dotted names, which TOML may nest, to what they say."""
    flat: dict[str, Any] = {}
    for name, value in table.items():
        flat |= _flat(value, f"{prefix}{name}.") if isinstance(value, Mapping) else {prefix + name: value}
    return flat


def _drawing(results: Any) -> Drawing:
    caption = (
        "Points: data, filled where the model was fitted to them and open where they test it; lines: the calibrated "
        "model (blue) and where it started (grey), with the standard error of a finite number of halos"
    )
    return Drawing(plots.survey_panels(results.after, results.before).flat[0].figure, caption, "survey")


def _numbers(results: Any) -> Table:
    header = ["number", "before", "after", "68% interval", "narrower than its prior"]
    rows = [
        [
            p.name, f"{float(p.value(np.array(p.start))):.4g}", f"{results.values[p.name]:.4g}",
            f"{results.lower[p.name]:.4g} to {results.upper[p.name]:.4g}", f"{100.0 * known:.0f}%",
        ]
        for p, known in zip(results.free, results.constrained, strict=True)
    ]  # fmt: skip
    return Table(header, rows, "Intervals are those of the Gaussian approximation about the mode.")
