"""The solution computed again along recorded steps, as a function that JAX differentiates in every mode and order.

Adaptive integration chooses steps; with the choice held fixed, the discrete solution is a composition of smooth maps,
and its derivative is exact for the discrete solution.  Reverse mode stores one state for every several blocks of steps,
recomputes from it one state for each block, and from those the rest; blocks that no trajectory reaches are skipped.
Trajectories are grouped by their number of steps, so that few wait for others.
"""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Bool, Float, Int

from ...annotations import Array
from ..fusion import materialise
from ..rows import any_over_batch, at_rows, row_axes, take
from .base import Equation, Stops
from .runge_kutta import tsit5

__all__ = ["at_output", "fixed", "in_groups", "lane_step", "replay", "step_to", "whole_vectors"]

_VECTOR = 8  # lanes beyond a multiple of it are advanced one by one; 63 take a seventh longer than 64
_BLOCK = 16  # steps in a block
_BLOCKS_TOGETHER = 8  # blocks between the states that reverse mode stores


def lane_step(equation: Equation, args: Any) -> Callable:
    """``step(row, x, y, slope, h)``: a step of length `h` of the trajectories `row`, by `tsit5`."""

    def step(row, x, y, slope, h):
        row_args, axes = at_rows(args, row), row_axes(args)
        reading = jax.vmap(jax.vmap(equation.reading, in_axes=(0, axes)), in_axes=(0, None))
        forcing = jax.vmap(jax.vmap(equation.forcing, in_axes=(0, 0, axes)), in_axes=(0, 0, None))
        rates = jax.vmap(equation.rates, in_axes=(0, -1, 0, axes), out_axes=-1)
        combine = jax.vmap(equation.combine, in_axes=-1, out_axes=-1)

        running = jnp.isfinite(h[0])

        # Reverse mode computes both again instead of storing what they have inside: less to store, and much less to
        # compile.
        @functools.partial(jax.checkpoint, prevent_cse=False)
        def forcing_at(x):
            return forcing(x, materialise(lambda x: reading(x, row_args), running, x), row_args)

        @functools.partial(jax.checkpoint, prevent_cse=False)
        def slope_of(x, y, forcing):
            return combine(materialise(lambda *at: rates(*at, row_args), running, x, y, forcing))

        return tsit5(forcing_at, slope_of, x, y, slope, h)

    return step


fixed = jax.lax.stop_gradient


def step_to(
    target: Float[Array, " lane"],
    x: Float[Array, " lane"],
    length: Float[Array, " lane"],
    lands: Bool[Array, " lane"],
    still: Bool[Array, " lane"],
) -> tuple[Float[Array, " lane"], Float[Array, " lane"]]:
    """The step of each lane, and the place where it ends, as functions that JAX differentiates.

    The end of a step short of a stop is a choice, not a function of the stops: it does not move with them, or all
    steps would move over the corners of the equation.

    Parameters
    ----------
    target : array, shape (lane,)
        The next stop.
    x : array, shape (lane,)
    length : array, shape (lane,)
        Of the step, as a number without a derivative.
    lands : boolean array, shape (lane,)
        Whether the step ends on the stop.
    still : boolean array, shape (lane,)
        Whether the step has no length and only evaluates the slope.
    """
    # `shift` has the value zero and the derivative of x; the next step of finite length takes it back.
    shift = x - fixed(x)
    taken_back = jnp.where(still, 0.0, shift)
    step = jnp.where(lands, target - x, length - taken_back)
    return step, jnp.where(lands, target, fixed(x) + length + (shift - taken_back))


def at_output(arrived: Bool[Array, " lane"], stop: Int[Array, " lane"], stops: Stops) -> Callable:
    """A function that says, for a leaf of the state, which entries (output, ..., lane) it has just arrived at.

    Parameters
    ----------
    arrived : boolean array, shape (lane,)
        Whether the step landed on the lane's next stop.
    stop : integer array, shape (lane,)
        The number of that stop.
    stops : Stops
    """
    reached = arrived[None] & (stop[None] == stops.outputs[:, None].astype(stop.dtype))
    return lambda leaf: _expanded(reached, leaf)


def in_groups(n: int, lanes: int) -> tuple[int, int]:
    """The number of groups of about `lanes` trajectories that hold `n`, and the lanes of each in whole vectors.

    Examples
    --------
    >>> in_groups(100, 64)
    (2, 56)
    """
    groups = -(-n // lanes)
    return groups, n if groups == 1 else whole_vectors(-(-n // groups))


def whole_vectors(lanes: int) -> int:
    """`lanes` rounded up to whole vectors; a lane outside a vector would also round differently.

    Examples
    --------
    >>> whole_vectors(63)
    64
    """
    return -(-lanes // _VECTOR) * _VECTOR


def _expanded(flags, leaf):
    """Flags (output, lane) with the inner axes of a leaf (..., lane) in between, each of length 1."""
    return flags.reshape(flags.shape[0], *(1,) * (leaf.ndim - 1), flags.shape[-1])


def replay(
    equation: Equation,
    start: Float[Array, " n"],
    initial: Any,
    stops: Stops,
    args: Any,
    fractions: Float[Array, "max_steps n"],
    steps: Int[Array, " n"],
    lanes: int,
) -> Any:
    """Values at the outputs, a pytree of arrays of shape (n, outputs).

    Parameters
    ----------
    stops : Stops
    fractions : array, shape (max_steps, n)
        Each step over the way left to the next stop; 1 lands on it.
    steps : integer array, shape (n,)
        Number of steps of each trajectory.
    lanes : int
        Trajectories advanced at once.

    Other parameters as in `AbstractSolver`.
    """
    n = len(start)
    groups, width = in_groups(n, lanes)
    order = jnp.argsort(steps).astype(jnp.int32)
    padded = jnp.concatenate([order, jnp.broadcast_to(order[-1:], (groups * width - n,))]).reshape(groups, width)

    def group(rows):
        return _replay_group(equation, start, initial, stops, args, fractions, steps, rows)

    if groups == 1:
        values = group(padded[0])
    else:
        values = jax.lax.map(group, padded)
        values = jax.tree.map(lambda leaf: leaf.reshape(groups * width, *leaf.shape[2:])[:n], values)
    back = jnp.argsort(order)
    return jax.tree.map(lambda leaf: take(leaf, back), values)


def _replay_group(equation, start, initial, stops, args, fractions, steps, rows):
    start, initial, steps = jax.tree.map(lambda leaf: take(leaf, rows), (start, initial, steps))
    places, number = stops.at, len(stops.outputs)
    initial = jax.tree.map(lambda leaf: jnp.moveaxis(leaf, 0, -1), initial)
    take_step = lane_step(equation, args)

    def step(carry, fraction):
        (x, y, k, stop), saved = carry
        target = take(places, jnp.minimum(stop, len(places) - 1))
        arrived = fraction == 1.0
        h, x_after = step_to(target, x, fraction * fixed(target - x), arrived, fraction == 0.0)
        y, k, _ = take_step(rows, x, y, k, h)
        x = x_after
        is_output = at_output(arrived, stop, stops)
        saved = jax.tree.map(lambda s, y: s + jnp.where(is_output(y), y, 0.0), saved, y)
        return ((x, y, k, stop + arrived.astype(stop.dtype)), saved), None

    def block(carry, block_fractions):
        state, total = carry
        empty = jax.tree.map(lambda leaf: jnp.zeros((number, *leaf.shape)), initial)
        state, saved = jax.lax.scan(step, (state, empty), block_fractions)[0]
        return state, jax.tree.map(jnp.add, total, saved)

    # Around the condition, not inside: what a branch closes over would be stored once for every block.
    @functools.partial(jax.checkpoint, prevent_cse=False)
    def one(carry, first):
        numbers = (first + jnp.arange(_BLOCK, dtype=first.dtype))[:, None]
        recorded = take(fractions, (jnp.minimum(numbers, len(fractions) - 1), rows))
        recorded = jnp.where(numbers < steps[None], recorded.astype(start.dtype), 0.0)
        return jax.lax.cond(any_over_batch(first < steps), block, lambda carry, _: carry, carry, recorded), None

    @functools.partial(jax.checkpoint, prevent_cse=False)
    def several(carry, first):
        firsts = first + _BLOCK * jnp.arange(_BLOCKS_TOGETHER, dtype=first.dtype)
        return jax.lax.cond(
            any_over_batch(first < steps), lambda carry: jax.lax.scan(one, carry, firsts)[0], lambda carry: carry, carry
        ), None

    early = places[:, None] <= start[None]
    unmoved = take(early, stops.outputs)
    total = jax.tree.map(lambda leaf: jnp.where(_expanded(unmoved, leaf), leaf, 0.0), initial)
    state = (start, initial, jax.tree.map(jnp.zeros_like, initial), jnp.sum(early, axis=0))
    firsts = jnp.arange(0, len(fractions), _BLOCK * _BLOCKS_TOGETHER, dtype=steps.dtype)
    values = jax.lax.scan(several, (state, total), firsts)[0][1]
    return jax.tree.map(lambda leaf: jnp.moveaxis(leaf, -1, 0), values)
