"""Satellites in their hosts: ram pressure and tides, against published numbers and closed forms."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import corundum as co
from corundum import models, physics
from corundum.models import derivative
from corundum.physics.merging.environment import Host, bound_stars, gas_density, kept_hot_gas, tidal_rate
from corundum.physics.merging.satellites import satellite_share
from corundum.units import GYR_YR, YEAR_S
from library import COSMOLOGY, draw_galaxy

SATELLITE = {"merging": models.Merging(), "handing_over": models.HandingOver()}
ARRIVING = [f"satellite_{sink}" for sink in ("stars", "stars_metals", "ism", "ism_metals", "cgm", "cgm_metals")]


def falling(halo, log_host_mvir=14.0, delay=0.1, log_host_cgm=13.0):
    """The halo as a satellite since `delay` of its age, in a host with a tenth of its mass in gas."""
    numbers = dict(
        infall_age=(1.0 - delay) * halo.time, merging_time=100.0, merging_scatter=0.6, log_host_mvir=log_host_mvir,
        log_host_rvir=np.log10(float(COSMOLOGY.virial_radius(10.0**log_host_mvir, 0.0))), log_host_cgm=log_host_cgm,
    )  # fmt: skip
    numbers |= dict.fromkeys((*ARRIVING, "merging_bursts", "merging_mass"), 0.0)
    return halo._replace(extras=co.halos.Extras({name: jnp.asarray(value) for name, value in numbers.items()}))


@pytest.mark.parametrize(("ratio", "strength", "kept"), [(0.1, 9.5, 0.57), (0.01, 44.0, 0.33), (0.001, 204.0, 0.18)])
def test_small_satellites_of_equal_gas_fractions_lose_more_of_their_hot_gas(ratio, strength, kept):
    """Pressure over what holds the gas at half of the virial radius of the host; rho and V^2 scale with mass alone."""
    host = gas_density(1.0, 1.0, 0.5) * 1.44
    y = host / (2.0 * ratio ** (2.0 / 3.0) * gas_density(1.0, 1.0, 1.0))
    assert float(y) == pytest.approx(strength, rel=0.01) and float(kept_hot_gas(y)) == pytest.approx(kept, abs=0.01)


def test_hot_gas_is_stripped_to_the_share_that_is_kept_and_not_further():
    model = models.ThermalCGM(processes={**SATELLITE, "ram_pressure": models.RamPressure()})
    state, halo = draw_galaxy(model, np.random.default_rng(0))
    halo = falling(halo)
    whole, losses = float(state.mcgm), []
    for removed in (0.0, 0.3, 0.6, 0.9, 0.999):
        stripped = state._replace(mcgm=jnp.asarray((1.0 - removed) * whole), mstripped=jnp.asarray(removed * whole))
        flows = model.fluxes(stripped, model.forcing(halo, COSMOLOGY)).flows
        lost = flows["ram_pressure_cgm"]
        losses.append(float(lost.mass) * GYR_YR)
        rate = derivative(model, stripped, model.forcing(halo, COSMOLOGY)).mstripped
        assert float(rate) == pytest.approx(losses[-1], rel=1e-12)
        # With its own metals.
        assert float(lost.metals) == pytest.approx(float(lost.mass / stripped.mcgm * stripped.mzcgm), rel=1e-12)
    assert losses[0] > losses[1] > 0.0 and losses[-1] <= 0.02 * losses[0]


def test_a_disc_whose_size_follows_from_momentum_holds_its_gas_the_better_the_smaller_it_is():
    ram = models.RamPressure(disc=physics.MomentumDiscSize())
    model = models.ThermalCGM(processes={**SATELLITE, "ram_pressure": ram, "discs": models.Discs()})
    state, halo = draw_galaxy(model, np.random.default_rng(0))
    halo = falling(halo)
    lost = []
    for size in (1.0, 2.0, 4.0):
        turning = state._replace(jism=size * 50.0 * state.mism, jstar=size * 50.0 * state.mstar)
        lost.append(float(model.fluxes(turning, model.forcing(halo, COSMOLOGY)).flows["ram_pressure_ism"].mass))
    assert 0.0 < lost[0] < lost[1] < lost[2]


def test_nothing_happens_to_centrals_and_to_halos_without_satellites():
    model = models.ThermalCGM(
        processes={
            **SATELLITE,
            "a": models.RamPressure(),
            "b": models.TidalStripping(),
            "c": models.TidalGasStripping(),
        }
    )
    state, halo = draw_galaxy(model, np.random.default_rng(2))
    state = state._replace(bound_share=jnp.asarray(1.0))
    central = falling(halo, delay=-1e4)
    kept = {name: central.extras[name] for name in (*ARRIVING, "merging_bursts", "merging_mass")}
    for other in (central, halo._replace(extras=co.halos.Extras(kept))):
        flows = model.fluxes(state, model.forcing(other, COSMOLOGY)).flows
        for name in ("ram_pressure_cgm", "ram_pressure_ism", "tidal_stars", "tidal_ism", "tidal_cgm"):
            assert float(flows[name].mass) < 1e-40
        assert abs(float(flows["tidal_halo"].tracked)) < 1e-40


def test_halos_of_satellites_lose_mass_as_published():
    """m / m_i after 1, 3 and 5 R/V of the host without a dependence on mass: 0.58, 0.19, 0.065."""
    halo, host = co.halos.Halo(13.8, 0.0, 1e11, 80.0, 70.0, 8.0, 3.0), Host(1e14, 1224.0, 593.0, 1e13)
    rate, unit = tidal_rate(halo, host, 1.0, 0.86, 0.0), float(co.physics.dynamical_time(1224.0, 593.0))
    np.testing.assert_allclose(np.exp(-float(rate) * unit * np.array([1.0, 3.0, 5.0])), [0.58, 0.19, 0.065], rtol=0.02)


@pytest.mark.parametrize(
    ("transition", "slope", "kept"),
    [(-2.64, 1.87, (0.993, 0.973, 0.909, 0.757, 0.447)), (-2.08, 1.80, (0.975, 0.911, 0.732, 0.440, 0.144))],
)
def test_stars_follow_what_is_left_of_the_halo(transition, slope, kept):
    bound = jnp.array([0.3, 0.1, 0.03, 0.01, 0.003])
    share, per_halo = bound_stars(bound, 10.0**transition, slope)
    np.testing.assert_allclose(share, kept, atol=2e-3)
    numeric = jax.vmap(jax.grad(lambda ln: jnp.log(bound_stars(jnp.exp(ln), 10.0**transition, slope)[0])))
    np.testing.assert_allclose(per_halo, numeric(jnp.log(bound)), rtol=1e-9)


def test_stars_that_tides_remove_stay_between_galaxies():
    model = models.ThermalCGM(processes={**SATELLITE, "tides": models.TidalStripping()})
    state, halo = draw_galaxy(model, np.random.default_rng(4))
    state, halo = state._replace(bound_share=jnp.asarray(0.02)), falling(halo)
    flows = model.fluxes(state, model.forcing(halo, COSMOLOGY)).flows
    _, per_halo = bound_stars(jnp.asarray(0.02), 10.0**-2.64, 1.87)
    expected = -float(flows["tidal_halo"].tracked) / 0.02 * float(per_halo) * float(state.mstar)
    assert float(flows["tidal_stars"].mass) * GYR_YR == pytest.approx(expected, rel=1e-9)
    assert float(flows["handing_icl"].tracked) == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize("power", [0.0, 1.0, 1.5])
def test_hot_gas_follows_the_halo_that_tides_leave(power):
    """Without winds d ln M_cgm = power d ln b, so that the share b^power of the gas is left."""
    gas = models.TidalGasStripping(power=power)
    model = models.ThermalCGM(processes={**SATELLITE, "tides": models.TidalStripping(), "tidal_gas": gas})
    still = co.replace(model, {"channels.wind": 0.0})
    state, halo = draw_galaxy(model, np.random.default_rng(4))
    halo = falling(halo)
    for bound in (1.0, 0.4, 0.02):
        at = state._replace(bound_share=jnp.asarray(bound))
        flows, quiet = (each.fluxes(at, each.forcing(halo, COSMOLOGY)).flows for each in (model, still))
        ln_rate = float(quiet["tidal_cgm"].mass) * GYR_YR / float(state.mcgm)
        assert ln_rate == pytest.approx(-power * float(quiet["tidal_halo"].tracked) / bound, rel=1e-12)
        # Of what winds lift, the share beyond the tidal radius is lost, as far as the galaxy is a satellite.
        beyond = float(flows["tidal_cgm"].mass - quiet["tidal_cgm"].mass) / float(flows["wind"].mass)
        assert beyond == pytest.approx((1.0 - bound**power) * float(satellite_share(halo)), rel=1e-9, abs=1e-12)
        for lost in (flows["tidal_cgm"], quiet["tidal_cgm"]):
            assert float(lost.metals) == pytest.approx(float(lost.mass * state.mzcgm / state.mcgm), rel=1e-12)
            assert float(lost.energy) * YEAR_S == pytest.approx(float(lost.mass * state.eth / state.mcgm), rel=1e-9)
        assert float(flows["handing_cgm"].tracked) >= float(flows["tidal_cgm"].mass) * GYR_YR * 0.99


def test_winds_of_bursts_are_lost_beyond_the_tidal_radius_as_those_of_discs_are():
    processes = {"tides": models.TidalStripping(), "tidal_gas": models.TidalGasStripping(), "discs": models.Discs()}
    processes |= {"bulge": models.Bulge(), "bars": models.DiscInstability()}
    model = models.ThermalCGM(processes={**SATELLITE, **processes})
    state, halo = draw_galaxy(model, np.random.default_rng(4))
    state, halo = state._replace(bound_share=jnp.asarray(0.3)), falling(halo)
    halo.extras["merging_squares"] = jnp.asarray(0.0)
    calm = co.replace(model, {"channels.bar_burst_wind": 0.0})
    flows, less = (each.fluxes(state, each.forcing(halo, COSMOLOGY)).flows for each in (model, calm))
    burst = float(flows["bar_burst_wind"].mass)
    lost = float(flows["tidal_cgm"].mass - less["tidal_cgm"].mass)
    assert burst > 0.0 and lost == pytest.approx((1.0 - 0.3**1.5) * float(satellite_share(halo)) * burst, rel=1e-6)


def test_gas_cannot_follow_a_halo_that_no_process_follows():
    with pytest.raises(ValueError, match="bound"):
        models.ThermalCGM(processes={**SATELLITE, "tidal_gas": models.TidalGasStripping()})


def test_tides_take_stars_of_all_ages_and_of_disc_and_bulge_alike():
    """Without it, a stripped galaxy would return gas of stars that it has lost, and be a bulge without stars."""
    processes = {
        "discs": models.Discs(), "bulge": models.Bulge(), "dying": models.DelayedReturn(),
        "elements": models.Elements(), "supernovae": models.TypeIaSupernovae(),
    }  # fmt: skip
    law = physics.StellarReturn(recycled_fraction=0.156)
    model = models.ThermalCGM(
        stellar_return=law, processes={**SATELLITE, **processes, "tides": models.TidalStripping()}
    )
    state, halo = draw_galaxy(model, np.random.default_rng(4))
    shares = {"mageing0": 0.2, "mageing1": 0.3, "mwaiting0": 0.1, "mwaiting1": 0.1, "mwaiting2": 0.2, "mwaiting3": 0.4}
    parts = {name: share * state.mstar for name, share in shares.items()}
    parts |= {"mbulge": 0.4 * state.mstar, "rmbulge": 0.3 * state.mstar}
    state, halo = state._replace(bound_share=jnp.asarray(0.02), **parts), falling(halo)
    halo.extras["merging_squares"] = jnp.asarray(0.0)
    still = co.replace(model, {"channels.tidal_stars": 0.0})
    rates = [derivative(one, state, one.forcing(halo, COSMOLOGY)) for one in (model, still)]
    lost = {name: float(getattr(rates[0], name) - getattr(rates[1], name)) for name in ("mstar", *parts)}
    assert lost["mstar"] < 0.0
    for name, part in parts.items():
        expected = lost["mstar"] * float(part / state.mstar)
        assert lost[name] == pytest.approx(expected, rel=1e-6, abs=1e-9 * float(part)), name
