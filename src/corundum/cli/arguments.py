"""What commands that do what a run file says have in common: their arguments, and how they run or only check."""

import argparse
from collections.abc import Callable
from pathlib import Path

__all__ = ["add_run_file_arguments", "run_or_check"]


def add_run_file_arguments(parser: argparse.ArgumentParser) -> None:
    """The run file, where results go or only a check, settings that win, and whether to start over."""
    parser.add_argument("file", metavar="FILE.toml", type=Path, help="the run file")
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("-o", "--output", metavar="DIR", type=Path, help="directory for the results; made if needed")
    where.add_argument("--dry-run", action="store_true", help="check the run file and print it with all defaults")
    parser.add_argument(
        "--set", metavar="KEY=VALUE", dest="overrides", action="append", default=[],
        help="set a key of the run file, as group.key=value in TOML; may be repeated",
    )  # fmt: skip
    parser.add_argument("--overwrite", action="store_true", help="discard an earlier run in DIR")


def run_or_check(arguments: argparse.Namespace, run: Callable[..., str], check: Callable[..., str]) -> int:
    """Print the resolved run file if that is all that was asked for; otherwise run it and print the summary."""
    if arguments.dry_run:
        print(check(arguments.file, arguments.overrides), end="")
        return 0
    summary = run(arguments.file, arguments.output, arguments.overrides, overwrite=arguments.overwrite)
    if summary:  # of several processes only the leading one has something to say
        print(summary)
    return 0
