"""Random keys: a whole number where a user writes one, a JAX key below."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..annotations import Array
from ..arguments import in_words

__all__ = ["random_key", "seed", "split_key"]


def random_key(key: int | Array) -> Array:
    """The JAX key of a whole number; a JAX key as it is.

    Raises
    ------
    ValueError
        It is neither.

    Examples
    --------
    >>> from corundum.numerics.random_keys import random_key
    >>> bool(random_key(3) == random_key(random_key(3)))
    True
    """
    if isinstance(key, int | np.integer):
        return jax.random.key(seed(key))
    dtype = getattr(key, "dtype", None)
    if dtype is not None and (jnp.issubdtype(dtype, jax.dtypes.prng_key) or (dtype == np.uint32 and np.ndim(key))):
        return key
    raise ValueError(f"key: got {in_words(key)}; give a whole number, such as 0, or a JAX key")


@jax.jit
def _split(key):
    first, second = jax.random.split(key)
    return first, second


@jax.jit
def _split_seed(number):
    return _split(jax.random.key(number))


def split_key(key: int | Array) -> tuple[Array, Array]:
    """Two independent keys, those of ``jax.random.split(random_key(key))``, from one small program.

    Examples
    --------
    >>> from corundum.numerics.random_keys import random_key, split_key
    >>> bool((jnp.stack(split_key(3)) == jax.random.split(random_key(3))).all())
    True
    """
    if isinstance(key, int | np.integer):
        return _split_seed(np.asarray(seed(key)))
    return _split(random_key(key))


def seed(key: Any) -> int:
    """A whole number from zero, where a generator of NumPy takes it.

    Raises
    ------
    ValueError
        It is something else.

    Examples
    --------
    >>> from corundum.numerics.random_keys import seed
    >>> seed("a")
    Traceback (most recent call last):
    ValueError: key: got the text 'a'; give a whole number from 0, such as 0
    """
    if isinstance(key, int | np.integer) and not isinstance(key, bool) and key >= 0:
        return int(key)
    raise ValueError(f"key: got {in_words(key)}; give a whole number from 0, such as 0")
