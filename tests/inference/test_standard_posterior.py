"""The standard problem by nested sampling, which shares nothing with chains but the target, against long plain chains.

python -m pytest -m slow tests/inference/test_standard_posterior.py
"""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from corundum import inference

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def known():
    return json.loads((ROOT / "tests" / "data" / "standard_posterior.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def target(known):
    sys.path.insert(0, str(ROOT / "benchmarks"))
    try:
        from inference import standard
    finally:
        sys.path.remove(str(ROOT / "benchmarks"))
    problem, _ = standard(60).within_reach()
    assert [parameter.name for parameter in problem.free] == known["names"]
    return problem


@pytest.mark.slow
def test_nested_sampling_agrees_with_long_chains(target, known):
    """Medians and widths in units of the errors that both leave; the mean of the chains is known to 1/sqrt(ESS)."""
    posterior = inference.sample(target, None, sampler=inference.NestedSampler(live=1000, effective=4000), key=3)
    draws = posterior.u.reshape(-1, posterior.u.shape[-1])
    deviation = np.sqrt(np.diag(known["covariance_u"]))
    error = deviation * np.sqrt(1.0 / np.asarray(known["ess_bulk"]) + 1.0 / 4000)
    shift = (draws.mean(axis=0) - np.asarray(known["mean_u"])) / error
    print("shift of means in errors", shift.round(2), "in standard deviations", (shift * error / deviation).round(3))
    print("ratio of widths", (draws.std(axis=0) / deviation).round(3), "ln evidence", posterior.data.attrs)
    assert np.abs(shift).max() < 4.0
    np.testing.assert_allclose(draws.std(axis=0), deviation, rtol=0.15)
    assert posterior.data.attrs["ln_evidence_error"] < 0.2
