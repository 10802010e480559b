"""The stages of a run: how long each took, when, and what to say when one is interrupted."""

import contextlib
import datetime
import time
from collections.abc import Iterator
from pathlib import Path

__all__ = ["timed", "resumable", "now"]


@contextlib.contextmanager
def timed(timing: dict[str, float], stage: str) -> Iterator[None]:
    """Note in `timing` how many seconds the block took."""
    start = time.perf_counter()
    yield
    timing[stage] = round(time.perf_counter() - start, 3)


@contextlib.contextmanager
def resumable(directory: Path) -> Iterator[None]:
    """Ctrl-C within the block says how to go on."""
    try:
        yield
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"what is finished is kept in {directory}; the same command resumes") from None


def now() -> str:
    """This moment, in UTC."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
