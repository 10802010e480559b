"""Smoothing of branches in ln(t): power laws and ends are kept, and the kernel has the stated width."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from corundum import halos as H
from corundum.cosmology import pandya26_cosmology

TIME = np.geomspace(0.8, float(pandya26_cosmology().age(0.0)), 40)


@given(width=st.floats(0.02, 0.3), alpha=st.floats(0.1, 4.0))
@settings(max_examples=20, deadline=None)
def test_smoothing_keeps_power_laws_and_both_ends(width, alpha):
    smoothing, x = H.GaussianInLogTime(width), np.log(TIME)
    at = np.linspace(x[0] - 1.0, x[-1], 50)
    np.testing.assert_allclose(smoothing(x, alpha * x, at), alpha * at, atol=1e-9)
    bumpy = np.maximum.accumulate(alpha * x + 0.3 * np.sin(9 * x))
    smooth = smoothing(x, bumpy, x)
    np.testing.assert_allclose(smooth[[0, -1]], bumpy[[0, -1]], atol=1e-12)
    assert np.all(np.diff(smoothing(x, bumpy, at)) >= -1e-12)


def test_smoothing_is_a_gaussian_of_the_stated_width():
    # A Gaussian turns sin(kx) into exp(-k^2 width^2 / 2) sin(kx) away from the ends.
    x = np.linspace(0.0, 6.0, 3000)
    at = np.linspace(2.0, 4.0, 20)
    smooth = H.GaussianInLogTime(0.1)(x, np.sin(8.0 * x), at)
    np.testing.assert_allclose(smooth, np.exp(-0.5 * 0.8**2) * np.sin(8.0 * at), atol=2e-3)


def test_no_bend_where_a_history_starts():
    x = np.log(TIME)
    smoothing, start = H.GaussianInLogTime(0.15), x[0]
    at = start + np.array([-2e-3, -1e-3, 0.0, 1e-3, 2e-3])
    values = smoothing(x, np.sin(3 * x), at)
    np.testing.assert_allclose(np.diff(values), np.diff(values)[0], rtol=2e-3)
