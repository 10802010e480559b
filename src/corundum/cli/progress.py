"""What a command is doing, on stderr where that is a terminal: a line for each stage with its time, and progress bars.

A bar says how much is done, the rate and the time left.  Within `quietly` nothing is written.
"""

import contextlib
import contextvars
import sys
import time
from collections.abc import Callable, Iterator, MutableMapping
from typing import Any

from .distributed import leads

__all__ = ["chain_bar", "progress_bar", "quietly", "stage"]

_QUIET = contextvars.ContextVar("quiet", default=False)
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
def stage(title: str, timing: MutableMapping[str, float], name: str = "") -> Iterator[Callable[[str], None]]:
    """A stage of a command: a line that says what it does and, when it ends, how long it took.

    Within the block, call the function it gives with a few words on the part that is under way.

    Parameters
    ----------
    title : str
        What is done.
    timing : mutable mapping
        Gets the seconds that it took.
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

    start = time.perf_counter()
    show("...")
    try:
        yield show
    except BaseException:
        show(end="\n")
        raise
    timing[name or title] = round(time.perf_counter() - start, 3)
    show(end=f"{timing[name or title]:8.1f} s{' ' * (_LINE - _WIDTH - 10)}\n")


@contextlib.contextmanager
def progress_bar(total: int, done: int = 0, *, title: str, unit: str) -> Iterator[Callable[..., None]]:
    """A bar for `total` units of work, `done` of which an earlier call has finished.

    Within the block, call the function it gives with the number done so far and, where it has changed, the total.

    Examples
    --------
    >>> with progress_bar(2, title="galaxies", unit="halos") as update:
    ...     update(2)
    """
    # Nothing is done before the first update, because everything is being compiled then.
    with _bar(total, "compiling", unit, initial=done) as bar:

        def update(now: int, total: int | None = None) -> None:
            bar.total = bar.total if total is None else total
            bar.set_description(title, refresh=False)
            bar.update(now - bar.n)

        yield update


@contextlib.contextmanager
def chain_bar(title: str) -> Iterator[Callable[[Any], None]]:
    """A bar for Markov chains: rate and time left, warm-up or sampling, step size, divergences.

    Within the block, call the function it gives with a `corundum.inference.ChainProgress`.
    """
    with _bar(None, f"{title}: compiling", "draws") as bar:

        def update(state: Any) -> None:
            bar.total = state.total
            bar.set_description(f"{title}: {'warm-up' if state.warmup else 'sampling'}", refresh=False)
            step = {} if state.step_size != state.step_size else {"step": f"{state.step_size:.3g}"}
            bar.set_postfix({**step, "divergences": state.divergences}, refresh=False)
            if not bar.n and state.done > 1:
                bar.initial = bar.n = state.done - 1
            bar.update(state.done - bar.n)

        yield update


def _bar(total: int | None, description: str, unit: str, **options: Any) -> Any:
    from tqdm import tqdm  # not needed by commands that draw none

    return tqdm(
        total=total, desc=description, unit=f" {unit}", dynamic_ncols=True, disable=True if _QUIET.get() else None,
        smoothing=0.1, **options,
    )  # fmt: skip
