"""Compiled functions over any number of rows, without compiling again for every number.

Rows are handed over in blocks of a few sizes, filled up with the last row, which also bounds the memory.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["in_blocks"]


def in_blocks(function: Callable, *arrays: np.ndarray, size: int, shared: tuple = ()) -> Any:
    """``function(*shared, *arrays)`` for arrays of equal length, `size` rows at a time.

    Parameters
    ----------
    function : callable
        Compiled, maps rows to an array or a tuple of arrays with the same leading axis.
    *arrays : arrays with the same leading axis
    size : int
        Most rows at a time; fewer rows are filled up to a power of two.
    shared : tuple
        Arguments before the arrays.

    Returns
    -------
    array or tuple of arrays

    Examples
    --------
    >>> double = jax.jit(lambda x: 2.0 * x)
    >>> in_blocks(double, np.arange(5.0), size=64)
    array([0., 2., 4., 6., 8.])
    """
    count = len(arrays[0])
    size = min(size, max(1 << (max(count, 1) - 1).bit_length(), 64))
    parts = []
    for first in range(0, max(count, 1), size):
        rows = np.minimum(np.arange(first, first + size), max(count - 1, 0))
        block = [array[rows] if count else np.ones((size, *array.shape[1:])) for array in arrays]
        result = function(*shared, *block)
        parts.append(result if isinstance(result, tuple) else (result,))
    whole = tuple(np.concatenate([np.asarray(part) for part in column])[:count] for column in zip(*parts, strict=True))
    return whole if len(whole) > 1 else whole[0]
