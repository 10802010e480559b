"""``corundum sensitivity``: how galaxies respond to parameters and channels."""

import argparse
from typing import Any

from .parts.job_arguments import add_job_arguments, run_or_check

__all__ = ["add_command"]

_ABOUT = """\
How do galaxies respond to the parameters of a model, and through which channels?

For halos of a run file: the exact parameter and channel Jacobians, each parameter's effect split over the flows
it acts through, the eigenmodes of a galaxy, baryon and energy budgets with a prevention and an ejection index, maps
of sensitivity over the whole prior, Sobol indices, and the information that the measurements of [compare] carry.
The group [sensitivity] of the run file says how much of each; docs/reference/sensitivity.md walks through the results.
"""

_MORE = """\
In DIR are then:

  sensitivity.h5   every table, labelled; corundum.io.load_sensitivity reads it
  report.html      figures and tables in one file
  figures/         the figures as PNG; output.figures = ["png", "pdf"] adds PDF
  run.toml, run_info.json

A run that is interrupted resumes with the same command; at most one block of parameter sets is lost.

examples:
  corundum sensitivity quickstart.toml -o out/
  corundum sensitivity quickstart.toml -o out/ --set sensitivity.sets=1000 --set sensitivity.sobol=256
"""


def add_command(commands: Any, style: dict[str, Any]) -> None:
    """Add ``sensitivity`` to the parser's `commands`."""
    parser = commands.add_parser(
        "sensitivity", help="how galaxies respond to parameters and channels", description=_ABOUT, epilog=_MORE, **style
    )
    add_job_arguments(parser)
    parser.set_defaults(command=_run)


def _run(arguments: argparse.Namespace) -> int:
    return run_or_check(arguments, _job)


def _job() -> Any:
    from ..jobs.sensitivity import JOB

    return JOB
