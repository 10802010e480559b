"""Halo histories between their grid points: identities, ends, and behaviour as a pytree."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corundum import halos as H
from corundum.cosmology import planck15
from corundum.units import GRAVITY

COSMOLOGY = planck15()
TIME = np.geomspace(0.4, float(COSMOLOGY.age(0.0)), 60)
ALPHA = np.array([0.8, 1.5, 3.0])


def power_laws(**keywords):
    """Three halos with M = 10^12 (t/t0)^alpha and concentrations falling with time."""
    log_mvir = 12.0 + ALPHA[:, None] * np.log10(TIME / TIME[-1])
    log_c = 0.9 - 0.2 * np.log10(TIME / TIME[-1]) * np.ones((3, 1))
    return H.HaloHistories(TIME, log_mvir, log_c, cosmology=COSMOLOGY, **keywords)


HALOS = power_laws()
read_all = jax.jit(lambda halos, time: halos.at(time=time))


@given(time=st.floats(0.3, 13.8))
@settings(max_examples=30, deadline=None)
def test_power_law_growth_is_exact_at_any_time(time):
    halo = read_all(HALOS, time)
    mvir = 1e12 * (time / TIME[-1]) ** ALPHA
    np.testing.assert_allclose(halo.mvir, mvir, rtol=1e-9)
    np.testing.assert_allclose(halo.growth, ALPHA * mvir / time / 1e9, rtol=1e-9)
    np.testing.assert_allclose(halo.vvir**2, GRAVITY * halo.mvir / halo.rvir, rtol=1e-12)
    np.testing.assert_allclose(halo.time, time)


def test_growth_is_the_derivative_of_the_mass_at_any_time():
    halos = power_laws()
    wiggle = halos.log_mvir + 0.05 * jnp.sin(4.0 * jnp.log(TIME)) * jnp.asarray([[1.0], [-1.0], [0.5]])
    halos = H.HaloHistories(TIME, wiggle, halos.log_concentration, cosmology=COSMOLOGY)
    slope = jax.jit(jax.jacfwd(lambda t: halos.at(time=t).mvir))
    for time in np.random.default_rng(0).uniform(0.35, TIME[-1], 10):
        np.testing.assert_allclose(slope(time) / 1e9, read_all(halos, time).growth, rtol=1e-10)


def test_values_and_slopes_at_every_knot():
    tables = HALOS.tables()
    read = jax.jit(jax.vmap(HALOS.interpolation.read, in_axes=(H.HaloTables.HALO_AXIS, None)))
    for i in (0, 1, 30, 58, 59):
        halo = read(tables, TIME[i])
        np.testing.assert_allclose(np.log10(halo.mvir), HALOS.log_mvir[:, i], rtol=1e-13)
        np.testing.assert_allclose(halo.growth, ALPHA * halo.mvir / TIME[i] / 1e9, rtol=1e-9)
        np.testing.assert_allclose(halo.rvir, COSMOLOGY.virial_radius(halo.mvir, halo.redshift), rtol=1e-9)
    np.testing.assert_allclose(read(tables, TIME[-1]).redshift, 0.0, atol=1e-12)


def test_nothing_jumps_before_the_first_knot():
    before, after = (read_all(HALOS, TIME[0] * factor) for factor in (1 - 1e-9, 1 + 1e-9))
    for earlier, later in zip(before, after, strict=True):
        np.testing.assert_allclose(earlier, later, rtol=1e-7)


def test_redshift_between_knots():
    for time in (0.41, 2.2, 9.87):
        np.testing.assert_allclose(read_all(HALOS, time).redshift, COSMOLOGY.redshift(time), rtol=2e-6)


def test_published_interpolation_reads_its_own_growth():
    growth = HALOS.log_mvir + np.log10(ALPHA[:, None] / TIME / 1e9)
    halos = power_laws(log_growth=growth, interpolation=H.Pandya26Hermite())
    halo = halos.at(time=float(TIME[20]))
    np.testing.assert_allclose(halo.growth, 10.0 ** growth[:, 20], rtol=1e-9)
    with pytest.raises(ValueError, match="log_growth"):
        power_laws(interpolation=H.Pandya26Hermite()).at(redshift=0.0)


def test_is_a_pytree_that_indexes_like_an_array():
    leaves, structure = jax.tree.flatten(HALOS)
    again = jax.tree.unflatten(structure, leaves)
    assert all(isinstance(leaf, jax.Array) and leaf.dtype == jnp.float64 for leaf in leaves)
    np.testing.assert_array_equal(again.log_mvir, HALOS.log_mvir)
    assert len(HALOS[1:]) == 2 and len(HALOS[-1]) == 1 and len(HALOS[np.array([True, False, True])]) == 2
    assert len(list(HALOS)) == 3
    with pytest.raises(IndexError, match="there are 3 halos"):
        HALOS[3]
    np.testing.assert_array_equal(HALOS[[2, 0]].log_mvir, HALOS.log_mvir[np.array([2, 0])])
    np.testing.assert_allclose(jax.jit(lambda h: h.at(redshift=1.0).mvir)(HALOS), HALOS.at(redshift=1.0).mvir)


def _broken(**changes):
    arguments = {"time": TIME, "log_mvir": np.asarray(HALOS.log_mvir), "log_concentration": np.ones((3, 60))}
    keywords = {name: value for name, value in changes.items() if name not in arguments}
    arguments.update({name: value for name, value in changes.items() if name in arguments})
    return lambda: H.HaloHistories(**arguments, **keywords)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"time": TIME[::-1]}, "strictly increasing"),
        ({"time": TIME[:1]}, "at least two times"),
        ({"log_mvir": np.ones((3, 59))}, "expected .halos, times."),
        ({"log_mvir": np.full((3, 60), np.nan)}, "halo 0 has a value that is not finite"),
        ({"start": [0.4, 0.5]}, "expected one per halo"),
        ({"start": [0.4, 0.5, 20.0]}, "halo 2 starts at 20 Gyr"),
        ({"weights": [1.0, np.inf, 1.0]}, "weights: halo 1"),
    ],
)
def test_bad_histories_are_refused(changes, words):
    with pytest.raises(ValueError, match=words):
        _broken(**changes)()


def test_at_needs_one_moment():
    with pytest.raises(ValueError, match="not both"):
        HALOS.at(redshift=1.0, time=2.0)
