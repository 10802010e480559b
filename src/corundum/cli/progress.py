"""The progress bar: halos done, rate and time left, on a terminal only."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from tqdm import tqdm

__all__ = ["progress_bar", "chain_bar"]


@contextlib.contextmanager
def progress_bar(
    total: int, done: int = 0, *, what: str = "galaxies", unit: str = "halos"
) -> Iterator[Callable[[int], None]]:
    """A bar on stderr for `total` halos, or other units, `done` of which an earlier run has finished.

    Within the block, call the function it gives with the number done so far.  Where stderr is not a
    terminal nothing is drawn.
    """
    # Nothing is done before the first block, because everything is being compiled then.
    with tqdm(
        total=total,
        initial=done,
        desc="compiling",
        unit=f" {unit}",
        dynamic_ncols=True,
        disable=None,
        smoothing=0.1,
    ) as bar:

        def update(now: int) -> None:
            bar.set_description(what, refresh=False)
            bar.update(now - bar.n)

        yield update


@contextlib.contextmanager
def chain_bar(what: str, total: int) -> Iterator[Callable[[Any], None]]:
    """A bar for chains of `total` draws: rate and time left, warm-up or sampling, step size, divergences.

    Within the block, call the function it gives with a `corundum.inference.ChainProgress`.
    """
    with tqdm(
        total=total, desc=f"{what}: compiling", unit=" draws", dynamic_ncols=True, disable=None, smoothing=0.1
    ) as bar:

        def update(state: Any) -> None:
            bar.set_description(f"{what}: {'warm-up' if state.warmup else 'sampling'}", refresh=False)
            step = {} if state.step_size != state.step_size else {"step": f"{state.step_size:.3g}"}
            bar.set_postfix({**step, "divergences": state.divergences}, refresh=False)
            if not bar.n and state.done > 1:
                bar.initial = bar.n = state.done - 1
            bar.update(state.done - bar.n)

        yield update
