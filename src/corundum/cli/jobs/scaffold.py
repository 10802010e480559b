"""The scaffold of every job: what ``corundum run``, ``fit``, ``mocks``, ``forecast`` and ``sensitivity`` share.

`run_job` reads and checks the run file, claims the output directory, returns at once where the run is finished
already, records what is run by what, times the stages, and says how to resume after Ctrl-C.  A job itself
(`AbstractJob`) is the list of its stages: what it plans, computes, saves and summarises.
"""

import abc
import contextlib
import datetime
import gc
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from ...observables import Measurement
from ...parameters import describe as describe_parameters
from ...plots.reports.about import papers, parameter_table, reproduction, run_sections
from ...plots.reports.page import Drawing, Section, write_report
from ...storage.checkpoints import CheckpointFolder
from ...storage.files import atomic_path
from ..distributed import leading, leads, works_alone
from ..environment import describe
from ..progress import stage, time_line
from ..runfile.reader import RunFile
from ..runfile.toml import write_toml
from .output import OutputDirectory, claim, refuse_early

__all__ = ["AbstractJob", "Run", "check_job", "run_job"]


class Run:
    """A run under way: where it writes, what is recorded of it, and how long each stage took.

    Attributes
    ----------
    plan
        What `AbstractJob.plan` has returned.
    output : OutputDirectory
    info : dict
        The run information, written to ``run_info.json`` when the run starts and when it ends.
    images : dict of Figure to bytes
        Figures that have been drawn, as PNG images, for the report.
    timing : dict of str to float
        Seconds that each stage of this call took, that of loading the package included, and those of compiling.
    """

    def __init__(self, plan: Any, output: OutputDirectory, timing: dict[str, float]):
        self.plan, self.output, self.timing = plan, output, timing
        self.images: dict[Any, bytes] = {}
        before = output.read_info()
        self.info: dict[str, Any] = {
            "title": plan.job.title,
            "identity": plan.identity,
            "seeds": plan.job.seeds,
            "run_file": write_toml(plan.tables),
            "started": before.get("started", _now()),
            "resumed": [*before["resumed"], _now()] if before else [],
            **describe(),
            "timing_s": timing,
            "finished": None,
        }

    def stage(self, title: str, name: str = "") -> contextlib.AbstractContextManager[Callable[[str], None]]:
        """A stage of the run, shown with its `title`; its duration is recorded under `name`, by default the title."""
        return stage(title, self.timing, name)

    def checkpoints(self, *names: str) -> CheckpointFolder:
        """The folder of checkpoints of this run, or one below it."""
        folder = self.output.folder("checkpoint")
        for name in names:
            folder = folder / name
        return CheckpointFolder(folder, self.plan.identity)

    def write_text(self, name: str, text: str) -> None:
        """Write a text file of the results, in one step."""
        with atomic_path(self.output.file(name)) as scratch:
            scratch.write_text(text, encoding="utf-8")

    def save_figures(self, drawings: Iterable[Drawing], part: Callable[[str], None]) -> list[Drawing]:
        """Save each figure as soon as it is drawn, in each format that the run file names; returns them all.

        The report shows the same images.  `part`, of the stage, is called with the name of each.
        """
        from ...plots.saving import figure_files  # with matplotlib, which the first page does not wait for

        folder, kinds = self.output.folder("figures"), self.plan.job.output.figures
        saved = []
        gc.freeze()  # a figure is thousands of new objects, and to collect among them would visit all that JAX holds
        try:
            for drawing in drawings:
                part(drawing.name.replace("_", " "))
                files = figure_files(drawing.figure, dict.fromkeys(("png", *kinds)))
                self.images[drawing.figure] = files["png"]
                for kind in kinds:
                    with atomic_path(folder / f"{drawing.name}.{kind}") as scratch:
                        scratch.write_bytes(files[kind])
                saved.append(drawing)
        finally:
            gc.unfreeze()
        return saved

    def write_report(
        self, sections: Sequence[Section], *, title: str, subtitle: str, measurements: Iterable[Measurement] = ()
    ) -> None:
        """Write ``report.html``: these sections, the papers, and what was run, when and for how long.

        `title` is the command, and `measurements` are the data whose papers are listed.
        """
        with self.stage("writing the report", "report"):
            job = self.plan.job
            kind = job.tables["model"]["kind"]
            numbers = parameter_table(describe_parameters(job.model), job.defaults, kind)
            about = [
                Section("Parameters of the model", [numbers]),
                papers(job.model, job.halos, measurements),
                *run_sections(self.info),
                reproduction(f"corundum {title} run.toml -o again/", self.info["run_file"]),
            ]
            write_report(
                self.output.file("report.html"),
                [*sections, *about],
                title=f"{job.title}: {title}",
                subtitle=f"model {kind}; {subtitle}",
                images=self.images,
            )


class AbstractJob(abc.ABC):
    """What a command does with a run file.

    A plan has the attributes ``job`` (`corundum.cli.runfile.job.Job`), ``tables`` (the resolved run file) and
    ``identity`` (the fingerprint of all inputs).
    """

    @abc.abstractmethod
    def plan(self, run_file: RunFile) -> Any:
        """Build everything that the run file names and check it; a ValueError opens with the position in the file."""

    @abc.abstractmethod
    def compute(self, plan: Any, run: Run) -> Any:
        """Compute the results, stage by stage."""

    @abc.abstractmethod
    def save(self, plan: Any, results: Any, run: Run) -> None:
        """Write results, figures and report."""

    @abc.abstractmethod
    def summary(self, plan: Any, results: Any, run: Run) -> list[str]:
        """The lines that the command prints when the run is finished, without its duration and the report."""


def check_job(job: AbstractJob, run_file: RunFile) -> str:
    """The resolved run file, after everything in it has been built and checked; nothing is computed or written."""
    return write_toml(job.plan(run_file).tables)


def run_job(
    job: AbstractJob,
    run_file: RunFile,
    directory: Path,
    *,
    overwrite: bool = False,
    follow: Callable[[Any], None] | None = None,
    timing: dict[str, float] | None = None,
) -> str:
    """Do a job and return a summary of its results.

    Parameters
    ----------
    job : AbstractJob
    run_file : RunFile
        As `corundum.cli.runfile.reader.read_run_file` returns it.
    directory : Path
        Where the results go; see `corundum.cli.jobs.output`.
    overwrite : bool
        Discard an earlier run in `directory`.
    follow : callable, optional
        What the processes other than the leading one do with the plan; their summary is empty.
    timing : dict of str to float, optional
        Seconds that stages before this call took; those of the job join them.

    Raises
    ------
    ValueError, OSError
        Something is wrong with the run file, its inputs or the directory.
    KeyboardInterrupt
        Ctrl-C; its message says how to resume.
    """
    timing = {} if timing is None else timing
    if works_alone():  # among several processes all would have to stop; `claim` refuses for all of them
        refuse_early(directory, run_file.tables, overwrite=overwrite)
    with stage("preparing model and data", timing, "prepare"):
        plan = job.plan(run_file)
    if not leads():
        if follow is not None:
            follow(plan)
        return ""
    with leading(), claim(directory, plan.tables, plan.identity, overwrite=overwrite) as output:
        if output.state == "finished":
            return f"{output.root} holds this run already, finished {output.read_info()['finished']}; nothing was done"
        run = Run(plan, output, timing)
        output.write_info(run.info)
        try:
            results = job.compute(plan, run)
            job.save(plan, results, run)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(f"what is finished is kept in {output.root}; the same command resumes") from None
        run.info["finished"] = _now()
        output.write_info(run.info)
        output.drop_checkpoint()
    return "\n".join([
        *job.summary(plan, results, run),
        f"  time     {time_line(timing)}",
        f"  report   {output.file('report.html')}",
    ])  # fmt: skip


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
