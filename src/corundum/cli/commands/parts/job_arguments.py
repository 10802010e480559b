"""What the commands that take a run file have in common: their arguments, and how they run or only check."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ....configuration import command_root, configure
from ...compile_clock import start_compile_clock
from ...last_time import LastTime
from ...progress import expecting, quietly, stage

__all__ = ["add_job_arguments", "run_or_check"]


def add_job_arguments(parser: argparse.ArgumentParser, *, several: bool = False) -> None:
    """Add the run file, the directory of the results or only a check, overrides, and whether to start over."""
    if several:
        parser.add_argument("file", metavar="FILE.toml", type=Path, nargs="+", help="the run files")
    else:
        parser.add_argument("file", metavar="FILE.toml", type=Path, help="the run file")
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("-o", "--output", metavar="DIR", type=Path, help="directory for the results; created if needed")
    where.add_argument("--dry-run", action="store_true", help="check the run file and print it with all defaults")
    parser.add_argument(
        "--set", metavar="KEY=VALUE", dest="overrides", action="append", default=[],
        help="set a key of the run file, as group.key=value in TOML; may be repeated",
    )  # fmt: skip
    parser.add_argument("--overwrite", action="store_true", help="discard an earlier run in DIR")
    parser.add_argument("-q", "--quiet", action="store_true", help="write no stages and draw no progress bars")


def run_or_check(
    arguments: argparse.Namespace,
    load: Callable[[], Any],
    *,
    read: Callable[[Any, list[str]], Any] | None = None,
    **options: Any,
) -> int:
    """Print the resolved run file for ``--dry-run``; otherwise do the job and print its summary.

    Parameters
    ----------
    arguments : argparse.Namespace
        Of a parser with `add_job_arguments`.
    load : callable
        Imports and returns the `corundum.cli.jobs.scaffold.AbstractJob`, which takes seconds.
    read : callable, optional
        Makes the run file of the files and overrides of the command line; default `read_run_file`.
    **options
        Passed on to `corundum.cli.jobs.scaffold.run_job`.
    """
    timing: dict[str, float] = {}
    with quietly(arguments.quiet):
        with stage("reading the run file", timing, "read"):
            from ...runfile.reader import read_run_file

            run_file = (read or read_run_file)(arguments.file, arguments.overrides)
        command = load.__module__.rpartition(".")[2]
        last_time = LastTime(command_root(), f"{command} {run_file.tables.get('title', run_file.path.stem)}")
        with expecting(last_time):
            with stage("loading the package", timing, "load"):
                configure()
                start_compile_clock()
                job = load()
                from ...jobs.scaffold import check_job, run_job
            if arguments.dry_run:
                print(check_job(job, run_file), end="")
                return 0
            summary = run_job(job, run_file, arguments.output, overwrite=arguments.overwrite, timing=timing, **options)
    if summary:  # of several processes only the leading one has something to report
        last_time.save()
        print(summary)
    return 0
