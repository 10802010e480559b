"""``corundum plot``: the figures of a finished run, drawn again from its files."""

import argparse
import typing
from pathlib import Path
from typing import Any

from ...configuration import configure
from ..progress import quietly
from ..runfile.schema import FigureFormat

__all__ = ["add_command"]

_ABOUT = """\
Draw the figures of a finished `corundum run` again, from the results in its directory: nothing is solved.

They are written into DIR/figures; files of the same names are replaced, others and the report stay.
"""

_MORE = """\
examples:
  corundum plot out/ --format pdf                  # for a paper
  corundum plot out/ --only baryon_budget growth_histories --format png svg
"""


def add_command(commands: Any, style: dict[str, Any]) -> None:
    """Add ``plot`` to the parser's `commands`."""
    parser = commands.add_parser(
        "plot", help="draw the figures of a finished run again", description=_ABOUT, epilog=_MORE, **style
    )
    parser.add_argument("directory", metavar="DIR", type=Path, help="the directory of the run")
    parser.add_argument(
        "--format", dest="formats", nargs="+", choices=typing.get_args(FigureFormat), default=["png"],
        help="file formats: png (default), pdf, svg",
    )  # fmt: skip
    parser.add_argument("--only", metavar="NAME", nargs="+", default=[], help="figures by the names of their files")
    parser.add_argument("-q", "--quiet", action="store_true", help="write no stages")
    parser.set_defaults(command=_plot)


def _plot(arguments: argparse.Namespace) -> int:
    configure()
    from ..jobs.plot import draw_again

    with quietly(arguments.quiet):
        files = draw_again(arguments.directory, arguments.formats, arguments.only)
    print("\n".join(map(str, files)))
    return 0
