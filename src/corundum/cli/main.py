"""The command ``corundum``."""

import argparse
import sys
from collections.abc import Sequence

from ..configuration import configure
from .arguments import add_run_file_arguments, run_or_check
from .commands.halos import add_commands as add_halo_commands
from .commands.inference import add_inference_commands
from .commands.sensitivity import add_sensitivity_commands
from .distributed import join, refuse_several
from .environment import versions
from .errors import run_guarded

__all__ = ["main"]

_ABOUT = """\
A modular, differentiable semi-analytic model of galaxy formation.

Two commands to a population beside the data:

  corundum run examples/quickstart.toml -o out/
  open out/report.html

then change one parameter and look again:

  corundum run examples/quickstart.toml -o out-strong/ --set model.parameters.mass_loading.amplitude=3
"""

_RUN = """\
Evolve a galaxy in every halo of a run file and compare the population with measurements.

A run file is TOML.  Its groups are

  [halos]          where halo histories come from: kind = "halos.diffmah_population", ... and its arguments
  [model]          the galaxy model: kind = "models.pandya26" or "models.ThermalCGM", ...
  [model.parameters]   any number of the model by name; `corundum model show pandya26` lists them
  [model.cooling]  one component swapped, kind = "physics...." or "mymodule:MyCooling"
  [solver]         accuracy of the integration: tolerance, ...
  [output]         redshifts, trajectories, block, figures
  [compare]        measurements, by the names of `corundum data list`
  [compare_halos]  a second set of halos for the same model

`kind` is a public name of the Python package, or module:name of a file of your own in this directory; the
other keys are its arguments.  A key that is not one of them is refused, with its position and the nearest
right one.  docs/run_files.md describes every group and key.
"""

_RUN_MORE = """\
In DIR are then:

  results.h5       run information, halos, galaxies at each redshift, relations; every dataset has its unit
  report.html      figures and numbers in one file to read or send
  figures/         the figures as PNG and PDF
  trajectories.h5  the whole history of a few galaxies
  run.toml         the run file with all defaults and overrides written out: it repeats the run
  run_info.json    versions, devices, seeds, git state, timing

A run that is interrupted resumes with the same command and gives the same bits; at most one block of halos
is lost.

examples:
  corundum run quickstart.toml -o out/
  corundum run quickstart.toml -o out/64 --set halos.n=64 --set 'output.redshifts=[0.0, 4.0]'
  corundum run quickstart.toml -o out/mine --set model.cooling.kind=mymodule:MyCooling
  corundum run quickstart.toml --dry-run        # check it and print it with all defaults
  srun -n 4 corundum run quickstart.toml -o out/     # four processes, on one host or several
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; its exit code is 0, 2 for a mistake, 130 for Ctrl-C, 1 for a fault of ours."""
    arguments = _parser().parse_args(argv)

    def command():
        if hasattr(arguments, "output") and arguments.command is not _run:
            refuse_several(sys.argv[1] if argv is None else argv[0])
        return arguments.command(arguments)

    return run_guarded(command, debug=arguments.debug)


def _parser() -> argparse.ArgumentParser:
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--debug", action="store_true", help="show the Python traceback of an error")
    look = dict(formatter_class=argparse.RawDescriptionHelpFormatter, parents=[shared])

    parser = argparse.ArgumentParser(prog="corundum", description=_ABOUT, formatter_class=look["formatter_class"])
    parser.add_argument("--version", action="version", version=f"corundum {versions()['corundum']}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    run = commands.add_parser("run", help="do what a run file says", description=_RUN, epilog=_RUN_MORE, **look)
    add_run_file_arguments(run)
    several = run.add_argument_group(
        "several processes",
        "srun and mpirun need none of these; elsewhere start the same command N times with all three",
    )
    several.add_argument("--coordinator", metavar="HOST:PORT", help="host of process 0 and a free port on it")
    several.add_argument("--processes", metavar="N", type=int, help="how many there are")
    several.add_argument("--process", metavar="I", type=int, help="which one this is, from 0")
    run.set_defaults(command=_run)

    add_sensitivity_commands(commands, look)
    add_inference_commands(commands, look)

    data = commands.add_parser("data", help="measurements that come with the package", **look)
    _list_and_show(data, look, "measurement", _list_data, _show_data)
    model = commands.add_parser("model", help="models and their parameters", **look)
    show = _list_and_show(model, look, "model", _list_models, _show_model)
    show.add_argument("--diagram", metavar="FILE", help="draw its reservoirs and flows (.png or .pdf)")

    add_halo_commands(commands, look)

    version = commands.add_parser("version", help="versions of corundum and of what it stands on", **look)
    version.set_defaults(command=_version)
    return parser


def _list_and_show(parser, look, noun, list_command, show_command):
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    actions.add_parser("list", help=f"one line for each {noun}", **look).set_defaults(command=list_command)
    show = actions.add_parser("show", help=f"all about one {noun}", **look)
    show.add_argument("name", metavar="NAME")
    show.set_defaults(command=show_command)
    return show


# What stands on JAX is imported by the command that needs it, so that help and wrong usage answer at once.


def _run(arguments: argparse.Namespace) -> int:
    configure()
    join(arguments.coordinator, arguments.processes, arguments.process)
    from .jobs.run import check, run

    return run_or_check(arguments, run, check)


def _list_data(arguments: argparse.Namespace) -> int:
    configure()
    from .commands.show import list_data

    print(list_data())
    return 0


def _show_data(arguments: argparse.Namespace) -> int:
    configure()
    from .commands.show import show_data

    print(show_data(arguments.name))
    return 0


def _list_models(arguments: argparse.Namespace) -> int:
    configure()
    from .commands.show import list_models

    print(list_models())
    return 0


def _show_model(arguments: argparse.Namespace) -> int:
    configure()
    from .commands.show import show_model

    print(show_model(arguments.name, arguments.diagram))
    return 0


def _version(arguments: argparse.Namespace) -> int:
    print("\n".join(f"{name} {version}" for name, version in versions().items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
