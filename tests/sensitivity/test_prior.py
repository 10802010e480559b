"""Slow check: exact Jacobians over the whole prior against extrapolated differences of the solution itself."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import corundum as co
from corundum.numerics import LaneSolver
from corundum.sensitivity.parameter_space import read_vector, varied_names, with_vector

S = co.sensitivity
NAMES = co.models.PANDYA26_FREE
TIGHT = LaneSolver(tolerance=1e-11, max_steps=20_000)
MODEL = co.models.ThermalCGM()
STEPS = (1.6e-2, 8e-3, 4e-3, 2e-3, 1e-3, 5e-4)  # of the prior width
PARTS, DRAWS = 8, 200


@pytest.fixture(scope="module")
def many_halos():
    return co.halos.diffmah_population(20, log_mvir=(10.0, 12.1), key=5)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_jacobian_matches_differences_over_the_prior(many_halos, part):
    """200 draws x 20 halos in all: every column to 1e-5 of its norm, over state and halos, at its best step.

    Central differences are extrapolated to step zero from pairs of steps: wide ones are limited by truncation and
    narrow ones by the noise of two solutions whose step sizes differ.  In draw 186, where halo 11 meets a sharp turn,
    the extrapolation's error falls by 16 with each halving: 2.3e-5 of the column at (0.002, 0.001), 1.5e-6 at (0.001,
    0.0005) and 1.1e-7 at (0.0005, 0.00025).  In draw 181 metal loading moves next to nothing, and the error, 7e-7 in
    absolute terms, doubles with each halving of the step: 2.3e-5 at (0.004, 0.002), 6.8e-5 at (0.001, 0.0005).
    """
    cosmology = many_halos.cosmology
    box = S.prior_box(MODEL, NAMES)
    draws = S.latin_hypercube(box, DRAWS, key=1)
    units, values = draws.unit[part::PARTS], draws.values[part::PARTS]
    names = varied_names(MODEL, cosmology, NAMES)
    places = [names.index(name) for name in NAMES]

    @jax.jit
    @jax.vmap
    def solve(vector):
        model, _ = with_vector(MODEL, cosmology, names, vector)
        return jnp.log10(jnp.stack(co.evolve(model, many_halos, solver=TIGHT).state, axis=-1))[:, 0]

    jacobian = S.parameter_jacobian(MODEL, many_halos, NAMES, at=values, coordinates=box.coordinates, solver=TIGHT)
    exact = jacobian.derivative.values[:, :, 0]
    assert np.isfinite(exact).all()  # no solve of the prior fails

    moves = np.concatenate([sign * h * np.eye(len(NAMES)) for h in STEPS for sign in (-1, 1)])
    moved = box.values((units[:, None] + moves).reshape(-1, len(NAMES)))
    vectors = np.tile(np.asarray(read_vector(MODEL, cosmology, names)), (len(moved), 1))
    vectors[:, places] = moved
    solved = np.asarray(solve(jnp.asarray(vectors)))
    solved = solved.reshape(len(units), len(STEPS), 2, len(NAMES), *exact.shape[1:3])
    central = [(solved[:, i, 1] - solved[:, i, 0]) / (2 * h) for i, h in enumerate(STEPS)]
    pairs = [(4 * narrow - wide) / 3 for wide, narrow in zip(central[:-1], central[1:], strict=True)]
    numeric = np.moveaxis(np.stack(pairs), 2, -1)
    away = np.linalg.norm(exact - numeric, axis=(2, 3)).min(axis=0) / np.linalg.norm(exact, axis=(1, 2))
    print({name: f"{column:.1e}" for name, column in zip(NAMES, away.max(axis=0), strict=True)})
    assert away.max() < 1e-5
