"""Kernel regressions against a double loop, weighted least squares and exact cases; finite everywhere."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corundum import parameters
from corundum.observables import (
    LocalLinear,
    LocalScatter,
    NadarayaWatson,
    PooledScatter,
    published_nodes,
    scott_bandwidth,
)

BOTH = (NadarayaWatson, LocalLinear)
NODES = np.linspace(9.0, 11.0, 6)


@jax.jit
def fit(regression, x, y, nodes, valid=None, weights=None):
    return regression(x, y, nodes, valid=valid, weights=weights)


def sample(n=60, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.uniform(8.5, 11.5, n)
    return x, np.sin(x) + rng.normal(0, 0.2, n), rng.uniform(0.2, 3.0, n)


def test_nadaraya_watson_is_the_hand_formula():
    x, y, w = sample()
    got = fit(NadarayaWatson(0.25, scatter=LocalScatter()), x, y, NODES, weights=w)
    for i, node in enumerate(NODES):
        kernel = [wj * np.exp(-0.5 * ((xj - node) / 0.25) ** 2) for xj, wj in zip(x, w, strict=True)]
        total = sum(kernel)
        mean = sum(k * yj for k, yj in zip(kernel, y, strict=True)) / total
        variance = sum(k * (yj - mean) ** 2 for k, yj in zip(kernel, y, strict=True)) / total
        effective = total**2 / sum(k**2 for k in kernel)
        assert got.mean[i] == pytest.approx(mean, rel=1e-12)
        assert got.scatter[i] == pytest.approx(variance**0.5, rel=1e-12)
        assert got.effective_count[i] == pytest.approx(effective, rel=1e-12)
        assert got.standard_error[i] == pytest.approx((variance / effective) ** 0.5, rel=1e-12)


def test_local_linear_is_weighted_least_squares():
    x, y, w = sample()
    got = fit(LocalLinear(0.25, scatter=LocalScatter()), x, y, NODES, weights=w)
    for i, node in enumerate(NODES):
        root = np.sqrt(w * np.exp(-0.5 * ((x - node) / 0.25) ** 2))
        design = np.stack([np.ones_like(x), x - node], axis=1)
        beta, *_ = np.linalg.lstsq(design * root[:, None], y * root, rcond=None)
        hat = np.linalg.pinv(design * root[:, None])[0] * root  # the weights of each y in the fit at the node
        residual = y - design @ beta
        variance = np.sum(root**2 * residual**2) / np.sum(root**2)
        assert got.mean[i] == pytest.approx(beta[0], rel=1e-10)
        assert got.scatter[i] == pytest.approx(np.sqrt(variance), rel=1e-10)
        assert got.standard_error[i] == pytest.approx(np.sqrt(variance * np.sum(hat**2)), rel=1e-10)


@settings(max_examples=15, deadline=None)
@given(
    slope=st.floats(-5, 5),
    level=st.floats(-10, 10),
    bandwidth=st.floats(0.05, 0.8),
    seed=st.integers(0, 100),
    tilt=st.floats(0.2, 5.0),
)
def test_local_linear_is_exact_on_a_line_however_galaxies_are_spread(slope, level, bandwidth, seed, tilt):
    x = 8.5 + 3.0 * np.random.default_rng(seed).uniform(0, 1, 80) ** tilt
    y = level + slope * (x - 10.0)
    got = fit(LocalLinear(bandwidth), x, y, NODES)
    fits = np.asarray(got.reached)
    np.testing.assert_allclose(got.mean[fits], (level + slope * (NODES - 10.0))[fits], atol=1e-10)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1000), shift=st.floats(-3, 3))
def test_order_does_not_matter_and_a_constant_adds(seed, shift):
    x, y, w = sample(seed=seed)
    order = np.random.default_rng(seed).permutation(len(x))
    for cls in BOTH:
        one = fit(cls(0.3), x, y, NODES, weights=w)
        other = fit(cls(0.3), x[order], y[order] + shift, NODES, weights=w[order])
        np.testing.assert_allclose(other.mean, one.mean + shift, rtol=1e-10, atol=1e-10)
        np.testing.assert_allclose(other.scatter, one.scatter, rtol=1e-9)
        np.testing.assert_allclose(other.effective_count, one.effective_count, rtol=1e-10)


@pytest.mark.parametrize("cls", BOTH)
def test_a_weight_of_two_is_the_galaxy_twice_in_mean_and_local_scatter(cls):
    x, y, _ = sample(30)
    w = np.where(np.arange(30) % 3 == 0, 2.0, 1.0)
    twice = np.repeat(np.arange(30), w.astype(int))
    regression = cls(0.3, scatter=LocalScatter())
    one, other = fit(regression, x, y, NODES, weights=w), fit(regression, x[twice], y[twice], NODES)
    np.testing.assert_allclose(one.mean, other.mean, rtol=1e-12)
    np.testing.assert_allclose(one.scatter, other.scatter, rtol=1e-12)
    scaled = fit(regression, x, y, NODES, weights=7.0 * w)
    np.testing.assert_allclose(scaled.standard_error, one.standard_error, rtol=1e-12)
    np.testing.assert_allclose(scaled.count, one.count, rtol=1e-12)


@pytest.mark.parametrize("cls", BOTH)
def test_masked_and_broken_galaxies_are_as_if_absent(cls):
    x, y, w = sample(40)
    x_bad, y_bad, w_bad = x.copy(), y.copy(), w.copy()
    y_bad[0], x_bad[1], w_bad[2], w_bad[3], w_bad[4] = np.nan, np.inf, 0.0, -1.0, np.nan
    valid = np.ones(40, bool)
    valid[5] = False
    y_bad[5] = 1e300
    one = fit(cls(0.3), x_bad, y_bad, NODES, valid=valid, weights=w_bad)
    other = fit(cls(0.3), x[6:], y[6:], NODES, weights=w[6:])
    for a, b in zip(one, other, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)


@pytest.mark.parametrize(
    ("cls", "scatter"),
    [(NadarayaWatson, PooledScatter()), (LocalLinear, PooledScatter()), (NadarayaWatson, LocalScatter())],
    ids=["mean, pooled", "line, pooled", "mean, local"],
)
def test_values_and_two_derivatives_are_finite_everywhere(cls, scatter):
    nodes = jnp.array([-1e3, 0.0, 9.0, 10.0, 60.0, 1e4])

    def numbers(x, y, w, bandwidth, valid):
        got = fit(cls(bandwidth, scatter=scatter), x, y, nodes, valid=valid, weights=w)
        return jnp.stack([got.mean, got.scatter, got.standard_error, got.effective_count, got.count])

    @jax.jit
    def everything(*inputs):
        *numeric, valid = inputs
        value, backward = jax.vjp(lambda *a: numbers(*a, valid), *numeric)
        step = tuple(jnp.ones_like(a) for a in numeric)

        def along(t):
            moved = [a + t * b for a, b in zip(numeric, step, strict=True)]
            return jax.jvp(lambda *a: numbers(*a, valid), tuple(moved), step)[1]

        return value, backward(jnp.ones_like(value)), jax.jvp(along, (0.0,), (1.0,))

    x, y, w = (jnp.asarray(a) for a in sample(12))
    every, bandwidth = jnp.ones(12, bool), jnp.asarray(0.1)
    cases = {
        "far nodes": (x, y, w, bandwidth, every),
        "one galaxy": (x, y, w, bandwidth, every.at[1:].set(False)),
        "none valid": (x, y, w, bandwidth, ~every),
        "all equal": (jnp.full(12, 10.0), jnp.full(12, 0.3), w, bandwidth, every),
        "not finite": (x.at[1].set(jnp.nan), y.at[0].set(jnp.inf), w.at[2].set(0.0), bandwidth, every),
        "narrow": (x, y, w, jnp.asarray(1e-6), every),
    }
    for case, inputs in cases.items():
        for value in jax.tree.leaves(everything(*inputs)):
            assert np.all(np.isfinite(value)), case
    assert np.all(np.isfinite(numbers(x[:0], y[:0], w[:0], bandwidth, every[:0])))


@pytest.mark.parametrize("cls", BOTH)
def test_gradient_is_the_finite_difference(cls):
    x, y, w = sample(25)

    def total(x, y):
        got = fit(cls(0.3), x, y, NODES, weights=w)
        return jnp.sum(got.mean + 0.3 * got.scatter - 2.0 * got.standard_error)

    slopes = jax.grad(total, (0, 1))(x, y)
    for which in (0, 1):
        for j in (0, 7):
            step = np.zeros(25)
            step[j] = 1e-6
            up, down = ([x, y], [x, y])
            up[which], down[which] = up[which] + step, down[which] - step
            difference = float(total(*up) - total(*down)) / 2e-6
            assert slopes[which][j] == pytest.approx(difference, rel=1e-5, abs=1e-8)


def test_reached_needs_enough_galaxies_around_the_node():
    x = np.linspace(9.0, 11.0, 400)
    nodes = np.array([8.0, 8.7, 9.0, 10.0, 11.0, 11.3, 40.0])
    got = fit(NadarayaWatson(0.2), x, 0 * x, nodes)
    assert got.reached.tolist() == [False, False, True, True, True, False, False]
    assert got.effective_count[1] > 5 and got.count[1] > 5  # dense, but all to one side
    few = fit(NadarayaWatson(0.2), x[::100], 0 * x[::100], nodes)
    assert not few.reached.any()
    assert fit(NadarayaWatson(0.2, minimum_count=1.0), x[::100], 0 * x[::100], x[::100]).reached.all()
    density = 400 / 2.0
    assert got.count[3] == pytest.approx(density * 0.2 * np.sqrt(2 * np.pi), rel=1e-2)
    assert got.effective_count[3] == pytest.approx(density * 0.2 * 2 * np.sqrt(np.pi), rel=1e-2)


@pytest.mark.parametrize("cls", BOTH)
def test_standard_error_is_the_spread_of_the_mean_over_realisations(cls):
    rng = np.random.default_rng(3)
    x = rng.uniform(9, 11, 40)
    noise = rng.normal(0, 0.3, (2000, 40))
    nodes = np.array([9.1, 9.6, 10.0, 10.7])
    got = jax.vmap(lambda y: fit(cls(0.12), x, 2.0 + 0.0 * x + y, nodes))(noise)
    spread = np.std(got.mean, axis=0)
    np.testing.assert_allclose(np.sqrt(np.mean(got.standard_error**2, axis=0)), spread, rtol=0.06)
    np.testing.assert_allclose(np.sqrt(np.mean(got.scatter**2, axis=0)), 0.3, rtol=0.03)
    local = jax.vmap(lambda y: fit(cls(0.12, scatter=LocalScatter()), x, y, nodes))(noise)
    assert np.all(np.sqrt(np.mean(local.standard_error**2, axis=0)) < 0.97 * spread)


def test_a_lone_galaxy_has_the_pooled_error_not_none():
    x = np.append(np.linspace(9.0, 10.0, 200), 13.0)
    y = np.append(np.random.default_rng(0).normal(0, 0.3, 200), 0.7)
    got = fit(NadarayaWatson(0.1), x, y, np.array([9.3, 9.6, 13.0]))
    assert got.effective_count[2] == pytest.approx(1.0)
    assert got.standard_error[2] == pytest.approx(0.3, rel=0.1)
    assert not got.reached[2]
    alone = fit(NadarayaWatson(0.1), x[-1:], y[-1:], np.array([13.0]))
    assert alone.standard_error[0] == pytest.approx(0.2)


def test_nadaraya_watson_is_biased_at_an_edge_where_local_linear_is_not():
    x = np.linspace(9.0, 11.0, 2001)
    edge = np.array([9.0])
    assert fit(NadarayaWatson(0.2), x, x, edge).mean[0] - 9.0 == pytest.approx(0.2 * np.sqrt(2 / np.pi), rel=1e-2)
    assert fit(LocalLinear(0.2), x, x, edge).mean[0] == pytest.approx(9.0, abs=1e-12)


def test_local_linear_error_grows_beyond_the_last_galaxy():
    x, y, _ = sample(200)
    error = fit(LocalLinear(0.2), x, y, np.array([10.0, 11.5, 11.7, 11.9])).standard_error
    assert np.all(np.diff(error) > 0)


def test_scott_and_published_nodes():
    x = np.random.default_rng(1).uniform(9.9, 12.6, 1000)
    width = scott_bandwidth(x)
    assert width == pytest.approx(np.std(x) * 1000**-0.2)
    assert width == pytest.approx(0.19, abs=0.01)  # published: about 0.19 dex and 13 nodes
    nodes = published_nodes(x, width)
    assert len(nodes) in (13, 14, 15)
    low, high = np.percentile(x, [5, 95])
    assert nodes[0] == low and high <= nodes[-1] < high + width
    np.testing.assert_allclose(np.diff(nodes), width)
    broken = np.append(x, [np.nan, 50.0])
    np.testing.assert_array_equal(published_nodes(broken, width, valid=broken < 20), nodes)
    for call in (lambda: scott_bandwidth([1.0, np.nan]), lambda: scott_bandwidth([1.0, 1.0])):
        with pytest.raises(ValueError, match="bandwidth needs"):
            call()
    with pytest.raises(ValueError, match="positive"):
        published_nodes(x, 0.0)


def test_bandwidth_is_a_parameter_and_a_new_one_does_not_retrace():
    traces = []
    x, y, _ = sample()

    @jax.jit
    def mean(regression):
        traces.append(1)
        return regression(x, y, NODES).mean

    for width in (0.1, 0.2, 0.3):
        mean(NadarayaWatson(width))
    assert len(traces) == 1
    assert set(parameters.describe(LocalLinear())) == {"bandwidth", "minimum_count", "scatter.typical"}


@pytest.mark.wrong_types
def test_shapes_are_checked():
    with pytest.raises(ValueError, match="same length"):
        fit(NadarayaWatson(), np.zeros(3), np.zeros(4), NODES)
