"""Targets of real populations: likelihood, nuisances, gradients, and what is refused."""

import copy
import dataclasses
import re

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
import pytest
from scipy import stats

import corundum as co
from corundum import inference, observables
from corundum.inference import tables
from corundum.inference.data import data_of
from corundum.inference.likelihoods.base import upper_limits
from growing import Growing

FREE = ("time", "loading")


@pytest.fixture(scope="module")
def sample():
    return co.halos.diffmah_population(24, log_mvir=(10.5, 12.5), key=2)


@pytest.fixture(scope="module")
def measured():
    shmr = observables.load("shmr_behroozi19_sf")
    gas = observables.load("coldgas_xgass")
    return shmr.between(10.8, 12.1), gas


@pytest.fixture(scope="module")
def target(sample, measured):
    return inference.Target(Growing(), sample, measured, FREE, redshifts=[0.0])


@pytest.fixture(scope="module")
def told(target):
    return inference.predict(target, np.asarray(target.start())[None])


def test_log_likelihood_is_scipys(target, told, measured, sample):
    at = np.concatenate([target.data.positions(name) for name in target.data.names])
    assert list(at) == list(range(len(target.data)))
    population = co.evolve(Growing(), sample, [0.0], solver=target.summaries.solver)
    means, blocks = [], np.zeros((len(target.data),) * 2)
    for m in measured:
        mine = m.relation.regressed(
            population.at(0.0), m.x, observables.LocalLinear(m.bandwidth, inference.FEWEST_GALAXIES)
        )
        means.append(np.asarray(mine.mean))
        error, x, places = np.asarray(mine.standard_error), np.asarray(m.x), target.data.positions(m.name)
        kin = np.exp(-((x[:, None] - x) ** 2) / (4 * float(m.bandwidth) ** 2))
        blocks[np.ix_(places, places)] = np.asarray(m.total_covariance) + kin * np.outer(error, error)
    expected = stats.multivariate_normal(np.concatenate(means), blocks).logpdf(np.asarray(target.data.y))
    got = float(inference.ln_density_at(target, np.asarray(target.start())[None])[0])
    prior = stats.norm.logpdf(np.asarray(target.start())).sum()
    assert got == pytest.approx(expected + prior, rel=1e-8)


def test_gradient_against_differences(target):
    u = np.asarray(target.start())
    _, slope = inference.value_and_gradient(target, u[None])
    step = 1e-3
    around = np.concatenate([u + step * np.eye(2), u - step * np.eye(2)])
    value = np.asarray(inference.ln_density_at(target, around))
    np.testing.assert_allclose(slope[0], (value[:2] - value[2:]) / (2 * step), rtol=2e-3, atol=1e-2)


def test_devices_exchange_galaxies_once_for_one_point(target):
    """Not every sum of the regressions, nor its slopes: each exchange takes as long as the sums."""
    arrays, rest = eqx.partition(target, eqx.is_array)

    def slope(arrays, u):
        target = eqx.combine(arrays, rest)
        return jax.jacfwd(lambda u: target.ln_likelihood(u))(u)

    text = jax.jit(slope).lower(arrays, target.start()).compile().as_text()
    exchanges = re.findall(r"= (\S+) (?:all-gather|all-reduce)(?:-start)?\(", text)
    assert 1 <= len(exchanges) <= 4, exchanges


@pytest.mark.slow
def test_measured_from_the_model_it_is_recovered(target, told):
    made = target.with_data(np.asarray(told.mean)[0])
    best = inference.maximise(made, starts=3)
    gauss = inference.laplace(made, best)
    assert best.converged and np.all(np.abs(best.theta - np.log10([3.0, 2.0])) < 0.5 * gauss.sigma)


def test_priors_whatever_they_are(target):
    for prior in (
        dist.Uniform(-2.0, 1.0), dist.Normal(0.5, 2.0), dist.HalfNormal(0.1), dist.LogNormal(0.0, 0.3),
        dist.TruncatedNormal(0.0, 1.0, low=-1.0, high=2.0), dist.Gamma(2.0, 1.0), dist.Beta(2.0, 3.0),
    ):  # fmt: skip
        each = inference.FreeParameter("p", prior, has_quantiles=inference.free.has_quantiles(prior))
        u = jnp.linspace(-2.5, 2.5, 11)
        theta = each.theta(u)
        assert np.all(np.isfinite(prior.log_prob(theta)))
        np.testing.assert_allclose(each.coordinate(theta), u, atol=1e-6)
        # Density of u is density of theta times the slope.
        step = 1e-5
        slope = (each.theta(u + step) - each.theta(u - step)) / (2 * step)
        np.testing.assert_allclose(each.ln_density(u), prior.log_prob(theta) + np.log(slope), atol=1e-5)


def test_published_free_parameters_have_the_published_ranges(sample):
    free = inference.free_parameters(co.models.pandya26(), sample.cosmology, co.models.PANDYA26_FREE)
    ranges = {p.name: (float(p.prior.low), float(p.prior.high)) for p in free}
    assert ranges["mass_loading.amplitude"] == pytest.approx((-2.0, 1.0))
    assert ranges["energy_loading.amplitude"] == pytest.approx((-2.0, 0.0))
    assert ranges["depletion_time.amplitude"] == pytest.approx((0.0, 1.1))
    assert ranges["metal_loading.amplitude"] == pytest.approx((-2.0, 0.0))
    assert all(ranges[n] == (-4.0, 0.0) for n in ranges if n.endswith("slope"))
    assert all(p.log10 == p.name.endswith("amplitude") for p in free)


def test_nuisances(sample, measured, told):
    names = (*FREE, "offset.coldgas_xgass", "mass_scale", "discrepancy.shmr_behroozi19_sf")
    target = inference.Target(Growing(), sample, measured, names, redshifts=[0.0])
    assert {p.name: type(p.prior).__name__ for p in target.free}["discrepancy.shmr_behroozi19_sf"] == "HalfNormal"
    values = {"time": 3.0, "loading": 2.0, "offset.coldgas_xgass": 0.07, "mass_scale": 0.0,
              "discrepancy.shmr_behroozi19_sf": 0.05}  # fmt: skip
    gas, shmr = (target.data.positions(m.name) for m in (measured[1], measured[0]))
    # A free offset takes the place of the systematic covariance; a discrepancy adds to one measurement alone.
    np.testing.assert_allclose(np.asarray(target.data.covariance)[np.ix_(gas, gas)], measured[1].covariance)
    np.testing.assert_allclose(target.data.shift(values)[gas], 0.07)
    assert not np.any(np.asarray(target.data.shift(values))[shmr])
    # A discrepancy of zero has no prior density: the fit starts at the median of its prior.
    start = dict(zip(target.names, np.asarray(target.theta(target.start())), strict=True))
    assert start["discrepancy.shmr_behroozi19_sf"] == pytest.approx(0.0674, abs=1e-3) and start["mass_scale"] == 0.0
    bare = inference.Prediction(*(np.asarray(each)[0] for each in told))
    extra = target.data.total_covariance(bare, values) - target.data.total_covariance(bare, {**values, names[-1]: 0.0})
    np.testing.assert_allclose(np.diag(extra)[shmr], 0.05**2)
    assert not np.any(np.asarray(extra)[np.ix_(gas, gas)])
    # Stars weighed heavier lower the ratio of halo to stars and move galaxies along the mass axis.
    galaxies = {"mstar": np.ones(2), "mvir": np.full(2, 100.0)}

    class One(dict):
        valid = weights = None

    seen = inference.nuisances.observed(One(galaxies), measured[0], {"mass_scale": 0.1})
    np.testing.assert_allclose(measured[0].relation.y(seen), -1.9)


class MeanPastRate(observables.AbstractRelation):
    """Mean star-formation rate over the past against stellar mass: a relation of histories."""

    title = "mean past star-formation rate"
    x_axis = y_axis = co.units.Quantity("dex", "axis")
    histories = ("sfr", "mstar")

    def x(self, galaxies):
        return jnp.log10(galaxies.history("mstar")[:, -1])

    def y(self, galaxies):
        return jnp.log10(jnp.mean(galaxies.history("sfr"), axis=-1))


def test_a_fit_evolves_the_histories_that_its_relations_need(sample):
    rates = observables.Measurement(
        name="rates", relation=MeanPastRate(), x=[9.5, 10.0, 10.5], y=[0.0, 0.5, 1.0], covariance=0.01 * np.eye(3),
        error_kind="standard error", citation="Author 2020",
    )  # fmt: skip
    target = inference.Target(Growing(), sample, [rates], (*FREE, "mass_scale"), redshifts=[0.0])
    u = np.asarray(target.start())[None]
    population = co.evolve(Growing(), sample, [0.0], histories=("sfr", "mstar"), solver=target.summaries.solver)
    galaxies, kernel = population.at(0.0), observables.LocalLinear(rates.bandwidth, inference.FEWEST_GALAXIES)
    expected = rates.relation.regressed(galaxies, rates.x, kernel)
    linearised = inference.linearise(target, u)
    np.testing.assert_allclose(linearised.prediction.mean[0], expected.mean, rtol=1e-10)
    assert np.all(np.isfinite(linearised.mean_slope)) and np.any(linearised.mean_slope[0, :, 2] != 0.0)


def test_a_target_prints_as_a_few_lines(target):
    lines = repr(target).splitlines()
    assert lines[0].startswith("Target of Growing in 24 halos: 2 free parameters, ")
    assert lines[1].startswith("  free  time     Uniform, ")
    assert any(line.startswith("  data  coldgas_xgass: ") for line in lines) and len(lines) == 6
    fewer = target.using(["coldgas_xgass"])
    assert "shmr_behroozi19_sf" in repr(fewer) and "not used" in repr(fewer)


def test_relation_numbers_can_be_free(sample):
    mzr = observables.load("gasmzr_curti20")
    name = "relation.gasmzr_curti20.solar_metallicity"
    (free,) = inference.free_parameters(co.models.pandya26(), sample.cosmology, [name], None, [mzr])
    assert free.start == pytest.approx(0.0134)
    changed = inference.nuisances.adjusted(mzr, {name: 0.02})
    galaxies = {"mzism": np.full(1, 0.02), "mism": np.ones(1), "mstar": np.ones(1)}
    assert float(changed.relation.y(galaxies)[0]) == pytest.approx(8.69)


def test_student_t_and_limits_are_scipys():
    rng = np.random.default_rng(0)
    root = rng.normal(size=(4, 4))
    covariance, residual = root @ root.T + np.eye(4), rng.normal(size=4)
    groups = [np.array([0, 1]), np.array([2, 3])]
    got = inference.StudentT(5.0)(jnp.asarray(residual), jnp.asarray(covariance), groups)
    expected = sum(
        stats.multivariate_t(np.zeros(2), covariance[np.ix_(g, g)], df=5.0).logpdf(residual[g]) for g in groups
    )
    assert float(got) == pytest.approx(expected, rel=1e-10)
    got = upper_limits(jnp.array([0.3, -0.2]), jnp.array([0.04, 0.01]))
    assert float(got) == pytest.approx(stats.norm.logcdf([1.5, -2.0]).sum(), rel=1e-10)


def test_limits_in_a_fit(sample, measured, told):
    flags = tuple(i == 0 for i in range(len(measured[1])))
    limited = dataclasses.replace(measured[1], upper_limit=flags)
    target = inference.Target(Growing(), sample, [limited], FREE, redshifts=[0.0])
    assert target.data.limits == (0,)
    prediction = inference.Prediction(*(np.asarray(each)[0][-len(flags) :] if np.ndim(each) > 1 else np.asarray(each)[0]
                                        for each in told))  # fmt: skip
    got = float(target.ln_likelihood_of(prediction, {}, target.data.y))
    covariance = np.asarray(target.data.total_covariance(prediction, {}))
    residual = np.asarray(target.data.y) - prediction.mean
    expected = stats.multivariate_normal(cov=covariance[1:, 1:]).logpdf(residual[1:])
    expected += stats.norm.logcdf(residual[0] / np.sqrt(covariance[0, 0]))
    assert got == pytest.approx(expected, rel=1e-8)


def test_scatter_likelihood():
    rule = inference.ScatterLikelihood(error=0.03, measurement=0.1)
    prediction = inference.Prediction(np.zeros(2), np.array([0.02, 0.02]), np.array([0.2, 0.3]), np.ones(2, bool), 0.0)
    got = rule(prediction, jnp.array([0.25, jnp.nan]))
    width = np.sqrt(0.03**2 + 0.5 * 0.02**2)
    assert float(got) == pytest.approx(stats.norm(np.hypot(0.2, 0.1), width).logpdf(0.25), rel=1e-6)


def test_points_beyond_the_galaxies_do_not_count(target):
    heavy = target.coordinates(
        np.log10([3.0, 6.0])
    )  # winds so strong that no galaxy has as many stars as the last points
    fewer, lost = target.within_reach(heavy)
    assert lost["coldgas_xgass"] > 0 and np.isnan(np.asarray(fewer.data.y)).sum() == sum(lost.values())
    alone = fewer.using(["shmr_behroozi19_sf"])
    assert np.isnan(np.asarray(alone.data.y)[alone.data.positions("coldgas_xgass")]).all()


def test_measurements_that_are_not_used_leave_no_spread_of_galaxies(target):
    target = eqx.tree_at(lambda target: target.data.scatter, target, jnp.full(len(target.data), 0.2))
    first, *others = target.data.names
    spread = np.asarray(target.using(others).data.scatter)
    assert np.isnan(spread[target.data.positions(first)]).all()
    assert np.isfinite(spread[target.data.positions(others[0])]).all()


def test_a_model_that_fails_everywhere_says_so(sample, measured):
    target = inference.Target(Growing(blown=float("nan")), sample[:4], measured[:1], FREE, redshifts=[0.0])
    with pytest.raises(ValueError, match="the model fails at all 2 starts"):
        inference.maximise(target, starts=2)


def wrong(sample, measured, **changes):
    asked = dict(data=measured, free=FREE, redshifts=[0.0]) | changes
    return inference.Target(Growing(), sample, asked.pop("data"), asked.pop("free"), **asked)


def singular(measurement):
    covariance = jnp.full((len(measurement),) * 2, 0.01)
    return eqx.tree_at(lambda m: (m.covariance, m.systematic), measurement, (covariance, jnp.zeros(())))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (dict(data=["shmr_behrozi19_sf"]), "unknown measurement 'shmr_behrozi19_sf': did you mean"),
        (dict(data=[]), "got no measurement"),
        (dict(free=("tme",)), "unknown parameter 'tme' of Growing: did you mean time"),
        (dict(free=("time", "time")), "named twice"),
        (dict(free=("offset.nothing",)), "no measurement 'nothing' in this fit"),
        (dict(priors={"time": (1.0, 0.0)}), "the lower one first"),
        (dict(priors={"time": "flat"}), "give .low, high. for a uniform prior"),
        (dict(priors={"other": (0.0, 1.0)}), "other not among the free parameters"),
        (dict(redshifts=[2.0]), "is at z = 0 and none of 2 is near"),
    ],
)
def test_what_is_refused(sample, measured, changes, message):
    with pytest.raises(ValueError, match=message):
        wrong(sample, measured, **changes)


def test_a_singular_covariance_is_refused(sample, measured):
    with pytest.raises(ValueError, match="the covariance is singular already in shmr_behroozi19_sf"):
        wrong(sample, measured, data=[singular(measured[0])])


def test_data_outside_the_halos_are_refused(measured):
    with pytest.raises(ValueError, match="lies at 10.9 to 12.1 in lg Mvir, outside the halos"):
        wrong(co.halos.diffmah_population(4, log_mvir=(13.0, 13.5)), measured)


def test_a_prior_that_excludes_the_start_is_refused(sample, measured):
    target = wrong(sample, measured, priors={"time": (0.8, 0.9)})
    with pytest.raises(ValueError, match="time: 0.477121 .* lies outside its prior .Uniform, 0.8 to 0.9."):
        target.start()


def test_cross_covariance(sample, measured):
    block = np.full((len(measured[0]), len(measured[1])), 1e-5)
    names = tuple(m.name for m in measured)
    target = wrong(sample, measured, cross={names: block})
    first, second = (target.data.positions(name) for name in names)
    np.testing.assert_allclose(np.asarray(target.data.covariance)[np.ix_(first, second)], block)
    with pytest.raises(ValueError, match="has the shape"):
        wrong(sample, measured, cross={names: block.T})
    with pytest.raises(ValueError, match="needs the Gaussian likelihood"):
        wrong(sample, measured, cross={names: block}, likelihood=inference.StudentT())


def test_measurements_of_the_same_galaxies_are_correlated():
    """The correlation of galaxies' residuals is that of their means; it goes when correlations are ignored."""
    gas, stars = (co.observables.load(name) for name in ("gasmzr_sami22", "starmzr_sami22"))
    halves = gas.between(9.0, 12.0), stars.between(8.0, 11.0)
    for one, other in ((gas, stars), (stars, gas), halves):
        block = data_of([one, other])
        first, second = (block.positions(m.name) for m in (one, other))
        found = np.asarray(block.covariance)[np.ix_(first, second)]
        i, j = np.nonzero(found)
        assert len(i) and np.all(np.asarray(one.x)[i] == np.asarray(other.x)[j])
        sigma = np.sqrt(np.diag(one.covariance))[i] * np.sqrt(np.diag(other.covariance))[j]
        np.testing.assert_allclose(found[i, j], np.asarray(one.correlation)[i] * sigma, rtol=1e-12)
    assert gas.cross_covariance(gas) is None
    bare = data_of([gas.diagonal(), stars.diagonal()])
    np.testing.assert_array_equal(bare.covariance, np.diag(np.diag(bare.covariance)))


def test_findings_name_the_masses_at_which_one_kind_of_feedback_wins():
    draws = np.random.default_rng(0).normal(size=(400, 1))
    mass = np.array([10.0, 11.0, 12.0, 13.0, 14.0])
    share = np.tile([0.9, 0.8, 0.5, 0.7, 0.1], (400, 1))
    share[::2, 2] = 0.51
    indices = {"all": (mass, {"preventive_fraction": share})}
    said = tables.findings({"all": 0.1 * draws}, ["slope"], draws, indices=indices)
    assert said[0].startswith("all: 1 of 1 parameters") and "slope (0.10)" in said[0]
    assert "a median of 0.10 to 0.90 over lg Mvir 10.0 to 14.0" in said[1]
    assert "prevention exceeds ejection with 95% probability at lg Mvir 10.0 to 11.0, 13.0;" in said[1]
    assert said[1].endswith("ejection exceeds prevention with 95% probability at 14.0.")


PRIORS = [
    dist.Uniform(0.0, 1.0),
    dist.LogNormal(0.0, 1.0),
    dist.TruncatedNormal(0.0, 1.0, low=-1.0, high=1.0),
    dist.TransformedDistribution(dist.Normal(0.0, 1.0), dist.transforms.ExpTransform()),
]


@pytest.mark.parametrize("prior", PRIORS, ids=lambda prior: type(prior).__name__)
def test_numbers_of_priors_come_in_the_same_order_in_every_process(prior):
    # Otherwise the compiled density of one process is another program than that of the next, and not loaded from disk.
    (free,) = inference.free_parameters(Growing(), co.cosmology.planck18(), ["time"], {"time": prior})
    kinds = [type(part) for part in (free.prior, *vars(free.prior).values()) if isinstance(part, dist.Distribution)]
    for kind in kinds:
        for names in (kind.gather_pytree_data_fields(), kind.gather_pytree_aux_fields()):
            assert list(names) == sorted(names)
    leaves, structure = jax.tree.flatten(free.prior)
    for same in (jax.tree.unflatten(structure, leaves), copy.deepcopy(free.prior)):
        assert isinstance(same, type(prior)) and float(same.log_prob(0.3)) == float(prior.log_prob(0.3))
