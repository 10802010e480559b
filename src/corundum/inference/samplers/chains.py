"""Running chains in blocks that survive an interruption.

A sampler advances a state of plain arrays.  Here it does so a block of draws at a time; after each block the state and
the draws so far are handed to a store, which keeps them in one step.  Every step depends on the state alone, so that a
run that was killed and resumed, in blocks of whatever size, makes the same draws bit for bit.
"""

import hashlib
import json
import re
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp
import numpy as np

__all__ = ["ChainStore", "ChainProgress", "Chains", "run_chains", "digests", "parts_of"]

BLOCK = 32
"""Most draws in one block."""


class ChainStore(Protocol):
    """Where an unfinished run is kept; see `corundum.io.StateFile`."""

    def load(self) -> dict[str, np.ndarray] | None:
        """What was kept, or None if there is nothing."""

    def save(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Keep this in place of what was there, in one step."""


class ChainProgress(NamedTuple):
    """How far a run is, for a progress bar.

    Attributes
    ----------
    done, total : int
        Draws of each chain, warm-up included.
    warmup : bool
    step_size : float
        Mean over chains; NaN for samplers that have none.
    divergences : int
        After warm-up.
    seconds : float
        Spent on the last block.
    """

    done: int
    total: int
    warmup: bool
    step_size: float
    divergences: int
    seconds: float


class Chains(NamedTuple):
    """Draws of some chains.

    Attributes
    ----------
    u : array, (chains, draws, P)
        Unbounded coordinates, after warm-up.
    stats : dict of str to array, (chains, draws)
    warmup : dict of str to array
        The same of the warm-up, with ``u``.
    seconds : float
        Time spent in all sittings.
    resumed : int
        Draws that an earlier sitting had made.
    """

    u: np.ndarray
    stats: dict[str, np.ndarray]
    warmup: dict[str, np.ndarray]
    seconds: float
    resumed: int


def digests(parts: Mapping[str, Any]) -> dict[str, str]:
    """A fingerprint of each of some named parts of a run, arrays and settings."""
    found = {}
    for name, part in parts.items():
        digest = hashlib.sha256()
        leaves, structure = jax.tree.flatten(part)
        # Functions print with their address, which differs from process to process.
        digest.update(re.sub(r"0x[0-9a-f]+", "", str(structure)).encode())
        for leaf in leaves:
            if isinstance(leaf, jax.Array | np.ndarray | np.generic | float | int | bool):
                array = np.asarray(leaf)
                digest.update(f"{array.dtype}{array.shape}".encode() + array.tobytes())
            else:
                digest.update(re.sub(r"0x[0-9a-f]+", "", str(leaf)).encode())
        found[name] = digest.hexdigest()
    return found


def parts_of(target: Any, y: Any = None) -> dict[str, Any]:
    """What a target is made of, for `digests`: model, data (or `y` in their place) and priors."""
    priors = [(each.name, type(each.prior).__name__, each.log10, _numbers(each.prior)) for each in target.free]
    model = (target.summaries, target.likelihood, target.scatter, target.monte_carlo_error)
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
    store: ChainStore | None = None,
    progress: Callable[[ChainProgress], None] | None = None,
    stops: Collection[int] = (),
    adapt: Callable[[Any, np.ndarray], Any] | None = None,
    block_seconds: float = 15.0,
) -> Chains:
    """Advance `state` through warm-up and draws.

    Parameters
    ----------
    advance : callable
        Maps ``(state, n)`` to the state n draws on, and arrays (BLOCK, chains, ...) whose first n rows are those draws,
        among them ``u``.
    state : pytree of arrays
    warmup, draws : int
    identity : mapping of str to str
        What the run is made of; a kept run of anything else is refused.
    store : ChainStore, optional
    progress : callable, optional
    stops : collection of int
        Numbers of draws after which all chains are looked at together.
    adapt : callable, optional
        Maps the state and all ``u`` so far, (draws, chains, P), to the state to go on from; called at the stops.
    block_seconds : float
        How long a block may take; a minute at most is lost when a run is killed.

    Raises
    ------
    ValueError
        What the store holds belongs to a different run; the message says what differs.
    """
    total, parts, done, spent = warmup + draws, [], 0, 0.0
    kept = None if store is None else store.load()
    if kept is not None:
        state, record, done, spent = _restored(kept, state, identity)
        parts.append(record)
    resumed, size = done, 1
    while done < total:
        begin = time.perf_counter()
        count = min([size, total - done, *(stop - done for stop in stops if stop > done)])
        # From the host each time: a state that devices share, one just made and one restored would be three programs,
        # each compiled for as long as the first and with round-off of its own.
        state, told = advance(jax.tree.map(lambda leaf: jnp.asarray(np.asarray(leaf)), state), jnp.int32(count))
        parts.append({name: np.asarray(rows)[:count] for name, rows in told.items()})
        done += count
        if done in stops:
            state = adapt(state, _joined(parts)["u"])
        seconds = time.perf_counter() - begin
        spent += seconds
        if store is not None:
            joined = _joined(parts)
            parts = [joined]
            store.save(_kept(state, joined, done, spent, identity))
        if progress is not None:
            latest = parts[-1]
            diverged = int(_joined(parts)["diverging"][warmup:].sum()) if "diverging" in latest else 0
            step = float(np.mean(latest["step_size"][-1])) if "step_size" in latest else float("nan")
            progress(ChainProgress(done, total, done < warmup, step, diverged, seconds))
        if done - resumed > 1:  # the first draw compiles
            size = int(np.clip(count * block_seconds / max(seconds, 1e-3), 1, BLOCK))
        else:
            size = 2
    record = {name: np.swapaxes(rows, 0, 1) for name, rows in _joined(parts).items()}
    before = {name: rows[:, :warmup] for name, rows in record.items()}
    after = {name: rows[:, warmup:] for name, rows in record.items()}
    return Chains(after.pop("u"), after, before, spent, resumed)


def _joined(parts):
    return parts[0] if len(parts) == 1 else {name: np.concatenate([p[name] for p in parts]) for name in parts[0]}


def _kept(state, record, done, spent, identity):
    leaves = {f"state/{i}": np.asarray(leaf) for i, leaf in enumerate(jax.tree.leaves(state))}
    rows = {f"draws/{name}": each for name, each in record.items()}
    return {**leaves, **rows, "done": np.int64(done), "seconds": np.float64(spent),
            "identity": np.array(json.dumps(dict(identity)))}  # fmt: skip


def _restored(kept, state, identity):
    there = json.loads(str(kept["identity"]))
    changed = [name for name in {**there, **identity} if there.get(name) != identity.get(name)]
    if changed:
        raise ValueError(
            f"checkpoint: belongs to a different run; what differs: {', '.join(sorted(changed))}; start again in a new "
            "directory, or discard that run"
        )
    leaves, structure = jax.tree.flatten(state)
    found = [kept.get(f"state/{i}") for i in range(len(leaves))]
    if any(a is None or np.shape(a) != np.shape(b) for a, b in zip(found, leaves, strict=True)):
        raise ValueError("checkpoint: is damaged (its state does not fit the sampler); discard it and start again")
    found = [np.asarray(a, dtype=jnp.asarray(b).dtype) for a, b in zip(found, leaves, strict=True)]
    record = {name.removeprefix("draws/"): rows for name, rows in kept.items() if name.startswith("draws/")}
    return jax.tree.unflatten(structure, found), record, int(kept["done"]), float(kept["seconds"])
