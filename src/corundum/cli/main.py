"""The command ``corundum``: its parser, assembled from the modules of `corundum.cli.commands`, and its exit code."""

import argparse
import sys
from collections.abc import Sequence
from typing import Any

from .commands import (
    cache,
    check_gradients,
    compare,
    data,
    explore,
    fit,
    forecast,
    halos,
    mocks,
    model,
    plot,
    run,
    sensitivity,
    version,
)
from .commands.learning import calibrate, train
from .distributed import refuse_several
from .environment import versions
from .errors import run_guarded

__all__ = ["main"]

_COMMANDS = (
    run,
    sensitivity,
    check_gradients,
    fit,
    compare,
    mocks,
    forecast,
    train,
    calibrate,
    plot,
    explore,
    data,
    model,
    halos,
    cache,
    version,
)

_ABOUT = """\
A modular, differentiable semi-analytic model of galaxy formation.

Two commands to a population beside the data:

  corundum run examples/quickstart.toml -o out/
  open out/report.html

then change one parameter and look again:

  corundum run examples/quickstart.toml -o out-strong/ --set model.parameters.mass_loading.amplitude=3
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments after ``corundum``; by default those of the process.

    Returns
    -------
    int
        The exit code: 0, 2 for a mistake of the user, 130 for Ctrl-C, 1 for a fault of the program.

    Examples
    --------
    >>> from corundum.cli.main import main
    >>> main(["version"])  # doctest: +ELLIPSIS
    python 3...
    0
    """
    arguments = _parser().parse_args(argv)

    def command():
        if hasattr(arguments, "output") and not getattr(arguments, "shares_work", False):
            refuse_several(sys.argv[1] if argv is None else argv[0])
        return arguments.command(arguments)

    return run_guarded(command, debug=arguments.debug)


def _parser() -> argparse.ArgumentParser:
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--debug", action="store_true", help="show the Python traceback of an error")
    style: dict[str, Any] = dict(formatter_class=argparse.RawDescriptionHelpFormatter, parents=[shared])
    parser = argparse.ArgumentParser(prog="corundum", description=_ABOUT, formatter_class=style["formatter_class"])
    parser.add_argument("--version", action="version", version=f"corundum {versions()['corundum']}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for module in _COMMANDS:
        module.add_command(commands, style)
    return parser


if __name__ == "__main__":
    sys.exit(main())
