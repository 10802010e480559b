"""Whether the intervals of a calibration can be believed: mocks of planted numbers, in halos of their own.

    python benchmarks/calibration.py -o out/benchmarks [--mocks 40] [--halos 120]

The reference model in main branches of today with mergers (the cheap form), on the tests of the survey "reference" at
z = 0.  Each truth is drawn from the prior, a tenth of each range about the calibrated number, in twice as many halos as
the calibration has.  Results go to calibration.json; evaluations are kept, so that a run that was interrupted goes on.
"""

import argparse
import json
import time
from pathlib import Path

from corundum.configuration import configure

configure()

import numpy as np  # noqa: E402
import numpyro.distributions as dist  # noqa: E402

import corundum as co  # noqa: E402
from corundum import inference  # noqa: E402

FREE = (
    "mass_loading.amplitude", "mass_loading.slope", "prevention.log_pivot", "stellar_return.metal_yield",
    "depletion_time.law.molecular_time", "processes.discs.kept", "processes.black_hole.cold.share",
    "processes.black_hole.feedback.pivot",
)  # fmt: skip
MASSES = (10.5, 14.5)
WIDTH = 0.1  # of the priors, over the declared range


def priors(model):
    """A Gaussian about each number, in decades where its range is in decades."""
    about = {}
    for name in FREE:
        parameter = co.describe(model)[name]
        scale = np.log10 if parameter.scale == "log10" else np.asarray
        low, high = (float(scale(end)) for end in parameter.bounds)
        about[name] = dist.Normal(float(scale(parameter.value)), WIDTH * (high - low))
    return about


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--out", type=Path, required=True)
    parser.add_argument("--mocks", type=int, default=40)
    parser.add_argument("--halos", type=int, default=120)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    model = co.models.reference(satellites=False)
    halos = co.halos.complete_roots(0.0, options.halos, log_mvir=MASSES, key=1)
    began = time.perf_counter()
    campaign = inference.calibrate_mocks(
        model, halos, co.observables.survey("reference").at([0.0]), FREE,
        options.mocks, priors(model), starts=1, rounds=3, damping=0.1, difference=0.4,
        truth_halos=lambda mock: co.halos.complete_roots(0.0, 2 * options.halos, log_mvir=MASSES, key=100 + mock),
        ties={"processes.phases.molecular_time": "depletion_time.law.molecular_time"},
        store=co.io.Checkpoint(options.out / "calibration.npz"),
        progress=lambda done, total: print(f"{time.perf_counter() - began:6.0f} s: {done} of {total}", flush=True),
    )  # fmt: skip
    print(campaign)
    levels, shares = campaign.curve((0.5, 0.6827, 0.9))
    rows = {
        name: dict(zip(("50%", "68%", "90%"), shares[:, i].round(3).tolist(), strict=True), uniform=float(p))
        for i, (name, p) in enumerate(zip(FREE, campaign.uniformity(), strict=True))
    }
    for name, row in rows.items():
        print(f"{name:40s}", row)
    rows["seconds"] = time.perf_counter() - began
    (options.out / "calibration.json").write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
