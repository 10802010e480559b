"""Formulas of laws: known ones come back, errors are those of the formulas, and the formulas are laws."""

import importlib.util

import numpy as np
import pytest

import corundum as co
from corundum import inference, physics
from corundum.inference.learned.formulas import from_operon


def test_power_laws_come_back_with_their_numbers(population):
    distillation = inference.distil(population, "depletion_time", ["log_vvir", "ln_expansion"])
    best = distillation.best(error=1e-8)
    assert best.size == 9 and best.error < 1e-8
    assert best.text == "c0 + c1 * log_vvir + c2 * ln_expansion"
    slope, expansion = best.constants["c1"], best.constants["c2"] * np.log(10.0)
    assert slope == pytest.approx(-1.8, rel=1e-6) and expansion == pytest.approx(-0.7, rel=1e-6)
    sizes, errors = zip(*((one.size, one.error) for one in distillation.formulas), strict=True)
    assert list(sizes) == sorted(sizes) and list(errors) == sorted(errors, reverse=True)
    assert distillation.table().splitlines()[0] == "| size | rms error [dex] | log10 depletion_time |"
    law = distillation.law(best)
    assert law.of_halo and set(co.describe(law)) == {f"constants.c{k}" for k in range(3)}
    galaxies = population.at(1.0)
    halo = co.halos.Halo(*(galaxies[name] for name in co.halos.Halo._fields[:7]))
    np.testing.assert_allclose(law(physics.Galaxy(None, halo, {}, {})), galaxies["depletion_time"], rtol=1e-6)


def test_fractions_have_formulas_of_their_odds(population):
    distillation = inference.distil(population, "prevention", "log_vvir", link=physics.LogitLink())
    exact = distillation.formulas[-1]
    assert exact.error < 0.02 and "log10 odds of prevention" in distillation.table()
    galaxies = population.at(0.0)
    halo = co.halos.Halo(*(galaxies[name] for name in co.halos.Halo._fields[:7]))
    value = np.asarray(distillation.law(exact)(physics.Galaxy(None, halo, {}, {})))
    assert np.all((value > 0.0) & (value < 1.0))
    np.testing.assert_allclose(value, galaxies["prevention"], atol=0.02)


def test_a_broken_power_law_is_written_with_one_bend():
    rng = np.random.default_rng(0)
    lv = rng.uniform(1.3, 2.5, 300)
    y = 0.4 - 0.5 * (lv - 1.9) - 1.7 * np.maximum(lv - 1.9, 0.0) + 0.01 * rng.normal(size=300)
    formulas = inference.SparseSearch(terms=2)(lv[:, None], y, ["lv"])
    assert [text.count("softplus") for text in formulas] == [0, 1, 1]
    assert "lv - 1.9" in formulas[2] or "lv - 1.899" in formulas[2]
    values = physics.Formula(formulas[-1])({"lv": lv})
    assert np.sqrt(np.mean((values - y) ** 2)) < 0.03
    assert inference.SparseSearch(terms=0)(lv[:, None], y, ["lv"]) == [f"{y.mean():.12g}"]


def test_numbers_of_a_formula_become_constants_and_names_become_formulas():
    formula, constants = physics.Formula("-2.5 * x ** 2 + exp(-0.5 * x) ** 1.5 - c0").with_constants()
    assert formula.text == "c1 * x ** 2 + exp(c2 * x) ** c3 - c0"
    assert constants == {"c1": -2.5, "c2": -0.5, "c3": 1.5}
    assert formula.substituted({"x": "log10(vvir / 125)"}).text.startswith("c1 * log10(vvir / 125) ** 2 + exp(c2 * log")
    assert physics.Formula("a * x").substituted({"x": "y + 1"}).text == "a * (y + 1)"


def test_formulas_of_operon_are_read_and_its_absence_is_said(monkeypatch):
    text = from_operon(
        "((-0.5) + (1.05 * (((0.4 * X1) ^ ((-1.2) * X10)) - log(exp(X2)))))", [f"n{k}" for k in range(1, 11)]
    )
    assert text == "((-0.5) + (1.05 * (((0.4 * n1) ** ((-1.2) * n10)) - ln(exp(n2)))))"
    assert physics.Formula(text).names == ("n1", "n10", "n2")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"OperonSearch needs pyoperon and sklearn.*corundum\[formulas\]"):
        inference.OperonSearch()(np.zeros((2, 1)), np.zeros(2), ["x"])


@pytest.mark.wrong_types
def test_what_does_not_fit_is_refused(population):
    with pytest.raises(ValueError, match="quantity: galaxies have no mass_loadin; did you mean mass_loading"):
        inference.distil(population, "mass_loadin", "log_vvir")
    with pytest.raises(ValueError, match="feature dust: galaxies have no mdust"):
        inference.distil(population, "mass_loading", [physics.Feature("dust", "mdust", "Msun", 0.0, 1.0)])
    with pytest.raises(ValueError, match="0 galaxies have numbers of mvir"):
        inference.distil(population, "mvir", "log_vvir", link=physics.LogitLink())
    with pytest.raises(TypeError, match="population: got a ThermalCGM; give galaxies"):
        inference.distil(co.models.ThermalCGM(), "mass_loading", "log_vvir")
    with pytest.raises(ValueError, match="terms: got 1.5"):
        inference.SparseSearch(terms=1.5)
