"""Learned laws in models: nothing changes where the departure is zero, and nothing is lost where it is not."""

import copy
import dataclasses
import itertools
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
from corundum.models.checks.laws import places_for
from corundum.models.checks.trial import components_of
from corundum.parameters import set_values
from corundum.storage.components import read_parameters, restore_component, write_component
from library import COSMOLOGY, MODELS, draw_galaxy, gaps

EXACT = co.numerics.LaneSolver(tolerance=1e-12)
KNOTS = ((1.6, 2.0, 2.4), (0.0, 2.0, 5.0))
FEATURES = ("log_mstar", "gas_fraction", "redshift")


def places_of(owner):
    """Fields in which a learned law may stand."""
    return {*places_for(owner, physics.AbstractGalaxyScaling), *places_for(owner, physics.LearnedLaw)}


def learned(owner, make):
    """A copy of a model, process or law with a learned law in every place that takes one, at whatever depth."""
    taking, changes = places_of(owner), {}
    for field in dataclasses.fields(owner):
        part = getattr(owner, field.name)
        if field.name in taking:
            changes[field.name] = make(field.name, part)
        elif field.name == "processes":
            changes["processes"] = {name: learned(process, make) for name, process in part.items()}
        elif isinstance(part, eqx.Module) and any(places_of(inside) for inside in components_of(part)):
            changes[field.name] = learned(part, make)
    if isinstance(owner, models.AbstractModel):
        return dataclasses.replace(owner, **changes)
    modified = copy.copy(owner)  # some laws compute fields of their own when they are made
    for name, part in changes.items():
        object.__setattr__(modified, name, part)
    return modified


def laws_of(model):
    """How many learned laws a model has."""
    return sum(isinstance(part, physics.LearnedLaw) for part in components_of(model))


def splines(place, base):
    return physics.spline_law(["log_vvir", "redshift"], base=base, knots=KNOTS)


def processes(place, base):
    return physics.gaussian_process_law("log_vvir", base=base, knots=KNOTS[0])


def networks(place, base):
    return physics.neural_law(FEATURES, base=base, width=4, seed=len(place))


def shaken(model, seed=0, size=0.5):
    """The same model with random departures everywhere: values at knots, and weights."""
    rng = np.random.default_rng(seed)
    names = [name for name in co.describe(model) if ".values." in name or ".white." in name]
    model = co.replace(model, dict(zip(names, size * rng.normal(size=len(names)), strict=True)))

    def noisy(part):
        if not isinstance(part, eqx.nn.Linear):
            return part
        return jax.tree.map(lambda leaf: leaf + size * jnp.asarray(rng.normal(size=leaf.shape)), part)

    return jax.tree.map(noisy, model, is_leaf=lambda part: isinstance(part, eqx.nn.Linear))


def same(one, other):
    """Whether two rates, of which there may be none, are the same number."""
    return one is other is None or float(one) == float(other)


MAKERS = {"splines": splines, "processes": processes, "networks": networks}
EVERY_KIND = ("ThermalCGM", "TurbulentCGM", "MinimalRegulator")  # other models with networks alone


@pytest.mark.parametrize(
    "name, kind", [(name, kind) for name in MODELS for kind in MAKERS if kind == "networks" or name in EVERY_KIND]
)
def test_zero_departures_change_no_bit_and_random_ones_lose_nothing(name, kind):
    plain = MODELS[name]()
    model = learned(plain, MAKERS[kind])
    assert laws_of(model) >= len(places_of(plain)) >= 3
    state, halo = draw_galaxy(plain, np.random.default_rng(5))
    before, after = (m.fluxes(state, m.forcing(halo, COSMOLOGY)) for m in (plain, model))
    for flow, rates in before.flows.items():
        for one, other in zip(rates, after.flows[flow], strict=True):
            assert same(one, other), flow
    assert all(float(value) == float(after.diagnostics[key]) for key, value in before.diagnostics.items())

    wild = shaken(model)
    flows = wild.fluxes(state, wild.forcing(halo, COSMOLOGY)).flows
    assert max(gaps(plain.ledger, flows).values()) < 1e-10
    moving = ["wind", "star_formation", *(name for name in flows if name.endswith("feeding"))]
    moving += ["radiation"] if hasattr(plain, "cooling") else []
    moving += ["cooling"] if hasattr(plain, "condensation") and float(before.flows["cooling"].mass) > 0.0 else []
    unmoved = [name for name in moving if all(map(same, flows[name], before.flows[name]))]
    assert not unmoved


def mixed(model):
    """Every kind of learned law in one model, of the halo and of the galaxy."""
    kinds = itertools.cycle((splines, networks, processes, networks, splines, processes))
    return learned(model, lambda place, base: next(kinds)(place, base))


def renamed(names):
    """Names of the same parameters where the laws that `PARAMETERS` names are bases of learned ones."""
    return [name if name.startswith("stellar") else name.replace(".", ".base.", 1) for name in names]


PARAMETERS = ["mass_loading.amplitude", "depletion_time.slope", "stellar_return.metal_yield"]


@pytest.mark.parametrize("name", ["ThermalCGM", pytest.param("TurbulentCGM", marks=pytest.mark.slow)])
def test_zero_departures_change_no_derivative_of_the_rates(name):
    """Of the logarithms of reservoirs, with respect to these and to other parameters, to round-off."""
    plain = MODELS[name]()
    model = mixed(plain)
    state, halo = draw_galaxy(plain, np.random.default_rng(6))
    values = [float(value) for value in co.get_values(plain, PARAMETERS)]
    assert values == [float(value) for value in co.get_values(model, renamed(PARAMETERS))]

    def rates(model, names):
        def of_numbers(values, ln_shift):
            changed = set_values(model, dict(zip(names, values, strict=True)))
            shifted = jax.tree.map(lambda value, by: value * jnp.exp(by), state, ln_shift)
            rates = models.derivative(changed, shifted, changed.forcing(halo, COSMOLOGY))
            return jax.tree.map(jnp.divide, rates, shifted)

        unmoved = jax.tree.map(jnp.zeros_like, state)
        return jax.jit(jax.jacfwd(of_numbers, (0, 1)))(jnp.asarray(values), unmoved)

    before, after = rates(plain, PARAMETERS), rates(model, renamed(PARAMETERS))
    for one, other in zip(before, after, strict=True):  # a reservoir
        row, of_learned = (np.hstack(jax.tree.leaves(part)) for part in (one, other))
        np.testing.assert_allclose(of_learned, row, rtol=1e-12, atol=1e-13 * np.max(np.abs(row)))


def test_a_population_is_that_of_the_base_laws(halos, population):
    solved = co.evolve(mixed(models.ThermalCGM()), halos, [0.0, 2.0, 1.0])
    for name in population.state._fields:
        np.testing.assert_allclose(solved[name], population[name], rtol=1e-9)


@pytest.mark.slow
def test_the_budgets_of_galaxies_close_with_random_laws_and_flows_everywhere():
    ends = {"leak": ("cgm", "igm"), "fountain": ("ism", "cgm"), "inflow": ("igm", "cgm")}
    flows = {name: models.LearnedFlow(*pair, ("log_vvir", "log_sfr"), name=name) for name, pair in ends.items()}
    model = shaken(dataclasses.replace(mixed(models.ThermalCGM()), processes=flows), size=0.4)
    halos = co.halos.diffmah_population(5, log_mvir=(9.5, 12.5), key=2)
    budgets = co.sensitivity.budgets(model, halos, (0.0, 2.0))
    assert np.all(budgets.status.values == 0)
    assert max(budgets.closure().values()) < 1e-10


@pytest.mark.slow
def test_derivatives_of_galaxies_with_respect_to_knots_and_base_laws_match_differences(halos):
    plain, few, solver = models.ThermalCGM(), halos[3:6], co.numerics.LaneSolver(tolerance=1e-11)
    model, of_bases = mixed(plain), renamed(PARAMETERS)
    names = [name for name in co.describe(model) if name.endswith((".k1_0", ".k0_1", ".white.k1"))][:3]
    wild = shaken(model, size=0.2)

    def jacobian(model, free):
        result = co.sensitivity.parameter_jacobian(model, few, free, quantities=["mstar", "mzism"], solver=solver)
        return result.derivative

    # Where nothing is learned yet, derivatives with respect to parameters are those of the model without departures.
    zero, before = jacobian(model, [*of_bases, *names]), jacobian(plain, PARAMETERS)
    unchanged, expected = zero.sel(parameter=of_bases).values, before.sel(parameter=PARAMETERS).values
    np.testing.assert_allclose(unchanged, expected, rtol=1e-8, atol=1e-10)

    names = [of_bases[0], *names]
    exact = jacobian(wild, [*of_bases, *names[1:]])
    assert np.all(np.isfinite(exact.values))
    for name in names:
        step = 1e-4
        value = float(co.get_values(wild, [name])[0])
        log = name.endswith("amplitude")
        ends = [co.replace(wild, {name: value * 10**move if log else value + move}) for move in (-step, step)]
        low, high = (co.evolve(end, few, [0.0], solver=solver) for end in ends)
        for quantity in ("mstar", "mzism"):
            numeric = np.log10(np.asarray(high[quantity] / low[quantity]))[:, 0] / (2 * step)
            mine = exact.sel(quantity=quantity, parameter=name).values.ravel()
            np.testing.assert_allclose(mine, numeric, rtol=1e-6, atol=1e-6)


@pytest.mark.slow  # the same of the rates of a galaxy is below, and through galaxies in test_neural_laws.py
def test_reverse_mode_reaches_weights_and_knots(halos):
    """Along a random direction of all numbers of the learned laws, against a difference."""
    neural = physics.neural_law(("log_mstar", "redshift"), base=physics.ConstantLoading(), width=3)
    spline = physics.spline_law("log_vvir", base=physics.DepletionTime(), knots=KNOTS[0])
    model = shaken(models.MinimalRegulator(supplied_energy=0.6, mass_loading=neural, depletion_time=spline), size=0.2)
    gradient = reverse_against_differences(
        lambda m: jnp.mean(jnp.log10(co.evolve(m, halos[3:6], [0.0], solver=EXACT)["mstar"])), model, 2e-3
    )
    assert all(np.any(g != 0.0) for g in gradient[:-3]) and len(gradient) == 7


def reverse_against_differences(function, model, h):
    """The derivative of a number with respect to all numbers of learned laws in reverse mode, once it is checked along
    a random direction against forward mode and against a difference of fourth order in steps of `h`."""

    def are_learned(part):
        learned = isinstance(part, physics.LearnedLaw)
        return jax.tree.map(lambda leaf: learned and eqx.is_inexact_array(leaf), part)

    def of_departures(part):
        if not isinstance(part, physics.LearnedLaw):
            return False
        return eqx.tree_at(lambda law: law.base, are_learned(part), jax.tree.map(lambda _: False, part.base))

    law = lambda part: isinstance(part, physics.LearnedLaw)  # noqa: E731
    numbers, rest = eqx.partition(model, jax.tree.map(of_departures, model, is_leaf=law))

    def value(numbers):
        return function(eqx.combine(numbers, rest))

    leaves, structure = jax.tree.flatten(numbers)
    rng = np.random.default_rng(1)
    direction = [rng.normal(size=leaf.shape) for leaf in leaves]
    gradient = jax.tree.leaves(jax.jit(jax.grad(value))(numbers))
    exact = sum(float(np.vdot(g, d)) for g, d in zip(gradient, direction, strict=True))

    @jax.jit
    def along(step):
        shifted = [leaf + step * d for leaf, d in zip(leaves, direction, strict=True)]
        return jax.jvp(value, (structure.unflatten(shifted),), (structure.unflatten(direction),))

    assert float(along(0.0)[1]) == pytest.approx(exact, rel=1e-9)
    values = {k: float(along(k * h)[0]) for k in (-2, -1, 1, 2)}
    numeric = (8.0 * (values[1] - values[-1]) - (values[2] - values[-2])) / (12.0 * h)
    assert exact == pytest.approx(numeric, rel=1e-6)
    return gradient


@pytest.mark.parametrize("name", ["ThermalCGM", pytest.param("turbulent_with_black_hole", marks=pytest.mark.slow)])
def test_reverse_mode_reaches_the_weights_of_every_law(name):
    """Of the rates of a galaxy, with networks in cooling, condensation, onset, feeding and every other place."""
    plain = MODELS[name]()
    if hasattr(plain, "onset"):
        plain = dataclasses.replace(plain, onset=physics.MassOnset(threshold=1e5))
    model = shaken(learned(plain, networks), size=0.2)
    state, halo = draw_galaxy(plain, np.random.default_rng(32))

    def rates(model):
        flows = model.fluxes(state, model.forcing(halo, COSMOLOGY)).flows.values()
        every = [rate for rates in flows for rate in (rates.mass, rates.metals, rates.energy) if rate is not None]
        return sum(jnp.log(1e-12 + jnp.abs(rate)) for rate in every)

    gradient = reverse_against_differences(rates, model, 1e-3)
    of_laws = [any(np.any(g != 0.0) for g in gradient[i : i + 4]) for i in range(0, len(gradient), 4)]
    assert len(of_laws) == laws_of(model) and sum(of_laws) >= len(of_laws) - 1  # a loading of zero stays zero


@pytest.mark.slow
def test_reverse_mode_goes_through_galaxies_with_learned_cooling_condensation_and_feeding(halos):
    def law(base):
        return physics.neural_law(FEATURES, base=base, width=3)

    hole = models.BlackHole(cold=law(physics.StarFormationFeeding()), hot=law(physics.MaximalCoolingFeeding()))
    cooling, condensation = law(physics.SutherlandDopita93()), law(physics.HarmonicCondensation())
    model = models.ThermalCGM(cooling=cooling, condensation=condensation, processes={"black_hole": hole})

    def masses(model):
        population = co.evolve(model, halos[5:7], [0.0], solver=co.numerics.LaneSolver(tolerance=1e-11))
        return jnp.mean(jnp.log10(population["mstar"]) + jnp.log10(population["mbh"]))

    gradient = reverse_against_differences(masses, shaken(model, size=0.1), 1e-3)
    of_laws = [any(np.any(g != 0.0) for g in gradient[i : i + 4]) for i in range(0, len(gradient), 4)]
    assert of_laws == [True] * 4


def test_a_learned_law_comes_back_from_a_file_with_its_weights(tmp_path):
    model = shaken(mixed(models.ThermalCGM()))
    with h5py.File(tmp_path / "model.h5", "w") as file:
        write_component(file.create_group("model"), model)
        component, missing = restore_component(file["model"])
        stored = read_parameters(file["model"])
    assert not missing and eqx.tree_equal(component, model)
    known = co.describe(model)
    assert stored.keys() == known.keys()
    knot = stored["mass_loading.departure.values.k2_1"]
    assert float(knot.value) == float(known["mass_loading.departure.values.k2_1"].value)
    assert (knot.unit, knot.meaning) == ("dex", "departure at knot k2_1")


RUN_FILE = """
[model]
kind = "models.ThermalCGM"
[model.mass_loading]
kind = "physics.spline_law"
features = ["log_vvir", "redshift"]
knots = [[1.5, 2.0, 2.5], [0.0, 2.0, 6.0]]
values = {k0_0 = 0.1}
beyond = {kind = "physics.FadingBeyond", margin = 0.5}
base = {kind = "physics.MassLoading", slope = -1.5}
[model.prevention]
kind = "physics.neural_law"
base = "physics.LogisticPrevention"
width = 4
seed = 3
[[model.prevention.features]]
kind = "physics.Feature"
name = "hot_gas"
formula = "log10(mcgm / mvir)"
unit = "dex"
low = -3.0
high = -1.0
[model.energy_loading]
kind = "physics.gaussian_process_law"
base = "physics.EnergyLoading"
features = "log_vvir"
knots = [1.5, 2.0, 2.5]
lengths = 0.4
[model.parameters]
mass_loading.departure.values.k1_1 = 0.2
energy_loading.departure.white.k2 = -1.0
"""


def test_learned_laws_are_named_in_run_files():
    model, table = build_model(loads(RUN_FILE)["model"], ("model",))
    values = [float(value) for value in co.get_values(model, [
        "mass_loading.base.slope", "mass_loading.departure.values.k0_0", "mass_loading.departure.values.k1_1",
        "energy_loading.departure.white.k2",
    ])]  # fmt: skip
    assert values == [-1.5, 0.1, 0.2, -1.0]
    assert model.prevention.features[0].name == "hot_gas" and isinstance(model.prevention.link, physics.LogitLink)
    assert eqx.tree_equal(build_model(table, ("model",)).value, model)
    with pytest.raises(ValueError, match="did you mean log_mvir"):
        build_model(loads(RUN_FILE.replace('"log_vvir", "red', '"log_mvr", "red'))["model"], ("model",))


@pytest.mark.wrong_types
def test_a_feature_that_the_place_does_not_know_is_refused():
    law = physics.spline_law("log_sfr", base=physics.MassLoading(), knots=(0.0, 1.0))
    with pytest.raises(ValueError, match=r"ThermalCGM.mass_loading: LearnedLaw reads 'sfr'.* sfr is computed later"):
        models.ThermalCGM(mass_loading=law)
    models.ThermalCGM(metal_loading=dataclasses.replace(law, base=physics.MetalLoading()))
    law = physics.neural_law("log_temperature", base=physics.ConstantLoading())
    with pytest.raises(ValueError, match="reads 'temperature', which MinimalRegulator does not know"):
        models.MinimalRegulator(mass_loading=law)
    law = physics.spline_law("log_vvir", base=2.0, knots=(0.0, 1.0))
    with pytest.raises(ValueError, match=r"ThermalCGM.mass_loading.base: got 2.0 \(float\)"):
        models.ThermalCGM(mass_loading=law)


def test_a_law_can_be_a_formula():
    plain = models.ThermalCGM()
    formula = "a * (vvir / 125) ** (b + c * (1 + redshift)) * (1 + redshift) ** 0"
    law = physics.ExpressionLaw(formula, {"a": 1.0, "b": -1.0, "c": 0.0})
    model = models.ThermalCGM(
        mass_loading=law, depletion_time=physics.ExpressionLaw("4 * mstar ** 0.1 / mism ** 0.1 + 0 * t_dyn")
    )
    assert law.of_halo and not model.depletion_time.of_halo
    state, halo = draw_galaxy(plain, np.random.default_rng(2))
    diagnostics = model.fluxes(state, model.forcing(halo, COSMOLOGY)).diagnostics
    assert float(diagnostics["mass_loading"]) == pytest.approx(float(plain.mass_loading(halo.vvir, 0.0)), rel=1e-12)
    assert float(diagnostics["depletion_time"]) == pytest.approx(4 * float(state.mstar / state.mism) ** 0.1, rel=1e-12)
    slope = jax.grad(lambda b: co.replace(law, {"constants.b": b})(physics.Galaxy(None, halo, {}, {})))(-1.0)
    exact = float(diagnostics["mass_loading"]) * np.log(float(halo.vvir) / 125.0)
    assert float(slope) == pytest.approx(exact, rel=1e-12)
    text = """
    kind = "models.ThermalCGM"
    [mass_loading]
    kind = "physics.ExpressionLaw"
    formula = "a * (vvir / 125) ** b"
    constants = {a = 2.0, b = -1.5}
    [parameters]
    mass_loading.constants.b = -2.0
    """
    built, table = build_model(loads(text), ("model",))
    assert [float(v) for v in built.mass_loading.constants.values()] == [2.0, -2.0]
    assert eqx.tree_equal(build_model(table, ("model",)).value, built)


@pytest.mark.wrong_types
def test_a_formula_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="constants: b does not occur in 'a . vvir'"):
        physics.ExpressionLaw("a * vvir", {"a": 1.0, "b": 2.0})
    with pytest.raises(ValueError, match="vvir is a quantity of the halo"):
        physics.ExpressionLaw("vvir", {"vvir": 1.0})
    with pytest.raises(ValueError, match=r"ExpressionLaw reads 'vir', .* did you mean tvir"):
        models.ThermalCGM(mass_loading=physics.ExpressionLaw("vir / 100"))
    with pytest.warns(UserWarning, match="mass_loading: ExpressionLaw returns NaN in a halo of 1e.09"):
        models.ThermalCGM(mass_loading=physics.ExpressionLaw("sqrt(vvir - 100)"))
