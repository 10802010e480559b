"""Monte-Carlo merger trees against published simulations, and the linear theory below them against colossus."""

from pathlib import Path

import diffmah
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corundum import halos as H
from corundum.cosmology import Cosmology, pandya26_cosmology, planck18
from corundum.halos.generate.power_spectrum import collapse_threshold, growth_factor, transfer_function
from corundum.halos.trees.forests import main_branches
from places import DATA

COSMOLOGY = pandya26_cosmology()
SIGMA = H.LinearPower().sigma_of_mass(COSMOLOGY)
PUBLISHED = Path(diffmah.__file__).parent / "tests" / "testing_data"
REDSHIFT = np.expm1(np.linspace(0.0, np.log(11.0), 60))


@pytest.fixture(scope="module")
def branches():
    return H.grow_main_branches(np.full(3000, 12.0), REDSHIFT, key=5)


def test_linear_theory_is_that_of_colossus():
    # colossus 1.4.0: modelEisenstein98, sigma in top-hats and its slope, growthFactor, in the same cosmology.
    k = np.array([1e-3, 1e-2, 0.05, 0.1, 1.0, 10.0])
    expected = [0.984445487, 0.677428507, 0.192270891, 0.0821122028, 2.44250638e-3, 4.41412308e-5]
    np.testing.assert_allclose(transfer_function(k, COSMOLOGY), expected, rtol=1e-7)
    sigma, slope = SIGMA(jnp.array([8.0, 10.0, 12.0, 14.0]))
    np.testing.assert_allclose(sigma, [5.9294951, 3.90664797, 2.2328712, 1.01279313], rtol=5e-4)
    np.testing.assert_allclose(slope, [0.07920387, 0.10363626, 0.14221376, 0.20714215], rtol=2e-3)
    np.testing.assert_allclose(growth_factor(np.array([1.0, 3.0]), COSMOLOGY), [0.60925562, 0.31709458], rtol=1e-4)


def test_an_empty_universe_of_matter_grows_as_the_scale_factor():
    matter = Cosmology(omega_m=1.0 - 1e-9, t_cmb=0.0)
    np.testing.assert_allclose(growth_factor(np.array([0.0, 1.0, 9.0]), matter), [1.0, 0.5, 0.1], rtol=1e-6)
    np.testing.assert_allclose(collapse_threshold(0.0, matter), 1.686470, rtol=1e-5)


def test_the_mass_function_is_that_of_colossus_at_any_redshift():
    masses = np.linspace(8.5, 14.5, 7)
    mass_function = H.VirialMassFunction()
    np.testing.assert_allclose(np.log10(mass_function(masses)), np.log10(H.Despali16()(masses)), atol=1.5e-3)
    # colossus 1.4.0, despali16, vir, z = 2
    expected = [0.87258026, -0.0504863, -0.99596895, -2.00328597, -3.18357913, -4.87310453, -8.28346466]
    np.testing.assert_allclose(np.log10(mass_function(masses, 2.0)), expected, atol=5e-3)


def test_variance_barrier_and_mass_function_are_differentiable():
    def value(sigma8, omega_m):
        cosmology = Cosmology(omega_m=omega_m)
        power = H.LinearPower(sigma8=sigma8)
        sigma, _ = power.sigma_of_mass(cosmology)(11.0)
        density = jnp.log(H.VirialMassFunction(power, cosmology)(13.0, 1.0))
        return jnp.stack([jnp.log(sigma), collapse_threshold(2.0, cosmology), density])

    value = jax.jit(value)
    exact = jax.jit(jax.jacfwd(value, argnums=(0, 1)))(0.8, 0.3)
    step = 1e-5
    numeric = (
        (value(0.8 + step, 0.3) - value(0.8 - step, 0.3)) / (2 * step),
        (value(0.8, 0.3 + step) - value(0.8, 0.3 - step)) / (2 * step),
    )
    np.testing.assert_allclose(exact, numeric, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(exact[0][0], 1.0 / 0.8, rtol=1e-9)


@pytest.mark.parametrize(
    "log_mvir", [pytest.param(mass, marks=pytest.mark.slow) for mass in (11.5, 13.0, 14.0)] + [12.0]
)
def test_main_branches_follow_nbody_halos(log_mvir):
    # Mean and variance of log10 M of N-body halos (Hearin et al. 2021, OJAp 4, 7), from 1.5 to 13.7 Gyr.
    time = np.loadtxt(PUBLISHED / "nbody_t_target.dat")
    mean = np.loadtxt(PUBLISHED / f"mean_log_mah_nbody_logmp_{log_mvir:.2f}.dat")
    spread = np.sqrt(np.loadtxt(PUBLISHED / f"var_log_mah_nbody_logmp_{log_mvir:.2f}.dat"))
    redshift = np.maximum(np.asarray(COSMOLOGY.redshift(time * float(COSMOLOGY.age(0.0)) / time[-1]))[::-1], 0.0)
    made = H.grow_main_branches(np.full(1500, log_mvir), redshift, key=3).log_mass[:, ::-1]
    late = time > 3.0
    np.testing.assert_allclose((made.mean(axis=0) - log_mvir)[late], (mean - mean[-1])[late], atol=0.045)
    np.testing.assert_allclose((made.mean(axis=0) - log_mvir)[~late], (mean - mean[-1])[~late], atol=0.12)
    np.testing.assert_allclose(made.std(axis=0)[late & (time < 8.0)], spread[late & (time < 8.0)], rtol=0.5)


@pytest.mark.slow
def test_growth_rates_are_those_of_the_millennium_simulations():
    # Fakhouri, Ma & Boylan-Kolchin 2010 (MNRAS 406, 2267), eq. 2: mean growth rate.
    halos = H.monte_carlo_trees(1500, log_mvir=(12.0, 12.0), key=1)
    halo = halos.along(np.asarray(COSMOLOGY.age(np.array([0.3, 1.0, 2.0]))))
    for column, z in enumerate((0.3, 1.0, 2.0)):
        mean = 46.1 * np.mean((np.asarray(halo.mvir[:, column]) / 1e12) ** 1.1)
        mean *= (1.0 + 1.11 * z) * np.sqrt(0.3075 * (1.0 + z) ** 3 + 0.6925)
        np.testing.assert_allclose(np.mean(halo.growth[:, column]), mean, rtol=0.12)


@pytest.mark.slow
@pytest.mark.parametrize("least", [0.1, 1.0 / 3.0])
def test_merger_rates_are_those_of_the_millennium_simulations(branches, least):
    # Fakhouri, Ma & Boylan-Kolchin 2010, eq. 1: mergers per halo and redshift, above a mass ratio.
    ratio = np.geomspace(least, 1.0, 400)
    above = np.trapezoid(ratio**-1.995 * np.exp((ratio / 9.72e-3) ** 0.263), ratio)
    for low, high in ((0.2, 0.6), (0.6, 1.2), (1.2, 2.2)):
        inside = (branches.merger_redshift >= low) & (branches.merger_redshift < high)
        found = np.sum(inside & (branches.merger_ratio > least)) / len(branches.log_mass) / (high - low)
        here = (branches.redshift >= low) & (branches.redshift < high)
        mass = np.mean(10.0 ** branches.log_mass[:, here]) / 1e12
        expected = 0.0104 * mass**0.133 * (1.0 + 0.5 * (low + high)) ** 0.0993 * above
        np.testing.assert_allclose(found, expected, rtol=0.27)


def test_massive_halos_form_as_late_as_nbody_halos():
    # When the mean history (Hearin et al. 2021, as above) passes half of the final mass: z = 1.23 at 10^11.5 Msun to
    # 0.62 at 10^14, or -0.24 per dex.
    final = np.array([11.5, 12.0, 13.0, 14.0])
    time = np.loadtxt(PUBLISHED / "nbody_t_target.dat")
    redshift = np.asarray(COSMOLOGY.redshift(time * float(COSMOLOGY.age(0.0)) / time[-1]))
    nbody = [np.loadtxt(PUBLISHED / f"mean_log_mah_nbody_logmp_{mass:.2f}.dat") for mass in final]
    expected = np.array([np.interp(-np.log10(2.0), mean - mean[-1], redshift) for mean in nbody])
    made = H.grow_main_branches(np.repeat(final, 4000), REDSHIFT, key=2).log_mass.reshape(4, 4000, -1)
    mean = np.nanmean(made, axis=1) - final[:, None]
    found = np.array([np.interp(np.log10(2.0), -here, REDSHIFT) for here in mean])
    np.testing.assert_allclose(found, expected, atol=0.13)
    np.testing.assert_allclose(found[-1] - found[0], expected[-1] - expected[0], rtol=0.15)


@pytest.mark.slow
@pytest.mark.parametrize(("log_mass", "number", "resolution"), [(12.0, 1500, 0.02), (13.49969, 300, 8e-4)])
def test_progenitors_have_the_conditional_mass_function_of_the_millennium_simulation(log_mass, number, resolution):
    # The points of Cole, Helly, Frenk & Parkinson 2008, fig. 1, in their cosmology (Springel et al. 2005).
    published = np.loadtxt(DATA / "progenitors_cole08.csv", delimiter=",")
    cosmology, power = Cosmology(h=0.73, omega_m=0.25, omega_b=0.045), H.LinearPower(sigma8=0.9, n_s=1.0)
    final, redshift = log_mass - np.log10(0.73), np.array([0.0, 0.5, 1.0, 2.0, 4.0])
    rules = dict(key=3, resolution=resolution, power=power, cosmology=cosmology)
    trees = H.grow_trees(np.full(number, final), redshift, **rules)
    for snapshot, z in enumerate(redshift[1:], 1):
        _, _, ratio, expected = published[np.isclose(published[:, 0], log_mass) & (published[:, 1] == z)].T
        share = trees.mass[trees.snapshot == snapshot] / 10.0**final
        edges = np.append(np.log10(ratio) - 0.1, np.log10(ratio[-1]) + 0.1)
        found = np.histogram(np.log10(share), edges, weights=share / number)[0] / 0.2
        common = (expected > 0.06) & (ratio < 0.7)  # FoF masses of the main progenitor scatter about the final one
        np.testing.assert_allclose(found[common], expected[common], rtol=0.3)
        np.testing.assert_allclose(found.sum(), expected.sum(), rtol=0.1)


def test_trees_are_trees_and_their_main_branches_those_drawn_alone():
    redshift = np.array([0.0, 0.3, 1.0, 2.0])
    trees = H.grow_trees(np.full(300, 12.0), redshift, key=1, resolution=1e-2)
    forest = trees.forest()
    main = main_branches(forest)
    assert len(main.roots) == 300 and np.all(trees.mass[trees.snapshot == 0] == 10.0**12)
    # No halo weighs less than its resolved progenitors together.
    heavier = np.zeros(len(trees.mass))
    linked = trees.descendant >= 0
    np.add.at(heavier, trees.descendant[linked], trees.mass[linked])
    assert np.all(heavier <= trees.mass * (1.0 + 1e-9))
    assert np.all(trees.mass >= 1e-2 * 10.0**12)
    alone = H.grow_main_branches(np.full(300, 12.0), redshift, key=2, resolution=1e-2).log_mass
    at_one = np.log10(forest.mass[main.row][np.isclose(forest.scale_factor[main.row], 0.5)])
    np.testing.assert_allclose(at_one.mean(), np.nanmean(alone[:, 2]), atol=0.035)
    again = H.grow_trees(np.full(300, 12.0), redshift, key=1, resolution=1e-2)
    np.testing.assert_array_equal(again.mass, trees.mass)


def test_main_branches_lose_mass_backwards_and_balance(branches):
    falls = np.diff(branches.log_mass, axis=1) < 0.0
    assert np.all(falls | np.isnan(branches.log_mass[:, 1:]))
    assert np.nanmin(branches.log_mass) >= 8.0 and branches.truncated.max() == 0
    ratio = branches.merger_ratio[np.isfinite(branches.merger_ratio)]
    assert ratio.min() >= 0.01 and ratio.max() <= 1.0


def test_the_same_key_gives_the_same_halos_whatever_their_number(branches):
    few = H.grow_main_branches(np.full(520, 12.0), REDSHIFT, key=5)
    np.testing.assert_array_equal(few.log_mass[:500], branches.log_mass[:500])
    other = H.grow_main_branches(np.full(520, 12.0), REDSHIFT, key=6)
    assert not np.array_equal(other.log_mass[:, 5], few.log_mass[:, 5])


def test_more_fluctuations_make_halos_earlier():
    early = H.grow_main_branches(np.full(500, 12.0), REDSHIFT, power=H.LinearPower(sigma8=0.95))
    late = H.grow_main_branches(np.full(500, 12.0), REDSHIFT, power=H.LinearPower(sigma8=0.7), cosmology=planck18())
    assert np.nanmean(early.log_mass[:, 20]) > np.nanmean(late.log_mass[:, 20]) + 0.05


def test_histories_from_trees():
    halos = H.monte_carlo_trees(600, log_mvir=(10.0, 13.0), key=4)
    assert len(halos) == 600 and halos.mergers is not None and len(halos.mergers) == 600
    assert np.all(np.diff(halos.log_mvir, axis=1) > -1e-9)
    final = np.asarray(halos.log_mvir[:, -1])
    assert 10.0 <= final.min() and final.max() <= 13.0
    # Concentrations from the histories themselves scatter as those of simulated halos do, and fall with mass.
    median = H.Diemer19()(halos.log_mvir[:, -1], 0.0)
    offset = np.asarray(halos.log_concentration[:, -1] - median)
    assert abs(offset.mean()) < 0.12 and 0.08 < offset.std() < 0.2
    assert np.polyfit(final, np.asarray(halos.log_concentration[:, -1]), 1)[0] < -0.02
    words = dict(halos.provenance)
    assert "Parkinson, Cole & Helly 2008" in words["source"] and "own history" in words["concentrations"]
    with_relation = H.monte_carlo_trees(20, key=4, concentration=H.Diemer19())
    np.testing.assert_allclose(
        with_relation.log_concentration[:, -1], H.Diemer19()(with_relation.log_mvir[:, -1], 0.0), atol=0.02
    )


def test_growth_scatters_continuously_at_one_mass():
    # Fakhouri, Ma & Boylan-Kolchin 2010, eq. 2: mean over median growth rate 46.1 / 25.3 = 1.82 at z = 0, 1.45 at 1.
    # The smooth built-in population has 0.77, with half of all halos in a tenth of a dex.
    halos = H.monte_carlo_trees(3000, log_mvir=(12.0, 12.0), key=1)
    for z, published in ((0.0, 46.1 / 25.3), (1.0, 46.1 / 25.3 * 2.11 / 2.65)):
        halo = halos.at(redshift=z)
        rate = np.sort(np.asarray(halo.growth / halo.mvir))
        np.testing.assert_allclose(rate.mean() / np.median(rate), published, rtol=0.15)
        fullest = np.max(np.searchsorted(rate, rate * 10.0**0.1) - np.arange(len(rate))) / len(rate)
        assert fullest < 0.35
        assert 0.2 < np.ptp(np.log10(np.quantile(rate, [0.16, 0.84]))) / 2.0 < 0.35


def test_roots_at_any_redshift():
    halos = H.monte_carlo_trees(400, log_mvir=(10.0, 12.5), redshift=2.0, key=3)
    np.testing.assert_allclose(float(halos.redshift[-1]), 2.0, rtol=1e-8)
    final = np.asarray(halos.log_mvir[:, -1])
    assert 10.0 <= final.min() and final.max() <= 12.5
    assert "z = 2 " in dict(halos.provenance)["masses"]
    np.testing.assert_allclose(float(H.monte_carlo_trees(2, redshift=8.0).redshift[0]), 13.4, rtol=1e-6)
    # Given times end where the halos have their mass.
    times = H.log_times(last_redshift=1.0)
    assert "z = 1 " in dict(H.monte_carlo_trees(2, times=times).provenance)["masses"]
    with pytest.raises(ValueError, match="let times end at that redshift"):
        H.monte_carlo_trees(2, times=times, redshift=0.5)
    with pytest.raises(ValueError, match="times: give at least two cosmic ages .* increasing"):
        H.monte_carlo_trees(2, times=[2.0, 1.0])
    with pytest.raises(ValueError, match="times: the last is 20 Gyr, but the universe is 13.8"):
        H.monte_carlo_trees(2, times=[1.0, 5.0, 20.0])
    for ratio in (0.0, -1.0, np.nan):
        with pytest.raises(ValueError, match="lowest_ratio: got .*; allowed above 0, to 1"):
            H.monte_carlo_trees(2, lowest_ratio=ratio)
    with pytest.raises(ValueError, match="sampling: complete_roots has masses at equal steps"):
        H.complete_roots(2.0, 5, sampling=H.UniformLogMass())
    with pytest.raises(ValueError, match="redshift: got 13; allowed 0 to 12"):
        H.monte_carlo_trees(2, redshift=13.0)
    with pytest.raises(ValueError, match="Despali16.* at z = 0 and .*abundance_weights"):
        H.monte_carlo_trees(2, redshift=1.0, sampling=H.MassFunctionWeighted())


def test_halos_start_at_the_first_mass_or_the_resolution():
    halos = H.monte_carlo_trees(200, log_mvir=(10.0, 12.0), key=2, first_log_mvir=9.0)
    late = np.asarray(halos.start) > float(halos.time[0]) * (1.0 + 1e-9)
    assert late.sum() > 100
    np.testing.assert_allclose(_mass_at_start(halos)[late], 9.0, atol=1e-6)
    coarse = H.monte_carlo_trees(200, log_mvir=(11.0, 11.0), key=2, resolution=0.01)
    late = np.asarray(coarse.start) > float(coarse.time[0]) * (1.0 + 1e-9)
    np.testing.assert_allclose(_mass_at_start(coarse)[late], 9.0 + np.log10(1.05), atol=1e-6)
    with pytest.raises(ValueError, match="first_log_mvir: got 9.9; halos must start at less than half"):
        H.monte_carlo_trees(2, first_log_mvir=9.9)


def _mass_at_start(halos):
    ln_time = np.log(halos.time)
    rows = zip(np.log(halos.start), halos.log_mvir, strict=True)
    return np.array([np.interp(start, ln_time, history) for start, history in rows])


@given(power=st.floats(0.8, 3.0), shift=st.floats(9.0, 14.0))
@settings(max_examples=10, deadline=None)
def test_concentration_of_power_law_histories(power, shift):
    # M ~ t^p holds 4 per cent at t 0.04^(1/p), so c = 4 [1 + (25^(1/p) / 3.75)^8.4]^(1/8) at any time.
    time = np.geomspace(0.5, 13.0, 60)
    log_c = H.ZhaoFormationTime()(time, shift + power * np.log10(time)[None])
    expected = 4.0 * (1.0 + (25.0 ** (1.0 / power) / 3.75) ** 8.4) ** 0.125
    np.testing.assert_allclose(10.0**log_c, expected, rtol=2e-3)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (dict(redshift=np.array([1.0, 0.0])), "increasing; trees grow backwards"),
        (dict(redshift=np.array([0.0])), "at least two redshifts"),
        (dict(resolution=0.5), "got 0.5; allowed 1e-8 to 0.3"),
        (dict(log_mass=[1e12]), "log_mass: got 1e"),
        (dict(log_mass=[5.5]), "allowed 6 to 16, with the smallest mass followed above"),
    ],
)
def test_senseless_trees_are_refused(change, words):
    arguments = {"log_mass": [12.0], "redshift": REDSHIFT, **change}
    for grow in (H.grow_main_branches, H.grow_trees):
        with pytest.raises(ValueError, match=words):
            grow(arguments.pop("log_mass", [12.0]), arguments.pop("redshift", REDSHIFT), **arguments)
        arguments = {"log_mass": [12.0], "redshift": REDSHIFT, **change}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [((0,), "at least 1"), ((5, (12.0, 11.0)), "within 8 and 15.5"), ((5, (1e10, 1e12)), "log10 of mass")],
)
def test_senseless_populations_are_refused(arguments, words):
    n, *masses = arguments
    with pytest.raises(ValueError, match=words):
        H.monte_carlo_trees(n, **(dict(log_mvir=masses[0]) if masses else {}))
