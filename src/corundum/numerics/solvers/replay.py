"""The solution again along steps already found, as a function that JAX differentiates in every mode and to any order.

Adaptive integration chooses steps; with the choice held fixed, the discrete solution is a composition of smooth maps.
Its derivative is exact for the discrete solution.  Reverse mode keeps one state for a number of blocks of steps, from
it one for each block, and recomputes the rest; blocks that no trajectory reaches are skipped.  Trajectories are grouped
by their number of steps, so that few wait for others.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from ..fusion import materialise
from ..rows import any_over_batch, at_rows, row_axes, take
from .base import Equation, Stops
from .runge_kutta import tsit5

__all__ = ["at_output", "in_groups", "lane_step", "replay", "whole_vectors"]

_VECTOR = 8  # lanes beyond a multiple of it are advanced one by one; 63 take a seventh longer than 64
_BLOCK, _TOGETHER = 16, 8  # steps between stored states, and blocks of them between states that stay stored


def lane_step(equation: Equation, args: Any) -> Callable:
    """``step(row, x, y, slope, h)`` of the trajectories `row` by `tsit5`."""

    def step(row, x, y, slope, h):
        own, axes = at_rows(args, row), row_axes(args)
        reading = jax.vmap(jax.vmap(equation.reading, in_axes=(0, axes)), in_axes=(0, None))
        forcing = jax.vmap(jax.vmap(equation.forcing, in_axes=(0, 0, axes)), in_axes=(0, 0, None))
        rates = jax.vmap(equation.rates, in_axes=(0, -1, 0, axes), out_axes=-1)
        combine = jax.vmap(equation.combine, in_axes=-1, out_axes=-1)

        running = jnp.isfinite(h[0])

        def forcing_at(x):
            return forcing(x, materialise(lambda x: reading(x, own), running, x), own)

        def slope_of(x, y, forced):
            return combine(materialise(lambda *now: rates(*now, own), running, x, y, forced))

        return tsit5(forcing_at, slope_of, x, y, slope, h)

    return step


def at_output(arrived: Bool[Array, " lane"], stop: Int[Array, " lane"], stops: Stops) -> Callable:
    """For a leaf of the state that may have arrived at the stop of that number, which (output, ..., lane) it is."""
    here = arrived & (stop == stops.outputs[:, None])
    return lambda leaf: _beside(here, leaf)


def in_groups(n: int, lanes: int) -> tuple[int, int]:
    """How many groups of up to about `lanes` hold `n` trajectories, and the lanes of each: whole vectors of numbers."""
    groups = -(-n // lanes)
    return groups, n if groups == 1 else whole_vectors(-(-n // groups))


def whole_vectors(lanes: int) -> int:
    """As many lanes, or a few more; a single one would also round unlike the lanes of a vector."""
    return -(-lanes // _VECTOR) * _VECTOR


def _beside(flags, leaf):
    """Flags (output, lane) with the inner axes of a leaf (..., lane) between."""
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
        How many of them each trajectory takes.
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
    places, wanted = stops.at, len(stops.outputs)
    initial = jax.tree.map(lambda leaf: jnp.moveaxis(leaf, 0, -1), initial)
    take_step = lane_step(equation, args)

    def step(carry, fraction):
        (x, y, k, stop), saved = carry
        target = take(places, jnp.minimum(stop, len(places) - 1))
        arrived = fraction == 1.0
        # Where a step ends short of a stop is a choice, not a function of the stops: it stays there when one of them
        # moves, or all steps would move over the corners of the equation.  A step of no length finds a slope only.
        held = jax.lax.stop_gradient
        way, astray = fraction * (target - x), x - held(x)
        caught_up = jnp.where(fraction == 0.0, 0.0, astray)
        h = jnp.where(arrived, target - x, held(way) - caught_up)
        y, k, _ = take_step(rows, x, y, k, h)
        x = jnp.where(arrived, target, held(x + way) + (astray - caught_up))
        here = at_output(arrived, stop, stops)
        saved = jax.tree.map(lambda s, y: s + jnp.where(here(y), y, 0.0), saved, y)
        return ((x, y, k, stop + arrived), saved), None

    @jax.checkpoint
    def block(carry, found):
        state, total = carry
        nothing = jax.tree.map(lambda leaf: jnp.zeros((wanted, *leaf.shape)), initial)
        state, saved = jax.lax.scan(step, (state, nothing), found)[0]
        return state, jax.tree.map(jnp.add, total, saved)

    def one(carry, first):
        numbers = (first + jnp.arange(_BLOCK))[:, None]
        found = take(fractions, (jnp.minimum(numbers, len(fractions) - 1), rows))
        found = jnp.where(numbers < steps, found.astype(start.dtype), 0.0)
        return jax.lax.cond(any_over_batch(first < steps), block, lambda carry, _: carry, carry, found), None

    @jax.checkpoint
    def several(carry, first):
        firsts = first + _BLOCK * jnp.arange(_TOGETHER)
        return jax.lax.cond(
            any_over_batch(first < steps), lambda carry: jax.lax.scan(one, carry, firsts)[0], lambda carry: carry, carry
        ), None

    early = places[:, None] <= start
    unmoved = take(early, stops.outputs)
    total = jax.tree.map(lambda leaf: jnp.where(_beside(unmoved, leaf), leaf, 0.0), initial)
    state = (start, initial, jax.tree.map(jnp.zeros_like, initial), jnp.sum(early, axis=0))
    firsts = jnp.arange(0, len(fractions), _BLOCK * _TOGETHER)
    values = jax.lax.scan(several, (state, total), firsts)[0][1]
    return jax.tree.map(lambda leaf: jnp.moveaxis(leaf, -1, 0), values)
