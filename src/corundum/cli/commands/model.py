"""``corundum model``: the models that come with the package, and all about one."""

import argparse
from typing import Any

from ..list_and_show import add_list_and_show

__all__ = ["add_command"]


def add_command(commands: Any, style: dict[str, Any]) -> None:
    """Add ``model`` and its actions to the parser's `commands`."""
    parser = commands.add_parser("model", help="models and their parameters", **style)
    show = add_list_and_show(parser, style, "model", _list, _show)
    show.add_argument("--diagram", metavar="FILE", help="draw its reservoirs and flows (.png or .pdf)")


def _list(arguments: argparse.Namespace) -> str:
    from ..jobs.describe import list_models

    return list_models()


def _show(arguments: argparse.Namespace) -> str:
    from ..jobs.describe import show_model

    return show_model(arguments.name, arguments.diagram)
