"""Running a function over many rows: in chunks that bound the memory, over all devices and processes.

A batch is padded, split over the local devices, and the padding is cut off at the end, so that neither the number of
devices nor the chunk size changes a result.  Where padding rows cost nothing, batches are filled up to one of a few
sizes, so that another number of rows is not another program to compile.  Where several processes run the same program
(after `jax.distributed.initialize`), each takes a share of the rows and all of them receive the whole result.
"""

from collections.abc import Callable, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental import multihost_utils
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from ..array_library import is_traced
from .compiling import compiled
from .packing import pack, unpacked

__all__ = ["replicate", "shard_rows", "map_batch", "padded_rows"]

_SIZES = (512, 1024, 2048)
"""Rows for each device that batches are filled up to, where they are shorter than a chunk."""


def map_batch(
    function: Callable[[Any, Any], Any],
    shared: Any,
    batch: Any,
    *,
    chunk: int,
    idle: Callable[[Any], Any] | None = None,
    sizes: Sequence[int] = _SIZES,
    progress: Callable[[int, int], None] | None = None,
) -> Any:
    """``function(shared, batch)`` in chunks of rows, over all local devices.

    Parameters
    ----------
    function : callable
        Maps `shared` and a batch (leading axis: rows) to arrays with the same leading axis.  Must be the same object
        in every call, or it is compiled again.
    shared : pytree
        What all rows need.
    batch : pytree of arrays, shape (N, ...)
    chunk : int
        Rows per device and chunk.
    idle : callable, optional
        Maps rows to rows of the same shapes on which `function` has next to nothing to do.  Batches are then filled up
        with these to one of a few sizes, so that any number of rows is computed by a few compiled programs.
    sizes : sequence of int
        These sizes, as rows for each device; larger batches are chunks.
    progress : callable, optional
        Called as ``progress(done, total)`` after each chunk with the rows of this process; not inside JAX
        transformations.

    Returns
    -------
    pytree of arrays, shape (N, ...)
        Of numpy, except inside JAX transformations.

    Examples
    --------
    >>> def scaled(factor, batch):
    ...     return factor * batch
    >>> map_batch(scaled, 2.0, jnp.arange(5.0), chunk=2)
    array([0., 2., 4., 6., 8.])
    """
    rows = jax.tree.leaves(batch)[0].shape[0]
    if is_traced((shared, batch)):  # every process computes all rows: a transformation may not depend on the process
        return _over_devices(function, shared, batch, rows, chunk)
    processes, process = jax.process_count(), jax.process_index()
    share = -(-rows // processes)
    own_rows = jax.tree.map(np.asarray, batch)  # numpy has no program to compile for each number of rows
    if processes > 1:
        first = process * share
        own_rows = jax.tree.map(lambda leaf: _padded(leaf, share * processes)[first : first + share], own_rows)
    devices = jax.local_device_count()
    size = _equal_chunks(share, chunk, devices) if idle is None else padded_rows(share, chunk, devices, sizes)
    computed = size if idle is not None else min(size, share)
    shared, parts = pack(shared), []
    for first in range(0, share, size):
        part = jax.tree.map(lambda leaf, first=first: leaf[first : first + size], own_rows)
        keep = min(size, share - first)
        if idle is not None:
            part = _filled(part, idle, size)
        elif keep < computed:
            part = jax.tree.map(lambda leaf: _padded(leaf, computed), part)
        # Dealt out like cards, so that every device has its share of the padding, and of slow rows beside each other.
        order = np.arange(computed) if computed % devices else np.arange(computed).reshape(-1, devices).T.ravel()
        part = jax.tree.map(lambda leaf, order=order: leaf[order], part)
        result = jax.device_get(_over_devices(function, shared, part, computed, chunk))
        back = np.argsort(order)[:keep]
        parts.append(jax.tree.map(lambda leaf, back=back: leaf[back], result))
        if progress is not None:
            progress(first + keep, share)
    if len(parts) > 1:
        parts = [_joined(parts)]
    whole = parts[0]
    if processes > 1:
        whole = jax.tree.map(lambda leaf: leaf[:rows], multihost_utils.process_allgather(whole, tiled=True))
    return whole


def padded_rows(rows: int, chunk: int, devices: int, sizes: Sequence[int] = _SIZES) -> int:
    """To how many rows a batch is filled up: one of a few sizes for each device, or whole chunks.

    Examples
    --------
    >>> [padded_rows(rows, 4096, 2) for rows in (1, 1000, 1100, 3000, 100_000)]
    [1024, 1024, 2048, 4096, 8192]
    """
    per_device = -(-rows // devices)
    return min([size for size in sizes if per_device <= size < chunk] or [chunk]) * devices


def _equal_chunks(rows, chunk, devices):
    """Rows of each chunk of equal size: of a shorter last one, the padding would be computed for nothing."""
    return -(-rows // (-(-rows // (chunk * devices)) * devices)) * devices


def _filled(batch, idle, size):
    """`batch` filled up to `size` rows with idle ones."""
    short = size - jax.tree.leaves(batch)[0].shape[0]
    if not short:
        return batch
    last = jax.tree.map(lambda leaf: np.broadcast_to(leaf[-1:], (short, *leaf.shape[1:])), batch)
    return jax.tree.map(lambda *leaves: np.concatenate(leaves), batch, idle(last))


def _joined(parts):
    """All chunks joined; each chunk's array is freed once copied, so that large results are not in memory twice."""
    structure = jax.tree.structure(parts[0])
    columns = [jax.tree.leaves(part) for part in parts]
    parts.clear()
    return structure.unflatten(
        [np.concatenate([column.pop(0) for column in columns]) for _ in range(structure.num_leaves)]
    )


@compiled
def _over_devices(function, shared, batch, rows, chunk):
    """All rows over the local devices, each of which works through its share chunk by chunk."""
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
    """``function(shared, batch)`` inside a compiled function, with the rows shared out over the local devices.

    For rows that hold much work each, such as points of a likelihood or Markov chains: what `function` evolves for its
    rows stays on their device, and devices never wait for each other.

    Parameters
    ----------
    function, shared, batch
        As for `map_batch`.

    Examples
    --------
    >>> points = jnp.arange(4.0)
    >>> jax.jit(lambda points: shard_rows(lambda power, x: x**power, 2, points))(points)
    Array([0., 1., 4., 9.], dtype=float64)
    """
    rows = jax.tree.leaves(batch)[0].shape[0]
    if rows < len(jax.local_devices()):
        return function(shared, batch)  # the work inside the function is shared out instead
    devices = _devices_for(rows)
    padded = jax.tree.map(lambda leaf: _padded(leaf, -(-rows // len(devices)) * len(devices)), batch)
    return jax.tree.map(lambda leaf: leaf[:rows], _split(function, shared, padded, devices))


def replicate(array: Any) -> Any:
    """`array`, of which each device may hold some rows, whole on every device.

    A reduction over rows would otherwise exchange every partial sum between devices, and for a hundred halos each
    exchange costs as much as the sums.

    Examples
    --------
    >>> float(jax.jit(lambda x: jnp.sum(replicate(x)))(jnp.arange(4.0)))
    6.0
    """
    devices = _devices_for(array.size)
    if len(devices) == 1 or not is_traced(array):
        return array
    return jax.lax.with_sharding_constraint(array, NamedSharding(Mesh(np.array(devices), ("row",)), PartitionSpec()))


def _devices_for(rows):
    """The local devices, at most one per row; inside a function that already runs on one device, that one."""
    devices = jax.local_devices()[:1] if jax.sharding.get_abstract_mesh().manual_axes else jax.local_devices()
    return devices[: max(1, min(len(devices), rows))]


def _split(function, shared, batch, devices):
    if len(devices) == 1:
        return function(shared, batch)
    dynamic, static = eqx.partition(shared, eqx.is_array)
    by_row, replicated = PartitionSpec("row"), PartitionSpec()
    specs = dict(in_specs=(replicated, by_row), out_specs=by_row, check_vma=False)
    mesh = Mesh(np.array(devices), ("row",))
    return jax.shard_map(lambda dynamic, part: function(eqx.combine(dynamic, static), part), mesh=mesh, **specs)(
        dynamic, batch
    )


def _padded(leaf, size):
    short = size - leaf.shape[0]
    if not short:
        return leaf
    xp = np if isinstance(leaf, np.ndarray) else jnp
    return xp.concatenate([leaf, xp.broadcast_to(leaf[-1:], (short, *leaf.shape[1:]))])
