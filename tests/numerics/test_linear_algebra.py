"""Linear algebra over many matrices at once."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads

from corundum.numerics.linear_algebra import cholesky, inverse, quadratic_form, tridiagonal_solve


def _matrices(number=5, size=4):
    factor = np.random.default_rng(3).normal(size=(number, size, size))
    return jnp.asarray(factor @ factor.transpose(0, 2, 1) + 0.3 * np.eye(size))


def test_inverse_and_volume_are_those_of_numpy():
    matrices = _matrices()
    inverted, log_volume = jax.vmap(inverse)(matrices)
    np.testing.assert_allclose(inverted, np.linalg.inv(matrices), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(log_volume, np.linalg.slogdet(matrices)[1], rtol=1e-12)
    np.testing.assert_allclose(jax.vmap(cholesky)(matrices), np.linalg.cholesky(matrices), rtol=1e-12, atol=1e-14)


def test_derivatives_of_the_inverse_agree_with_finite_differences():
    symmetric = jax.jit(lambda m: inverse(0.5 * (m + m.T)))
    check_grads(symmetric, (_matrices(1)[0],), order=2, modes=("fwd", "rev"), rtol=1e-6)


def test_a_quadratic_form_and_its_derivatives_are_those_of_the_inverse():
    vector, matrix = jnp.array([0.3, -1.0, 2.0, 0.7]), _matrices(1)[0]

    def plain(vector, matrix):
        inverted, log_volume = inverse(matrix)
        return vector @ inverted @ vector, log_volume

    for way in (lambda f: f, jax.jacfwd, jax.jacrev, jax.hessian):
        both = (jax.jit(way(function))(vector, matrix) for function in (quadratic_form, plain))
        for own, other in zip(*both, strict=True):
            np.testing.assert_allclose(own, other, rtol=1e-9, atol=1e-9)


def test_a_matrix_that_is_not_positive_is_told_by_nan():
    inverted, log_volume = inverse(jnp.diag(jnp.array([1.0, -1.0])))
    assert np.isnan(log_volume) and np.isnan(inverted).all()


@pytest.mark.parametrize("function", [inverse, cholesky])
def test_no_batched_library_routine_that_could_wait_for_itself_is_compiled(function):
    # Two devices that meet a batched LAPACK routine at one time stood still on two cores.
    text = jax.jit(jax.vmap(jax.jacfwd(function) if function is inverse else function)).lower(_matrices()).compile()
    calls = re.findall(r"= (.*) custom-call\(.*lapack", text.as_text())
    assert calls
    assert all(re.findall(r"f64\[([\d,]+)\]", call)[0].count(",") < 2 for call in calls), calls


def test_a_tridiagonal_system_is_solved_for_all_right_hand_sides():
    rng = np.random.default_rng(5)
    lower, upper, right = rng.normal(size=7), rng.normal(size=7), rng.normal(size=(7, 3, 2))
    diagonal = 4.0 + rng.uniform(size=7)
    dense = np.diag(diagonal) + np.diag(lower[1:], -1) + np.diag(upper[:-1], 1)
    system = tuple(map(jnp.asarray, (lower, diagonal, upper, right)))
    solved = tridiagonal_solve(*system)
    exact = np.linalg.solve(dense, right.reshape(7, -1)).reshape(right.shape)
    np.testing.assert_allclose(solved, exact, rtol=1e-12, atol=1e-14)
    check_grads(jax.jit(tridiagonal_solve), system, order=2, modes=("fwd", "rev"), rtol=1e-6)
