"""Learned laws by themselves: splines against SciPy, the process against its kernel, networks and their limits."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.interpolate import CubicSpline
from scipy.spatial.distance import cdist
from scipy.special import gamma, kv

import corundum as co
from corundum import physics
from corundum.numerics.spline_ends import flat_ends, natural_ends

KNOTS = (1.2, 1.5, 2.1, 2.6)
VALUES = {"k0": 0.3, "k1": -0.2, "k2": 0.1, "k3": 0.4}


def halo(**changed):
    return co.halos.Halo(6.0, 1.0, 1e12, 200.0, 150.0, 8.0, 30.0)._replace(**changed)


@pytest.mark.parametrize("ends,condition", [(flat_ends, "clamped"), (natural_ends, "natural")])
def test_slopes_are_those_of_the_twice_differentiable_spline(ends, condition):
    values = np.array(list(VALUES.values()))
    reference = CubicSpline(KNOTS, values, bc_type=condition)
    np.testing.assert_allclose(ends(np.array(KNOTS)) @ values, reference(KNOTS, 1), atol=1e-12)
    two = ends(np.array(KNOTS[:2])) @ values[:2]
    np.testing.assert_allclose(two, CubicSpline(KNOTS[:2], values[:2], bc_type=condition)(KNOTS[:2], 1), atol=1e-12)


def test_a_spline_of_one_feature_against_scipy_within_and_beyond_its_knots():
    values, inside = np.array(list(VALUES.values())), np.linspace(1.2, 2.6, 31)
    flat = physics.SplineDeparture(KNOTS, VALUES)
    np.testing.assert_allclose(flat(jnp.asarray(inside)), CubicSpline(KNOTS, values, bc_type="clamped")(inside))
    np.testing.assert_allclose(flat(jnp.array([0.0, 9.0])), values[[0, -1]])
    natural = CubicSpline(KNOTS, values, bc_type="natural")
    linear = physics.SplineDeparture(KNOTS, VALUES, beyond=physics.LinearBeyond())
    np.testing.assert_allclose(linear(jnp.asarray(inside)), natural(inside))
    np.testing.assert_allclose(linear(4.6), values[-1] + 2.0 * natural(2.6, 1))
    fading = physics.SplineDeparture(KNOTS, VALUES, beyond=physics.FadingBeyond(margin=0.5))
    np.testing.assert_allclose(fading(jnp.array([2.6, 2.95, 3.3, 50.0])), [0.4, 0.2, 0.0, 0.0], atol=1e-12)


def test_a_spline_of_two_features_is_the_product_of_two_splines():
    rng = np.random.default_rng(0)
    first, second = (1.0, 1.5, 2.5), (0.0, 1.0, 3.0, 6.0)
    values = rng.normal(size=(3, 4))
    names = [f"k{i}_{j}" for i in range(3) for j in range(4)]
    departure = physics.SplineDeparture((first, second), dict(zip(names, values.ravel(), strict=True)))
    x, y = rng.uniform(1.0, 2.5, 20), rng.uniform(0.0, 6.0, 20)
    along = np.stack([CubicSpline(second, row, bc_type="clamped")(y) for row in values])
    reference = [CubicSpline(first, along[:, k], bc_type="clamped")(x[k]) for k in range(20)]
    np.testing.assert_allclose(departure(x, y), reference, rtol=1e-12)
    assert list(co.describe(departure)) == [f"values.{name}" for name in names]


@pytest.mark.parametrize("kind", [physics.RisingDeparture, physics.FallingDeparture])
def test_monotone_departures_are_monotone_whatever_their_steps_are(kind):
    """Also where steps are zero or very different, which makes splines through values overshoot."""
    rng, x = np.random.default_rng(1), np.linspace(0.8, 3.0, 400)
    knots = (1.2, 1.5, 1.6, 2.1, 2.6)
    for _ in range(20):
        steps = dict(zip(("k1", "k2", "k3", "k4"), rng.choice([0.0, 0.001, 0.1, 2.0], 4), strict=True))
        departure = kind(knots, 0.3, steps)
        values = np.asarray(departure(jnp.asarray(x)))
        assert np.all(departure.sign * np.diff(values) > -1e-12)
        np.testing.assert_allclose(values[[0, -1]], [0.3, 0.3 + departure.sign * sum(steps.values())], atol=1e-12)
    slopes = [float(jax.grad(departure)(place)) for place in (1.2, 2.6, 0.9, 2.9)]
    np.testing.assert_allclose(slopes, 0.0, atol=1e-10)
    assert not np.any(kind(knots)(x))
    curvature = [float(jax.grad(jax.grad(departure))(2.1 + side)) for side in (-1e-9, 1e-9)]
    assert curvature[0] == pytest.approx(curvature[1], abs=1e-5)  # twice differentiable inside


def test_many_knots_keep_their_order():
    knots = np.linspace(0.0, 1.0, 12)
    departure = physics.SplineDeparture(knots, {"k10": 1.0})
    assert list(co.describe(departure))[9:12] == ["values.k09", "values.k10", "values.k11"]
    np.testing.assert_allclose(departure(jnp.asarray(knots)), np.eye(12)[10], atol=1e-12)


@pytest.mark.parametrize("kernel,order", [(physics.Matern32(), 1.5), (physics.Matern52(), 2.5)])
def test_matern_kernels_against_their_bessel_functions(kernel, order):
    x = np.sqrt(2.0 * order) * np.array([0.1, 0.7, 2.0])
    exact = 2.0 ** (1.0 - order) / gamma(order) * x**order * kv(order, x)
    np.testing.assert_allclose(kernel(np.array([0.1, 0.7, 2.0])), exact, rtol=1e-12)


@pytest.mark.parametrize("kernel", [physics.SquaredExponential(), physics.Matern32(), physics.Matern52()])
def test_kernels_of_tinygp_build_the_same_covariance(kernel):
    tinygp = pytest.importorskip("tinygp")
    names = {"SquaredExponential": "ExpSquared"}
    theirs = getattr(tinygp.kernels, names.get(type(kernel).__name__, type(kernel).__name__))()
    knots, white = (1.5, 1.8, 2.0, 2.5), {"k0": 1.0, "k2": -0.7}
    at = jnp.linspace(1.4, 2.6, 7)
    ours, tinygps = (physics.GaussianProcessDeparture(knots, white, 0.3, 0.5, k) for k in (kernel, theirs))
    np.testing.assert_allclose(tinygps(at), ours(at), atol=1e-12)
    # The law is evaluated where JAX traces it, and stands for the same compiled program when it is made again.
    again = physics.GaussianProcessDeparture(knots, white, 0.3, 0.5, theirs)
    assert hash(again.kernel) == hash(tinygps.kernel) and again.kernel == tinygps.kernel

    def slope(number):  # with a length of its own, so that JAX traces the first evaluation of the kernel
        return physics.GaussianProcessDeparture(knots, {"k0": number}, 0.3, 0.6, theirs)(1.7)

    exact = physics.GaussianProcessDeparture(knots, {"k0": 1.0}, 0.3, 0.6, kernel)(1.7)
    np.testing.assert_allclose(jax.jit(jax.vmap(jax.grad(slope)))(jnp.ones(2)), exact, atol=1e-12)


def test_a_kernel_of_tinygp_has_numbers_of_one_input():
    tinygp = pytest.importorskip("tinygp")
    several = tinygp.kernels.ExpSquared(jnp.array([0.3, 2.0]))
    with pytest.raises(ValueError, match="numbers for several inputs; give one of a single"):
        physics.GaussianProcessDeparture(((1.5, 2.5), (0.0, 2.0)), {}, kernel=several)
    with pytest.raises(ValueError, match="got the text 'rough'; give a kernel of tinygp"):
        physics.TinygpKernel("rough")


def test_standard_normal_numbers_give_a_process_of_the_stated_covariance():
    """The slope of the values at the knots with respect to the numbers is a root of the kernel."""
    knots, lengths, amplitude = ((1.5, 2.0, 2.5), (0.0, 2.0)), (0.4, 3.0), 0.25
    departure = physics.GaussianProcessDeparture(knots, {}, amplitude, lengths)
    names = [name.removeprefix("white.") for name in co.describe(departure) if name.startswith("white")]
    x, y = (axis.ravel() for axis in np.meshgrid(*knots, indexing="ij"))

    def values(white):
        numbers = dict(zip(names, white, strict=True))
        return physics.GaussianProcessDeparture(knots, numbers, amplitude, lengths)(x, y)

    root = np.asarray(jax.jacfwd(values)(jnp.zeros(6)))
    places = np.stack([x / 0.4, y / 3.0], axis=-1)
    covariance = amplitude**2 * np.exp(-0.5 * cdist(places, places) ** 2)
    np.testing.assert_allclose(root @ root.T, covariance, atol=1e-9)
    still = physics.GaussianProcessDeparture(knots, dict.fromkeys(names, 1.0), 0.0, lengths)
    assert not np.any(still(x, y))


def test_links_keep_numbers_positive_and_fractions_between_zero_and_one():
    d = jnp.linspace(-6.0, 6.0, 41)
    for base in (1e-6, 0.3, 1.0 - 1e-6):
        fraction = physics.LogitLink()(base, d)
        assert np.all((fraction > 0.0) & (fraction < 1.0)) and np.all(np.diff(fraction) > 0.0)
        np.testing.assert_allclose(jnp.log10(fraction / (1 - fraction)) - np.log10(base / (1 - base)), d, atol=1e-5)
        for link in (physics.LogitLink(), physics.LogLink()):
            assert float(link(base, 0.0)) == base
    assert float(physics.LogitLink()(0.0, 2.0)) == 0.0 and float(physics.LogitLink()(1.0, -2.0)) == 1.0
    np.testing.assert_allclose(jnp.log10(physics.LogLink()(0.3, d) / 0.3), d, atol=1e-12)
    assert isinstance(
        physics.spline_law("redshift", base=physics.LogisticPrevention(), knots=(0, 1)).link, physics.LogitLink
    )


def test_a_network_sees_numbers_of_order_one_and_is_bounded_and_gone_beyond_its_range():
    network = eqx.nn.MLP(2, "scalar", 8, 2, jax.nn.tanh, key=jax.random.key(1), dtype=jnp.float32)
    wild = jax.tree.map(lambda leaf: 50.0 * leaf if eqx.is_inexact_array(leaf) else leaf, network)
    departure = physics.NeuralDeparture(wild, [(1.0, 2.0), (0.0, 8.0)], largest=0.5)
    assert all(leaf.dtype == jnp.float64 for leaf in jax.tree.leaves(eqx.filter(departure, eqx.is_array)))
    x, y = (axis.ravel() for axis in np.meshgrid(np.linspace(-5, 9, 57), np.linspace(-5, 30, 61)))
    values = np.asarray(departure(x, y))
    outside = (x < 0.75) | (x > 2.25) | (y < -2.0) | (y > 10.0)
    assert np.all(np.abs(values) <= 0.5) and not values[outside].any() and np.abs(values[~outside]).max() > 0.3
    scaled = departure.network(jnp.array([0.0, -0.5]))
    assert float(departure(1.5, 2.0)) == pytest.approx(0.5 * np.tanh(float(scaled) / 0.5), rel=1e-12)
    # The value and its slope are continuous where the network ends.
    slope = jax.grad(lambda x: departure(x, 2.0))
    assert abs(float(slope(2.25 - 1e-6))) < 1e-4 and float(slope(2.25 + 1e-6)) == 0.0


def test_a_formula_computes_what_python_would():
    text = "-a * (x / 125.0)**(b + 0.1*y) + minimum(x, y) / sqrt(y) - 2**3 + softplus(ln(x)) * pi"
    formula, a, b, x, y = physics.Formula(text), 1.3, -0.7, 60.0, 2.5
    exact = -a * (x / 125.0) ** (b + 0.1 * y) + min(x, y) / np.sqrt(y) - 8 + np.log1p(x) * np.pi
    assert float(formula(dict(a=a, b=b, x=x, y=y))) == pytest.approx(exact, rel=1e-14)
    assert formula.names == ("a", "x", "b", "y")
    assert physics.Formula("x**2 - 1").size == 5  # x, 2, 1, and two operators
    assert float(jax.grad(lambda x: physics.Formula("x**2")({"x": x}))(-3.0)) == -6.0


@pytest.mark.parametrize("text,reason", [
    ("__import__('os').system('true')", "there is no function __import__"),
    ("(1).real", "is not allowed"), ("x[0]", "is not allowed"), ("'a' * 9", "is not allowed"),
    ("lambda: 0", "is not allowed"), ("x if y else z", "is not allowed"), ("x < y", "is not allowed"),
    ("True + 1", "is not allowed"), ("2j", "is not allowed"), ("1e999", "is not allowed"), ("x // 2", "is not allowed"),
    ("log(x)", "write ln or log10"), ("exp(x, y)", "exp takes 1 number"), ("exp(*x)", "is not allowed"),
    ("exp", "stands without its argument"), ("9**9**9", "is no finite number"), ("1/(1-1)", "is no finite number"),
    ("(0-8)**0.5", "is no finite number"), ("a b", "cannot be read"), ("", "give a text"), ("-" * 1900 + "x", "nested"),
    ("x" * 3000, "at most 2000"),
])  # fmt: skip
def test_what_is_no_formula_is_refused(text, reason):
    with pytest.raises(ValueError, match=reason):
        physics.Formula(text)


def test_features_say_what_they_need():
    place = physics.Galaxy(None, halo(), {"sfr": 4.0}, {})
    assert float(physics.FEATURES["log_sfr"](place.halo, place)) == pytest.approx(np.log10(4.0))
    assert float(physics.FEATURES["log_vvir"](place.halo)) == pytest.approx(np.log10(150.0))
    of_halo = {name for name, feature in physics.FEATURES.items() if feature.of_halo}
    assert of_halo == {"log_vvir", "log_mvir", "redshift", "ln_expansion", "concentration"}
    assert all(name == feature.name for name, feature in physics.FEATURES.items())


BAD = {
    "unknown feature": (lambda: law("log_vir"), "did you mean log_vvir"),
    "number": (lambda: law(3.0), "features: got 3.0"),
    "two features": (lambda: law(["log_vvir", "redshift"]), r"got 2 \(log_vvir, redshift\).* function of 1"),
    "knots": (lambda: law("log_vvir", knots=(2.0, 1.0)), "at least two that increase"),
    "one knot": (lambda: law("log_vvir", knots=(2.0,)), "at least two that increase"),
    "text": (lambda: law("log_vvir", knots="12"), "give a list of numbers for each input"),
    "three": (lambda: law(["log_vvir"] * 3, knots=[(0.0, 1.0)] * 3), "of 3 inputs; a spline takes one or two"),
    "value": (lambda: law("log_vvir", values={"k7": 1.0}), "there is no knot k7"),
    "two monotone": (lambda: physics.RisingDeparture(((0.0, 1.0), (0.0, 1.0))), "a monotone departure takes one"),
    "step": (lambda: physics.FallingDeparture((0.0, 1.0), 0.0, {"k1": -0.1}), "give a number of at least 0"),
    "no step": (lambda: physics.FallingDeparture((0.0, 1.0), 0.0, {"k0": 0.1}), "there is no knot k0"),
    "length": (lambda: physics.GaussianProcessDeparture((0.0, 1.0), lengths=-1.0), "give 1 positive"),
    "margin": (lambda: physics.FadingBeyond(margin=0.0), "give a positive share"),
    "range": (lambda: physics.Feature("x", "mvir", "Msun", 2.0, 1.0), "give finite numbers, low below high"),
    "network size": (lambda: neural(eqx.nn.MLP(2, "scalar", 4, 1, key=jax.random.key(0))), "does not take 1 numbers"),
    "network shape": (lambda: neural(eqx.nn.MLP(1, 1, 4, 1, key=jax.random.key(0))), r"shape \(1,\); make it with"),
    "no network": (lambda: neural(2.0), "give an equinox network"),
}


def law(features, knots=(1.5, 2.5), **more):
    return physics.spline_law(features, base=physics.MassLoading(), knots=knots, **more)


def neural(network):
    return physics.neural_law("log_vvir", base=physics.MassLoading(), network=network)


@pytest.mark.wrong_types
@pytest.mark.parametrize("name", BAD)
def test_what_does_not_fit_is_refused(name):
    make, reason = BAD[name]
    with pytest.raises((ValueError, TypeError), match=reason):
        make()
