"""Can a network learn a mass loading that is no power law, from relations of galaxies alone?

    python examples/planted_loading.py OUT [NOISE DRAWS] [STEPS] [HALOS]

A model whose mass loading has a break at 80 km/s that moves with redshift makes stellar masses, cold gas and metals
near z = 0 and 2, at the points of published measurements and with a fifth of their errors.  A network that multiplies
the power law is trained on these data, and the power law itself is fitted to the same; both are compared with the
truth.
"""

import sys
from pathlib import Path

import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np

import corundum as co
from corundum import inference, models, physics

DATA = ("shmr_behroozi19_sf", "coldgas_xgass", "gasmzr_curti20", "shmr_behroozi19_z2", "gasmzr_sanders21_z2")
ERRORS = 0.2  # over the published ones
KNOTS = [(1.5, 1.9, 2.3, 2.6), (0.0, 2.0, 6.0)]
BREAK = [(-0.25, -0.4, -0.5), (0.25, 0.1, 0.0), (0.1, -0.05, -0.1), (-0.1, -0.2, -0.2)]  # dex from slope -1
VVIR = np.geomspace(35.0, 200.0, 30)  # km/s, where the halos of the sample have formed their stars


def log_loading(model, redshift):
    """log10 of the mass loading at the velocities."""
    halo = co.halos.Halo(13.8, redshift, 1e12, 260.0, jnp.asarray(VVIR), 10.0, 30.0)
    return np.log10(np.asarray(model.mass_loading.value(model.mass_loading.imposed(halo), None)))


def main(out, draws=5, steps=400, halos=120):
    """Learn from each noise draw, print how far the truth is, and draw all of it."""
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    sample = co.halos.monte_carlo_trees(halos, key=5)
    values = {f"k{i}_{j}": value for i, row in enumerate(BREAK) for j, value in enumerate(row)}
    features, base = ["log_vvir", "redshift"], physics.MassLoading()
    truth = models.ThermalCGM(mass_loading=physics.spline_law(features, base=base, knots=KNOTS, values=values))
    hybrid = models.ThermalCGM(mass_loading=physics.neural_law(features, base=base, width=12, seed=1))

    def target_of(model, free):
        # The same halos make the data and the prediction: their sampling adds no error.
        return inference.Target(model, sample, DATA, free, monte_carlo_error=0.0).scaled_errors(ERRORS)

    at_truth = target_of(truth, ["mass_loading.base.amplitude"])
    exact = np.asarray(inference.predict(at_truth, np.asarray(at_truth.start())[None]).mean[0])
    root = np.linalg.cholesky(np.asarray(at_truth.data.covariance))
    laws = [f"mass_loading.{name}" for name in ("amplitude", "slope", "slope_redshift", "redshift_exponent")]
    to_train, to_fit = target_of(hybrid, ["mass_loading.base.amplitude"]), target_of(models.ThermalCGM(), laws)

    figure, axes = plt.subplots(1, 2, figsize=(9.0, 3.8), sharey=True)
    off = {"network": [], "power law": []}
    for draw in range(draws):
        y = exact + root @ np.random.default_rng(draw).normal(size=len(exact))
        measured, _ = to_train.with_data(y).within_reach()
        rule = inference.AdamRule(highest=0.05)
        learned = inference.train(measured, steps=steps, validation=0.0, rule=rule, every=20, key=draw).model
        fitted = inference.maximise(to_fit.with_data(measured.data.y), starts=4)
        power_law = co.replace(models.ThermalCGM(), {
            free.name: float(free.value(theta)) for free, theta in zip(to_fit.free, fitted.theta, strict=True)
        })  # fmt: skip
        for name, model in (("network", learned), ("power law", power_law)):
            differences = []
            for ax, redshift in zip(axes, (0.0, 2.0), strict=True):
                line = log_loading(model, redshift)
                differences.append(line - log_loading(truth, redshift))
                style = dict(color="C0" if name == "network" else "C1", alpha=0.7, linewidth=1.1)
                ax.plot(VVIR, line, label=name if draw == 0 else None, **style)
            off[name].append(np.sqrt(np.mean(np.square(differences), axis=1)))
            print(f"draw {draw}: {name} is off by {off[name][-1].round(3)} dex (rms at z = 0, 2)", flush=True)
    for ax, redshift in zip(axes, (0.0, 2.0), strict=True):
        ax.plot(VVIR, log_loading(truth, redshift), color="black", linestyle="--", label="truth")
        ax.set(xscale="log", xlabel="virial velocity [km/s]", title=f"z = {redshift:g}")
        ax.set_xticks([40, 60, 100, 200], labels=["40", "60", "100", "200"])
        ax.minorticks_off()
    axes[0].set_ylabel("log10 of the mass loading")
    axes[0].legend()
    figure.savefig(out / "planted_loading.png", dpi=150, bbox_inches="tight")
    for name, rows in off.items():
        print(f"{name}: {np.mean(rows, axis=0).round(3)} dex on average")


if __name__ == "__main__":
    co.configure()
    main(sys.argv[1], *map(int, sys.argv[2:]))
