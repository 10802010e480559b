"""What has a simple model to learn to make the galaxies of a richer one?

    python examples/learn_another_model.py OUT [STEPS] [HALOS]

`TurbulentCGM()` supports its hot gas by turbulence as well as by heat; `ThermalCGM()` knows heat alone.  Networks in
four laws of the thermal model, and a flow that none of its laws has, are trained on stars, interstellar and
circumgalactic gas of turbulent galaxies at four redshifts.  Both thermal models are judged on halos that were not seen,
and the learned laws are drawn.
"""

import sys
from pathlib import Path

import numpy as np

import corundum as co
from corundum import inference, models, physics

REDSHIFTS = (3.0, 2.0, 1.0, 0.0)
QUANTITIES = ("mstar", "mism", "mcgm")
PLACES = ("prevention", "mass_loading", "energy_loading", "depletion_time")


def hybrid():
    """The thermal model with a network in four laws and a learned flow out of the halo."""
    plain = models.ThermalCGM()
    laws = {
        place: physics.neural_law(["log_vvir", "redshift"], base=getattr(plain, place), width=6, seed=seed)
        for seed, place in enumerate(PLACES, 1)
    }
    leak = models.LearnedFlow("cgm", "igm", ["log_vvir", "redshift", "log_temperature"], share=0.02, time=2.0)
    return models.ThermalCGM(**laws, processes={"leak": leak})


def main(out, steps=400, halos=80):
    """Train, and print how far stars and gas of unseen galaxies are from those of the turbulent model."""
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    sample = co.halos.monte_carlo_trees(halos, key=11)
    turbulent = co.evolve(models.TurbulentCGM(), sample, REDSHIFTS)
    states = {name: np.asarray(turbulent[name]) for name in QUANTITIES}
    order = np.random.default_rng(0).permutation(halos)
    seen, unseen = order[: 3 * halos // 4], order[3 * halos // 4 :]
    objective = inference.HistoryObjective(
        hybrid(), sample[seen], REDSHIFTS, {name: values[seen] for name, values in states.items()}, errors=0.1
    )
    batch = max(len(seen) // 3, 1)
    trained = inference.train(
        objective, steps=steps, batch=batch, validation=0.15, every=20, rule=inference.AdamRule(highest=0.03)
    )
    print(trained)
    for name, model in (("thermal", models.ThermalCGM()), ("trained", trained.model)):
        galaxies = co.evolve(model, sample[unseen], REDSHIFTS)
        for quantity in QUANTITIES:
            off = np.log10(np.asarray(galaxies[quantity]) / states[quantity][unseen])
            rms = np.sqrt(np.nanmean(off**2, axis=0)).round(2)
            print(f"{name}: {quantity} of unseen galaxies is off by {rms} dex (rms at z = 3, 2, 1, 0)")
    for place in PLACES:
        axes = co.plots.learned_departures([getattr(trained.model, place)])
        co.plots.save_figure(axes[0].figure, out / f"{place}.png")
    co.io.save_training(out / "trained.h5", trained)


if __name__ == "__main__":
    co.configure()
    main(sys.argv[1], *map(int, sys.argv[2:]))
