"""The job behind ``corundum run``: evolve halos in blocks, regress relations, save, draw, report.

What a stage computes is written when it ends, in one step, so that a run can be stopped at any moment.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ... import io, observables, plots
from ...halos import HaloHistories
from ...models import outside_calibration
from ...numerics.compiling import compiled
from ...observables import AbstractRelation, NadarayaWatson, RegressedRelation, Residuals
from ...observables.abundance import counted_at, outputs_until_end
from ...plots.regressed import regress, relation_points
from ...plots.reports.page import Drawing
from ...population import Galaxies, Population, evolve
from ..distributed import announce, next_task, works_alone
from ..progress import progress_bar
from ..runfile.job import Job, halo_labels, has_quantities, prepare
from ..runfile.reader import RunFile
from .blocks import evolve_block, evolve_few, evolve_in_blocks, finished_halos
from .scaffold import AbstractJob, Run

__all__ = ["JOB", "RunPlan", "RunResults", "follow"]

_HISTORY_TIMES = 100
_NODES = 41
_CALIBRATED = "models.reference"
_TO_COME = (
    "The figures are being drawn: open this page again in a moment. Where the run was stopped, the same command draws "
    "them."
)


class RunPlan(NamedTuple):
    """A checked run file.

    Attributes
    ----------
    job : Job
    tables : dict
        The resolved run file.
    identity : str
        Fingerprint of all inputs.
    """

    job: Job
    tables: dict[str, Any]
    identity: str


class RunResults(NamedTuple):
    """What a run computes: galaxies, histories of a few, those in further sets of halos, relations, a survey."""

    population: Population
    trajectories: Population | None
    compared: Population | None
    earlier: Population | None
    relations: dict[str, Any]
    residuals: Residuals | None


class _RunJob(AbstractJob):
    def plan(self, run_file: RunFile) -> RunPlan:
        job = prepare(run_file)
        if not works_alone() and any(halo_set.halos.satellites is not None for halo_set in _halo_sets(job)):
            raise ValueError("halos: merger trees with satellites are evolved by one process; start one, not several")
        if job.earlier_halos is not None and not outputs_until_end(job.earlier_halos, job.output.redshifts):
            raise ValueError(
                f"earlier_halos: they end at z = {counted_at(job.earlier_halos):.2f}, and no output is so early; add "
                "that redshift to output.redshifts, or leave the group out"
            )
        return RunPlan(job, job.tables, job.identity)

    def compute(self, plan: RunPlan, run: Run) -> RunResults:
        job = plan.job
        with run.stage("evolving galaxies", "evolve"):
            population, computed = _evolve(job, 0, run)
        run.info["halos"], run.info["halos_computed"] = len(population), computed
        run.info["status"] = population.status_counts()
        further: dict[str, Population] = {}
        for number, halo_set in enumerate(_halo_sets(job)[1:], 1):
            with run.stage(f"evolving galaxies in {halo_set.group}", f"evolve {halo_set.group}"):
                further[halo_set.group], _ = _evolve(job, number, run)
        compared, earlier = (further.get(group) for group in ("compare_halos", "earlier_halos"))
        with run.stage("regressing relations", "relations"):
            relations = _relate(job, population)
            residuals = None
            if job.survey is not None and np.any(population.valid):
                residuals = observables.residuals(job.survey, (population, *([] if earlier is None else [earlier])))
        results = RunResults(population, None, compared, earlier, relations, residuals)
        with run.stage("writing its numbers", "first report"):
            _write_page(job, results, run, [_TO_COME])
        # Galaxies of merger trees have other galaxies in them: following a few means following whole trees.
        if job.output.trajectories and job.halos.satellites is None and np.any(population.valid):
            with run.stage("following a few galaxies through time", "trajectories"):
                results = results._replace(trajectories=_trajectories(job, population))
        return results

    def save(self, plan: RunPlan, results: RunResults, run: Run) -> None:
        with run.stage("saving results", "save"):
            _save(plan.job, results, run)
        with run.stage("drawing figures", "figures") as part:
            part("regressing relations")
            figures = plots.standard_drawings(
                results.population, trajectories=results.trajectories, **_shared(plan.job, results)
            )
            drawings = run.save_figures([*_survey_drawing(results), *figures], part)
        with run.stage("writing the report", "report"):
            _write_page(plan.job, results, run, drawings)

    def summary(self, plan: RunPlan, results: RunResults, run: Run) -> list[str]:
        solved = int(np.sum(np.asarray(results.population.status) == 0))
        halos, computed, seconds = run.info["halos"], run.info["halos_computed"], run.timing["evolve"]
        rate = f", {computed / seconds:.0f} halos/s" if computed and seconds else ""
        return [
            _model_line(plan.job),
            f"{plan.job.title}: {halos} halos, {solved} solved, {halos - solved} failed",
            *(f"  {count} {status}" for status, count in run.info["status"].items() if status != "solved"),
            f"  results  {run.output.file('results.h5')}",
            f"  evolving {seconds:.1f} s{rate}",
            *(f"  {line}" for line in ([] if results.residuals is None else str(results.residuals).splitlines())),
        ]


def _model_line(job: Job) -> str:
    """Which model a run file names, and what a reader of the results should know first: its note, foreign halos."""
    kind = job.tables["model"]["kind"]
    notes = [job.note] if job.note else []
    if kind == _CALIBRATED:
        notes += outside_calibration(job.halos, job.output.redshifts)
    return f"model {kind}" + (f": {'; '.join(notes)}" if notes else "")


JOB = _RunJob()
"""``corundum run``."""


def follow(plan: RunPlan) -> None:
    """Evolve this process's share of every block that the leading process announces."""
    job = plan.job
    while task := next_task():
        number, first = task
        halo_set = _halo_sets(job)[number]
        evolve_block(
            job.model, halo_set.halos, halo_set.redshifts,
            histories=_histories(job), solver=job.solver, block=job.output.block, first=first,
        )  # fmt: skip


def _survey_drawing(results: RunResults) -> list[Drawing]:
    if results.residuals is None:
        return []
    caption = (
        f"Points: data of the survey {results.residuals.survey.name}, filled where models are fitted to them and open "
        "where they test them; lines: these galaxies, with the standard error of a finite number of halos"
    )
    return [Drawing(plots.survey_panels(results.residuals).flat[0].figure, caption, "survey")]


def _relations(job: Job) -> list[AbstractRelation]:
    """Every public relation whose quantities the galaxies of this run have."""
    # Attributes of a class may be abstract too, which `inspect.isabstract` does not see; the name says it.
    public = (getattr(observables, name) for name in observables.__all__ if not name.startswith("Abstract"))
    concrete = (kind() for kind in public if isinstance(kind, type) and issubclass(kind, AbstractRelation))
    return [relation for relation in concrete if has_quantities(relation, job.model, job.halos)]


def _histories(job: Job) -> tuple[str, ...]:
    tests = () if job.survey is None else job.survey.measurements
    return observables.histories_of([*_relations(job), *(data for data, _ in job.measurements), *tests])


class _HaloSet(NamedTuple):
    """Halos of one group of the run file, the redshifts at which their galaxies are kept, and where checkpoints lie."""

    group: str
    halos: HaloHistories
    redshifts: tuple[float, ...]
    checkpoints: str


def _halo_sets(job: Job) -> list[_HaloSet]:
    redshifts = job.output.redshifts
    sets = [_HaloSet("halos", job.halos, redshifts, "")]
    if job.compare_halos is not None:
        sets.append(_HaloSet("compare_halos", job.compare_halos, redshifts, "compare"))
    if job.earlier_halos is not None:
        before = outputs_until_end(job.earlier_halos, redshifts)
        sets.append(_HaloSet("earlier_halos", job.earlier_halos, before, "earlier"))
    return sets


def _evolve(job: Job, number: int, run: Run) -> tuple[Population, int]:
    """The galaxies in one set of halos, and how many of them were not kept by an earlier call."""
    group, halos, redshifts, folder = _halo_sets(job)[number]
    store = run.checkpoints(folder) if folder else run.checkpoints()
    done = finished_halos(store, job.output.block, len(halos))
    with progress_bar(len(halos), done, title="galaxies", unit="halos") as progress:
        population = evolve_in_blocks(
            job.model,
            halos,
            redshifts,
            histories=_histories(job),
            solver=job.solver,
            block=job.output.block,
            store=store,
            progress=progress,
            announce=lambda first: announce((number, first)),
        )
    return population, len(halos) - done


def _trajectories(job: Job, population: Population) -> Population:
    """A few halos of the population, evolved again with many output times."""
    rows = plots.spread_rows(population, job.output.trajectories)
    halos = job.halos[rows]
    redshift = np.asarray(halos.redshift)
    age = np.geomspace(float(np.min(np.asarray(halos.start))), float(np.asarray(halos.time)[-1]), _HISTORY_TIMES)
    redshifts = np.clip(halos.cosmology.redshift(age), max(redshift[-1], 0.0), redshift[0])
    if not works_alone():
        # Compiled as a whole, the program belongs to this process alone: the others take no part in these few halos.
        return compiled(evolve)(job.model, halos, redshifts, solver=job.solver)
    size, together = min(job.output.block, len(job.halos)), len(job.output.redshifts)
    return evolve_few(
        job.model, halos, redshifts, histories=_histories(job), solver=job.solver, size=size, together=together
    )


def _relate(job: Job, population: Population) -> dict[str, Any]:
    """Every relation at every output redshift, and each measurement's relation at its own points."""
    relations: dict[str, Any] = {}
    for relation in _relations(job):
        for redshift in job.output.redshifts:
            estimate = _estimate(population.at(redshift), relation)
            if estimate is not None:
                relations.setdefault(type(relation).__name__, {})[f"z={redshift!r}"] = estimate
    compared = {data.name: data.predict(population.at(redshift)) for data, redshift in job.measurements}
    return relations | ({"measurements": compared} if compared else {})


def _estimate(galaxies: Galaxies, relation: AbstractRelation) -> RegressedRelation | None:
    """The regressed relation of the galaxies; None where no galaxy has finite coordinates."""
    x, _, good = relation_points(galaxies, relation)
    x_of_valid = x[good]
    if not x_of_valid.size:
        return None
    return regress(galaxies, relation, NadarayaWatson(), np.linspace(x_of_valid.min(), x_of_valid.max(), _NODES))


def _save(job: Job, results: RunResults, run: Run) -> None:
    file = run.output.file
    options: dict[str, Any] = dict(run_info=run.info, model=job.model)
    io.save(file("results.h5"), results.population, job.halos, results.relations, **options)
    if results.trajectories is not None:
        io.save(file("trajectories.h5"), results.trajectories, **options)
    if results.compared is not None:
        io.save(file("compared.h5"), results.compared, job.compare_halos, **options)
    if results.earlier is not None:
        io.save(file("earlier.h5"), results.earlier, job.earlier_halos, **options)


def _shared(job: Job, results: RunResults) -> dict[str, Any]:
    """What figures and report need besides the galaxies."""
    compared = None
    if results.compared is not None and job.compare_halos is not None:
        compared = plots.Compared(results.compared, job.compare_halos, halo_labels(job.tables))
    return {"halos": job.halos, "measurements": job.measurements, "compared": compared}


def _write_page(job: Job, results: RunResults, run: Run, figures: Sequence[Any]) -> None:
    """Write ``report.html``: its numbers, and the figures that are ready or what to say in place of them."""
    plots.standard_report(
        run.output.file("report.html"),
        results.population,
        drawings=figures,
        title=job.title,
        note=_model_line(job),
        model=job.model,
        preset=job.tables["model"]["kind"],
        defaults=job.defaults,
        run_info=run.info,
        command="corundum run run.toml -o again/",
        run_file=run.info["run_file"],
        images=run.images,
        residuals=results.residuals,
        **_shared(job, results),
    )
