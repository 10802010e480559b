"""The commands ``corundum fit``, ``corundum mocks`` and ``corundum forecast``: their arguments and their help."""

import argparse
from typing import Any

from ...configuration import configure
from ..arguments import add_run_file_arguments, run_or_check

__all__ = ["add_inference_commands"]

_FIT = """\
Infer parameters of a model from measurements.

For each combination of data: the highest posterior density from many starts, the Gaussian about it, which
combinations of parameters the data determine, the posterior by NUTS (or an ensemble sampler), predictive checks of
fitted and unfitted quantities, and the preventive and ejective indices with their posterior.
The group [fit] of the run file says which data and parameters; docs/inference.md walks through the results.
"""

_FIT_MORE = """\
In DIR are then:

  posterior-N.nc   the N-th fit as ArviZ netCDF
  parameters.csv, parameters.tex   medians and 68% intervals
  findings.txt     what the numbers say
  report.html, figures/, run.toml, run_info.json

A run that is interrupted resumes with the same command and makes the same draws; at most a minute is lost.

examples:
  corundum fit examples/fit_published.toml -o out-fit/
  corundum fit examples/fit_published.toml -o out-t/ --set fit.likelihood=student
"""

_MOCKS = """\
Fit mock data whose truth is known, and see whether the intervals can be believed.

Truths are drawn from the prior and evolved in halos of their own; data get noise from their covariance; [fit] says
with which data and parameters, [mocks] how many and how.  The report has coverage, ranks, bias, precision, failures.
"""

_FORECAST = """\
Forecast what better or other data would tell, about the best fit of the data in [fit].

[forecast] says by what errors are scaled, which measurements are added, by how much each relation may be off.
"""

_JOBS = {
    "fit": ("infer parameters from measurements", _FIT, _FIT_MORE),
    "mocks": ("check by mock data that intervals can be believed", _MOCKS, None),
    "forecast": ("what better or other data would tell", _FORECAST, None),
}


def add_inference_commands(commands: Any, look: dict[str, Any]) -> None:
    """Add the three commands to the parser's `commands`."""
    for name, (told, description, more) in _JOBS.items():
        parser = commands.add_parser(name, help=told, description=description, epilog=more, **look)
        add_run_file_arguments(parser)
        parser.set_defaults(command=lambda arguments, name=name: _run(arguments, name))


def _run(arguments: argparse.Namespace, name: str) -> int:
    configure()
    from ..jobs import fit, forecast, mocks

    job = {"fit": fit, "forecast": forecast, "mocks": mocks}[name]
    return run_or_check(arguments, job.run, job.check)
