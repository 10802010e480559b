"""Limiters, interpolation, special functions, batching and the diffrax solver, each against an independent answer."""

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
    SmoothMinimum,
    SmoothPositivePart,
    Unlimited,
)
from corundum.numerics.batching import map_batch
from corundum.numerics.interpolation import BackwardDifference, ContinuousCurvature, HermiteTable
from corundum.numerics.solver import _error_norm
from corundum.numerics.special import power_integral

positive = st.floats(1e-20, 1e20)


@settings(max_examples=40, deadline=None)
@given(value=positive, limit=positive)
def test_smooth_minimum_lies_below_both_and_near_the_smaller(value, limit):
    smooth = float(SmoothMinimum(4.0)(jnp.array(value), jnp.array(limit)))
    assert smooth <= min(value, limit) * (1 + 1e-12)
    assert smooth >= min(value, limit) * 2 ** (-1 / 4) * (1 - 1e-12)


def test_smooth_minimum_is_alive_where_the_sharp_one_is_dead():
    assert jax.grad(HardMinimum())(3.0, 1.0) == 0.0
    assert jax.grad(SmoothMinimum())(3.0, 1.0) > 1e-3
    assert jnp.isfinite(jax.grad(SmoothMinimum())(0.0, 1.0))
    assert Unlimited()(3.0, 1.0) == 3.0


def test_sharp_limit_of_the_smooth_forms():
    x = jnp.linspace(-2, 2, 41)
    np.testing.assert_allclose(SmoothPositivePart(1e-3)(x, 1.0), HardPositivePart()(x, 1.0), atol=0.7e-3)
    np.testing.assert_allclose(
        SmoothMinimum(300.0)(jnp.abs(x), 1.0), HardMinimum()(jnp.abs(x), 1.0), rtol=3e-3
    )
    assert jax.grad(SmoothPositivePart())(-0.1, 1.0) > 0


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**31), knots=st.integers(4, 40))
def test_continuous_curvature_is_scipys_not_a_knot_spline(seed, knots):
    rng = np.random.default_rng(seed)
    x = np.cumsum(rng.uniform(0.1, 1.0, knots))
    y = rng.normal(size=(2, knots))
    slopes = ContinuousCurvature()(jnp.asarray(x), jnp.asarray(y))
    np.testing.assert_allclose(
        slopes, CubicSpline(x, y, axis=1).derivative()(x), atol=1e-8 * np.abs(slopes).max()
    )


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


def _decay(x, y, rate):
    return -rate * y


def test_solver_reaches_its_tolerance_and_gives_the_initial_state_before_the_start():
    outputs = jnp.array([-1.0, 0.5, 2.0])
    solved = DiffraxSolver(rtol=1e-10, atol=1e-10)(_decay, 0.0, jnp.array([1.0, 3.0]), outputs, 0.7)
    exact = np.exp(-0.7 * np.maximum(outputs, 0))[:, None] * np.array([1.0, 3.0])
    np.testing.assert_allclose(solved.values, exact, atol=1e-8)
    assert solved.status == 0 and solved.steps > solved.rejected >= 0


def test_each_way_to_fail_has_its_status():
    out = jnp.array([1.0])
    few = DiffraxSolver(max_steps=3)(_decay, 0.0, jnp.array([1.0]), out, 5.0)
    assert few.status == 1
    blow_up = DiffraxSolver(max_steps=500)(lambda x, y, a: y**2, 0.0, jnp.array([2.0]), out, None)
    assert blow_up.status in (1, 2, 3)
    broken = DiffraxSolver(max_steps=100)(lambda x, y, a: jnp.nan * y, 0.0, jnp.array([2.0]), out, None)
    assert broken.status != 0


def test_a_trial_step_that_overflows_counts_as_an_infinite_error():
    """inf / inf once froze the step size at NaN; the end-to-end case is test_tolerance_converges."""
    assert _error_norm(jnp.array([jnp.nan, 1.0])) == jnp.inf
    assert float(_error_norm(jnp.array([3.0, 4.0]))) == pytest.approx(np.sqrt(12.5))


@pytest.mark.parametrize("wrong", [dict(rtol=0.0), dict(atol=2.0), dict(max_steps=0), dict(first_step=-1.0)])
def test_impossible_solver_settings_are_refused(wrong):
    with pytest.raises(ValueError, match="allowed"):
        DiffraxSolver(**wrong)
