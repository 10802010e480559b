"""``corundum calibrate``: the numbers of a model that bring its galaxies nearest to a survey over cosmic time."""

import argparse
from typing import Any

from ..parts.job_arguments import add_job_arguments, run_or_check

__all__ = ["add_command"]

_ABOUT = """\
Find the numbers of a model that bring its galaxies nearest to a survey: measurements at several redshifts.

[calibrate] names the survey and the numbers to find. Halos are whole trees (halos.complete_forest), or main branches
that are counted where they end (halos.complete_roots). A calibration that was interrupted resumes where it stopped.
"""


def add_command(commands: Any, style: dict[str, Any]) -> None:
    """Add ``calibrate`` to the parser's `commands`."""
    parser = commands.add_parser(
        "calibrate", help="bring a model near to a survey over cosmic time", description=_ABOUT, **style
    )
    add_job_arguments(parser)
    parser.set_defaults(command=_run)


def _run(arguments: argparse.Namespace) -> int:
    return run_or_check(arguments, _job)


def _job() -> Any:
    from ...jobs.learning.calibrate import JOB

    return JOB
