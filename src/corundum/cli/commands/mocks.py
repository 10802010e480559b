"""``corundum mocks``: fit mock data whose truth is known."""

import argparse
from typing import Any

from .parts.job_arguments import add_job_arguments, run_or_check

__all__ = ["add_command"]

_ABOUT = """\
Fit mock data whose truth is known, and see whether the intervals can be believed.

Truths are drawn from the prior and evolved in halos of their own; data get noise from their covariance; [fit] says
with which data and parameters, [mocks] how many and how.  The report has coverage, ranks, bias, precision, failures.
"""


def add_command(commands: Any, style: dict[str, Any]) -> None:
    """Add ``mocks`` to the parser's `commands`."""
    parser = commands.add_parser(
        "mocks", help="check with mock data that intervals can be believed", description=_ABOUT, **style
    )
    add_job_arguments(parser)
    parser.set_defaults(command=_run)


def _run(arguments: argparse.Namespace) -> int:
    return run_or_check(arguments, _job)


def _job() -> Any:
    from ..jobs.mocks import JOB

    return JOB
