"""Errors as a user of the command line sees them: one sentence, an exit code, no traceback.

Mistakes a person can repair (a wrong key, an unwritable directory, a missing file) arrive here as
`ValueError`, `RuntimeError`, `OSError` or `ImportError` and are printed as they are, with exit code 2.
Anything else is a fault of the program: it is named in one sentence too, with the way to see the traceback, and exits
with 1.
"""

import os
import sys
from collections.abc import Callable

from ..messages import one_line
from .distributed import leads

__all__ = ["run_guarded", "INTERRUPTED", "USER_ERROR", "PROGRAM_FAULT"]

USER_ERROR = 2
PROGRAM_FAULT = 1
INTERRUPTED = 130  # 128 + SIGINT, as shells report it


def run_guarded(command: Callable[[], int], debug: bool = False) -> int:
    """Run `command` and turn whatever it raises into one sentence on stderr and an exit code."""
    try:
        return command()
    except KeyboardInterrupt as stop:
        print(
            f"corundum: interrupted{': ' if stop.args else ''}{' '.join(map(str, stop.args))}",
            file=sys.stderr,
        )
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of a pipe (`corundum data list | head`) has closed it; without this Python prints an error at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if debug:
            raise
        sentence, status = _explain(error)
        if leads():
            print(f"corundum: error: {one_line(sentence)}", file=sys.stderr)
        return status


def _explain(error: Exception) -> tuple[str, int]:
    """The sentence and the exit code of an error."""
    text = " ".join(str(error).split())
    if isinstance(error, MemoryError) or "RESOURCE_EXHAUSTED" in text:
        return (
            "out of memory; take fewer halos at a time with a smaller output.block in the run file",
            USER_ERROR,
        )
    if isinstance(error, OSError) and error.strerror is not None:
        file = f"{error.filename}: " if error.filename else ""
        return f"{file}{error.strerror[:1].lower()}{error.strerror[1:]}", USER_ERROR
    if isinstance(error, ValueError | RuntimeError | OSError | ImportError) and text:
        return text, USER_ERROR
    name = type(error).__name__
    return (
        f"unexpected {name}: {text or 'no message'}; repeat with --debug to see where, and report it",
        PROGRAM_FAULT,
    )
