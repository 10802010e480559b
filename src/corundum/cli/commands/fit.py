"""``corundum fit``: infer parameters of a model from measurements."""

import argparse
from typing import Any

from .parts.job_arguments import add_job_arguments, run_or_check

__all__ = ["add_command"]

_ABOUT = """\
Infer parameters of a model from measurements.

For each combination of data: the highest posterior density from many starts, the Gaussian about it, which
combinations of parameters the data determine, the posterior by chains (or nested sampling), predictive checks of
fitted and unfitted quantities, and the preventive and ejective indices with their posterior.
The group [fit] of the run file says which data and parameters; docs/tutorials/fit_and_trust.md walks through the
results.
"""

_MORE = """\
In DIR are then:

  posterior-N.nc   the N-th fit as ArviZ netCDF: draws (of the Gaussian where sample = false), mode, covariance
  parameters.csv, parameters.tex   medians and 68% intervals
  findings.txt     what the numbers say
  report.html, figures/, run.toml, run_info.json

A run that is interrupted resumes with the same command and makes the same draws; at most a minute is lost.

examples:
  corundum fit examples/fit_published.toml -o out-fit/
  corundum fit examples/fit_published.toml -o out-t/ --set fit.likelihood=inference.StudentT
"""


def add_command(commands: Any, style: dict[str, Any]) -> None:
    """Add ``fit`` to the parser's `commands`."""
    parser = commands.add_parser(
        "fit", help="infer parameters from measurements", description=_ABOUT, epilog=_MORE, **style
    )
    add_job_arguments(parser)
    parser.set_defaults(command=_run)


def _run(arguments: argparse.Namespace) -> int:
    return run_or_check(arguments, _job)


def _job() -> Any:
    from ..jobs.fit import JOB

    return JOB
