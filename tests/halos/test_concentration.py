"""Concentration relations and NFW conversions against colossus, scipy and closed forms."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq

from corundum import halos as H
from corundum.cosmology import Cosmology, planck15
from corundum.halos.concentration import LOWEST_CONCENTRATION, limit_concentration
from corundum.halos.nfw import concentration_from_vmax, enclosed_mass, reference_density, to_virial

DIEMER = H.Diemer19()
MODELS = [DIEMER, H.DuttonMaccio14()]

diemer = jax.jit(lambda log_mvir, redshift: DIEMER(log_mvir, redshift))
convert = jax.jit(to_virial, static_argnames="definition")
from_vmax = jax.jit(concentration_from_vmax)


@pytest.mark.parametrize(
    ("log_mvir", "redshift", "log_c"),
    [  # colossus 1.4.0, diemer19, vir, in the cosmology of the table, between its nodes
        (8.3, 0.37, 1.245027),
        (10.2, 0.0, 1.225260),
        (11.85, 1.3, 0.722022),
        (12.6, 2.7, 0.555894),
        (9.1, 6.2, 0.507827),
        (7.7, 11.0, 0.467463),
    ],
)
def test_diemer_and_joyce(log_mvir, redshift, log_c):
    np.testing.assert_allclose(diemer(log_mvir, redshift), log_c, atol=5e-4)


def test_dutton_and_maccio():
    # The published fit: c = 10^1.025 at 10^12 Msun/h and z = 0; other values from colossus 1.4.0.
    model = H.DuttonMaccio14()
    np.testing.assert_allclose(model(12.0 - np.log10(0.671), 0.0), 1.025, rtol=1e-9)
    np.testing.assert_allclose(
        model(jnp.array([10.5, 12.0, 13.2]), jnp.array([0.0, 1.0, 3.0])),
        [1.187308, 0.787660, 0.557785],
        atol=1e-6,
    )
    np.testing.assert_array_equal(model(11.0, 9.0), model(11.0, 5.0))


@pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)
def test_relations_share_a_contract(model):
    masses, redshifts = jnp.asarray([[5.0, 8.0, 12.0], [9.9, 11.3, 14.0]]), jnp.asarray([13.0, 4.9, 0.0])
    one = jax.jit(lambda m, z: model(m, z))
    both = one(masses, redshifts)
    looped = [[float(one(m, z)) for m, z in zip(row, redshifts, strict=True)] for row in masses]
    np.testing.assert_allclose(both, looped, rtol=1e-12)
    np.testing.assert_allclose(jax.jit(jax.vmap(model, in_axes=(0, None)))(masses, redshifts), both, rtol=1e-12)
    assert one(12.0, 0.0) < one(10.0, 0.0) and one(10.0, 2.0) < one(10.0, 0.0)
    slopes = jax.jit(jax.grad(one, argnums=(0, 1)))
    assert np.all(np.isfinite([slopes(m, z) for m, z in ((7.0, 0.0), (12.0, 3.0), (16.0, 20.0))]))
    step = 1e-6
    for axis, (dm, dz) in enumerate(((step, 0.0), (0.0, step))):
        numeric = (one(11.2 + dm, 1.1 + dz) - one(11.2 - dm, 1.1 - dz)) / (2 * step)
        np.testing.assert_allclose(slopes(11.2, 1.1)[axis], numeric, rtol=1e-6)
    leaves, structure = jax.tree.flatten(model)
    np.testing.assert_array_equal(jax.tree.unflatten(structure, leaves)(masses, redshifts), model(masses, redshifts))


def test_concentrations_stay_above_the_lowest_one():
    log_c = jnp.linspace(-1.0, 2.0, 400)
    limited = np.asarray(limit_concentration(log_c))
    assert limited.min() >= np.log10(LOWEST_CONCENTRATION) > np.log10(2.163) and np.all(np.diff(limited) >= 0.0)
    np.testing.assert_allclose(limited[log_c > 0.7], log_c[log_c > 0.7], atol=1e-5)


def test_scatter_correlates_as_stated():
    late = jax.random.normal(jax.random.key(0), (20000,))
    drawn = H.ConcentrationScatter(dex=0.2, correlation=-0.5).draw(jax.random.key(1), late)
    np.testing.assert_allclose([drawn.std(), np.corrcoef(drawn, late)[0, 1]], [0.2, -0.5], rtol=0.03)


@pytest.mark.parametrize(
    ("definition", "redshift", "mass", "c"),
    [  # colossus 1.4.0, changeMassDefinition of 10^12 Msun/h and c = 7 to vir
        ("200c", 0.0, 1.1839974, 9.2638314),
        ("200c", 1.5, 1.0493090, 7.5591163),
        ("500c", 0.0, 1.4435971, 13.4318470),
        ("500c", 1.5, 1.3039369, 11.0298284),
        ("200m", 0.0, 0.8658526, 5.6333936),
        ("200m", 1.5, 1.0126882, 7.1407748),
    ],
)
def test_mass_definitions_against_colossus(definition, redshift, mass, c):
    converted = convert(1e12, 7.0, redshift, definition=definition, cosmology=Cosmology())
    np.testing.assert_allclose(converted, (mass * 1e12, c), rtol=2e-4)


@given(c=st.floats(3.0, 40.0), redshift=st.floats(0.0, 8.0))
@settings(max_examples=15, deadline=None)
def test_mass_conversion_keeps_the_halo(c, redshift):
    cosmology = planck15()
    mass, virial = convert(1e12, c, redshift, definition="200c", cosmology=cosmology)
    ratio = float(cosmology.virial_density(redshift) / reference_density("200c", redshift, cosmology))

    def excess(x):
        return enclosed_mass(x) / x**3 - ratio * enclosed_mass(c) / c**3

    np.testing.assert_allclose(virial, brentq(excess, 0.1 * c, 10.0 * c, xtol=1e-12), rtol=1e-8)
    np.testing.assert_allclose(mass / enclosed_mass(virial), 1e12 / enclosed_mass(c), rtol=1e-12)
    same = convert(1e12, c, redshift, definition="vir", cosmology=cosmology)
    np.testing.assert_allclose(same, (1e12, c), rtol=1e-9)


@pytest.mark.parametrize("name", ["200", "200x", "virial", "-200c", "0c"])
def test_unknown_mass_definitions_are_refused(name):
    with pytest.raises(ValueError, match="mass_definition: got"):
        reference_density(name, 0.0, planck15())


@given(c=st.floats(2.3, 100.0))
@settings(max_examples=15, deadline=None)
def test_concentration_from_peak_velocity(c):
    x = np.geomspace(0.05, 50.0, 4000)
    ratio = np.sqrt(np.max(enclosed_mass(x) / x) / (enclosed_mass(c) / c))
    np.testing.assert_allclose(from_vmax(ratio), c, rtol=3e-3)
    assert np.isnan(from_vmax(0.9))
