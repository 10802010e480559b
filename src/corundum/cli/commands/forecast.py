"""``corundum forecast``: what better or other data would tell."""

import argparse
from typing import Any

from .parts.job_arguments import add_job_arguments, run_or_check

__all__ = ["add_command"]

_ABOUT = """\
Forecast what better or other data would tell, about the best fit of the data in [fit].

[forecast] says by what errors are scaled, which measurements are added, by how much each relation may be off.
"""


def add_command(commands: Any, style: dict[str, Any]) -> None:
    """Add ``forecast`` to the parser's `commands`."""
    parser = commands.add_parser("forecast", help="what better or other data would tell", description=_ABOUT, **style)
    add_job_arguments(parser)
    parser.set_defaults(command=_run)


def _run(arguments: argparse.Namespace) -> int:
    return run_or_check(arguments, _job)


def _job() -> Any:
    from ..jobs.forecast import JOB

    return JOB
