"""The solution again along steps already found, as a function that JAX differentiates in every mode and to any order.

Adaptive integration chooses steps; with the choice held fixed, the discrete solution is a composition of smooth maps.
Its derivative is exact for the discrete solution, and reverse mode keeps one state per block of steps and recomputes
inside the block.  Trajectories are grouped by their number of steps, so that few wait for others.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from .fusion import apart
from .rows import anywhere, at_rows, row_axes, take
from .runge_kutta import tsit5
from .solver import Equation

__all__ = ["at_output", "lane_step", "replay"]

_BLOCK = 16  # steps between stored states


def lane_step(equation: Equation, args: Any) -> Callable:
    """``step(row, x, y, slope, h)`` of the trajectories `row` by `tsit5`."""

    def step(row, x, y, slope, h):
        own, axes = at_rows(args, row), row_axes(args)
        forcing = jax.vmap(jax.vmap(equation.forcing, in_axes=(0, axes)), in_axes=(0, None))
        rates = jax.vmap(equation.rates, in_axes=(0, -1, 0, axes), out_axes=-1)
        combine = jax.vmap(equation.combine, in_axes=-1, out_axes=-1)

        def slope_of(x, y, forced):
            return combine(apart(lambda *now: rates(*now, own), jnp.isfinite(h[0]), x, y, forced))

        return tsit5(lambda x: forcing(x, own), slope_of, x, y, slope, h)

    return step


def at_output(arrived: Bool[Array, " lane"], output: Int[Array, " lane"], outputs: int) -> Callable:
    """For a leaf of the state, which (output, ..., lane) it has just arrived at."""
    here = arrived & (output == jnp.arange(outputs)[:, None])
    return lambda leaf: _beside(here, leaf)


def _beside(flags, leaf):
    """Flags (output, lane) with the inner axes of a leaf (..., lane) between."""
    return flags.reshape(flags.shape[0], *(1,) * (leaf.ndim - 1), flags.shape[-1])


def replay(
    equation: Equation,
    start: Float[Array, " n"],
    initial: Any,
    outputs: Float[Array, " outputs"],
    args: Any,
    fractions: Float[Array, "max_steps n"],
    steps: Int[Array, " n"],
    lanes: int,
) -> Any:
    """Values at the outputs, a pytree of arrays of shape (n, outputs).

    Parameters
    ----------
    fractions : array, shape (max_steps, n)
        Each step over the way left to the next output; 1 lands on it.
    steps : integer array, shape (n,)
        How many of them each trajectory takes.
    lanes : int
        Trajectories advanced at once.

    Other parameters as in `AbstractSolver`.
    """
    n = len(start)
    groups = -(-n // lanes)
    width = -(-n // groups)
    order = jnp.argsort(steps).astype(jnp.int32)
    padded = jnp.concatenate([order, jnp.broadcast_to(order[-1:], (groups * width - n,))]).reshape(groups, width)

    def group(rows):
        return _replay_group(equation, start, initial, outputs, args, fractions, steps, rows)

    if groups == 1:
        values = group(padded[0])
    else:
        values = jax.lax.map(group, padded)
        values = jax.tree.map(lambda leaf: leaf.reshape(groups * width, *leaf.shape[2:])[:n], values)
    back = jnp.argsort(order)
    return jax.tree.map(lambda leaf: take(leaf, back), values)


def _replay_group(equation, start, initial, outputs, args, fractions, steps, rows):
    start, initial, steps = jax.tree.map(lambda leaf: take(leaf, rows), (start, initial, steps))
    blocks, last = -(-len(fractions) // _BLOCK), len(outputs)
    initial = jax.tree.map(lambda leaf: jnp.moveaxis(leaf, 0, -1), initial)
    take_step = lane_step(equation, args)

    def step(carry, number):
        (x, y, k, output), saved = carry
        live = number < steps
        fraction = jnp.where(
            live, take(fractions, (jnp.minimum(number, len(fractions) - 1), rows)).astype(x.dtype), 0.0
        )
        target = take(outputs, jnp.minimum(output, last - 1))
        arrived = fraction == 1.0
        # Where a step ends short of an output is a choice, not a function of the outputs: it stays there when an output
        # moves, or all steps would move over the corners of the equation.  A step of no length finds a slope only.
        held = jax.lax.stop_gradient
        way, astray = fraction * (target - x), x - held(x)
        caught_up = jnp.where(fraction == 0.0, 0.0, astray)
        h = jnp.where(arrived, target - x, held(way) - caught_up)
        y, k, _ = take_step(rows, x, y, k, h)
        x = jnp.where(arrived, target, held(x + way) + (astray - caught_up))
        here = at_output(arrived, output, last)
        saved = jax.tree.map(lambda s, y: s + jnp.where(here(y), y, 0.0), saved, y)
        return ((x, y, k, output + arrived), saved), None

    def block(state, first):
        nothing = jax.tree.map(lambda leaf: jnp.zeros((last, *leaf.shape)), initial)
        # The check is inside what is recomputed, so that it stores nothing of its own.
        return jax.lax.cond(
            anywhere(first < steps),
            lambda carry: jax.lax.scan(step, carry, first + jnp.arange(_BLOCK))[0],
            lambda carry: carry,
            (state, nothing),
        )

    def accumulate(carry, number):
        state, total = carry
        state, saved = jax.checkpoint(block)(state, number * _BLOCK)
        return (state, jax.tree.map(jnp.add, total, saved)), None

    early = outputs[:, None] <= start
    total = jax.tree.map(lambda leaf: jnp.where(_beside(early, leaf), leaf, 0.0), initial)
    state = (start, initial, jax.tree.map(jnp.zeros_like, initial), jnp.sum(early, axis=0))
    values = jax.lax.scan(accumulate, (state, total), jnp.arange(blocks))[0][1]
    return jax.tree.map(lambda leaf: jnp.moveaxis(leaf, -1, 0), values)
