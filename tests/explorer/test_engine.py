"""What an explorer shows: exact solutions, slopes that agree with them, and steps that reduce the misfit."""

import dataclasses

import numpy as np
import pytest

import corundum as co
from corundum.explorer.description import described, plain_text
from corundum.explorer.engine import COLUMNS, Engine
from corundum.explorer.laws import choices, with_laws

DATA = ["shmr_behroozi19_sf", "coldgas_xgass"]
AMPLITUDE = "mass_loading.amplitude"


@pytest.fixture(scope="module")
def engine(explorer):
    return explorer.engine({})


@pytest.fixture(scope="module")
def picture(engine):
    return engine.solve({})


def test_a_solution_is_that_of_a_fit_and_of_a_population(engine, picture):
    view, values = engine.view, {AMPLITUDE: 2.5}
    changed = co.replace(view.model, values)
    target = co.inference.Target(changed, view.halos, DATA, [AMPLITUDE], solver=view.summaries.solver)
    shown, prediction = engine.solve(values), target.predict(target.start())
    np.testing.assert_allclose(shown["mean"], prediction.mean, atol=1e-6)
    np.testing.assert_array_equal(shown["reached"], prediction.reached)
    population = co.evolve(changed, view.halos, [0.0], solver=view.summaries.solver)
    last = shown["histories"][view.histories.index("mstar"), :, -1]
    np.testing.assert_allclose(10.0**last, population["mstar"][:, 0], rtol=1e-5)
    wind = shown["flows"][0, view.flows.index("wind"), :, -1]
    np.testing.assert_allclose(10.0**wind, population.flows["wind"].mass[:, 0], rtol=1e-5)
    np.testing.assert_allclose(shown["y"][0], np.log10(population["mstar"] / population["mvir"])[:, 0], atol=1e-5)
    assert not np.array_equal(shown["mean"], picture["mean"])


def test_slopes_are_those_of_the_exact_solutions(engine):
    names, step = [AMPLITUDE, "mass_loading.slope", "channels.wind"], 1e-3
    slopes = engine.slopes({}, names)
    for row, name in enumerate(names):
        log = engine.known[name].scale == "log10"
        start = float(engine.known[name].value)
        low, high = (start * 10.0**by if log else start + by for by in (-step, step))
        below, above = engine.solve({name: low}), engine.solve({name: high})
        for array in ("mean", "y", "histories"):
            expected = (above[array] - below[array]) / (2 * step)
            shown = np.isfinite(expected)
            assert shown.any()
            np.testing.assert_allclose(slopes[array][row][shown], expected[shown], rtol=2e-3, atol=2e-3)


def test_the_misfit_counts_points_that_galaxies_reach(engine, picture):
    for name, (chi2, used) in zip(engine.view.data.names, engine.misfit(picture), strict=True):
        rows = engine.view.data.positions(name)
        rows = rows[picture["reached"][rows]]
        residual = np.asarray(engine.view.data.y)[rows] - picture["mean"][rows]
        covariance = np.asarray(engine.view.data.covariance)[np.ix_(rows, rows)] + np.asarray(
            engine.view.data.sampling_correlation
        )[np.ix_(rows, rows)] * np.outer(picture["error"][rows], picture["error"][rows])
        assert used == len(rows) > 1
        np.testing.assert_allclose(picture["sigma"][rows] ** 2, np.diagonal(covariance))
        assert chi2 == pytest.approx(residual @ np.linalg.solve(covariance, residual))


def test_steps_find_the_values_that_made_the_data(engine):
    truth = {AMPLITUDE: 2.0, "depletion_time.amplitude": 4.0}
    planted = np.asarray(engine.solve(truth)["mean"])
    data = engine.view.data  # with errors so small that the priors hardly count
    data = dataclasses.replace(
        data, y=planted, covariance=1e-4 * data.covariance, sampling_correlation=1e-4 * data.sampling_correlation
    )
    planted_engine = Engine(dataclasses.replace(engine.view, data=data))
    values = {}
    before = sum(chi2 for chi2, _ in planted_engine.misfit(planted_engine.solve(values)))
    for _ in range(6):
        values = planted_engine.step(values, list(truth))
    assert sum(chi2 for chi2, _ in planted_engine.misfit(planted_engine.solve(values))) < 1e-3 * before
    for name, value in truth.items():
        assert values[name] == pytest.approx(value, rel=0.1)


def test_indices_add_up_and_their_slopes_are_those_of_other_values(engine, picture):
    step = 1e-2
    middle, low, high = (engine.indices({AMPLITUDE: 10.0**by}, [AMPLITUDE]) for by in (0.0, -step, step))
    prevention, ejection, retained = middle["indices"][:3]
    np.testing.assert_allclose(prevention + ejection + retained, 1.0, atol=1e-4)
    log_mass = dict(zip(engine.view.histories, picture["histories"][..., -1], strict=True))
    galaxy = (10.0 ** log_mass["mism"] + 10.0 ** log_mass["mstar"]) / 10.0 ** log_mass["mvir"]
    np.testing.assert_allclose(retained, galaxy / float(engine.view.halos.cosmology.baryon_fraction), rtol=1e-4)
    expected = (high["indices"] - low["indices"]) / (2 * step)
    np.testing.assert_allclose(middle["slopes"][0], expected, rtol=5e-3, atol=5e-4)


def test_stars_that_only_form_grow_as_slowly_as_they_do(engine, picture):
    halo, time = 5, len(engine.view.redshifts) - 1
    modes = engine.modes({}, halo, time)
    (stars,) = [mode for mode in modes if [name for name, _ in mode["contents"]] == ["mstar"]]
    log_mstar = picture["histories"][engine.view.histories.index("mstar"), halo, time]
    log_growth = picture["flows"][0, engine.view.flows.index("star_formation"), halo, time]
    assert not stars["grows"] and stars["flows"][0][0] == "star_formation"
    assert stars["timescale"] == pytest.approx(10.0 ** (log_mstar - log_growth - 9.0), rel=1e-3)  # dlg M/dt [1/Gyr]
    assert [mode["timescale"] for mode in modes] == sorted((mode["timescale"] for mode in modes), reverse=True)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"mass_loading.amplitud": 1.0}, "the model has none of this name"),
        ({AMPLITUDE: float("nan")}, "got nan; allowed a number from"),
        ({AMPLITUDE: "2"}, "got '2'; allowed a number"),
        ({AMPLITUDE: True}, "got True; allowed a number"),
        ({AMPLITUDE: -1.0}, "got -1.0; allowed a number from 0"),
    ],
)
def test_wrong_values_are_refused(engine, values, message):
    with pytest.raises(ValueError, match=message):
        engine.solve(values)


@pytest.mark.parametrize("names", [[], [AMPLITUDE] * (COLUMNS + 1), ["nothing"]])
def test_slopes_of_nothing_too_much_or_unknown_are_refused(engine, names):
    with pytest.raises(ValueError, match="slopes: got .*; give 1 to 8 parameters"):
        engine.slopes({}, names)


def test_a_step_of_nothing_is_refused(engine):
    with pytest.raises(ValueError, match="no parameter is free; mark at least one"):
        engine.step({}, [])


def test_views_without_data_or_with_satellites_are_refused():
    halos = co.halos.monte_carlo_trees(3, key=0)
    with pytest.raises(ValueError, match="got no data; name measurements"):
        co.explorer.view_of(co.models.MinimalRegulator(), halos, [])
    with pytest.raises(ValueError, match="gasmzr_curti20: MinimalRegulator has no quantity 'mzism': .*; leave these"):
        co.explorer.view_of(co.models.MinimalRegulator(), halos, ["gasmzr_curti20"])
    one = dataclasses.replace(
        halos, host=np.array([-1, 0, 0]), satellites=co.halos.Satellites(np.array([np.nan, 1.0, 2.0]), np.full(3, 0.1))
    )
    with pytest.raises(ValueError, match="halos with satellites are not shown, because .*; use halos.select_centrals"):
        co.explorer.view_of(co.models.MinimalRegulator(), one, DATA)


def test_mass_functions_need_halos_that_are_counted(explorer):
    model, halos = explorer.view.model, explorer.view.halos
    with pytest.raises(ValueError, match="every galaxy has weight 1, which is no number density"):
        co.explorer.view_of(model, halos, ["smf_baldry12"])
    view = co.explorer.view_of(model, co.halos.abundance_weights(halos), ["smf_baldry12"])
    (measurement,) = described(co.explorer.Engine(view))["measurements"]
    assert not measurement["galaxies"] and measurement["title"] == "stellar mass function"


@pytest.mark.slow
def test_a_mass_function_is_the_sum_over_galaxies_by_their_weights(explorer):
    halos = co.halos.abundance_weights(explorer.view.halos)
    view = co.explorer.view_of(explorer.view.model, halos, ["smf_baldry12"], solver=explorer.view.summaries.solver)
    picture = co.explorer.Engine(view).solve({})
    galaxies = co.evolve(view.model, halos, [0.0], solver=view.summaries.solver).at(0.0)
    regression = co.observables.LocalLinear(view.measurements[0].bandwidth, 2.0)
    expected = view.measurements[0].predict(galaxies, regression)
    np.testing.assert_array_equal(picture["reached"], expected.reached)
    np.testing.assert_allclose(picture["mean"][expected.reached], expected.mean[expected.reached], atol=1e-5)
    assert np.isnan(picture["y"]).all() and expected.reached.any()


def test_a_model_whose_satellites_merge_says_what_does_not_follow_the_sliders(explorer):
    assert explorer.view.notes == ()
    merging = co.models.ThermalCGM(processes={"merging": co.models.Merging()})
    assert "does not follow the sliders" in explorer.view.with_model(merging).notes[0]


def test_halos_beyond_the_most_are_spread_over_mass():
    halos = co.halos.monte_carlo_trees(40, key=0)
    view = co.explorer.view_of(co.models.MinimalRegulator(), halos, DATA[:1], most=5)
    masses = np.asarray(view.halos.log_mvir)[:, -1]
    assert len(masses) == 5
    assert np.ptp(masses) > 0.8 * np.ptp(np.asarray(halos.log_mvir)[:, -1])


@pytest.mark.parametrize("model", [co.models.ThermalCGM, co.models.TurbulentCGM, co.models.MinimalRegulator])
def test_every_law_of_the_menus_fits_its_place(model):
    model = model()
    for place, entry in choices(model).items():
        for law in entry["laws"]:
            try:
                assert type(getattr(with_laws(model, {place: law}), place)).__name__ == law
            except ValueError as error:  # laws of radiation that need another law beside them
                assert place in ("cooling", "densities", "profile") and "use " in str(error)


def test_laws_are_swapped_and_keep_their_numbers_where_they_stay():
    model = co.replace(co.models.ThermalCGM(), {AMPLITUDE: 3.0})
    assert "ConstantLoading" in choices(model)["mass_loading"]["laws"]
    assert "DepletionTime" not in choices(model)["mass_loading"]["laws"]
    assert choices(model)["mass_loading"]["law"] == "MassLoading"
    assert with_laws(model, {"mass_loading": "MassLoading"}) is model
    changed = with_laws(model, {"energy_loading": "ConstantLoading"})
    assert float(changed.mass_loading.amplitude) == 3.0
    assert type(changed.energy_loading).__name__ == "ConstantLoading"
    for laws in ({"mass_loading": "Cooling"}, {"nowhere": "ConstantLoading"}, {"mass_loading": "__import__"}):
        with pytest.raises(ValueError, match="got .*; allowed "):
            with_laws(model, laws)


def test_descriptions_have_every_parameter_within_its_slider(engine):
    description = described(engine)
    assert [parameter["name"] for parameter in description["parameters"]] == list(engine.view.names)
    for parameter in description["parameters"]:
        assert parameter["low"] <= parameter["value"] <= parameter["high"], parameter
        assert parameter["low"] < parameter["high"] and parameter["meaning"], parameter
        assert parameter["low"] > 0 or not parameter["log"], parameter
    routes = {flow["name"]: flow["routes"] for flow in description["flows"]}
    assert routes["wind"]["mass"] == ("ism", "igm") or routes["wind"]["mass"] == ("ism", "cgm")
    assert len(description["ages"]) == len(description["redshifts"])


@pytest.mark.parametrize("relation", ["StellarToHaloMass", "GasMetallicity", "StarFormingMainSequence"])
def test_labels_have_no_signs_of_tex(relation):
    axis = getattr(co.observables, relation)().y_axis
    assert not set("$\\{}_") & set(plain_text(axis.meaning))
