"""When the CGM turns hot: thermal and turbulent over binding energy in halos of 10^10, 10^11 and 10^12 Msun.

    python examples/phase_transition.py phase_transition.png

In the turbulent model of Pandya et al. 2023 the CGM starts cool and held up by turbulence and turns hot, at the virial
temperature, when thermal energy takes over; docs/physics.md says how the times compare with the published ones.
"""

import sys

import jax

jax.config.update("jax_enable_x64", True)

import matplotlib  # noqa: E402
import numpy as np  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402

import corundum as co  # noqa: E402

MASSES = (10.0, 11.0, 12.0)


def histories() -> co.halos.HaloHistories:
    """Halos that grow exponentially with redshift, M = M_0 exp(-a z), as simulated halos do on average.

    The rate is a = 0.65 for 10^12 Msun and falls by 0.12 per dex to lower masses; 10^10 Msun halos form at twice the
    redshift of clusters (Wechsler et al. 2002, ApJ 568, 52).
    """
    cosmology = co.cosmology.planck15()
    time = np.geomspace(0.64, float(cosmology.age(0.0)), 60)
    redshift, today = np.asarray(cosmology.redshift(time)), np.array(MASSES)[:, None]
    log_mvir = today - (0.65 + 0.12 * (today - 12.0)) * redshift / np.log(10.0)
    log_c = np.maximum(0.95 - 0.1 * (today - 12.0) - 0.5 * np.log10(1.0 + redshift), 0.45)
    return co.halos.HaloHistories(time, log_mvir, log_c, cosmology=cosmology)


def transition(galaxies: co.Population) -> list[float]:
    """Redshift at which thermal energy overtakes turbulent energy for good, for each halo."""
    found = []
    for thermal, turbulent in zip(np.asarray(galaxies["eth"]), np.asarray(galaxies["eturb"]), strict=True):
        cool = np.flatnonzero(thermal < turbulent)  # redshifts fall along the axis
        last = cool[-1] if len(cool) else 0
        found.append(float(galaxies.redshifts[min(last + 1, len(thermal) - 1)]) if thermal[-1] > turbulent[-1] else 0.0)
    return found


def main(path: str = "phase_transition.png") -> None:
    """Solve, print the transitions, draw."""
    halos, redshifts = histories(), np.concatenate([np.linspace(7.5, 2.0, 23)[:-1], np.linspace(2.0, 0.0, 41)])
    models = {"TurbulentCGM()": co.models.TurbulentCGM(), "pandya23()": co.models.pandya23()}
    figure = Figure(figsize=(10.0, 5.6), layout="constrained")
    axes = figure.subplots(2, 3, sharex=True, sharey=True)
    for row, (name, model) in zip(axes, models.items(), strict=True):
        galaxies = co.evolve(model, halos, redshifts)
        print(f"{name}: {galaxies.status_counts()}")
        for k, (ax, mass, z) in enumerate(zip(row, MASSES, transition(galaxies), strict=True)):
            binding = np.asarray(galaxies["binding_energy"][k])
            relative = float(galaxies["temperature"][k, -1] / galaxies["tvir"][k, -1])
            print(f"  10^{mass:g} Msun: thermal energy takes over at z = {z:.2f}; T / Tvir = {relative:.2f} today")
            ax.semilogy(1.0 + redshifts, np.asarray(galaxies["eth"][k]) / binding, "#d55e00", label="thermal")
            ax.semilogy(1.0 + redshifts, np.asarray(galaxies["eturb"][k]) / binding, "#0072b2", label="turbulent")
            ax.axhline(1.0, color="0.6", lw=0.8, zorder=0)
            if z > 0.0:
                ax.axvline(1.0 + z, color="0.6", lw=0.8, ls="--", zorder=0)
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
