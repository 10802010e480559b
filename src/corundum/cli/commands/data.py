"""``corundum data``: the measurements that come with the package."""

import argparse
from typing import Any

from ..list_and_show import add_list_and_show

__all__ = ["add_command"]


def add_command(commands: Any, style: dict[str, Any]) -> None:
    """Add ``data`` and its actions to the parser's `commands`."""
    parser = commands.add_parser("data", help="measurements that come with the package", **style)
    add_list_and_show(parser, style, "measurement", _list, _show)


def _list(arguments: argparse.Namespace) -> str:
    from ..jobs.describe import list_data

    return list_data()


def _show(arguments: argparse.Namespace) -> str:
    from ..jobs.describe import show_data

    return show_data(arguments.name)
