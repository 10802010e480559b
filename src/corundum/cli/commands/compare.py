"""``corundum compare``: which of several models the data prefer."""

import argparse
from pathlib import Path
from typing import Any

from .parts.job_arguments import add_job_arguments, run_or_check

__all__ = ["add_command"]

_ABOUT = """\
Compare models of the same data: evidences with errors, Bayes factors, cross-validation, predictive checks.

The models are those of several run files, or the variants of one: each table [variants.NAME] changes keys of the file.
Every model is fitted as by `corundum fit`, to the points that the galaxies of all of them reach.
"""

_MORE = """\
In DIR are then:

  comparison.csv   a row for each model, the best first
  posterior-N.nc   draws of the N-th model as ArviZ netCDF
  findings.txt, report.html, figures/, run.toml, run_info.json

A run that is interrupted resumes with the same command.

examples:
  corundum compare examples/compare_feedback.toml -o out-compare/
  corundum compare mine.toml theirs.toml -o out-compare/
"""


def add_command(commands: Any, style: dict[str, Any]) -> None:
    """Add ``compare`` to the parser's `commands`."""
    parser = commands.add_parser(
        "compare", help="which of several models the data prefer", description=_ABOUT, epilog=_MORE, **style
    )
    add_job_arguments(parser, several=True)
    parser.set_defaults(command=_run)


def _run(arguments: argparse.Namespace) -> int:
    return run_or_check(arguments, _job, read=_read)


def _read(files: list[Path], overrides: list[str]) -> Any:
    from ..runfile.reader import read_run_file
    from ..runfile.variants import as_one_file

    return as_one_file([read_run_file(file, overrides) for file in files])


def _job() -> Any:
    from ..jobs.compare import JOB

    return JOB
