"""Where does a trained network stay honest: other masses, merger trees, another cosmology?

    python examples/honest_extrapolation.py OUT [STEPS] [HALOS]

The mass loading of the truth turns over at 80 km/s.  A network over a power law learns it from histories of galaxies in
smooth halos of 10^11 to 10^12.2 Msun, once with the typical ranges of its features, and once with the ranges that
these halos cover, beyond which it fades.  Both are asked about halos that they were not trained for, beside the power
law without a network and beside the truth.
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import corundum as co
from corundum import inference, models, physics

REDSHIFTS = (2.0, 1.0, 0.0)
QUANTITIES = ("mstar", "mism")
KNOTS = [(1.5, 1.9, 2.3, 2.6), (0.0, 2.0, 6.0)]
BREAK = [(-0.25, -0.4, -0.5), (0.25, 0.1, 0.0), (0.1, -0.05, -0.1), (-0.1, -0.2, -0.2)]  # dex from slope -1
TRAINED = (11.0, 12.2)  # log10 of the halo mass today [Msun]


def model_with(law):
    """The thermal model with this mass loading."""
    return models.ThermalCGM(mass_loading=law)


def samples(number):
    """Halos by what is new about them; none of them has been trained on."""
    flat = co.halos.diffmah_population
    other = co.cosmology.Cosmology(omega_m=0.25)
    trees = co.halos.monte_carlo_trees
    return {
        "nothing": flat(number, log_mvir=TRAINED, key=2),
        "halos of 10^10.2 to 10^10.8": flat(number, log_mvir=(10.2, 10.8), key=3),
        "halos of 10^12.5 to 10^13": flat(number, log_mvir=(12.5, 13.0), key=4),
        "merger trees": trees(number, log_mvir=TRAINED, key=5),
        "merger trees, other cosmology": trees(
            number, log_mvir=TRAINED, key=5, cosmology=other, power=co.halos.LinearPower(sigma8=0.9)
        ),
    }


def main(out, steps=250, halos=48):
    """Train, print errors in each sample, and draw the laws."""
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    values = {f"k{i}_{j}": value for i, row in enumerate(BREAK) for j, value in enumerate(row)}
    base = physics.MassLoading()
    truth = model_with(physics.spline_law(["log_vvir", "redshift"], base=base, knots=KNOTS, values=values))
    seen = co.halos.diffmah_population(halos, log_mvir=TRAINED, key=1)
    galaxies = co.evolve(truth, seen, REDSHIFTS)
    states = {name: np.asarray(galaxies[name]) for name in QUANTITIES}

    # Over the histories of these halos up to z = 4, where most of their stars have not formed yet.
    speed = np.log10(np.asarray(co.evolve(truth, seen, [4.0, *REDSHIFTS])["vvir"]))
    narrow = [
        physics.Feature("log_vvir", "log10(vvir)", "dex(km/s)", low=float(speed.min()), high=float(speed.max())),
        physics.Feature("redshift", "redshift", "1", low=0.0, high=4.0),
    ]
    laws = {
        "typical ranges": physics.neural_law(["log_vvir", "redshift"], base=base, width=12, seed=1),
        "trained ranges": physics.neural_law(narrow, base=base, width=12, seed=1),
    }
    trained, posteriors = {}, {}
    for name, law in laws.items():
        objective = inference.HistoryObjective(model_with(law), seen, REDSHIFTS, states, errors=0.05)
        result = inference.train(
            objective, steps=steps, batch=halos // 2, validation=0.2, rule=inference.AdamRule(highest=0.05), every=25
        )
        print(f"{name}: {result}", flush=True)
        trained[name] = result.model
        posteriors[name] = inference.last_layer_posterior(objective, result.model)
    report(truth, base, trained, posteriors, samples(halos))
    draw(out, truth, base, trained, posteriors, speed)


def report(truth, base, trained, posteriors, others):
    """Root mean square distance from the truth in every sample, and what the last layers say of it."""
    print("new | law | stars at z = 0 [dex] | loading at z = 0, 2 [dex] | of which the last layer knows [dex]")
    for sample, halos in others.items():
        true = co.evolve(truth, halos, REDSHIFTS)
        for name, model in {"power law": model_with(base), **trained}.items():
            galaxies = co.evolve(model, halos, REDSHIFTS)
            off = {q: np.log10(np.asarray(galaxies[q]) / np.asarray(true[q])) for q in ("mstar", "mass_loading")}
            rms = {q: np.sqrt(np.nanmean(values**2, axis=0)) for q, values in off.items()}
            spread = ""
            if name in posteriors:
                draws = [loadings(one, galaxies) for one in posteriors[name].draws(40)]
                spread = np.sqrt(np.nanmean(np.var(draws, axis=0), axis=0))[[2, 0]].round(3)
            print(f"{sample} | {name} | {rms['mstar'][2]:.3f} | {rms['mass_loading'][[2, 0]].round(3)} | {spread}",
                  flush=True)  # fmt: skip


def loadings(model, galaxies):
    """log10 of the mass loading of a model at the velocities of galaxies, (N, K)."""
    columns = []
    for k, redshift in enumerate(REDSHIFTS):
        velocity = np.asarray(galaxies["vvir"])[:, k]
        columns.append(log_loading(model, velocity, redshift))
    return np.stack(columns, axis=-1)


def log_loading(model, velocity, redshift):
    """log10 of the mass loading at virial velocities [km/s]."""
    halo = co.halos.Halo(13.8, redshift, 1e12, 260.0, velocity, 10.0, 30.0)
    law = model.mass_loading
    value = law.imposed(halo)
    return np.log10(np.broadcast_to(np.asarray(value), np.shape(velocity)))


def draw(out, truth, base, trained, posteriors, speed):
    """The loadings over velocity at two redshifts; grey: where the training halos are."""
    velocity = np.geomspace(12.0, 420.0, 60)
    figure, axes = plt.subplots(1, 2, figsize=(9.0, 3.8), sharey=True, layout="constrained")
    for ax, redshift in zip(axes, (0.0, 2.0), strict=True):
        now = speed[:, 3 if redshift == 0.0 else 1]
        ax.axvspan(10.0 ** now.min(), 10.0 ** now.max(), color="0.93", zorder=0)
        for (name, model), color in zip(trained.items(), ("C1", "C0"), strict=True):
            draws = [log_loading(one, velocity, redshift) for one in posteriors[name].draws(60)]
            low, high = np.percentile(draws, [16, 84], axis=0)
            ax.fill_between(velocity, low, high, color=color, alpha=0.25, lw=0)
            ax.plot(velocity, log_loading(model, velocity, redshift), color=color, label=f"network, {name}")
        ax.plot(velocity, log_loading(model_with(base), velocity, redshift), color="0.5", lw=1.0, label="power law")
        ax.plot(velocity, log_loading(truth, velocity, redshift), color="black", ls="--", label="truth")
        ax.set(xscale="log", xlabel="virial velocity [km/s]", title=f"z = {redshift:g}")
        ax.set_xticks([20, 50, 100, 200, 400], labels=["20", "50", "100", "200", "400"])
        ax.minorticks_off()
    axes[0].set_ylabel("log10 of the mass loading")
    axes[0].legend(fontsize=8)
    figure.savefig(out / "honest_extrapolation.png", dpi=130)


if __name__ == "__main__":
    co.configure()
    main(sys.argv[1], *map(int, sys.argv[2:]))
