"""Gas of massive halos: what deepening potentials add, how slowly gas condenses, and what keeps galaxies quenched."""

import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest

import corundum as co
from corundum import models, physics
from corundum.models import derivative
from corundum.units import GYR_S, LIGHT_CM_S, MSUN_G, YEAR_S
from library import COSMOLOGY, draw_galaxy, smooth_halos


def seen(**changed):
    """A galaxy in a halo of 200 km/s with 10^11 Msun of hot gas, a tenth of the halo, and a black hole of 10^8 Msun."""
    values = {"mbh": 1e8, "mcgm": 1e11, "mvir": 1e12, "vvir": 200.0} | changed
    state = type("State", (), {name: jnp.asarray(values[name]) for name in ("mbh", "mcgm")})
    halo = co.halos.Halo(6.0, 1.0, values["mvir"], 200.0, values["vvir"], 8.0, 30.0)
    return physics.Galaxy(state, halo, {}, {})


def power(rate, efficiency=0.1):
    """Heating [erg/s] by gas that falls on a black hole at a rate [Msun/yr]."""
    return efficiency * float(rate) * MSUN_G * LIGHT_CM_S**2 / YEAR_S


# ---- potentials that deepen


def test_a_potential_deepens_as_the_velocity_of_its_halo_grows(halos, published_halos):
    """d ln V^2 / dt is the derivative of V(t), with the radius of Bryan & Norman 1998 and with radii of the source."""
    for histories in (halos, dataclasses.replace(published_halos, interpolation=co.halos.SplineInLogTime())):
        for age in (2.0, 6.1, 12.0):
            before, after = (histories.at(time=age * factor).vvir for factor in (1 - 1e-5, 1 + 1e-5))
            numeric = 2.0 * np.log(after / before) / (2e-5 * age)
            np.testing.assert_allclose(histories.at(time=age).deepening, numeric, rtol=1e-5, atol=1e-7)
    # The published interpolation is piecewise cubic in linear time: away from its knots.
    age = 0.5 * (published_halos.time[60] + published_halos.time[61])
    before, after = (published_halos.at(time=age + step).vvir for step in (-1e-6, 1e-6))
    np.testing.assert_allclose(published_halos.at(time=age).deepening, np.log(after / before) / 1e-6, rtol=1e-5)


def test_gas_that_nothing_else_heats_keeps_its_temperature_relative_to_virial():
    """dE/dt = k_c E d ln V^2 / dt, so that T / Tvir at fixed mass does not change; in both directions."""
    model = models.ThermalCGM(processes={"compression": models.Compression()})
    bare = models.ThermalCGM()
    state, halo = draw_galaxy(bare, np.random.default_rng(3))
    for deepening in (0.6, -0.02):
        deeper = halo._replace(deepening=jnp.asarray(deepening))
        forcing = model.forcing(deeper, COSMOLOGY)
        gained = derivative(model, state, forcing).eth - derivative(bare, state, forcing).eth
        assert float(gained / state.eth) == pytest.approx(deepening, rel=1e-6)
        exchanged = model.ledger.exchange(model.fluxes(state, forcing).flows)
        assert float(exchanged["energy", "potential"]) == pytest.approx(-float(gained), rel=1e-6)


def test_compression_needs_halos_that_say_how_fast_they_deepen():
    model = models.ThermalCGM(processes={"compression": models.Compression()})
    state, halo = draw_galaxy(models.ThermalCGM(), np.random.default_rng(3))
    with pytest.raises(ValueError, match="deepening is None"):
        model.fluxes(state, model.forcing(halo, COSMOLOGY))
    with pytest.raises(ValueError, match="reads temperature, which MinimalRegulator does not compute"):
        models.MinimalRegulator(processes={"compression": models.Compression()})


# ---- condensation


def test_excess_energy_leaves_at_the_sound_speed():
    """t_dyn / t_esc = 1.354, 1.871, 3.055 for gas of 1, 3 and 10 times the virial temperature."""
    ratios = jnp.array([1.0, 3.0, 10.0])
    speed = physics.SonicEscape()(ratios * physics.VirialTemperature()(150.0), 150.0)
    np.testing.assert_allclose(speed, [1.354, 1.871, 3.055], atol=6e-4)


def test_gas_that_cools_at_constant_pressure_gives_up_its_enthalpy():
    law, other = physics.IsobaricCondensation(), physics.HarmonicCondensation()
    assert float(law(1e-6, 0.3) / other(1e-6, 0.3)) == pytest.approx(0.6, rel=1e-5)  # slow: 3/5
    assert float(law(1e6, 0.3) / other(1e6, 0.3)) == pytest.approx(1.0, rel=1e-5)  # free fall


def test_cooling_time_at_the_virial_radius_is_six_times_that_of_the_whole_cgm():
    """5/2 n k T / (n_e n_i Lambda) at Rvir over E / L, with densities, energies and powers of the profile itself."""
    profile, model = physics.IsothermalCGM(), models.ThermalCGM()
    rvir, temperature = 200.0, 1e6
    density = profile.density(1e11, rvir)
    emitted = 1e-23  # per total density squared
    luminosity = profile.luminosity(density, jnp.asarray(temperature), rvir, lambda log_t, log_n: emitted)
    one = profile.temperature(1e58, density, rvir)
    energy = 1e58 * temperature / one
    at_rvir = 2.5 * 1.380649e-16 * temperature / (density * emitted)
    law = physics.CoolingRadiusCondensation()
    assert float(law.delay) == pytest.approx(5.944, abs=1e-3)
    assert float(at_rvir * luminosity / energy) == pytest.approx(float(law.delay), rel=1e-6)
    # Where gas cools slowly it condenses at M / t_c(Rvir), where fast in the free-fall time.
    assert float(law(1e-6, 0.3)) == pytest.approx(1e-6 / 5.944, rel=1e-3)
    assert float(law(1e6, 0.3)) == pytest.approx(1.0 / 0.3, rel=1e-3)
    assert dataclasses.replace(model, condensation=law).condensation is law


# ---- maintenance by the black hole


def test_published_rates_of_maintenance_have_their_published_powers():
    assert float(physics.HotGasFeeding()(seen())) == pytest.approx(5.3e-3)
    assert power(physics.HotGasFeeding()(seen())) == pytest.approx(3.0e43, rel=0.02)
    assert float(physics.VirialVelocityFeeding()(seen())) == pytest.approx(6e-6)
    assert power(physics.VirialVelocityFeeding()(seen())) == pytest.approx(3.4e40, rel=0.02)
    assert float(physics.VirialVelocityFeeding()(seen(vvir=400.0, mvir=2e12))) == pytest.approx(4 * 6e-6)


@pytest.mark.parametrize("mcgm", [1e9, 1e11, 1e13])
def test_quenching_is_one_mass_of_the_black_hole_whatever_the_gas(mcgm):
    """Heating renews e_vir M_CGM within t_cool above 1.9e7 Msun (V/150)^2 (1 Gyr/t_cool) (1e-4/(eps kappa))."""
    galaxy = seen(mcgm=mcgm, mbh=1.9e7 * (300.0 / 150.0) ** 2, vvir=300.0)
    heating = power(physics.HotGasFeeding(rate=1e-3)(galaxy))
    energy = mcgm * float(physics.VirialTemperature().specific_energy(300.0))
    assert energy / heating / GYR_S == pytest.approx(1.0, rel=0.02)


def test_only_hot_gas_maintains():
    law = physics.MaintenanceFeedback(efficiency=0.1)
    np.testing.assert_allclose(law(1e8, 0.5, jnp.array([0.0, 0.2, 1.0])), [0.0, 0.02, 0.1])
    hole = models.BlackHole(hot=physics.HotGasFeeding(), feedback=law)
    model = models.ThermalCGM(processes={"black_hole": hole})
    for seed in range(4):
        state, halo = draw_galaxy(model, np.random.default_rng(seed))
        flows, extra = model.fluxes(state, model.forcing(halo, COSMOLOGY))
        hot = flows["hot_feeding"].mass
        assert float(flows["agn_heating"].energy) == pytest.approx(power(hot), rel=1e-9)
        assert float(hot) <= float(flows["cooling"].mass) and float(extra["eddington_ratio"]) <= 1.0


@pytest.mark.parametrize("feeding", [physics.HotGasFeeding(rate=7e-4), physics.VirialVelocityFeeding(rate=1e-3)])
def test_a_massive_halo_quenches_with_maintenance_and_not_without(feeding):
    """Halos of 10^13 and 10^14 Msun fall below 10^-11 per year; of 10^11.5 Msun hardly anything changes."""
    halos = smooth_halos([11.5, 13.0, 14.0])
    hole = models.BlackHole(hot=feeding, feedback=physics.MaintenanceFeedback())
    model = models.ThermalCGM(processes={"black_hole": hole})
    on, off = (co.evolve(m, halos, [0.0]) for m in (model, co.replace(model, {"channels.agn_heating": 0.0})))
    with_, without = (np.asarray(galaxies["sfr"] / galaxies["mstar"])[:, 0] for galaxies in (on, off))
    assert np.all(with_[1:] < 1.2e-11) and np.all(without[1:] > 5e-11)
    lower = np.log10(np.asarray(on["mstar"] / off["mstar"])[:, 0])
    assert abs(lower[0]) < 0.05 and np.all(lower[1:] < -0.5)
