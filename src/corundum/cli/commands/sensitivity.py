"""The commands ``corundum sensitivity`` and ``corundum check-gradients``: their arguments and their help."""

import argparse
from typing import Any

from ...configuration import configure
from ..arguments import add_run_file_arguments, run_or_check

__all__ = ["add_sensitivity_commands"]

_SENSITIVITY = """\
How do galaxies respond to the parameters of a model, and through which channels?

For halos of a run file: the exact parameter and channel Jacobians, each parameter's effect split over the flows
it acts through, the eigenmodes of a galaxy, baryon and energy budgets with a prevention and an ejection index, maps
of sensitivity over the whole prior, Sobol indices, and what the measurements of [compare] tell the parameters apart.
The group [sensitivity] of the run file says how much of each; docs/sensitivity.md walks through the results.
"""

_MORE = """\
In DIR are then:

  sensitivity.h5   every table, labelled; corundum.io.load_sensitivity reads it
  report.html      figures and tables in one file
  figures/         the figures as PNG and PDF
  run.toml, run_info.json

A run that is interrupted resumes with the same command; at most one block of parameter sets is lost.

examples:
  corundum sensitivity quickstart.toml -o out/
  corundum sensitivity quickstart.toml -o out/ --set sensitivity.sets=1000 --set sensitivity.sobol=256
"""

_CHECK = """\
Compare the exact derivatives of a model with finite differences of its own solutions, column by column.

Central differences over a grid of steps and solver tolerances, extrapolated to step zero (Richardson).

verdicts:
  passed       the error is below the threshold
  failed       it is above, and does not go away at a tighter tolerance: the derivative is wrong
  converging   it is above, but at least ten times smaller than at the next tolerance: corners in the equations
  unresolved   it is above, but differences at two steps disagree by more
  no response  nothing depends on the parameter here

exit codes: 0 no column failed, 1 one failed, 2 the request makes no sense.

examples:
  corundum check-gradients ThermalCGM
  corundum check-gradients mymodule:MyModel --parameters my.amplitude my.slope
  corundum check-gradients run.toml --threshold 1e-4
"""


def add_sensitivity_commands(commands: Any, look: dict[str, Any]) -> None:
    """Add both commands to the parser's `commands`."""
    sensitivity = commands.add_parser(
        "sensitivity", help="how galaxies respond to parameters and channels", description=_SENSITIVITY, epilog=_MORE,
        **look,
    )  # fmt: skip
    add_run_file_arguments(sensitivity)
    sensitivity.set_defaults(command=_sensitivity)

    check = commands.add_parser(
        "check-gradients", help="exact derivatives against finite differences", description=_CHECK, **look
    )
    check.add_argument("what", metavar="MODEL|FILE.toml", help="a model by name or module:name, or a run file")
    check.add_argument("--parameters", metavar="NAME", nargs="+", help="names to check; default all of the model")
    check.add_argument("--halos", metavar="N", type=int, default=4, help="halos to use (default 4)")
    check.add_argument("--steps", metavar="H", nargs="+", type=float, default=[1e-2, 1e-3, 1e-4],
                       help="steps, in prior widths (default 1e-2 1e-3 1e-4)")  # fmt: skip
    check.add_argument("--tolerances", metavar="TOL", nargs="+", type=float, default=[1e-8, 1e-11],
                       help="solver tolerances (default 1e-8 1e-11)")  # fmt: skip
    check.add_argument("--threshold", metavar="E", type=float, default=1e-5,
                       help="largest error of a column over its scale that passes (default 1e-5)")  # fmt: skip
    check.set_defaults(command=_check)


# What stands on JAX is imported by the command that needs it, so that help and wrong usage answer at once.


def _sensitivity(arguments: argparse.Namespace) -> int:
    configure()
    from ..jobs.sensitivity import check, run

    return run_or_check(arguments, run, check)


def _check(arguments: argparse.Namespace) -> int:
    configure()
    from ..jobs.check_gradients import check

    told, passed = check(
        arguments.what, parameters=arguments.parameters, halos=arguments.halos, steps=arguments.steps,
        tolerances=arguments.tolerances, threshold=arguments.threshold,
    )  # fmt: skip
    print(told)
    return 0 if passed else 1
