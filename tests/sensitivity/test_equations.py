"""State Jacobian, modes, routes and second derivatives: closed forms, finite differences, forward = variational."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import corundum as co
from corundum.models import derivative
from corundum.numerics import LaneSolver
from corundum.sensitivity import gradients
from corundum.sensitivity.equations import flow_rates, log_flow_rates
from corundum.sensitivity.state import state_jacobian_at
from library import draw_galaxy
from synthetic import histories, population
from toy import Toy, ToyForcing, solution

S = co.sensitivity
TIGHT = LaneSolver(tolerance=1e-11)
MODEL = co.models.ThermalCGM()


def test_flows_add_up_to_the_derivative():
    state, halo = draw_galaxy(MODEL, np.random.default_rng(0))
    forcing = MODEL.forcing(halo, co.cosmology.pandya26_cosmology())
    whole = np.stack(derivative(MODEL, state, forcing))
    parts = flow_rates(MODEL, state, forcing)
    np.testing.assert_allclose(parts.sum(axis=0), whole, rtol=1e-12)
    np.testing.assert_allclose(
        log_flow_rates(MODEL, jnp.log10(jnp.stack(state)), forcing).sum(axis=0),
        whole / np.stack(state) / np.log(10),
        rtol=1e-9,
    )
    star_formation = parts[MODEL.ledger.names.index("star_formation")]
    assert star_formation[0] > 0 and star_formation[0] == -star_formation[1] and star_formation[2] == 0


def test_the_toy_matrix_is_the_one_derived_by_hand():
    model = Toy(time=3.0, loading=0.5)
    state = jnp.log10(jnp.array([2e9, 5e8]))
    linear = state_jacobian_at(model, state, ToyForcing(model.inflow), log=False).sum(axis=0)
    np.testing.assert_allclose(linear, [[-0.5, 0.0], [1.0 / 3.0, 0.0]], rtol=1e-12)
    log = state_jacobian_at(model, state, ToyForcing(model.inflow)).sum(axis=0)
    # d/dlg g of (I - g/2)/g = -I/g; d/dlg s of (g/3)/s = -g/3s; d/dlg g of it = g/3s.  In units of 1/Gyr.
    by_hand = np.array([[-2e9 / 2e9, 0.0], [2e9 / 3 / 5e8, -2e9 / 3 / 5e8]])
    np.testing.assert_allclose(log, by_hand, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("log", [True, False])
def test_state_jacobian_matches_finite_differences(log):
    rng = np.random.default_rng(5)
    state, halo = draw_galaxy(MODEL, rng)
    forcing = MODEL.forcing(halo, co.cosmology.pandya26_cosmology())
    lg = jnp.log10(jnp.stack(state))
    exact = np.asarray(jax.jit(state_jacobian_at, static_argnames="log")(MODEL, lg, forcing, log=log).sum(axis=0))
    if log:
        rate = jax.jit(lambda x: log_flow_rates(MODEL, x, forcing).sum(axis=0))
        at, steps = lg, np.full(7, 1e-3)
    else:
        rate = jax.jit(lambda y: jnp.stack(derivative(MODEL, type(state)(*y), forcing)))
        at, steps = 10.0**lg, 1e-3 * np.asarray(10.0**lg)

    def central(h):
        return np.stack([(rate(at + h * e) - rate(at - h * e)) / (2 * h * s) for e, s in
                         zip(np.diag(steps), steps, strict=True)], axis=1)  # fmt: skip

    # Three central differences extrapolated to step zero (Richardson), error O(h^6).
    d1, d2, d4 = central(1.0), central(0.5), central(0.25)
    first, second = (4 * d2 - d1) / 3, (4 * d4 - d2) / 3
    numeric = (16 * second - first) / 15
    scale = np.abs(exact).max(axis=1, keepdims=True)
    assert np.all(np.abs(exact - numeric) <= 1e-7 * scale)


@pytest.fixture(scope="module")
def made_up():
    halos = histories(6)
    return halos, population(halos, failed=(3,))


def test_modes_diagonalise_and_name_their_flows(made_up):
    halos, galaxies = made_up
    jacobian = S.state_jacobian(MODEL, halos, [2.0, 0.0], population=galaxies)
    np.testing.assert_allclose(jacobian.by_flow.sum("flow").values, jacobian.matrix.values, rtol=1e-12)
    modes = S.modes(jacobian)
    there = np.arange(6) != 3
    a, v, w = (x.values[there] for x in (jacobian.matrix, modes.right, modes.left))
    lam = modes.eigenvalue.values[there]
    assert np.isnan(modes.eigenvalue.values[3]).all() and np.isnan(jacobian.matrix.values[3]).all()
    np.testing.assert_allclose(np.einsum("...ij,...mj->...mi", a, v), lam[..., None] * v, atol=1e-9)
    identity = np.broadcast_to(np.eye(7), (5, 2, 7, 7))
    np.testing.assert_allclose(np.einsum("...mj,...nj->...mn", w, v), identity, atol=1e-6)
    np.testing.assert_allclose(modes.by_flow.values[there].sum(-1), lam, atol=1e-7 * np.abs(lam).max())
    np.testing.assert_allclose(modes.timescale.values[there], 1.0 / np.abs(lam.real), rtol=1e-12)
    assert np.all(np.diff(np.abs(lam.real), axis=-1) <= 1e-12)
    names = modes.dominant(0, 0.0)
    assert len(names) == 7 and set(sum(names, ())) <= set(MODEL.ledger.names)


def test_a_population_of_other_redshifts_is_refused(made_up):
    halos, galaxies = made_up
    with pytest.raises(ValueError, match="population: holds 6 halos at redshifts"):
        S.state_jacobian(MODEL, halos, [1.0, 0.0], population=galaxies)
    with pytest.raises(ValueError, match="these histories cover"):
        S.state_jacobian(MODEL, halos, [99.0])


def test_a_degenerate_matrix_keeps_its_eigenvalues():
    matrix = S.Labelled(np.array([[[[1.0, 1.0], [0.0, 1.0]]]]), ("halo", "redshift", "rate", "state"), {}, "", "")
    coords = {"halo": [0], "redshift": [0.0], "flow": ("a",), "rate": ("x", "y"), "state": ("x", "y")}
    by_flow = S.Labelled(matrix.values[:, :, None], ("halo", "redshift", "flow", "rate", "state"), coords, "", "")
    found = S.modes(S.StateJacobian(matrix, by_flow, None, None))
    np.testing.assert_allclose(found.eigenvalue.values, 1.0)
    assert np.isnan(found.left.values).all()


# --- theta -> channel -> y, and forward = variational ------------------------------------------------------------


NAMES = (*co.models.PANDYA26_FREE, "seed.gas_share", "prevention.floor")


@pytest.fixture(scope="module")
def routed(halos):
    return S.routes(MODEL, halos[4:6], NAMES)


@pytest.mark.slow  # a minute of compiling
def test_routes_add_up_to_the_forward_jacobian(halos):
    routed = S.routes(MODEL, halos[4:6], NAMES, solver=TIGHT)
    forward = S.parameter_jacobian(MODEL, halos[4:6], NAMES, solver=TIGHT)
    total = routed.derivative.sum("channel").values
    size = np.linalg.norm(forward.derivative.values, axis=-2, keepdims=True)
    assert np.all(np.abs(total - forward.derivative.values) <= 1e-6 * np.maximum(size, 1e-3))
    np.testing.assert_allclose(routed.log_state.values, forward.values.values, atol=1e-7)


def test_each_parameter_acts_through_its_own_flows(routed):
    def through(name, least=0.0):
        part = np.abs(routed.derivative.sel(parameter=name).values)
        return {
            c for k, c in enumerate(routed.derivative.labels("channel")) if np.any(part[..., k] > least * part.max())
        }

    assert through("mass_loading.amplitude", 1e-6) == {"wind"}  # but for the limit on emptying, far from binding here
    assert {"wind", "star_formation"} < through("mass_loading.amplitude")
    assert through("energy_loading.slope") == {"wind_heating"}
    assert through("metal_loading.amplitude") == {"enrichment", "venting"}
    assert through("prevention.floor") == {"accretion"}
    assert through("depletion_time.amplitude") == {"star_formation", "wind", "wind_heating", "enrichment", "venting"}
    assert S.INITIAL_STATE in through("seed.gas_share")
    gathered = S.by_channel_group(routed.derivative)
    np.testing.assert_allclose(gathered.sum("channel").values, routed.derivative.sum("channel").values, atol=1e-12)
    assert gathered.labels("channel")[:3] == ["accretion", "wind heating", "cooling"]


def test_routes_of_the_toy_add_up_to_its_jacobian(halos):
    names = ("inflow", "time", "loading", "gas")
    routed = S.routes(Toy(), halos[:2], names, solver=TIGHT)
    forward = S.parameter_jacobian(Toy(), halos[:2], names, solver=TIGHT).derivative.values
    np.testing.assert_allclose(routed.derivative.sum("channel").values, forward, atol=1e-7)


def test_routes_refuse_the_cosmology(halos):
    with pytest.raises(ValueError, match="cosmology.h changes the halos and the clock"):
        S.routes(Toy(), halos[:1], ["cosmology.h"])


# --- second derivatives ------------------------------------------------------------------------------------------


def mean_log_gas(galaxies):
    return jnp.mean(jnp.log10(galaxies["gas"]))


def test_second_derivatives_of_the_toy_have_closed_form(halos):
    names = ("inflow", "time", "loading")
    summary = S.Summary(mean_log_gas, Toy(), halos[:2], names, coordinates=S.Log10(), solver=TIGHT)
    elapsed = halos.time[-1] - halos.start[0]

    def exact(u):
        return jnp.log10(solution(co.replace(Toy(), dict(zip(names, 10.0**u, strict=True))), elapsed)[0])

    u = jnp.log10(jnp.array([2.0, 3.0, 0.5]))
    full = S.hessian(summary)
    assert full.dims == ("parameter", "parameter_2") and full.labels("parameter") == list(names)
    np.testing.assert_allclose(full.values, jax.hessian(exact)(u), atol=1e-6)
    first = S.gradient(mean_log_gas, Toy(), names, halos[:2], coordinates=S.Log10(), solver=TIGHT)
    np.testing.assert_allclose(first.values, jax.grad(exact)(u), atol=1e-8)
    vector = np.array([1.0, -2.0, 0.5])
    np.testing.assert_allclose(S.hessian_vector_product(summary, vector).values, full.values @ vector, atol=1e-10)


def test_bad_summaries_are_refused(halos):
    with pytest.raises(ValueError, match="it must return one number"):
        S.hessian(S.Summary(lambda galaxies: galaxies["gas"], Toy(), halos[:2], ["time"]))
    with pytest.raises(ValueError, match="give .1,., one number for each of time"):
        S.hessian(S.Summary(mean_log_gas, Toy(), halos[:2], ["time"]), [0.1, 0.2])


def test_gradients_are_labelled_and_take_the_mode_that_is_quicker(halos, monkeypatch):
    def by_halo(galaxies):
        return jnp.log10(galaxies["gas"])

    slopes = S.gradient(by_halo, Toy(), ["time", "loading"], halos[:2], 1.0)
    assert slopes.dims == ("point", "parameter") and slopes.shape == (2, 2)
    population = S.gradient(lambda population: by_halo(population.at(1.0)), Toy(), "time", halos[:2], [1.0])
    np.testing.assert_allclose(population.values[:, 0], slopes.sel(parameter="time").values, rtol=1e-10)
    chosen = []
    monkeypatch.setattr(gradients, "_slopes", lambda summary, u, reverse: (chosen.append(reverse), u)[1])
    monkeypatch.setattr(gradients, "FORWARD_LIMIT", 1)
    S.gradient(by_halo, Toy(), ["time"], halos[:2])
    S.gradient(by_halo, Toy(), ["time", "loading"], halos[:2])
    S.gradient(mean_log_gas, Toy(), ["time", "loading"], halos[:2])
    assert chosen == [False, False, True]


# --- figures -----------------------------------------------------------------------------------------------------


def test_routes_modes_and_matrices_are_drawn(routed, made_up, tmp_path):
    one = routed.derivative.sel(halo=0, redshift=0.0)
    ax = co.plots.jacobian_map(one.sum("channel"), routes=one)
    numbers = [text.get_text() for text in ax.texts]
    assert "via wind heating" in numbers and "CGM" in numbers and len(ax.get_xticks()) == len(NAMES)
    co.plots.save_figure(ax, tmp_path / "jacobian.png")
    bars = co.plots.route_bars(one)
    assert {"wind heating", "wind", "accretion", "total"} <= set(bars.get_legend_handles_labels()[1])
    with pytest.raises(ValueError, match="select one galaxy"):
        co.plots.jacobian_map(routed.derivative)
    halos, galaxies = made_up
    state = S.state_jacobian(MODEL, halos, [2.0, 0.0], population=galaxies)
    axes = co.plots.mode_portrait(state, S.modes(state), halo=1)
    assert len(axes) == 8 and "mode 1" in axes[1].get_title()


def test_the_flow_of_a_block_is_named_inside_it(routed):
    one = routed.derivative.sel(halo=0, redshift=0.0)
    ax = co.plots.jacobian_map(one.sum("channel"), routes=one)
    ax.figure.draw_without_rendering()
    named = [text for text in ax.texts if text.get_text().startswith("via")]
    assert named
    for text in named:
        box = text.get_window_extent().transformed(ax.transData.inverted())
        left, bottom = text.get_position()
        assert box.x1 < np.floor(left + 0.5) + 0.5 + 1.0 and box.x0 >= left - 0.05 and box.y0 <= bottom + 0.05


def test_an_unknown_response_does_not_look_like_zero():
    labels = {"quantity": ("mstar", "mism"), "parameter": ("a", "b")}
    jacobian = S.Labelled(np.array([[0.0, np.nan], [1.0, -1.0]]), tuple(labels), labels, "dex", "response")
    ax = co.plots.jacobian_map(jacobian)
    (hatched,) = [patch for patch in ax.patches if patch.get_hatch()]
    assert hatched.get_xy() == (0.5, -0.5)


def test_modes_are_followed_by_their_patterns():
    redshifts, patterns = [0.0, 1.0, 2.0], np.tile(np.eye(3, dtype=complex), (1, 3, 1, 1))
    speeds = np.tile([3.0, 2.0, 1.0], (1, 3, 1))
    patterns[0, 1] = 1j * np.eye(3)[[1, 0, 2]]  # the two fastest exchange places, with another phase
    patterns[0, 2] = np.nan  # no galaxy yet
    coords = {"halo": [0], "redshift": redshifts, "mode": range(3), "state": "abc", "flow": ("f",)}
    dims = ("halo", "redshift", "mode")

    def label(values, *more):
        return S.Labelled(values, (*dims, *more), {d: tuple(coords[d]) for d in (*dims, *more)}, "1", "")

    modes = S.Modes(
        label(speeds),
        label(1.0 / speeds),
        label(patterns, "state"),
        label(patterns, "state"),
        label(speeds[..., None], "flow"),
    )
    followed = S.followed_modes(modes)
    assert followed.eigenvalue.values[0].tolist() == [[3.0, 2.0, 1.0], [2.0, 3.0, 1.0], [3.0, 2.0, 1.0]]
    assert np.array_equal(np.abs(followed.right.values[0, 1]), np.eye(3))
