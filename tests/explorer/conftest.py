"""A small explorer that tests of its server and of its page share."""

import numpy as np
import pytest

import corundum as co
from corundum.numerics import LaneSolver
from corundum.storage.arviz_data import arviz_data


@pytest.fixture(scope="package")
def explorer():
    model = co.models.MinimalRegulator(mass_loading=co.physics.MassLoading())
    halos, solver = co.halos.monte_carlo_trees(12, key=3), LaneSolver(tolerance=1e-8)
    view = co.explorer.view_of(model, halos, ["shmr_behroozi19_sf", "coldgas_xgass"], solver=solver)
    return co.explorer.Explorer(view, "a small sample", lambda laws, values: f"{laws} {values}")


@pytest.fixture(scope="package")
def believing(explorer):
    """The same with a prior of one of its numbers, and a posterior of two and of a nuisance that the model lacks."""
    rng = np.random.default_rng(0)
    draws = {"mass_loading.amplitude": 10.0 ** rng.normal(0.3, 0.1, (2, 100)), "scatter": rng.normal(size=(2, 100))}
    draws["mass_loading.slope"] = rng.normal(-1.1, 0.1, (2, 100))
    posterior = arviz_data({"posterior": draws})
    priors = {"mass_loading.slope": (-2.0, -0.5)}
    return co.explorer.Explorer(explorer.view, "a small sample", posterior=posterior, priors=priors)
