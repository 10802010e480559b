"""Bulges: unstable discs, mergers that destroy discs, and sizes of what merges."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import corundum as co
from corundum import models, physics
from corundum.units import GRAVITY, GYR_YR, Quantity
from library import COSMOLOGY, smooth_halos

PROCESSES = {"discs": models.Discs(), "bulge": models.Bulge(), "bars": models.DiscInstability()}
SOLVER = co.numerics.LaneSolver(tolerance=1e-9)
ARRIVALS = (
    *(f"satellite_{place}{kind}" for place in ("stars", "ism", "cgm") for kind in ("", "_metals")),
    "satellite_black_holes", "merging_bursts", "merging_mass", "merging_squares", "resolved_growth",
)  # fmt: skip


@pytest.fixture(scope="module")
def model():
    return models.ThermalCGM(processes={**PROCESSES, "merging": models.Merging()})


@pytest.fixture(scope="module")
def halos():
    """A halo in which nothing merges, and the same halo with one satellite of 2e9 Msun of stars at 6 Gyr."""
    same = smooth_halos([11.7, 11.7])
    time = np.asarray(same.time)
    place = (np.log(time) - np.log(6.0)) / 0.15
    merged, rate = (np.stack([0.0 * time, curve]) for curve in (
        0.5 * (1.0 + np.vectorize(_erf)(place / np.sqrt(2.0))), np.exp(-0.5 * place**2) / np.sqrt(2.0 * np.pi) / 0.15
    ))  # fmt: skip
    held = {"satellite_stars": 2e9, "merging_mass": 2e9, "merging_squares": 4e18}
    extras = {
        name: co.halos.ExtraCurve(held.get(name, 0.0) * merged, Quantity("Msun/Gyr", name), held.get(name, 0.0) * rate)
        for name in ARRIVALS
    }
    extras["smooth_share"] = co.halos.ExtraCurve(1.0 + 0.0 * merged, Quantity("1", "share", log=False))
    return co.halos.HaloHistories(time, same.log_mvir, same.log_concentration, cosmology=COSMOLOGY, extras=extras)


def _erf(x):
    return float(jax.scipy.special.erf(x))


@pytest.fixture(scope="module")
def galaxies(model, halos):
    return co.evolve(model, halos, [0.0, 2.0], solver=SOLVER)


def _state(model, **changed):
    numbers = dict.fromkeys(model.ledger.state._fields, 1.0) | dict(mcgm=1e10, eth=1e58) | changed
    return model.ledger.state(**{name: jnp.asarray(value, float) for name, value in numbers.items()})


def _halo(vvir=127.7, **extras):
    halo = co.halos.Halo(*map(jnp.asarray, (13.8, 0.0, 1e12, 264.0, vvir, 10.0, 30.0)))
    return halo._replace(extras=co.halos.Extras({name: jnp.asarray(value) for name, value in extras.items()}))


def _rates(model, state, halo):
    return model.fluxes(state, model.forcing(halo, COSMOLOGY))


def test_sizes_of_merged_galaxies():
    """Equal galaxies: 4/3 without gas, smaller by 1 + 2.75 f with it; a tenth with r ~ m^0.6 changes nothing."""
    sizes = physics.MergedSizes()
    assert float(sizes(1.0, 1.0, 1.0, 1.0)) == pytest.approx(4.0 / 3.0)
    assert float(sizes(1.0, 1.0, 1.0, 1.0, 0.3)) == pytest.approx(0.73, abs=1e-3)
    assert float(sizes(1.0, 1.0, 0.1, 0.1**0.6)) == pytest.approx(1.009, abs=1e-3)
    # What settles at that radius makes the mean of both: no second-order error for a heavy one.
    for other in (1.0, 1e-6):
        settled = float(sizes.settling(1.0, 1.0, other, 0.5, 0.0))
        assert (1.0 + other * settled) / (1.0 + other) == pytest.approx(float(sizes(1.0, 1.0, other, 0.5)), rel=1e-12)
    # Small mergers let a spheroid grow: d ln r / d ln m = 2 - 2 r / (r + r_s).
    assert settled == pytest.approx(1.0 + 2.0 - 2.0 / 1.5, rel=1e-5)


@pytest.mark.parametrize(("size", "stability"), [(3.0, 0.82), (2.0, 0.67)])
def test_stability_and_rate_of_a_disc_of_the_milky_way(size, stability):
    """5e10 Msun within a rotation curve of 220 km/s."""
    model = models.ThermalCGM(processes=PROCESSES)
    peak = np.sqrt(220.0**2 - 0.4 * GRAVITY * 5e10 / size)
    spin = 2.0 * size * 220.0
    stars, gas = 4.5e10 * 1.25, 5e9  # a fifth of the stars is in the bulge
    state = _state(
        model, mstar=stars, mbulge=0.2 * stars, mism=gas, jism=spin * gas, jstar=spin * 4.5e10, rmbulge=stars
    )
    flows, known = _rates(model, state, _halo(peak / 1.20509))
    assert float(known["disc_stability"]) == pytest.approx(stability, abs=5e-3)
    assert float(known["disc_velocity"]) == pytest.approx(220.0, rel=1e-4)
    assert float(known["disc_size"]) == pytest.approx(size, rel=1e-4)
    orbit = 2.0 * np.pi * size / 220.0 * 0.97779222 * GYR_YR
    rate = 1.0 / (1.0 + np.exp((float(known["disc_stability"]) - 0.8) / 0.05)) / (3.0 * orbit)
    assert float(known["unstable_gas"]) == pytest.approx(rate * gas, rel=1e-4)
    # All of that gas leaves the ISM, as stars and as wind.
    taken = flows["bar_burst"].mass + flows["bar_burst_wind"].mass
    assert float(taken) == pytest.approx(rate * gas, rel=1e-4)
    moved = float(flows["bar"].tracked) / GYR_YR
    assert moved == pytest.approx(rate * 4.5e10 + float(flows["bar_burst"].mass), rel=1e-4)
    # Momentum goes in proportion to mass: what stays keeps its own.
    assert float(flows["bar"].momentum) == pytest.approx(spin * moved, rel=1e-4)
    assert float(flows["bar_mixing"].tracked / flows["bar"].tracked) == pytest.approx(size, rel=1e-4)


@pytest.mark.parametrize(("ratio", "destroyed"), [(1.0, 1.000), (0.3, 0.632), (0.1, 0.105), (0.03, 0.010)])
def test_mergers_destroy_discs_by_their_mass_ratio(model, ratio, destroyed):
    """A disc of stars alone, whose satellite of that mass ratio merges in 1 Gyr."""
    nothing = dict.fromkeys((*ARRIVALS, "smooth_share"), 0.0)
    arriving = nothing | {"merging_mass": ratio * 1e10, "merging_squares": (ratio * 1e10) ** 2}
    state = _state(model, mstar=1e10, mism=1.0, jism=1e3, jstar=1e13, mbulge=1e5, rmbulge=1e5)
    flows, _ = _rates(model, state, _halo(**arriving))
    hazard = float(flows["bulge_growth"].tracked) / 1e10
    assert 1.0 - np.exp(-hazard) == pytest.approx(destroyed, abs=6e-4)
    assert float(flows["bulge_growth"].momentum) * GYR_YR == pytest.approx(hazard * 1e13, rel=1e-4)
    gas = _state(model, mstar=1e10, mism=1e10, jism=1e13, jstar=1e13, mbulge=1e5, rmbulge=1e5)
    with_gas, _ = _rates(model, gas, _halo(**arriving))
    # Half of the galaxy is gas: half of a hazard that is four times smaller, as the galaxy is twice as heavy.
    assert float(with_gas["bulge_growth"].tracked) == pytest.approx(
        float(flows["bulge_growth"].tracked) / 8.0, rel=1e-3
    )


@pytest.mark.slow  # a minute of compiling
def test_one_merger_makes_a_bulge_and_nothing_is_lost(galaxies, model, halos):
    assert galaxies.status_counts() == {"solved": 2}
    alone, merged = (np.asarray(galaxies["mbulge"])[row] for row in (0, 1))
    assert alone[1] == pytest.approx(merged[1], rel=1e-4)  # at z = 2 nothing has merged yet
    assert merged[0] > alone[0] + 0.9 * 0.6 * 2e9  # six tenths of its stars stay in the galaxy
    assert np.all(np.asarray(galaxies["mbulge"]) < np.asarray(galaxies["mstar"]))
    assert 0.1 < float(galaxies["bulge_size"][1, 0]) < 10.0
    closure = co.sensitivity.budgets(model, halos[1:2], [0.0]).closure()
    assert set(closure) == {"mass", "metals", "energy", "momentum"} and max(closure.values()) < 1e-8


def test_what_needs_a_bulge_is_refused_without_one():
    with pytest.raises(ValueError, match="DiscInstability needs a bulge, which ThermalCGM does not follow; add the"):
        models.ThermalCGM(processes={"discs": models.Discs(), "bars": models.DiscInstability()})
    with pytest.raises(ValueError, match="Bulge needs a reservoir of ism momentum, which ThermalCGM does not have"):
        models.ThermalCGM(processes={"bulge": models.Bulge()})
