"""The reference posterior of the standard problem, which has two modes: chains against weighted draws."""

import json

import numpy as np
import pytest

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
