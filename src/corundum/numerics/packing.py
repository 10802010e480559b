"""Handing a model over to several devices as one array instead of a hundred scalars, and taking results back as few.

Every array that a compiled function is given costs about twenty microseconds for each device, and every one that is
fetched from several of them fifty; for a hundred halos that adds up to more than solving them.
"""

import functools
import math
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .tracing import is_traced

__all__ = ["Columns", "Packed", "pack", "packed_jit", "separated", "side_by_side", "unpacked"]


class Packed(eqx.Module):
    """A pytree whose scalars lie in one array.

    Attributes
    ----------
    scalars : array, (n,)
    rest : list
        The other leaves, and None in the place of scalars.
    structure : tree structure
    """

    scalars: Float[Array, " n"]
    rest: list[Any]
    structure: Any = eqx.field(static=True)


def pack(tree: Any) -> Packed:
    """`tree`, whose arrays are known numbers, packed."""
    leaves, structure = jax.tree.flatten(tree)
    scalar = [isinstance(leaf, jax.Array) and leaf.shape == () and leaf.dtype == jnp.float64 for leaf in leaves]
    scalars = np.array([np.asarray(leaf) for leaf, is_scalar in zip(leaves, scalar, strict=True) if is_scalar])
    rest = [None if is_scalar else leaf for leaf, is_scalar in zip(leaves, scalar, strict=True)]
    return Packed(scalars, rest, structure)


def unpacked(tree: Any) -> Any:
    """The pytree as it was before `pack`, for use inside a compiled function; any other as it is."""
    if not isinstance(tree, Packed):
        return tree
    scalars = iter(tree.scalars)
    leaves = [next(scalars) if leaf is None else leaf for leaf in tree.rest]
    return jax.tree.unflatten(tree.structure, leaves)


def packed_jit(function: Callable) -> Callable:
    """`function` compiled, with a first argument that is packed on the way."""
    inner = eqx.filter_jit(lambda packed, *rows: function(unpacked(packed), *rows))

    @functools.wraps(function)
    def call(tree: Any, *rows: Any) -> Any:
        if is_traced(tree):
            return function(tree, *rows)
        return inner(pack(tree), *rows)

    return call


class Columns(eqx.Module):
    """Arrays over the same rows, side by side in one array for each type of number.

    Attributes
    ----------
    arrays : dict of str to array, (rows, columns)
    structure : tree structure
    shapes : tuple of (str, tuple), the type of each leaf and the shape of one row of it
    """

    arrays: dict[str, Array]
    structure: Any = eqx.field(static=True)
    shapes: tuple[tuple[str, tuple[int, ...]], ...] = eqx.field(static=True)


def side_by_side(tree: Any) -> Columns:
    """A pytree of arrays with one leading axis as few arrays."""
    leaves, structure = jax.tree.flatten(tree)
    shapes = tuple((str(leaf.dtype), leaf.shape[1:]) for leaf in leaves)
    arrays = {
        kind: jnp.concatenate([leaf.reshape(len(leaf), -1) for leaf in leaves if leaf.dtype == kind], axis=1)
        for kind in dict(shapes)
    }
    return Columns(arrays, structure, shapes)


@eqx.filter_jit
def separated(columns: Columns) -> Any:
    """The pytree as it was before `side_by_side`."""
    used, leaves = dict.fromkeys(columns.arrays, 0), []
    for kind, shape in columns.shapes:
        width = math.prod(shape)
        leaf = columns.arrays[kind][:, used[kind] : used[kind] + width]
        leaves.append(leaf.reshape(len(leaf), *shape))
        used[kind] += width
    return jax.tree.unflatten(columns.structure, leaves)
