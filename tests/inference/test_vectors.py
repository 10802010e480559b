"""Vectors of free parameters: wherever one enters, its length is checked, also while JAX traces a function."""

import jax
import numpy as np
import pytest

import corundum as co
from corundum import inference
from examples import shared

POINT = {
    "ln_density": lambda target, u: target.ln_density(u),
    "potential": lambda target, u: target.potential(u),
    "ln_prior": lambda target, u: target.ln_prior(u),
    "ln_likelihood": lambda target, u: target.ln_likelihood(u),
    "predict": lambda target, u: target.predict(u),
    "values": lambda target, u: target.values(u),
    "theta": lambda target, u: target.theta(u),
    "laplace": inference.laplace,
    "fisher": inference.fisher,
    "identifiability": inference.identifiability,
    "expected_information": inference.expected_information,
    "forecast": lambda target, u: inference.forecast(target, u, inference.scaled_scenarios()),
}
ROWS = {
    "linearise": inference.linearise,
    "predict": inference.predict,
    "ln_density_at": inference.ln_density_at,
    "value_and_gradient": inference.value_and_gradient,
    "predictive": inference.predictive,
    "within_reach": lambda target, u: target.within_reach(u),
    "maximise": lambda target, u: inference.maximise(target, u=u),
    "mock_data": lambda target, u: inference.mock_data(target, u, None, False, 0),
}
pytestmark = pytest.mark.wrong_types


@pytest.mark.parametrize("name", POINT)
@pytest.mark.parametrize("size", [1, 7, 9, 20])
def test_one_point_has_one_number_for_each_parameter(name, size):
    with pytest.raises(
        ValueError, match=f"(u|best): got {size} numbers? for 2 free parameters; give one for each of int"
    ):
        POINT[name](shared("target"), np.zeros(size))


@pytest.mark.parametrize("name", ROWS)
def test_many_points_have_one_number_for_each_parameter(name):
    with pytest.raises(ValueError, match=r"got an array of shape \(3, 5\) for 2 free parameters"):
        ROWS[name](shared("target"), np.zeros((3, 5)))


def test_shapes_are_checked_while_jax_traces():
    def density(u):
        return shared("target").ln_density(u)

    for transformed in (jax.jit, jax.grad, jax.jacfwd):
        with pytest.raises(ValueError, match="u: got 7 numbers for 2 free parameters"):
            transformed(density)(np.zeros(7))
    with pytest.raises(ValueError, match="u: got 5 numbers for 2"):
        jax.vmap(density)(np.zeros((3, 5)))
    with pytest.raises(ValueError, match="give one point"):
        jax.jit(density)(np.zeros((3, 2)))


def test_one_point_is_no_list_of_points_and_names_the_other_function():
    target = shared("target")
    with pytest.raises(ValueError, match=r"got one point; give a list of points, of shape \(points, 2\)"):
        inference.linearise(target, np.zeros(2))
    with pytest.raises(ValueError, match=r"give one point, \(2,\), or use inference.ln_density_at\(target, u\)"):
        target.ln_density(np.zeros((3, 2)))
    for wrong in ("0", {"intercept": 1.0}, None):
        with pytest.raises(ValueError, match="u: got .*; give coordinates, one number for each free parameter"):
            target.theta(wrong)


def test_an_estimate_stands_for_its_coordinates_and_lists_for_arrays():
    target, best = shared("target"), shared("best")
    assert float(target.ln_density(best)) == float(target.ln_density(best.u)) == float(target.ln_density([*best.u]))
    information = inference.expected_information(target, best)
    np.testing.assert_array_equal(information, inference.expected_information(target, best.u))


def test_data_in_the_place_of_the_measured():
    target = shared("target")
    for call in (lambda y: target.with_data(y), lambda y: target.ln_density(np.zeros(2), y)):
        with pytest.raises(ValueError, match=r"y: got shape \(3,\); give \(5,\)"):
            call(np.zeros(3))
    with pytest.raises(ValueError, match=r"y: got shape \(2, 5\); give \(5,\) for all points, or \(3, 5\)"):
        inference.linearise(target, np.zeros((3, 2)), np.zeros((2, 5)))


def test_vectors_of_sensitivity():
    box = co.sensitivity.Box(("a", "b"), np.zeros(2), np.ones(2), np.array([False, False]))
    with pytest.raises(ValueError, match=r"unit: got shape \(4, 3\); give points \(S, 2\), one number for each"):
        box.values(np.zeros((4, 3)))
    design = co.sensitivity.latin_hypercube(box, 8.0)
    with pytest.raises(ValueError, match=r"jacobian: got shape \(8, 3\); give \(8, 2\)"):
        co.sensitivity.dgsm(design, np.zeros(8), np.zeros((8, 3)))
