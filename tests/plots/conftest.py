"""Populations that cost no solve, for all tests of figures, which must leave the settings of matplotlib alone."""

import copy
import sys

import matplotlib
import pytest

from synthetic import histories
from synthetic import population as made


@pytest.fixture(scope="module")
def trees():
    return histories()


@pytest.fixture(scope="module")
def galaxies(trees):
    return made(trees)


@pytest.fixture(scope="module")
def grown(trees):
    return made(trees, redshifts=(6.0, 3.0, 1.0, 0.0, 0.3))


@pytest.fixture(autouse=True)
def matplotlib_is_left_alone():
    before = copy.deepcopy(dict(matplotlib.rcParams))
    yield
    assert dict(matplotlib.rcParams) == before
    pyplot = sys.modules.get("matplotlib.pyplot")
    assert pyplot is None or pyplot.get_fignums() == []
