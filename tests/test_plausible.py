"""Numbers that no halo has are refused with the likely mistake; those of every real halo pass."""

import numpy as np
import pytest

from corundum import plausible as P

TIME = np.geomspace(0.4, 13.8, 20)
GROWTH = 12.0 + 1.5 * np.log10(TIME / 13.8) + np.array([[-3.0], [0.0], [3.0]])


def test_real_halos_pass():
    P.check_log_masses("log_mvir", GROWTH, TIME)
    P.check_log_masses("log_mvir", np.zeros((0, 20)), TIME)
    P.check_ages("time", TIME, 13.8)
    P.check_ages("time", np.array([13.9]), 13.8)  # a little beyond today, as some simulations run
    P.check_redshifts("redshift", np.array([0.0, -0.01, 30.0]))
    P.check_weights("weights", np.array([0.0, 1e-5, 3.0]))
    P.check_concentrations("log_concentration", np.full((2, 3), 0.9))
    P.check_radii("log_rvir", GROWTH / 3.0 + 0.1, GROWTH / 3.0)


def _with(row, column, value):
    changed = GROWTH.copy()
    changed[row, column] = value
    return changed


@pytest.mark.parametrize(
    ("log_mvir", "words"),
    [
        (GROWTH * np.log(10.0), "looks like a natural logarithm"),
        (10.0**GROWTH, "may be the masses themselves"),
        (GROWTH - 10.0, "may be another unit, such as 10.10 Msun"),
        (np.full((2, 3), -999.0), "-999, a fill value of missing data"),
        (_with(1, 4, 20.0), "halo 1 has 1e.20 Msun at .* a fill value of missing data; leave that halo out"),
        (GROWTH[:, ::-1], "lose 2.31 dex .* not lookback times"),
    ],
)
def test_masses_that_no_halo_has_are_refused(log_mvir, words):
    with pytest.raises(ValueError, match=words):
        P.check_log_masses("log_mvir", log_mvir, np.linspace(1.0, 13.0, log_mvir.shape[1]))


@pytest.mark.parametrize(
    ("age", "words"),
    [
        (TIME * 1e3, "may be in Myr"),
        (TIME * 1e9, "may be in yr"),
        ([1.0, 1e20], "a fill value"),
        ([1.0, 17.0], "the cosmology that these times belong to"),
        ([-999.0, 13.0], "got -999"),
        ([1.0, np.nan], "got nan"),
    ],
)
def test_times_that_are_no_cosmic_ages_are_refused(age, words):
    with pytest.raises(ValueError, match=words):
        P.check_ages("time", np.asarray(age), 13.8)


def test_other_numbers_are_refused():
    for check, values, words in (
        (P.check_redshifts, np.array([0.0, 1e20]), "got 1e.20, a fill value"),
        (P.check_weights, np.array([1.0, np.nan]), "halo 1 has the weight nan"),
        (P.check_concentrations, np.full((2, 3), 9.0), "not the concentration itself"),
        (P.check_concentrations, np.full((2, 3), np.log(9.0)), "natural logarithm"),
        (P.check_concentrations, np.full((2, 3), -0.1), "within 0 and 3"),
    ):
        with pytest.raises(ValueError, match=words):
            check("name", values)
    with pytest.raises(ValueError, match="0.667 times"):
        P.check_radii("rvir", GROWTH / 3.0 + np.log10(2.0 / 3.0), GROWTH / 3.0)
