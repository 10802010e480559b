"""``corundum train``: networks in laws, learned from data."""

import argparse
from typing import Any

from ..parts.job_arguments import add_job_arguments, run_or_check

__all__ = ["add_command"]

_ABOUT = """\
Train the networks of a model, and its free parameters with them, on the data in [fit].

[train] says how many steps and seeds, which data no step sees, how strongly weights are held to zero. A run that was
interrupted resumes where it stopped.
"""


def add_command(commands: Any, style: dict[str, Any]) -> None:
    """Add ``train`` to the parser's `commands`."""
    parser = commands.add_parser("train", help="learn laws from data", description=_ABOUT, **style)
    add_job_arguments(parser)
    parser.set_defaults(command=_run)


def _run(arguments: argparse.Namespace) -> int:
    return run_or_check(arguments, _job)


def _job() -> Any:
    from ...jobs.learning.train import JOB

    return JOB
