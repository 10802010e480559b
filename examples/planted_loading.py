"""Can a network learn a mass loading that is no power law from relations of galaxies, and can it be written down?

    python examples/planted_loading.py OUT [NOISE DRAWS] [STEPS] [HALOS] [SEEDS]

A model whose mass loading has a break at 80 km/s that moves with redshift makes stellar masses, cold gas and metals
near z = 0 and 2, at the points of published measurements and with a fifth of their errors.  Networks that multiply
the power law are trained on these data from several random starts.  A short formula is distilled from the best of them,
whose constants are fitted to the data again, and the power law itself is fitted to the same; all are compared with the
truth, and by their evidence.  A run that was interrupted goes on when it is started again with the same OUT.
"""

import importlib.util
import sys
import time
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
# What these halos cover: a network with wider ranges has to grow its weights before it can bend at all.
FEATURES = [
    physics.Feature("log_vvir", "log10(vvir)", "dex(km/s)", 1.5, 2.35),
    physics.Feature("redshift", "redshift", "1", 0.0, 4.0),
]
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


def laws_of(model):
    """log10 of the mass loading of a model at all velocities, at each redshift."""
    return np.array([log_loading(model, redshift) for redshift in REDSHIFTS])


def learned(out, draw, to_train, to_fit, target_of, y, truth, steps, seeds):
    """The laws that come of one draw of the noise: their values, distances from the truth and evidences, by name.

    What is finished is kept in `out`: where a run was interrupted, the next one goes on from there.
    """
    done = out / f"draw-{draw}-of-{steps}-steps-{seeds}-seeds-{len(to_train.summaries.halos)}-halos.npz"
    if done.exists():
        with np.load(done) as kept:
            return dict(kept)
    measured, _ = to_train.with_data(y).within_reach()
    rule = inference.AdamRule(highest=0.05)
    trained = inference.train(
        measured, steps=steps, seeds=seeds, validation=0.0, rule=rule, every=10, key=draw,
        store=co.io.Checkpoint(out / f"training-{draw}.npz"),
    )  # fmt: skip
    co.io.save_training(out / f"trained-{draw}.h5", trained)
    posterior = inference.network_posterior(measured, trained.model, theta=trained.theta[trained.best])
    print(f"draw {draw}: {trained.in_words()}\n  {posterior}")
    bands = [
        inference.law_bands(measured, posterior, "mass_loading", redshift=redshift, vvir=VVIR) for redshift in REDSHIFTS
    ]
    results = {"network": (trained.model, posterior.ln_evidence),
               "power law": fitted(to_fit.with_data(measured.data.y), starts=2)}  # fmt: skip
    if steps >= _TRAINED:
        law = distilled(trained.model, to_train.summaries.halos[:40])
        print(f"  formula: {law.formula.text}")
        written = models.ThermalCGM(mass_loading=law)
        names = [name for name in co.describe(written) if name.startswith("mass_loading.constants")]
        numbers = zip(names, co.get_values(written, names), strict=True)
        priors = {name: dist.Normal(float(value), 1.0) for name, value in numbers}
        results["formula"] = fitted(target_of(written, names, priors).with_data(measured.data.y), starts=1)
    kept = {"seeds": np.array([laws_of(model) for model in trained.models])}
    for name, (model, evidence) in results.items():
        kept[f"{name} off"] = compared(name, model, truth, bands if name == "network" else None)
        kept[f"{name} law"], kept[f"{name} evidence"] = laws_of(model), evidence
    gains = ", ".join(f"{name} {evidence:.1f}" for name, (_, evidence) in results.items())
    print(f"  ln evidence: {gains}; {time.strftime('%H:%M:%S')}", flush=True)
    np.savez(done, **kept)
    return kept


def summarise(draws, truth):
    """Print distances and evidences over all draws, and how much the law scatters over seeds and over draws."""
    for name in STYLES:
        rows = [draw for draw in draws if f"{name} off" in draw]
        if rows:
            off = [draw[f"{name} off"] for draw in rows]
            gain = [draw[f"{name} evidence"] - draw["power law evidence"] for draw in rows]
            print(f"{name}: {np.mean(off, axis=0).round(3)} dex on average ({np.min(off, axis=0).round(3)} to "
                  f"{np.max(off, axis=0).round(3)}), ln evidence over the power law {np.round(gain, 1)}")  # fmt: skip
    seeds = np.array([draw["seeds"] for draw in draws])  # (draws, seeds, redshifts, velocities)
    off = np.sqrt(np.mean((seeds - laws_of(truth)) ** 2, axis=-1))
    print(f"every seed: {off.mean(axis=(0, 1)).round(3)} dex on average ({off.min(axis=(0, 1)).round(3)} to "
          f"{off.max(axis=(0, 1)).round(3)})")  # fmt: skip
    if seeds.shape[0] > 1 and seeds.shape[1] > 1:
        best = np.array([draw["network law"] for draw in draws])
        over_seeds = np.sqrt(np.mean(np.var(seeds, axis=1, ddof=1), axis=(0, 2)))
        over_draws = np.sqrt(np.mean(np.var(best, axis=0, ddof=1), axis=-1))
        print(f"the law scatters by {over_seeds.round(3)} dex over the seeds of a draw, and by {over_draws.round(3)} "
              "dex over the best seeds of the draws")  # fmt: skip


def main(out, draws=5, steps=300, halos=48, seeds=5):
    """Learn from each noise draw with each seed, print how far the truth is, and draw all of it."""
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    sample = co.halos.diffmah_population(halos, log_mvir=(10.0, 13.0), key=5)
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

    results = []
    for draw in range(draws):
        y = exact + root @ np.random.default_rng(draw).normal(size=len(exact))
        results.append(learned(out, draw, to_train, to_fit, target_of, y, truth, steps, seeds))
    summarise(results, truth)

    figure, axes = plt.subplots(1, 2, figsize=(9.0, 3.8), sharey=True)
    for i, (ax, redshift) in enumerate(zip(axes, REDSHIFTS, strict=True)):
        for name, color in STYLES.items():
            drawn = [result[f"{name} law"][i] for result in results if f"{name} law" in result]
            for k, law in enumerate(drawn):
                ax.plot(VVIR, law, color=color, alpha=0.7, linewidth=1.1, label=None if k else name)
        ax.plot(VVIR, log_loading(truth, redshift), color="black", linestyle="--", label="truth")
        ax.set(xscale="log", xlabel="virial velocity [km/s]", title=f"z = {redshift:g}")
        ax.set_xticks([40, 60, 100, 200], labels=["40", "60", "100", "200"])
        ax.minorticks_off()
    axes[0].set_ylabel("log10 of the mass loading")
    axes[0].legend()
    figure.savefig(out / "planted_loading.png", dpi=150, bbox_inches="tight")


if __name__ == "__main__":
    co.configure()
    main(sys.argv[1], *map(int, sys.argv[2:]))
