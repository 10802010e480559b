"""Progress bars on stderr, drawn where that is a terminal: how much is done, the rate and the time left."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from tqdm import tqdm

__all__ = ["chain_bar", "progress_bar"]


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


def _bar(total: int | None, description: str, unit: str, **options: Any) -> tqdm:
    return tqdm(
        total=total, desc=description, unit=f" {unit}", dynamic_ncols=True, disable=None, smoothing=0.1, **options
    )
