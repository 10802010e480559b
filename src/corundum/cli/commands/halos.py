"""``corundum halos``: make, convert, inspect and plot halo histories."""

import argparse
import dataclasses
import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ...configuration import configure
from ..progress import progress_bar, stage

__all__ = ["add_command"]

_MAKE = """\
Draw a population of halo histories and write it to one HDF5 file.

KIND names the source, any public one that needs no file: halos.monte_carlo_trees (merger trees of Parkinson, Cole &
Helly 2008) or halos.diffmah_population (smooth diffmah histories).  --set gives its arguments.

  corundum halos make halos.monte_carlo_trees -o halos.h5 --set n=1000 --set 'log_mvir=[10.0, 12.1]'
  corundum halos make halos.diffmah_population -o halos.h5 --set n=1000 --set key=1
"""

_CONVERT = """\
Read merger trees and write their main branches as halo histories, with a report of what was done to them.

SOURCE is a file, or a directory with all files of a forest.  The format is detected from the content; what the files do
not state is given with --set.  The report is written beside OUT.h5, as OUT.html.  A conversion that is interrupted
resumes with the same command.

  corundum halos convert trees/ -o halos.h5
  corundum halos convert tree_extended.0.hdf5 -o halos.h5 --set format.kind=halos.SubLink \\
      --set 'format.scale_factors=scales.txt' --set cosmology=cosmology.tng
  corundum halos convert trees/ -o halos.h5 --set 'log_mvir=[10.0, 15.0]' --workers 2
"""

_RUN_FILE = """\
In a run file:  [halos]
                kind = "halos.read"
                path = "halos.h5"
"""


def add_command(commands: Any, style: dict[str, Any]) -> None:
    """Add ``halos`` and its actions to the parser's `commands`."""
    about = "halo histories: make, convert, inspect, plot"
    actions = commands.add_parser("halos", help=about, **style).add_subparsers(metavar="ACTION", required=True)

    make = actions.add_parser("make", help="draw a population", description=_MAKE, epilog=_RUN_FILE, **style)
    make.add_argument("kind", metavar="KIND", help="halos.monte_carlo_trees, halos.diffmah_population, module:name")
    make.add_argument("--overwrite", action="store_true", help="replace a file that is there already")
    convert = actions.add_parser("convert", help="read trees", description=_CONVERT, epilog=_RUN_FILE, **style)
    convert.add_argument("source", metavar="SOURCE", type=Path, help="file or directory of merger trees")
    convert.add_argument("--workers", type=int, default=1, metavar="N", help="files read at the same time")
    for action in (make, convert):
        action.add_argument("-o", "--output", metavar="OUT.h5", type=Path, required=True, help="the file to write")
        action.add_argument(
            "--set", metavar="KEY=VALUE", dest="overrides", action="append", default=[],
            help="an argument of the source, as TOML; may be repeated",
        )  # fmt: skip
    inspect = actions.add_parser("inspect", help="what a file of histories or trees holds", **style)
    plot = actions.add_parser("plot", help="draw the histories of a file", **style)
    for action in (inspect, plot):
        action.add_argument("path", metavar="FILE", type=Path, help="histories, or merger trees")
    plot.add_argument("-o", "--output", metavar="FIGURE", type=Path, required=True, help="a .png, .pdf or .svg file")
    for action, command in ((make, _make), (convert, _convert), (inspect, _inspect), (plot, _plot)):
        action.set_defaults(command=_with_jax(command))


def _with_jax(command: Callable) -> Callable:
    def run(arguments: argparse.Namespace) -> int:
        with stage("loading the package", {}):
            configure()
            from ... import halos  # noqa: F401  # what every one of these commands needs, and the slowest to load
        print(command(arguments))
        return 0

    return run


def _make(arguments: argparse.Namespace) -> str:
    from ...halos import HaloHistories
    from ...halos.files import save
    from ..runfile.builder import build
    from ..runfile.reader import table_of_overrides

    if arguments.output.exists() and not arguments.overwrite:
        raise ValueError(f"{arguments.output}: exists already; choose another file with -o, or add --overwrite")
    table = {"kind": arguments.kind, **table_of_overrides(arguments.overrides)}
    with stage("making halos", {}):
        built = build(table, ("halos",), (HaloHistories,))
    halos = dataclasses.replace(built.value, provenance={**dict(built.value.provenance), **_origin(built.table)})
    save(arguments.output, halos)
    return f"{len(halos)} halos written to {arguments.output}"


def _origin(table: dict[str, Any]) -> dict[str, str]:
    """What a drawn population comes from: its settings with all defaults, the files they name, and the code."""
    import hashlib

    from ... import __version__
    from ...storage.files import checksum
    from ..runfile.toml import write_toml

    settings = write_toml({"halos": table})
    sums = [f"settings {hashlib.sha256(settings.encode()).hexdigest()}"]
    named = [Path(value) for value in table.values() if isinstance(value, str)]
    sums += [f"{path.name} {checksum([path])}" for path in named if path.is_file()]
    return {"settings": settings, "sha256": "; ".join(sums), "code": f"corundum {__version__}"}


def _convert(arguments: argparse.Namespace) -> str:
    from ...halos.conversion import convert_trees
    from ...plots.reports.halos import report_path, write_halo_report
    from ...storage.files import check_destination
    from ..runfile.builder import construct
    from ..runfile.reader import table_of_overrides

    check_destination(Path(arguments.output).resolve())  # a folder has no name to put a report under
    page = report_path(arguments.output)
    table = {"source": str(arguments.source), "output": str(arguments.output), "workers": arguments.workers}
    with progress_bar(0, title="reading trees", unit="files") as progress:
        convert = functools.partial(convert_trees, progress=progress)
        converted = construct(convert, {**table_of_overrides(arguments.overrides), **table}, ("convert",)).value
    with stage("drawing figures and writing the report", {}):
        write_halo_report(page, converted.report, converted.halos)
    return f"{converted.report.text()}\n{len(converted.halos)} halos written to {arguments.output}, report in {page}"


def _inspect(arguments: argparse.Namespace) -> str:
    from ...halos.files import is_halo_file, load
    from ...halos.trees.sources import find_trees

    path = arguments.path
    if is_halo_file(path):
        return _describe(load(path))
    trees = find_trees(path, None, None)
    simulation, files = trees.simulation, trees.files
    stated = {"h": simulation.h, "Omega_m": simulation.omega_m}
    lines = [f"{path}: {type(trees.format).__name__}, {len(files)} file{'s' * (len(files) > 1)}"]
    lines += [f"{name} {'not stated' if value is None else f'= {value:g}'}" for name, value in stated.items()]
    return "\n".join([*lines, f"mass definition {simulation.definition}", simulation.description])


def _describe(halos: Any) -> str:
    import numpy as np

    final, redshift = np.asarray(halos.log_mvir[:, -1]), np.asarray(halos.redshift)
    start = np.asarray(halos.cosmology.redshift(halos.start))
    redshift, start = np.abs(np.round(redshift, 9)), np.abs(np.round(start, 9))
    lines = [
        f"{len(halos)} halos at {len(redshift)} times from z = {redshift[0]:.3g} to {redshift[-1]:.3g}",
        f"log10 of final mass {final.min():.2f} to {final.max():.2f}, median {np.median(final):.2f}",
        f"starts at z = {start.max():.3g} to {start.min():.3g}, median {np.median(start):.3g}",
        f"sum of weights {float(np.sum(np.asarray(halos.weights))):.6g}",
        f"h = {float(halos.cosmology.h):g}, Omega_m = {float(halos.cosmology.omega_m):g}",
    ]
    if halos.mergers is not None:
        ratio = halos.mergers.to_list()[2]
        lines.append(f"{len(ratio)} mergers, {int(np.sum(ratio > 0.25))} of them above 1:4")
    if halos.host is not None:
        lines.append(f"{int(np.sum(np.asarray(halos.host) >= 0))} satellites")
    ended = int(np.sum(~halos.exist_at(halos.time[-1:])))
    if ended:
        lines.append(f"{ended} halos end before the last time")
    lines += [f"extra {name} [{curve.quantity.unit}]: {curve.quantity.meaning}" for name, curve in halos.extras.items()]
    return "\n".join([*lines, *(f"{name}: {words}" for name, words in halos.provenance)])


def _plot(arguments: argparse.Namespace) -> str:
    from ...halos.reading import read
    from ...plots.halo_histories import halo_growth
    from ...plots.saving import save_figure

    with stage("reading halos", {}):
        halos = read(arguments.path)
    with stage("drawing the figure", {}):
        save_figure(halo_growth(halos)[0], arguments.output)
    return f"{len(halos)} halos drawn in {arguments.output}"
