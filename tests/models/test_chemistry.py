"""Oxygen and iron, gas and iron that stars give back late, quasars, and scatter that keeps means."""

from typing import ClassVar

import jax.numpy as jnp
import numpy as np
import pytest

import corundum as co
from corundum import models, physics
from corundum.units import GYR_YR
from library import COSMOLOGY, draw_galaxy, smooth_halos

SOLVER = co.numerics.LaneSolver(tolerance=1e-9)
CHEMISTRY = {
    "elements": models.Elements(), "late_iron": models.TypeIaSupernovae(), "dying": models.DelayedReturn(),
}  # fmt: skip


@pytest.fixture(scope="module")
def model():
    return models.ThermalCGM(stellar_return=physics.StellarReturn(recycled_fraction=0.156), processes=CHEMISTRY)


@pytest.fixture(scope="module")
def halos():
    return smooth_halos([11.0, 12.0])


@pytest.fixture(scope="module")
def galaxies(model, halos):
    return co.evolve(model, halos, [0.0, 3.0], solver=SOLVER)


def _after(process, time, stages):
    """A process at a time after a single generation of 1 Msun, whose stages are known in closed form."""
    ones = dict.fromkeys(("mstar", "mzstar"), jnp.asarray(1.0))
    state = models.base.NamedTuple("State", [(name, float) for name in (*ones, *stages)])(**ones, **stages)
    return process.own_fluxes(physics.Galaxy(state, None, {"sfr": jnp.asarray(0.0)}, {}))


@pytest.mark.parametrize("time", [0.1, 1.0, 10.0])
def test_supernovae_ia_follow_the_power_law_of_their_delays(time):
    """Maoz & Graur 2017: 2.1e-13 (t/Gyr)^-1.1 per year and Msun."""
    first, slow = 0.0635, (0.700, 6.04)
    stages = {"mwaiting0": np.exp(-time / first), "mwaiting1": time / first * np.exp(-time / first)}
    for k, tau in enumerate(slow, 2):
        stages[f"mwaiting{k}"] = tau / (tau - first) * (np.exp(-time / tau) - np.exp(-time / first))
    fluxes = _after(models.TypeIaSupernovae(), time, {name: jnp.asarray(value) for name, value in stages.items()})
    assert float(fluxes.diagnostics["ia_rate"]) == pytest.approx(2.1e-13 * time**-1.1, rel=0.07)
    assert float(fluxes.flows["type_ia"].iron) == pytest.approx(0.7 * float(fluxes.diagnostics["ia_rate"]))
    # Mass leaves the first stage into each of the others.
    begun = stages["mwaiting0"] / first
    assert float(fluxes.flows["waiting_0"].tracked) == pytest.approx(-begun)
    assert float(fluxes.flows["waiting_3"].tracked) == pytest.approx(begun - stages["mwaiting3"] / slow[1])


def test_the_number_of_supernovae_ia_is_that_of_a_hubble_time():
    times = np.geomspace(0.04, 13.7, 4000)
    power_law = np.trapezoid(2.1e-13 * GYR_YR * times**-1.1, times)
    assert power_law == pytest.approx(1.28e-3, rel=0.02)
    first, shares = 0.0635, {0.0635: 0.333, 0.700: 0.315, 6.04: 0.389}
    exploded = (
        sum(
            share * (1.0 - (tau * np.exp(-13.7 / tau) - first * np.exp(-13.7 / first)) / (tau - first))
            for tau, share in list(shares.items())[1:]
        )
        + 0.333
    )
    assert exploded == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize("time", [0.03, 0.1, 1.0, 5.0, 13.8])
def test_gas_returns_as_stars_of_a_chabrier_function_die(time):
    """R(t) = 0.05 ln(1 + t / 1.4 Myr) to 0.02; and its rate is what the process returns."""
    law = models.DelayedReturn()
    returned = 0.156 + sum(
        float(share) * (1.0 - np.exp(-time / float(tau)))
        for share, tau in ((law.early_share, law.early_time), (law.late_share, law.late_time))
    )
    assert returned == pytest.approx(0.05 * np.log(1.0 + time / 1.4e-3), abs=0.02)
    stages = {"mageing0": np.exp(-time / 0.225), "mageing1": np.exp(-time / 3.87)}
    rates = _after(law, time, {name: jnp.asarray(value) for name, value in stages.items()}).flows["delayed_return"]
    by_hand = 0.138 / 0.225 * stages["mageing0"] + 0.163 / 3.87 * stages["mageing1"]  # [1/Gyr]
    assert float(rates.mass) * GYR_YR == pytest.approx(by_hand)
    assert float(rates.metals) == pytest.approx(float(rates.mass))  # these stars are all metals


def test_elements_are_conserved_by_every_flow(model):
    for seed in range(4):
        state, halo = draw_galaxy(model, np.random.default_rng(seed))
        flows = model.fluxes(state, model.forcing(halo, COSMOLOGY)).flows
        change, exchange = model.ledger.derivative(flows), model.ledger.exchange(flows)
        for element in ("oxygen", "iron"):
            inside = [float(getattr(change, field)) for field in model.ledger.fields(element)]
            outside = [float(rate) for (kind, _), rate in exchange.items() if kind == element]
            scale = max(map(abs, (*inside, *outside)))
            assert abs(sum(inside) + sum(outside)) < 1e-10 * scale
        wind = flows["wind"]
        assert float(wind.oxygen / wind.metals) == pytest.approx(float(state.moism / state.mzism))
        assert float(flows["enrichment"].iron / flows["enrichment"].oxygen) == pytest.approx(0.08)
        assert flows["type_ia"].oxygen is None


@pytest.mark.slow  # a minute of compiling
def test_stars_of_massive_stars_alone_are_enhanced_and_iron_comes_later(galaxies, model, halos):
    """Yields of 0.015 and 0.0012 are [O/Fe] = 0.45; supernovae Ia lower that, the less the earlier stars formed."""
    assert galaxies.status_counts() == {"solved": 2}
    enhanced = np.asarray(galaxies["alpha_to_iron"])
    plateau = np.log10(0.47 / 0.0376 / (5.73e-3 / 1.29e-3))
    assert plateau == pytest.approx(0.45, abs=5e-3)
    assert np.all(enhanced < plateau) and np.all(enhanced[:, 1] > enhanced[:, 0] + 0.02)
    assert np.all(enhanced[:, 0] > 0.1)  # with 9e-4 of iron from supernovae Ia it cannot fall below 0.2 in a closed box
    # All iron: that of massive stars is a fixed part of their oxygen.
    closure = co.sensitivity.budgets(model, halos, [0.0]).closure()
    assert set(closure) == {"mass", "metals", "energy", "oxygen", "iron"} and max(closure.values()) < 1e-9
    assert np.all(np.asarray(galaxies["ia_rate"] / galaxies["mstar"])[:, 0] > 3e-14)  # Maoz & Graur: 1e-13 in spirals
    assert 8.0 < float(galaxies["oxygen_abundance"][1, 0]) < 9.5


class Magnesium(models.Elements):
    follows: ClassVar[dict] = {"magnesium": "metals"}


def test_what_has_no_element_is_refused():
    with pytest.raises(ValueError, match="TypeIaSupernovae needs a reservoir of ism iron, which ThermalCGM does not"):
        models.ThermalCGM(processes={"late_iron": models.TypeIaSupernovae()})
    with pytest.raises(ValueError, match="Elements needs a reservoir of stars metals, which MinimalRegulator does not"):
        models.MinimalRegulator(processes={"elements": models.Elements()})
    with pytest.raises(ValueError, match="names 'magnesium', which is no currency"):
        models.ThermalCGM(processes={"elements": Magnesium()})


# ---- gas of old bulge stars


def test_gas_of_dying_bulge_stars_joins_the_hot_gas():
    """A share of what they return, with the metals of the ISM and the binding energy of the CGM; nothing is lost."""
    parts = {"discs": models.Discs(), "bulge": models.Bulge(), "dying": models.DelayedReturn()}
    law = physics.StellarReturn(recycled_fraction=0.156)
    model = models.ThermalCGM(stellar_return=law, processes={**parts, "hot": models.HotReturn(share=0.7)})
    for seed in range(4):
        state, halo = draw_galaxy(model, np.random.default_rng(seed))
        flows, known = model.fluxes(state, model.forcing(halo, COSMOLOGY))
        returned, hot = float(flows["delayed_return"].mass), flows["hot_return"]
        assert float(hot.mass) == pytest.approx(0.7 * float(state.mbulge / state.mstar) * returned)
        assert float(hot.metals / hot.mass) == pytest.approx(float(state.mzism / state.mism))
        specific = float(known["binding_energy"] / state.mcgm)  # [erg/Msun]
        assert float(hot.energy) == pytest.approx(float(hot.mass) * specific / 3.15576e7)
        rates, exchange = model.ledger.derivative(flows), model.ledger.exchange(flows)
        for currency in ("mass", "metals", "energy"):
            inside = [float(getattr(rates, field)) for field in model.ledger.fields(currency)]
            outside = [float(rate) for (kind, _), rate in exchange.items() if kind == currency]
            assert abs(sum(inside) + sum(outside)) < 1e-10 * max(map(abs, (*inside, *outside)))
    with pytest.raises(ValueError, match="HotReturn needs a bulge, which ThermalCGM does not follow"):
        models.ThermalCGM(processes={"dying": models.DelayedReturn(), "hot": models.HotReturn()})


# ---- quasars and bars


def test_quasars_lift_gas_and_heat_with_the_light_of_cold_gas():
    processes = {"black_hole": models.BlackHole(seed_mass=1e5), "quasar": models.QuasarMode(coupling=1e-3)}
    model = models.ThermalCGM(processes=processes)
    for seed in range(6):
        state, halo = draw_galaxy(model, np.random.default_rng(seed))
        flows, known = model.fluxes(state, model.forcing(halo, COSMOLOGY))
        light = 0.1 * float(flows["cold_feeding"].mass) * 1.98840987e33 * 2.99792458e10**2 / 3.15576e7
        assert float(known["quasar_luminosity"]) == pytest.approx(light, rel=1e-6, abs=1e20)
        assert float(flows["quasar_heating"].energy) == pytest.approx(1e-3 * light, rel=1e-6, abs=1e20)
        lifted = 2.0 * 1e-3 * 0.1 * float(flows["cold_feeding"].mass) * (299792.458 / float(halo.vvir)) ** 2
        most = float(state.mism) / (0.1 * float(known["t_dyn"]) * 1e9)
        wind = float(flows["quasar_wind"].mass)
        assert wind <= min(lifted, most) * (1.0 + 1e-6) and wind > 0.8 * min(lifted, most)
    with pytest.raises(ValueError, match="QuasarMode needs a reservoir of black_hole mass"):
        models.ThermalCGM(processes={"quasar": models.QuasarMode()})


def test_bars_feed_the_black_hole_beside_another_way():
    cold = physics.SecularFeeding(share=0.01, beside=physics.StarFormationFeeding())
    processes = {"discs": models.Discs(), "bulge": models.Bulge(), "bars": models.DiscInstability()}
    model = models.ThermalCGM(processes=processes | {"black_hole": models.BlackHole(cold=cold)})
    state, halo = draw_galaxy(model, np.random.default_rng(2))
    galaxy = physics.Galaxy(state, halo, {"unstable_gas": 3.0, "sfr": 2.0}, {})
    assert float(cold(galaxy)) == pytest.approx(0.03 + float(physics.StarFormationFeeding()(galaxy)))
    assert np.isfinite(float(model.fluxes(state, model.forcing(halo, COSMOLOGY)).diagnostics["black_hole_accretion"]))
    with pytest.raises(ValueError, match="BlackHole reads unstable_gas, which ThermalCGM does not compute"):
        models.ThermalCGM(processes={"black_hole": models.BlackHole(cold=cold)})


# ---- scatter


def test_scatter_keeps_the_mean_of_rates_and_loadings():
    latent = jnp.asarray(np.random.default_rng(0).standard_normal(200_000))
    halo = co.halos.Halo(*map(jnp.asarray, (13.8, 0.0, 1e12, 264.0, 127.7, 10.0, 30.0)))
    halo = halo._replace(
        extras=co.halos.Extras(loading_latent=latent, star_formation_latent=latent), mvir=1e12 + 0.0 * latent
    )
    galaxy = physics.Galaxy(None, halo, {}, {})
    loading, time = physics.MassLoading(), physics.DepletionTime()
    scattered = physics.ScatteredLaw(loading, scatter=0.2)(galaxy) / loading(127.7, 0.0)
    rate = time(127.7, 0.0) / physics.ScatteredRate(time, scatter=0.25)(galaxy)
    for factor, dex in ((scattered, 0.2), (rate, 0.25)):
        assert float(jnp.mean(factor)) == pytest.approx(1.0, abs=0.01)
        assert float(jnp.std(jnp.log10(factor))) == pytest.approx(dex, rel=0.01)
    steady = galaxy._replace(halo=halo._replace(extras=co.halos.Extras()))
    assert float(physics.ScatteredRate(time)(steady).mean()) == pytest.approx(float(time(127.7, 0.0)))


@pytest.mark.slow
def test_star_formation_wanders_and_its_scatter_has_a_derivative():
    halos = co.halos.with_latents(smooth_halos(np.full(12, 11.5)), key=1)
    model = models.ThermalCGM(depletion_time=physics.ScatteredRate(physics.DepletionTime(), scatter=0.2))
    galaxies = co.evolve(model, halos, [0.0, 1.0], keep=["sfr", "mstar"])
    # Gas that is not used up makes up for it later, so that stars scatter less than the rate at which they form.
    scatter = np.log10(np.asarray(galaxies["sfr"])).std(axis=0), np.log10(np.asarray(galaxies["mstar"])).std(axis=0)
    assert np.all(scatter[0] > 0.04) and np.all(scatter[1] < scatter[0])
    name, step = "depletion_time.scatter", 1e-3
    exact = co.sensitivity.parameter_jacobian(model, halos[:3], [name], quantities=["mstar"], solver=SOLVER)
    up, down = (
        co.evolve(co.replace(model, {name: 0.2 + sign * step}), halos[:3], [0.0], keep=["mstar"], solver=SOLVER)
        for sign in (1.0, -1.0)
    )
    difference = np.log10(np.asarray(up["mstar"] / down["mstar"]))[:, 0] / (2.0 * step)
    np.testing.assert_allclose(exact.derivative.values[:, 0, 0, 0], difference, rtol=1e-4)
