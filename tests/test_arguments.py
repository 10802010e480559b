"""Arguments of public functions: what is taken as a count, a pair or an object, and what the refusal says."""

import jax
import numpy as np
import pytest

import corundum as co
from corundum.arguments import instance, mass_range, one_number, pair, strategy, whole_number
from corundum.numerics.random_keys import random_key, seed


@pytest.mark.parametrize("value", [3, 3.0, np.int64(3), np.float32(3.0), np.array(3)])
def test_whole_numbers_of_any_kind_are_counts(value):
    number = whole_number("n", value)
    assert number == 3 and type(number) is int


@pytest.mark.parametrize("value", [2.5, np.inf, np.nan, True, "3", None, [3], 0, -1])
def test_other_things_are_no_counts(value):
    with pytest.raises(ValueError, match=r"n: got .*; give a whole number of at least 1"):
        whole_number("n", value)


@pytest.mark.wrong_types
def test_a_count_that_is_kept_as_it_is_must_be_an_integer():
    with pytest.raises(ValueError, match="draws: got 100.0"):
        co.inference.HMC(draws=100.0)
    with pytest.raises(ValueError, match="whole number from 1 to 8"):
        whole_number("n", 9, most=8)


@pytest.mark.parametrize("value", [12.0, (12.0,), (10.0, 11.0, 12.0), "12", None, {"low": 1.0}, ("a", "b")])
def test_a_pair_is_two_numbers(value):
    with pytest.raises(ValueError, match="log_mvir: got .*; give the lowest and the highest"):
        pair("log_mvir", value, meaning="the lowest and the highest")


def test_ranges_of_mass():
    assert mass_range("log_mvir", [12, 12], least=8.0, most=15.5) == (12.0, 12.0)
    with pytest.raises(ValueError, match=r"which are masses; give log10 of mass \[Msun\], \(11, 12.3\)"):
        mass_range("log_mvir", (1e11, 2e12), least=8.0, most=15.5)
    for wrong in ((7.0, 12.0), (12.0, 16.0), (13.0, 12.0), (np.nan, 12.0)):
        with pytest.raises(ValueError, match="within 8 and 15.5, the lower one first"):
            mass_range("log_mvir", wrong, least=8.0, most=15.5)


def test_one_number_may_have_a_unit_and_must_be_alone():
    from astropy import units

    assert one_number("age", 500.0 * units.Myr, meaning="a cosmic age [Gyr]", unit="Gyr") == 0.5
    for wrong in ([0.0, 1.0], "0", None, np.zeros(2)):
        with pytest.raises(ValueError, match="give one redshift"):
            one_number("redshift", wrong, meaning="one redshift")


def test_a_class_that_needs_arguments_is_not_said_to_be_made_without():
    with pytest.raises(TypeError, match="halos: got the class HaloHistories; give halos"):
        instance("halos", co.halos.HaloHistories, co.halos.HaloHistories, expected="halos")


def test_a_strategy_is_of_the_family_of_its_default():
    assert strategy("mode", None, co.sensitivity.Forward()) == co.sensitivity.Forward()
    reverse = co.sensitivity.Reverse()
    assert strategy("mode", reverse, co.sensitivity.Forward()) is reverse
    with pytest.raises(TypeError, match=r"got the class Reverse; write Reverse\(\)"):
        strategy("mode", co.sensitivity.Reverse, co.sensitivity.Forward())
    with pytest.raises(TypeError, match="got a Ln; give an object derived from AbstractMode, such as Forward"):
        strategy("mode", co.sensitivity.Ln(), co.sensitivity.Forward())


@pytest.mark.wrong_types
def test_keys():
    key = jax.random.key(3)
    assert random_key(key) is key and bool(random_key(np.int64(3)) == key)
    assert random_key(jax.random.PRNGKey(3)).dtype == np.uint32
    for wrong in ("a", 1.5, None, -1):
        with pytest.raises(ValueError, match="key: got"):
            random_key(wrong)
        with pytest.raises(ValueError, match="give a whole number from 0"):
            seed(wrong)
