"""Numbers and definitions in which published models differ: each against an independent answer."""

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import quad

import corundum as co
from corundum import models, parameters, physics
from corundum.units import GRAVITY, GRAVITY_CGS, KBOLTZMANN, KPC_CM, MSUN_G

COSMOLOGY = co.cosmology.planck15()
HALO = co.halos.Halo(*map(jnp.asarray, (13.8, 0.0, 1e12, 260.0, 130.0, 10.0, 30.0)))


@pytest.mark.parametrize("law", [physics.Kravtsov04FilteringMass, physics.Pandya26FilteringMass])
def test_halos_keep_half_their_gas_at_a_tenth_of_the_filtering_mass_of_linear_theory(law):
    """Okamoto+08 find 6.5e9 Msun/h at z = 0 in simulations."""
    default, linear = law(), law(normalisation=1.0)
    assert float(default(0.0, COSMOLOGY)) == pytest.approx(6.5e9 / float(COSMOLOGY.h), rel=0.15)
    z = jnp.array([0.0, 2.0, 5.0, 12.0])
    np.testing.assert_allclose(default(z, COSMOLOGY) / linear(z, COSMOLOGY), 0.0933, rtol=1e-12)


@pytest.mark.parametrize("redshift", [0.0, 2.0, 5.0, 12.0])
def test_with_normalisation_one_the_filtering_mass_is_the_integral_of_the_jeans_mass(redshift):
    """Gnedin 2000: M_F^(2/3) = (3/a) int M_J^(2/3) [1 - (x/a)^(1/2)] dx, where M_J^(2/3) grows as x T(x)."""
    a, a_overlap, a_complete = 1 / (1 + redshift), 1 / 10, 1 / 4.5

    def temperature(x):  # [10^4 K]
        return (x / a_overlap) ** 6 if x < a_overlap else min(1.0, a_complete / x)

    corners = [x for x in (a_overlap, a_complete) if x < a] or None
    integral = quad(lambda x: x * temperature(x) * (1 - np.sqrt(x / a)), 0, a, points=corners)[0]
    jeans = 2.5e11 / (float(COSMOLOGY.h) * np.sqrt(float(COSMOLOGY.omega_m)) * 0.59**1.5)
    mass = physics.Kravtsov04FilteringMass(normalisation=1.0)(redshift, COSMOLOGY)
    assert float(mass) == pytest.approx(jeans * (3 / a * integral) ** 1.5, rel=1e-6)


def test_the_stellar_layer_of_the_molecular_law_is_in_hydrostatic_equilibrium():
    """Far from the plane 2 pi G Sigma = sigma^2 / h, for an exponential scale height h."""
    law = physics.MolecularDepletion()
    mstar, mism, size = 3e10, 5e9, float(law.disc(HALO))
    height, radius = size / 7.3, np.linspace(0.01, 6.0, 4000)

    def share(factor):
        stars, gas = (mass * np.exp(-radius) / (2 * np.pi * size**2) for mass in (mstar, mism))  # [Msun/kpc^2]
        dispersion = np.sqrt(factor * np.pi * GRAVITY * height * stars)
        midplane = 0.5 * np.pi * GRAVITY_CGS * (MSUN_G / KPC_CM**2) ** 2 * gas * (gas + 11.0 / dispersion * stars)
        ratio = (midplane / KBOLTZMANN / 4.3e4) ** 0.92
        return np.trapezoid(radius * gas * ratio / (1 + ratio), radius) / np.trapezoid(radius * gas, radius)

    state = models.ThermalState(*map(jnp.asarray, (mstar, mism, 5e10, 1e58, 1e9, 1e8, 1e8)))
    galaxy = physics.Galaxy(state, HALO, {}, {})
    assert float(law.molecular_fraction(galaxy)) == pytest.approx(share(2.0), rel=2e-3)
    # The same layer as sech^2(z / z_0): half the factor, twice the height.
    half = physics.MolecularDepletion(law=physics.BlitzRosolowsky06(flatness=2 * 7.3))
    assert float(half.molecular_fraction(galaxy)) == pytest.approx(share(1.0), rel=2e-3)
    assert 1.05 < share(1.0) / share(2.0) < 1.25


def test_each_spin_has_its_own_formula_for_the_size_of_the_disc():
    """The same angular momentum: lambda = lambda' f_c^(1/2), with f_c from the binding energy of NFW halos."""
    bullock = physics.DiscSize(spin=0.04)
    assert float(bullock(HALO)) == pytest.approx(0.04 * 260.0 / np.sqrt(2))
    for c in (3.0, 10.0, 20.0):
        halo = HALO._replace(concentration=jnp.asarray(c))
        # Mo, Mao & White 1998, eq. 22: the energy of an NFW halo over that of an isothermal sphere.
        shape = 1 - 1 / (1 + c) ** 2 - 2 * np.log(1 + c) / (1 + c)
        binding = 0.5 * c * shape / (c / (1 + c) - np.log(1 + c)) ** 2
        peebles = physics.MoMaoWhite98DiscSize(spin=0.04 * np.sqrt(binding))
        assert float(peebles(halo)) == pytest.approx(float(bullock(halo)), rel=0.02)
    assert float(physics.DiscSize().spin) == 0.035 and float(physics.MoMaoWhite98DiscSize().spin) == 0.05
    # A galaxy like the Milky Way in a model takes either.
    for disc in (bullock, physics.MoMaoWhite98DiscSize()):
        models.ThermalCGM(depletion_time=physics.DynamicalDepletion(disc=disc))


def test_the_precipitation_threshold_counts_in_the_free_fall_time_of_its_papers():
    """At t_cool = 10 sqrt(2 r / g), half of what would condense without the threshold does."""
    radius, velocity = 50.0, 150.0
    from_rest = np.sqrt(2 * radius / (velocity**2 / radius))
    t_ff, t_cool = radius / velocity, 10.0 * from_rest
    rate = float(physics.PrecipitationThreshold()(1 / t_cool, t_ff))
    assert rate == pytest.approx(0.5 / (t_cool + t_ff), rel=1e-9)


def test_the_factor_of_the_maximal_cooling_flow_is_a_number_with_a_name():
    known = {"temperature": jnp.asarray(1e7), "cooling_function": jnp.asarray(1e-23)}
    galaxy = physics.Galaxy(type("State", (), {"mbh": jnp.asarray(1e6)}), None, known, {})
    default, doubled = physics.MaximalCoolingFeeding(), physics.MaximalCoolingFeeding(coefficient=15 / 8)
    assert float(default.coefficient) == 15 / 16
    assert float(doubled(galaxy)) == pytest.approx(2 * float(default(galaxy)))


def _chabrier(m):
    """Relative number of stars per mass: Chabrier 2003, table 1, disc."""
    log_normal = lambda m: 0.158 / (m * np.log(10)) * np.exp(-(np.log10(m / 0.08) ** 2) / (2 * 0.69**2))  # noqa: E731
    return log_normal(m) if m < 1 else log_normal(1.0) * m**-2.3


def test_supernovae_are_as_many_as_the_initial_mass_function_has_massive_stars():
    stars = quad(_chabrier, 8, 100)[0]
    mass = quad(lambda m: m * _chabrier(m), 0.1, 1)[0] + quad(lambda m: m * _chabrier(m), 1, 100)[0]
    assert stars / mass == pytest.approx(0.0118, rel=0.02)
    chabrier = physics.chabrier_return()
    assert float(chabrier.supernova_energy) == pytest.approx(1e51 * stars / mass, rel=0.02)
    salpeter = quad(lambda m: m**-2.35, 8, 100)[0] / quad(lambda m: m**-1.35, 0.1, 100)[0]
    assert float(physics.salpeter_return().supernova_energy) == pytest.approx(1e51 * salpeter, rel=1e-3)
    assert float(physics.StellarReturn().supernova_energy) == 1e49
    low, high = parameters.describe(physics.StellarReturn())["metal_yield"].bounds
    assert low <= 0.01 and high >= 0.05


@pytest.mark.parametrize("model", ["ThermalCGM", "TurbulentCGM", "MinimalRegulator"])
def test_winds_take_their_share_of_the_supernovae_of_this_initial_mass_function(model):
    state = dict(mstar=1e10, mism=5e9, mcgm=4e10, eth=1e58, eturb=1e57, ecgm=1e58, mzstar=1e8, mzism=5e7, mzcgm=2e8)
    powers, loadings = [], []
    for stellar_return in (physics.StellarReturn(), physics.StellarReturn(supernova_energy=2e49)):
        galaxies = getattr(models, model)(stellar_return=stellar_return)
        kind = type(galaxies.own_initial(HALO, COSMOLOGY))
        rates, _ = galaxies.own_fluxes(
            kind(**{name: jnp.asarray(state[name]) for name in kind._fields}), galaxies.forcing(HALO, COSMOLOGY)
        )
        power = sum(
            float(rates.flows[name].energy) for name in ("wind_heating", "wind_stirring") if name in rates.flows
        )
        loading, sfr = (float(rates.diagnostics[name]) for name in ("energy_loading", "sfr"))
        energy = float(stellar_return.supernova_energy)
        assert power * 3.15576e7 == pytest.approx(loading * energy * sfr, rel=1e-9)
        powers.append(power)
        loadings.append(loading)
    # The turbulent model takes its wind's energy from its velocity, so that its share of the supernovae halves instead.
    assert powers[1] / powers[0] == pytest.approx(1.0 if model == "TurbulentCGM" else 2.0)
    assert loadings[1] / loadings[0] == pytest.approx(0.5 if model == "TurbulentCGM" else 1.0)
