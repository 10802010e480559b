"""Over the whole prior: exact Jacobians of the default model against extrapolated differences of its own solutions."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import corundum as co
from corundum.numerics import LaneSolver
from corundum.sensitivity.space import read_vector, varied_names, with_vector

S = co.sensitivity
NAMES = co.models.PANDYA26_FREE
TIGHT = LaneSolver(rtol=1e-11, atol=1e-11)
MODEL = co.models.ThermalCGM()
STEP = 1e-3  # of the prior width
HALOS = 20


@pytest.fixture(scope="module")
def many_halos():
    return co.halos.monte_carlo(HALOS, log_mvir=(10.0, 12.1), key=5)


@functools.partial(jax.jit, static_argnums=0)
def solve_all(names, halos, vectors):
    """lg of the state today for many parameter sets at once: (sets, halo, state)."""

    def one(vector):
        model, _ = with_vector(MODEL, halos.cosmology, names, vector)
        return jnp.log10(jnp.stack(co.evolve(model, halos, solver=TIGHT).state, axis=-1))[:, 0]

    return jax.vmap(one)(vectors)


def differences(halos, box, unit):
    """Central differences at two steps, extrapolated to none (Richardson): (halo, state, parameter)."""
    names = varied_names(MODEL, halos.cosmology, NAMES)
    base = np.asarray(read_vector(MODEL, halos.cosmology, names))
    places = [names.index(name) for name in NAMES]
    moves = np.concatenate([sign * h * np.eye(len(NAMES)) for h in (STEP, STEP / 2) for sign in (-1, 1)])
    vectors = np.tile(base, (len(moves), 1))
    vectors[:, places] = box.values(unit + moves)
    solved = np.asarray(solve_all(names, halos, jnp.asarray(vectors))).reshape(2, 2, len(NAMES), len(halos), -1)
    wide, narrow = ((solved[k, 1] - solved[k, 0]) / (2 * h) for k, h in enumerate((STEP, STEP / 2)))
    return np.moveaxis((4 * narrow - wide) / 3, 0, -1)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(8))
def test_jacobian_matches_differences_over_the_prior(many_halos, part):
    """200 draws x 20 halos in all: every column to 1e-5 of its norm, the norm being over state and halos."""
    box = S.prior_box(MODEL, NAMES)
    draws = S.latin_hypercube(box, 200, key=1)
    worst, failed = np.zeros(len(NAMES)), 0
    for unit, values in zip(draws.unit[part::8], draws.values[part::8], strict=True):
        exact = S.parameter_jacobian(
            MODEL, many_halos, NAMES, at=values[None], coordinates=box.coordinates, solver=TIGHT
        ).derivative.values[0, :, 0]  # fmt: skip
        numeric = differences(many_halos, box, unit)
        there = np.isfinite(exact).all(axis=(1, 2)) & np.isfinite(numeric).all(axis=(1, 2))
        failed += int((~there).sum())
        away = np.linalg.norm((exact - numeric)[there], axis=(0, 1))
        worst = np.maximum(worst, away / np.linalg.norm(exact[there], axis=(0, 1)))
    print("worst error of each column", dict(zip(NAMES, worst, strict=True)), "failed", failed)
    assert failed == 0 and worst.max() < 1e-5
