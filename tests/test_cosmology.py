"""The cosmology against astropy, Bryan & Norman 1998 and the Einstein-de Sitter limit."""

import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from astropy import units as u
from astropy.cosmology import FlatLambdaCDM, LambdaCDM, Planck15, Planck18
from hypothesis import given, settings
from hypothesis import strategies as st

from corundum import cosmology as cosmo
from corundum.cosmology import Cosmology
from corundum.parameters import replace

REDSHIFT = np.array([0.0, 1e-6, 0.1, 0.5, 1.0, 2.0, 3.5, 6.0, 10.0, 20.0])
PRESETS = [cosmo.pandya26_cosmology, cosmo.planck15, cosmo.planck18, cosmo.tng]

age = jax.jit(lambda c, z: c.age(z))
redshift = jax.jit(lambda c, t: c.redshift(t))


def in_astropy(ours):
    return FlatLambdaCDM(
        H0=float(ours.h) * 100,
        Om0=float(ours.omega_m),
        Ob0=float(ours.omega_b),
        Tcmb0=float(ours.t_cmb),
        Neff=float(ours.n_eff),
    )


@pytest.mark.parametrize("preset", PRESETS)
def test_agrees_with_astropy(preset):
    ours, theirs = preset(), in_astropy(preset())
    critical = theirs.critical_density(REDSHIFT).to_value(u.Msun / u.kpc**3)
    np.testing.assert_allclose(age(ours, REDSHIFT), theirs.age(REDSHIFT).to_value(u.Gyr), rtol=1e-8)
    np.testing.assert_allclose(ours.critical_density(REDSHIFT), critical, rtol=1e-8)
    np.testing.assert_allclose(ours.matter_fraction(REDSHIFT), theirs.Om(REDSHIFT), rtol=1e-8)
    np.testing.assert_allclose(ours.hubble_rate(REDSHIFT), theirs.H(REDSHIFT).to_value(1 / u.Gyr), rtol=1e-8)
    np.testing.assert_allclose(ours.baryon_fraction, theirs.Ob0 / theirs.Om0, rtol=1e-12)


@given(omega_m=st.floats(0.15, 0.5), h=st.floats(0.55, 0.85), z=st.floats(0.0, 20.0))
@settings(max_examples=20, deadline=None)
def test_agrees_with_astropy_for_any_parameters(omega_m, h, z):
    ours = Cosmology(h=h, omega_m=omega_m)
    np.testing.assert_allclose(age(ours, z), in_astropy(ours).age(z).to_value(u.Gyr), rtol=1e-8)
    np.testing.assert_allclose(redshift(ours, age(ours, z)), z, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("preset", PRESETS)
def test_redshift_inverts_age(preset):
    z = np.concatenate([REDSHIFT, [40.0, -0.1]])
    np.testing.assert_allclose(redshift(preset(), age(preset(), z)), z, rtol=1e-10, atol=1e-10)


def test_einstein_de_sitter():
    flat = Cosmology(h=0.7, omega_m=1.0 - 1e-9, t_cmb=0.0, n_eff=0.0)
    expected = 2.0 / 3.0 / flat.hubble_rate_today * (1.0 + REDSHIFT) ** -1.5
    np.testing.assert_allclose(age(flat, REDSHIFT), expected, rtol=1e-8)
    np.testing.assert_allclose(flat.virial_overdensity(REDSHIFT), 18 * np.pi**2, rtol=1e-8)


def test_virial_overdensity_of_bryan_norman():
    # Delta_c = 18 pi^2 + 82 x - 39 x^2 with x = Om(z) - 1: for Om(z) = 0.3 that is 101.14.
    universe = Cosmology(omega_m=0.3, t_cmb=0.0, n_eff=0.0)
    np.testing.assert_allclose(universe.virial_overdensity(0.0), 177.65288 - 57.4 - 19.11, rtol=1e-7)
    assert 176.0 < universe.virial_overdensity(20.0) < 177.66


@given(log_mvir=st.floats(8.0, 15.0), z=st.floats(0.0, 15.0))
@settings(max_examples=20, deadline=None)
def test_virial_radius_holds_the_virial_mass(log_mvir, z):
    universe, mass = cosmo.planck15(), 10.0**log_mvir
    radius = universe.virial_radius(mass, z)
    np.testing.assert_allclose(4 / 3 * np.pi * radius**3 * universe.virial_density(z), mass, rtol=1e-12)
    velocity = cosmo.circular_velocity(mass, radius)
    rate = universe.hubble_rate(z) * radius * 0.9777922216807891  # kpc/Gyr in km/s
    np.testing.assert_allclose(velocity, rate * np.sqrt(universe.virial_overdensity(z) / 2), rtol=1e-9)


@pytest.mark.parametrize("name", ["h", "omega_m", "t_cmb", "n_eff"])
def test_gradients_with_respect_to_parameters(name):
    @jax.jit
    def at(value):
        universe = Cosmology(**{name: value})
        return jnp.stack([universe.age(2.0), universe.redshift(3.0), universe.virial_density(1.0)])

    value = float(getattr(Cosmology(), name))
    step = 1e-5 * value
    numeric = (at(value + step) - at(value - step)) / (2 * step)
    np.testing.assert_allclose(jax.jacfwd(at)(value), numeric, rtol=1e-6, atol=1e-9)


def test_gradients_with_respect_to_time_are_the_friedmann_equation():
    universe, z = cosmo.planck18(), jnp.asarray([0.0, 0.7, 3.0, 12.0])
    slope = jax.jit(jax.vmap(jax.grad(universe.age)))(z)
    np.testing.assert_allclose(slope, -1.0 / ((1 + z) * universe.hubble_rate(z)), rtol=1e-10)
    back = jax.jit(jax.vmap(jax.grad(universe.redshift)))(age(universe, z))
    np.testing.assert_allclose(back * slope, 1.0, rtol=1e-9)
    curvature = jax.jit(jax.vmap(jax.grad(jax.grad(universe.redshift))))(age(universe, z))
    assert np.all(np.isfinite(curvature))


def test_works_under_vmap_and_jit():
    universe = cosmo.planck15()
    looped = [float(universe.redshift(t)) for t in (1.0, 5.0)]
    np.testing.assert_allclose(jax.jit(jax.vmap(universe.redshift))(jnp.asarray([1.0, 5.0])), looped, rtol=1e-13)


def test_presets_are_the_published_ones():
    np.testing.assert_allclose([cosmo.planck15().h, cosmo.planck15().omega_m], [Planck15.h, Planck15.Om0], rtol=1e-12)
    np.testing.assert_allclose([cosmo.planck18().h, cosmo.planck18().omega_m], [Planck18.h, Planck18.Om0], rtol=1e-12)
    np.testing.assert_allclose(age(cosmo.planck15(), 0.0), Planck15.age(0).to_value(u.Gyr), rtol=2e-3)  # neutrino mass
    np.testing.assert_allclose(age(cosmo.pandya26_cosmology(), 0.0), age(cosmo.planck15(), 0.0), rtol=1e-14)
    assert float(cosmo.tng().omega_radiation) == 0.0


def test_from_astropy():
    theirs = FlatLambdaCDM(H0=70, Om0=0.28, Ob0=0.05, Tcmb0=2.7, Neff=3.0)
    np.testing.assert_allclose(age(cosmo.from_astropy(theirs), REDSHIFT), theirs.age(REDSHIFT).value, rtol=1e-8)


@pytest.mark.parametrize(
    ("theirs", "words"),
    [
        (LambdaCDM(H0=70, Om0=0.3, Ode0=0.6, Ob0=0.05), "FlatLambdaCDM"),
        (FlatLambdaCDM(H0=70, Om0=0.3), "Ob0"),
    ],
)
def test_from_astropy_refuses(theirs, words):
    with pytest.raises(ValueError, match=words):
        cosmo.from_astropy(theirs)


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ({"h": 70.0}, "got 70 for h; allowed 0.3 to 1.2, the Hubble constant over 100 km/s/Mpc"),
        ({"omega_m": 31.0}, "got 31 for omega_m"),
        ({"omega_m": np.nan}, "got nan; give a number"),
        ({"omega_b": 0.4}, "omega_b must be smaller"),
        ({"omega_b": -0.05}, "got -0.05 for omega_b"),
        ({"t_cmb": 2725.5}, "allowed 0 to 10 K"),
        ({"n_eff": -1.0}, "got -1 for n_eff"),
    ],
)
def test_numbers_of_no_universe_are_refused(numbers, words):
    with pytest.raises(ValueError, match=words):
        Cosmology(**numbers)
    with pytest.raises(ValueError, match=words):
        replace(Cosmology(), numbers)


def test_a_temperature_with_a_unit_is_converted():
    assert float(Cosmology(t_cmb=2725.5 * u.mK).t_cmb) == pytest.approx(2.7255)
    with pytest.raises(ValueError, match="radiation temperature today: got a quantity in km"):
        Cosmology(t_cmb=2.7255 * u.km)


def test_neutrinos_with_mass_are_pointed_out():
    heavy = FlatLambdaCDM(H0=67, Om0=0.31, Ob0=0.049, Tcmb0=2.7255, Neff=3.046, m_nu=[0.2, 0.2, 0.2] * u.eV)
    with pytest.warns(UserWarning, match=r"0.6 eV in total\) are left out, so that ages are up to 2.2 per cent"):
        ours = cosmo.from_astropy(heavy)
    assert 0.018 < float(age(ours, 2.0)) / heavy.age(2.0).value - 1.0 < 0.022
    with pytest.warns(UserWarning, match="Planck18 .0.06 eV in total. .* up to 0.21 per cent"):
        cosmo.from_astropy(Planck18)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cosmo.from_astropy(FlatLambdaCDM(H0=70, Om0=0.28, Ob0=0.05, Tcmb0=2.7, Neff=3.0, m_nu=0.0 * u.eV))


@pytest.mark.wrong_types
def test_a_cosmology_of_astropy_is_taken_where_one_is_needed():
    from astropy.cosmology import LambdaCDM, Planck18, w0waCDM

    for theirs in (
        Planck18,
        LambdaCDM(H0=70, Om0=0.3, Ode0=0.7, Ob0=0.05, Tcmb0=2.7255),
        w0waCDM(H0=70, Om0=0.3, Ode0=0.7, Ob0=0.05, w0=-1.0, wa=0.0),
    ):
        ours = cosmo.as_cosmology(theirs)
        assert abs(float(ours.age(1.0)) / theirs.age(1.0).value - 1.0) < 3e-3
    own = cosmo.tng()
    assert cosmo.as_cosmology(own) is own


@pytest.mark.parametrize(
    ("kind", "numbers", "words"),
    [
        ("LambdaCDM", {"Ode0": 0.6, "Ob0": 0.05}, r"LambdaCDM is curved \(Ok0 = 0.1\)"),
        ("FlatwCDM", {"w0": -0.9, "Ob0": 0.05}, "FlatwCDM has dark energy of w = -0.9, and"),
        ("Flatw0waCDM", {"w0": -1.0, "wa": 0.2, "Ob0": 0.05}, "has dark energy of w = -1 to -0.8333, and"),
        ("FlatLambdaCDM", {}, "has no baryon density; make it with Ob0="),
    ],
)
@pytest.mark.wrong_types
def test_a_cosmology_of_astropy_that_is_another_is_refused_with_the_reason(kind, numbers, words):
    from astropy import cosmology as theirs

    with pytest.raises(ValueError, match=words):
        cosmo.as_cosmology(getattr(theirs, kind)(H0=70, Om0=0.3, **numbers))


@pytest.mark.wrong_types
@pytest.mark.parametrize("wrong", ["planck18", 0.7, cosmo.planck18, cosmo.Cosmology])
def test_what_is_no_cosmology_is_refused(wrong):
    with pytest.raises(TypeError, match="cosmology: got .*; (give one of corundum.cosmology|write )"):
        cosmo.as_cosmology(wrong)


def test_an_unusual_number_of_a_cosmology_warns():
    with pytest.warns(UserWarning, match="Cosmology: h = 0.95 lies outside 0.5 to 0.9"):
        replace(Cosmology(), {"h": 0.95})
