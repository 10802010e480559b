"""Clustering: halos counted by hand, limits of the halo model that are known, and derivatives."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import gamma, ndtr

from corundum import Galaxies, cosmology, halos, inference, models, observables, plots
from corundum.halos.generate.power_spectrum import collapse_threshold, growth_factor
from corundum.observables.clustering.profiles import nfw_density, nfw_pair_density, nfw_transform
from corundum.observables.clustering.projection import RADII, WAVENUMBERS, from_power, line_of_sight

UNIVERSE = cosmology.pandya26_cosmology()
LOW, HIGH, ERROR = 9.8, 10.3, 0.1


def trees(number=40, satellites=3, key=0):
    """Centrals of 10^11 to 10^14.5 Msun with satellites, a quarter of them merged; the last is one of the first."""
    rng = np.random.default_rng(key)
    log_mvir = np.repeat(np.linspace(11.0, 14.5, number), satellites + 2)
    place = np.tile(np.arange(satellites + 2), number)
    first = np.arange(len(place)) - place
    # The last of a tree is a satellite of its first satellite.
    host = np.where(place == 0, -1, np.where(place == satellites + 1, first + 1, first))
    share = np.where(place == 0, 0.0, np.where(place == 1, 0.6, 1.0))
    mvir = 10.0 ** np.where(place == 0, log_mvir, log_mvir - 1.0)
    values = {
        "mstar": 10.0 ** rng.uniform(9.5, 10.6, len(place)),
        "mvir": mvir,
        "rvir": np.asarray(UNIVERSE.virial_radius(mvir, 0.0)),
        "concentration": 10.0 - 2.0 * (log_mvir - 12.0),
        "satellite": share,
    }
    weights = 10.0 ** (-2.0 - 0.9 * (log_mvir - 11.0)) * np.where(place == 0, 1.0, 0.75)
    return Galaxies(0.0, values, np.ones(len(place), bool), weights, root_redshift=0.0, host=host)


def test_occupation_counts_galaxies_by_hand():
    galaxies = trees(number=2)
    occupation = observables.halo_occupation(galaxies, LOW, HIGH, error=ERROR)
    log_mstar = np.log10(galaxies["mstar"])
    within = ndtr((HIGH - log_mstar) / ERROR) - ndtr((LOW - log_mstar) / ERROR)
    for tree in range(2):
        rows = slice(5 * tree, 5 * tree + 5)
        central, falling, second, third, of_falling = within[rows] * [1.0, 0.75, 0.75, 0.75, 0.75]
        np.testing.assert_allclose(occupation.centrals[rows], [central, 0.4 * falling, 0.0, 0.0, 0.0], atol=1e-12)
        # The first satellite is one by 0.6: its own satellite is in the halo of the central by 0.6, else in its own.
        expected = np.array([0.6 * falling, second, third, 0.6 * of_falling])
        np.testing.assert_allclose(
            occupation.satellites[rows], [expected.sum(), 0.4 * of_falling, 0, 0, 0], rtol=1e-12, atol=1e-12
        )
        pairs = sum(a * b for i, a in enumerate(expected) for j, b in enumerate(expected) if i != j)
        np.testing.assert_allclose(occupation.satellite_pairs[rows], [pairs, 0, 0, 0, 0], rtol=1e-12, atol=1e-12)


def test_occupation_conserves_the_galaxies_of_the_mass_function():
    galaxies = trees()
    occupation = observables.halo_occupation(galaxies, LOW, HIGH, error=ERROR)
    log_mstar = np.log10(galaxies["mstar"])
    within = ndtr((HIGH - log_mstar) / ERROR) - ndtr((LOW - log_mstar) / ERROR)
    np.testing.assert_allclose(float(occupation.density), np.sum(galaxies.weights * within), rtol=1e-12)
    # The mass function with the same error, integrated over the same range.
    nodes = np.linspace(LOW, HIGH, 401)
    function = observables.StellarMassFunction().regressed(galaxies, nodes, observables.LocalLinear(ERROR, 0.0))
    np.testing.assert_allclose(np.trapezoid(10.0**function.mean, nodes), float(occupation.density), rtol=1e-4)


def test_occupation_by_halo_mass():
    galaxies = trees(number=40)
    mean = observables.halo_occupation(galaxies, 5.0).by_mass([10.9, 12.6, 14.6])
    own = np.asarray(galaxies["satellite"]) < 1.0
    assert own.sum() == 80 and np.all(np.asarray(mean.halos) > 0.0)
    np.testing.assert_allclose(mean.centrals, 1.0, rtol=0.1)  # 0.75 in the halos of satellites that are falling in
    assert 2.0 < float(mean.satellites[1]) < 3.0
    everything = observables.halo_occupation(galaxies, 5.0)
    total = float(np.sum(mean.halos * (mean.centrals + mean.satellites)))
    inside = np.asarray(everything.log_mvir) >= 10.9
    expected = np.sum((everything.weight * (everything.centrals + everything.satellites))[inside])
    assert total == pytest.approx(float(expected), rel=1e-12)
    with pytest.raises(ValueError, match="two edges of bins in log10 of halo mass"):
        everything.by_mass([12.0, 11.0])


@pytest.mark.parametrize(("radius", "concentration"), [(0.3, 12.0), (2.0, 4.0)])
def test_profiles_agree_with_quadrature(radius, concentration):
    r = radius * np.geomspace(1e-6, 2.0, 40001)
    one, two = (np.asarray(f(r, radius, concentration)) for f in (nfw_density, nfw_pair_density))

    def integral(density, k=1e-9):
        return np.trapezoid(4.0 * np.pi * r**3 * density * np.sinc(k * r / np.pi), np.log(r))

    inside = r <= radius
    assert np.all(one[~inside] == 0.0) and two[-1] == pytest.approx(0.0, abs=1e-6 * two.max())
    assert integral(one) == pytest.approx(1.0, rel=5e-4) and integral(two) == pytest.approx(1.0, rel=5e-4)
    for k in (0.5 / radius, 3.0 / radius, 12.0 / radius):
        transform = float(nfw_transform(k, radius, concentration))
        assert transform == pytest.approx(integral(one, k), abs=5e-4)
        assert transform**2 == pytest.approx(integral(two, k), abs=5e-4)


def test_projection_of_a_power_law_is_the_analytic_one():
    index, r_p = 1.8, np.array([0.1, 0.5, 2.0])
    full = r_p ** (1.0 - index) * gamma(0.5) * gamma(0.5 * (index - 1.0)) / gamma(0.5 * index)
    # What lies beyond pi_max, to second order in r_p / pi_max.
    end = 150.0
    beyond = (
        2.0
        * end ** (1.0 - index)
        / (index - 1.0)
        * (1.0 - 0.5 * index * (index - 1.0) / (index + 1.0) * (r_p / end) ** 2)
    )
    np.testing.assert_allclose(line_of_sight(r_p, end) @ RADII**-index, full - beyond, rtol=2e-4)


def test_correlation_of_a_known_power_spectrum():
    spectrum = 8.0 * np.pi / (1.0 + WAVENUMBERS**2) ** 2  # of xi = exp(-r)
    between = (RADII > 0.5) & (RADII < 8.0)
    np.testing.assert_allclose((from_power() @ spectrum)[between], np.exp(-RADII[between]), rtol=3e-3)


def test_power_spectrum_has_its_sigma8_and_grows():
    power = halos.LinearPower(sigma8=0.9)
    x = WAVENUMBERS * 8.0 / float(UNIVERSE.h)
    window = 3.0 * (np.sin(x) - x * np.cos(x)) / x**3
    spectrum = np.asarray(power(WAVENUMBERS))
    variance = np.trapezoid(WAVENUMBERS**3 * spectrum * window**2 / (2.0 * np.pi**2), np.log(WAVENUMBERS))
    assert np.sqrt(variance) == pytest.approx(0.9, rel=1e-4)
    # At high redshift matter alone: growth is one over 1 + z.
    ratio = power(0.1, 20.0) / power(0.1, 41.0)
    assert float(ratio) == pytest.approx(4.0, rel=1e-3)


def test_bias_is_the_response_of_the_mass_function():
    """A lower threshold of collapse is a larger sigma8; and the fit to simulations lies near it."""
    power, log_mvir, step = halos.LinearPower(), jnp.linspace(10.0, 15.0, 26), 1e-4
    lower, higher = (
        np.log(
            halos.VirialMassFunction(halos.LinearPower(sigma8=float(power.sigma8) * factor), UNIVERSE)(log_mvir, 1.0)
        )
        for factor in (1.0 + step, 1.0 - step)
    )
    threshold = float(collapse_threshold(1.0, UNIVERSE) * growth_factor(1.0, UNIVERSE))
    response = 1.0 - (higher - lower) / (2.0 * step) / threshold
    split, fit = (
        np.asarray(bias(log_mvir, 1.0, power, UNIVERSE)) for bias in (halos.PeakBackgroundSplit(), halos.Tinker10())
    )
    np.testing.assert_allclose(split, response, rtol=1e-6)
    np.testing.assert_allclose(split[log_mvir < 14.0], fit[log_mvir < 14.0], rtol=0.12)


def test_two_halo_power_is_linear_power_times_bias_squared():
    galaxies, model = trees(), observables.HaloModel()
    occupation = observables.halo_occupation(galaxies, LOW, HIGH)
    spectrum = np.asarray(model.two_halo_power(occupation, 0.0))
    pairs = model(occupation, jnp.array([20.0]), redshift=0.0, pi_max=57.0)
    each = occupation.weight * (occupation.centrals + occupation.satellites)
    bias = np.sum(each * np.asarray(model.bias(occupation.log_mvir, 0.0, model.power, model.cosmology))) / each.sum()
    assert float(pairs.bias) == pytest.approx(bias, rel=1e-12)
    large = WAVENUMBERS < 0.01
    linear = np.asarray(model.power(WAVENUMBERS))
    np.testing.assert_allclose(spectrum[large], (bias**2 * linear)[large], rtol=1e-4)
    assert np.all(spectrum[WAVENUMBERS > 5.0] < (bias**2 * linear)[WAVENUMBERS > 5.0])


def test_without_satellites_no_pair_is_in_one_halo():
    galaxies = trees()
    alone = galaxies[np.flatnonzero(np.asarray(galaxies.host) < 0)]
    occupation = observables.halo_occupation(alone, LOW, HIGH)
    pairs = observables.HaloModel()(occupation, jnp.array([0.2, 2.0]), redshift=0.0, pi_max=57.0)
    assert np.all(np.asarray(pairs.one_halo) == 0.0) and np.all(np.asarray(pairs.two_halo) > 0.0)


def test_pairs_in_one_halo_add_up():
    """n^2 times the integral of xi over all space is the number of ordered pairs, counted from the occupation."""
    massive = trees()[5 * 24 :]  # whose pairs are seldom nearer than 0.01 Mpc in projection
    occupation = observables.halo_occupation(massive, LOW, HIGH)
    r_p = np.geomspace(0.005, 12.0, 400)
    pairs = observables.HaloModel()(occupation, jnp.asarray(r_p), redshift=0.0, pi_max=57.0)
    integral = np.trapezoid(2.0 * np.pi * r_p**2 * np.asarray(pairs.one_halo), np.log(r_p))
    integral += np.pi * r_p[0] ** 2 * float(pairs.one_halo[0])
    counted = np.sum(
        occupation.weight * (2.0 * occupation.centrals * occupation.satellites + occupation.satellite_pairs)
    )
    assert integral * float(occupation.density) ** 2 == pytest.approx(
        float(counted), rel=1e-2
    )  # the grid of radii steps over edges


def test_derivatives_agree_with_differences():
    galaxies, data = trees(), observables.load("wp_guo11_9p8")
    regression = observables.LocalLinear(0.2, 2.0)

    def mean(offset):
        values = galaxies.values | {"mstar": 10.0**offset * jnp.asarray(galaxies.values["mstar"])}
        moved = Galaxies(0.0, values, galaxies.valid, galaxies.weights, root_redshift=0.0, host=galaxies.host)
        return data.relation.regressed(moved, data.x, regression).mean

    step = 1e-4
    difference = (np.asarray(mean(step)) - np.asarray(mean(-step))) / (2.0 * step)
    _, forward = jax.jvp(mean, (0.0,), (1.0,))
    np.testing.assert_allclose(forward, difference, rtol=1e-5, atol=1e-6)
    reverse = jax.grad(lambda offset: mean(offset).sum())(0.0)
    assert float(reverse) == pytest.approx(float(forward.sum()), rel=1e-9)


def test_the_relation_predicts_with_an_error_that_many_samples_have():
    data = observables.load("wp_guo11_9p8")
    samples = [data.predict(trees(number=40, key=key)) for key in range(12)]
    assert all(np.all(sample.reached) for sample in samples)
    spread = np.std([sample.mean for sample in samples], axis=0, ddof=1)
    error = np.mean([sample.standard_error for sample in samples], axis=0)
    assert 0.4 < np.median(error / spread) < 2.5


@pytest.mark.parametrize(
    ("name", "published"),
    [("wp_guo11_9p8", {0.256: 488, 1.02: 186, 3.22: 60, 10.2: 21}),
     ("wp_guo11_10p3", {0.256: 478, 1.02: 182, 3.22: 67, 10.2: 28}),
     ("wp_guo11_10p8", {0.256: 788, 1.02: 203, 3.22: 79, 10.2: 31})],
)  # fmt: skip
def test_measurements_hold_the_published_numbers(name, published):
    data = observables.load(name)
    for r_p, w_p in published.items():
        at = int(np.argmin(np.abs(10.0 ** np.asarray(data.x) - r_p)))
        assert 10.0 ** float(data.x[at]) == pytest.approx(r_p, rel=0.01)
        assert 10.0 ** float(data.y[at]) == pytest.approx(w_p, rel=0.02)


def test_bad_input_is_refused_in_a_sentence():
    galaxies = trees(number=2)
    with pytest.raises(ValueError, match="two stellar masses that increase"):
        observables.halo_occupation(galaxies, 10.3, 9.8)
    with pytest.raises(ValueError, match="positive error"):
        observables.halo_occupation(galaxies, 9.8, error=0.0)
    with pytest.raises(ValueError, match="galaxy 0 is a satellite whose host was not chosen"):
        observables.halo_occupation(galaxies[2:], 9.8)
    lost = Galaxies(0.0, galaxies.values, galaxies.valid, galaxies.weights, root_redshift=0.0)
    with pytest.raises(ValueError, match="not their hosts"):
        observables.halo_occupation(lost, 9.8)
    equal = Galaxies(0.0, galaxies.values, galaxies.valid, np.ones(len(galaxies)), host=galaxies.host)
    with pytest.raises(ValueError, match="no number density"):
        observables.halo_occupation(equal, 9.8)


def test_figures_draw_it_beside_data():
    data = observables.load("wp_guo11_9p8")
    ax = plots.scaling_relation(trees(), data.relation, [data])
    heights = [np.asarray(line.get_ydata(), float) for line in ax.lines]
    assert max(np.sum(np.isfinite(y)) for y in heights) > 20


def test_fits_need_satellites():
    alone = halos.complete_roots(0.0, 4, log_mvir=(11.0, 13.0))
    with pytest.raises(ValueError, match="needs the satellites of halos"):
        inference.PopulationSummaries(models.pandya26(), alone, [observables.load("wp_guo11_9p8")])
