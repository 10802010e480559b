"""Parameter and channel Jacobians: the published one, closed forms, chain rules, labels, refusals."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import corundum as co
from corundum.halos.per_halo import per_halo_values
from corundum.numerics import LaneSolver
from corundum.sensitivity import AsGiven, Forward, Ln, Log10, Natural, PriorWidth
from toy import Toy, solution

S = co.sensitivity
TIGHT = LaneSolver(tolerance=1e-11)
TOY = ("inflow", "time", "loading", "gas", "stars")


def published_columns(halos, solver):
    """The eight published columns of the published model, as published: linear in the amplitudes."""
    return S.parameter_jacobian(
        co.models.pandya26(), halos, co.models.PANDYA26_FREE, coordinates=AsGiven(), solver=solver
    )


@pytest.fixture(scope="module")
def published(published_halos):
    return published_columns(published_halos[::9], LaneSolver(tolerance=1e-8))


@pytest.mark.slow
def test_the_published_jacobian_is_reproduced_in_every_halo(published_halos, reference):
    check_published(published_columns(published_halos, TIGHT), reference["jacobian"])


def test_the_published_jacobian_is_reproduced_in_the_least_and_most_massive_halo(published, reference):
    check_published(published, reference["jacobian"][::9])


def check_published(published, theirs):
    ours = published.derivative.values[:, 0]
    alive = np.linalg.norm(theirs, axis=(0, 1)) > 0
    error = np.linalg.norm(ours - theirs, axis=(0, 1))[alive] / np.linalg.norm(theirs, axis=(0, 1))[alive]
    assert alive.all() and error.max() < 1e-3
    assert published.status_counts() == {"solved": len(theirs)} and published.valid.all()


@pytest.mark.slow
def test_amplitudes_act_through_their_channels_exactly(published_halos):
    """theta -> channel -> y to 1e-8: where an amplitude multiplies flows by constants, its column is their sum.

    The loadings of energy and metals are the same in all halos here, which keeps them below their sharp ceilings.
    """
    model = co.replace(co.models.pandya26(), {"energy_loading.slope": 0.0, "metal_loading.slope": 0.0})
    rules = dict(coordinates=AsGiven(), solver=TIGHT)
    jacobian = S.parameter_jacobian(model, published_halos, co.models.PANDYA26_FREE, **rules)
    channels = S.channel_jacobian(model, published_halos, solver=TIGHT)
    flows, order = channels.derivative.values, channels.derivative.labels("channel")
    value = dict(zip(co.models.PANDYA26_FREE, co.get_values(model, co.models.PANDYA26_FREE), strict=True))
    vented = float(value["metal_loading.amplitude"])
    through = {  # d ln(flow) / d ln(amplitude)
        "mass_loading.amplitude": {"wind": 1.0},
        "depletion_time.amplitude": dict.fromkeys(
            ("star_formation", "enrichment", "venting", "wind", "wind_heating"), -1.0
        ),
        "energy_loading.amplitude": {"wind_heating": 1.0},
        "metal_loading.amplitude": {"venting": 1.0, "enrichment": -vented / (1.0 - vented)},
    }
    for name, shares in through.items():
        column = jacobian.derivative.sel(parameter=name).values * float(value[name])
        expected = sum(share * flows[..., order.index(flow)] for flow, share in shares.items())
        assert np.abs(expected).max() > 1e-3, name
        np.testing.assert_allclose(column, expected, rtol=0.0, atol=1e-8 * np.abs(expected).max(), err_msg=name)


# One shape for all toy solves, because compiling is what takes the time.
Z = (0.0, 1.0, 2.0)


def test_a_toy_galaxy_has_its_closed_form_sensitivity_at_all_times(halos):
    model = Toy()
    jacobian = S.parameter_jacobian(model, halos[:2], (*TOY, "idle"), Z, coordinates=Log10(), solver=TIGHT)
    elapsed = halos.cosmology.age(jnp.array(Z)) - halos.start[0]

    def exact(log_theta):
        changed = co.replace(model, dict(zip(TOY, 10.0**log_theta, strict=True)))
        return jnp.log10(jnp.stack(solution(changed, elapsed), axis=-1))

    theta = jnp.log10(jnp.stack(co.get_values(model, TOY)))
    np.testing.assert_allclose(jacobian.values.values[0], exact(theta), atol=1e-9)
    np.testing.assert_allclose(jacobian.derivative.values[0, ..., :5], jax.jacfwd(exact)(theta), atol=1e-7)
    assert np.all(jacobian.derivative.values[..., 5] == 0.0)


def test_reverse_mode_through_the_solver_is_forward_mode(halos):
    forward, reverse = (
        S.parameter_jacobian(Toy(), halos[:2], TOY, Z, mode=mode, solver=TIGHT) for mode in (Forward(), S.Reverse())
    )
    np.testing.assert_allclose(reverse.derivative.values, forward.derivative.values, atol=1e-9)

    def stars(population):
        return jnp.sum(jnp.log10(population.state.stars))

    ours = S.gradient(stars, Toy(), TOY, halos[:2], Z, mode=S.Reverse(), solver=TIGHT)
    theirs = forward.derivative.sel(quantity="stars").values.sum(axis=(0, 1))
    np.testing.assert_allclose(ours.values, theirs, atol=1e-9)


def test_the_cosmology_moves_the_clock(halos):
    """The toy knows no cosmology, but z = 1 comes at another age: d lg gas / d h through the age alone."""
    names = ("cosmology.h", "cosmology.omega_m", "loading")
    jacobian = S.parameter_jacobian(Toy(), halos[:2], names, [1.0, 0.0], coordinates=AsGiven(), solver=TIGHT)

    def exact(values):
        changed = dict(zip(("h", "omega_m"), values, strict=True))
        ages = co.replace(halos.cosmology, changed).age(jnp.array([1.0, 0.0]))  # 0: the last time of the histories
        return jnp.log10(jnp.stack(solution(Toy(), ages - halos.start[0]), axis=-1))

    theta = jnp.stack(co.get_values(halos.cosmology, ["h", "omega_m"]))
    np.testing.assert_allclose(jacobian.derivative.values[0, :, :, :2], jax.jacfwd(exact)(theta), rtol=1e-6)


@pytest.mark.slow
def test_today_moves_with_the_cosmology_too(halos):
    """z = 0 is on the last time of the histories: its derivative is that of the side where there are histories."""
    one, model, tight = halos[:1], co.models.ThermalCGM(), LaneSolver(tolerance=1e-10)
    rules = dict(coordinates=AsGiven(), mode=Forward(columns=1), solver=tight)
    exact = S.parameter_jacobian(model, one, "cosmology.h", **rules).derivative.values[0, 0, :, 0]

    def state(h):
        cosmology = co.replace(one.cosmology, {"h": h})
        moved = co.halos.HaloHistories(
            one.time, **per_halo_values(one), cosmology=cosmology,
            interpolation=one.interpolation,
        )  # fmt: skip
        return np.log10(np.stack(co.evolve(model, moved, solver=tight).state, axis=-1))[0, 0]

    h, step = float(one.cosmology.h), 4e-4
    y = [state(h + k * step) for k in range(5)]  # a younger universe: inside the histories
    one_sided = (-25 * y[0] + 48 * y[1] - 36 * y[2] + 16 * y[3] - 3 * y[4]) / (12 * step)
    np.testing.assert_allclose(exact, one_sided, atol=1e-5 * np.abs(one_sided).max())


def test_coordinates_differ_by_their_own_slopes(halos):
    def run(rule, names=("loading", "gas")):
        return S.parameter_jacobian(Toy(), halos[:2], names, Z, coordinates=rule, solver=TIGHT).derivative.values[0, 0]

    given = run(AsGiven())
    np.testing.assert_allclose(run(Log10()), given * np.log(10) * [0.5, 1e9], rtol=1e-12)
    np.testing.assert_allclose(run(Ln()), given * [0.5, 1e9], rtol=1e-12)
    np.testing.assert_allclose(run(Natural()), given * [np.log(10) * 0.5, 1.0], rtol=1e-12)
    width = np.log10(3.0) + 2.0
    np.testing.assert_allclose(run(PriorWidth()), given * [np.log(10) * 0.5 * width, 9.9e9], rtol=1e-12)
    narrow = PriorWidth({"loading": (-1.0, 0.0)})
    np.testing.assert_allclose(run(narrow)[:, 0], given[:, 0] * np.log(10) * 0.5, rtol=1e-12)


@pytest.mark.parametrize("rule", [AsGiven(), Natural(), Log10(), Ln(), PriorWidth()], ids=lambda r: type(r).__name__)
def test_coordinates_round_trip(rule):
    for name, known in co.describe(Toy()).items():
        value = float(known.value) * 1.1
        u = rule.encode(name, known, value)
        np.testing.assert_allclose(rule.decode(name, known, u), value, rtol=1e-12)
        slope = jax.grad(lambda u, name=name, known=known: rule.decode(name, known, u))(jnp.float64(u))
        np.testing.assert_allclose(slope, rule.slope(name, known, value), rtol=1e-12)
        assert rule.unit(name, known)


def test_parameter_sets_blocks_and_chunks_change_nothing(halos):
    at = np.array([[2.0, 3.0, 0.5], [1.0, 2.0, 0.7]])
    both = S.parameter_jacobian(Toy(), halos[:2], TOY[:3], Z, at=at, solver=TIGHT)
    assert both.derivative.dims == ("set", "halo", "redshift", "quantity", "parameter")
    changed = Toy(loading=0.7, time=2.0, inflow=1.0)
    one = S.parameter_jacobian(changed, halos[:2], TOY[:3], Z, solver=TIGHT)
    np.testing.assert_allclose(both.derivative.values[1], one.derivative.values, rtol=1e-12)
    seen = []
    split = S.parameter_jacobian(
        Toy(), halos[:3], TOY[:3], Z, at=at, mode=Forward(columns=2), chunk=1, solver=TIGHT,
        progress=lambda done, total: seen.append((done, total)),
    )  # fmt: skip
    np.testing.assert_allclose(split.derivative.values[:, :2], both.derivative.values, atol=1e-12)
    assert seen[-1] == (12, 12) and seen == sorted(seen)


def test_a_galaxy_that_fails_is_masked_and_counted(halos):
    jacobian = S.parameter_jacobian(Toy(), halos[:2], TOY[:3], Z, solver=LaneSolver(max_steps=3))
    assert not jacobian.valid.any() and np.isnan(jacobian.derivative.values).all()
    assert jacobian.status_counts() == {"needed more steps than the solver's max_steps": 2}


def test_labels_select_and_explain(published):
    part = published.derivative.sel(quantity="mstar", redshift=0.0, parameter=["energy_loading.amplitude"])
    assert part.dims == ("halo", "parameter") and part.shape == (2, 1)
    with pytest.raises(ValueError, match="no quantity 'mstarr': did you mean mstar"):
        published.derivative.sel(quantity="mstarr")
    with pytest.raises(ValueError, match="no dimension 'state': there are halo, redshift"):
        published.derivative.sel(state="mstar")
    total = published.derivative.sum("parameter")
    assert total.dims == ("halo", "redshift", "quantity")


@pytest.mark.wrong_types
@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (dict(parameters=["time", "loadin"]), "unknown parameter 'loadin' of Toy: did you mean loading"),
        (dict(parameters=[]), "parameters: got an empty list"),
        (dict(parameters=["time", "time"]), "time named twice"),
        (dict(parameters=["fixed"]), "fixed by construction"),
        (dict(parameters=["channels"]), "is a component, not a number: it has channels.inflow"),
        (dict(parameters=["cosmology.omega"]), "did you mean cosmology.omega_"),
        (dict(quantities=["mstar"]), "no 'mstar'; there are time, redshift"),
        (dict(quantities=[]), "quantities: got an empty list"),
        (dict(redshifts=[40.0]), r"got 40; these histories cover 0 <= z <= 10"),
        (dict(redshifts=[]), "give at least one"),
        (dict(parameters=["time"], at=[[1.0, 2.0]]), r"got shape \(1, 2\)"),
        (dict(parameters=["time"], at=[[np.nan]]), "set 0 has a value that is not finite"),
        (dict(parameters=["idle"], coordinates=Log10(), at=[[0.0]]), "has no logarithm"),
    ],
)
def test_bad_requests_are_refused_in_one_sentence(halos, request_, message):
    with pytest.raises(ValueError, match=message):
        S.parameter_jacobian(Toy(), halos[:2], **request_)


def test_bad_settings_are_refused(halos):
    with pytest.raises(ValueError, match="columns: got 0; give a whole number of at least 1"):
        Forward(columns=0)
    with pytest.raises(ValueError, match="give two finite numbers, the lower one first"):
        PriorWidth({"loading": (1.0, 0.0)})
    with pytest.raises(ValueError, match="got an empty set of histories"):
        S.parameter_jacobian(Toy(), halos[:0], ["time"])


def test_forward_and_reverse_agree_on_a_function_without_a_solver():
    def function(vector, batch):
        values = {"a": jnp.sin(vector[0] * batch["x"])[:, None] * jnp.stack([vector[1], vector[2] ** 2])}
        return values, (batch["x"] > 0, 2.0 * batch["x"])

    vector, batch = jnp.array([0.3, 2.0, -1.0]), {"x": jnp.linspace(-1.0, 1.0, 4)}
    directions = jnp.array([[1.0, 0.0, 0.0], [0.0, 2.0, 1.0]])
    forward, reverse = (mode(function, vector, directions, batch) for mode in (Forward(), S.Reverse()))
    for one, other in zip(jax.tree.leaves(forward), jax.tree.leaves(reverse), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-14)
    assert forward[1]["a"].shape == (4, 2, 2)


def test_derivatives_end_with_the_halo_and_pass_through_satellites_and_extra_curves(halos):
    """Every row of a chunk carries its own end, host and extra curves, whatever the chunks."""
    two = halos[:2]
    age = float(halos.cosmology.age(1.0))
    curve = co.halos.ExtraCurve(np.ones((2, len(two.time))), co.units.Quantity("1", "overdensity"))
    satellites = dataclasses.replace(
        two, end=jnp.array([age, float(two.time[-1])]), host=jnp.array([1, -1]), extras={"overdensity": curve}
    )
    whole = S.parameter_jacobian(Toy(), satellites, TOY[:3], Z, solver=TIGHT)
    split = S.parameter_jacobian(Toy(), satellites, TOY[:3], Z, solver=TIGHT, chunk=1)
    assert whole.valid.tolist() == [[False, True, True], [True, True, True]]
    plain = S.parameter_jacobian(Toy(), two, TOY[:3], Z, solver=TIGHT)
    # Batches of another size are another program, with round-off of its own.
    np.testing.assert_allclose(split.derivative.values, whole.derivative.values, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(whole.derivative.values[1], plain.derivative.values[1], atol=1e-12)
    routed = S.routes(Toy(), satellites, TOY[:3], Z, solver=TIGHT)
    assert np.isfinite(routed.derivative.values).all(axis=(2, 3, 4)).tolist() == whole.valid.tolist()
