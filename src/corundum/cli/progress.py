"""What a command is doing, on stderr where that is a terminal: a line for each stage with its time, and progress bars.

A bar says how much is done, the rate and the time left.  Within `quietly` nothing is written.  The time in which JAX
compiles is counted apart from the stage in which it does, and so is the time of a stage inside another.
"""

import contextlib
import contextvars
import sys
import time
from collections.abc import Callable, Iterator, MutableMapping
from typing import Any

from .compile_clock import compile_seconds
from .distributed import leads
from .last_time import LastTime

__all__ = ["COMPILING", "chain_bar", "expecting", "progress_bar", "quietly", "stage", "time_line"]

COMPILING = "compile"
"""Key of the seconds in which JAX compiled, in the timing of a run."""

_QUIET = contextvars.ContextVar("quiet", default=False)
_LAST_TIME: contextvars.ContextVar[LastTime | None] = contextvars.ContextVar("last_time", default=None)
_STAGE: contextvars.ContextVar["_Stage | None"] = contextvars.ContextVar("stage", default=None)
_WORTH_SAYING = 0.5  # seconds that a stage took the last time
_VERBS = {
    "read": "reading", "load": "loading", "prepare": "preparing", COMPILING: "compiling", "evolve": "evolving",
    "save": "saving",
}  # fmt: skip
_WIDTH = 44  # of the column that says what is done
_LINE = 78  # of a line, so that it fits on any terminal


@contextlib.contextmanager
def quietly(quiet: bool = True) -> Iterator[None]:
    """Write no stages and draw no bars within the block, if `quiet`."""
    before = _QUIET.set(quiet)
    try:
        yield
    finally:
        _QUIET.reset(before)


@contextlib.contextmanager
def expecting(last_time: LastTime) -> Iterator[None]:
    """Within the block, stages say how long they took the last time, and what they take now is recorded."""
    before = _LAST_TIME.set(last_time)
    try:
        yield
    finally:
        _LAST_TIME.reset(before)


class _Stage:
    """The stage under way, and the seconds of those inside it, of which how many went into compiling."""

    def __init__(self, name: str, timing: MutableMapping[str, float]):
        self.name, self.timing = name, timing
        self.inside = self.compiling_inside = 0.0


@contextlib.contextmanager
def stage(
    title: str, timing: MutableMapping[str, float] | None = None, name: str = ""
) -> Iterator[Callable[[str], None]]:
    """A stage of a command: a line that says what it does and, when it ends, how long it took.

    Within the block, call the function it gives with a few words on the part that is under way.

    Parameters
    ----------
    title : str
        What is done.
    timing : mutable mapping, optional
        Gets the seconds that it took; by default that of the stage around it.  Those in which JAX compiled go to
        `COMPILING`.
    name : str
        Key of these seconds; by default `title`.

    Examples
    --------
    >>> timing = {}
    >>> with stage("drawing figures", timing, "figures") as part:
    ...     part("stellar masses")
    >>> list(timing)
    ['figures']
    """
    shown = not _QUIET.get() and sys.stderr.isatty() and leads()

    def show(part: str = "", end: str = "") -> None:
        if shown:
            text = f"{title}: {part}" if part else title
            # The line before is covered with blanks: it may have been longer.
            sys.stderr.write(f"\r{text[:_LINE]:<{_WIDTH if end else _LINE}}{end}")
            sys.stderr.flush()

    outer, last_time = _STAGE.get(), _LAST_TIME.get()
    if timing is None:
        timing = {} if outer is None else outer.timing
    current = _Stage(name or title, timing)
    token = _STAGE.set(current)
    start, compiled = time.perf_counter(), compile_seconds()
    show(f"...{_expectation(last_time.seconds(current.name))}" if last_time is not None else "...")
    try:
        yield show
    except BaseException:
        show(end="\n")
        raise
    finally:
        _STAGE.reset(token)
    seconds = time.perf_counter() - start
    compiling = min(compile_seconds() - compiled, seconds)
    if outer is not None:
        outer.inside, outer.compiling_inside = outer.inside + seconds, outer.compiling_inside + compiling
    seconds, compiling = seconds - current.inside, max(compiling - current.compiling_inside, 0.0)
    _add(timing, current.name, max(seconds - compiling, 0.0))
    if compiling:
        _add(timing, COMPILING, compiling)
    if last_time is not None:
        last_time.record(current.name, seconds, compiling)
    ending = f"{seconds:8.1f} s" + (f", {compiling:.1f} s of it compiling" if compiling >= 0.05 else "")
    show(end=f"{ending:<{_LINE - _WIDTH}}\n")


def _add(timing: MutableMapping[str, float], name: str, seconds: float) -> None:
    timing[name] = round(timing.get(name, 0.0) + seconds, 3)


def _expectation(seconds: float | None) -> str:
    return f" {seconds:.0f} s the last time" if seconds is not None and seconds >= _WORTH_SAYING else ""


def time_line(timing: MutableMapping[str, float]) -> str:
    """Where the time of a run went: the sum, and each stage that took a hundredth of it.

    Examples
    --------
    >>> time_line({"load": 1.0, "halos": 0.51, "compile": 4.0, "evolve": 0.29, "save": 0.01})
    '5.8 s: loading 1.0, halos 0.5, compiling 4.0, evolving 0.3'
    """
    together = sum(timing.values())
    counted = {_VERBS.get(name, name): seconds for name, seconds in timing.items() if seconds >= 0.01 * together}
    return f"{together:.1f} s: {', '.join(f'{name} {seconds:.1f}' for name, seconds in counted.items())}"


@contextlib.contextmanager
def progress_bar(total: int, done: int = 0, *, title: str, unit: str) -> Iterator[Callable[..., None]]:
    """A bar for `total` units of work, `done` of which an earlier call has finished.

    Within the block, call the function it gives with the number done so far and, where it has changed, the total; a
    `note` is written behind the bar.

    Examples
    --------
    >>> with progress_bar(2, title="galaxies", unit="halos") as update:
    ...     update(2)
    """
    # Nothing is done before the first update, because everything is being compiled then.
    with _bar(total, f"compiling{_last_compilation()}", unit, initial=done) as bar:

        def update(now: int, total: int | None = None, note: str = "") -> None:
            bar.total = bar.total if total is None else total
            bar.set_description(title, refresh=False)
            bar.set_postfix_str(note, refresh=False)
            bar.update(now - bar.n)

        yield update


@contextlib.contextmanager
def chain_bar(title: str) -> Iterator[Callable[[Any], None]]:
    """A bar for Markov chains: rate and time left, warm-up or sampling, step size, divergences.

    Within the block, call the function it gives with a `corundum.inference.ChainProgress`.
    """
    with _bar(None, f"{title}: compiling{_last_compilation()}", "draws") as bar:

        def update(state: Any) -> None:
            bar.total = state.total
            bar.set_description(f"{title}: {'warm-up' if state.warmup else 'sampling'}", refresh=False)
            step = {} if state.step_size != state.step_size else {"step": f"{state.step_size:.3g}"}
            bar.set_postfix({**step, "divergences": state.divergences}, refresh=False)
            if not bar.n and state.done > 1:
                bar.initial = bar.n = state.done - 1
            bar.update(state.done - bar.n)

        yield update


def _last_compilation() -> str:
    """How long compiling took the last time in the stage under way, in words."""
    current, last_time = _STAGE.get(), _LAST_TIME.get()
    seconds = None if current is None or last_time is None else last_time.compiling(current.name)
    return f" ({_expectation(seconds).strip()})" if _expectation(seconds) else ""


def _bar(total: int | None, description: str, unit: str, **options: Any) -> Any:
    from tqdm import tqdm  # not needed by commands that draw none

    return tqdm(
        total=total, desc=description, unit=f" {unit}", dynamic_ncols=True, disable=True if _QUIET.get() else None,
        smoothing=0.1, **options,
    )  # fmt: skip
