"""Training: what is learned, resumed, refused, and what happens where a loss is no number."""

import functools

import equinox as eqx
import jax
import jax.flatten_util
import jax.numpy as jnp
import numpy as np
import pytest

import corundum as co
import learning
from corundum.inference.training.any_objective import as_objective
from corundum.inference.training.leading import leading_combinations
from corundum.inference.training.steps import first_state, loss_of, step
from corundum.inference.training.watch import galaxies_not_solved
from corundum.inference.training.weights import number_of_weights, other_start, split_weights
from synthetic import histories

VELOCITIES = jnp.array([60.0, 90.0, 125.0, 180.0])


def train(objective, **settings):
    return co.inference.train(objective, **{"steps": 120, "every": 30, **settings})


class Descent(co.inference.AbstractTrainingRule):
    """The plainest rule; its rate is an array, so that another rate is no other program."""

    always: jax.Array

    def transformation(self):
        import optax

        return optax.sgd(1.0)

    def rate(self, share):
        return float(self.always)


@pytest.fixture(scope="module")
def objective():
    return learning.objective(number=24)


@pytest.fixture(scope="module")
def trained(objective):
    return train(objective, batch=12, seeds=2)


def test_a_planted_loading_is_learned_from_histories(objective, trained):
    """The base has slope -1, the truth -1.8: the departure is learned where there are halos, by each seed."""
    truth = learning.learned_loading(learning.steeper(), VELOCITIES)
    before = np.abs(np.log10(learning.learned_loading(objective.model(), VELOCITIES) / truth))
    assert before.max() > 0.2
    for model in trained.models:
        off = np.log10(learning.learned_loading(model, VELOCITIES) / truth)
        assert np.sqrt(np.mean(off**2)) < 0.05
    assert np.all(trained.validation[:, -1] < 0.1 * trained.validation[:, 0])
    assert not np.array_equal(*(m.mass_loading.departure.network.layers[0].weight for m in trained.models))


def test_free_parameters_are_trained_with_the_weights(objective):
    named = learning.objective(number=24, names=["mass_loading.base.slope"])
    result = train(named, batch=12, weight_scale=0.02)
    assert result.names == ("mass_loading.base.slope",)
    # Weights that cost so much leave the change to the slope.
    assert result.theta[0, 0] == pytest.approx(-1.8, abs=0.1)
    assert float(result.model.mass_loading.base.slope) == pytest.approx(result.theta[0, 0])


class Stop(Exception):
    pass


@pytest.mark.parametrize(
    "at",
    [pytest.param((0, 17), id="first seed", marks=pytest.mark.slow), pytest.param((1, 43), id="second seed")],
)
def test_an_interrupted_training_takes_the_same_steps(tmp_path, monkeypatch, objective, trained, at):
    store = co.io.Checkpoint(tmp_path / "training.npz")
    monkeypatch.setattr("corundum.inference.training.train._SECONDS", 0.0)

    def stop(progress):
        if (progress.seed, progress.step) == at:
            raise Stop

    with pytest.raises(Stop):
        train(objective, batch=12, seeds=2, store=store, progress=stop)
    resumed = []
    again = train(objective, batch=12, seeds=2, store=store, progress=resumed.append)
    assert (resumed[0].seed, resumed[0].step) == (at[0], at[1] + 1)
    for a, b in zip(jax.tree.leaves(trained), jax.tree.leaves(again), strict=True):
        np.testing.assert_array_equal(a, b)
    with pytest.raises(ValueError, match="belongs to a different run; what differs: settings"):
        train(objective, batch=11, seeds=2, store=store)
    (tmp_path / "training.npz").write_bytes(b"PK nonsense")
    with pytest.raises(ValueError, match="is damaged; remove it"):
        train(objective, batch=12, seeds=2, store=store)


def test_the_gradient_of_a_step_is_that_of_differences():
    """A step of size one along the gradient itself, which the plainest rule takes."""
    objective = learning.objective(solver=co.numerics.LaneSolver(tolerance=1e-11))
    rule = Descent(jnp.float64(1.0))
    weights = split_weights(objective.model())[0]
    rng = np.random.default_rng(0)
    weights = jax.tree.map(lambda leaf: jnp.asarray(rng.normal(0.0, 0.3, leaf.shape)), weights)
    state = first_state(objective, rule, weights)
    one, infinite = jnp.ones(()), jnp.asarray(1e30)
    points = jnp.asarray(float(objective.points()))
    after, _, finite = step(rule, one, infinite, points, infinite, state, objective)
    assert finite
    gradient = jax.tree.map(lambda new, old: old - new, after.learned.weights, weights)
    direction = jax.tree.map(lambda leaf: jnp.asarray(rng.normal(size=leaf.shape)), weights)
    along = sum(jnp.vdot(g, d) for g, d in zip(*map(jax.tree.leaves, (gradient, direction)), strict=True))

    def loss_at(h):
        moved = jax.tree.map(lambda w, d: w + h * d, weights, direction)
        return float(loss_of(state.learned._replace(weights=moved), points, objective))

    h = 2e-3
    difference = (8.0 * (loss_at(h) - loss_at(-h)) - (loss_at(2.0 * h) - loss_at(-2.0 * h))) / (12.0 * h)
    assert float(along) == pytest.approx(difference, rel=1e-6)


def test_a_loss_that_is_no_number_halves_the_rate_and_changes_nothing_else(objective):
    few = objective.chosen(np.arange(12))  # as in each step of `trained`: the same program
    broken = eqx.tree_at(lambda one: one.errors["mstar"], few, few.errors["mstar"] * np.nan)
    state = jax.device_get(first_state(broken, co.inference.AdamRule(), split_weights(broken.model())[0]))
    after, loss, finite = step(co.inference.AdamRule(), *map(np.asarray, (0.1, 1.0, 10.0, 10.0)), state, broken)
    assert not finite and np.isnan(loss) and float(after.scale) == 0.5
    for a, b in zip(
        jax.tree.leaves((after.learned, after.rule)), jax.tree.leaves((state.learned, state.rule)), strict=True
    ):
        np.testing.assert_array_equal(a, b)


def test_a_seed_that_only_fails_ends_and_says_so(objective):
    result = train(objective, rule=Descent(jnp.float64(1e200)), steps=60, every=60)
    assert "the loss was not finite in 12 steps in a row" in result.endings[0]
    assert "all galaxies are solved with the last weights" in result.endings[0]
    assert np.isfinite(learning.learned_loading(result.model, VELOCITIES)).all()


def test_galaxies_that_are_not_solved_are_named(objective):
    broken = eqx.tree_at(lambda model: model.mass_loading.base.amplitude, objective.model(), jnp.asarray(np.nan))
    sentence = galaxies_not_solved(broken, objective.halos())
    assert "24 of 24 galaxies are not solved (" in sentence and "in a halo of 10^10.5 Msun" in sentence


def test_a_network_whose_features_no_galaxy_has_is_named(objective):
    feature = co.physics.Feature("log_vvir", "log10(vvir)", "dex(km/s)", 4.0, 5.0)
    law = co.physics.neural_law(feature, base=co.physics.MassLoading(), width=4)
    idle = eqx.tree_at(lambda one: one.at_start, objective, learning.LearningGrowth(mass_loading=law))
    with pytest.warns(UserWarning, match="changes with the network of mass_loading.departure; either its features lie"):
        train(idle, steps=1)
    with pytest.raises(ValueError, match="got a range from 0 to inf; give finite numbers, low below high"):
        co.physics.Feature("log_vvir", "log10(vvir)", "dex(km/s)", 0.0, np.inf)


def test_measurements_that_no_galaxy_reaches_are_refused():
    dwarfs = histories(24, low=9.8, high=10.2)
    target = co.inference.Target(learning.LearningGrowth(), dwarfs, ["coldgas_xgass"], ["galaxy.time"])
    with pytest.raises(ValueError, match="data: no point of coldgas_xgass .* is surrounded by galaxies"):
        train(target, steps=1)


def test_training_stops_where_validation_no_longer_falls(objective):
    result = train(objective, rule=Descent(jnp.float64(0.0)), every=1, patience=3)
    assert "after 3 looks without a lower validation loss" in result.endings[0]
    assert int(np.isfinite(result.losses).sum()) == 3 and result.best_step[0] == 0


def test_other_starts_are_of_the_same_size_and_know_nothing():
    weights = split_weights(learning.LearningGrowth())[0]
    other = other_start(weights, np.random.default_rng(1))
    first, second = (w.mass_loading.departure.network.layers for w in (weights, other))
    assert not np.array_equal(first[0].weight, second[0].weight)
    assert not np.any(second[-1].weight) and number_of_weights(learning.LearningGrowth()) == 4 + 4 + 4 + 1


def test_a_training_is_saved_and_goes_on_from_its_model(tmp_path, objective, trained):
    co.io.save_training(tmp_path / "trained.h5", trained, {"title": "two seeds"})
    again, run_info = co.io.load_training(tmp_path / "trained.h5")
    assert run_info == {"title": "two seeds"} and again.endings == trained.endings and again.names == trained.names
    for a, b in zip(jax.tree.leaves(trained), jax.tree.leaves(again), strict=True):
        np.testing.assert_array_equal(a, b)
    assert "training    2 seeds of 13 weights" in repr(co.load(tmp_path / "trained.h5"))
    assert eqx.tree_equal(co.load(tmp_path / "trained.h5").model, trained.model)
    further = train(eqx.tree_at(lambda one: one.at_start, objective, again.model), steps=30)
    assert further.validation[0, 0] < 0.2 * trained.validation[0, 0]


def test_relations_of_a_population_train_a_law_and_a_relation_held_out_judges_it():
    names = ["shmr_behroozi19_sf", "coldgas_xgass"]
    target = co.inference.Target(learning.LearningGrowth(), histories(40), names, ["galaxy.time"])
    result = train(target, steps=40, every=10, validation=0.3, held_out="coldgas_xgass")
    assert result.validation.shape == (1, 5) and np.all(np.isfinite(result.validation))
    assert result.losses[0, -5:].mean() < 0.7 * result.losses[0, :5].mean()
    with pytest.raises(ValueError, match="held_out: it names all of"):
        train(target, held_out=names)
    with pytest.raises(ValueError, match="this fit has shmr_behroozi19_sf, coldgas_xgass"):
        train(target, held_out=["nothing"])


RELATIONS = ["shmr_behroozi19_sf", "coldgas_xgass", "shmr_behroozi19_z2"]


def relations():
    return co.inference.Target(learning.LearningGrowth(), histories(24), RELATIONS, ["galaxy.time"])


@pytest.mark.parametrize("of", [pytest.param("relations", marks=pytest.mark.slow), "histories"])
def test_parts_of_the_data_add_up_to_the_whole_with_their_gradients(objective, of):
    """So that the parts of a step, drawn with equal chances and divided by their share, are unbiased."""
    one = objective if of == "histories" else as_objective(relations().within_reach()[0])
    blocks = one.blocks()
    assert len(blocks) == (4 if of == "histories" else 3)
    learned = first_state(one, co.inference.AdamRule(), split_weights(one.model())[0]).learned
    value_and_gradient = eqx.filter_jit(eqx.filter_value_and_grad(lambda learned, one: loss_of(learned, 1.0, one)))
    whole, *parts = (value_and_gradient(learned, one.of_blocks(some)) for some in (blocks, *((b,) for b in blocks)))
    for total, *terms in zip(jax.tree.leaves(whole), *map(jax.tree.leaves, parts), strict=True):
        np.testing.assert_allclose(sum(terms), total, rtol=1e-9, atol=1e-9)
    assert float(whole[0]) == pytest.approx(float(loss_of(learned, 1.0, one)), rel=1e-12)


def test_covariance_keeps_measurements_together():
    target = relations()
    first, last = (target.data.positions(name) for name in (RELATIONS[0], RELATIONS[2]))
    covariance = np.array(target.data.covariance)
    covariance[np.ix_(first, last)] = covariance[np.ix_(last, first)] = 1e-9
    joined = eqx.tree_at(lambda one: one.data.covariance, target, covariance)
    assert as_objective(target).blocks() == tuple((name,) for name in RELATIONS)
    assert as_objective(joined).blocks() == ((RELATIONS[1],), (RELATIONS[0], RELATIONS[2]))
    with pytest.raises(ValueError, match="data_batch: got 3 parts; the data have 2; give at most as many"):
        train(joined, data_batch=3)
    with pytest.raises(ValueError, match="data of PopulationObjective are one part, which covariances join; leave"):
        train(target.using(RELATIONS[:1]), data_batch=1)


def test_a_training_on_parts_of_the_data_resumes_bit_for_bit(tmp_path, monkeypatch, objective):
    monkeypatch.setattr("corundum.inference.training.train._SECONDS", 0.0)
    store = co.io.Checkpoint(tmp_path / "training.npz")

    def stop(progress):
        if progress.step == 17:
            raise Stop

    settings = dict(steps=24, every=12, batch=12, data_batch=2)
    with pytest.raises(Stop):
        train(objective, **settings, store=store, progress=stop)
    again, direct = train(objective, **settings, store=store), train(objective, **settings)
    for a, b in zip(jax.tree.leaves(direct), jax.tree.leaves(again), strict=True):
        np.testing.assert_array_equal(a, b)
    assert direct.validation[0, -1] < direct.validation[0, 0]
    with pytest.raises(ValueError, match="belongs to a different run; what differs: settings"):
        train(objective, **{**settings, "data_batch": 3}, store=store)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (dict(steps=0), "steps: got 0"),
        (dict(data_batch=5), "data_batch: got 5 parts; the data have 4"),
        (dict(data_batch=0), "data_batch: got 0"),
        (dict(validation=1.0), "validation: got 1.0; give a share"),
        (dict(validation=0.99), "leaves none to train on"),
        (dict(batch=20), "batch: got 20 halos; 18 are left"),
        (dict(weight_scale=0.0), "weight_scale: got 0.0"),
        (dict(held_out=["gasmzr_curti20"]), "held_out: only a target"),
        (dict(key=-1), "key: got -1; give a whole number of at least 0"),
    ],
)
def test_impossible_settings_are_refused(objective, settings, message):
    with pytest.raises(ValueError, match=message):
        train(objective, **settings)


@pytest.mark.wrong_types
def test_settings_of_the_wrong_kind_are_refused(objective):
    for settings, message in (
        (dict(store="training.npz"), "store: got the text 'training.npz'; give a checkpoint, such as io.Checkpoint"),
        (dict(progress=3), "progress: got a int; give a function that takes a TrainingProgress"),
        (dict(rule="adam"), "rule: got the text 'adam'"),
        (dict(validation="some"), "validation: got the text 'some'; give a share of the halos"),
        (dict(weight_scale=None), "weight_scale: got None; give a positive number"),
    ):
        with pytest.raises((TypeError, ValueError), match=message):
            train(objective, **settings)


def test_histories_that_do_not_fit_are_refused(objective):
    model, halos = objective.model(), objective.halos()
    make = co.inference.HistoryObjective
    good = {"mstar": np.full((24, 2), 1e9)}
    for states, errors, message in (
        ({"mstars": good["mstar"]}, 0.1, "did you mean mstar"),
        ({"mstar": np.ones((24, 3))}, 0.1, r"got shape \(24, 3\)"),
        ({"mstar": -good["mstar"]}, 0.1, "give positive numbers"),
        (good, {"mism": 0.1}, "errors: those of mism, mstar"),
        (good, 0.0, "give a positive number"),
        ({}, 0.1, "states: got none"),
    ):
        with pytest.raises(ValueError, match=message):
            make(model, halos, learning.REDSHIFTS, states, errors)
    with pytest.raises(ValueError, match="no network and no parameter is free"):
        plain = make(co.models.ThermalCGM(), halos, learning.REDSHIFTS, good, 0.1)
        co.inference.train(plain, steps=1)
    with pytest.raises(ValueError, match="got a target of a plain function"):
        target = co.inference.Target.of_function(lambda theta: theta, [0.0], [1.0], {"a": (-1.0, 1.0)})
        co.inference.train(target, steps=1)


def test_histories_come_from_a_table(tmp_path, objective):
    """Lines in any order and with gaps; the objective is that of the same numbers in arrays."""
    path, redshifts = tmp_path / "states.txt", [2.0, 0.0]
    mstar = 10.0 ** np.asarray(objective.log_states["mstar"])
    lines = [
        f"{halo}, {redshift}, {float(mstar[halo, k])!r}, 0.05"
        for k, redshift in enumerate(redshifts) for halo in range(24) if (halo, k) != (3, 0)
    ]  # fmt: skip
    header = "# halo, redshift, mstar, mstar_error"
    path.write_text("\n".join([header, "# a comment", *reversed(lines)]) + "\n")
    states = co.inference.read_states(path, halos=24)
    assert states.redshifts.tolist() == redshifts and states.errors == {"mstar": 0.05}
    np.testing.assert_array_equal(states.values["mstar"].ravel()[[0, 47]], mstar.ravel()[[0, 47]])
    of_table = co.inference.HistoryObjective.of_states(objective.model(), objective.halos(), states)
    mstar[3, 0] = np.nan
    by_hand = co.inference.HistoryObjective(objective.model(), objective.halos(), redshifts, {"mstar": mstar}, 0.05)
    value, other = (one.ln_likelihood(jnp.zeros(0), one.model()) for one in (of_table, by_hand))
    assert of_table.points() == 47 and float(value) == float(other)


def test_histories_of_flows_are_masses_per_year(objective):
    truth = co.evolve(learning.steeper(), objective.halos(), learning.REDSHIFTS)
    wind = {"wind": np.asarray(truth.flows["wind"].mass), "sfr": np.asarray(truth["sfr"])}
    make = functools.partial(co.inference.HistoryObjective, rows=objective.halos(), redshifts=learning.REDSHIFTS)
    exact, base = (make(model, states=wind, errors=0.1) for model in (learning.steeper(), objective.model()))
    assert abs(float(exact.ln_likelihood(jnp.zeros(0), exact.model()))) < 1e-4
    assert float(base.ln_likelihood(jnp.zeros(0), base.model())) < -10.0


def test_a_target_of_histories_is_the_objective_of_the_same_numbers(objective):
    """Every method of inference takes it: its density, training on it, a fit and the Gaussian about the mode."""
    mstar = 10.0 ** np.asarray(objective.log_states["mstar"])
    mstar[3, 0] = np.nan
    states = co.inference.States(np.array([2.0, 0.0]), {"mstar": mstar}, {"mstar": 0.05})
    name = "mass_loading.base.slope"
    target = co.inference.Target.of_histories(objective.model(), objective.halos(), states, [name])
    same = co.inference.HistoryObjective.of_states(objective.model(), objective.halos(), states, names=[name])
    u = np.array([0.2])
    # A target counts a point without a number as one that a unit normal hits.
    normalisation = 47 * np.log(0.05) + 0.5 * 48 * np.log(2.0 * np.pi)
    ours = float(jax.jit(lambda u: target.ln_likelihood(u))(u)) + normalisation
    assert ours == pytest.approx(float(same.ln_likelihood(target.theta(u), same.model())), rel=1e-9)
    assert as_objective(target).points() == 47 and "1 free parameter, 48 data points" in repr(target)

    best = co.inference.maximise(target, starts=1)
    gaussian = co.inference.laplace(target, best)
    assert best.theta[0] == pytest.approx(-1.8, abs=0.01) and gaussian.sigma[0] < 0.05
    bands_of = co.inference.Target.of_histories(
        co.models.ThermalCGM(), objective.halos(), states, ["mass_loading.slope"]
    )
    bands = co.inference.law_bands(bands_of, [[-1.6], [-1.8], [-2.0]], "mass_loading", vvir=[62.5, 125.0])
    assert bands.percentiles[2, 0] / bands.percentiles[2, 1] == pytest.approx(2.0**1.8)
    trained = train(target, steps=2)
    assert trained.names == (name,) and trained.losses.shape == (1, 2)


def test_a_target_of_histories_that_does_not_fit_is_refused(objective):
    make, (model, halos) = co.inference.Target.of_histories, (objective.model(), objective.halos())
    states = co.inference.States(np.array([0.0]), {"mstar": np.full((24, 1), np.nan)}, {})
    with pytest.raises(ValueError, match="states mstar: holds no number; leave it out"):
        make(model, halos, states, errors=0.1)
    states = co.inference.States(np.linspace(4.0, 0.0, 200), {"mstar": np.ones((24, 200))}, {})
    with pytest.raises(ValueError, match="4800 points, and the covariance .* inference.HistoryObjective"):
        make(model, halos, states, errors=0.1)
    with pytest.raises(ValueError, match="errors: those of mstar do not fit"):
        make(model, halos, states._replace(values={"mstar": np.ones((24, 200))[:, :1]}, redshifts=np.zeros(1)))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no galaxies"),
        ("halo redshift mstar\n", "holds no galaxies"),
        ("hallo redshift mstar\n0 0 1e9\n", "no column 'halo'; did you mean hallo"),
        ("halo redshift mstar\n0 0\n", "line 2: 2 numbers under 3 names"),
        ("halo redshift mstar\n0 0 many\n", "line 2: got '0 0 many'; give numbers"),
        ("halo redshift mstar\n24 0 1e9\n", "halo 24 does not exist; rows are whole numbers from 0 to 23"),
        ("halo redshift mstar\n1 0 1e9\n1 0 2e9\n", "halo 1 has two lines at z = 0"),
        ("halo redshift mism_error\n1 0 0.1\n", "errors of mism, which has no column"),
    ],
)
def test_a_damaged_table_of_histories_is_refused(tmp_path, text, message):
    path = tmp_path / "states.txt"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        co.inference.read_states(path, halos=24)


def test_the_last_layer_is_a_linear_fit_whose_posterior_is_known():
    """Data that are linear in the last weights: the Gaussian is that of ridge regression."""
    model = learning.LearningGrowth()
    rng = np.random.default_rng(4)
    design, noise = rng.normal(size=(40, 5)), 0.3

    class Linear(co.inference.HistoryObjective):
        def residuals(self, theta, model):
            last = model.mass_loading.departure.network.layers[-1]
            return jnp.asarray(design / noise) @ jnp.append(last.weight[0], last.bias[0])

    objective = learning.objective()
    linear = object.__new__(Linear)
    for name, value in vars(objective).items():
        object.__setattr__(linear, name, value)
    posterior = co.inference.last_layer_posterior(linear, model, weight_scale=0.5)
    expected = np.linalg.inv(design.T @ design / noise**2 + np.eye(5) / 0.25)
    np.testing.assert_allclose(posterior.covariance, expected, rtol=1e-9)
    assert 4.9 < posterior.effective < 5.0


def test_bands_of_the_last_layer_cover_a_planted_loading(objective, trained):
    """The departure of the truth lies within three standard deviations of the trained one where halos are."""
    posterior = co.inference.last_layer_posterior(objective, trained.model)
    assert 1.0 < posterior.effective < len(posterior.mean)
    loadings = np.log10([learning.learned_loading(model, VELOCITIES) for model in posterior.draws(200)])
    truth = np.log10(learning.learned_loading(learning.steeper(), VELOCITIES))
    middle, spread = loadings.mean(axis=0), loadings.std(axis=0)
    assert np.all(spread < 0.2) and np.all(np.abs(middle - truth) < 3.0 * spread + 0.03)
    prior = co.inference.last_layer_posterior(objective, trained.model, weight_scale=1e-3)
    assert prior.effective < 0.2
    with pytest.raises(ValueError, match="no network with layers"):
        co.inference.last_layer_posterior(objective, co.models.ThermalCGM())


def test_what_has_no_prediction_counts_like_the_mean_of_the_rest(objective):
    """A galaxy that fails, or does not exist yet, and a point that few halos do not surround, win nothing."""
    model, nobody = objective.model(), jnp.zeros(0)
    whole = float(objective.ln_likelihood(nobody, model))
    late = eqx.tree_at(lambda one: one.rows.start, objective, objective.rows.start.at[0].set(13.0))  # none at z = 2
    residuals = np.asarray(late.residuals(nobody, model))
    assert (residuals != 0.0).sum() == objective.points() - 2
    expected = -0.5 * np.sum(residuals**2) * objective.points() / (objective.points() - 2)
    assert float(late.ln_likelihood(nobody, model)) == pytest.approx(expected) and expected < 0.5 * whole < 0.0
    never = eqx.tree_at(lambda one: one.rows.start, objective, jnp.full(24, 13.0))
    never = eqx.tree_at(
        lambda one: one.log_states, never, {k: v.at[:, 1].set(np.nan) for k, v in never.log_states.items()}
    )
    assert float(never.ln_likelihood(nobody, model)) == -np.inf

    target = co.inference.Target(model, histories(40), ["shmr_behroozi19_sf"], ["galaxy.time"])
    population = co.inference.PopulationObjective(target)
    theta = jnp.asarray([target.free[0].start])
    few = population.chosen(np.arange(30, 40))
    reached = np.asarray(few.target.predict(target.start()).reached)
    assert 0 < reached.sum() < population.points() == 11
    only = few.target.with_data(np.where(reached, target.data.y, np.nan))
    own = float(only.ln_likelihood(target.start()))
    assert float(few.ln_likelihood(theta, model)) == pytest.approx(own * 11 / reached.sum())


def test_a_model_that_fails_before_training_is_refused(objective):
    hopeless = eqx.tree_at(lambda one: one.solver, objective, co.numerics.LaneSolver(max_steps=2))
    with pytest.raises(ValueError, match="before training the model fails in more than 10% of the halos"):
        train(hopeless)


def gauss_newton(objective, model, scale=1.0):
    """Slope of the residuals in widths of the prior, from forward mode with respect to all weights at once."""
    weights, rest = split_weights(model)
    flat, unravel = jax.flatten_util.ravel_pytree(weights)
    at = lambda x: objective.residuals(jnp.zeros(0), eqx.combine(unravel(scale * x), rest))  # noqa: E731
    return np.asarray(jax.jit(jax.jacfwd(at))(flat / scale)), np.asarray(flat / scale)


def test_the_gaussian_of_all_weights_is_the_dense_one(objective, trained):
    slope, x = gauss_newton(objective, trained.model)
    posterior = co.inference.network_posterior(objective, trained.model)
    values, vectors = np.linalg.eigh(slope.T @ slope)
    np.testing.assert_allclose(posterior.information, values[::-1], rtol=1e-6, atol=1e-9 * values[-1])
    covariance = np.linalg.inv(slope.T @ slope + np.eye(13))
    leaves = [jax.tree.leaves(split_weights(one)[0]) for one in posterior.draws(4000, key=3)]
    draws = [np.concatenate([np.ravel(leaf) for leaf in each]) for each in leaves]
    np.testing.assert_allclose(np.cov(np.array(draws).T), covariance, atol=0.08)
    np.testing.assert_allclose(np.mean(draws, axis=0), x, atol=0.08)
    assert posterior.effective == pytest.approx(np.sum(values / (1.0 + values)), rel=1e-6)


@pytest.mark.slow
def test_leading_combinations_of_all_weights_are_those_of_the_dense_gaussian(objective, trained):
    dense, low = (co.inference.network_posterior(objective, trained.model, rank=rank) for rank in (40, 3))
    np.testing.assert_allclose(low.information, dense.information[:3], rtol=1e-6)
    np.testing.assert_allclose(np.abs(low.combinations @ dense.combinations[:3].T), np.eye(3), atol=1e-5)
    assert "each of those left out has at most" in repr(low)


@pytest.mark.parametrize("shape", [(30, 80), (80, 30)])
def test_leading_combinations_come_from_products_alone(shape):
    """The shortcut for few unknowns, and Lanczos iterations where there are many."""
    rng = np.random.default_rng(8)
    slope = rng.normal(size=shape) * np.geomspace(1.0, 1e-3, shape[1])
    products = (lambda v: v @ slope.T), (lambda r: r @ slope)
    _, singular, vectors = np.linalg.svd(slope, full_matrices=False)
    residuals = rng.normal(size=shape[0])
    for rank, number in ((4, 4), (10, 30)):
        values, combinations, pulled = leading_combinations(*products, residuals, shape[1], rank)
        np.testing.assert_allclose(pulled, slope.T @ residuals, rtol=1e-12)
        np.testing.assert_allclose(values, singular[:number] ** 2, rtol=1e-6)
        np.testing.assert_allclose(np.abs(np.sum(combinations * vectors[:number], axis=1)), 1.0, atol=1e-6)


def test_the_gaussian_of_a_linear_model_is_exact():
    """Residuals that are linear in all weights: covariance and evidence are those of ridge regression, anywhere."""
    model, objective = learning.LearningGrowth(), learning.objective()
    rng = np.random.default_rng(4)
    design, y, scale = rng.normal(size=(9, 13)), rng.normal(size=9), 0.5

    class Linear(co.inference.HistoryObjective):
        def residuals(self, theta, model):
            return jnp.asarray(y) - jnp.asarray(design) @ jax.flatten_util.ravel_pytree(split_weights(model)[0])[0]

        def ln_likelihood(self, theta, model):
            return -0.5 * jnp.sum(self.residuals(theta, model) ** 2)

    linear = object.__new__(Linear)
    for name, value in vars(objective).items():
        object.__setattr__(linear, name, value)
    posterior = co.inference.network_posterior(linear, model, weight_scale=scale)
    assert posterior.information.shape == (9,) and posterior.unfinished > 0.1  # the weights are not at their mode
    total = np.eye(9) + scale**2 * design @ design.T
    exact = -0.5 * y @ np.linalg.solve(total, y) - 0.5 * np.linalg.slogdet(total)[1]
    assert posterior.ln_evidence == pytest.approx(exact, rel=1e-9)
    covariance = np.linalg.inv(design.T @ design + np.eye(13) / scale**2)
    direction = rng.normal(size=13)

    def along(model):
        return jax.flatten_util.ravel_pytree(split_weights(model)[0])[0][None] @ jnp.asarray(direction)

    _, width, of_prior = posterior.spread(along)
    assert width[0] == pytest.approx(np.sqrt(direction @ covariance @ direction), rel=1e-9)
    assert of_prior[0] == pytest.approx(scale * np.linalg.norm(direction))


def test_bands_of_a_law_come_from_gaussians_of_weights_and_from_ensembles(objective, trained):
    """The truth lies within them where halos are, and beyond the halos they are wider."""
    everywhere = np.array([15.0, *VELOCITIES])
    bands = functools.partial(co.inference.law_bands, objective, place="mass_loading", vvir=everywhere)
    posterior = co.inference.network_posterior(objective, trained.model)
    gaussian, ensemble = bands(posterior), bands(trained)
    truth = learning.learned_loading(learning.steeper(), jnp.asarray(everywhere))
    np.testing.assert_allclose(gaussian.percentiles[2], learning.learned_loading(trained.model, everywhere))
    assert np.all((gaussian.percentiles[0] < truth) & (truth < gaussian.percentiles[-1]))
    assert np.all(gaussian.shrinkage[1:] < 0.2) and gaussian.shrinkage[0] > 1.5 * gaussian.shrinkage[1:].max()
    members = np.log10([learning.learned_loading(model, everywhere) for model in trained.models])
    width = 0.5 * np.log10(ensemble.percentiles[3] / ensemble.percentiles[1])
    np.testing.assert_allclose(width, members.std(axis=0, ddof=1), rtol=1e-6)
    assert ensemble.shrinkage is None
    both = bands([co.inference.network_posterior(objective, model) for model in trained.models])
    assert np.all(np.log10(both.percentiles[3] / both.percentiles[1]) > 1.9 * width)
    last = bands(co.inference.last_layer_posterior(objective, trained.model))
    assert np.all(np.diff(last.percentiles, axis=0) > 0.0)


def test_a_gaussian_of_weights_that_cannot_be_is_refused(objective, trained):
    gaussian = co.inference.network_posterior
    with pytest.raises(ValueError, match="network_posterior: the model has no network"):
        gaussian(objective, co.models.ThermalCGM())
    with pytest.raises(ValueError, match="weight_scale: got -1.0; give a positive number"):
        gaussian(objective, trained.model, weight_scale=-1.0)
    with pytest.raises(ValueError, match=r"theta: got shape \(1,\); give a number for each free parameter, none"):
        gaussian(objective, trained.model, theta=[1.0])
    broken = eqx.tree_at(lambda one: one.errors["mstar"], objective, jnp.asarray(np.nan))
    with pytest.raises(ValueError, match="the model fails at this point"):
        gaussian(broken, trained.model)
