"""Growth of generated halos beside published N-body halos: rates, their scatter, and formation times, in one figure.

    python benchmarks/growth.py --out docs/images/growth.png
    python benchmarks/growth.py --out growth.png --branches branches.csv     # and main branches of a simulation

Three candidates are compared at one mass: Monte-Carlo merger trees, the smooth diffmah population, and the same
population with a continuous late index, whose scatter is set so that growth rates today scatter as published.  N-body
numbers: mean and median growth rate of Fakhouri, Ma & Boylan-Kolchin 2010 (MNRAS 406, 2267, eq. 2) and of McBride,
Fakhouri & Ma 2009 (MNRAS 398, 1858, eqs. 8 and 9), scatter of log10 M(t) of Hearin et al. 2021 (OJAp 4, 7) as diffmah
ships it.

Files of branches have the columns halo_id, time [Gyr] and log_mvir; branches that end within 0.35 dex of the mass are
smoothed as `corundum.halos.read_table` does.
"""

import argparse
import dataclasses
from pathlib import Path

import diffmah
import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np

import corundum as co

co.configure()

TABLES = Path(diffmah.__file__).parent / "tests" / "testing_data"
LATE_SCATTER, LATE_MEDIAN = 0.26, 25.3 / 1e12 * 1e9  # dex; 1/Gyr, the published median rate of 10^12 Msun at z = 0


def published(name, z, mass):
    """Mean and median growth rate [Msun/yr] of halos of `mass` [Msun]."""
    expansion = np.sqrt(np.asarray(co.cosmology.planck15().expansion(jnp.asarray(z))))
    if name == "Fakhouri+10":
        factor = (mass / 1e12) ** 1.1 * expansion
        return 46.1 * factor * (1.0 + 1.11 * z), 25.3 * factor * (1.0 + 1.65 * z)
    mean = 42.0 * (mass / 1e12) ** 1.127 * (1.0 + 1.17 * z) * expansion
    return mean, 24.1 * (mass / 1e12) ** 1.094 * (1.0 + 1.75 * z) * expansion


def continuous_diffmah(n, log_mvir, key):
    """Smooth diffmah histories whose growth rate today is drawn from a log-normal instead of from two values."""
    from diffmah import logmh_at_t_obs
    from diffmah.diffmahpop_kernels.bimod_censat_params import DEFAULT_DIFFMAHPOP_PARAMS
    from diffmah.diffmahpop_kernels.mc_bimod_cens import mc_diffmah_cenpop

    like = co.halos.diffmah_population(n, log_mvir=(log_mvir, log_mvir), key=key)
    today, masses = like.time[-1], jnp.full(n, log_mvir)
    keys = jax.random.split(jax.random.key(key))
    drawn = mc_diffmah_cenpop(
        DEFAULT_DIFFMAHPOP_PARAMS, masses, jnp.full(n, today), keys[0], jnp.log10(today)
    ).mah_params
    rolled = jax.nn.sigmoid(3.5 * (jnp.log10(today) - drawn.logtc))
    index = LATE_MEDIAN * today * 10.0 ** (LATE_SCATTER * jax.random.normal(keys[1], (n,)))
    late = drawn.early_index + (index - drawn.early_index) / rolled
    params = drawn._replace(late_index=late, t_peak=jnp.full(n, 100.0))
    columns = type(params)(*(number[:, None] for number in params))
    log_mass = logmh_at_t_obs(columns, like.time[None, :], jnp.log10(today))
    return dataclasses.replace(like, log_mvir=log_mass - log_mass[:, -1:] + log_mvir)


def branches(paths, log_mvir):
    """Smoothed main branches of some files that end near a mass."""
    times = np.geomspace(1.0, 13.79, 100)
    halos = co.halos.join([co.halos.read_table(path, drop_bad=True, times=times) for path in paths])
    final = np.asarray(halos.log_mvir[:, -1])
    return halos[np.flatnonzero(abs(final - log_mvir) < 0.35)]


def specific_growth(halos, z):
    """log10 of growth rate over mass [1/Gyr]."""
    halo = halos.at(redshift=z)
    return np.log10(np.maximum(np.asarray(halo.growth / halo.mvir) * 1e9, 1e-5))


def half_mass_redshift(halos):
    ln_time, level = np.log(np.asarray(halos.time)), np.log10(0.5)
    half = [np.interp(level, history - history[-1], ln_time) for history in np.asarray(halos.log_mvir)]
    return np.asarray(halos.cosmology.redshift(jnp.exp(jnp.asarray(half))))


def fullest(values, width=0.1):
    values = np.sort(values)
    return np.max(np.searchsorted(values, values + width) - np.arange(len(values))) / len(values)


def draw(samples, log_mvir, out):
    mass, colors = 10.0**log_mvir, ["C0", "C1", "C2", "k"]
    figure, axes = plt.subplots(2, 2, figsize=(9.0, 7.0), layout="constrained")
    rates, growth, scatter, formation = axes.ravel()
    z = np.linspace(0.0, 3.0, 13)
    nbody_time = np.loadtxt(TABLES / "nbody_t_target.dat")
    for (name, halos), color in zip(samples.items(), colors, strict=False):
        today = specific_growth(halos, max(float(halos.redshift[-1]), 0.0))
        rates.hist(today, np.arange(-3.0, 0.2, 0.05), density=True, histtype="step", color=color, label=name)
        halo = halos.along(np.minimum(np.asarray(halos.cosmology.age(jnp.asarray(z))), float(halos.time[-1])))
        at_mass = np.asarray(halo.growth) * (mass / np.asarray(halo.mvir)) ** 1.1
        growth.plot(z, at_mass.mean(axis=0), color=color)
        growth.plot(z, np.median(at_mass, axis=0), "--", color=color)
        time = np.asarray(halos.time)
        lag = np.asarray(halos.log_mvir) - np.asarray(halos.log_mvir)[:, -1:]
        scatter.plot(time[time > 1.0], lag.std(axis=0)[time > 1.0], color=color)
        formation.hist(half_mass_redshift(halos), np.arange(0.0, 3.5, 0.1), density=True, histtype="step", color=color)
    for name, style in (("Fakhouri+10", "-"), ("McBride+09", ":")):
        mean, median = published(name, 0.0, mass)
        for value in (mean, median):
            rates.axvline(np.log10(value / mass * 1e9), color="0.5", ls=style, lw=1.0)
        mean, median = published(name, z, mass)
        growth.plot(z, mean, "o" if style == "-" else "^", color="0.4", label=f"{name}: mean (full), median", ms=4)
        growth.plot(z, median, "o" if style == "-" else "^", color="0.4", mfc="none", ms=4)
    table = TABLES / f"var_log_mah_nbody_logmp_{log_mvir:.2f}.dat"
    scatter.plot(nbody_time, np.sqrt(np.loadtxt(table)), "o", color="0.4", ms=3, label="N-body, Hearin+21")
    rates.set(xlabel=r"$\log_{10}(\dot M / M)$ at $z = 0$ [Gyr$^{-1}$]", ylabel="halos per dex")
    rates.set(xlim=(-2.6, 0.0), ylim=(0.0, 16.0))
    growth.set(xlabel="redshift", ylabel=r"$\dot M$ at this mass [M$_\odot$ yr$^{-1}$]; dashed: median", yscale="log")
    scatter.set(xlabel="cosmic age [Gyr]", ylabel=r"scatter of $\log_{10} M(t)/M_0$ [dex]")
    formation.set(xlabel="half-mass redshift", ylabel="halos per unit redshift")
    rates.legend(fontsize=8, title=rf"$10^{{{log_mvir:g}}}$ M$_\odot$; lines: published median, mean")
    growth.legend(fontsize=8)
    scatter.legend(fontsize=8)
    figure.savefig(out, dpi=130)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--log-mvir", type=float, default=12.0, help="log10 of final mass [Msun]")
    parser.add_argument("--halos", type=int, default=4000)
    parser.add_argument("--branches", nargs="+", help="tables of main branches of simulations")
    parser.add_argument("--out", required=True, help="the figure to write")
    options = parser.parse_args()
    mass, n = options.log_mvir, options.halos
    samples = {
        "Monte-Carlo trees (default)": co.halos.monte_carlo_trees(n, log_mvir=(mass, mass), key=1),
        "diffmah_population": co.halos.diffmah_population(n, log_mvir=(mass, mass), key=1),
        "diffmah, continuous late index": continuous_diffmah(n, mass, 1),
    }
    if options.branches:
        samples["N-body main branches"] = branches(options.branches, mass)
    print("halos, mean / median growth [Msun/yr] at z = 0, mean over median at z = 0 and 1, half of the middle 68%")
    print("[dex], share of halos in the fullest 0.1 dex, half-mass redshift: mean and scatter")
    for name, halos in samples.items():
        now = specific_growth(halos, max(float(halos.redshift[-1]), 0.0))
        one, formed = specific_growth(halos, 1.0), half_mass_redshift(halos)
        ratio = [np.mean(10.0**values) / np.median(10.0**values) for values in (now, one)]
        spread = 0.5 * np.diff(np.quantile(now, [0.16, 0.84]))[0]
        rates = [f"{10.0**mass * 1e-9 * value:.3g}" for value in (np.mean(10.0**now), np.median(10.0**now))]
        print(
            f"{name}: {len(halos)}, {' / '.join(rates)}, {ratio[0]:.2f} {ratio[1]:.2f}, {spread:.3f}, "
            f"{fullest(now):.2f}, {formed.mean():.2f} {formed.std():.2f}"
        )
    draw(samples, mass, options.out)


if __name__ == "__main__":
    main()
