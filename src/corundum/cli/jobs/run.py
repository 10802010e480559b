"""The job behind ``corundum run``: prepare, evolve with checkpoints, relate, save, draw, report.

`run` reads as the list of its stages.  What a stage makes is written when it ends, in one step, so that a run
can be stopped at any moment.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import equinox as eqx
import numpy as np

from ... import io, observables
from ...halos import HaloHistories
from ...observables import AbstractRelation, NadarayaWatson, RegressedRelation
from ...plots import Compared, save_figure, spread_rows, standard_drawings, standard_report
from ...plots.relations import regress
from ...population import Galaxies, Population, evolve
from ..checkpoint import evolve_block, evolve_in_blocks, finished_halos
from ..distributed import announce, leading, leads, next_task
from ..output import OutputDirectory, claim
from ..progress import progress_bar
from ..runfile.job import Job, has_quantities, prepare
from ..runfile.reader import read_run_file
from ..runfile.toml import write_toml
from ..stages import finished_before, recorded_run, timed

__all__ = ["Made", "check", "run"]

_HISTORY_TIMES = 100
_NODES = 41


class Made(NamedTuple):
    """What a run has computed, for the figures and the report."""

    population: Population
    trajectories: Population | None
    compared: Population | None
    relations: dict[str, Any]


def check(file: Path, overrides: Sequence[str] = ()) -> str:
    """The resolved run file, after everything in it has been made: nothing is evolved and nothing written."""
    return write_toml(prepare(read_run_file(file, overrides)).tables)


def run(file: Path, directory: Path, overrides: Sequence[str] = (), *, overwrite: bool = False) -> str:
    """Do what a run file says and return a summary in words.

    Parameters
    ----------
    file : Path
        The run file.
    directory : Path
        Where the results go; see `corundum.cli.output`.
    overrides : sequence of str
        ``group.key=value`` settings that win over the file.
    overwrite : bool
        Discard an earlier run in `directory`.

    Raises
    ------
    ValueError, OSError
        Something is wrong with the run file, its inputs or the directory.
    KeyboardInterrupt
        Ctrl-C; its message says how to resume.
    """
    timing: dict[str, float] = {}
    with timed(timing, "prepare"):
        job = prepare(read_run_file(file, overrides))
    if not leads():
        return _follow(job)
    with leading():
        return _lead(job, directory, timing, overwrite)


def _follow(job: Job) -> str:
    """Evolve this process's share of every block that the leading process announces."""
    while task := next_task():
        which, first = task
        options = dict(solver=job.solver, block=job.output.block, first=first)
        evolve_block(job.model, _halo_sets(job)[which], job.output.redshifts, **options)
    return ""


def _lead(job: Job, directory: Path, timing: dict[str, float], overwrite: bool) -> str:
    output = claim(directory, job.tables, job.identity, overwrite=overwrite)
    if told := finished_before(output):
        return told
    about = dict(title=job.title, identity=job.identity, seeds=job.seeds)
    with recorded_run(output, job.tables, timing, **about) as info:
        made = _compute(job, output, info)
        with timed(timing, "save"):
            _save(job, output, made, info)
        with timed(timing, "figures and report"):
            _report(job, output, made, info)
    return _summary(job, made, info, directory)


def _compute(job: Job, output: OutputDirectory, info: dict[str, Any]) -> Made:
    timing = info["timing_s"]
    with timed(timing, "evolve"):
        population, computed = _evolve(job, 0, output.folder("checkpoint"))
    info["halos"], info["halos_computed"] = len(population), computed
    info["status"] = population.status_counts()
    trajectories = compared = None
    if job.output.trajectories and np.any(population.valid):
        with timed(timing, "trajectories"):
            trajectories = _trajectories(job, population)
    if job.compare_halos is not None:
        with timed(timing, "evolve compare_halos"):
            compared, _ = _evolve(job, 1, output.folder("checkpoint") / "compare")
    with timed(timing, "relations"):
        relations = _relate(job, population)
    return Made(population, trajectories, compared, relations)


def _halo_sets(job: Job) -> tuple[HaloHistories | None, ...]:
    return job.halos, job.compare_halos


def _evolve(job: Job, which: int, folder: Path) -> tuple[Population, int]:
    halos = _halo_sets(job)[which]
    folder.mkdir(exist_ok=True)
    done = finished_halos(folder, job.output.block, len(halos))
    with progress_bar(len(halos), done) as progress:
        population = evolve_in_blocks(
            job.model,
            halos,
            job.output.redshifts,
            solver=job.solver,
            block=job.output.block,
            folder=folder,
            progress=progress,
            announce=lambda first: announce((which, first)),
        )
    return population, len(halos) - done


def _trajectories(job: Job, population: Population) -> Population:
    """A few halos of the population, evolved again with many output times."""
    rows = spread_rows(population, job.output.trajectories)
    halos = job.halos[rows]
    redshift = np.asarray(halos.redshift)
    age = np.geomspace(float(np.min(halos.start)), float(halos.time[-1]), _HISTORY_TIMES)
    wanted = np.clip(np.asarray(halos.cosmology.redshift(age)), max(redshift[-1], 0.0), redshift[0])
    # Compiled as a whole it is this process's alone: the others have nothing to do with these few.
    return eqx.filter_jit(evolve)(job.model, halos, wanted, solver=job.solver)


def _relate(job: Job, population: Population) -> dict[str, Any]:
    """Every relation at every output redshift, and each measurement's relation at its own points."""
    found: dict[str, Any] = {}
    for name in observables.__all__:
        kind = getattr(observables, name)
        if not (isinstance(kind, type) and issubclass(kind, AbstractRelation)) or kind is AbstractRelation:
            continue
        for redshift in job.output.redshifts if has_quantities(kind(), job.model) else ():
            estimate = _estimate(population.at(redshift), kind())
            if estimate is not None:
                found.setdefault(name, {})[f"z={redshift!r}"] = estimate
    compared = {data.name: data.predict(population.at(redshift)) for data, redshift in job.measurements}
    return found | ({"measurements": compared} if compared else {})


def _estimate(galaxies: Galaxies, relation: AbstractRelation) -> RegressedRelation | None:
    x, y = np.asarray(relation.x(galaxies)), np.asarray(relation.y(galaxies))
    seen = x[np.isfinite(x) & np.isfinite(y) & np.asarray(galaxies.valid)]
    if not seen.size:
        return None
    # As many nodes for every relation, so that the regression compiles once.
    return regress(galaxies, relation, NadarayaWatson(), np.linspace(seen.min(), seen.max(), _NODES))


def _save(job: Job, output: OutputDirectory, made: Made, info: dict[str, Any]) -> None:
    io.save(output.file("results.h5"), made.population, job.halos, made.relations, info, model=job.model)
    if made.trajectories is not None:
        io.save(output.file("trajectories.h5"), made.trajectories, run_info=info, model=job.model)
    if made.compared is not None:
        io.save(output.file("compared.h5"), made.compared, job.compare_halos, run_info=info, model=job.model)


def _report(job: Job, output: OutputDirectory, made: Made, info: dict[str, Any]) -> None:
    compared = None
    if made.compared is not None:
        compared = Compared(made.compared, job.compare_halos, _labels(job))
    shown = dict(halos=job.halos, measurements=job.measurements, compared=compared)
    drawings = list(standard_drawings(made.population, trajectories=made.trajectories, **shown))
    folder = output.folder("figures")
    for drawing in drawings:
        for kind in job.output.figures:
            save_figure(drawing.figure, folder / f"{drawing.name}.{kind}")
    standard_report(
        output.file("report.html"),
        made.population,
        drawings=drawings,
        title=job.title,
        model=job.model,
        run_info=info,
        command="corundum run run.toml -o again/",
        run_file=info["run_file"],
        **shown,
    )


def _labels(job: Job) -> tuple[str, str]:
    kinds = tuple(job.tables[group]["kind"] for group in ("halos", "compare_halos"))
    return kinds if kinds[0] != kinds[1] else ("halos", "compare_halos")


def _summary(job: Job, made: Made, info: dict[str, Any], directory: Path) -> str:
    evolve_time = info["timing_s"]["evolve"]
    total = sum(info["timing_s"].values())
    solved = int(np.sum(np.asarray(made.population.status) == 0))
    lines = [f"{job.title}: {info['halos']} halos, {solved} solved, {info['halos'] - solved} failed"]
    lines += [f"  {count} {told}" for told, count in info["status"].items() if told != "solved"]
    rate = f", {info['halos_computed'] / evolve_time:.3g} halos/s" if info["halos_computed"] else ""
    lines += [
        f"  time     {total:.1f} s, of which evolving {evolve_time:.1f} s{rate}, compilation included",
        f"  results  {directory / 'results.h5'}",
        f"  report   {directory / 'report.html'}",
    ]
    return "\n".join(lines)
