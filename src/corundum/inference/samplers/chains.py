"""Running chains in blocks that survive an interruption.

A sampler advances a state of plain arrays.  `run_chains` asks it for a block of draws at a time; after each block the
state and all draws so far go to a store, which replaces what it held in one step.  Each draw depends on the state
alone, so a run that was killed and resumed, in blocks of any size, makes the same draws bit for bit.
"""

import time
from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from ...printing import in_short
from ...storage.checkpoints import Checkpoint

__all__ = ["ChainProgress", "Chains", "run_chains", "ingredients"]

BLOCK = 32
"""Most draws in one block."""

FIRST_BLOCKS = (1, 2)
"""Draws in the first two blocks, which measure how long a draw takes: the first one also compiles."""


class ChainProgress(NamedTuple):
    """How far a run is, for a progress bar.

    Attributes
    ----------
    done, total : int
        Draws of each chain, warm-up included.
    warmup : bool
        Whether the chains are still warming up.
    step_size : float
        Mean over chains; NaN for samplers that have none.
    divergences : int
        After warm-up.
    seconds : float
        Time that the last block took.

    Examples
    --------
    >>> progress = co.inference.ChainProgress(40, 100, True, 0.3, 0, 1.2)
    >>> f"{progress.done} of {progress.total}"
    '40 of 100'
    """

    done: int
    total: int
    warmup: bool
    step_size: float
    divergences: int
    seconds: float

    def __repr__(self) -> str:
        return in_short(self)


class Chains(NamedTuple):
    """The draws of all chains of a run.

    Attributes
    ----------
    u : array, (chains, draws, P)
        Unbounded coordinates, after warm-up.
    stats : dict of str to array, (chains, draws)
        What the sampler reports of each draw; may be empty.
    warmup : dict of str to array, (chains, warm-up draws, ...)
        The same during warm-up, with ``u``.
    seconds : float
        Time spent, that before an interruption included.
    resumed : int
        Draws that had been made before the interruption.
    interacting : bool
        Whether the chains are walkers of one ensemble, whose draws depend on each other.
    about : dict of str to number
        What else the sampler has measured, such as the evidence; attributes of the posterior's data.

    Examples
    --------
    >>> chains = co.inference.Chains(np.zeros((4, 100, 2)))
    >>> chains.u.shape
    (4, 100, 2)
    """

    u: np.ndarray
    stats: dict[str, np.ndarray] = {}
    warmup: dict[str, np.ndarray] = {}
    seconds: float = 0.0
    resumed: int = 0
    interacting: bool = False
    about: dict[str, Any] = {}

    def __repr__(self) -> str:
        return in_short(self)


def ingredients(target: Any, y: Any = None) -> dict[str, Any]:
    """What a target consists of, to take `fingerprints` of: model, data (or `y` in their place) and priors."""
    priors = [(free.name, type(free.prior).__name__, free.log10, _numbers(free.prior)) for free in target.free]
    model = (target.summaries, target.likelihood, target.scatter, target.monte_carlo_error, target.correction)
    return {"model": model, "data": (target.data, y), "priors": priors}


def _numbers(prior):
    """The arguments of a distribution by name: its leaves come in an order that differs from process to process."""
    numbers = {name: getattr(prior, name) for name in sorted(type(prior).arg_constraints)}
    base = getattr(prior, "base_dist", None)  # of truncated and transformed distributions
    return numbers if base is None else (numbers, type(base).__name__, _numbers(base))


def run_chains(
    advance: Callable[[Any, Any], tuple[Any, dict[str, Any]]],
    state: Any,
    warmup: int,
    draws: int,
    *,
    identity: Mapping[str, str],
    store: Checkpoint | None = None,
    progress: Callable[[ChainProgress], None] | None = None,
    stops: Collection[int] = (),
    adapt: Callable[[Any, np.ndarray], Any] | None = None,
    enough: Callable[[np.ndarray], bool] | None = None,
    pauses: Collection[int] = (),
    block_seconds: float = 15.0,
) -> Chains:
    """Advance `state` through warm-up and draws.

    Parameters
    ----------
    advance : callable
        Maps ``(state, n)`` to the state n draws later, and arrays (BLOCK, chains, ...) whose first n rows are those
        draws, among them ``u``.
    state : pytree of arrays
    warmup, draws : int
    identity : mapping of str to str
        Fingerprints of everything that the draws depend on; a stored run with others is refused.
    store : Checkpoint, optional
    progress : callable, optional
    stops : collection of int
        Numbers of draws after which `adapt` is called.
    adapt : callable, optional
        Maps the state and all ``u`` so far, (draws, chains, P), to the state to continue from.
    enough : callable, optional
        Says of ``u`` after warm-up, (chains, draws, P), whether these draws are enough.
    pauses : collection of int
        Numbers of draws, without warm-up, at which `enough` is asked.
    block_seconds : float
        How long a block may take, and so about how much work is lost when a run is killed.

    Raises
    ------
    ValueError
        The store holds a different run; the message says what differs.
    """
    total, blocks, done, spent = warmup + draws, [], 0, 0.0
    stored = None if store is None else store.load(identity)
    if stored is not None:
        state, record, done, spent = _restored(stored, state)
        blocks.append(record)
    resumed, size, ends = done, FIRST_BLOCKS[0], sorted({warmup + pause for pause in pauses} | {total})
    while done < total:
        if enough is not None and done in ends and enough(np.swapaxes(_joined(blocks)["u"][warmup:], 0, 1)):
            break
        began = time.perf_counter()
        count = min([size, *(stop - done for stop in (*stops, *ends) if stop > done)])
        # From the host each time: a state that devices share, a new one and a restored one would be three programs,
        # each compiled for as long as the first and with round-off of its own.
        state, rows = advance(jax.tree.map(lambda leaf: jnp.asarray(np.asarray(leaf)), state), jnp.int32(count))
        blocks.append({name: np.asarray(values)[:count] for name, values in rows.items()})
        done += count
        if done in stops:
            state = adapt(state, _joined(blocks)["u"])
        seconds = time.perf_counter() - began
        spent += seconds
        if store is not None:
            joined = _joined(blocks)
            blocks = [joined]
            store.save(_to_store(state, joined, done, spent), identity)
        if progress is not None:
            progress(_progress(blocks, done, min(end for end in ends if end >= done), warmup, seconds))
        if done - resumed > 1:
            size = int(np.clip(count * block_seconds / max(seconds, 1e-3), 1, BLOCK))
        else:
            size = FIRST_BLOCKS[1]
    record = {name: np.swapaxes(rows, 0, 1) for name, rows in _joined(blocks).items()}
    before = {name: rows[:, :warmup] for name, rows in record.items()}
    after = {name: rows[:, warmup:] for name, rows in record.items()}
    return Chains(after.pop("u"), after, before, spent, resumed)


def _joined(blocks):
    if len(blocks) == 1:
        return blocks[0]
    return {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}


def _progress(blocks, done, total, warmup, seconds):
    latest = blocks[-1]
    diverged = int(_joined(blocks)["diverging"][warmup:].sum()) if "diverging" in latest else 0
    step_size = float(np.mean(latest["step_size"][-1])) if "step_size" in latest else float("nan")
    return ChainProgress(done, total, done < warmup, step_size, diverged, seconds)


def _to_store(state, record, done, spent):
    leaves = {f"state/{i}": np.asarray(leaf) for i, leaf in enumerate(jax.tree.leaves(state))}
    rows = {f"draws/{name}": values for name, values in record.items()}
    return {**leaves, **rows, "done": np.int64(done), "seconds": np.float64(spent)}


def _restored(stored, state):
    leaves, structure = jax.tree.flatten(state)
    arrays = [stored.get(f"state/{i}") for i in range(len(leaves))]
    if any(a is None or np.shape(a) != np.shape(b) for a, b in zip(arrays, leaves, strict=True)):
        raise ValueError("checkpoint: is damaged (its state does not fit the sampler); discard it and start again")
    arrays = [np.asarray(a, dtype=jnp.asarray(b).dtype) for a, b in zip(arrays, leaves, strict=True)]
    record = {name.removeprefix("draws/"): rows for name, rows in stored.items() if name.startswith("draws/")}
    return jax.tree.unflatten(structure, arrays), record, int(stored["done"]), float(stored["seconds"])
