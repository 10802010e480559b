"""Priors under the sliders are those of fits, and steps weigh the data against them."""

import dataclasses

import numpy as np
import numpyro.distributions as dist
import pytest

import corundum as co
from corundum.explorer.description import described
from corundum.explorer.engine import Engine

AMPLITUDE, SLOPE = "mass_loading.amplitude", "mass_loading.slope"
NORMAL = {AMPLITUDE: dist.Normal(np.log10(3.0), 0.3)}


@pytest.fixture(scope="module")
def view(explorer):
    return explorer.view


def of(engine, name):
    (entry,) = [parameter for parameter in described(engine)["parameters"] if parameter["name"] == name]
    return entry


def test_priors_without_others_are_the_declared_ranges_along_the_whole_slider(explorer, view):
    engine = explorer.engine({})
    free = co.inference.free_parameters(view.model, view.halos.cosmology, [AMPLITUDE, SLOPE])
    assert [parameter.support() for parameter in free] == ["Uniform, -2 to 1", "Uniform, -4 to 0"]
    assert of(engine, AMPLITUDE)["prior"] == "uniform in decades from 0.01 to 10, the declared range"
    assert of(engine, SLOPE)["prior"] == "uniform from -4 to 0, the declared range"
    assert {entry["density"] for entry in described(engine)["parameters"]} == {None}
    assert all("uniform" in entry["prior"] for entry in described(engine)["parameters"])


@pytest.mark.parametrize(
    ("prior", "words", "middle", "low"),
    [
        (dist.Normal(np.log10(3.0), 0.3), "normal, 0.3 dex around 3", 3.0, 0.01),
        ((-1.0, 0.0), "uniform in decades from 0.1 to 1", 0.3, 0.01),
        ({"low": 0.1, "high": 1.0, "scale": "linear"}, "uniform in decades from 0.1 to 1", 0.3, 0.01),
        (dist.Normal(-2.0, 0.4), "normal, 0.4 dex around 0.01", 0.01, 0.001),
        (dist.Gamma(2.0, 3.0), "Gamma, ", None, 0.01),
    ],
)
def test_a_given_prior_is_drawn_along_its_slider_and_said(view, prior, words, middle, low):
    entry = of(Engine(view, {AMPLITUDE: prior, "offset.nuisance": (-1.0, 1.0)}), AMPLITUDE)
    density, ends = np.array(entry["density"]), np.log10([entry["low"], entry["high"]])
    assert entry["prior"].startswith(words) and "declared" not in entry["prior"]
    assert density.max() == 1.0 and density.min() < 0.1
    assert entry["low"] == pytest.approx(low)
    if middle is not None:
        highest = 10.0 ** np.mean(np.linspace(*ends, len(density))[density > 0.99])
        assert highest == pytest.approx(middle, rel=0.1)


def test_a_prior_of_a_law_is_not_that_of_another_law_in_its_place(explorer, view):
    given = co.explorer.Explorer(view, priors={"energy_loading.amplitude": (-1.0, 0.0), AMPLITUDE: (-1.0, 0.0)})
    assert given.engine({}).priors.is_given("energy_loading.amplitude")
    other = given.engine({"mass_loading": "ConstantLoading"})
    assert other.priors.is_given("energy_loading.amplitude") and not other.priors.is_given(AMPLITUDE)


def test_what_is_no_prior_is_refused_before_anything_is_shown(view):
    with pytest.raises(ValueError, match=r"prior of mass_loading.amplitude: .* outside 0.01 to 10"):
        co.explorer.Explorer(view, priors={AMPLITUDE: (-3.0, 0.0)})


def test_a_step_is_that_of_gauss_and_newton_up_the_log_posterior(view):
    engine, names = Engine(view, NORMAL), [AMPLITUDE, SLOPE]
    values = {AMPLITUDE: 1.2, SLOPE: -1.3}
    moved = engine.step(values, names, damping=0.0, largest=np.inf)
    free = co.inference.free_parameters(view.model, view.halos.cosmology, names, NORMAL)
    u = np.array([(np.log10(1.2) - np.log10(3.0)) / 0.3, float(free[1].coordinate(-1.3))])
    phi = np.exp(-0.5 * u[1] ** 2) / np.sqrt(2.0 * np.pi)
    slope = engine.slopes(values, names)["mean"].T * [0.3, 4.0 * phi]  # d theta / d u: sigma, and width times phi(u)
    picture = engine.solve(values)
    used = np.flatnonzero(picture["reached"] & np.isfinite(picture["mean"]))
    data, error = view.data, picture["error"]
    covariance = np.asarray(data.covariance) + np.asarray(data.sampling_correlation) * np.outer(error, error)
    weight = np.linalg.inv(covariance[np.ix_(used, used)])
    residual = (np.asarray(data.y) - picture["mean"])[used]
    change = np.linalg.solve(
        slope[used].T @ weight @ slope[used] + np.eye(2), slope[used].T @ weight @ residual - u
    )  # fmt: skip
    now = np.array([(np.log10(moved[AMPLITUDE]) - np.log10(3.0)) / 0.3, float(free[1].coordinate(moved[SLOPE]))])
    share = (now - u) / change  # the step may have been halved
    np.testing.assert_allclose(share, share[0], rtol=1e-4)
    assert share[0] == pytest.approx(2.0 ** round(np.log2(share[0])), rel=1e-4) and share[0] <= 1.001


def test_steps_find_the_middle_of_the_prior_where_the_data_say_nothing(view):
    vague = dataclasses.replace(view, data=dataclasses.replace(view.data, covariance=1e8 * view.data.covariance))
    engine, values = Engine(vague, NORMAL), {SLOPE: 0.0}  # at the very end of its range
    for _ in range(8):
        values = engine.step(values, [AMPLITUDE, SLOPE])
    assert values[AMPLITUDE] == pytest.approx(3.0, rel=0.05)
    assert values[SLOPE] == pytest.approx(-2.0, abs=0.1)


def test_a_number_without_range_or_prior_takes_no_step(view, monkeypatch):
    engine = Engine(view)
    known = engine.priors._known | {SLOPE: engine.known[SLOPE]._replace(bounds=(-np.inf, np.inf))}
    monkeypatch.setattr(engine.priors, "_known", known)
    assert engine.priors.in_words(SLOPE) == "none, because no range is declared"
    with pytest.raises(ValueError, match="step: nothing says where mass_loading.slope could be"):
        engine.step({}, [SLOPE])
