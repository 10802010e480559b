"""Running a function over many rows: in chunks that bound the memory, over all devices and processes, losing none.

A batch is padded by repeating its last row, split over the local devices, and the padding is cut off at the end, so
that neither the number of devices nor the chunk size changes a result.  Where several processes run the same program
(after `jax.distributed.initialize`), each takes a share of the rows and all of them get the whole result.
"""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental import multihost_utils
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from .packing import pack, unpacked
from .tracing import is_traced

__all__ = ["replicate", "shard_rows", "map_batch"]


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
        Called as ``progress(done, total)`` after each chunk with the rows of this process; not inside JAX
        transformations.
    """
    rows = jax.tree.leaves(batch)[0].shape[0]
    if is_traced((shared, batch)):  # every process does all: a transformation may not depend on the process
        return _over_devices(function, shared, batch, rows, chunk)
    processes, mine = jax.process_count(), jax.process_index()
    share = -(-rows // processes)
    own = batch
    if processes > 1:
        own = jax.tree.map(lambda leaf: _padded(leaf, share * processes)[mine * share : (mine + 1) * share], batch)
    # As many chunks as it takes, but equal ones: the last would be filled up with work for nothing.
    devices = jax.local_device_count()
    size = -(-share // (-(-share // (chunk * devices)) * devices)) * devices
    shared, parts = pack(shared), []
    for first in range(0, share, size):
        part = own if share <= size else jax.tree.map(lambda leaf, i=first: _padded(leaf[i : i + size], size), own)
        keep = min(size, share - first)
        result = jax.device_get(_over_devices(function, shared, part, min(size, share), chunk))
        parts.append(jax.tree.map(lambda leaf, keep=keep: leaf[:keep], result))
        if progress is not None:
            progress(first + keep, share)
    if len(parts) > 1:
        parts = [_joined(parts)]
    whole = parts[0]
    if processes > 1:
        whole = jax.tree.map(lambda leaf: leaf[:rows], multihost_utils.process_allgather(whole, tiled=True))
    return jax.tree.map(jnp.asarray, whole)


def _joined(parts):
    """All chunks as one; each array of theirs is let go of once copied, or large results would be in memory twice."""
    structure = jax.tree.structure(parts[0])
    columns = [jax.tree.leaves(part) for part in parts]
    parts.clear()
    return structure.unflatten(
        [jnp.asarray(np.concatenate([column.pop(0) for column in columns])) for _ in range(structure.num_leaves)]
    )


@eqx.filter_jit
def _over_devices(function, shared, batch, rows, chunk):
    """All rows at once over the local devices, each of which goes through its share chunk by chunk."""
    shared = unpacked(shared)
    devices = _devices_for(rows)
    chunks = -(-rows // (len(devices) * chunk))
    width = -(-rows // (len(devices) * chunks))
    padded = jax.tree.map(lambda leaf: _padded(leaf, len(devices) * chunks * width), batch)

    def on_device(shared, part):
        if chunks == 1:
            return function(shared, part)
        stacked = jax.tree.map(lambda leaf: leaf.reshape(chunks, width, *leaf.shape[1:]), part)
        result = jax.lax.map(lambda one: function(shared, one), stacked)
        return jax.tree.map(lambda leaf: leaf.reshape(chunks * width, *leaf.shape[2:]), result)

    return jax.tree.map(lambda leaf: leaf[:rows], _split(on_device, shared, padded, devices))


def shard_rows(function: Callable[[Any, Any], Any], shared: Any, batch: Any) -> Any:
    """``function(shared, batch)`` inside a compiled function, each local device with rows of its own.

    For rows that hold much work each, such as points of a likelihood or Markov chains: what `function` evolves for its
    rows stays on their device, and devices never wait for each other.

    Parameters
    ----------
    function, shared, batch
        As for `map_batch`.
    """
    rows = jax.tree.leaves(batch)[0].shape[0]
    if rows < len(jax.local_devices()):
        return function(shared, batch)  # whose own work is shared out instead
    devices = _devices_for(rows)
    padded = jax.tree.map(lambda leaf: _padded(leaf, -(-rows // len(devices)) * len(devices)), batch)
    return jax.tree.map(lambda leaf: leaf[:rows], _split(function, shared, padded, devices))


def replicate(array: Any) -> Any:
    """`array`, of which each device may hold some rows, whole on all of them.

    What reduces over rows would otherwise exchange every sum, and for a hundred halos each exchange costs as much as
    the sums.
    """
    devices = _devices_for(array.size)
    if len(devices) == 1 or not is_traced(array):
        return array
    return jax.lax.with_sharding_constraint(array, NamedSharding(Mesh(np.array(devices), ("row",)), PartitionSpec()))


def _devices_for(rows):
    """The local devices, not more than rows; inside a function that already runs on one of several, that one."""
    devices = jax.local_devices()[:1] if jax.sharding.get_abstract_mesh().manual_axes else jax.local_devices()
    return devices[: max(1, min(len(devices), rows))]


def _split(function, shared, batch, devices):
    if len(devices) == 1:
        return function(shared, batch)
    dynamic, static = eqx.partition(shared, eqx.is_array)
    split, everywhere = PartitionSpec("row"), PartitionSpec()
    specs = dict(in_specs=(everywhere, split), out_specs=split, check_vma=False)
    mesh = Mesh(np.array(devices), ("row",))
    return jax.shard_map(lambda dynamic, part: function(eqx.combine(dynamic, static), part), mesh=mesh, **specs)(
        dynamic, batch
    )


def _padded(leaf, size):
    short = size - leaf.shape[0]
    if not short:
        return leaf
    return jnp.concatenate([leaf, jnp.broadcast_to(leaf[-1:], (short, *leaf.shape[1:]))])
