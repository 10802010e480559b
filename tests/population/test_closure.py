"""Conservation across whole trees, of mass, metals, oxygen, iron, energy and angular momentum, to the tolerance of the
solver: what is inside of all galaxies of a tree, each with the probability that it has not merged, is what they started
with and what came from outside.
"""

from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import corundum as co
import corundum.population.trees
from bathtub import with_satellites
from corundum import models
from corundum.halos.satellites.links import levels_and_roots
from corundum.models import Flow, FlowRates, ProcessFluxes
from corundum.models.processes.satellites.handing_over import sinks_of
from corundum.physics.merging.satellites import has_merged, satellite_share
from corundum.units import GYR_S, GYR_YR, Quantity
from library import draw_galaxy

CONTENTS = {
    "mass": ("mstar", "mism", "mcgm", "micl"),
    "metals": ("mzstar", "mzism", "mzcgm", "mzicl"),
    "oxygen": ("mostar", "moism", "mocgm"),
    "iron": ("mfestar", "mfeism", "mfecgm"),
}
EXACT = co.numerics.LaneSolver(tolerance=1e-7, max_steps=20_000)
SLOW = pytest.mark.slow  # one model with everything that is accounted for
MADE = ("enrichment", "venting", "burst_enrichment", "burst_venting")


class Account(models.AbstractProcess):
    """Running totals of what a galaxy gains from outside of its tree, with the probability that it has not merged, and
    of the energy that its gas gains, without."""

    reservoirs: ClassVar[dict] = {
        ("tracked", f"gained_{kind}"): (f"gained_{kind}", Quantity("Msun", f"{kind} from outside", log=False))
        for kind in (*CONTENTS, "energy")
    }
    flows: ClassVar[tuple] = tuple(
        Flow(f"gaining_{kind}", f"{kind} from outside", tracked=("outside", f"gained_{kind}"))
        for kind in (*CONTENTS, "energy")
    )
    needs: ClassVar[tuple] = (("oxygen", "cgm"),)
    reads: ClassVar[tuple] = (
        "accretion", "outflow", *MADE, "arriving_stars", "arriving_cgm", "ram_pressure_cgm", "burst_heating",
    )  # fmt: skip

    def initial(self, state, halo, cosmology):
        return {field: 0.0 * state.mcgm for field, _ in self.reservoirs.values()}

    def own_fluxes(self, galaxy):
        state, flows, halo = galaxy.state, galaxy.flows, galaxy.halo
        merged, _ = has_merged(halo)
        satellite = satellite_share(halo)
        kept = GYR_YR * (1.0 - merged)
        leaving = 1.0 - satellite  # what leaves a satellite is its host's
        gained, lost, made = flows["accretion"], flows["outflow"], sum(flows[name].metals for name in MADE)
        rates = {"mass": kept * (gained.mass - leaving * lost.mass)}
        crossing = gained.metals - leaving * lost.metals
        rates["metals"] = kept * (crossing + made)
        for element, content, share in (("oxygen", state.mocgm, 0.47), ("iron", state.mfecgm, 0.0376)):
            # Stars between galaxies are not followed.
            between = 0.4 * halo.extras[f"satellite_stars_{element}"] / GYR_YR
            rates[element] = kept * (crossing * content / state.mzcgm + share * made - between)
        energy = gained.energy + flows["arriving_cgm"].energy + flows["burst_heating"].energy
        rates["energy"] = GYR_S * (energy - lost.energy - flows["ram_pressure_cgm"].energy) / 1e48
        return ProcessFluxes({f"gaining_{kind}": FlowRates(tracked=rate) for kind, rate in rates.items()}, {})


@pytest.fixture(scope="module")
def forest():
    return co.halos.monte_carlo_forest(2, log_mvir=(12.0, 12.4), smallest=0.02, smallest_log_mvir=9.0, key=4)


@pytest.fixture(scope="module")
def model():
    return with_satellites(
        ram_pressure=models.RamPressure(), elements=models.Elements(), handing_elements=models.HandingOverElements(),
        account=Account(), discs=models.Discs(), handing_momentum=models.HandingOverMomentum(),
    )  # fmt: skip


@pytest.fixture(scope="module")
def solved(model, forest):
    """The population, and what arrives in each halo as the last level sees it."""
    seen = []
    with pytest.MonkeyPatch.context() as patch:
        through = corundum.population.trees.with_curves
        patch.setattr(
            corundum.population.trees,
            "with_curves",
            lambda *arguments: seen.append(arguments[1]) or through(*arguments),
        )
        population = co.evolve(model, forest, [0.0], solver=EXACT)
    return population, seen[-1]


def initial(model, forest):
    """The state of each galaxy at its start."""
    states = []
    for row in range(len(forest)):
        halo = jax.tree.map(lambda values, row=row: values[row], forest.at(time=float(forest.start[row])))
        states.append(model.initial(halo, forest.cosmology))
    return jax.tree.map(lambda *values: np.array([float(value) for value in values]), *states)


@SLOW
@pytest.mark.parametrize("kind", CONTENTS)
def test_a_tree_holds_what_it_started_with_and_what_came_from_outside(kind, model, forest, solved):
    galaxies, _ = solved
    start, today = initial(model, forest), galaxies.at(0.0)
    remaining = 1.0 - np.asarray(today["merged"])
    _, root = levels_and_roots(forest.host)
    inside = sum(remaining * np.asarray(today[field]) for field in CONTENTS[kind])
    begun = sum(getattr(start, field) for field in CONTENTS[kind])
    gained = np.asarray(today[f"gained_{kind}"])
    for tree in np.unique(root):
        own = root == tree
        assert np.sum(own) > 5 and np.min(remaining[own]) < 0.5
        assert np.sum(inside[own]) == pytest.approx(np.sum((begun + gained)[own]), rel=3e-6), kind


@SLOW
@pytest.mark.parametrize("kind", ["mass", "metals", "oxygen", "iron"])
def test_each_branch_closes_with_what_it_hands_over(kind, model, forest, solved):
    """(1 - Phi) inside + H is what it started with, gained and received."""
    galaxies, _ = solved
    today, host = galaxies.at(0.0), np.asarray(forest.host)
    ending = "" if kind == "mass" else f"_{kind}"
    names = [f"handed_{place}{ending}" for place in ("stars", "ism", "cgm", "icl")]
    handed = sum(np.asarray(today[name]) for name in names if name in today.values)
    received = np.bincount(host[host >= 0], handed[host >= 0], minlength=len(host))
    inside = sum((1.0 - np.asarray(today["merged"])) * np.asarray(today[field]) for field in CONTENTS[kind])
    begun = sum(getattr(initial(model, forest), field) for field in CONTENTS[kind])
    expected = begun + np.asarray(today[f"gained_{kind}"]) + received
    np.testing.assert_allclose(inside + handed, expected, rtol=1e-5)


@SLOW
def test_energy_of_the_gas_is_what_it_was_given(model, forest, solved):
    today = solved[0].at(0.0)
    gained = np.asarray(today["eth"]) - initial(model, forest).eth
    np.testing.assert_allclose(gained / 1e48, np.asarray(today["gained_energy"]), rtol=1e-4, atol=1e3)


@SLOW
def test_hosts_see_exactly_what_satellites_have_handed_over(model, forest, solved):
    galaxies, totals = solved
    host = np.asarray(forest.host)
    satellite = host >= 0
    for sink in sinks_of(model.ledger):
        handed = np.asarray(galaxies[f"handed_{sink}"])[:, 0]
        expected = np.bincount(host[satellite], handed[satellite], minlength=len(host))
        np.testing.assert_allclose(totals[f"satellite_{sink}"][0][:, -1], expected, rtol=1e-9, err_msg=sink)
        assert sink == "black_holes" or expected.max() > 0.0


@SLOW
def test_baryons_of_a_tree_stay_below_those_of_its_halo(model, forest, solved):
    today = solved[0].at(0.0)
    _, root = levels_and_roots(forest.host)
    inside = sum((1.0 - np.asarray(today["merged"])) * np.asarray(today[field]) for field in CONTENTS["mass"])
    for tree in np.unique(root):
        share = np.sum(inside[root == tree]) / (float(forest.cosmology.baryon_fraction) * float(today["mvir"][tree]))
        assert 0.3 < share < 1.0


@SLOW
def test_oxygen_and_iron_arrive_as_satellites_had_them(model, forest, solved):
    """Young satellites have another pattern than their host; without the process they would take that of the host."""
    today = solved[0].at(0.0)
    host = np.asarray(forest.host)
    fell_in = host >= 0
    handed = {name: np.asarray(today[f"handed_stars_{name}"])[fell_in] for name in ("oxygen", "iron", "metals")}
    np.testing.assert_allclose(handed["oxygen"] / handed["metals"], 0.47, rtol=1e-4)  # as Elements makes them here
    np.testing.assert_allclose(handed["iron"] / handed["metals"], 0.0376, rtol=1e-4)


def test_the_spin_of_gas_adds_to_its_orbit_in_quadrature():
    discs, rng = models.Discs(), np.random.default_rng(2)
    model = models.ThermalCGM(processes={"discs": discs, "merging": models.Merging()})
    state, halo = draw_galaxy(model, rng)
    flow = model.ledger.flows[model.ledger.names.index("arriving_ism")]
    rate = jnp.asarray(0.3)

    def brought(**extras):
        galaxy = co.physics.Galaxy(state, halo._replace(extras=co.halos.Extras(extras)), {}, {})
        return float(discs.from_outside(galaxy, "momentum", flow, rate))

    orbit = brought()
    assert brought(satellite_ism_momentum=0.75 * orbit * GYR_YR) == pytest.approx(1.25 * orbit, rel=1e-6)
    assert brought(satellite_ism_momentum=0.0) == pytest.approx(orbit, rel=1e-6)
