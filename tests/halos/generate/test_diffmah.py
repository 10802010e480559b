"""The built-in halo population against N-body means, and its concentrations, weights, starts and
reproducibility.
"""

from pathlib import Path

import diffmah
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import skew, spearmanr

from corundum import halos as H
from corundum.cosmology import pandya26_cosmology, planck18
from corundum.units import GRAVITY

PUBLISHED = Path(diffmah.__file__).parent / "tests" / "testing_data"


@pytest.fixture(scope="module")
def halos():
    return H.diffmah_population(6000, log_mvir=(9.5, 13.0), key=1)


@pytest.mark.parametrize("log_mvir", [11.5, 11.75, 12.0, 12.25, 12.5, 12.75, 13.0])
def test_mean_histories_are_those_of_nbody_halos(log_mvir):
    time = np.loadtxt(PUBLISHED / "nbody_t_target.dat")  # 1.5 to 13.7 Gyr; masses are those at the last time
    mean = np.loadtxt(PUBLISHED / f"mean_log_mah_nbody_logmp_{log_mvir:.2f}.dat")
    growth = np.loadtxt(PUBLISHED / f"mean_dmhdt_nbody_logmp_{log_mvir:.2f}.dat")
    made = H.diffmah_population(4000, log_mvir=(log_mvir, log_mvir), key=2)
    read = jax.jit(lambda tables: jax.vmap(lambda t: _read(made, tables, t))(jnp.asarray(time)))
    halo = read(made.tables())
    log_mass = np.log10(halo.mvir)
    offset = log_mvir - log_mass[-1]
    ours = np.mean(log_mass + offset, axis=1)
    np.testing.assert_allclose(ours, mean, atol=0.03)
    rate = np.mean(np.asarray(halo.growth) * 10.0**offset, axis=1)
    np.testing.assert_allclose(rate[1:], growth[1:], rtol=0.2)


def _read(halos, tables, time):
    return jax.vmap(halos.interpolation.read, in_axes=(H.HaloTables.HALO_AXIS, None))(tables, time)


def test_masses_today_are_those_asked_for(halos):
    today = np.asarray(halos.log_mvir[:, -1])
    assert len(halos) == 6000 and 9.5 <= today.min() < 9.51 and 12.99 < today.max() <= 13.0
    counts, _ = np.histogram(today, 7, (9.5, 13.0))
    np.testing.assert_allclose(counts, 6000 / 7, rtol=0.15)
    np.testing.assert_array_equal(halos.weights, 1.0)


def test_every_halo_always_grows(halos):
    assert np.all(np.diff(halos.log_mvir, axis=1) > 0.0)
    halo = jax.jit(lambda h: h.at(time=h.time[-1]))(halos)
    assert float(halo.growth.min()) > 0.0
    np.testing.assert_allclose(halo.vvir**2, GRAVITY * halo.mvir / halo.rvir, rtol=1e-12)


def test_halos_start_at_the_floor_in_time_and_mass(halos):
    start, first = np.asarray(halos.start), float(halos.time[0])
    np.testing.assert_allclose(first, pandya26_cosmology().age(12.0))
    late = start > first
    assert 0.05 < late.mean() < 0.6 and np.all(start[~late] == first)
    assert np.all(np.asarray(halos.log_mvir[:, 0])[~late] >= 8.0)
    at_start = jax.jit(jax.vmap(halos.interpolation.read, in_axes=(H.HaloTables.HALO_AXIS, 0)))(
        halos.tables(), halos.start
    )
    np.testing.assert_allclose(np.log10(at_start.mvir)[late], 8.0, atol=1e-6)


def test_grid_resolves_the_histories(halos):
    # Splines through every second time must find the times in between; with all times they are 16 times as
    # accurate.
    few = halos[:200]
    half = H.HaloHistories(few.time[1::2], few.log_mvir[:, 1::2], few.log_concentration[:, 1::2])
    read = jax.jit(lambda h, times: jax.vmap(lambda t: h.at(time=t))(times))
    times = few.time[4:-4:2]
    coarse, truth = read(half, times), read(few, times)
    np.testing.assert_allclose(np.log10(coarse.mvir), np.log10(truth.mvir), atol=4e-6)
    np.testing.assert_allclose(coarse.growth, truth.growth, rtol=4e-4)
    np.testing.assert_allclose(np.log10(coarse.concentration), np.log10(truth.concentration), atol=4e-4)


@pytest.mark.parametrize("log_mvir", [9.63, 11.5, 12.37])
def test_concentrations_scatter_and_follow_formation(log_mvir):
    made = H.diffmah_population(4000, log_mvir=(log_mvir, log_mvir), key=7)
    log_c, log_time = np.asarray(made.log_concentration[:, -1]), np.log(np.asarray(made.time))
    half = [np.interp(m[-1] - np.log10(2), m, log_time) for m in np.asarray(made.log_mvir)]
    np.testing.assert_allclose(log_c.mean(), H.Diemer19()(log_mvir, 0.0), atol=0.01)
    np.testing.assert_allclose(log_c.std(), 0.13, atol=0.007)
    np.testing.assert_allclose(spearmanr(log_c, half)[0], -0.70, atol=0.03)
    assert abs(skew(log_c)) < 0.15 and log_c.min() >= np.log10(2.5)


def test_scatter_is_constant_along_a_history(halos):
    few = halos[:50]
    offset = few.log_concentration - H.Diemer19()(few.log_mvir, few.redshift)
    high = np.asarray(few.log_concentration) > 0.7
    spread = np.where(high, np.asarray(offset) - np.asarray(offset[:, -1:]), 0.0)
    assert np.abs(spread).max() < 1e-3


def test_no_scatter_gives_the_median_relation():
    made = H.diffmah_population(20, scatter=H.ConcentrationScatter(dex=0.0))
    expected = H.Diemer19()(made.log_mvir, made.redshift)
    some = np.asarray(expected) > 0.7
    np.testing.assert_allclose(np.asarray(made.log_concentration)[some], np.asarray(expected)[some], atol=1e-4)


def test_same_key_same_halos(halos):
    again = H.diffmah_population(6000, log_mvir=(9.5, 13.0), key=jax.random.key(1))
    for one, other in zip(jax.tree.leaves(halos), jax.tree.leaves(again), strict=True):
        np.testing.assert_array_equal(one, other)
    assert not np.array_equal(H.diffmah_population(10, key=2).log_mvir, H.diffmah_population(10, key=3).log_mvir)


def test_number_densities():
    mass_function = H.Despali16()
    grid = np.linspace(10.0, 12.0, 401)
    total = np.trapezoid(np.asarray(mass_function(grid)), grid)
    massive = np.trapezoid(np.asarray(mass_function(grid[200:])), grid[200:])
    key = jax.random.key(0)
    for sampling in (H.UniformLogMass(mass_function), H.MassFunctionWeighted()):
        log_mvir, weights = sampling.draw(key, 6000, 10.0, 12.0)
        assert 10.0 <= log_mvir.min() and log_mvir.max() <= 12.0
        np.testing.assert_allclose(weights.sum(), total, rtol=0.05)
        np.testing.assert_allclose(np.sum(np.where(log_mvir > 11.0, weights, 0.0)), massive, rtol=0.1)


def test_mass_function_is_the_tabulated_one():
    # Computed with colossus 1.4.0 (despali16, vir, z = 0) at masses between the nodes of the table.
    np.testing.assert_allclose(np.log10(H.Despali16()(jnp.asarray([10.1, 12.6]))), [-0.734323, -2.936083], atol=5e-4)


def test_given_masses_and_other_cosmologies():
    masses = np.array([10.3, 11.0, 12.4])
    made = H.diffmah_population(3, log_mvir=(10.0, 13.0), sampling=H.GivenMasses(masses), cosmology=planck18())
    np.testing.assert_allclose(made.log_mvir[:, -1], masses, atol=1e-12)
    np.testing.assert_allclose(made.time[-1], planck18().age(0.0))
    assert "diffmah" in dict(made.provenance)["source"] and "extrapolate" in dict(made.provenance)["calibration"]


@pytest.mark.wrong_types
@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (dict(n=0), "at least 1"),
        (dict(n=2.5), "whole number"),
        (dict(n=5, log_mvir=(12.0, 11.0)), "within 9 and 15"),
        (dict(n=5, log_mvir=(1e10, 1e12)), "log10 of mass"),
        (dict(n=5, log_mvir=(9.0, 10.0), first_log_mvir=8.9), "less than half"),
        (dict(n=5, log_mvir=(12.0, 12.0), sampling=H.MassFunctionWeighted()), "range of masses"),
        (dict(n=5, sampling=H.GivenMasses([11.0])), "5 halos"),
    ],
)
def test_senseless_requests_are_refused(request_, words):
    with pytest.raises(ValueError, match=words):
        H.diffmah_population(request_.pop("n"), **request_)


def test_log_times():
    times = np.asarray(H.log_times(number=30, first_redshift=9.0, last_redshift=1.0))
    cosmology = pandya26_cosmology()
    np.testing.assert_allclose(times[[0, -1]], [cosmology.age(9.0), cosmology.age(1.0)], rtol=1e-14)
    np.testing.assert_allclose(np.diff(np.log(times)), np.diff(np.log(times))[0], rtol=1e-10)
    with pytest.raises(ValueError, match="larger"):
        H.log_times(first_redshift=0.0)
