"""Random keys: a whole number where a user writes one, a JAX key below."""

import jax
import numpy as np

from ..annotations import Array

__all__ = ["random_key"]


def random_key(key: int | Array) -> Array:
    """The JAX key of a whole number; a JAX key as it is.

    Examples
    --------
    >>> from corundum.numerics.random_keys import random_key
    >>> bool(random_key(3) == random_key(random_key(3)))
    True
    """
    return jax.random.key(key) if isinstance(key, int | np.integer) else key
