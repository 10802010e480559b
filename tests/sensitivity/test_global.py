"""Designs, studies that resume, prior-wide measures against analytic answers, Fisher information, files."""

import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest

import corundum as co
from corundum.numerics import LaneSolver
from corundum.sensitivity.prior_wide.designs import Box
from toy import Toy, solution

S = co.sensitivity
NAMES = ("inflow", "time", "loading")
Z = (0.0, 1.0, 2.0)
TIGHT = LaneSolver(tolerance=1e-11)


def unit_box(parameters, low=0.0, high=1.0):
    names = tuple(f"x{k}" for k in range(parameters))
    return Box(names, np.full(parameters, low), np.full(parameters, high), np.zeros(parameters, bool))


# --- designs -----------------------------------------------------------------------------------------------------


def test_a_latin_hypercube_has_one_point_in_every_slice_and_repeats():
    box = S.prior_box(Toy(), NAMES)
    design = S.latin_hypercube(box, 20, key=3)
    for column in design.unit.T:
        assert sorted(np.floor(column * 20)) == list(range(20))
    np.testing.assert_array_equal(design.unit, S.latin_hypercube(box, 20, key=3).unit)
    assert np.any(design.unit != S.latin_hypercube(box, 20, key=4).unit)
    low, high = 0.1, 10.0
    assert np.all((design.values[:, 0] > low) & (design.values[:, 0] < high))
    # Uniform in the logarithm, because the scale of the inflow is one.
    np.testing.assert_allclose(np.log10(design.values[:, 0]), design.natural[:, 0], rtol=1e-12)
    known = co.describe(Toy())["inflow"]
    np.testing.assert_allclose(box.coordinates.encode("inflow", known, design.values[:, 0]), design.unit[:, 0])


def test_a_sobol_sequence_fills_every_half_evenly():
    design = S.sobol_sequence(S.prior_box(Toy(), NAMES, {"time": (0.0, 1.0)}), 16)
    assert np.all((design.unit < 0.5).sum(axis=0) == 8) and design.values[:, 1].min() >= 1.0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda box: S.latin_hypercube(box, 0), "number: got 0; give a whole number of at least 1"),
        (lambda box: S.sobol_sequence(box, 20), "needs a power of two: 16 or 32"),
        (lambda box: S.saltelli(box, 12), "needs a power of two: 8 or 16"),
        (lambda box: S.morris(box, 4, levels=5), "levels: got 5"),
        (lambda box: S.prior_box(Toy(), ["time"], {"inflow": (0.0, 1.0)}), "inflow not among the parameters time"),
        (lambda box: S.prior_box(Toy(), ["time"], {"time": (1.0, 0.0)}), "the lower one first"),
        (lambda box: S.sobol_indices(S.latin_hypercube(box, 4), np.ones(4)), "needs one made by saltelli"),
        (lambda box: S.dgsm(S.latin_hypercube(box, 4), np.ones(3), np.ones((3, 3))), "got 3 sets; the design has 4"),
    ],
)
def test_bad_designs_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make(S.prior_box(Toy(), NAMES))


# --- measures against analytic answers ---------------------------------------------------------------------------


def ishigami(x):
    return np.sin(x[:, 0]) + 7.0 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])


def test_sobol_indices_of_the_ishigami_function():
    design = S.saltelli(unit_box(3, -np.pi, np.pi), 1024, key=1)
    values = ishigami(design.values)
    found = S.sobol_indices(design, np.stack([values, np.zeros_like(values)], axis=1))
    # Analytic (Ishigami & Homma 1990), a = 7, b = 0.1.
    v1, v2, v13 = 0.5 * (1 + 0.1 * np.pi**4 / 5) ** 2, 49 / 8, 8 * 0.1**2 * np.pi**8 / 225
    total = v1 + v2 + v13
    first, whole = np.array([v1, v2, 0.0]) / total, np.array([v1 + v13, v2, v13]) / total
    for name, exact in (("first", first), ("total", whole)):
        assert np.all(np.abs(found.values[name][0] - exact) <= found.errors[name][0] + 1e-12), name
        assert np.all(found.errors[name][0] < 0.15)
    assert np.isnan(found.values["first"][1]).all() and found.used[0] == 1024 and found.dropped[0] == 0


def test_failed_solves_drop_their_whole_group():
    design = S.saltelli(unit_box(3, -np.pi, np.pi), 512, key=1)
    values = ishigami(design.values)
    whole = S.sobol_indices(design, values)
    values[[7, 8, 640]] = np.nan
    found = S.sobol_indices(design, values)
    assert found.used == 510 and found.dropped == 2
    np.testing.assert_allclose(found.values["total"], whole.values["total"], atol=0.05)


def test_morris_and_dgsm_of_a_function_whose_slopes_are_known():
    box = unit_box(3)
    design = S.morris(box, 20, key=0)
    x = design.values
    found = S.morris_effects(design, 3.0 * x[:, 0] - x[:, 1] + 0.0 * x[:, 2])
    np.testing.assert_allclose(found.values["mu_star"], [3.0, 1.0, 0.0], atol=1e-12)
    np.testing.assert_allclose(found.values["sigma"], 0.0, atol=1e-12)
    fill = S.sobol_sequence(box, 512)
    x = fill.values
    values = x[:, 0] ** 2 + 0.5 * x[:, 1]
    slopes = np.stack([2 * x[:, 0], np.full(512, 0.5), np.zeros(512)], axis=1)
    values[3] = np.nan
    told = S.dgsm(fill, values, slopes)
    np.testing.assert_allclose(told.values["nu"], [4.0 / 3.0, 0.25, 0.0], rtol=2e-2)
    variance = 1.0 / 5.0 - 1.0 / 9.0 + 0.25 / 12.0
    # The bound holds: the total indices of this additive function are the shares of the variance.
    shares = np.array([1.0 / 5.0 - 1.0 / 9.0, 0.25 / 12.0, 0.0]) / variance
    assert np.all(told.values["total_bound"] >= shares - 1e-3) and told.dropped == 1
    assert np.all(told.errors["nu"][:1] > 0)


def test_fractional_norms_and_their_maps():
    jacobian = np.array([[3.0, 0.0, 4.0], [0.0, 0.0, 0.0]])
    np.testing.assert_allclose(S.fractional_norms(jacobian), [0.6, 0.0, 0.8])
    assert np.isnan(S.fractional_norms(np.zeros((2, 3)))).all()
    design = S.latin_hypercube(unit_box(2), 40)
    log_mvir = np.broadcast_to(np.linspace(10, 12, 5), (40, 5))
    phi = np.stack([np.broadcast_to(design.unit[:, :1], (40, 5)), np.full((40, 5), 0.5)], axis=-1)
    phi[4, 2] = np.nan
    found = S.prior_map(design, log_mvir, phi, bins=4)
    assert found.counts.sum() == 2 * (200 - 1) and found.mean.shape == (2, 4, 4)
    np.testing.assert_allclose(found.mean[1][np.isfinite(found.mean[1])], 0.5)
    assert np.all(np.diff(found.mean[0][0]) > 0.15)  # phi_0 rises with its own parameter
    with pytest.raises(ValueError, match="expected .sets, halos."):
        S.prior_map(design, log_mvir[:3], phi)
    with pytest.raises(ValueError, match="no solve succeeded"):
        S.prior_map(design, log_mvir, phi * np.nan)


# --- studies -----------------------------------------------------------------------------------------------------


class Interrupted(Exception):
    pass


def test_a_study_that_is_interrupted_resumes_bit_for_bit(halos, tmp_path):
    design = S.latin_hypercube(S.prior_box(Toy(), NAMES), 7, key=2)
    function = S.JacobiansOf(Toy(), halos[:2], Z, coordinates=design.box.coordinates, solver=TIGHT)
    whole = S.run_study(function, design, block=2)
    calls = []

    def stopping(values):
        calls.append(values)
        if len(calls) == 6:
            raise Interrupted
        return function(values)

    store = co.io.CheckpointFolder(tmp_path / "blocks", "this study")
    with pytest.raises(Interrupted):
        S.run_study(stopping, design, block=2, store=store)
    (tmp_path / "blocks" / "block-00001.npz").write_bytes(b"cut short")
    seen = []
    resumed = S.run_study(stopping, design, block=2, store=store, progress=lambda done, total: seen.append(done))
    assert len(calls) == 6 + 5 and seen == [2, 4, 6, 7]  # one block was kept, one was damaged, one was under way
    for name in whole.outputs:
        np.testing.assert_array_equal(resumed.outputs[name], whole.outputs[name])
    other = co.io.CheckpointFolder(tmp_path / "blocks", "another study")
    assert other.load(0) is None and store.load(0) is not None
    assert whole.failed() == 0 and whole.outputs["jacobian"].shape == (7, 2, 3, 2, 3)
    shifted = S.run_study(
        S.StatesOf(Toy(), halos[:2], Z, solver=TIGHT), dataclasses.replace(design, unit=design.unit[:2])
    )
    np.testing.assert_allclose(shifted.outputs["values"], whole.outputs["values"][:2], atol=1e-8)


def test_a_study_too_large_for_the_memory_says_how_large():
    design = S.latin_hypercube(unit_box(2), 1000)
    with pytest.raises(ValueError, match=r"need 0.008 GB \(1000 sets x 0.008 MB, most of it 'y'\) and 0.001 GB"):
        S.run_study(lambda values: {"y": np.zeros(1000)}, design, memory=1e6)
    with pytest.raises(ValueError, match="block: got 0"):
        S.run_study(lambda values: {"y": 0.0}, design, block=0)


def test_a_summary_of_each_population(halos):
    design = S.latin_hypercube(S.prior_box(Toy(), ["time"]), 2)
    made = S.run_study(S.SummaryOf(lambda p: jnp.mean(p["gas"], axis=0), Toy(), halos[:2], Z, TIGHT), design)
    elapsed = halos.cosmology.age(jnp.array(Z)) - halos.start[0]
    for time, gas in zip(design.values[:, 0], made.outputs["summary"], strict=True):
        np.testing.assert_allclose(gas, solution(Toy(time=time), elapsed)[0], rtol=1e-8)


# --- information -------------------------------------------------------------------------------------------------


def observables():
    mean = lambda name: lambda p: jnp.mean(jnp.log10(p[name]), axis=0)  # noqa: E731
    return [
        S.Observable("gas", mean("gas"), 0.1**2 * np.eye(3)),
        S.Observable("stars", mean("stars"), 0.1**2 * np.eye(3)),
        S.Observable("stars again", mean("stars"), 0.1**2 * np.eye(3)),
        S.Observable("late gas", mean("gas"), 0.1**2 * np.eye(3), np.array([True, False, False])),
    ]


@pytest.fixture(scope="module")
def information(halos):
    return S.summary_jacobian(observables(), Toy(), halos[:2], NAMES, Z, solver=TIGHT)


def test_fisher_matrix_and_its_combinations(information, halos):
    elapsed = halos.cosmology.age(jnp.array(Z)) - halos.start[0]
    gas = S.parameter_jacobian(
        Toy(), halos[:2], NAMES, Z, coordinates=S.PriorWidth(), solver=TIGHT
    ).derivative.sel(halo=0, quantity="gas").values  # fmt: skip
    np.testing.assert_allclose(information.derivative["gas"].values, gas, rtol=1e-10)
    np.testing.assert_allclose(information.values["gas"], np.log10(solution(Toy(), elapsed)[0]), atol=1e-9)
    fisher = S.expected_fisher(observables()[:1], information)
    np.testing.assert_allclose(fisher.matrix.values, gas.T @ gas / 0.1**2, rtol=1e-9)
    assert np.all(np.diff(fisher.eigenvalues) <= 0)
    np.testing.assert_allclose(fisher.bits, 0.5 * np.log2(1 + np.maximum(fisher.eigenvalues, 0) / 12).sum(), rtol=1e-9)
    assert 0 < fisher.effective < 3 and "inflow" in fisher.leading_terms(0)
    one = S.expected_fisher(observables()[3:], information)
    assert np.sum(one.eigenvalues > 1e-9 * one.eigenvalues[0]) == 1  # one point knows one combination


def test_greedy_design_adds_what_is_new_first(information):
    table = S.greedy_design(observables(), information)
    names = [row[0] for row in table.order]
    gains = [row[1] for row in table.order]
    assert set(names[:2]) == {"gas", "stars"} or set(names[:2]) == {"gas", "stars again"}
    assert gains[0] == max(bits for bits, _ in table.alone.values())
    assert gains[0] >= gains[1] >= gains[2] >= gains[3] > 0  # information is submodular
    assert abs(sum(gains) - table.order[-1][2]) < 1e-9
    assert all(gain <= table.alone[name][0] + 1e-9 for name, gain in zip(names, gains, strict=True))


def test_bad_observables_are_refused(information):
    wrong = [S.Observable("gas", None, np.eye(2))]
    with pytest.raises(ValueError, match="its covariance has the shape .2, 2.; expected .3, 3."):
        S.expected_fisher(wrong, information)
    with pytest.raises(ValueError, match="not positive definite"):
        S.expected_fisher([S.Observable("gas", None, -np.eye(3))], information)
    with pytest.raises(ValueError, match="empty list"):
        S.greedy_design([], information)
    with pytest.raises(ValueError, match="given twice"):
        S.greedy_design([wrong[0], wrong[0]], information)


# --- files -------------------------------------------------------------------------------------------------------


def test_labelled_arrays_come_back_from_a_file(information, tmp_path):
    arrays = {
        "fisher/gas": information.derivative["gas"],
        "plain": S.Labelled(np.arange(2.0), ("halo",), {"halo": [3, 5]}, "1", "x"),
    }
    co.io.save_sensitivity(tmp_path / "s.h5", arrays, {"command": "test"})
    back, info = co.io.load_sensitivity(tmp_path / "s.h5")
    assert info == {"command": "test"} and set(back) == set(arrays)
    for name, array in arrays.items():
        again = back[name]
        np.testing.assert_array_equal(again.values, array.values)
        assert again.dims == array.dims and again.unit == array.unit and again.meaning == array.meaning
        assert again.label_units == array.label_units
        for dim in array.dims:
            assert again.labels(dim) == array.labels(dim)
    with pytest.raises(ValueError, match="holds sensitivity, not results"):
        co.load(tmp_path / "s.h5")
    with pytest.raises(FileNotFoundError):
        co.io.load_sensitivity(tmp_path / "none.h5")


# --- figures -----------------------------------------------------------------------------------------------------


def test_maps_bars_and_combinations_are_drawn(information, tmp_path):
    design = S.latin_hypercube(unit_box(3), 30)
    log_mvir, phi = np.broadcast_to(np.linspace(10, 12, 6), (30, 6)), np.full((30, 6, 3), 0.3)
    axes = co.plots.prior_maps(S.prior_map(design, log_mvir, phi, bins=4))
    assert axes.shape == (2, 2) and axes[0, 0].get_ylabel() == "x0"
    co.plots.save_figure(axes[0, 0], tmp_path / "maps.png")
    few = S.prior_map(design, log_mvir, phi, bins=7)
    axes = co.plots.prior_maps(few)
    drawn = axes[0, 0].collections[0].get_array()
    assert np.array_equal(np.ma.getmaskarray(drawn), few.counts[0].T == 0) and (few.counts[0] == 0).any()
    assert [text.get_text() for text in axes[0, 0].figure.legends[0].get_texts()] == ["no galaxies"]
    measures = S.dgsm(design, design.unit, np.broadcast_to(np.eye(3), (30, 3, 3)), resamples=20)
    bars = co.plots.index_bars({"nu": measures, "mean_abs": measures}, output=(1,))
    assert [text.get_text() for text in bars.get_legend().get_texts()] == ["nu", "mean abs"]
    table = S.greedy_design(observables(), information)
    names = [label.get_text() for label in co.plots.greedy_bars(table).get_yticklabels()]
    assert names == [name for name, *_ in table.order]
    combinations = co.plots.combination_map(S.expected_fisher(observables(), information))
    assert sum("×" in text.get_text() for text in combinations.texts) == 3
