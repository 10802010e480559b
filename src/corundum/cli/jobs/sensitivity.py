"""The job behind ``corundum sensitivity``: Jacobians, modes, budgets, prior-wide measures, information, a report.

Long parts, the designs over the prior, keep their finished blocks and resume bit for bit; the rest takes minutes and is
done again.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ... import io
from ... import sensitivity as sens
from ...halos import HaloHistories
from ...models import PANDYA26_FREE
from ...numerics import LaneSolver
from ...parameters import describe as describe_parameters
from ...plots import save_figure, write_report
from ...plots.reports.sensitivity import Found, sensitivity_sections
from ...population import evolve
from ...sensitivity import observable_of
from ..errors import RunFileError
from ..output import OutputDirectory, claim
from ..progress import progress_bar
from ..runfile.builder import construct
from ..runfile.job import Job, prepare
from ..runfile.reader import RunFile, read_run_file
from ..runfile.schema import Sensitivity
from ..runfile.toml import write_toml
from ..stages import finished_before, recorded_run, timed

__all__ = ["Plan", "plan", "check", "run"]


class Plan(NamedTuple):
    """A checked run file and its [sensitivity] settings.

    Attributes
    ----------
    job : Job
    settings : Sensitivity
    parameters : tuple of str
    halos : HaloHistories, those that are used
    tables : dict, the resolved run file
    """

    job: Job
    settings: Sensitivity
    parameters: tuple[str, ...]
    halos: HaloHistories
    tables: dict[str, Any]


def plan(run_file: RunFile) -> Plan:
    """Make everything a run file names and check what is asked of it.

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
    job = prepare(run_file)
    with run_file.located():
        known = describe_parameters(job.model)
        names = settings.parameters
        if names is None and all(name in known for name in PANDYA26_FREE):
            names = PANDYA26_FREE
        try:
            names = sens.choose(job.model, job.halos.cosmology, names)
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
    return Plan(job, settings, tuple(names), job.halos[rows], tables)


def check(file: Path, overrides: Sequence[str] = ()) -> str:
    """The resolved run file; nothing is computed and nothing written."""
    return write_toml(plan(read_run_file(file, overrides)).tables)


def run(file: Path, directory: Path, overrides: Sequence[str] = (), *, overwrite: bool = False) -> str:
    """Compute the sensitivities a run file asks for and return a summary in words.

    Parameters
    ----------
    file, directory, overrides, overwrite
        As for `corundum.cli.jobs.run.run`.
    """
    timing: dict[str, float] = {}
    with timed(timing, "prepare"):
        made = plan(read_run_file(file, overrides))
    output = claim(directory, made.tables, made.job.identity, overwrite=overwrite)
    if told := finished_before(output):
        return told
    about = dict(title=made.job.title, identity=made.job.identity, seeds=made.job.seeds)
    with recorded_run(output, made.tables, timing, **about) as info:
        found = _compute(made, output, timing)
        with timed(timing, "save, figures and report"):
            io.save_sensitivity(output.file("sensitivity.h5"), found.arrays(), info)
            _report(made, output, found, info)
    return _summary(made, found, timing, directory)


def _spread(log_mass, number):
    """Rows of `number` halos spread evenly over final mass, or all where there are no more."""
    if number >= len(log_mass):
        return np.arange(len(log_mass))
    wanted = np.linspace(log_mass.min(), log_mass.max(), min(number, len(log_mass)))
    return np.array(sorted({int(np.argmin(np.abs(log_mass - each))) for each in wanted}))


def _compute(made: Plan, output: OutputDirectory, timing: dict[str, float]) -> Found:
    model, halos, names = made.job.model, made.halos, made.parameters
    redshifts, solver = made.settings.redshifts, made.job.solver
    found = Found(model=model, parameters=names, redshifts=redshifts)
    _over_prior(made, output, timing, found)  # first, because a design may be too large for the memory
    with timed(timing, "parameter Jacobian"):
        found.jacobian = sens.parameter_jacobian(model, halos, names, redshifts, solver=solver)
    with timed(timing, "channel Jacobian"):
        found.channels = _or_note(found, lambda: sens.channel_jacobian(model, halos, redshifts, solver=solver))
    with timed(timing, "routes"):
        found.routes = _or_note(found, lambda: sens.routes(model, halos, names, redshifts, solver=solver))
    with timed(timing, "eigenmodes"):
        middle = halos[len(halos) // 2 : len(halos) // 2 + 1]
        history = sens.history_redshifts(middle, made.settings.times)
        found.state = sens.state_jacobian(model, middle, history, solver=solver)
        found.modes = sens.modes(found.state)
    with timed(timing, "budgets"):
        found.budgets = _or_note(found, lambda: sens.budgets(model, halos, redshifts, names, solver=_tight(solver)))
    if made.job.measurements:
        with timed(timing, "information"):
            _information(made, found)
    return found


def _tight(solver):
    """Budgets close as well as they are integrated: with their own, tighter solver unless the user has another."""
    return None if isinstance(solver, LaneSolver) else solver


def _or_note(found: Found, compute):
    """What a model allows; why not, for the report, where it does not."""
    try:
        return compute()
    except ValueError as error:
        found.notes.append(str(error))
        return None


def _over_prior(made: Plan, output: OutputDirectory, timing: dict[str, float], found: Found) -> None:
    model, halos, settings = made.job.model, made.halos, made.settings
    common = (model, halos, settings.redshifts)
    if settings.sets:
        box = sens.prior_box(model, made.parameters, cosmology=halos.cosmology)
        design = sens.latin_hypercube(box, settings.sets, key=settings.key)
        function = sens.JacobiansOf(*common, coordinates=box.coordinates, solver=made.job.solver)
        with timed(timing, "prior-wide Jacobians"):
            study = _study(made, output, "prior", function, design)
        found.add_prior(study)
    if settings.sobol:
        box = sens.prior_box(model, made.parameters, cosmology=halos.cosmology)
        design = sens.saltelli(box, settings.sobol, key=settings.key)
        function = sens.StatesOf(*common, solver=made.job.solver)
        with timed(timing, "Sobol indices"):
            study = _study(made, output, "sobol", function, design)
        found.sobol = sens.sobol_indices(design, study.outputs["values"], key=settings.key)
        found.sobol_failed = study.failed()


def _study(made, output, name, function, design):
    store = io.BlockFolder(output.folder("checkpoint") / name, made.job.identity)
    with progress_bar(len(design), what=name, unit="sets") as told:
        return sens.run_study(
            function, design, block=made.settings.block, store=store, progress=lambda done, total: told(done)
        )


def _information(made: Plan, found: Found) -> None:
    """Expected information of the measurements, from all halos that the run file has, up to some hundreds."""
    job = made.job
    halos = job.halos[_spread(np.asarray(job.halos.log_mvir)[:, -1], 256)]
    redshifts = sorted({redshift for _, redshift in job.measurements})
    fiducial = evolve(job.model, halos, redshifts, solver=job.solver)
    data = [observable_of(measurement, fiducial, redshift) for measurement, redshift in job.measurements]
    data = [each for each in data if each.used.any()]
    if not data:
        found.notes.append("no measurement is reached by enough galaxies, so there is no information to weigh")
        return
    slopes = sens.summary_jacobian(data, job.model, halos, made.parameters, redshifts, solver=job.solver)
    found.fisher, found.design = sens.expected_fisher(data, slopes), sens.greedy_design(data, slopes)


def _report(made: Plan, output: OutputDirectory, found: Found, info: dict[str, Any]) -> None:
    sections, drawings = sensitivity_sections(found, run_info=info, run_file=info["run_file"])
    folder = output.folder("figures")
    for drawing in drawings:
        for kind in made.job.output.figures:
            save_figure(drawing.figure, folder / f"{drawing.name}.{kind}")
    subtitle = f"{len(made.halos)} halos, {len(made.parameters)} parameters"
    write_report(output.file("report.html"), sections, title=f"{made.job.title}: sensitivity", subtitle=subtitle)


def _summary(made: Plan, found: Found, timing: dict[str, float], directory: Path) -> str:
    counts = ", ".join(f"{count} {told}" for told, count in found.jacobian.status_counts().items())
    lines = [
        f"{made.job.title}: sensitivity of {len(made.halos)} halos to {len(made.parameters)} parameters ({counts})"
    ]
    lines += [f"  note     {note}" for note in found.notes]
    lines += [
        f"  time     {sum(timing.values()):.1f} s, compilation included",
        f"  results  {directory / 'sensitivity.h5'}",
        f"  report   {directory / 'report.html'}",
    ]
    return "\n".join(lines)
