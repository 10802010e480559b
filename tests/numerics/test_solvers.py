"""Limiters, interpolation, special functions, batching and the solvers, each against an independent answer."""

import diffrax
import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.interpolate import CubicHermiteSpline, CubicSpline

from corundum.numerics import (
    DiffraxSolver,
    ForwardLaneSolver,
    HardMinimum,
    HardPositivePart,
    LaneSolver,
    SmoothMinimum,
    SmoothPositivePart,
    Unlimited,
)
from corundum.numerics.batching import map_batch, shard_rows
from corundum.numerics.coordinates import coordinate, coordinate_slope, from_coordinate
from corundum.numerics.interpolation import (
    BackwardDifference,
    ContinuousCurvature,
    HermiteTable,
    UniformKnots,
    cubic_table,
)
from corundum.numerics.packing import pack, packed_jit, unpacked
from corundum.numerics.rows import Rows
from corundum.numerics.solvers import runge_kutta
from corundum.numerics.solvers.base import Equation, Stops
from corundum.numerics.solvers.diffrax_solver import _error_norm
from corundum.numerics.special import power_integral

positive = st.floats(1e-8, 1e8)


@settings(max_examples=40, deadline=None)
@given(value=positive, limit=positive, sharpness=st.sampled_from([1, 2, 4, 8, 16]))
def test_smooth_minimum_lies_below_both_and_near_the_smaller(value, limit, sharpness):
    smooth = float(SmoothMinimum(sharpness)(jnp.array(value), jnp.array(limit)))
    assert smooth == pytest.approx(value * (1 + (value / limit) ** sharpness) ** (-1 / sharpness), rel=1e-12)
    assert min(value, limit) * 2 ** (-1 / sharpness) * (1 - 1e-12) <= smooth <= min(value, limit) * (1 + 1e-12)


def test_smooth_minimum_is_alive_where_the_sharp_one_is_dead():
    assert jax.grad(HardMinimum())(3.0, 1.0) == 0.0
    assert jax.grad(SmoothMinimum())(3.0, 1.0) > 1e-3
    assert jax.grad(SmoothMinimum())(0.0, 1.0) == 1.0
    assert Unlimited()(3.0, 1.0) == 3.0
    with pytest.raises(ValueError, match="allowed 1, 2, 4, 8 or 16"):
        SmoothMinimum(3)


@settings(max_examples=40, deadline=None)
@given(x=st.floats(-3, 3), scale=st.floats(0.1, 10), width=st.floats(0.01, 0.5))
def test_smooth_positive_part_lies_just_above_the_sharp_one(x, scale, width):
    smooth = SmoothPositivePart(width)
    value, slope = jax.value_and_grad(smooth)(x, scale)
    sharp = float(HardPositivePart()(x, scale))
    assert -1e-12 <= float(value) - sharp <= 0.1876 * width * scale
    assert 0.0 <= float(slope) <= 1.0 + 1e-12
    if abs(x) > width * scale:
        assert float(value) == pytest.approx(sharp, abs=1e-12)
    for edge in (-width * scale, width * scale):
        left, right = (float(jax.grad(jax.grad(smooth))(edge + d, scale)) for d in (-1e-9, 1e-9))
        assert left == pytest.approx(right, abs=1e-5 / (width * scale) ** 2)


CURVATURE = ContinuousCurvature()


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**31), knots=st.sampled_from([4, 5, 6, 11, 40]))
def test_continuous_curvature_is_scipys_not_a_knot_spline(seed, knots):
    rng = np.random.default_rng(seed)
    x = np.cumsum(rng.uniform(0.1, 1.0, knots))
    y = rng.normal(size=(2, knots))
    slopes = jax.jit(CURVATURE)(jnp.asarray(x), jnp.asarray(y))
    np.testing.assert_allclose(slopes, CubicSpline(x, y, axis=1).derivative()(x), atol=1e-8 * np.abs(slopes).max())


def test_hermite_table_matches_scipy_inside_and_follows_its_tangent_outside():
    rng = np.random.default_rng(1)
    x, y = np.sort(rng.uniform(0, 1, 12)), rng.normal(size=(3, 12))
    slopes = np.asarray(BackwardDifference()(jnp.asarray(x), jnp.asarray(y)))
    np.testing.assert_allclose(slopes[:, 1:], np.diff(y) / np.diff(x))
    np.testing.assert_allclose(slopes[:, 0], slopes[:, 1])
    table = HermiteTable(jnp.asarray(x), jnp.asarray(y), jnp.asarray(slopes))
    spline = CubicHermiteSpline(x, y, slopes, axis=1)
    for at in [*rng.uniform(x[0], x[-1], 20), *x]:
        value, slope = table(at)
        np.testing.assert_allclose(value, spline(at), atol=1e-12)
        np.testing.assert_allclose(slope, spline.derivative()(at), atol=1e-9)
    value, slope = table(x[0] - 0.5)
    np.testing.assert_allclose(value, y[:, 0] - 0.5 * slopes[:, 0])
    np.testing.assert_allclose(slope, slopes[:, 0])


def test_two_and_three_knots_still_interpolate():
    for knots in (2, 3):
        x = jnp.arange(1.0, knots + 1)
        np.testing.assert_allclose(ContinuousCurvature()(x, 2.0 * x), 2.0)


@pytest.mark.parametrize("power", [-3.0, -1e-5, 0.0, 1e-9, 9e-4, 1.1e-3, 1.5, 3.0])
def test_power_integral(power):
    exact = -np.log(0.1) if power == 0 else -np.expm1(power * np.log(0.1)) / power
    assert float(power_integral(power, 0.1)) == pytest.approx(exact, rel=1e-13)
    step = 1e-5
    slope = float(power_integral(power + step, 0.1) - power_integral(power - step, 0.1)) / (2 * step)
    assert float(jax.grad(power_integral)(power, 0.1)) == pytest.approx(slope, rel=1e-6)


def _double(shared, batch):
    return {"y": shared * batch["x"], "n": batch["n"]}


@pytest.mark.parametrize("rows,chunk", [(1, 4), (7, 2), (8, 2), (9, 100)])
def test_batches_lose_no_row_whatever_the_chunk(rows, chunk):
    seen = []
    batch = {"x": jnp.arange(3.0 * rows).reshape(rows, 3), "n": jnp.arange(rows)}
    result = map_batch(_double, jnp.array(2.0), batch, chunk=chunk, progress=lambda *done: seen.append(done))
    np.testing.assert_array_equal(result["y"], 2 * batch["x"])
    np.testing.assert_array_equal(result["n"], batch["n"])
    assert seen[-1] == (rows, rows)
    traced = jax.jit(lambda b: map_batch(_double, jnp.array(2.0), b, chunk=chunk))(batch)
    np.testing.assert_array_equal(traced["y"], result["y"])


def test_chunks_are_equal():
    seen = []
    map_batch(_double, 1.0, {"x": jnp.zeros(10), "n": jnp.zeros(10)}, chunk=4, progress=lambda *done: seen.append(done))
    assert seen == [(6, 10), (10, 10)], "two devices: six and four rows, not eight and two"


ENGINES = pytest.mark.parametrize("engine", [DiffraxSolver, LaneSolver])
FORWARD_AND_REVERSE = pytest.mark.parametrize("derivative", [jax.jacfwd, jax.jacrev])


def tight(engine, tolerance):
    return engine(tolerance=tolerance) if engine is LaneSolver else engine(rtol=tolerance, atol=tolerance)


def unforced(slope):
    return Equation(lambda x, y, forced, args: slope(x, y, args))


def rows(values):
    return Rows(values, jnp.arange(len(values)))


DECAY = unforced(lambda x, y, rate: jax.tree.map(lambda yi: -rate.entry * yi, y))


@ENGINES
def test_solver_reaches_its_tolerance_and_gives_the_initial_state_before_the_start(engine):
    starts, rates = jnp.array([0.0, 0.0, 0.7]), jnp.array([0.7, 2.0, 3.0])
    initial = {"a": jnp.ones(3), "b": jnp.full(3, 3.0)}
    outputs = jnp.array([-1.0, 0.5, 2.0])
    solved = tight(engine, 1e-10)(DECAY, starts, initial, outputs, rows(rates))
    elapsed = np.maximum(np.asarray(outputs)[None, :] - np.asarray(starts)[:, None], 0)
    exact = np.exp(-np.asarray(rates)[:, None] * elapsed)
    np.testing.assert_allclose(solved.values["a"], exact, atol=1e-8)
    np.testing.assert_allclose(solved.values["b"], 3.0 * exact, atol=1e-8)
    assert np.all(solved.status == 0) and np.all(solved.steps > solved.rejected) and np.all(solved.rejected >= 0)


def decayed(engine, rate, initial, start, output):
    outputs = jnp.stack([0.3 * jnp.ones_like(output), output])
    solved = tight(engine, 1e-9)(DECAY, start[None], (initial[None],), outputs, rows(rate[None]))
    return solved.values[0][0, -1]


@ENGINES
def test_solution_is_differentiable_in_parameters_initial_state_start_and_output(engine):
    rate, initial, start, output = 0.7, 2.0, 0.1, 1.4
    value = initial * np.exp(-rate * (output - start))
    at = [jnp.asarray(x) for x in (rate, initial, start, output)]
    exact = (-(output - start) * value, value / initial, rate * value)
    slopes = jax.jit(jax.jacfwd(lambda *at: decayed(engine, *at), argnums=(0, 1, 2)))(*at)
    np.testing.assert_allclose(slopes, exact, rtol=1e-6)
    if engine is LaneSolver:  # diffrax holds its output times out of derivatives and is set to forward mode
        slopes = jax.jit(jax.jacrev(lambda *at: decayed(engine, *at), argnums=(0, 1, 2, 3)))(*at)
        np.testing.assert_allclose(slopes, (*exact, -rate * value), rtol=1e-6)


@FORWARD_AND_REVERSE
def test_second_derivatives_in_either_mode(derivative):
    rate, initial, start, output = (jnp.asarray(x) for x in (0.7, 2.0, 0.1, 1.4))
    slope = derivative(lambda rate: decayed(LaneSolver, rate, initial, start, output))
    value, elapsed = 2.0 * np.exp(-0.7 * 1.3), 1.3
    np.testing.assert_allclose(jax.jit(jax.jacfwd(slope))(rate), elapsed**2 * value, rtol=1e-6)


def test_a_batch_of_parameters_gives_what_each_gives():
    starts, outputs = jnp.zeros(3), jnp.array([1.0])
    solve = lambda rates: LaneSolver()(DECAY, starts, (jnp.ones(3),), outputs, rows(rates)).values[0]  # noqa: E731
    batch, slope, solve = jnp.array([[0.1, 1.0, 2.0], [5.0, 0.2, 40.0]]), jax.jit(jax.jacfwd(solve)), jax.jit(solve)
    together, slopes = jax.jit(jax.vmap(solve))(batch), jax.jit(jax.vmap(slope))(batch)
    for i, rates in enumerate(batch):
        np.testing.assert_array_equal(together[i], solve(rates))
        np.testing.assert_allclose(slopes[i], slope(rates), rtol=1e-12)


@pytest.mark.parametrize("lanes", [1, 16])
def test_lanes_that_take_the_next_trajectory_change_nothing(lanes):
    rates = jnp.asarray(np.random.default_rng(0).uniform(0.1, 300.0, 40))
    starts = jnp.asarray(np.random.default_rng(1).uniform(0.0, 1.5, 40))
    outputs = jnp.array([0.4, 1.0])  # some start after one of them, some after both

    def solve(lanes, rates):
        return LaneSolver(lanes=lanes)(DECAY, starts, (jnp.ones(40),), outputs, rows(rates))

    one, other = solve(64, rates), solve(lanes, rates)
    assert np.all(one.status == 0)
    for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True):
        np.testing.assert_array_equal(a, b)
    total = lambda rates: jnp.sum(solve(lanes, rates).values[0])  # noqa: E731
    slopes = jax.jit(jax.grad(total))(rates)
    exact = -np.sum(
        np.clip(np.asarray(outputs) - np.asarray(starts)[:, None], 0, None)
        * np.exp(-np.asarray(rates)[:, None] * np.clip(outputs - starts[:, None], 0, None)),
        axis=1,
    )
    np.testing.assert_allclose(slopes, exact, atol=1e-4)


def test_tangents_carried_along_are_those_of_the_repeated_steps():
    """Trajectories that wait for a lane, are rejected, start late, and outputs that move with a parameter."""
    starts = jnp.asarray(np.random.default_rng(1).uniform(0.0, 1.5, 40))
    rates = jnp.asarray(np.random.default_rng(0).uniform(0.1, 300.0, 40))
    lanes = LaneSolver(lanes=8)

    def solve(solver, x):
        args, outputs = rows(rates * x[0]), jnp.stack([jnp.asarray(0.4), x[2]])
        return solver(DECAY, starts * x[1], (jnp.full(40, x[0]),), outputs, args)

    at, forward = jnp.array([1.1, 0.9, 1.4]), ForwardLaneSolver(lanes)
    one, other = solve(lanes, at), solve(forward, at)
    assert np.any(one.rejected > 0)
    for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True):
        np.testing.assert_array_equal(a, b)
    slope_by = lambda solver: jax.jacfwd(lambda x: solve(solver, x).values[0])  # noqa: E731
    slopes = [jax.jit(slope_by(solver))(at) for solver in (lanes, forward)]
    np.testing.assert_allclose(slopes[1], slopes[0], rtol=1e-9, atol=1e-12)
    several = jax.jit(jax.vmap(slope_by(forward)))(jnp.stack([at, 1.2 * at]))
    np.testing.assert_allclose(several[0], slopes[1], rtol=1e-12, atol=1e-15)


def test_a_jump_among_the_outputs_costs_no_accuracy_and_may_move():
    def solve(jump):
        equation = Equation(
            lambda x, y, rate, args: (rate * jnp.cos(x),), lambda x, args: jnp.where(x > args, 5.0, 1.0)
        )
        outputs = jnp.stack([jump - 1e-9, jump + 1e-9, jnp.asarray(2.0)])
        return LaneSolver(tolerance=1e-9)(equation, jnp.zeros(1), (jnp.ones(1),), outputs, jump)

    def final(jump):
        return solve(jump).values[0][0, -1]

    jump = jnp.asarray(1.3)
    np.testing.assert_allclose(final(jump), 1.0 + np.sin(1.3) + 5.0 * (np.sin(2.0) - np.sin(1.3)), rtol=1e-8)
    np.testing.assert_allclose(jax.jit(jax.grad(final))(jump), -4.0 * np.cos(1.3), rtol=1e-6)
    assert solve(jump).rejected[0] <= 2  # found without trial and error


@ENGINES
def test_steps_end_on_stops_and_only_outputs_are_kept_in_the_order_wanted(engine):
    places = jnp.array([-1.0, 0.4, 0.8, 1.5])
    starts, rates = jnp.array([0.0, 0.5]), jnp.array([0.7, 2.0])
    problem = (DECAY, starts, {"a": jnp.ones(2)})
    every = tight(engine, 1e-10)(*problem, places, rows(rates))
    wanted = tight(engine, 1e-10)(*problem, Stops(places, jnp.array([3, 0, 1])), rows(rates))
    np.testing.assert_array_equal(wanted.values["a"], every.values["a"][:, [3, 0, 1]])
    np.testing.assert_array_equal(wanted.steps, every.steps)

    def last(derivative, rates):
        solve = lambda rates: LaneSolver()(*problem, Stops(places, jnp.array([3, 1])), rows(rates)).values["a"]  # noqa: E731
        return jax.jit(derivative(lambda rates: jnp.sum(solve(rates)[:, 0])))(rates)

    exact = -np.asarray(1.5 - starts) * np.exp(-np.asarray(rates * (1.5 - starts)))
    for derivative in (jax.jacfwd, jax.jacrev):
        np.testing.assert_allclose(last(derivative, rates), exact, rtol=1e-4)


def test_reverse_mode_over_many_stored_states_is_forward_mode():
    """Some hundreds of steps: several stored states, each of several blocks, beside a trajectory of few steps."""
    swing = unforced(lambda x, y, rate: (y[1], -(rate.entry**2) * y[0]))
    start, initial, outputs = jnp.zeros(2), (jnp.ones(2), jnp.zeros(2)), jnp.array([1.0, 3.0])
    solver, rates = LaneSolver(tolerance=1e-9, max_steps=1000), jnp.array([12.0, 0.5])
    solved = solver(swing, start, initial, outputs, rows(rates))
    assert np.all(solved.status == 0) and solved.steps[0] > 260 and solved.steps[1] < 100
    total = lambda rates: jnp.sum(solver(swing, start, initial, outputs, rows(rates)).values[0][:, 1])  # noqa: E731
    slopes = jax.jit(jax.grad(total))(rates)
    np.testing.assert_allclose(slopes, jax.jit(jax.jacfwd(total))(rates), rtol=1e-10)
    np.testing.assert_allclose(slopes, -3.0 * np.sin(3.0 * np.asarray(rates)), rtol=1e-5)


@ENGINES
def test_each_way_to_fail_has_its_status_and_spares_the_other_lanes(engine):
    out, start, initial = jnp.array([1.0]), jnp.zeros(2), (jnp.full(2, 2.0),)
    few = engine(max_steps=30)(DECAY, start, initial, out, rows(jnp.array([0.1, 5e4])))
    assert few.status.tolist() == [0, 1]
    grow = unforced(lambda x, y, rate: (rate.entry * y[0] ** 2,))
    blow_up = engine(max_steps=500)(grow, start, initial, out, rows(jnp.array([0.1, 3.0])))
    assert blow_up.status[0] == 0 and blow_up.status[1] in (1, 2, 3)
    line = unforced(lambda x, y, rate: (rate.entry * y[0],))
    broken = engine(max_steps=100)(line, start, initial, out, rows(jnp.array([0.1, jnp.nan])))
    assert broken.status[0] == 0 and broken.status[1] in (3, 5)
    for result in (few, blow_up, broken):
        assert jnp.all(jnp.isfinite(result.values[0][0]))


@ENGINES
def test_a_rate_that_is_not_a_number_has_a_status_of_its_own(engine):
    """NaN at the start or beyond a place is told apart from a solution that ends in a singularity."""
    out, start, initial = jnp.array([1.0]), jnp.zeros(2), (jnp.full(2, 2.0),)
    ends = unforced(lambda x, y, end: (jnp.where(x < end.entry, y[0], jnp.nan),))
    assert engine()(ends, start, initial, out, rows(jnp.array([2.0, 0.5]))).status.tolist() == [0, 5]
    by_state = unforced(lambda x, y, end: (1.0 + jnp.sqrt(end.entry - y[0]),))
    assert engine()(by_state, start, initial, out, rows(jnp.array([9.0, 2.01]))).status.tolist() == [0, 5]
    contracts = unforced(lambda x, y, rate: (-rate.entry * jnp.exp(-3.0 * y[0]),))
    assert engine()(contracts, start, initial, out, rows(jnp.array([1.0, 400.0]))).status.tolist() == [0, 2]


def test_a_failed_trajectory_leaves_the_derivatives_of_the_others_alone():
    def final(rates):
        values = LaneSolver(max_steps=30)(DECAY, jnp.zeros(2), (jnp.ones(2),), jnp.array([1.0]), rows(rates)).values[0]
        return values[0, 0]

    for derivative in (jax.jacfwd, jax.jacrev):
        np.testing.assert_allclose(jax.jit(derivative(final))(jnp.array([0.1, 5e4])), [-np.exp(-0.1), 0.0], rtol=1e-5)


def test_lane_solver_uses_the_tableau_that_diffrax_uses():
    tableau = diffrax.Tsit5.tableau
    for row, published in zip(runge_kutta._A[1:], tableau.a_lower, strict=True):
        np.testing.assert_array_equal(row[: len(published)], published)
    np.testing.assert_array_equal(runge_kutta._C[1:], tableau.c)
    np.testing.assert_allclose(np.abs(runge_kutta._ERROR), np.abs(tableau.b_error), atol=1e-15)


def test_lane_solver_converges_at_fifth_order():
    """Global error of dy/dx = cos(x) y against the step count, over three decades of tolerance."""
    equation = unforced(lambda x, y, args: (jnp.cos(x) * y[0],))
    exact = np.exp(np.sin(6.0))
    points = []
    for tolerance in (1e-6, 1e-8, 1e-10):
        run = LaneSolver(tolerance=tolerance, first_step=0.01)(
            equation, jnp.zeros(1), (jnp.ones(1),), jnp.array([6.0]), None
        )
        points.append((float(run.steps[0]), abs(float(run.values[0][0, 0]) - exact)))
    (n0, e0), _, (n2, e2) = points
    assert 4.0 < np.log(e0 / e2) / np.log(n2 / n0) < 7.0


@given(st.floats(1e-3, 1e12), st.floats(0.0, 1e9))
def test_coordinates_round_trip(value, offset):
    u = coordinate({"m": jnp.asarray(value)}, {"m": jnp.asarray(offset)})
    back = from_coordinate(u, {"m": jnp.asarray(offset)})["m"]
    assert float(back) == pytest.approx(value, rel=1e-12, abs=1e-12 * offset)
    slope = coordinate_slope({"m": jnp.asarray(value)}, {"m": jnp.asarray(2.0)}, {"m": jnp.asarray(offset)})["m"]
    assert float(slope) == pytest.approx(2.0 / (value + offset), rel=1e-12)


def test_uniform_knots_read_like_any_knots():
    x = jnp.linspace(1.0, 4.0, 31)
    y = jnp.stack([jnp.sin(x), jnp.exp(x)])
    slopes = ContinuousCurvature()(x, y)
    uniform = cubic_table(UniformKnots(x[0], (x[-1] - x[0]) / 30), y, slopes)
    for at in (0.3, 1.0, 1.05, 2.9999, 3.0, 4.0, 4.7):
        for other in (HermiteTable(x, y, slopes), cubic_table(x, y, slopes)):
            for mine, theirs in zip(uniform(jnp.asarray(at)), other(jnp.asarray(at)), strict=True):
                np.testing.assert_allclose(jnp.stack(mine), jnp.stack(list(theirs)), rtol=1e-9, atol=1e-9)


def test_a_trial_step_that_overflows_counts_as_an_infinite_error():
    """inf / inf once froze the step size at NaN; the end-to-end case is test_tolerance_converges."""
    assert _error_norm(jnp.array([jnp.nan, 1.0])) == jnp.inf
    assert float(_error_norm(jnp.array([3.0, 4.0]))) == pytest.approx(np.sqrt(12.5))


@ENGINES
@pytest.mark.parametrize("wrong", [dict(max_steps=0), dict(first_step=-1.0)])
def test_impossible_solver_settings_are_refused(engine, wrong):
    with pytest.raises(ValueError, match="allowed"):
        engine(**wrong)


@pytest.mark.parametrize("engine,wrong", [
    (DiffraxSolver, dict(rtol=0.0)), (DiffraxSolver, dict(atol=2.0)), (LaneSolver, dict(tolerance=0.0)),
    (LaneSolver, dict(lanes=0)),
])  # fmt: skip
def test_impossible_tolerances_and_lanes_are_refused(engine, wrong):
    with pytest.raises(ValueError, match="allowed"):
        engine(**wrong)


@pytest.mark.parametrize("rows", [1, 2, 5])
def test_rows_of_work_are_the_same_whichever_device_takes_them(rows):
    def double(shared, batch):
        inside = map_batch(lambda shared, x: shared * x, shared, batch, chunk=4)
        apart = bool(jax.sharding.get_abstract_mesh().manual_axes)  # known while the function is being traced
        return inside, jnp.full(len(batch), apart)

    batch = jnp.arange(rows, dtype=float)
    doubled, apart = jax.jit(lambda two, batch: shard_rows(double, two, batch))(jnp.float64(2.0), batch)
    np.testing.assert_array_equal(doubled, 2.0 * batch)
    assert np.all(np.asarray(apart) == (rows >= 2)), "two rows or more are shared out over the two devices"
    slope = jax.jit(jax.grad(lambda two: jnp.sum(shard_rows(double, two, batch)[0] ** 2)))(jnp.float64(2.0))
    np.testing.assert_allclose(slope, 4.0 * np.sum(np.arange(rows) ** 2.0))


@pytest.mark.parametrize("place", [0.77, 1.234, 1.31])
def test_where_an_earlier_output_lies_does_not_move_the_end(place):
    """The end does not depend on it; steps that moved with it over corners of the equation made 0.03 to 0.06 of it."""
    knots = jnp.linspace(0.05, 2.95, 30)  # corners, as of tables and splines
    corners = Equation(lambda x, y, forced, args: forced - y, lambda x, args: jnp.sum(jnp.abs(x - knots)))
    solver = LaneSolver(tolerance=1e-6)

    def values(place):
        outputs = jnp.stack([place, jnp.float64(3.0)])
        return solver(corners, jnp.zeros(1), jnp.ones(1), outputs, None).values[0]

    there, end = jax.jit(jax.jacfwd(values))(place)
    rate = jnp.sum(jnp.abs(place - knots)) - values(place)[0]
    np.testing.assert_allclose([there, end], [rate, 0.0], rtol=1e-3, atol=2e-3)


def test_a_packed_tree_is_itself_again_and_hands_over_one_array_of_scalars():
    tree = {"a": jnp.float64(1.5), "b": [jnp.arange(3.0), "word"], "c": jnp.float64(-2.0), "d": jnp.int32(4)}
    packed = pack(tree)
    assert packed.scalars.shape == (2,)
    assert eqx.tree_equal(unpacked(packed), tree)

    def total(tree, x):
        return tree["a"] * x + jnp.sum(tree["b"][0]) * tree["c"]

    compiled = packed_jit(total)
    assert compiled(tree, jnp.float64(2.0)) == total(tree, 2.0)
    slope = jax.grad(lambda a: compiled({**tree, "a": a}, jnp.float64(2.0)))(tree["a"])  # traced: nothing to pack
    assert slope == 2.0


@pytest.mark.parametrize("rows", [1, 4, 7, 16])
def test_batches_in_one_chunk_and_in_many_are_the_same(rows):
    def several(shared, batch):
        return {"sum": jnp.sum(batch, axis=1) * shared, "square": batch**2, "positive": batch[:, 0] > 0}

    batch = jnp.asarray(np.random.default_rng(2).normal(size=(rows, 3)))
    seen = []
    one = map_batch(several, jnp.float64(2.0), batch, chunk=16, progress=lambda *now: seen.append(now))
    many = map_batch(several, jnp.float64(2.0), batch, chunk=1)
    assert seen == [(rows, rows)]
    for own, other in zip(jax.tree.leaves(one), jax.tree.leaves(many), strict=True):
        assert isinstance(own, np.ndarray)
        np.testing.assert_array_equal(own, other)
