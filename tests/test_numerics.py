"""Limiters, interpolation, special functions, batching and the diffrax solver, each against an independent answer."""

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.interpolate import CubicHermiteSpline, CubicSpline

from corundum.numerics import (
    DiffraxSolver,
    HardMinimum,
    HardPositivePart,
    LaneSolver,
    SmoothMinimum,
    SmoothPositivePart,
    Unlimited,
    lanes,
)
from corundum.numerics.batching import map_batch
from corundum.numerics.interpolation import BackwardDifference, ContinuousCurvature, HermiteTable
from corundum.numerics.solver import _error_norm
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


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**31), knots=st.integers(4, 40))
def test_continuous_curvature_is_scipys_not_a_knot_spline(seed, knots):
    rng = np.random.default_rng(seed)
    x = np.cumsum(rng.uniform(0.1, 1.0, knots))
    y = rng.normal(size=(2, knots))
    slopes = ContinuousCurvature()(jnp.asarray(x), jnp.asarray(y))
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


ENGINES = pytest.mark.parametrize("engine", [DiffraxSolver, LaneSolver])


def _decay(x, y, rate):
    return -rate * y


@ENGINES
def test_solver_reaches_its_tolerance_and_gives_the_initial_state_before_the_start(engine):
    starts, rates = jnp.array([0.0, 0.0, 0.7]), jnp.array([0.7, 2.0, 3.0])
    initial = jnp.array([[1.0, 3.0]] * 3)
    outputs = jnp.array([-1.0, 0.5, 2.0])
    solved = engine(rtol=1e-10, atol=1e-10)(_decay, starts, initial, outputs, rates, 0)
    elapsed = np.maximum(np.asarray(outputs)[None, :] - np.asarray(starts)[:, None], 0)
    exact = np.exp(-np.asarray(rates)[:, None] * elapsed)[..., None] * np.array([1.0, 3.0])
    np.testing.assert_allclose(solved.values, exact, atol=1e-8)
    assert np.all(solved.status == 0) and np.all(solved.steps > solved.rejected) and np.all(solved.rejected >= 0)


@ENGINES
def test_solution_is_differentiable_in_parameters_initial_state_start_and_output(engine):
    def final(rate, initial, start, output):
        outputs = jnp.array([0.3, output])
        solver = engine(rtol=1e-9, atol=1e-9)
        return solver(_decay, start[None], initial[None, None], outputs, rate).values[0, -1, 0]

    rate, initial, start, output = 0.7, 2.0, 0.1, 1.4
    value = initial * np.exp(-rate * (output - start))
    at = [jnp.asarray(x) for x in (rate, initial, start, output)]
    slopes = jax.jacfwd(final, argnums=(0, 1, 2))(*at)
    exact = (-(output - start) * value, value / initial, rate * value)
    np.testing.assert_allclose(slopes, exact, rtol=1e-6)
    if engine is LaneSolver:  # diffrax holds its output times out of derivatives
        np.testing.assert_allclose(jax.jacfwd(final, argnums=3)(*at), -rate * value, rtol=1e-6)


@ENGINES
def test_each_way_to_fail_has_its_status_and_spares_the_other_lanes(engine):
    out, start, initial = jnp.array([1.0]), jnp.zeros(2), jnp.full((2, 1), 2.0)
    few = engine(max_steps=30)(_decay, start, initial, out, jnp.array([0.1, 500.0]), 0)
    assert few.status.tolist() == [0, 1]
    grow = lambda x, y, rate: rate * y**2  # noqa: E731
    blow_up = engine(max_steps=500)(grow, start, initial, out, jnp.array([0.1, 3.0]), 0)
    assert blow_up.status[0] == 0 and blow_up.status[1] in (1, 2, 3)
    broken = engine(max_steps=100)(lambda x, y, rate: rate * y, start, initial, out, jnp.array([0.1, jnp.nan]), 0)
    assert broken.status[0] == 0 and broken.status[1] != 0
    for result in (few, blow_up, broken):
        assert jnp.all(jnp.isfinite(result.values[0]))


def test_lane_solver_uses_the_tableau_that_diffrax_uses():
    tableau = diffrax.Tsit5.tableau
    for row, published in zip(lanes._A[1:], tableau.a_lower, strict=True):
        np.testing.assert_array_equal(row[: len(published)], published)
    np.testing.assert_array_equal(lanes._C[1:], tableau.c)
    np.testing.assert_allclose(np.abs(lanes._ERROR), np.abs(tableau.b_error), atol=1e-15)


def test_lane_solver_converges_at_fifth_order():
    """Global error of dy/dx = cos(x) y against the step count, over three decades of tolerance."""
    rhs = lambda x, y, args: jnp.cos(x) * y  # noqa: E731
    exact = np.exp(np.sin(6.0))
    points = []
    for tolerance in (1e-6, 1e-8, 1e-10):
        run = LaneSolver(rtol=tolerance, atol=tolerance, first_step=0.01)(
            rhs, jnp.zeros(1), jnp.ones((1, 1)), jnp.array([6.0]), None
        )
        points.append((float(run.steps[0]), abs(float(run.values[0, 0, 0]) - exact)))
    (n0, e0), _, (n2, e2) = points
    assert 4.0 < np.log(e0 / e2) / np.log(n2 / n0) < 7.0


def test_a_trial_step_that_overflows_counts_as_an_infinite_error():
    """inf / inf once froze the step size at NaN; the end-to-end case is test_tolerance_converges."""
    assert _error_norm(jnp.array([jnp.nan, 1.0])) == jnp.inf
    assert float(_error_norm(jnp.array([3.0, 4.0]))) == pytest.approx(np.sqrt(12.5))


@pytest.mark.parametrize("wrong", [dict(rtol=0.0), dict(atol=2.0), dict(max_steps=0), dict(first_step=-1.0)])
@ENGINES
def test_impossible_solver_settings_are_refused(engine, wrong):
    with pytest.raises(ValueError, match="allowed"):
        engine(**wrong)
