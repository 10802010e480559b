"""The job behind ``corundum sensitivity``: Jacobians, modes, budgets, prior-wide measures, information, a report.

The designs over the prior take long: their finished blocks are kept and resumed bit for bit.  The rest takes minutes
and is computed again.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ... import io
from ... import sensitivity as sens
from ...halos import HaloHistories
from ...models import PANDYA26_FREE
from ...numerics import LaneSolver
from ...parameters import describe as describe_parameters
from ...plots.names import short_name
from ...plots.reports.sensitivity import SensitivityResults, sensitivity_sections
from ...population import evolve
from ...sensitivity import observable_of
from ...sensitivity.prior_wide.designs import salib
from ..progress import progress_bar
from ..runfile.builder import construct
from ..runfile.errors import RunFileError
from ..runfile.job import Job, prepare
from ..runfile.reader import RunFile
from ..runfile.schema import Sensitivity
from .scaffold import AbstractJob, Run

__all__ = ["JOB", "SensitivityPlan", "plan_sensitivity"]


class SensitivityPlan(NamedTuple):
    """A checked run file and its [sensitivity] settings.

    Attributes
    ----------
    job : Job
    settings : Sensitivity
    parameters : tuple of str
    halos : HaloHistories
        Those that are used.
    tables : dict
        The resolved run file.
    identity : str
        Fingerprint of all inputs.
    """

    job: Job
    settings: Sensitivity
    parameters: tuple[str, ...]
    halos: HaloHistories
    tables: dict[str, Any]
    identity: str


def plan_sensitivity(run_file: RunFile) -> SensitivityPlan:
    """Make everything a run file names and check its [sensitivity] settings.

    Raises
    ------
    ValueError
        Something in it is wrong; the message opens with the position.
    """
    with run_file.located():
        built = construct(Sensitivity, run_file.tables.get("sensitivity", {}), ("sensitivity",))
        settings = built.value
        if settings.sobol & (settings.sobol - 1) or settings.sobol == 1:
            raise RunFileError(("sensitivity", "sobol"), f"got {settings.sobol}; allowed 0 or a power of two from 2")
        if settings.sobol:
            try:
                salib("analyze.sobol")  # now, and not after the hours that the rest takes
            except ImportError as error:
                raise RunFileError(("sensitivity", "sobol"), f"{error}, or set sobol = 0") from error
    job = prepare(run_file)
    with run_file.located():
        known = describe_parameters(job.model)
        names = settings.parameters
        if names is None and all(name in known for name in PANDYA26_FREE):
            names = PANDYA26_FREE
        try:
            names = sens.choose_parameters(job.model, job.halos.cosmology, names)
        except ValueError as error:
            raise RunFileError(("sensitivity", "parameters"), str(error)) from error
        try:
            sens.prior_box(job.model, names, cosmology=job.halos.cosmology) if settings.sets or settings.sobol else None
        except ValueError as error:
            raise RunFileError(("sensitivity", "parameters"), f"{error}, or set sets = 0 and sobol = 0") from error
        try:
            sens.check_redshifts(job.halos, settings.redshifts)
        except ValueError as error:
            raise RunFileError(("sensitivity", "redshifts"), str(error)) from error
    rows = _spread(np.asarray(job.halos.log_mvir)[:, -1], settings.halos)
    tables = {**job.tables, "sensitivity": {**built.table, "parameters": list(names)}}
    return SensitivityPlan(job, settings, tuple(names), job.halos[rows], tables, job.identity)


def _spread(log_mass, number):
    """Rows of `number` halos spread evenly over final mass, or all where there are no more."""
    if number >= len(log_mass):
        return np.arange(len(log_mass))
    targets = np.linspace(log_mass.min(), log_mass.max(), min(number, len(log_mass)))
    return np.array(sorted({int(np.argmin(np.abs(log_mass - target))) for target in targets}))


class _SensitivityJob(AbstractJob):
    def plan(self, run_file: RunFile) -> SensitivityPlan:
        return plan_sensitivity(run_file)

    def compute(self, plan: SensitivityPlan, run: Run) -> SensitivityResults:
        model, halos, names = plan.job.model, plan.halos, plan.parameters
        redshifts, solver = plan.settings.redshifts, plan.job.solver
        results = SensitivityResults(model=model, parameters=names, redshifts=redshifts)
        _over_prior(plan, run, results)  # first, because a design may be too large for the memory
        with run.stage("parameter Jacobian"):
            results.jacobian = sens.parameter_jacobian(model, halos, names, redshifts, solver=solver)
        with run.stage("channel Jacobian"):
            results.channels = _or_note(results, lambda: sens.channel_jacobian(model, halos, redshifts, solver=solver))
        with run.stage("routes"):
            results.routes = _or_note(results, lambda: sens.routes(model, halos, names, redshifts, solver=solver))
        with run.stage("eigenmodes"):
            middle = halos[len(halos) // 2 : len(halos) // 2 + 1]
            history = sens.history_redshifts(middle, plan.settings.times)
            results.state = sens.state_jacobian(model, middle, history, solver=solver)
            results.modes = sens.modes(results.state)
        with run.stage("budgets"):
            results.budgets = _or_note(
                results, lambda: sens.budgets(model, halos, redshifts, names, solver=_tight(solver))
            )
        if plan.job.measurements:
            with run.stage("information"):
                _information(plan, results)
        return results

    def save(self, plan: SensitivityPlan, results: SensitivityResults, run: Run) -> None:
        with run.stage("saving results", "save"):
            io.save_sensitivity(run.output.file("sensitivity.h5"), results.arrays(), run.info)
        with run.stage("drawing figures", "figures") as part:
            sections, drawings = sensitivity_sections(results)
            run.save_figures(drawings, part)
        subtitle = f"{len(plan.halos)} halos, {len(plan.parameters)} parameters"
        measurements = [measurement for measurement, _ in plan.job.measurements]
        run.write_report(sections, title="sensitivity", subtitle=subtitle, measurements=measurements)

    def summary(self, plan: SensitivityPlan, results: SensitivityResults, run: Run) -> list[str]:
        counts = ", ".join(f"{count} {status}" for status, count in results.jacobian.status_counts().items())
        size = f"{len(plan.halos)} halos to {len(plan.parameters)} parameters"
        return [
            f"{plan.job.title}: sensitivity of {size} ({counts})",
            *(f"  note     {note}" for note in results.notes),
            f"  results  {run.output.file('sensitivity.h5')}",
        ]


JOB = _SensitivityJob()
"""``corundum sensitivity``."""


def _tight(solver):
    """The solver of budgets, which close only as well as they are integrated: their own, unless the user names one."""
    return None if isinstance(solver, LaneSolver) else solver


def _or_note(results: SensitivityResults, compute: Callable[[], Any]) -> Any:
    """The result of `compute`; None, and a note in the report that says why, where the model does not allow it."""
    try:
        return compute()
    except ValueError as error:
        results.notes.append(str(error))
        return None


def _over_prior(plan: SensitivityPlan, run: Run, results: SensitivityResults) -> None:
    model, halos, settings = plan.job.model, plan.halos, plan.settings
    common = (model, halos, settings.redshifts)
    if settings.sets:
        box = sens.prior_box(model, plan.parameters, cosmology=halos.cosmology)
        design = sens.latin_hypercube(box, settings.sets, key=settings.key)
        jacobians = sens.JacobiansOf(*common, coordinates=box.coordinates, solver=plan.job.solver)
        with run.stage("prior-wide Jacobians"):
            study = _study(plan, run, "prior", jacobians, design)
        results.add_prior(study)
    if settings.sobol:
        box = sens.prior_box(model, plan.parameters, cosmology=halos.cosmology)
        design = sens.saltelli(box, settings.sobol, key=settings.key)
        states = sens.StatesOf(*common, solver=plan.job.solver)
        with run.stage("Sobol indices"):
            study = _study(plan, run, "sobol", states, design)
        results.sobol = sens.sobol_indices(design, study.outputs["values"], key=settings.key)
        results.sobol_failed = study.failed()


def _study(plan, run, name, function, design):
    with progress_bar(len(design), title=name, unit="sets") as progress:
        store = run.checkpoints(name)
        return sens.run_study(function, design, block=plan.settings.block, store=store, progress=progress)


def _information(plan: SensitivityPlan, results: SensitivityResults) -> None:
    """Expected information of the measurements, from up to 256 halos of the run file."""
    job = plan.job
    halos = job.halos[_spread(np.asarray(job.halos.log_mvir)[:, -1], 256)]
    redshifts = sorted({redshift for _, redshift in job.measurements})
    fiducial = evolve(job.model, halos, redshifts, solver=job.solver)
    data = [observable_of(measurement, fiducial, redshift) for measurement, redshift in job.measurements]
    data = [observable for observable in data if observable.used is not None and observable.used.any()]
    if not data:
        results.notes.append("no measurement is reached by enough galaxies, so there is no information to weigh")
        return
    slopes = sens.summary_jacobian(data, job.model, halos, plan.parameters, redshifts, solver=job.solver)
    results.labels = {data.name: f"{short_name(data)}, {data.relation.title}" for data, _ in job.measurements}
    results.fisher, results.design = sens.expected_fisher(data, slopes), sens.greedy_design(data, slopes)
