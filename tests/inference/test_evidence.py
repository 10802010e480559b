"""Evidences of targets whose evidence is known, by bridge sampling and by nested sampling."""

import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
import pytest
from scipy import stats

import corundum as co
from corundum import inference
from corundum.inference.batches import in_batches

SLOPES = np.array([[1.0, 0.5], [0.2, 2.0], [1.0, 1.0]])
COVARIANCE = np.diag([0.013, 0.043, 0.013]) + 0.003
Y = np.array([1.0, 2.0, 1.5])
SAMPLER = inference.HMC(chains=4, warmup=60, draws=500)
FEW = inference.NestedSampler(live=200, effective=1000, networks=0)


@pytest.fixture(scope="module")
def linear():
    """A linear target, and its evidence in closed form."""
    priors = {"a": dist.Normal(0.0, 1.0), "b": dist.Normal(1.0, 2.0)}
    target = inference.Target.of_function(lambda theta: jnp.asarray(SLOPES) @ theta, Y, COVARIANCE, priors)
    spread = COVARIANCE + SLOPES @ np.diag([1.0, 4.0]) @ SLOPES.T
    return target, stats.multivariate_normal(SLOPES @ [0.0, 1.0], spread).logpdf(Y)


@pytest.fixture(scope="module")
def squared():
    """Two modes, at -1 and 1, of which the second is nearer to the middle of the prior."""
    target = inference.Target.of_function(
        lambda theta: theta**2, [1.0], [0.04], {"a": dist.Normal(0.3, 1.0)}
    )  # fmt: skip
    axis = np.linspace(-8.0, 8.0, 200_001)[:, None]
    ln_density = in_batches(inference.ln_density_at, target, axis, width=len(axis))
    theta = np.asarray(target.theta(axis))[:, 0]
    density = np.exp(ln_density)
    return target, np.log(np.trapezoid(density, axis[:, 0])), density[theta > 0].sum() / density.sum()


def chains_of(target, key=0):
    start = inference.laplace(target, inference.maximise(target, starts=4))
    return inference.sample(target, start, sampler=SAMPLER, key=key)


@pytest.fixture(scope="module")
def chains(linear):
    return chains_of(linear[0])


def test_bridge_sampling_gives_the_evidence_of_a_linear_model_and_its_error(linear, chains):
    target, ln_z = linear
    posterior = chains
    many = [inference.bridge_evidence(target, posterior, draws=400, key=key) for key in range(8)]
    for evidence in many:
        assert abs(evidence.ln_z - ln_z) < 5.0 * evidence.error < 0.5
    assert np.std([evidence.ln_z for evidence in many]) < 3.0 * many[0].error
    assert "bridge sampling, 7" in repr(many[0])


@pytest.mark.slow
def test_bridge_sampling_with_a_curved_posterior_and_an_edge():
    target = inference.Target.of_function(
        lambda theta: jnp.stack([theta[0] + theta[1] ** 2, theta[1]]), [0.3, 0.2], [0.02, 0.3],
        {"a": (0.0, 3.0), "b": (-3.0, 3.0)},
    )  # fmt: skip
    axis = np.linspace(-7.0, 7.0, 1201)
    u = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
    density = np.exp(in_batches(inference.ln_density_at, target, u, width=len(u)))
    ln_z = np.log(density.sum() * (axis[1] - axis[0]) ** 2)
    evidence = inference.bridge_evidence(target, chains_of(target))
    assert abs(evidence.ln_z - ln_z) < 5.0 * evidence.error < 0.5


def test_nested_sampling_gives_the_evidence_and_the_posterior(linear):
    target, ln_z = linear
    posterior = inference.sample(target, sampler=FEW, key=1)
    about = posterior.data.attrs
    assert abs(about["ln_evidence"] - ln_z) < 5.0 * about["ln_evidence_error"] < 0.5
    bridge = inference.bridge_evidence(target, posterior, draws=400)
    assert abs(bridge.ln_z - ln_z) < 5.0 * bridge.error
    np.testing.assert_allclose(
        posterior.data.sample_stats.lp.values[0, :5],
        inference.ln_density_at(target, posterior.u[0, :5]), atol=1e-9,
    )  # fmt: skip


def test_nested_sampling_gives_two_modes_their_shares(squared):
    target, ln_z, share = squared
    posterior = inference.sample(target, sampler=FEW, key=2)
    number = posterior.flat.size
    assert np.mean(posterior.flat > 0) == pytest.approx(share, abs=5.0 * np.sqrt(share * (1 - share) / number))
    assert abs(posterior.data.attrs["ln_evidence"] - ln_z) < 5.0 * posterior.data.attrs["ln_evidence_error"]


def test_an_interrupted_nested_run_goes_on(linear, tmp_path):
    target, ln_z = linear
    store = co.io.Checkpoint(tmp_path / "chains.npz")
    few = inference.NestedSampler(live=60, effective=100, networks=0, most_solves=100)
    with pytest.raises(ValueError, match="NestedSampler: 100 solves were not enough; allow more"):
        inference.sample(target, sampler=few, store=store)
    enough = inference.NestedSampler(live=60, effective=100, networks=0)
    posterior = inference.sample(target, sampler=enough, store=store)
    whole = inference.sample(target, sampler=enough)
    np.testing.assert_array_equal(posterior.u, whole.u)
    with pytest.raises(ValueError, match="belongs to a different run"):
        inference.sample(target, sampler=enough, store=store, key=5)


def test_mistakes_are_refused(linear, squared, chains):
    target, _ = linear
    with pytest.raises(ValueError, match="posterior: has a, b, but the target has a; give its own"):
        inference.bridge_evidence(squared[0], chains)
    short = chains._replace(u=chains.u[:1, :10])
    with pytest.raises(ValueError, match="has 10 draws of 2 parameters; bridge sampling needs at least 40"):
        inference.bridge_evidence(target, short)
    with pytest.raises(ValueError, match="live: got 3; give a whole number of at least 20"):
        inference.NestedSampler(live=3)
    with pytest.raises(ValueError, match="finest: got 1.5; allowed a number between 0 and 1"):
        inference.NestedSampler(finest=1.5)


@pytest.fixture(scope="module")
def compared():
    """Data on a straight line, fitted by lines through the origin and by any line."""
    x = np.linspace(0.0, 1.0, 12)
    y = 1.0 + 0.6 * x + 0.1 * np.random.default_rng(5).normal(size=12)
    priors = {"a": dist.Normal(0.0, 2.0), "b": dist.Normal(0.0, 2.0)}
    columns = {"line": [1.0 + 0.0 * x, x], "through the origin": [x]}
    fits, exact = {}, {}
    for label, parts in columns.items():
        slopes = np.stack(parts, axis=1)
        names = {"line": "ab", "through the origin": "b"}[label]
        target = inference.Target.of_function(
            lambda theta, slopes=slopes: jnp.asarray(slopes) @ theta, y, np.full(12, 0.01),
            {name: priors[name] for name in names},
        )  # fmt: skip
        fits[label] = (target, chains_of(target))
        exact[label] = stats.multivariate_normal(np.zeros(12), 0.01 * np.eye(12) + 4.0 * slopes @ slopes.T).logpdf(y)
    return fits, exact, x, y


def test_models_are_compared_by_evidence_and_cross_validation(compared):
    fits, exact, x, y = compared
    result = inference.compare(fits, draws=500, evidence_draws=500)
    assert [row["model"] for row in result.rows()] == ["line", "through the origin"]
    for label, evidence in zip(result.labels, result.evidence, strict=True):
        assert abs(evidence.ln_z - exact[label]) < 5.0 * evidence.error + 1e-3 < 0.6
    factor, error = result.ln_bayes_factor("through the origin")
    assert factor == pytest.approx(exact["through the origin"] - exact["line"], abs=5.0 * error)
    # Leaving each point out in turn, in closed form: a Gaussian given the others.
    expected, slopes = 0.0, np.stack([np.ones(12), x], axis=1)
    spread = 0.01 * np.eye(12) + 4.0 * slopes @ slopes.T
    for i in range(12):
        rest = np.delete(np.arange(12), i)
        joint = stats.multivariate_normal(np.zeros(12), spread).logpdf(y)
        expected += joint - stats.multivariate_normal(np.zeros(11), spread[np.ix_(rest, rest)]).logpdf(y[rest])
    place = result.labels.index("line")
    assert result.loo[place].elpd == pytest.approx(expected, abs=0.3)
    assert result.waic[place].elpd == pytest.approx(expected, abs=0.5)
    covariance = np.linalg.inv(slopes.T @ slopes / 0.01 + np.eye(2) / 4.0)
    width = np.sqrt(0.01 + np.einsum("ip,pq,iq->i", slopes, covariance, slopes))
    with_all = stats.norm(slopes @ covariance @ slopes.T @ y / 0.01, width).logpdf(y).sum()
    assert result.loo[place].parameters == pytest.approx(with_all - expected, abs=0.3)
    assert result.loo[place].doubtful <= 0.2
    assert result.loo_difference[place] == (0.0, 0.0)
    assert result.p_value[place]["data"] > 0.05 > result.p_value[result.labels.index("through the origin")]["data"]
    assert "line against through the origin" in str(result) and "the data prefer the first strongly" in str(result)


def test_models_of_other_data_are_not_compared(compared):
    fits, _, _, y = compared
    target, posterior = fits["line"]
    with pytest.raises(ValueError, match="fits: got 1; give at least two"):
        inference.compare({"line": (target, posterior)})
    fewer = target.with_data(np.where(np.arange(12) == 3, np.nan, y))
    with pytest.raises(ValueError, match="fits: less has other data than all"):
        inference.compare({"all": (target, posterior), "less": (fewer, posterior)})
