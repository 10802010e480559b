"""Random keys: a whole number where a user writes one, a JAX key below."""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..annotations import Array
from ..arguments import in_words

__all__ = ["as_key", "key_or_seed", "random_key", "seed", "split_key"]


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


def key_or_seed(key: int | Array) -> Array | np.ndarray:
    """What a compiled program takes for `key`: a JAX key as it is, a whole number as an array; `as_key` reads both.

    Examples
    --------
    >>> from corundum.numerics.random_keys import as_key, key_or_seed, random_key
    >>> bool(jax.jit(as_key)(key_or_seed(3)) == random_key(3))
    True
    """
    return np.asarray(seed(key)) if isinstance(key, int | np.integer) else random_key(key)


def as_key(key: Array) -> Array:
    """The JAX key of what `key_or_seed` gave, inside a compiled program."""
    return jax.random.key(key) if jnp.issubdtype(key.dtype, jnp.signedinteger) else key


@functools.partial(jax.jit, static_argnames="number")
def _split(key, number):
    return list(jax.random.split(as_key(key), number))


def split_key(key: int | Array, number: int = 2) -> list[Array]:
    """Independent keys, those of ``jax.random.split(random_key(key), number)``, from one small program.

    Examples
    --------
    >>> from corundum.numerics.random_keys import random_key, split_key
    >>> bool((jnp.stack(split_key(3)) == jax.random.split(random_key(3))).all())
    True
    """
    return _split(key_or_seed(key), number)


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
