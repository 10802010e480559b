"""``corundum version``: versions of corundum and of the packages that its results depend on."""

import argparse
from typing import Any

from ..environment import versions

__all__ = ["add_command"]


def add_command(commands: Any, style: dict[str, Any]) -> None:
    """Add ``version`` to the parser's `commands`."""
    parser = commands.add_parser("version", help="versions of corundum and of the packages below it", **style)
    parser.set_defaults(command=_print_versions)


def _print_versions(arguments: argparse.Namespace) -> int:
    print("\n".join(f"{name} {version}" for name, version in versions().items()))
    return 0
