"""``corundum explore``: a run file's galaxies in the browser, with a slider for each number of the model."""

import argparse
import contextlib
import os
from pathlib import Path
from typing import Any

from ...configuration import configure
from ..progress import stage

__all__ = ["add_command"]

_ABOUT = """\
Look at the galaxies of a run file in a browser, with a slider for each number of the model.

While a slider moves, the picture follows along the exact derivatives; the exact solution replaces it as soon as it is
there. The page is served to this machine alone, and needs no other network. On a remote machine, forward the port:

  ssh -L 8080:127.0.0.1:8080 HOST        # then open the printed address on your own machine
"""

_MORE = """\
examples:
  corundum explore                                  # the published model beside two relations of today
  corundum explore examples/quickstart.toml --port 8080
  corundum explore RUN.toml --posterior OUT/posterior.nc  # what a fit of it has learned
  corundum explore RUN.toml --export explored.html  # one file to send to somebody else
  corundum explore RUN.toml --set 'compare.measurements=["shmr_behroozi19_sf"]'
"""


def add_command(commands: Any, style: dict[str, Any]) -> None:
    """Add ``explore`` to the parser's `commands`."""
    parser = commands.add_parser(
        "explore", help="look at a model in the browser, with a slider for each number", description=_ABOUT,
        epilog=_MORE, **style,
    )  # fmt: skip
    parser.add_argument("file", metavar="FILE.toml", type=Path, nargs="?", help="the run file")
    parser.add_argument("--port", type=int, default=8080, help="port on this machine (default 8080); 0 for a free one")
    parser.add_argument("--halos", metavar="N", type=int, default=None, help="halos on screen (default 100)")
    parser.add_argument(
        "--set", metavar="KEY=VALUE", dest="overrides", action="append", default=[],
        help="set a key of the run file, as group.key=value in TOML; may be repeated",
    )  # fmt: skip
    parser.add_argument(
        "--posterior", metavar="FILE.nc", type=Path,
        help="the posterior of a fit: its intervals below the sliders, its bands in the relations",
    )  # fmt: skip
    parser.add_argument(
        "--export", metavar="FILE.html", type=Path,
        help="write one page that needs no server, with an emulator of these galaxies",
    )  # fmt: skip
    parser.add_argument("--dry-run", action="store_true", help="check that everything can be shown, and serve nothing")
    parser.set_defaults(command=_explore)


def _explore(arguments: argparse.Namespace) -> int:
    with stage("reading the run file"):
        from ..runfile.reader import read_run_file

        run_file = None if arguments.file is None else read_run_file(arguments.file, arguments.overrides)
    if run_file is None and arguments.overrides:
        raise ValueError("--set: there is no run file to set keys of; name one")
    with stage("loading the package"):
        configure()
        from ...explorer import standalone_page
        from ...explorer.serve import serve
        from ...storage.files import atomic_path
        from ..jobs.explore import explorer_of

    explorer = explorer_of(run_file, arguments.halos, arguments.posterior)
    if arguments.dry_run:
        view = explorer.view
        print(f"{len(view.halos)} halos, {len(view.names)} numbers, {', '.join(view.data.names)}")
        return 0
    if arguments.export is not None:
        with stage("solving and differentiating"):
            page = standalone_page(explorer)
        with atomic_path(arguments.export) as path:
            path.write_text(page, encoding="utf-8")
        print(arguments.export)
        return 0
    with contextlib.suppress(KeyboardInterrupt):  # the way to end it
        serve(explorer, arguments.port, announce=lambda address: print(f"open {address}\nCtrl-C ends it.", flush=True))
    if explorer.compiling:  # Python would wait for the compiler, which takes up to a minute and hears no Ctrl-C
        os._exit(0)
    return 0
