"""Time and memory of populations with satellites, and what comes out of them at the starting values.

    python benchmarks/galaxies.py --trees 60 --parameters 2

Trees have evenly spaced final masses.  The first solve includes compilation; derivatives are taken with respect to some
parameters at once, by forward differentiation through both passes and all levels.
"""

import argparse
import resource
import time

import jax

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_num_cpu_devices", 2)

import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402

import corundum as co  # noqa: E402
from corundum import models  # noqa: E402
from corundum.halos.satellites.links import levels_and_roots  # noqa: E402

PARAMETERS = ("processes.merging.friction.time.factor", "mass_loading.amplitude", "energy_loading.amplitude")


def forest(trees: int, low: float, high: float, smallest: float) -> co.halos.HaloHistories:
    """Trees of evenly spaced masses, weighted with the number density that they stand for."""
    sampling = co.halos.GivenMasses(np.linspace(low, high, trees))
    halos = co.halos.monte_carlo_forest(trees, log_mvir=(low, high), sampling=sampling, smallest=smallest)
    return co.halos.abundance_weights(halos)


def seconds(function) -> tuple[float, object]:
    begun = time.perf_counter()
    result = jax.block_until_ready(function())
    return time.perf_counter() - begun, result


def describe(halos, population) -> None:
    """Stellar mass functions of centrals and satellites, and stars over halo mass."""
    level, root = levels_and_roots(halos.host)
    today = population.at(0.0)
    stars, satellite = np.log10(np.asarray(today["mstar"])), np.asarray(today["satellite"])
    weights = np.where(np.asarray(today.valid), np.asarray(today.weights), 0.0)
    print("lg M_star  lg phi  centrals  satellites  satellite fraction")
    for low in np.arange(8.5, 11.5, 0.5):
        inside = (stars >= low) & (stars < low + 0.5)
        both = [np.sum((weights * share)[inside]) / 0.5 for share in (1.0 - satellite, satellite)]
        with np.errstate(divide="ignore"):
            print(
                f"{low + 0.25:9.2f} {np.log10(sum(both)):7.2f} {np.log10(both[0]):9.2f} {np.log10(both[1]):11.2f} "
                f"{both[1] / max(sum(both), 1e-30):19.2f}"
            )
    print("lg M_halo  lg M_star / M_halo  accreted share  lg (stars between galaxies / M_star)")
    for row in np.flatnonzero(level == 0)[:: max(1, int(np.sum(level == 0)) // 8)]:
        mass, own = float(today["mvir"][row]), float(today["mstar"][row])
        print(
            f"{np.log10(mass):9.2f} {np.log10(own / mass):19.2f} {float(today['maccreted'][row]) / own:15.2f} "
            f"{np.log10(float(today['micl'][row]) / own):15.2f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trees", type=int, default=60)
    parser.add_argument("--low", type=float, default=10.0)
    parser.add_argument("--high", type=float, default=13.5)
    parser.add_argument("--smallest", type=float, default=1e-3)
    parser.add_argument("--parameters", type=int, default=0, help="how many derivatives, 0 to 3")
    parser.add_argument("--bare", action="store_true", help="without ram pressure and tides")
    options = parser.parse_args()
    drawing, halos = seconds(lambda: forest(options.trees, options.low, options.high, options.smallest))
    level, _ = levels_and_roots(halos.host)
    print(
        f"{len(halos)} halos in {options.trees} trees, of level {np.bincount(level).tolist()}, drawn in {drawing:.1f} s"
    )
    environment = {} if options.bare else {"ram_pressure": models.RamPressure(), "tides": models.TidalStripping()}
    satellites = {"merging": models.Merging(), "handing_over": models.HandingOver()}
    model = models.ThermalCGM(processes={**satellites, **environment})
    keep = ("mstar", "mism", "mcgm", "mvir", "sfr", "micl", "maccreted", "satellite")
    evolve = lambda model: co.evolve(model, halos, [0.0], keep=keep)  # noqa: E731
    first, population = seconds(lambda: evolve(model))
    again, _ = seconds(lambda: evolve(model))
    print(f"solved in {again:.2f} s, {1e3 * again / len(halos):.2f} ms a halo; with compilation {first:.0f} s")
    print(f"{np.mean(np.asarray(population.steps)):.0f} steps a halo; {population.status_counts()}")
    describe(halos, population)
    if options.parameters:
        names = PARAMETERS[: options.parameters]

        def stars(ln_factors):
            factors = zip(names, co.get_values(model, names), ln_factors, strict=True)
            values = {name: start * jnp.exp(factor) for name, start, factor in factors}
            return jnp.log10(evolve(co.replace(model, values))["mstar"])

        point = jnp.zeros(len(names))
        jacobian = lambda: jax.jacfwd(stars)(point)  # noqa: E731
        first, _ = seconds(jacobian)
        again, _ = seconds(jacobian)
        print(f"derivatives for {len(names)} parameters in {again:.2f} s; with compilation {first:.0f} s")
    print(f"largest memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB")


if __name__ == "__main__":
    main()
