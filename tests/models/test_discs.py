"""Discs: angular momentum that flows with mass, sizes that follow from it, and numbers that a halo keeps for life."""

from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import corundum as co
from corundum import models, physics
from corundum.models import FlowRates, ProcessFluxes
from corundum.physics.stars.momentum import HALF_MASS, disc_of
from corundum.units import GRAVITY, Quantity
from library import COSMOLOGY, draw_galaxy, smooth_halos

SOLVER = co.numerics.LaneSolver(tolerance=1e-9)
SPINS = (-1.0, 0.0, 1.0)


@pytest.fixture(scope="module")
def model():
    return models.ThermalCGM(processes={"discs": models.Discs()})


@pytest.fixture(scope="module")
def halos():
    """Three halos of one growth, whose spins differ by one standard deviation each."""
    same = smooth_halos([12.0, 12.0, 12.0])
    latent = np.repeat(np.array(SPINS)[:, None], len(same.time), axis=1)
    curve = co.halos.ExtraCurve(latent, Quantity("1", "spin", log=False))
    return co.halos.HaloHistories(
        same.time, same.log_mvir, same.log_concentration, cosmology=COSMOLOGY, extras={"spin_latent": curve}
    )


@pytest.fixture(scope="module")
def galaxies(model, halos):
    return co.evolve(model, halos, [0.0, 1.0], solver=SOLVER)


def _galaxy(mass, specific, concentration=10.0):
    halo = co.halos.Halo(*map(jnp.asarray, (13.8, 0.0, 1e12, 264.0, 127.7, concentration, 30.0)))
    ledger = models.ThermalCGM(processes={"discs": models.Discs()}).ledger
    half = 0.5 * mass
    state = ledger.state(half, half, 1e10, 1e58, 1.0, 1.0, 1.0, half * specific, half * specific)
    return physics.Galaxy(jax.tree.map(jnp.asarray, state), halo, {}, {})


def test_a_light_disc_has_the_size_of_mo_mao_and_white():
    """R_50 = 1.678 lambda' R / sqrt 2 = 0.0415 R in a flat rotation curve of the virial velocity."""
    halo = _galaxy(1.0, 1.0).halo
    galaxy = _galaxy(1e3, np.sqrt(2.0) * 0.035 * float(halo.vvir * halo.rvir))
    disc = disc_of(galaxy)
    assert float(HALF_MASS * disc.size * disc.velocity / halo.vvir / halo.rvir) == pytest.approx(0.0415, rel=2e-3)
    assert float(disc.stars) == pytest.approx(float(disc.size)) == pytest.approx(float(disc.gas))
    # NFW, c = 10: V_max / V = 1.205.
    assert float(disc.velocity / halo.vvir) == pytest.approx(1.205, abs=1e-3)
    # Half of the mass of an exponential disc lies within 1.678 scale lengths.
    assert (1.0 + HALF_MASS) * np.exp(-HALF_MASS) == pytest.approx(0.5, abs=1e-12)


def test_a_heavy_disc_satisfies_the_balance_with_its_own_gravity():
    galaxy = _galaxy(5e10, 1500.0)
    disc, peak = disc_of(galaxy), 1.205 * 127.7
    assert float(2.0 * disc.size * disc.velocity) == pytest.approx(1500.0)
    own = 0.4 * GRAVITY * 5e10 / float(disc.size)
    assert float(disc.velocity) ** 2 == pytest.approx(peak**2 + own, rel=1e-3)
    assert own > peak**2  # this one is held by itself


def test_every_flow_of_mass_carries_momentum_of_what_it_leaves(model):
    for seed in range(3):
        state, halo = draw_galaxy(model, np.random.default_rng(seed))
        flows = model.fluxes(state, model.forcing(halo, COSMOLOGY)).flows
        for name in ("star_formation", "wind"):
            carried = flows[name].momentum / flows[name].mass
            assert float(carried) == pytest.approx(float(state.jism / state.mism))
        of_halo = np.sqrt(2.0) * 0.035 * halo.vvir * halo.rvir
        assert float(flows["cooling"].momentum) == pytest.approx(float(of_halo * flows["cooling"].mass))
        assert flows["accretion"].momentum is None and flows["outflow"].momentum is None
    assert model.ledger.currencies == ("mass", "metals", "energy", "momentum")
    assert {place for kind, place in model.ledger.outside if kind == "momentum"} == {"cgm"}


@pytest.mark.slow
def test_momentum_closes_and_changes_no_mass(model, halos, galaxies):
    assert max(co.sensitivity.budgets(model, halos[1:2], [0.0]).closure().values()) < 1e-9
    bare = co.evolve(models.ThermalCGM(), halos[1:2], [0.0, 1.0], solver=SOLVER)
    for name in bare.state._fields:
        np.testing.assert_allclose(galaxies[name][1], bare[name][0], rtol=1e-6, err_msg=name)


def test_sizes_follow_spin_and_grow_in_time(galaxies):
    sizes = np.asarray(galaxies["half_mass_radius"])
    assert np.all(np.diff(sizes[:, 0]) > 0.0) and np.all(sizes[:, 0] > 1.5 * sizes[:, 1])
    # Momentum follows the spin exactly; size more steeply, because small discs bind themselves.
    np.testing.assert_allclose(galaxies["jstar"][:, 0] / galaxies["jstar"][1, 0], np.exp(0.5 * np.array(SPINS)), 1e-5)
    slope = np.log(sizes[2, 0] / sizes[0, 0])
    assert 1.0 < slope < 1.7
    # Kravtsov 2013: half-mass radii are 0.015 of R_200c, which is 0.75 Rvir, with a scatter of 0.2 dex.
    assert 0.5 < sizes[1, 0] / (0.015 * 0.75 * float(galaxies["rvir"][1, 0])) < 1.6


def test_gas_phases_and_star_formation_take_the_size_of_the_galaxy(halos):
    size = physics.MomentumDiscSize()
    depletion = physics.MolecularDepletion(disc=size)
    processes = {"discs": models.Discs(), "phases": models.GasPhases(disc=size)}
    model = models.ThermalCGM(depletion_time=depletion, processes=processes)
    galaxies = co.evolve(model, halos, [0.0], keep=["mh2", "mism", "sfr"])
    molecular = np.asarray(galaxies["mh2"] / galaxies["mism"])[:, 0]
    assert molecular[0] > molecular[1] > molecular[2]  # compact discs are molecular
    with pytest.raises(ValueError, match="reads 'jism', which ThermalCGM does not know"):
        models.ThermalCGM(depletion_time=depletion)
    with pytest.raises(ValueError, match="a halo alone has no disc"):
        size(halos.at(redshift=0.0))


# ---- latent numbers


def test_latent_numbers_are_standard_normal_and_stay_with_a_halo():
    halos = co.halos.with_latents(smooth_halos(np.full(400, 12.0)), key=3)
    again = co.halos.with_latents(smooth_halos(np.full(400, 12.0)), key=3)
    curves = {name: np.asarray(curve.values) for name, curve in halos.extras.items()}
    assert all(np.array_equal(curves[name], curve.values) for name, curve in again.extras.items())
    for name, curve in curves.items():
        assert abs(curve.mean()) < 0.15 and abs(curve.std() - 1.0) < 0.1, name
    assert np.ptp(curves["spin_latent"], axis=1).max() == 0.0
    wandering, ln_time = curves["star_formation_latent"], np.log(np.asarray(halos.time))
    apart = [int(np.argmin(np.abs(ln_time - ln_time[-1] + lag))) for lag in (0.15, 0.6)]
    measured = [np.corrcoef(wandering[:, -1], wandering[:, k])[0, 1] for k in apart]
    # exp(-1) and exp(-4), somewhat more without the fastest modes.
    assert 0.3 < measured[0] < 0.6 and abs(measured[1]) < 0.15
    with pytest.raises(ValueError, match="modes"):
        co.halos.with_latents(halos, modes=0)


# ---- processes that look at each other


class Watching(models.AbstractProcess):
    """A quantity that is twice one of another process."""

    reservoirs: ClassVar[dict] = {}
    flows: ClassVar[tuple] = ()
    diagnostics: ClassVar[dict] = {"twice": Quantity("kpc", "twice the size of the disc")}
    reads: ClassVar[tuple] = ("disc_size",)

    def initial(self, state, halo, cosmology):
        return {}

    def own_fluxes(self, galaxy):
        return ProcessFluxes({}, {"twice": 2.0 * galaxy.quantities["disc_size"]})


class Circular(Watching):
    diagnostics: ClassVar[dict] = {"disc_size": Quantity("kpc", "half of it")}
    reads: ClassVar[tuple] = ("twice",)

    def own_fluxes(self, galaxy):
        return ProcessFluxes({}, {"disc_size": 0.5 * galaxy.quantities["twice"]})


def test_a_process_sees_what_another_computes_whatever_their_names():
    for names in (("a", "b"), ("b", "a")):
        model = models.ThermalCGM(processes=dict(zip(names, (Watching(), models.Discs()), strict=True)))
        state, halo = draw_galaxy(model, np.random.default_rng(0))
        known = model.fluxes(state, model.forcing(halo, COSMOLOGY)).diagnostics
        assert float(known["twice"]) == 2.0 * float(known["disc_size"])
    with pytest.raises(ValueError, match="Watching reads disc_size, which ThermalCGM does not compute"):
        models.ThermalCGM(processes={"watching": Watching()})
    with pytest.raises(ValueError, match="processes a, b: each reads what another of them computes"):
        models.ThermalCGM(processes={"a": Watching(), "b": Circular()})


def test_what_a_process_adds_of_its_own_is_left_alone():
    """A flow that names a carried currency itself keeps its own rate."""

    class Torque(models.AbstractProcess):
        reservoirs: ClassVar[dict] = {}
        flows: ClassVar[tuple] = (
            models.Flow("torque", "gas losing its momentum", ("ism", "stars"), momentum=("ism", "igm")),
        )
        outside: ClassVar[tuple] = ("igm",)

        def initial(self, state, halo, cosmology):
            return {}

        def own_fluxes(self, galaxy):
            ones = jnp.ones_like(galaxy.state.mism)
            return ProcessFluxes({"torque": FlowRates(mass=2.0 * ones, momentum=7.0 * ones)}, {})

    model = models.ThermalCGM(processes={"discs": models.Discs(), "torque": Torque()}, channels={"torque": 3.0})
    state, halo = draw_galaxy(model, np.random.default_rng(1))
    rates = model.fluxes(state, model.forcing(halo, COSMOLOGY)).flows["torque"]
    assert float(rates.momentum) == 21.0 and float(rates.mass) == 6.0 and rates.metals is None
