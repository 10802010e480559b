"""Files shared out over processes."""

import multiprocessing
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor

import jax

__all__ = ["map_files"]


def map_files(function: Callable, files: Sequence, workers: int) -> Iterable:
    """``function`` of each file in order, `workers` of them at a time in processes of their own.

    Raises
    ------
    ValueError
        At once, if there are no workers.
    """
    if workers < 1:
        raise ValueError(f"workers: got {workers}; allowed a positive number of processes")
    return _mapped(function, files, workers)


def _mapped(function, files, workers):
    if workers == 1 or len(files) == 1:
        yield from map(function, files)
        return
    # JAX runs threads, which do not survive a fork; a fresh process starts clean.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(workers, len(files)), context, initializer=_in_double_precision) as pool:
        yield from pool.map(function, files)


def _in_double_precision():
    """A fresh process has the settings of JAX, and must have ours before the arrays of a function arrive in it."""
    jax.enable_x64(True).__enter__()  # until the process ends: jobs arrive and run in the thread that is here
