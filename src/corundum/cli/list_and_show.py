"""What the commands that describe the package's contents have in common: the actions ``list`` and ``show NAME``."""

import argparse
from collections.abc import Callable
from typing import Any

from ..configuration import configure

__all__ = ["add_list_and_show"]


def add_list_and_show(
    parser: argparse.ArgumentParser,
    style: dict[str, Any],
    noun: str,
    list_text: Callable[[argparse.Namespace], str],
    show_text: Callable[[argparse.Namespace], str],
) -> argparse.ArgumentParser:
    """Add the actions ``list`` and ``show NAME``, which print a text, and return the parser of ``show``."""
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    list_parser = actions.add_parser("list", help=f"one line for each {noun}", **style)
    list_parser.set_defaults(command=_printing(list_text))
    show = actions.add_parser("show", help=f"all about one {noun}", **style)
    show.add_argument("name", metavar="NAME")
    show.set_defaults(command=_printing(show_text))
    return show


def _printing(text: Callable[[argparse.Namespace], str]) -> Callable[[argparse.Namespace], int]:
    def command(arguments: argparse.Namespace) -> int:
        configure()
        print(text(arguments))
        return 0

    return command
