"""``corundum cache``: where compiled programs are kept, how much they take, and removing them."""

import argparse
import os
from typing import Any

from ...configuration import command_root, empty_cache, folder_state

__all__ = ["add_command"]

_ABOUT = """\
Say where compiled programs are kept, how many there are and how much they take; --empty removes them.

What corundum has JAX compile is kept, so that the next run loads it.  At most 512 MiB and 10000 programs stay; what was
used longest ago goes first.

environment:
  CORUNDUM_CACHE_DIR         another folder, or off for none
  JAX_COMPILATION_CACHE_DIR  a folder that JAX manages itself; wins over the above
"""


def add_command(commands: Any, style: dict[str, Any]) -> None:
    """Add ``cache`` to the parser's `commands`."""
    parser = commands.add_parser("cache", help="compiled programs that are kept on disk", description=_ABOUT, **style)
    parser.add_argument("--empty", action="store_true", help="remove all compiled programs")
    parser.set_defaults(command=_report)


def _report(arguments: argparse.Namespace) -> int:
    of_jax, root = os.environ.get("JAX_COMPILATION_CACHE_DIR"), command_root()
    if of_jax:
        print(f"JAX keeps compiled programs in {of_jax}, as JAX_COMPILATION_CACHE_DIR says; corundum leaves it alone")
    elif root is None:
        print("compiled programs are not kept: CORUNDUM_CACHE_DIR is off, or this system has not been tested")
    elif arguments.empty:
        print(f"{empty_cache(root)} compiled programs removed from {root}")
    else:
        state = folder_state(root)
        print(f"{state.programs} compiled programs, {state.size / 2**20:.1f} MiB, in {root}")
        print("corundum cache --empty removes them; CORUNDUM_CACHE_DIR names another folder, or off")
    return 0
