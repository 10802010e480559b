"""Can a network learn a mass loading that is no power law from relations of galaxies, and can it be written down?

    python examples/planted_loading.py OUT [NOISE DRAWS] [STEPS] [HALOS]

A model whose mass loading has a break at 80 km/s that moves with redshift makes stellar masses, cold gas and metals
near z = 0 and 2, at the points of published measurements and with a fifth of their errors.  A network that multiplies
the power law is trained on these data, a short formula is distilled from it whose constants are fitted to the data
again, and the power law itself is fitted to the same; all are compared with the truth, and by their evidence.
"""

import importlib.util
import sys
from pathlib import Path

import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import numpyro.distributions as dist

import corundum as co
from corundum import inference, models, physics

DATA = ("shmr_behroozi19_sf", "coldgas_xgass", "gasmzr_curti20", "shmr_behroozi19_z2", "gasmzr_sanders21_z2")
ERRORS = 0.2  # over the published ones
KNOTS = [(1.5, 1.9, 2.3, 2.6), (0.0, 2.0, 6.0)]
BREAK = [(-0.25, -0.4, -0.5), (0.25, 0.1, 0.0), (0.1, -0.05, -0.1), (-0.1, -0.2, -0.2)]  # dex from slope -1
VVIR = np.geomspace(35.0, 200.0, 30)  # km/s, where the halos of the sample have formed their stars
FEATURES = ["log_vvir", "redshift"]
REDSHIFTS = (0.0, 2.0)
KNOWN = 0.05  # dex: half width of the 68% band below which data determine a law
CLOSE = 0.04  # dex: error of a formula against the network
_TRAINED = 50  # steps before which a network has nothing that could be written down
STYLES = {"network": "C0", "formula": "C2", "power law": "C1"}


def log_loading(model, redshift):
    """log10 of the mass loading at the velocities."""
    halo = co.halos.Halo(13.8, redshift, 1e12, 260.0, jnp.asarray(VVIR), 10.0, 30.0)
    law = model.mass_loading
    return np.log10(np.asarray(law.value(law.imposed(halo), physics.Galaxy(None, halo, {}, {}))))


def fitted(target, starts):
    """The model at the mode of a target, and its ln evidence in the Gaussian approximation."""
    best = inference.maximise(target, starts=starts)
    information = inference.expected_information(target, best.u[None])[0]
    evidence = best.ln_density - 0.5 * np.linalg.slogdet(information / (2.0 * np.pi))[1]
    numbers = {free.name: float(free.value(theta)) for free, theta in zip(target.free, best.theta, strict=True)}
    return co.replace(target.summaries.model, numbers), evidence


def searches():
    """The searches for formulas that are installed."""
    known = {"sparse": inference.SparseSearch()}
    if importlib.util.find_spec("pyoperon") and importlib.util.find_spec("sklearn"):
        known["Operon"] = inference.OperonSearch(longest=25)
    return known


def distilled(model, halos):
    """The shortest formula of any search that is close to the mass loading of a model, as a law."""
    galaxies = co.evolve(model, halos, [0.0, 1.0, 2.0, 3.0])
    closest = {}
    for name, search in searches().items():
        formulas = inference.distil(galaxies, "mass_loading", FEATURES, search=search)
        print(f"formulas of the {name} search:\n{formulas}", flush=True)
        closest[name] = (formulas, formulas.best(CLOSE))
    formulas, best = min(closest.values(), key=lambda pair: (pair[1].error > CLOSE, pair[1].size))
    return formulas.law(best)


def compared(name, model, truth, bands=None):
    """Print and return how far a law is from the truth at each redshift, and where data determine it."""
    off = [log_loading(model, redshift) - log_loading(truth, redshift) for redshift in REDSHIFTS]
    rms = np.sqrt(np.mean(np.square(off), axis=1))
    print(f"  {name}: off by {rms.round(3)} dex (rms at z = 0, 2)")
    if bands is not None:
        seen = np.array([np.log10(b.percentiles[3] / b.percentiles[1]) < 2.0 * KNOWN for b in bands])
        planted = [10.0 ** log_loading(truth, redshift) for redshift in REDSHIFTS]
        inside = [(b.percentiles[0] < t) & (t < b.percentiles[4]) for b, t in zip(bands, planted, strict=True)]
        error = np.sqrt(np.mean(np.array(off)[seen] ** 2)) if np.any(seen) else np.nan
        elsewhere = np.mean(np.array(inside)[~seen]) if np.any(~seen) else 1.0
        print(f"    known to {KNOWN} dex at {seen.mean():.0%} of velocities and redshifts, off by {error:.3f} dex;"
              f" elsewhere the truth lies within its 95% band at {elsewhere:.0%}", flush=True)  # fmt: skip
    return rms


def main(out, draws=5, steps=400, halos=120):
    """Learn from each noise draw, print how far the truth is, and draw all of it."""
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    sample = co.halos.monte_carlo_trees(halos, key=5)
    values = {f"k{i}_{j}": value for i, row in enumerate(BREAK) for j, value in enumerate(row)}
    base = physics.MassLoading()
    truth = models.ThermalCGM(mass_loading=physics.spline_law(FEATURES, base=base, knots=KNOTS, values=values))
    hybrid = models.ThermalCGM(mass_loading=physics.neural_law(FEATURES, base=base, width=12, seed=1))

    def target_of(model, free, priors=None):
        # The same halos make the data and the prediction: their sampling adds no error.
        target = inference.Target(model, sample, DATA, free, priors, monte_carlo_error=0.0)
        return target.scaled_errors(ERRORS)

    at_truth = target_of(truth, ["mass_loading.base.amplitude"])
    exact = np.asarray(inference.predict(at_truth, np.asarray(at_truth.start())[None]).mean[0])
    root = np.linalg.cholesky(np.asarray(at_truth.data.covariance))
    laws = [f"mass_loading.{name}" for name in ("amplitude", "slope", "slope_redshift", "redshift_exponent")]
    to_train, to_fit = target_of(hybrid, ["mass_loading.base.amplitude"]), target_of(models.ThermalCGM(), laws)

    figure, axes = plt.subplots(1, 2, figsize=(9.0, 3.8), sharey=True)
    off, evidences = {name: [] for name in STYLES}, {name: [] for name in STYLES}
    for draw in range(draws):
        y = exact + root @ np.random.default_rng(draw).normal(size=len(exact))
        measured, _ = to_train.with_data(y).within_reach()
        rule = inference.AdamRule(highest=0.05)
        trained = inference.train(measured, steps=steps, validation=0.0, rule=rule, every=20, key=draw)
        co.io.save_training(out / f"trained-{draw}.h5", trained)
        posterior = inference.network_posterior(measured, trained.model, theta=trained.theta[0])
        print(f"draw {draw}: {posterior}")
        bands = [
            inference.law_bands(measured, posterior, "mass_loading", redshift=redshift, vvir=VVIR)
            for redshift in REDSHIFTS
        ]
        results = {"network": (trained.model, posterior.ln_evidence),
                   "power law": fitted(to_fit.with_data(measured.data.y), starts=4)}  # fmt: skip
        if steps >= _TRAINED:
            law = distilled(trained.model, sample[:40])
            print(f"  formula: {law.formula.text}")
            written = models.ThermalCGM(mass_loading=law)
            names = [name for name in co.describe(written) if name.startswith("mass_loading.constants")]
            numbers = zip(names, co.get_values(written, names), strict=True)
            priors = {name: dist.Normal(float(value), 1.0) for name, value in numbers}
            results["formula"] = fitted(target_of(written, names, priors).with_data(measured.data.y), starts=1)
        for name, (model, evidence) in results.items():
            off[name].append(compared(name, model, truth, bands if name == "network" else None))
            evidences[name].append(evidence)
            for ax, redshift in zip(axes, REDSHIFTS, strict=True):
                style = dict(color=STYLES[name], alpha=0.7, linewidth=1.1)
                ax.plot(VVIR, log_loading(model, redshift), label=name if draw == 0 else None, **style)
        print("  ln evidence: " + ", ".join(f"{name} {results[name][1]:.1f}" for name in results), flush=True)
    for ax, redshift in zip(axes, REDSHIFTS, strict=True):
        ax.plot(VVIR, log_loading(truth, redshift), color="black", linestyle="--", label="truth")
        ax.set(xscale="log", xlabel="virial velocity [km/s]", title=f"z = {redshift:g}")
        ax.set_xticks([40, 60, 100, 200], labels=["40", "60", "100", "200"])
        ax.minorticks_off()
    axes[0].set_ylabel("log10 of the mass loading")
    axes[0].legend()
    figure.savefig(out / "planted_loading.png", dpi=150, bbox_inches="tight")
    for name, rows in off.items():
        if not rows:
            continue
        gain = np.subtract(evidences[name], evidences["power law"])
        print(f"{name}: {np.mean(rows, axis=0).round(3)} dex on average ({np.min(rows, axis=0).round(3)} to "
              f"{np.max(rows, axis=0).round(3)}), ln evidence over the power law {gain.round(1)}")  # fmt: skip


if __name__ == "__main__":
    co.configure()
    main(sys.argv[1], *map(int, sys.argv[2:]))
