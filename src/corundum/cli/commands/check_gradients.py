"""``corundum check-gradients``: exact derivatives of a model against finite differences."""

import argparse
from typing import Any

from ...configuration import configure
from ..progress import stage

__all__ = ["add_command"]

_ABOUT = """\
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


def add_command(commands: Any, style: dict[str, Any]) -> None:
    """Add ``check-gradients`` to the parser's `commands`."""
    parser = commands.add_parser(
        "check-gradients", help="exact derivatives against finite differences", description=_ABOUT, **style
    )
    parser.add_argument("what", metavar="MODEL|FILE.toml", help="a model by name or module:name, or a run file")
    parser.add_argument("--parameters", metavar="NAME", nargs="+", help="names to check; default all of the model")
    parser.add_argument("--halos", metavar="N", type=int, default=4, help="halos to use (default 4)")
    parser.add_argument("--steps", metavar="H", nargs="+", type=float, default=[1e-2, 1e-3, 1e-4],
                       help="steps, in prior widths (default 1e-2 1e-3 1e-4)")  # fmt: skip
    parser.add_argument("--tolerances", metavar="TOL", nargs="+", type=float, default=[1e-8, 1e-11],
                       help="solver tolerances (default 1e-8 1e-11)")  # fmt: skip
    parser.add_argument("--threshold", metavar="E", type=float, default=1e-5,
                       help="largest error of a column over its scale that passes (default 1e-5)")  # fmt: skip
    parser.set_defaults(command=_check)


def _check(arguments: argparse.Namespace) -> int:
    with stage("loading the package", {}):
        configure()
        from ..jobs.check_gradients import check

    report, passed = check(
        arguments.what, parameters=arguments.parameters, halos=arguments.halos, steps=arguments.steps,
        tolerances=arguments.tolerances, threshold=arguments.threshold,
    )  # fmt: skip
    print(report)
    return 0 if passed else 1
