"""The posterior of the standard problem, which has two modes, against the reference in tests/data."""

import json

import numpy as np
import pytest

import corundum as co
from corundum import inference
from places import DATA

LEVELS = (15.865, 50.0, 84.135)


@pytest.fixture(scope="module")
def reference():
    return json.loads((DATA / "standard_posterior.json").read_text())


def standard():
    """The problem of benchmarks/inference.py."""
    halos = co.halos.monte_carlo_trees(60, log_mvir=(10.0, 12.6), key=1, candidates=16)
    target = inference.Target(
        co.models.pandya26(), halos, ("shmr_behroozi19_sf", "coldgas_xgass", "gasmzr_curti20"),
        co.models.PANDYA26_FREE, redshifts=[0.0], monte_carlo_error=0.5,
        solver=co.numerics.LaneSolver(tolerance=inference.TOLERANCE),
    )  # fmt: skip
    return target.within_reach()[0]


def test_chains_and_weights_of_the_reference_agree(reference):
    """Weighted draws of a mixture need neither chains nor a surrogate."""
    weighted = reference["provenance"]["by_importance"]
    share, of_each = reference["second_mode"]["share"], np.array(reference["second_mode"]["of_each_chain"])
    error = np.hypot(weighted["second_mode_error"], of_each.std(ddof=1) / np.sqrt(len(of_each)))
    assert 0.2 < share < 0.4 and abs(share - weighted["second_mode"]) < 3.0 * error
    rows = [reference["levels"].index(level) for level in LEVELS]
    percentiles, other = (np.array(numbers["percentiles"])[rows] for numbers in (reference, weighted))
    width = np.array(reference["standard_deviation"])
    # A quantile between two modes is known less well than the root of the number says.
    assert np.all(np.abs(percentiles - other) < 0.2 * width)
    assert np.max(reference["rhat"]) < 1.01 and np.min(reference["ess_tail"]) > 2000


@pytest.mark.slow
def test_surrogate_chains_have_the_posterior_of_the_reference(reference):
    """Four minutes on one core, programs to be compiled included."""
    target = standard()
    posterior = inference.sample(target, sampler=inference.SurrogateHMC(), key=3)
    assert target.names == tuple(reference["names"])
    assert posterior.verdict.good, posterior.verdict.sentence
    rows = [reference["levels"].index(level) for level in LEVELS]
    low, middle, high = np.array(reference["percentiles"])[rows]
    known = np.array(reference["percentile_errors"])[rows]
    of_chains = np.percentile(posterior.theta, LEVELS, axis=1)
    errors = 2.0 * np.hypot(of_chains.std(axis=1, ddof=1) / np.sqrt(of_chains.shape[1]), known)
    ours = np.percentile(posterior.flat, LEVELS, axis=0)
    width = np.array(reference["standard_deviation"])
    assert np.all(np.abs(ours[1] - middle) < 0.1 * width + errors[1])
    ratio = (ours[2] - ours[0]) / (high - low)
    assert np.all(np.abs(ratio - 1.0) < 0.05 + np.hypot(errors[0], errors[2]) / (high - low))
    share = (posterior.theta[..., 0] > 0.6) & (posterior.theta[..., 2] < -0.7)
    assert abs(share.mean() - reference["second_mode"]["share"]) < 0.06
