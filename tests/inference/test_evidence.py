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
FEW = inference.NestedSampler(live=300, effective=2000)


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
    return inference.sample(target, start, sampler=inference.SurrogateHMC(chains=4, warmup=40, draws=500), key=key)


def test_bridge_sampling_gives_the_evidence_of_a_linear_model_and_its_error(linear):
    target, ln_z = linear
    posterior = chains_of(target)
    many = [inference.bridge_evidence(target, posterior, draws=400, key=key) for key in range(8)]
    for evidence in many:
        assert abs(evidence.ln_z - ln_z) < 5.0 * evidence.error < 0.5
    assert np.std([evidence.ln_z for evidence in many]) < 3.0 * many[0].error
    assert "bridge sampling, 7" in repr(many[0])


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
    few = inference.NestedSampler(live=100, effective=200, most_solves=200)
    with pytest.raises(ValueError, match="NestedSampler: 200 solves were not enough; allow more"):
        inference.sample(target, sampler=few, store=store)
    enough = inference.NestedSampler(live=100, effective=200)
    posterior = inference.sample(target, sampler=enough, store=store)
    whole = inference.sample(target, sampler=enough)
    np.testing.assert_array_equal(posterior.u, whole.u)
    with pytest.raises(ValueError, match="belongs to a different run"):
        inference.sample(target, sampler=enough, store=store, key=5)


def test_mistakes_are_refused(linear, squared):
    target, _ = linear
    posterior = chains_of(squared[0])
    with pytest.raises(ValueError, match="posterior: has a, but the target has a, b; give its own"):
        inference.bridge_evidence(target, posterior)
    short = posterior._replace(u=posterior.u[:1, :10])
    with pytest.raises(ValueError, match="has 10 draws of 1 parameters; bridge sampling needs at least 20"):
        inference.bridge_evidence(squared[0], short)
    with pytest.raises(ValueError, match="live: got 3; give a whole number of at least 20"):
        inference.NestedSampler(live=3)
    with pytest.raises(ValueError, match="finest: got 1.5; allowed a number between 0 and 1"):
        inference.NestedSampler(finest=1.5)
