"""What the commands that take a run file have in common: their arguments, and how they run or only check."""

import argparse
import importlib
from pathlib import Path

from ...configuration import configure
from ..progress import quietly, stage

__all__ = ["add_job_arguments", "run_or_check"]


def add_job_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the run file, the directory of the results or only a check, overrides, and whether to start over."""
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


def run_or_check(arguments: argparse.Namespace, name: str) -> int:
    """Print the resolved run file for ``--dry-run``; otherwise do the job and print its summary.

    Parameters
    ----------
    arguments : argparse.Namespace
        Of a parser with `add_job_arguments`.
    name : str
        Module of `corundum.cli.jobs` whose ``JOB`` is done; its ``follow``, if any, is for the other processes.
    """
    timing: dict[str, float] = {}
    with quietly(arguments.quiet):
        with stage("loading the package", timing, "load"):
            configure()
            module = importlib.import_module(f"..jobs.{name}", __package__)
            job = module.JOB
            from ..jobs.scaffold import check_job, run_job
        if arguments.dry_run:
            print(check_job(job, arguments.file, arguments.overrides), end="")
            return 0
        summary = run_job(
            job, arguments.file, arguments.output, arguments.overrides, overwrite=arguments.overwrite,
            follow=getattr(module, "follow", None), timing=timing,
        )  # fmt: skip
    if summary:  # of several processes only the leading one has something to report
        print(summary)
    return 0
