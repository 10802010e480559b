"""Arrays for a browser: a header in JSON that names them, and their numbers in single or half precision behind it."""

import json
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np

__all__ = ["packed"]


def packed(arrays: Mapping[str, np.ndarray], *, half: bool = False, **others: Any) -> bytes:
    """One message: the length of the header in four bytes, the header, and the numbers, little endian.

    Parameters
    ----------
    arrays : mapping of str to array
    half : bool
        Half precision, for pictures alone: 11 binary digits.
    **others
        Further entries of the header, in what JSON can hold.

    Examples
    --------
    >>> message = packed({"mean": np.array([1.0, 2.0])}, chi2=[3.0])
    >>> int.from_bytes(message[:4], "little"), len(message) % 4
    (64, 0)
    """
    header, first = {**others, **({"half": True} if half else {})}, 0
    header["arrays"] = {}
    for name, array in arrays.items():
        header["arrays"][name] = {"shape": list(array.shape), "first": first}
        first += array.size
    text = json.dumps(_plain(header), allow_nan=False).encode()
    text += b" " * (-len(text) % 4)  # so that the numbers start where a browser reads them in place
    with np.errstate(over="ignore"):  # what is too large for this precision is drawn as nothing
        numbers = [array.astype("<f2" if half else "<f4").tobytes() for array in arrays.values()]
    return b"".join([struct.pack("<I", len(text)), text, *numbers])


def _plain(value: Any) -> Any:
    """What JSON can hold: numbers that are not finite become null."""
    if isinstance(value, Mapping):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    if isinstance(value, float | np.floating):
        return float(value) if np.isfinite(value) else None
    return value
