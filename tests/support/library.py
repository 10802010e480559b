"""Every model of the library, smooth halos, and random galaxies."""

import jax.numpy as jnp
import numpy as np

import corundum as co
from corundum import models, physics

COSMOLOGY = co.cosmology.pandya26_cosmology()


def smooth_halos(log_mvir, late=0.65):
    """Exponential growth in redshift, faster for heavier halos, from z = 8 on."""
    log_mvir = np.atleast_1d(np.asarray(log_mvir, float))[:, None]
    time = np.geomspace(0.64, float(COSMOLOGY.age(0.0)), 60)
    redshift = np.asarray(COSMOLOGY.redshift(time))
    growth = log_mvir - (late + 0.12 * (log_mvir - 12.0)) * redshift / np.log(10.0)
    concentration = np.maximum(0.95 - 0.1 * (log_mvir - 12.0) - 0.5 * np.log10(1.0 + redshift), 0.45)
    return co.halos.HaloHistories(time, growth, concentration, cosmology=COSMOLOGY)


def swapped():
    """The thermal model with every law swapped for another."""
    return models.ThermalCGM(
        mass_loading=physics.Muratov15StellarMass(),
        energy_loading=physics.ConstantLoading(0.2),
        depletion_time=physics.MolecularDepletion(),
        prevention=physics.EnergyDrivenPrevention(),
        condensation=physics.PrecipitationThreshold(),
        reionisation=physics.Okamoto08(filtering_mass=physics.KravtsovManwadkar22FilteringMass()),
        profile=physics.PowerLawCGM(temperature_slope=-0.2),
        stellar_return=physics.chabrier_return(),
    )


def thermal_with_everything():
    """The thermal model with every process."""
    processes = {
        "black_hole": models.BlackHole(),
        "recycling": models.HaloRecycling(),
        "compression": models.Compression(),
        "late_metals": models.DelayedEnrichment(),
    }
    return models.ThermalCGM(processes=processes)


def turbulent_with_black_hole():
    """The turbulent model with a black hole fed in the other ways."""
    hole = models.BlackHole(cold=physics.DynamicalFeeding(), hot=physics.BondiFeeding())
    recycling = models.HaloRecycling(time=physics.Henriques13Return())
    return models.TurbulentCGM(
        mass_loading=physics.Muratov15Velocity(),
        depletion_time=physics.DynamicalDepletion(),
        condensation=physics.SlowerTimeCondensation(),
        onset=physics.Pandya23Onset(),
        turbulence=physics.Turbulence(scale=physics.VirialScale()),
        processes={"black_hole": hole, "recycling": recycling},
    )


def galaxy_in_full():
    """The reference model but for mergers, which need halos that are prepared for them, and with quasars."""
    model = models.reference_galaxy()
    processes = {n: p for n, p in model.processes.items() if n not in ("merging", "arriving_black_holes")}
    cold = physics.SecularFeeding(beside=physics.StarFormationFeeding())
    processes |= {"black_hole": models.BlackHole(cold=cold), "quasar": models.QuasarMode()}
    laws = {name: getattr(model, name) for name in ("mass_loading", "depletion_time", "stellar_return")}
    return models.ThermalCGM(**laws, processes=processes)


MODELS = {
    "ThermalCGM": models.ThermalCGM,
    "pandya26": models.pandya26,
    "TurbulentCGM": models.TurbulentCGM,
    "pandya23": models.pandya23,
    "MinimalRegulator": models.MinimalRegulator,
    "swapped": swapped,
    "thermal_with_everything": thermal_with_everything,
    "turbulent_with_black_hole": turbulent_with_black_hole,
    "galaxy_in_full": galaxy_in_full,
}


def draw_parameters(model, rng):
    """Random parameters over the declared ranges, in their natural scale, channels left alone."""
    values = {}
    for name, item in co.describe(model).items():
        if name.startswith("channels"):
            continue
        low, high = item.bounds
        if item.scale == "log10":
            values[name] = 10 ** rng.uniform(np.log10(low), np.log10(high))
        else:
            values[name] = rng.uniform(low, high)
    return co.replace(model, values)


def draw_galaxy(model, rng):
    """A random galaxy of a model, its halo, and a redshift."""
    z = rng.uniform(0, 8)
    mvir = 10 ** rng.uniform(8, 13)
    rvir = COSMOLOGY.virial_radius(mvir, z)
    vvir = co.cosmology.circular_velocity(mvir, rvir)
    growth = mvir / 1e10 * rng.uniform(-0.2, 3)
    halo = co.halos.Halo(
        COSMOLOGY.age(z), jnp.array(z), jnp.array(mvir), rvir, vvir, jnp.array(rng.uniform(2.5, 20)), jnp.array(growth)
    )
    if any(isinstance(process, models.Compression) for process in model.processes.values()):
        halo = halo._replace(deepening=jnp.asarray(2.0 / 3.0 * 1e9 * growth / mvir))
    ledger, values = model.ledger, {}
    masses = {place: mvir * 10 ** rng.uniform(-5, -1) for kind, place in sorted(ledger.contents) if kind == "mass"}
    for (currency, reservoir), field in sorted(ledger.contents.items()):
        if currency == "mass":
            values[field] = masses[reservoir]
        elif currency == "energy":
            values[field] = masses["cgm"] * 2e43 * vvir**2 * 10 ** rng.uniform(-1, 1)
        elif currency == "momentum":
            values[field] = masses[reservoir] * vvir * rvir * 10 ** rng.uniform(-2.5, -1)
        else:
            values[field] = masses.get(reservoir, masses["stars"]) * 10 ** rng.uniform(-5, -1.3)
    return ledger.state(**{name: jnp.asarray(values[name], float) for name in ledger.state._fields}), halo


def gaps(ledger, flows):
    """By currency, how far what reservoirs gain is from what crosses their border, over all that moves."""
    change, outside = ledger.derivative(flows), ledger.exchange(flows)
    gaps = {}
    for currency in ledger.currencies:
        inside = [float(getattr(change, field)) for (what, _), field in ledger.contents.items() if what == currency]
        crossing = [float(rate) for (what, _), rate in outside.items() if what == currency]
        gaps[currency] = abs(sum(inside) + sum(crossing)) / sum(map(abs, inside + crossing))
    return gaps
