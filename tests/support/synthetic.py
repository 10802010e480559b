"""A population that costs no solve: made-up smooth states, with the flows the real model gives them."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

import corundum as co
from corundum.models.thermal import ThermalState
from corundum.units import KM_CM, MSUN_G


def histories(number=60, seed=0, low=10.0, high=12.1, late=0.8, **kwargs):
    """Exponential growth in redshift with scatter; `late` sets how fast the halos grow."""
    rng = np.random.default_rng(seed)
    cosmology = co.cosmology.planck15()
    time = np.geomspace(0.5, float(cosmology.age(0.0)), 40)
    redshift = np.asarray(cosmology.redshift(time))
    final = np.sort(rng.uniform(low, high, number))[:, None]
    rate = late + 0.1 * (final - 12.0) + 0.1 * rng.normal(size=(number, 1))
    log_mvir = final - rate * redshift / np.log(10.0)
    log_concentration = (
        0.95 - 0.1 * (final - 12.0) - 0.5 * np.log10(1.0 + redshift) + 0.05 * rng.normal(size=(number, 1))
    )
    words = {"source": "made up <for tests>", "order": "by final mass"}
    return co.halos.HaloHistories(time, log_mvir, log_concentration, cosmology=cosmology, provenance=words, **kwargs)


@eqx.filter_jit
def _column(model, halos, noise, redshift):
    number = len(halos)
    halo = halos.at(redshift=redshift)
    halo = halo._replace(time=jnp.full(number, halo.time), redshift=jnp.full(number, redshift))
    lg = jnp.log10(halo.mvir)
    mstar = halo.mvir * 10.0 ** (-2.0 + 0.9 * (lg - 12.0) + 0.15 * noise)
    mism = mstar * 10.0 ** (-0.4 * (lg - 11.5))
    mcgm = 0.05 * halo.mvir
    eth = mcgm * MSUN_G * (halo.vvir * KM_CM) ** 2
    z_ism = 0.015 * 10.0 ** (0.4 * (lg - 12.0))
    state = ThermalState(mstar, mism, mcgm, eth, 0.6 * z_ism * mstar, z_ism * mism, 0.2 * z_ism * mcgm)
    return (halo, state, *model.fluxes(state, model.forcing(halo, halos.cosmology)))


def population(halos, redshifts=(2.0, 0.0), failed=(3,)):
    """A `Population` of these halos; the halos in `failed` hold NaN, as where a solve failed."""
    model = co.models.ThermalCGM()
    noise = np.random.default_rng(1).normal(size=len(halos))
    columns = [_column(model, halos, noise, jnp.float64(redshift)) for redshift in redshifts]
    stacked = jax.tree.map(lambda *arrays: jnp.stack(arrays, axis=1), *columns)
    status = np.zeros(len(halos), int)
    status[list(failed)] = 1
    valid = jnp.broadcast_to(jnp.asarray(status == 0)[:, None], (len(halos), len(redshifts)))
    halo, state, flows, diagnostics = jax.tree.map(lambda array: jnp.where(valid, array, jnp.nan), stacked)
    steps = np.arange(len(halos)) + 100
    return co.Population(
        redshifts=jnp.asarray(redshifts, float),
        halo=halo,
        state=state,
        flows=flows,
        diagnostics=diagnostics,
        valid=valid,
        status=jnp.asarray(status),
        steps=jnp.asarray(steps),
        rejected=jnp.asarray(steps // 10),
        weights=halos.weights,
        described=tuple(sorted({**halos.quantities, **model.ledger.quantities, **model.diagnostics}.items())),
    )
