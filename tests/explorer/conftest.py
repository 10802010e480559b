"""A small explorer that tests of its server and of its page share."""

import pytest

import corundum as co
from corundum.numerics import LaneSolver


@pytest.fixture(scope="package")
def explorer():
    model = co.models.MinimalRegulator(mass_loading=co.physics.MassLoading())
    halos, solver = co.halos.monte_carlo_trees(12, key=3), LaneSolver(tolerance=1e-8)
    view = co.explorer.view_of(model, halos, ["shmr_behroozi19_sf", "coldgas_xgass"], solver=solver)
    return co.explorer.Explorer(view, "a small sample", lambda laws, values: f"{laws} {values}")
