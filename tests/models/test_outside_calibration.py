"""Halos beside those of the calibration: each difference is one sentence, and the same halos give none."""

import dataclasses

import numpy as np
import pytest

import corundum as co
from corundum.models.checks.calibrated import calibrated_for, halo_domain, outside_calibration


@pytest.fixture(scope="module")
def trees():
    return co.halos.monte_carlo_forest(6, log_mvir=(11.0, 13.5), smallest=0.02, key=3)


def test_the_halos_of_a_calibration_are_inside_of_it(trees):
    domain = {**halo_domain(trees), "redshifts": [0.0, 2.2]}
    assert outside_calibration(trees, [0.0, 2.0], domain) == []


def test_the_shipped_calibration_says_what_it_was_made_for():
    domain = calibrated_for()
    assert domain["omega_m"] == pytest.approx(float(co.halos.complete_roots(0.0, 4).cosmology.omega_m))
    assert domain["log_mvir"] == pytest.approx([9.8, 14.2], abs=0.3) and domain["log_satellite"] < 11.0


def test_a_domain_is_read_off_the_halos(trees):
    domain = halo_domain(trees)
    host, log_mvir = np.asarray(trees.host), np.asarray(trees.log_mvir)
    assert domain["log_mvir"] == pytest.approx([log_mvir[host < 0, -1].min(), log_mvir[host < 0, -1].max()])
    assert domain["log_satellite"] == pytest.approx(log_mvir[host >= 0].max(axis=1).min())


def _other_cosmology(halos):
    return dataclasses.replace(halos, cosmology=co.cosmology.Cosmology(omega_m=0.25, h=0.73, omega_b=0.045))


@pytest.mark.parametrize("change,domain,words", [
    (_other_cosmology, {}, "cosmology: these halos have Omega_m = 0.250, h = 0.730 and a baryon share of 0.180; the"),
    (lambda halos: halos, {"log_mvir": [12.0, 14.2]}, "masses: these halos end with log10 Mvir of 1"),
    (lambda halos: halos, {"log_satellite": 7.0}, "resolution: satellites of these halos fell in with log10"),
    (lambda halos: co.halos.complete_roots(0.0, 4, log_mvir=(11.5, 12.9)), {}, "these halos have none, and the model"),
])  # fmt: skip
def test_each_difference_is_one_sentence(trees, change, domain, words):
    sentences = outside_calibration(change(trees), [0.0], {**halo_domain(trees), "redshifts": [0.0, 2.2], **domain})
    assert len(sentences) == 1 and words in sentences[0], sentences


def test_redshifts_beyond_the_survey_are_named(trees):
    (sentence,) = outside_calibration(trees, [0.0, 6.0], {**halo_domain(trees), "redshifts": [0.0, 2.2]})
    assert sentence == "redshifts: the model was calibrated up to z = 2.2; got z = 6"
