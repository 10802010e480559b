"""Slow checks: exact Jacobians over the prior against differences, and the documents and the example as they are."""

import functools
import re
import runpy
import sys
from pathlib import Path

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
STEPS = (4e-2, 2e-2, 1e-2)  # of the prior width
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
    """Central differences, extrapolated to step zero from two pairs of steps: (2, halo, state, parameter)."""
    names = varied_names(MODEL, halos.cosmology, NAMES)
    base = np.asarray(read_vector(MODEL, halos.cosmology, names))
    places = [names.index(name) for name in NAMES]
    moves = np.concatenate([sign * h * np.eye(len(NAMES)) for h in STEPS for sign in (-1, 1)])
    vectors = np.tile(base, (len(moves), 1))
    vectors[:, places] = box.values(unit + moves)
    solved = np.asarray(solve_all(names, halos, jnp.asarray(vectors)))
    solved = solved.reshape(len(STEPS), 2, len(NAMES), len(halos), -1)
    central = [(pair[1] - pair[0]) / (2 * h) for pair, h in zip(solved, STEPS, strict=True)]
    pairs = zip(central[:-1], central[1:], strict=True)
    return np.moveaxis(np.stack([(4 * narrow - wide) / 3 for wide, narrow in pairs]), 1, -1)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(8))
def test_jacobian_matches_differences_over_the_prior(many_halos, part):
    """200 draws x 20 halos in all: every column to 1e-5 of its norm (over state and halos) at its better step.

    Wide steps are limited by truncation and narrow ones by the noise of two solutions whose step sizes differ.
    """
    box = S.prior_box(MODEL, NAMES)
    draws = S.latin_hypercube(box, 200, key=1)
    errors, failed = [], 0
    for unit, values in zip(draws.unit[part::8], draws.values[part::8], strict=True):
        exact = S.parameter_jacobian(
            MODEL, many_halos, NAMES, at=values[None], coordinates=box.coordinates, solver=TIGHT
        ).derivative.values[0, :, 0]  # fmt: skip
        numeric = differences(many_halos, box, unit)
        there = np.isfinite(exact).all(axis=(1, 2)) & np.isfinite(numeric).all(axis=(0, 2, 3))
        failed += int((~there).sum())
        away = np.linalg.norm((exact - numeric)[:, there], axis=(1, 2)).min(axis=0)
        errors.append(away / np.linalg.norm(exact[there], axis=(0, 1)))
    worst = np.max(errors, axis=0)
    for name, largest, median in zip(NAMES, worst, np.median(errors, axis=0), strict=True):
        print(f"{name}: largest {largest:.1e}, median {median:.1e}")
    assert failed == 0 and worst.max() < 1e-5


ROOT = Path(__file__).parents[1]


@pytest.mark.slow
def test_the_documentation_runs(tmp_path, monkeypatch):
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "sensitivity.md").read_text(), flags=re.DOTALL)
    assert len(blocks) == 2
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    for block in blocks:
        exec(compile(block, "sensitivity.md", "exec"), names)
    assert (tmp_path / "jacobian.png").stat().st_size > 10_000


@pytest.mark.slow
def test_the_example_finds_energy_loading_first(tmp_path, monkeypatch, capsys):
    example = ROOT / "examples" / "prior_sensitivity.py"
    monkeypatch.setattr(sys, "argv", [str(example), "24", "8", str(tmp_path)])
    runpy.run_path(str(example), run_name="__main__")
    told = capsys.readouterr().out
    published = told.split("stellar mass, linear amplitudes")[0]
    assert float(re.search(r"largest in (\d+)%", published)[1]) > 50
    assert (tmp_path / "prior_sensitivity.png").exists()
