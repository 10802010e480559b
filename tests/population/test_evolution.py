"""The join: order, masks, chunks, devices, failures, derivatives, errors."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import corundum as co
from corundum.numerics import DiffraxSolver, LaneSolver
from programs import compiled_programs

MODEL = co.models.ThermalCGM()


def states(population):
    return np.log10(np.stack(population.state, axis=-1))


def test_outputs_come_in_the_order_asked_for(population, halos):
    assert np.all(population.valid) and np.all(population["mstar"][:, 0] > population["mstar"][:, 1])
    np.testing.assert_allclose(population["redshift"], np.broadcast_to([0.0, 2.0, 1.0], (10, 3)), atol=1e-7)
    np.testing.assert_allclose(population.at(2.0)["mvir"], halos.at(redshift=2.0).mvir, rtol=1e-9)
    assert population.at(0.0).redshift == 0.0 and len(population) == 10


def test_every_quantity_has_a_unit_and_a_meaning(population):
    assert set(population.quantities) == set(population.values)
    for name, value in population.values.items():
        assert value.shape == (10, 3) and np.all(np.isfinite(value)), name
        assert population.quantities[name].unit and population.quantities[name].meaning


@pytest.mark.parametrize("chunk", [pytest.param(1, marks=pytest.mark.slow), 3, 4096])
def test_chunks_and_padding_change_nothing(population, halos, chunk):
    again = co.evolve(MODEL, halos[:7], [0.0, 2.0, 1.0], chunk=chunk)
    np.testing.assert_allclose(states(again), states(population)[:7], atol=1e-12)


def test_one_device_gives_the_same_numbers_as_two(population, halos, monkeypatch):
    assert len(jax.local_devices()) == 2
    monkeypatch.setattr(jax, "local_devices", lambda: jax.devices()[:1])
    np.testing.assert_allclose(states(co.evolve(MODEL, halos, [0.0, 2.0, 1.0])), states(population), atol=1e-12)


def test_tolerance_converges(halos):
    exact = states(co.evolve(MODEL, halos, solver=LaneSolver(tolerance=1e-11)))
    errors = [
        np.abs(states(co.evolve(MODEL, halos, solver=LaneSolver(tolerance=tol))) - exact).max()
        for tol in (1e-5, 1e-7, 1e-9)
    ]
    assert errors[0] < 1e-3 and errors[1] < 1e-5 and errors[2] < 1e-6 and errors[0] > errors[1] > errors[2]


@pytest.mark.slow
def test_the_lane_engine_agrees_with_diffrax(population, halos):
    reference = states(co.evolve(MODEL, halos, [0.0, 2.0, 1.0], solver=DiffraxSolver(rtol=1e-9, atol=1e-9)))
    assert np.abs(states(population) - reference).max() < 3e-5


@pytest.mark.slow
def test_published_and_default_interpolation_agree_on_smooth_histories(published_halos, halos):
    model = co.models.pandya26()
    apart = states(co.evolve(model, published_halos)) - states(co.evolve(model, halos))
    assert np.abs(apart).max() < 5e-3


def test_new_parameters_do_not_recompile(halos):
    co.evolve(MODEL, halos)
    with compiled_programs() as programs:
        co.evolve(co.replace(MODEL, {"mass_loading.amplitude": 2.0, "seed.mass": 10.0}), halos)
    assert programs == []


def test_a_halo_starts_when_it_starts(halos, population):
    late = co.halos.HaloHistories(halos.time, halos.log_mvir, halos.log_concentration, start=np.full(10, 4.0))
    result = co.evolve(MODEL, late, [0.0, 2.0, 1.0])
    assert np.all(result.valid == np.array([True, False, True]))
    assert np.all(np.isnan(result["mstar"][:, 1])) and np.all(np.isfinite(result["mstar"][:, [0, 2]]))
    assert result.status_counts() == {"solved": 10}


_FEW = 47  # steps: enough for some of the halos


def test_a_failed_halo_is_a_status_and_spares_the_others(halos):
    result = co.evolve(MODEL, halos, solver=LaneSolver(max_steps=_FEW))
    failed = np.asarray(result.status) != 0
    assert 0 < failed.sum() < 10
    assert np.all(np.isnan(result["mstar"][failed])) and np.all(np.isfinite(result["mstar"][~failed]))
    assert not np.any(result.valid[failed]) and np.all(result.valid[~failed])
    assert result.status_counts()["needed more steps than the solver's max_steps"] == failed.sum()


@pytest.mark.slow  # the same on small equations is in tests/numerics/test_solvers.py
def test_a_failed_halo_leaves_the_derivatives_of_the_others(halos):
    def total(a):
        changed = co.replace(MODEL, {"mass_loading.amplitude": a})
        galaxies = co.evolve(changed, halos, solver=LaneSolver(max_steps=_FEW)).at(0.0)
        return jnp.sum(jnp.where(galaxies.valid, jnp.log10(jnp.where(galaxies.valid, galaxies["mstar"], 1.0)), 0.0))

    slope = jax.jit(jax.jacfwd(total))(1.0)
    assert jnp.isfinite(slope) and slope != 0.0


@pytest.mark.slow
def test_derivative_matches_finite_differences(halos):
    solver = LaneSolver(tolerance=1e-11)

    @jax.jit
    def final(theta):
        model = co.replace(MODEL, {"energy_loading.amplitude": theta[0], "depletion_time.slope": theta[1]})
        return jnp.log10(co.evolve(model, halos[:2], solver=solver).at(0.0)["mstar"])

    theta = jnp.array([0.1, -1.8])
    exact = jax.jit(jax.jacfwd(final))(theta)
    for column, step in enumerate((1e-4, 1e-3)):
        shift = step * jnp.eye(2)[column]
        numeric = (final(theta + shift) - final(theta - shift)) / (2 * step)
        np.testing.assert_allclose(exact[:, column], numeric, rtol=1e-3)


def test_progress_reports_every_halo(halos):
    seen = []
    co.evolve(
        MODEL, halos[:7], [0.0, 2.0, 1.0], chunk=3, progress=lambda done, total: seen.append((done, total))
    )  # fmt: skip
    assert seen == [(6, 7), (7, 7)]


def test_bad_requests_are_refused_in_one_sentence(halos, population):
    with pytest.raises(ValueError, match=r"got 40; these histories cover 0 <= z <= 10"):
        co.evolve(MODEL, halos, [40.0])
    with pytest.raises(ValueError, match="at least one output redshift"):
        co.evolve(MODEL, halos, [])
    with pytest.raises(ValueError, match="no halo to evolve"):
        co.evolve(MODEL, halos[:0])
    with pytest.raises(ValueError, match="chunk: got 0"):
        co.evolve(MODEL, halos, chunk=0)
    with pytest.raises(ValueError, match=r"redshift 0.5 was not kept: this population has 0, 2, 1"):
        population.at(0.5)
    with pytest.raises(KeyError, match="no quantity 'mstars': did you mean mstar .*there are"):
        population["mstars"]


def test_a_batch_of_models_is_one_list_of_work(halos):
    def final(amplitude):
        result = co.evolve(co.replace(MODEL, {"mass_loading.amplitude": amplitude}), halos)
        return result.at(0.0)["mstar"], result.steps

    amplitudes = jnp.array([0.1, 1.0, 8.0])
    together, steps = jax.jit(jax.vmap(final))(amplitudes)
    for i, amplitude in enumerate(amplitudes):
        mstar, own_steps = final(amplitude)
        np.testing.assert_allclose(together[i], mstar, rtol=1e-9)  # two programs, each with its own round-off
        np.testing.assert_array_equal(steps[i], own_steps)


@pytest.mark.slow  # compiles for more than a minute; the same on small equations is in test_numerics
def test_reverse_mode_is_forward_mode(halos):
    names = ("energy_loading.amplitude", "depletion_time.slope", "reionisation.filtering_mass.complete_redshift")

    def total(theta):
        model = co.replace(MODEL, dict(zip(names, theta, strict=True)))
        return jnp.sum(jnp.log10(jnp.stack(co.evolve(model, halos[:3], [0.0, 2.0]).state)))

    theta = jnp.stack(co.get_values(MODEL, names))
    np.testing.assert_allclose(jax.jit(jax.grad(total))(theta), jax.jit(jax.jacfwd(total))(theta), rtol=1e-9)
