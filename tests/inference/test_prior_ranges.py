"""Ranges of priors: in the natural scale or with the scale of their ends named, and inside the range of the law."""

import warnings

import numpy as np
import numpyro.distributions as dist
import pytest

import corundum as co
from corundum.sensitivity import natural_range

MODEL, COSMOLOGY = co.models.ThermalCGM(), co.cosmology.Cosmology()
KNOWN = co.describe(MODEL)
ENERGY, MASS, SLOPE = KNOWN["energy_loading.amplitude"], KNOWN["mass_loading.amplitude"], KNOWN["mass_loading.slope"]


def support(name, prior):
    (free,) = co.inference.free_parameters(MODEL, COSMOLOGY, [name], {name: prior})
    return free.support()


@pytest.mark.parametrize(
    ("about", "ends", "expected"),
    [
        (ENERGY, (-2.0, -1.0), (-2.0, -1.0)),
        (ENERGY, {"low": -2.0, "high": -1.0}, (-2.0, -1.0)),
        (ENERGY, {"low": -2.0, "high": -1.0, "scale": "log10"}, (-2.0, -1.0)),
        (ENERGY, {"low": 0.01, "high": 0.1, "scale": "linear"}, (-2.0, -1.0)),
        (SLOPE, [-3.0, 0.0], (-3.0, 0.0)),
        (SLOPE, {"low": -3.0, "high": 0.0, "scale": "linear"}, (-3.0, 0.0)),
        (KNOWN["inflow_metallicity.amplitude"], {"low": -1.0, "high": 0.0, "scale": "log10"}, (0.1, 1.0)),
    ],
)
def test_both_ways_to_write_a_range(about, ends, expected):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_allclose(natural_range("prior", about, ends), expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("about", "ends", "words"),
    [
        (ENERGY, (0.01, 1.0), r"is in decades, so 1.023 to 10, outside 0.01 to 1, .*'low': 0.01, .*'scale': 'linear'"),
        (
            ENERGY,
            (-3.0, 0.0),
            "in decades, so 0.001 to 1, outside 0.01 to 1, .* give a range inside, or",
        ),
        (ENERGY, {"low": 0.001, "high": 1.0, "scale": "linear"}, r"\(0.001, 1\) is outside 0.01 to 1"),
        (ENERGY, {"low": 0.0, "high": 1.0, "scale": "linear"}, "0 has no logarithm"),
        (SLOPE, (-2.0, 1.0), r"\(-2, 1\) is outside -4 to 0"),
        (SLOPE, (0.0, -2.0), "the lower one first"),
        (SLOPE, (-2.0, np.inf), "two finite numbers"),
        (SLOPE, 2.0, r"got 2.0; give \(low, high\)"),
        (SLOPE, {"low": -2.0}, "got a table with low; give"),
        (SLOPE, {"low": -2.0, "high": 0.0, "scale": "log"}, "got the scale 'log'; allowed 'linear' or 'log10'"),
    ],
)
def test_what_a_range_cannot_be(about, ends, words):
    with pytest.raises(ValueError, match=f"prior: {words}" if words.startswith("got") else words):
        natural_range("prior", about, ends)


def test_a_range_that_can_be_read_in_two_ways_warns_until_its_scale_is_named():
    with pytest.warns(UserWarning, match=r"\(0.01, 1\) is taken in decades, 1.023 to 10; .*'scale': 'linear'.*'log10'"):
        assert natural_range("prior", MASS, (0.01, 1.0)) == (0.01, 1.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert natural_range("prior", MASS, {"low": 0.01, "high": 1.0, "scale": "log10"}) == (0.01, 1.0)


def test_priors_of_fits_and_boxes_of_studies_take_the_same_ranges():
    table = {"low": 0.01, "high": 0.1, "scale": "linear"}
    assert support("energy_loading.amplitude", table) == "Uniform, -2 to -1"
    box = co.sensitivity.prior_box(MODEL, ["energy_loading.amplitude"], {"energy_loading.amplitude": table})
    np.testing.assert_allclose([box.low[0], box.high[0]], [-2.0, -1.0])
    coordinates = co.sensitivity.PriorWidth({"energy_loading.amplitude": table})
    assert float(coordinates.encode("energy_loading.amplitude", ENERGY, 0.1)) == pytest.approx(1.0)
    assert float(box.coordinates.decode("energy_loading.amplitude", ENERGY, 0.0)) == pytest.approx(0.01)
    with pytest.raises(ValueError, match="range of energy_loading.amplitude: .0.01, 1. is in decades"):
        co.sensitivity.prior_box(MODEL, ["energy_loading.amplitude"], {"energy_loading.amplitude": (0.01, 1.0)})


def test_a_distribution_may_reach_outside_the_range_of_the_law():
    assert support("mass_loading.slope", dist.Normal(0.0, 2.0)) == "Normal, 0 with standard deviation 2"
