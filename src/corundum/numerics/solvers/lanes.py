"""The default solver: many trajectories at once, each with its own adaptive step.

A fixed number of lanes advances in one loop, with arrays over contiguous lanes; a lane whose trajectory is finished
takes the next one from the queue, so that fast trajectories do not wait for slow ones.  Steps land exactly on the
stops.  Each step is a fraction of the way to the next stop, and that fraction is all that the step-size control
decides: with the fractions held fixed, the solution is a plain differentiable function of everything else (see
`corundum.numerics.solvers.replay`).
"""

import functools
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Bool, Float, Int

from ...annotations import Array
from ...plain_numbers import float64
from ..rows import any_over_batch, take
from .base import AbstractSolver, Equation, Stops, Trajectory, check_settings
from .parameter_sets import flat_over_sets
from .replay import at_output, fixed, in_groups, lane_step, replay, step_to, whole_vectors
from .runge_kutta import ORDER

__all__ = ["LaneSolver", "search"]

_SAFETY, _SHRINK, _GROW = 0.9, 0.2, 8.0
_SMALLEST_STEP = 1e-13
_IDLE_SHARE = 16  # lanes are refilled when one in this many is idle


class _Lanes(NamedTuple):
    """The trajectories being advanced."""

    row: Int[Array, " lane"]
    x: Float[Array, " lane"]
    y: Any
    slope: Any
    step: Float[Array, " lane"]
    stop: Int[Array, " lane"]  # number of the next stop
    values: Any  # at the outputs, a pytree of arrays of shape (outputs, lane)
    steps: Int[Array, " lane"]
    rejected: Int[Array, " lane"]
    status: Int[Array, " lane"]
    active: Bool[Array, " lane"]


class _Done(NamedTuple):
    """What is kept of a finished trajectory."""

    row: Int[Array, " n"]
    values: Any
    status: Int[Array, " n"]
    steps: Int[Array, " n"]
    rejected: Int[Array, " n"]


class LaneSolver(AbstractSolver):
    """Tsitouras 5(4) steps of many trajectories at once; the default solver.

    Parameters
    ----------
    tolerance : float
        Local error allowed in the integrated coordinates (natural logarithms, for galaxy models).
    first_step : float
        First step in the independent variable (e-folds of time).
    max_steps : int
        Steps after which a trajectory is given up.
    lanes : int, optional
        Trajectories advanced at once on each device, rounded up to a multiple of 8.  By default 4096; on CPUs, whose
        caches are small, 64, or all trajectories where there are at most 128.

    Raises
    ------
    ValueError
        A setting is out of range.

    Examples
    --------
    >>> decay = co.numerics.Equation(lambda x, y, forcing, args: -args * y)
    >>> solver = co.numerics.LaneSolver(tolerance=1e-8)
    >>> trajectory = solver(decay, jnp.zeros(3), jnp.ones(3), jnp.array([1.0]), 1.0)
    >>> round(float(trajectory.values[0, 0]), 6)
    0.367879
    """

    tolerance: Float[Array, ""] = eqx.field(default=3e-5, converter=functools.partial(float64, "tolerance"))
    first_step: Float[Array, ""] = eqx.field(default=1e-3, converter=functools.partial(float64, "first_step"))
    max_steps: int = eqx.field(default=4096, static=True)
    lanes: int | None = eqx.field(default=None, static=True)

    def __check_init__(self):
        check_settings(self, "tolerance", "first_step")
        if not (self.lanes is None or isinstance(self.lanes, int) and self.lanes > 0):
            raise ValueError(f"solver lanes: got {self.lanes!r}; allowed a positive integer")

    def __call__(
        self,
        equation: Equation,
        start: Float[Array, " n"],
        initial: Any,
        outputs: Float[Array, " outputs"] | Stops,
        args: Any,
    ) -> Trajectory:
        return _solve(self, equation, start, initial, Stops.of(outputs), args)

    def width(self, n: int) -> int:
        """Lanes for `n` trajectories on one device."""
        default = (n if n <= 128 else 64) if jax.default_backend() == "cpu" else 4096
        return min(n, whole_vectors(self.lanes or default))


@eqx.filter_custom_jvp
def _solve(solver, equation, start, initial, stops, args):
    return flat_over_sets(search, solver, equation, start, initial, stops, args)


@_solve.def_jvp
def _solve_jvp(primals, tangents):
    solver, equation, *inputs = primals
    arrays, static = eqx.partition(inputs, eqx.is_array)  # a law may hold functions, such as those of a network
    constant = eqx.combine(fixed(arrays), static)
    trajectory, fractions = _recorded_search(solver, equation, *constant)
    steps = jnp.where(trajectory.status == 0, trajectory.steps, 0)

    def values(*inputs):
        return replay(equation, *inputs, fractions, steps, solver.width(len(steps)))

    primal, tangent = eqx.filter_jvp(values, tuple(inputs), tuple(tangents[2:]))
    return trajectory._replace(values=primal), Trajectory(tangent, None, None, None)


def search(solver, equation, start, initial, stops, args):
    """Adaptive integration of all trajectories, with lanes that take the next one when they are done."""
    n, width = len(start), solver.width(len(start))
    batch = max(width // _IDLE_SHARE, 1)  # lanes refilled at once
    most_refills = -(-(n - width) // batch)
    waiting = _waiting(start, initial, stops, width + most_refills * batch)
    # Rows at the end of the list that have nothing to do, such as padding, are never taken.
    last = jnp.max(jnp.where(waiting.active, jnp.arange(1, len(waiting.active) + 1, dtype=jnp.int32), 0))
    refills = -(-jnp.maximum(last - width, 0) // batch)
    take_step = lane_step(equation, args)
    lanes = jax.tree.map(lambda leaf: leaf[..., :width], waiting)
    done = _finished(waiting)

    def unfinished(carry):
        lanes, _, count = carry
        return any_over_batch(jnp.any(lanes.active) | (count < refills))

    def advance(carry):
        lanes, done, count = carry
        lanes, _ = _advance(solver, take_step, stops, lanes)
        if not most_refills:
            return lanes, done, count
        due = (count < refills) & (jnp.sum(~lanes.active) >= batch)
        return jax.lax.cond(due, refill, lambda *carry: carry, lanes, done, count)

    def refill(lanes, done, count):
        # Sums instead of a sort, for which XLA's CPU code leaves the compiled loop and waits for other threads.
        idle = ~lanes.active
        rank = jnp.cumsum(idle, dtype=jnp.int32)
        first = jnp.sum(rank[None] <= jnp.arange(batch, dtype=jnp.int32)[:, None], axis=1, dtype=jnp.int32)
        finished = jax.tree.map(lambda leaf: take(leaf, (..., first)), _finished(lanes))
        done = _write(done, finished, count * batch)
        taken = idle & (rank <= batch)
        place = width + count * batch + jnp.where(taken, rank - 1, 0)
        fresh = jax.tree.map(lambda leaf: take(leaf, (..., place)), waiting)
        return jax.tree.map(lambda new, old: jnp.where(taken, new, old), fresh, lanes), done, count + 1

    lanes, done, _ = jax.lax.while_loop(unfinished, advance, (lanes, done, jnp.int32(0)))
    done = _write(done, _finished(lanes), refills * batch)
    # Padding repeats the last row with no step taken, and is sorted after it.
    back = jnp.argsort(2 * done.row + (done.steps == 0).astype(done.row.dtype))[:n] if most_refills else jnp.arange(n)
    return Trajectory(*jax.tree.map(lambda leaf: jnp.moveaxis(take(leaf, (..., back)), -1, 0), done)[1:])


def _recorded_search(solver, equation, start, initial, stops, args):
    """The same search, which also records every trial step.

    Returns
    -------
    Trajectory
    fractions : array, shape (max_steps, n)
        Of the way to the next stop; zero where a step was rejected.
    """
    n = len(start)
    groups, width = in_groups(n, solver.width(n))
    waiting = _waiting(start, initial, stops, groups * width)
    take_step = lane_step(equation, args)

    def advance(carry):
        lanes, fractions, count = carry
        lanes, fraction = _advance(solver, take_step, stops, lanes)
        return lanes, jax.lax.dynamic_update_index_in_dim(fractions, fraction, count, 0), count + 1

    def group(lanes):
        fractions = jnp.zeros((solver.max_steps, width), jnp.float32)
        carry = (lanes, fractions, jnp.int32(0))
        lanes, fractions, _ = jax.lax.while_loop(lambda carry: any_over_batch(carry[0].active), advance, carry)
        return _finished(lanes), fractions

    def split(leaf):
        return jnp.moveaxis(leaf.reshape(*leaf.shape[:-1], groups, width), -2, 0)

    def joined(leaf):
        return jnp.moveaxis(leaf, 0, -2).reshape(*leaf.shape[1:-1], groups * width)[..., :n]

    done, fractions = jax.lax.map(group, jax.tree.map(split, waiting))
    finished = jax.tree.map(lambda leaf: jnp.moveaxis(joined(leaf), -1, 0), done)
    return Trajectory(*finished[1:]), joined(fractions)


def _waiting(start, initial, stops, total):
    """All trajectories before their first step, padded with idle ones to `total`."""
    n = len(start)
    initial = jax.tree.map(lambda leaf: jnp.moveaxis(leaf, 0, -1), initial)
    # An output before the start is the initial state; it is saved here and skipped in the loop.
    early = jnp.sum(stops.at[:, None] <= start[None], axis=0, dtype=jnp.int32)
    zeros = jnp.zeros(n, jnp.int32)
    lanes = _Lanes(
        row=jnp.arange(n, dtype=jnp.int32),
        x=start,
        y=initial,
        slope=jax.tree.map(jnp.zeros_like, initial),
        step=jnp.zeros(n),  # a step of no length, which finds the first slope
        stop=early,
        values=jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, (len(stops.outputs), *leaf.shape)), initial),
        steps=zeros,
        rejected=zeros,
        status=zeros,
        active=early < len(stops.at),
    )
    fill = total - n
    if not fill:
        return lanes
    more = jax.tree.map(lambda leaf: jnp.repeat(leaf[..., -1:], fill, axis=-1), lanes)
    more = more._replace(row=jnp.full(fill, n - 1, jnp.int32), active=jnp.zeros(fill, bool))
    return jax.tree.map(lambda *leaves: jnp.concatenate(leaves, axis=-1), lanes, more)


def _mean_size(tree):
    """Root mean square over all axes but that of the lanes."""
    leaves = jax.tree.leaves(tree)
    total = sum(jnp.sum(leaf**2, axis=tuple(range(leaf.ndim - 1))) for leaf in leaves)
    return jnp.sqrt(total / sum(leaf.size // leaf.shape[-1] for leaf in leaves))


def _finished(lanes):
    return _Done(lanes.row, lanes.values, lanes.status, lanes.steps, lanes.rejected)


def _write(done, finished, place):
    update = jax.lax.dynamic_update_slice_in_dim
    return jax.tree.map(lambda all_, some: update(all_, some, place, all_.ndim - 1), done, finished)


def _advance(solver, take_step, stops, lanes):
    """One trial step of every lane, and its fraction of the way to the next stop, zero where it was rejected."""
    last = len(stops.at)
    target = take(stops.at, jnp.minimum(lanes.stop, last - 1))
    way = fixed(target - lanes.x)
    fraction = lanes.step / jnp.maximum(way, 1e-300)
    lands = fraction >= 1.0 - 1e-6
    # Two equal steps to the stop are more accurate than a full step and a very short one.
    fraction = jnp.where(lands, 1.0, jnp.where(fraction > 0.5, 0.5, fraction)).astype(jnp.float32)
    step = fraction.astype(way.dtype) * way
    h, x = step_to(target, lanes.x, step, lands, fraction == 0.0)
    y, slope, error = take_step(lanes.row, lanes.x, lanes.y, lanes.slope, h)

    size = _mean_size(fixed(error)) / solver.tolerance
    finite = jnp.isfinite(size) & jnp.isfinite(_mean_size(fixed(slope)))
    size = jnp.where(finite, size, 1e10)  # an overflowing trial step is only a step too long
    accept = lanes.active & (size <= 1.0)
    factor = jnp.clip(
        _SAFETY * jnp.exp(jnp.log(jnp.maximum(size, 1e-12)) / -ORDER), _SHRINK, jnp.where(accept, _GROW, _SAFETY)
    )
    arrived = accept & lands
    stop = lanes.stop + arrived.astype(jnp.int32)
    steps = lanes.steps + lanes.active.astype(jnp.int32)
    rejected = lanes.rejected + (lanes.active & ~accept).astype(jnp.int32)
    status = jnp.where(lanes.active & (steps >= solver.max_steps), 1, lanes.status)
    too_short = (lanes.step == 0.0) | (step < _SMALLEST_STEP * (1.0 + jnp.abs(lanes.x)))
    # A trial step that overflows is too long, until it is as short as it can be: then the rates are not finite.
    status = jnp.where(lanes.active & ~accept & too_short, jnp.where(finite, 2, 5), status)
    status = jnp.where(stop == last, 0, status)
    next_step = jnp.where(arrived, jnp.maximum(lanes.step, step * factor), step * factor)
    next_step = jnp.where(lanes.step == 0.0, solver.first_step, next_step)
    is_output = at_output(arrived, lanes.stop, stops)

    def accepted(new, old):
        return jax.tree.map(lambda new, old: jnp.where(accept, new, old), new, old)

    advanced = _Lanes(
        row=lanes.row,
        x=accepted(x, lanes.x),
        y=accepted(y, lanes.y),
        slope=accepted(slope, lanes.slope),
        step=jnp.where(lanes.active, next_step, lanes.step),
        stop=stop,
        values=jax.tree.map(lambda y, old: jnp.where(is_output(y), y, old), y, lanes.values),
        steps=steps,
        rejected=rejected,
        status=status,
        active=lanes.active & (stop < last) & (status == 0),
    )
    return advanced, jnp.where(accept, fraction, 0.0)
