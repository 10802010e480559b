"""The stages of a run: how long each took, when, and what to say when one is interrupted or was finished before."""

import contextlib
import datetime
import time
from collections.abc import Iterator, Mapping
from typing import Any

from .environment import describe
from .output import OutputDirectory
from .runfile.toml import write_toml

__all__ = ["finished_before", "recorded_run", "timed"]


@contextlib.contextmanager
def timed(timing: dict[str, float], stage: str) -> Iterator[None]:
    """Note in `timing` how many seconds the block took."""
    start = time.perf_counter()
    yield
    timing[stage] = round(time.perf_counter() - start, 3)


def finished_before(output: OutputDirectory) -> str | None:
    """What to tell where a directory holds the finished run that is asked for; None where there is work to do."""
    if output.state != "finished":
        return None
    return f"{output.root} holds this run already, finished {output.read_info()['finished']}; nothing was done"


@contextlib.contextmanager
def recorded_run(
    output: OutputDirectory, tables: Mapping[str, Any], timing: dict[str, float], **about: Any
) -> Iterator[dict[str, Any]]:
    """All of a run that computes; gives the run information, which is written at the start and when all is done.

    Ctrl-C within the block says how to go on; at its end what is only needed to go on is removed.

    Parameters
    ----------
    output : OutputDirectory
    tables : mapping
        The resolved run file.
    timing : dict
        Of the stages (`timed`).
    **about
        What else the run information holds: title, identity, ...
    """
    before = output.read_info()
    info = {
        **about,
        "run_file": write_toml(tables),
        "started": before.get("started", _now()),
        "resumed": [*before["resumed"], _now()] if before else [],
        **describe(),
        "timing_s": timing,
        "finished": None,
    }
    output.write_info(info)
    try:
        yield info
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"what is finished is kept in {output.root}; the same command resumes") from None
    info["finished"] = _now()
    output.write_info(info)
    output.drop_checkpoint()


def _now() -> str:
    """This moment, in UTC."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
