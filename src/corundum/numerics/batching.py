"""Running a function over many halos: in chunks that bound the memory, over all devices, without losing any.

A batch is padded to whole chunks by repeating its last row, each chunk is split over the local devices, and the
padding is cut off at the end, so that neither the number of devices nor the chunk size changes a result.
"""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, PartitionSpec

__all__ = ["map_batch", "is_traced"]


def is_traced(tree: Any) -> bool:
    """Whether any leaf of `tree` is being traced by a JAX transformation."""
    return any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree.leaves(tree))


def map_batch(
    function: Callable[[Any, Any], Any],
    shared: Any,
    batch: Any,
    *,
    chunk: int,
    progress: Callable[[int, int], None] | None = None,
) -> Any:
    """``function(shared, batch)`` in chunks of rows, over all local devices.

    Parameters
    ----------
    function : callable
        Maps `shared` and a batch (leading axis: rows) to arrays with the same leading axis.  Must be the same object
        from call to call, or it compiles anew.
    shared : pytree
        What all rows need.
    batch : pytree of arrays, shape (N, ...)
    chunk : int
        Rows per device and chunk.
    progress : callable, optional
        Called as ``progress(done, total)`` after each chunk; not inside JAX transformations.
    """
    rows = jax.tree.leaves(batch)[0].shape[0]
    if is_traced((shared, batch)):
        return _map_traced(function, shared, batch, rows, min(chunk, rows))
    devices = jax.local_devices()
    size = min(chunk, -(-rows // len(devices))) * len(devices)
    parts = []
    for first in range(0, rows, size):
        part = jax.tree.map(lambda leaf, first=first: _padded(leaf[first : first + size], size), batch)
        result = _on_devices(function, shared, part, len(devices))
        keep = min(size, rows - first)
        parts.append(jax.tree.map(lambda leaf, keep=keep: np.asarray(leaf[:keep]), result))
        if progress is not None:
            progress(first + keep, rows)
    return jax.tree.map(lambda *leaves: jnp.asarray(np.concatenate(leaves)), *parts)


@eqx.filter_jit
def _on_devices(function, shared, batch, devices):
    if devices == 1:
        return function(shared, batch)
    mesh = Mesh(np.array(jax.local_devices()), ("halo",))
    dynamic, static = eqx.partition(shared, eqx.is_array)
    rows, everywhere = PartitionSpec("halo"), PartitionSpec()
    sharded = jax.shard_map(
        lambda dynamic, batch: function(eqx.combine(dynamic, static), batch),
        mesh=mesh,
        in_specs=(everywhere, rows),
        out_specs=rows,
        check_vma=False,
    )
    return sharded(dynamic, batch)


@eqx.filter_jit
def _map_traced(function, shared, batch, rows, chunk):
    chunks = -(-rows // chunk)
    if chunks == 1:
        return function(shared, batch)
    stacked = jax.tree.map(lambda leaf: _padded(leaf, chunks * chunk).reshape(chunks, chunk, *leaf.shape[1:]), batch)
    result = jax.lax.map(lambda part: function(shared, part), stacked)
    return jax.tree.map(lambda leaf: leaf.reshape(chunks * chunk, *leaf.shape[2:])[:rows], result)


def _padded(leaf, size):
    short = size - leaf.shape[0]
    if not short:
        return leaf
    return jnp.concatenate([leaf, jnp.broadcast_to(leaf[-1:], (short, *leaf.shape[1:]))])
