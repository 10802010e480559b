"""Which loadings, depletion time and prevention do published relations demand when nobody assumes power laws?

    python examples/real_data_laws.py OUT [HALOS] [DRAWS]

Stellar masses, cold gas and metals near z = 0, stellar masses, metals and star formation near z = 2: the same data are
fitted three times.  With the eight power-law parameters of Pandya et al. 2026; with these, their exponents of redshift
and the shape of prevention; and with smooth functions of virial velocity and redshift, Gaussian processes of 0.3 dex
about the power laws and about the prevention of FIRE-2, all four at once.  Each fit is its mode and the Gaussian about
it.
"""

import sys
import time
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import corundum as co
from corundum import inference, models, physics

DATA = {
    "shmr_behroozi19_sf": "stars, z = 0",
    "coldgas_xgass": "cold gas, z = 0",
    "gasmzr_curti20": "metals, z = 0",
    "shmr_behroozi19_z2": "stars, z = 2",
    "gasmzr_sanders21_z2": "metals, z = 2",
    "sfms_koprowski24_z2": "star formation, z = 2",
}
REDSHIFTS = (0.0, 2.0)
PLACES = ("mass_loading", "energy_loading", "depletion_time", "prevention")
KNOTS = ((1.4, 1.7, 2.0, 2.3), (0.0, 1.5, 4.0))  # log10 Vvir [km/s], redshift
POWER_LAWS = models.PANDYA26_FREE
EXPONENTS = tuple(f"{place}.redshift_exponent" for place in PLACES[:3])
SHAPE = (*EXPONENTS, "prevention.floor", "prevention.log_pivot")
AMPLITUDE = 0.3  # of the departures [dex]
MAP = (np.geomspace(25.0, 250.0, 21), np.linspace(0.0, 4.0, 9))


class Expected(inference.AbstractCurvature):
    """The expected information, which one linearisation gives, in place of second differences of 56 parameters."""

    def __call__(self, target, u, scale):
        return inference.expected_information(target, u)[0]


def free_functions():
    """The thermal model with a smooth departure of four laws, and priors of all that is free."""
    plain = models.ThermalCGM()
    laws = {
        place: physics.gaussian_process_law(
            ["log_vvir", "redshift"], base=getattr(plain, place), knots=KNOTS, amplitude=AMPLITUDE, lengths=(0.4, 2.0)
        )
        for place in PLACES
    }
    model = models.ThermalCGM(**laws)
    priors = inference.departure_priors(model)
    based = [name.replace(".", ".base.", 1) if name.split(".")[0] in PLACES else name for name in POWER_LAWS]
    return model, [*based, *priors], priors


def width(bands):
    """Half the 68% interval [dex], of the odds for fractions."""
    low, high = bands.percentiles[1], bands.percentiles[3]
    if bands.place == "prevention":
        low, high = low / (1.0 - low), high / (1.0 - high)
    return 0.5 * np.log10(high / low)


def main(out, halos=60, draws=32):
    """Fit, print what data determine, and draw laws, maps and indices."""
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    sample = co.halos.monte_carlo_trees(halos, log_mvir=(10.0, 12.8), key=3, candidates=16)
    forms = {
        "power laws": (models.ThermalCGM(), list(POWER_LAWS), None),
        "power laws of redshift": (models.ThermalCGM(), [*POWER_LAWS, *SHAPE], None),
        "functions": free_functions(),
    }
    targets, gaussians, indices = {}, {}, {}
    for name, (model, free, priors) in forms.items():
        began = time.monotonic()
        target = inference.Target(model, sample, list(DATA), free, priors, redshifts=REDSHIFTS, monte_carlo_error=0.5)
        target, lost = target.within_reach()
        mode = inference.maximise(target, starts=3 if priors is None else 1, key=1)
        gaussian = inference.laplace(target, mode, curvature=Expected())
        used = np.isfinite(np.asarray(target.data.y))
        prediction = inference.predict(target, mode.u[None])
        fitted = inference.fisher(target, mode.u)
        evidence = mode.ln_density + 0.5 * np.linalg.slogdet(2.0 * np.pi * gaussian.covariance)[1]
        print(f"{name}: {used.sum()} points, {len(free)} free numbers, {fitted.effective:.1f} combinations determined; "
              f"ln evidence {evidence:.1f}; out of reach: {lost}")  # fmt: skip
        for data in DATA:
            rows = target.data.positions(data)
            rows = rows[used[rows]]
            variance = np.diag(np.asarray(target.data.covariance))[rows] + np.asarray(prediction.error)[0][rows] ** 2
            off = (np.asarray(target.data.y)[rows] - np.asarray(prediction.mean)[0][rows]) / np.sqrt(variance)
            print(f"    {DATA[data]}: {len(rows)} points, rms {np.sqrt(np.mean(off**2)):.2f} errors")
        targets[name], gaussians[name] = target, gaussian
        drawn = gaussian.coordinate_draws(draws, key=0)
        indices[name] = inference.feedback_indices(target, drawn, halos=6)
        report_indices(name, indices[name])
        print(f"    {time.monotonic() - began:.0f} s", flush=True)
    report(targets["functions"], gaussians["functions"])
    draw(out, targets, gaussians, indices)


def report(target, gaussian):
    """How many combinations of each law each data set determines, when the other laws are known."""
    print("combinations of each law that data determine: " + ", ".join((*DATA.values(), "all")))
    information = {name: inference.fisher(target.using([name]), gaussian.u).matrix.values for name in DATA}
    information["all"] = inference.fisher(target, gaussian.u).matrix.values
    for place in (*PLACES, "metal_loading"):
        rows = [i for i, name in enumerate(target.names) if name.startswith(f"{place}.")]
        cells = []
        for matrix in information.values():
            values = np.maximum(np.linalg.eigvalsh(matrix[np.ix_(rows, rows)]), 0.0)
            cells.append(f"{np.sum(values / (1.0 + values)):.1f}")
        print(f"    {place} ({len(rows)} numbers): {', '.join(cells)}")


def report_indices(name, indices):
    """Prevention and ejection, shares of the baryons that a halo could have had, with 68% intervals."""
    print(f"    halos of lg M = {indices.log_mvir.round(1).tolist()} today:")
    for index in ("prevention", "ejection", "preventive_fraction"):
        low, middle, high = np.nanpercentile(indices.values[index], [16, 50, 84], axis=0)
        cells = (f"{m:.2f} ({a:.2f}-{b:.2f})" for m, a, b in zip(middle, low, high, strict=True))
        print(f"    {index}, {name}: {', '.join(cells)}")


def draw(out, targets, gaussians, indices):
    """Laws with bands, maps of what data determine, and indices."""
    drawn = {name: gaussian.draws(300, key=2) for name, gaussian in gaussians.items()}
    functions = targets["functions"]
    figure, axes = plt.subplots(2, 4, figsize=(13.0, 5.6), sharex=True, layout="constrained")
    for column, place in zip(axes.T, PLACES, strict=True):
        for ax, redshift in zip(column, REDSHIFTS, strict=True):
            for name, color in (("functions", "C0"), ("power laws of redshift", "C1")):
                bands = inference.law_bands(targets[name], drawn[name], place, redshift=redshift, vvir=MAP[0])
                low, middle, high = bands.percentiles[1:4]
                ax.fill_between(bands.vvir, low, high, color=color, alpha=0.25, lw=0)
                ax.plot(bands.vvir, middle, color=color, label=name)
            ax.set(xscale="log", yscale="linear" if place == "prevention" else "log")
            ax.set_title(f"{place.replace('_', ' ')}, z = {redshift:g}", fontsize=10)
            ax.set_xticks([30, 60, 100, 200], labels=["30", "60", "100", "200"])
            ax.tick_params(axis="x", which="minor", length=0, labelbottom=False)
        column[-1].set_xlabel("virial velocity [km/s]")
    axes[0, 0].legend(fontsize=8)
    figure.savefig(out / "real_data_laws.png", dpi=130)

    figure, axes = plt.subplots(1, 5, figsize=(15.0, 3.2), layout="constrained", width_ratios=(1, 1, 1, 1, 1.3))
    for ax, place in zip(axes[:4], PLACES, strict=True):
        shrinkage = np.array([
            width(inference.law_bands(functions, drawn["functions"], place, redshift=float(z), vvir=MAP[0])) / AMPLITUDE
            for z in MAP[1]
        ])  # fmt: skip
        image = ax.pcolormesh(*MAP, shrinkage, vmin=0.0, vmax=1.0, cmap="viridis", shading="nearest")
        ax.contour(*MAP, shrinkage, levels=[0.5], colors="white", linewidths=1.0)
        ax.set(xscale="log", title=place.replace("_", " "), xlabel="virial velocity [km/s]")
        ax.set_xticks([30, 60, 100, 200], labels=["30", "60", "100", "200"])
        ax.tick_params(axis="x", which="minor", length=0, labelbottom=False)
        at = int(np.argmin(shrinkage.min(axis=1)))
        print(f"{place}: the width over that of a departure is smallest, {shrinkage.min():.2f}, at "
              f"{MAP[0][np.argmin(shrinkage[at])]:.0f} km/s and z = {MAP[1][at]:g}; below one half in "
              f"{np.mean(shrinkage < 0.5):.0%} of the map")  # fmt: skip
    axes[0].set_ylabel("redshift")
    figure.colorbar(image, ax=axes[3], label=f"68% half width / {AMPLITUDE:g} dex")
    for (name, one), color in zip(indices.items(), ("0.4", "C1", "C0"), strict=True):
        low, middle, high = np.nanpercentile(one.values["preventive_fraction"], [16, 50, 84], axis=0)
        axes[4].fill_between(one.log_mvir, low, high, color=color, alpha=0.25, lw=0)
        axes[4].plot(one.log_mvir, middle, color=color, label=name)
    axes[4].set(
        ylim=(0.0, 1.0), xlabel="log10 of the halo mass today [Msun]", title="prevention / (prevention + ejection)"
    )
    axes[4].legend(fontsize=8, loc="lower left")
    figure.savefig(out / "real_data_maps.png", dpi=130)


if __name__ == "__main__":
    co.configure()
    main(sys.argv[1], *map(int, sys.argv[2:]))
