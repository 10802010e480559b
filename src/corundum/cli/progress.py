"""The progress bar: halos done, rate and time left, on a terminal only."""

import contextlib
from collections.abc import Callable, Iterator

from tqdm import tqdm

__all__ = ["progress_bar"]


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
