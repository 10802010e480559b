"""Handing a model to several devices as one array of numbers instead of a hundred scalars.

Each array argument of a compiled function costs about twenty microseconds per device; for a hundred halos that adds up
to nearly as much as solving them.
"""

import functools
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ..annotations import Array
from ..array_library import is_traced
from .compiling import compiled

__all__ = ["Packed", "pack", "packed_jit", "unpacked"]


class Packed(eqx.Module):
    """A pytree whose scalars lie in one array.

    Attributes
    ----------
    scalars : array, shape (n,)
    rest : list
        The other leaves (arrays, functions, texts), and None in the place of each scalar.
    structure : tree structure
    """

    scalars: Float[Array, " n"]
    rest: list[Any]
    structure: Any = eqx.field(static=True)


def pack(tree: Any) -> Packed:
    """`tree`, whose arrays are known numbers, as a `Packed`.

    Examples
    --------
    >>> packed = pack({"a": jnp.array(1.0), "b": jnp.ones(3), "c": jnp.array(2.0)})
    >>> packed.scalars
    array([1., 2.])
    >>> sorted(unpacked(packed))
    ['a', 'b', 'c']
    """
    leaves, structure = jax.tree.flatten(tree)
    scalar = [isinstance(leaf, jax.Array) and leaf.shape == () and leaf.dtype == jnp.float64 for leaf in leaves]
    scalars = np.array([np.asarray(leaf) for leaf, is_scalar in zip(leaves, scalar, strict=True) if is_scalar])
    rest = [None if is_scalar else leaf for leaf, is_scalar in zip(leaves, scalar, strict=True)]
    return Packed(scalars, rest, structure)


def unpacked(tree: Any) -> Any:
    """The pytree as it was before `pack`, for use inside a compiled function; any other tree unchanged.

    Examples
    --------
    >>> float(unpacked(pack({"a": jnp.array(1.0)}))["a"])
    1.0
    """
    if not isinstance(tree, Packed):
        return tree
    scalars = iter(tree.scalars)
    leaves = [next(scalars) if leaf is None else leaf for leaf in tree.rest]
    return jax.tree.unflatten(tree.structure, leaves)


def packed_jit(function: Callable) -> Callable:
    """`function` compiled, with its first argument packed on the way to the devices.

    Parameters
    ----------
    function : callable
        Takes a pytree and any further arrays.

    Examples
    --------
    >>> scaled = packed_jit(lambda model, x: model["slope"] * x)
    >>> scaled({"slope": jnp.array(2.0)}, jnp.arange(3.0))
    Array([0., 2., 4.], dtype=float64)
    """

    @compiled
    @functools.wraps(function)
    def inner(packed: Any, *rows: Any) -> Any:
        return function(unpacked(packed), *rows)

    @functools.wraps(function)
    def call(tree: Any, *rows: Any) -> Any:
        if is_traced(tree):
            return function(tree, *rows)
        return inner(pack(tree), *rows)

    return call
