"""A function of many files, computed by several processes."""

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from ...configuration import configure_file_worker

__all__ = ["check_workers", "map_files"]


def map_files(function: Callable[[Any], Any], files: Sequence[Any], workers: int) -> Iterator[Any]:
    """Results of a function of each file, in the order of the files.

    Parameters
    ----------
    function : callable
        Must be importable by a fresh process where there is more than one worker.
    files : sequence
    workers : int
        Number of processes that work at the same time, at least 1.

    Raises
    ------
    ValueError
        `workers` is not positive; raised by the call, not by the iteration.

    Examples
    --------
    >>> from corundum.halos.trees.file_workers import map_files
    >>> list(map_files(len, ["tree_0.dat", "tree_10.dat"], workers=1))
    [10, 11]
    """
    check_workers(workers)
    return _results(function, files, workers)


def check_workers(workers: int) -> None:
    """Refuse a number of processes that is not positive, before any file is opened.

    Raises
    ------
    ValueError
        It is not positive.
    """
    if workers < 1:
        raise ValueError(f"workers: got {workers}; allowed a positive number of processes")


def _results(function: Callable[[Any], Any], files: Sequence[Any], workers: int) -> Iterator[Any]:
    if workers == 1 or len(files) == 1:
        yield from map(function, files)
        return
    # JAX runs threads, which do not survive a fork, so each worker is a fresh process.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(workers, len(files)), context, initializer=configure_file_worker) as pool:
        try:
            yield from pool.map(function, files)
        except BrokenProcessPool:
            raise RuntimeError(
                f"workers: one of {workers} processes ended before it was done, perhaps for lack of memory; take fewer "
                "workers.  In a script, put what starts them under `if __name__ == '__main__':`, since each imports it"
            ) from None
