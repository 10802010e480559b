"""A posterior with every group that fits write; run as a script, it writes the file that its argument names."""

import sys

import numpy as np

from corundum.inference import Laplace, keep_mode
from corundum.io import save_posterior
from corundum.storage.arviz_data import arviz_data, with_groups

NAMES = ("slope", "mass_loading.amplitude")


def posterior_draws():
    """Slow chains of two parameters, two of which lie apart, and what comes with them."""
    rng = np.random.default_rng(5)
    draws = rng.normal(size=(2, 4, 150))
    for step in range(1, 150):
        draws[..., step] += 0.6 * draws[..., step - 1]
    draws[1] += 0.4 * np.arange(4)[:, None]
    energy = rng.normal(size=(4, 150)).cumsum(axis=1)
    points = {"coords": {"point_data": np.array([0.5, 1.5])}, "dims": {"data": ["point_data"]}}
    points["dims"]["error_data"] = ["point_data"]
    data = arviz_data(
        {
            "posterior": dict(zip(NAMES, draws, strict=True)),
            "sample_stats": {"diverging": draws[0] > 3.0, "energy": energy, "n_steps": np.full((4, 150), 7)},
            "prior": dict(zip(NAMES, rng.normal(size=(2, 1, 40)), strict=True)),
            "observed_data": {"data": np.array([0.1, np.nan])},
            "constant_data": {"error_data": np.array([0.1, 0.2])},
        },
        attrs={"sampler": "NUTS (numpyro)", "key": 3, "seconds": 0.25},
        **points,
    )
    for name in NAMES:
        data["posterior"][name].attrs |= {"units": "dex", "log10": 1}
    mode = np.array([0.1, 0.7])
    spread = np.diag(mode)
    keep_mode(data, Laplace(NAMES, ("dex", "dex"), 2.0 * mode, mode, spread, spread, spread, "observed", lambda u: u))
    predicted = {"log_likelihood": {"data": rng.normal(size=(1, 30, 2))}}
    return with_groups(data, arviz_data(predicted, **points))


if __name__ == "__main__":
    save_posterior(sys.argv[1], posterior_draws())
