"""``corundum run``: evolve a galaxy in every halo of a run file and compare with measurements."""

import argparse
from typing import Any

from ...configuration import configure
from ..distributed import join, launched
from .parts.job_arguments import add_job_arguments, run_or_check

__all__ = ["add_command"]

_ABOUT = """\
Evolve a galaxy in every halo of a run file and compare the population with measurements.

A run file is TOML.  Its groups are

  [halos]          where halo histories come from: kind = "halos.monte_carlo_trees", ... and its arguments
  [model]          the galaxy model: kind = "models.pandya26" or "models.ThermalCGM", ...
  [model.parameters]   any number of the model by name; `corundum model show pandya26` lists them
  [model.cooling]  one component swapped, kind = "physics...." or "mymodule:MyCooling"
  [solver]         accuracy of the integration: tolerance, ...
  [output]         redshifts, trajectories, block, figures
  [compare]        measurements, by the names of `corundum data list`
  [compare_halos]  a second set of halos for the same model
  [earlier_halos]  halos that are counted earlier, for measurements of then

`kind` is a public name of the Python package, or module:name of a file of your own in this directory; the
other keys are its arguments.  A key that is not one of them is refused, with its position and the nearest
right one.  docs/reference/run_files.md describes every group and key.
"""

_MORE = """\
In DIR are then:

  results.h5       run information, halos, galaxies at each redshift, relations; every dataset has its unit
  report.html      figures and numbers in one file to read or send
  figures/         the figures as PNG; `corundum plot DIR --format pdf` draws them again as PDF
  trajectories.h5  the whole history of a few galaxies
  run.toml         the run file with all defaults and overrides written out: it repeats the run
  run_info.json    versions, devices, seeds, git state, timing

A run that is interrupted resumes with the same command and gives the same bits; at most one block of halos
is lost.

examples:
  corundum run quickstart.toml -o out/
  corundum run quickstart.toml -o out/64 --set halos.n=64 --set 'output.redshifts=[0.0, 4.0]'
  corundum run quickstart.toml -o out/mine --set model.cooling.kind=mymodule:MyCooling
  corundum run quickstart.toml --dry-run        # check it and print it with all defaults
  srun -n 4 corundum run quickstart.toml -o out/     # four processes, on one host or several
"""


def add_command(commands: Any, style: dict[str, Any]) -> None:
    """Add ``run`` to the parser's `commands`."""
    parser = commands.add_parser("run", help="do what a run file says", description=_ABOUT, epilog=_MORE, **style)
    add_job_arguments(parser)
    several = parser.add_argument_group(
        "several processes",
        "srun and mpirun need none of these; elsewhere start the same command N times with all three",
    )
    several.add_argument("--coordinator", metavar="HOST:PORT", help="host of process 0 and a free port on it")
    several.add_argument("--processes", metavar="N", type=int, help="how many there are")
    several.add_argument("--process", metavar="I", type=int, help="which one this is, from 0")
    parser.set_defaults(command=_run, shares_work=True)


def _run(arguments: argparse.Namespace) -> int:
    several = (arguments.coordinator, arguments.processes, arguments.process)
    if launched() is not None or any(value is not None for value in several):
        configure()
        join(*several)
    return run_or_check(arguments, _job, follow=_follow)


def _job() -> Any:
    from ..jobs.run import JOB

    return JOB


def _follow(plan: Any) -> None:
    from ..jobs.run import follow

    follow(plan)
