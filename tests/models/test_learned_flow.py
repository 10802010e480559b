"""Learned flows: closed ledgers with random networks, bounded rates, exact derivatives, and what is refused."""

import dataclasses
from tomllib import loads

import equinox as eqx
import h5py
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import corundum as co
from corundum import models, physics
from corundum.cli.runfile.builder import build_model
from corundum.storage.components import restore_component, write_component
from library import COSMOLOGY, draw_galaxy

FEATURES = ("log_vvir", "log_mcgm", "log_sfr")
ENDS = [("cgm", "igm"), ("igm", "cgm"), ("ism", "cgm"), ("cgm", "ism"), ("stars", "igm"), ("igm", "ism")]


def with_random_network(leaves, enters, seed=0, features=FEATURES, **more):
    flow = models.LearnedFlow(leaves, enters, features, **more)
    rng = np.random.default_rng(seed)
    weights, rest = eqx.partition(flow.departure, eqx.is_inexact_array)
    weights = jax.tree.map(lambda leaf: leaf + jnp.asarray(rng.normal(size=leaf.shape)), weights)
    return dataclasses.replace(flow, departure=eqx.combine(weights, rest))


@pytest.mark.parametrize("kind", [models.ThermalCGM, models.TurbulentCGM])
@pytest.mark.parametrize("leaves,enters", ENDS)
def test_what_one_reservoir_loses_another_gains(kind, leaves, enters):
    model = kind(processes={"unseen": with_random_network(leaves, enters, time=0.5)})
    state, halo = draw_galaxy(model, np.random.default_rng(3))
    flows = model.fluxes(state, model.forcing(halo, COSMOLOGY)).flows
    rates = flows[f"{leaves}_to_{enters}"]
    change, outside = model.ledger.derivative(flows), model.ledger.exchange(flows)
    for currency in model.ledger.currencies:
        inside = [float(getattr(change, f)) for (what, _), f in model.ledger.contents.items() if what == currency]
        crossing = [float(rate) for (what, _), rate in outside.items() if what == currency]
        assert abs(sum(inside) + sum(crossing)) < 1e-10 * sum(map(abs, inside + crossing)), currency
    # Between nothing and all of what is there in the stated time, with its means of metals and energy.
    if leaves == "igm":
        content, metallicity = 0.158 * float(halo.mvir), model.fluxes(state, model.forcing(halo, COSMOLOGY)).diagnostics
        metallicity = float(metallicity["inflow_metallicity"])
    else:
        field = "mstar" if leaves == "stars" else f"m{leaves}"
        content, metals = float(getattr(state, field)), float(getattr(state, field.replace("m", "mz", 1)))
        metallicity = metals / content
    assert 0.0 < float(rates.mass) * 0.5e9 < content
    assert float(rates.metals / rates.mass) == pytest.approx(metallicity, rel=1e-12)
    assert (rates.energy is None) == (leaves not in ("cgm",) and (leaves, enters) != ("igm", "cgm"))
    if leaves == "cgm":
        specific = float(rates.energy / rates.mass) * 3.15576e7  # [erg/Msun]
        assert specific == pytest.approx(float(state.eth / state.mcgm), rel=1e-12)


def test_a_flow_of_no_share_is_the_model_without_it_and_a_stated_share_is_its_rate():
    plain = models.ThermalCGM()
    state, halo = draw_galaxy(plain, np.random.default_rng(4))
    none = models.ThermalCGM(processes={"unseen": with_random_network("cgm", "igm", share=0.0)})
    forcing = plain.forcing(halo, COSMOLOGY)
    before, after = (m.ledger.derivative(m.fluxes(state, forcing).flows) for m in (plain, none))
    assert before == after
    start = models.ThermalCGM(processes={"unseen": models.LearnedFlow("ism", "cgm", FEATURES, share=0.02, time=4.0)})
    rate = start.fluxes(state, forcing).flows["ism_to_cgm"].mass
    assert float(rate) == pytest.approx(0.02 * float(state.mism) / 4e9, rel=1e-12)


def test_a_galaxy_with_a_learned_flow_has_exact_derivatives(halos):
    flow = with_random_network("cgm", "ism", features=("log_vvir", "log_mcgm"), carries=("mass", "energy"), share=0.1)
    model = models.MinimalRegulator(supplied_energy=0.6, processes={"unseen": flow})
    solver = co.numerics.LaneSolver(tolerance=1e-11)

    @jax.jit
    def stars(scale):
        def mass(scale):
            weight = lambda m: m.processes["unseen"].departure.network.layers[-1].weight  # noqa: E731
            scaled = eqx.tree_at(weight, model, scale * weight(model))
            return jnp.log10(co.evolve(scaled, halos[3:5], [0.0], solver=solver)["mstar"])

        return jax.jvp(mass, (scale,), (jnp.ones(()),))

    slope = stars(1.0)[1]
    numeric = (stars(1.0 + 1e-3)[0] - stars(1.0 - 1e-3)[0]) / 2e-3
    assert np.all(np.abs(slope) > 1e-4)
    np.testing.assert_allclose(slope, numeric, rtol=1e-5)


def test_it_is_stored_named_in_a_run_file_and_has_parameters(tmp_path):
    model = models.ThermalCGM(processes={"unseen": with_random_network("cgm", "igm", name="leak")})
    with h5py.File(tmp_path / "model.h5", "w") as file:
        write_component(file.create_group("model"), model)
        component, missing = restore_component(file["model"])
    assert not missing and eqx.tree_equal(component, model) and component.ledger.names[-1] == "leak"
    text = """
    kind = "models.ThermalCGM"
    [processes.unseen]
    kind = "models.LearnedFlow"
    leaves = "ism"
    enters = "cgm"
    features = ["log_vvir"]
    share = 0.05
    departure = {kind = "physics.SplineDeparture", knots = [1.5, 2.5]}
    [parameters]
    processes.unseen.departure.values.k1 = 0.3
    """
    built, table = build_model(loads(text), ("model",))
    assert float(built.processes["unseen"].share) == 0.05 and "channels.ism_to_cgm" in co.describe(built)
    assert float(co.get_values(built, ["processes.unseen.departure.values.k1"])[0]) == 0.3
    assert eqx.tree_equal(build_model(table, ("model",)).value, built)


REFUSED = {
    "unknown place": (lambda: thermal("halo", "cgm"), "'halo', which is no known place"),
    "one place": (lambda: thermal("cgm", "cgm"), "at both ends; give two different"),
    "no metals": (
        lambda: models.MinimalRegulator(processes={"x": models.LearnedFlow("cgm", "igm", FEATURES)}),
        "carries metals from or to 'cgm', of which MinimalRegulator keeps energy, mass only",
    ),
    "currency": (lambda: thermal("cgm", "igm", carries=("dust",)), "carries: got dust; give mass"),
    "features": (
        lambda: thermal("cgm", "igm", departure=physics.SplineDeparture((1.0, 2.0))),
        "features: got 3, and the departure is a function of 1",
    ),
    "unknown quantity": (
        lambda: thermal("cgm", "igm", features=[physics.Feature("dust", "mdust", "Msun", 0.0, 1.0)]),
        r"ThermalCGM.processes\['x'\]: LearnedFlow reads 'mdust', which ThermalCGM does not know",
    ),
    "share": (lambda: thermal("cgm", "igm", share=1.5), "give a number from 0 to 1"),
    "no time": (lambda: thermal("cgm", "igm", time=0.0), "time: got 0; no reservoir is emptied at once"),
}


def thermal(leaves, enters, features=FEATURES, **more):
    return models.ThermalCGM(processes={"x": models.LearnedFlow(leaves, enters, features, **more)})


@pytest.mark.wrong_types
@pytest.mark.parametrize("name", REFUSED)
def test_what_does_not_fit_is_refused(name):
    make, reason = REFUSED[name]
    with pytest.raises(ValueError, match=reason):
        make()
