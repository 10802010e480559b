"""The reference posterior of the standard problem, which has two modes: chains against weighted draws."""

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
def test_surrogate_chains_have_the_reference_posterior(reference):
    """Medians, 68% widths and the share of the second mode, from the prior on: no mode is handed over."""
    halos = co.halos.monte_carlo_trees(60, log_mvir=(10.0, 12.6), key=1, candidates=16)
    target, _ = inference.Target(
        co.models.pandya26(), halos, ("shmr_behroozi19_sf", "coldgas_xgass", "gasmzr_curti20"),
        co.models.PANDYA26_FREE, redshifts=[0.0], monte_carlo_error=0.5,
        solver=co.numerics.LaneSolver(tolerance=inference.TOLERANCE),
    ).within_reach()  # fmt: skip
    assert target.names == tuple(reference["names"])
    posterior = inference.sample(target, sampler=inference.SurrogateHMC(draws=2000), key=3)
    assert posterior.verdict.good
    draws = posterior.flat
    rows = [reference["levels"].index(level) for level in LEVELS]
    low, median, high = np.percentile(draws, LEVELS, axis=0)
    expected_low, expected, expected_high = np.array(reference["percentiles"])[rows]
    assert np.all(np.abs(median - expected) < 0.1 * np.array(reference["standard_deviation"]))
    np.testing.assert_allclose(high - low, expected_high - expected_low, rtol=0.08)
    share = np.mean((draws[:, 0] > 0.6) & (draws[:, 2] < -0.7))  # as benchmarks/reference_posterior.py divides them
    assert abs(share - reference["second_mode"]["share"]) < 0.04
