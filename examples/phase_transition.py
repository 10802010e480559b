"""When the CGM turns hot: thermal and turbulent energy over binding energy in halos of 10^10, 10^11 and 10^12 Msun.

    python examples/phase_transition.py phase_transition.png

In the turbulent model of Pandya et al. 2023 the CGM is at first cool and supported by turbulence.  It turns hot, at the
virial temperature, when thermal energy exceeds turbulent energy; docs/reference/physics.md compares the times with the
published ones.
"""

import sys

import matplotlib
import numpy as np
from matplotlib.figure import Figure

import corundum as co

co.configure()

MASSES = (10.0, 11.0, 12.0)
HALOS = 60


def histories() -> list[co.halos.HaloHistories]:
    """Halos of each mass, with the scatter of growth of the built-in population."""
    return [co.halos.monte_carlo_trees(HALOS, log_mvir=(mass - 0.05, mass + 0.05), key=3) for mass in MASSES]


def transition(galaxies: co.Population) -> np.ndarray:
    """Redshift from which thermal energy exceeds turbulent energy, for each halo; NaN where it does not at z = 0."""
    redshifts = []
    for thermal, turbulent in zip(np.asarray(galaxies["eth"]), np.asarray(galaxies["eturb"]), strict=True):
        cool = np.flatnonzero(~(thermal > turbulent))  # redshifts fall along the axis
        first = cool[-1] + 1 if len(cool) else 0
        redshifts.append(galaxies.redshifts[first] if first < len(thermal) else np.nan)
    return np.array(redshifts, float)


def describe(when: np.ndarray) -> str:
    """Percentiles of the transition redshifts as text; halos without a transition count as the latest."""
    late, middle, early = np.percentile(np.nan_to_num(when, nan=-1.0), (16, 50, 84))
    early, middle, late = ("not yet" if z < 0.0 else f"z = {z:.2f}" for z in (early, middle, late))
    return f"{middle} (early 16%: {early}, late 16%: {late}), {np.isnan(when).mean():.0%} not yet"


def main(path: str = "phase_transition.png") -> None:
    """Solve, print the transitions, draw."""
    halos, redshifts = histories(), np.concatenate([np.linspace(7.5, 2.0, 23)[:-1], np.linspace(2.0, 0.0, 41)])
    models = {"TurbulentCGM()": co.models.TurbulentCGM(), "pandya23()": co.models.pandya23()}
    figure = Figure(figsize=(10.0, 5.6), layout="constrained")
    axes = figure.subplots(2, 3, sharex=True, sharey=True)
    for row, (name, model) in zip(axes, models.items(), strict=True):
        for ax, mass, sample in zip(row, MASSES, halos, strict=True):
            galaxies = co.evolve(model, sample, redshifts)
            good = np.asarray(galaxies.status) == 0
            when, binding = transition(galaxies)[good], np.asarray(galaxies["binding_energy"])[good]
            relative = np.median(np.asarray(galaxies["temperature"] / galaxies["tvir"])[good, -1])
            print(f"{name}, 10^{mass:g} Msun: {galaxies.status_counts()}")
            print(f"  thermal energy takes over at {describe(when)}; median T / Tvir = {relative:.2f} today")
            for key, label, color in (("eth", "thermal", "#d55e00"), ("eturb", "turbulent", "#0072b2")):
                low, middle, high = np.percentile(np.asarray(galaxies[key])[good] / binding, (16, 50, 84), axis=0)
                ax.fill_between(1.0 + redshifts, low, high, color=color, alpha=0.25, lw=0)
                ax.semilogy(1.0 + redshifts, middle, color, label=label)
            ax.axhline(1.0, color="0.6", lw=0.8, zorder=0)
            middle = np.median(np.nan_to_num(when, nan=-1.0))
            if middle >= 0.0:
                ax.axvline(1.0 + middle, color="0.6", lw=0.8, ls="--", zorder=0)
            ax.set_title(rf"{name}: $10^{{{mass:g}}}\,M_\odot$", fontsize=10)
    axes[0, 0].set(xscale="log", xlim=(8.5, 1.0), ylim=(0.01, 6.0))
    for ax in axes[1]:
        ax.set_xlabel("1 + z")
        ax.set_xticks([8, 6, 4, 3, 2, 1.5, 1], ["8", "6", "4", "3", "2", "1.5", "1"])
        ax.xaxis.set_minor_formatter(matplotlib.ticker.NullFormatter())
    for ax in axes[:, 0]:
        ax.set_ylabel("CGM energy / binding energy")
    axes[0, 0].legend(frameon=False)
    figure.savefig(path, dpi=150)


if __name__ == "__main__":
    main(*sys.argv[1:2])
