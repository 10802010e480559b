"""Budgets close, indices mean what they say, counterfactuals agree with the prediction where they should."""

import jax.numpy as jnp
import numpy as np
import pytest

import corundum as co
from library import draw_parameters
from toy import Toy

S = co.sensitivity
NAMES = ("mass_loading.amplitude", "energy_loading.amplitude", "prevention.floor")
Z = (0.0, 1.0)


def budget(model, halos):
    return S.budgets(model, halos[4:6], Z, NAMES)


@pytest.fixture(scope="module")
def base(halos):
    return budget(co.models.ThermalCGM(), halos)


def owed_baryons(halos):
    """f_b Mvir of every halo today [Msun], (N, 1)."""
    return 0.0486 / 0.3075 * 10.0 ** np.asarray(halos.log_mvir)[:, -1:]


@pytest.mark.slow
def test_shares_close_for_random_parameters(base, halos):
    rng = np.random.default_rng(8)
    drawn = [budget(draw_parameters(co.models.ThermalCGM(), rng), halos) for _ in range(6)]
    solved = [found for found in drawn if np.all(found.status.values == 0)]
    assert len(solved) >= 3
    for found in (base, *solved):
        for name, error in found.closure().items():
            assert error < 1e-8, name
        assert np.all(found.mass.values[..., 1:] >= 0) and np.all(found.energy.values >= 0)
        triple = found.indices.sel(index=["prevention", "ejection", "retained"]).values
        np.testing.assert_allclose(triple.sum(axis=-1), 1.0, atol=1e-8)


@pytest.mark.slow
@pytest.mark.parametrize(
    "model",
    [
        co.models.TurbulentCGM(cooling=co.physics.PhotoionisedCooling()),
        co.models.pandya23(),
        co.models.ThermalCGM(processes={"black_hole": co.models.BlackHole()}),
    ],
    ids=["net heated", "pandya23", "black holes"],
)
def test_shares_close_in_every_model(model):
    """Small halos, whose gas ultraviolet light heats, to massive ones, whose equations are stiff."""
    found = S.budgets(model, co.halos.diffmah_population(5, log_mvir=(9.5, 12.5), key=2), Z)
    assert np.all(found.status.values == 0)
    assert max(found.closure().values()) < 1e-8


def test_a_model_without_metals_has_budgets_of_what_it_follows(halos):
    model = co.models.MinimalRegulator()
    lean = S.budgets(model, halos[3:5], (0.0,), ("mass_loading.constant",))
    assert np.all(lean.status.values == 0)
    closure = lean.closure()
    assert set(closure) == {"mass", "energy"} and max(closure.values()) < 1e-8
    assert lean.metals.shape == lean.metals_flows.shape == (2, 1, 0)
    assert lean.derivative["metals"].shape == (2, 1, 0, 1)
    np.testing.assert_allclose(lean.derivative["energy"].values.sum(axis=-2), 0.0, atol=1e-7)
    stars = co.evolve(model, halos[3:5], [0.0])["mstar"]
    np.testing.assert_allclose(lean.mass.sel(share="stars").values * owed_baryons(halos[3:5]), stars, rtol=1e-3)
    assert len(co.plots.feedback_indices(lean).collections) == 7
    energy = co.plots.flow_diagram(model.ledger, lean, currency="energy", parameter="mass_loading.constant")
    assert energy.get_title().startswith("energy flows")
    with pytest.raises(ValueError, match="'metals', which the model does not follow; allowed mass, energy"):
        co.plots.flow_diagram(model.ledger, lean, currency="metals")


@pytest.mark.slow  # a minute of compiling
def test_derivatives_of_shares_add_up_to_nothing_and_match_differences(base, halos):
    for name in ("mass", "energy", "metals"):
        np.testing.assert_allclose(base.derivative[name].values.sum(axis=-2), 0.0, atol=1e-7)
    step = 1e-4
    model = co.models.ThermalCGM()
    low, high = (budget(co.replace(model, {NAMES[1]: 0.1 * 10**d}), halos) for d in (-step, step))
    numeric = (high.indices.values - low.indices.values) / (2 * step)
    exact = base.derivative["indices"].sel(parameter=NAMES[1]).values
    np.testing.assert_allclose(exact, numeric, atol=1e-5 * np.abs(exact).max())


def test_the_galaxies_are_those_of_the_model(base, population, halos):
    owed = 0.0486 / 0.3075 * population["mvir"][4:6, 0]
    stars = base.mass.sel(share="stars", redshift=0.0).values
    np.testing.assert_allclose(stars, population["mstar"][4:6, 0] / owed, rtol=1e-3)
    locked = base.mass_flows.sel(flow="star_formation", redshift=0.0).values
    np.testing.assert_allclose(locked, stars, rtol=1e-6)


def test_without_wind_the_regulator_ejects_nothing(halos):
    model = co.replace(co.models.MinimalRegulator(), {"channels.wind": 0.0})
    still = S.budgets(model, halos[3:5], (0.0,), ("mass_loading.constant",))
    assert np.all(still.indices.sel(index=["ejection", "recycled"]).values < 1e-9)


@pytest.mark.slow
def test_channels_move_the_indices_as_they_should(base, halos):
    """No wind, no ejection; no wind heating, less prevention."""
    model = co.models.ThermalCGM()
    still = budget(co.replace(model, {"channels.wind": 0.0}), halos)
    # The tracer is mass conserving: only its token seed of one solar mass is left.
    assert np.all(still.indices.sel(index=["ejection", "recycled"]).values < 1e-9)
    cold = budget(co.replace(model, {"channels.wind_heating": 0.0}), halos)
    at_zero = dict(index="prevention", redshift=0.0)
    assert np.all(cold.indices.sel(**at_zero).values < base.indices.sel(**at_zero).values)


def test_models_without_a_cgm_are_refused(halos):
    with pytest.raises(ValueError, match="Toy has no reservoir cgm; budgets follow gas"):
        S.budgets(Toy(), halos[:1])


def test_counterfactuals_beside_their_linear_prediction(halos):
    small = S.counterfactual(Toy(), halos[:2], {"wind": 1.001}, (0.0, 1.0, 2.0))
    computed, predicted = small.sel(kind="computed").values, small.sel(kind="predicted").values
    np.testing.assert_allclose(computed, predicted, rtol=2e-3, atol=1e-9)
    off = S.counterfactual(Toy(), halos[:2], {"wind": 0.0}, (0.0, 1.0, 2.0))
    gas = off.sel(quantity="gas", redshift=0.0).values
    assert np.all(gas[0] > 0) and np.all(np.abs(gas[0] - gas[1]) > 0.01)
    assert jnp.isfinite(gas).all()


@pytest.mark.parametrize(
    ("multipliers", "message"),
    [
        ({"winds": 1.0}, "no flow 'winds'; did you mean wind. there are inflow, star_formation, wind"),
        ({"wind": -1.0}, "wind got -1.0; allowed 0"),
        ({}, "got none"),
    ],
)
def test_bad_counterfactuals_are_refused(halos, multipliers, message):
    with pytest.raises(ValueError, match=message):
        S.counterfactual(Toy(), halos[:1], multipliers)


def test_flow_diagrams_and_indices_are_drawn(base, tmp_path):
    ledger = co.models.ThermalCGM().ledger
    for currency, flows in (("mass", 5), ("energy", 4), ("metals", 7)):
        ax = co.plots.flow_diagram(ledger, base, currency=currency, parameter=NAMES[0])
        ribbons = [text for text in ax.texts if "→" in text.get_text() or "←" in text.get_text()]
        assert len(ribbons) == flows
    co.plots.save_figure(ax, tmp_path / "flows.png")
    stacked = co.plots.feedback_indices(base, redshift=1.0)
    assert len(stacked.collections) == 7 and stacked.get_ylim() == (0.0, 1.0)
    with pytest.raises(ValueError, match="got currency 'dust'; allowed mass, metals, energy"):
        co.plots.flow_diagram(ledger, base, currency="dust")
    bare = base._replace(derivative={})
    with pytest.raises(ValueError, match="have no derivatives"):
        co.plots.flow_diagram(ledger, bare, parameter=NAMES[0])
