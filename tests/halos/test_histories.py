"""Halo histories between their grid points: identities, ends, and behaviour as a pytree."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corundum import halos as H
from corundum.cosmology import planck15
from corundum.halos.concentration import limit_concentration
from corundum.units import GRAVITY, Quantity

COSMOLOGY = planck15()
TIME = np.geomspace(0.4, float(COSMOLOGY.age(0.0)), 60)
ALPHA = np.array([0.8, 1.5, 3.0])
SPIN = Quantity("1", "spin parameter", log=False)


def power_laws(**keywords):
    """Three halos with M = 10^12 (t/t0)^alpha and concentrations falling with time."""
    log_mvir = 12.0 + ALPHA[:, None] * np.log10(TIME / TIME[-1])
    log_c = 0.9 - 0.2 * np.log10(TIME / TIME[-1]) * np.ones((3, 1))
    return H.HaloHistories(TIME, log_mvir, log_c, cosmology=COSMOLOGY, **keywords)


HALOS = power_laws()
read_all = jax.jit(lambda halos, time: halos.at(time=time))


@given(time=st.floats(0.3, 13.8))
@settings(max_examples=30, deadline=None)
def test_power_law_growth_is_exact_at_any_time(time):
    halo = read_all(HALOS, time)
    mvir = 1e12 * (time / TIME[-1]) ** ALPHA
    np.testing.assert_allclose(halo.mvir, mvir, rtol=1e-9)
    np.testing.assert_allclose(halo.growth, ALPHA * mvir / time / 1e9, rtol=1e-9)
    np.testing.assert_allclose(halo.vvir**2, GRAVITY * halo.mvir / halo.rvir, rtol=1e-12)
    np.testing.assert_allclose(halo.time, time)


def test_growth_is_the_derivative_of_the_mass_at_any_time():
    halos = power_laws()
    wiggle = halos.log_mvir + 0.05 * jnp.sin(4.0 * jnp.log(TIME)) * jnp.asarray([[1.0], [-1.0], [0.5]])
    halos = H.HaloHistories(TIME, wiggle, halos.log_concentration, cosmology=COSMOLOGY)
    slope = jax.jit(jax.jacfwd(lambda t: halos.at(time=t).mvir))
    for time in np.random.default_rng(0).uniform(0.35, TIME[-1], 10):
        np.testing.assert_allclose(slope(time) / 1e9, read_all(halos, time).growth, rtol=1e-10)


def test_values_and_slopes_at_every_knot():
    tables = HALOS.tables()
    read = jax.jit(jax.vmap(HALOS.interpolation.read, in_axes=(H.HaloTables.HALO_AXIS, None)))
    for i in (0, 1, 30, 58, 59):
        halo = read(tables, TIME[i])
        np.testing.assert_allclose(np.log10(halo.mvir), HALOS.log_mvir[:, i], rtol=1e-13)
        np.testing.assert_allclose(halo.growth, ALPHA * halo.mvir / TIME[i] / 1e9, rtol=1e-9)
        np.testing.assert_allclose(halo.rvir, COSMOLOGY.virial_radius(halo.mvir, halo.redshift), rtol=1e-9)
    np.testing.assert_allclose(read(tables, TIME[-1]).redshift, 0.0, atol=1e-12)


def test_nothing_jumps_before_the_first_knot():
    before, after = (read_all(HALOS, TIME[0] * factor) for factor in (1 - 1e-9, 1 + 1e-9))
    for earlier, later in zip(before.by_name().values(), after.by_name().values(), strict=True):
        np.testing.assert_allclose(earlier, later, rtol=1e-7)


def test_redshift_between_knots():
    for time in (0.41, 2.2, 9.87):
        np.testing.assert_allclose(read_all(HALOS, time).redshift, COSMOLOGY.redshift(time), rtol=2e-6)


def test_published_interpolation_reads_its_own_growth():
    growth = HALOS.log_mvir + np.log10(ALPHA[:, None] / TIME / 1e9)
    halos = power_laws(log_growth=growth, interpolation=H.Pandya26Hermite())
    halo = halos.at(time=float(TIME[20]))
    np.testing.assert_allclose(halo.growth, 10.0 ** growth[:, 20], rtol=1e-9)
    with pytest.raises(ValueError, match="log_growth"):
        power_laws(interpolation=H.Pandya26Hermite()).at(redshift=0.0)


def test_is_a_pytree_that_indexes_like_an_array():
    leaves, structure = jax.tree.flatten(HALOS)
    again = jax.tree.unflatten(structure, leaves)
    assert all(isinstance(leaf, jax.Array) and leaf.dtype == jnp.float64 for leaf in leaves)
    np.testing.assert_array_equal(again.log_mvir, HALOS.log_mvir)
    assert len(HALOS[1:]) == 2 and len(HALOS[-1]) == 1 and len(HALOS[np.array([True, False, True])]) == 2
    assert len(list(HALOS)) == 3
    with pytest.raises(IndexError, match="there are 3 halos"):
        HALOS[3]
    np.testing.assert_array_equal(HALOS[[2, 0]].log_mvir, HALOS.log_mvir[np.array([2, 0])])
    np.testing.assert_allclose(jax.jit(lambda h: h.at(redshift=1.0).mvir)(HALOS), HALOS.at(redshift=1.0).mvir)


def _broken(**changes):
    arguments = {"time": TIME, "log_mvir": np.asarray(HALOS.log_mvir), "log_concentration": np.ones((3, 60))}
    keywords = {name: value for name, value in changes.items() if name not in arguments}
    arguments.update({name: value for name, value in changes.items() if name in arguments})
    return lambda: H.HaloHistories(**arguments, **keywords)


@pytest.mark.wrong_types
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"time": TIME[::-1]}, "strictly increasing"),
        ({"time": TIME[:1]}, "at least two times"),
        ({"log_mvir": np.ones((3, 59))}, "expected .halos, times."),
        ({"log_mvir": np.full((3, 60), np.nan)}, "halo 0 has a value that is not finite"),
        ({"start": [0.4, 0.5]}, "expected one per halo"),
        ({"start": [0.4, 0.5, 20.0]}, "halo 2 starts at 20 Gyr"),
        ({"weights": [1.0, np.inf, 1.0]}, "weights: halo 1"),
        ({"end": [13.0, 20.0, 13.0]}, "halo 1 ends at 20 Gyr, outside the grid"),
        ({"start": [1.0, 5.0, 1.0], "end": [13.0, 4.0, 13.0]}, "halo 1 ends at 4 Gyr, not after its start at 5 Gyr"),
        ({"host": [-1, 3, 0]}, "host: halo 1 has the host 3; allowed the row of another halo, 0 to 2, or -1"),
        ({"host": [-1, 1, 0]}, "host: halo 1 has the host 1"),
        ({"host": [-1.0, 1.0, 0.0]}, "give whole numbers"),
        ({"extras": {"spin": np.ones((3, 60))}}, r"extras\['spin'\]: got a ndarray; give halos.ExtraCurve"),
        (
            {"extras": {"spin": H.ExtraCurve(np.ones((3, 59)), SPIN)}},
            r"extras\['spin'\]: got shape \(3, 59\)",
        ),
        ({"extras": {"spin": H.ExtraCurve(np.full((3, 60), np.inf), SPIN)}}, r"extras\['spin'\]: halo 0 has a value"),
        ({"extras": {"mvir": H.ExtraCurve(np.ones((3, 60)), SPIN)}}, "every halo has 'mvir' without it"),
        ({"extras": {"a spin": H.ExtraCurve(np.ones((3, 60)), SPIN)}}, "got the name 'a spin'"),
    ],
)
def test_bad_histories_are_refused(changes, words):
    with pytest.raises(ValueError, match=words):
        _broken(**changes)()


def test_at_needs_one_moment():
    with pytest.raises(ValueError, match="not both"):
        HALOS.at(redshift=1.0, time=2.0)


@pytest.mark.parametrize("interpolation", [None, H.Pandya26Hermite()], ids=["spline", "published"])
def test_extra_curves_are_read_like_the_mass(interpolation):
    rows = np.arange(1.0, 4.0)[:, None]
    extras = {"spin": H.ExtraCurve(0.03 * np.log(TIME) * rows, SPIN), "age": H.ExtraCurve(TIME * rows, SPIN)}
    growth = np.zeros((3, 60))
    plain = power_laws(interpolation=interpolation, log_growth=growth)
    halos = power_laws(interpolation=interpolation, log_growth=growth, extras=extras)
    halo, bare = read_all(halos, 3.3), read_all(plain, 3.3)
    np.testing.assert_allclose(halo.extras["spin"], 0.03 * np.log(3.3) * rows[:, 0], rtol=3e-3)
    np.testing.assert_allclose(halo.extras["age"], 3.3 * rows[:, 0], rtol=1e-5)
    assert list(halo.by_name()) == [*bare.by_name(), "age", "spin"]
    for name, value in bare.by_name().items():
        # A difference of two slopes rounds as the program that is compiled around it.
        np.testing.assert_allclose(halo.by_name()[name], value, rtol=1e-14 if name == "deepening" else 0.0)
    assert halos.quantities["spin"] == SPIN and set(halos.quantities) == set(halo.by_name())
    np.testing.assert_array_equal(halos[[2, 0]].extras["age"].values, TIME * rows[[2, 0]])


@pytest.mark.wrong_types
def test_an_extra_curve_that_is_not_there_is_named():
    halos = power_laws(extras={"overdensity": H.ExtraCurve(np.ones((3, 60)), SPIN)})
    with pytest.raises(ValueError, match="have no 'overdensty': did you mean overdensity"):
        halos.at(redshift=1.0).extras["overdensty"]
    with pytest.raises(ValueError, match="have no 'spin': they have none"):
        HALOS.at(redshift=1.0).extras["spin"]
    with pytest.raises(ValueError, match="ExtraCurve: got 'spin' for its quantity"):
        H.ExtraCurve(np.ones((3, 60)), "spin")


def test_hosts_follow_their_satellites():
    halos = power_laws(host=[-1, 0, 1])
    assert halos[1:].host.tolist() == [-1, 0]
    assert halos[[2, 1, 0]].host.tolist() == [1, 2, -1]
    assert halos[np.array([True, False, True])].host.tolist() == [-1, -1]
    assert halos[-1].host.tolist() == [-1] and HALOS[1:].host is None
    assert halos[[0, 1, 0]].host.tolist() == [-1, 0, -1]


def test_halos_exist_between_start_and_end():
    halos = power_laws(start=[0.4, 2.0, 3.0], end=[TIME[-1], 5.0, TIME[-1]])
    existing = halos.exist_at(np.array([1.0, 2.0, 4.0, 5.0, 6.0]))
    assert existing.tolist() == [[True] * 5, [False, True, True, True, False], [False, False, True, True, True]]
    assert halos.end[0] == TIME[-1] and HALOS.exist_at(TIME).all()


def test_masses_are_there_without_their_logarithm():
    np.testing.assert_allclose(HALOS.mvir, 10.0 ** np.asarray(HALOS.log_mvir), rtol=1e-14)
    np.testing.assert_array_equal(HALOS.final_mvir, HALOS.mvir[:, -1])


def test_sets_of_halos_join():
    one = power_laws(host=[-1, 0, 1], mergers=H.Mergers([[1.0], [np.nan], [2.0]], [[0.1], [np.nan], [0.2]]))
    other = power_laws(host=[-1, -1, 0], mergers=H.Mergers(np.full((3, 2), 3.0), np.full((3, 2), 0.3)))
    both = H.concatenate([one, other], provenance={"source": "two sets"})
    assert len(both) == 6 and both.provenance == (("source", "two sets"),)
    assert both.host.tolist() == [-1, 0, 1, -1, -1, 3]
    np.testing.assert_array_equal(both.log_mvir, np.concatenate([one.log_mvir, other.log_mvir]))
    assert both.mergers.to_list()[0].tolist() == [0, 2, 3, 3, 4, 4, 5, 5]
    np.testing.assert_array_equal(both[3:].mergers.ratio, other.mergers.ratio)
    with pytest.raises(ValueError, match="host: it is set differently in the HaloHistories"):
        H.concatenate([one, power_laws(mergers=other.mergers)])
    with pytest.raises(ValueError, match="histories 1 have other times"):
        H.concatenate([one, H.HaloHistories(TIME[1:], one.log_mvir[:, 1:], one.log_concentration[:, 1:])])
    with pytest.raises(ValueError, match="no histories"):
        H.concatenate([])


def test_plain_arrays_become_histories():
    redshift = np.linspace(5.0, 0.0, 30)
    mvir = 1e12 * np.exp(-np.array([[0.5], [0.9]]) * redshift)
    spin = {"spin": H.ExtraCurve(redshift * np.ones((2, 1)), SPIN)}
    halos = H.HaloHistories.from_arrays(
        mvir, redshift=redshift, concentration=np.full((2, 30), 8.0), extras=spin, cosmology=COSMOLOGY, end=[9.0, 10.0]
    )
    halo = halos.at(redshift=1.0)
    np.testing.assert_allclose(halo.mvir, 1e12 * np.exp(-np.array([0.5, 0.9])), rtol=1e-3)
    np.testing.assert_allclose(halo.concentration, 8.0)
    np.testing.assert_allclose(halo.extras["spin"], 1.0, rtol=1e-3)
    assert halos.end.tolist() == [9.0, 10.0]
    reverse = {"spin": H.ExtraCurve(redshift[::-1] * np.ones((2, 1)), SPIN)}
    backwards = H.HaloHistories.from_arrays(
        mvir[:, ::-1], scale_factor=1.0 / (1.0 + redshift[::-1]), concentration=np.full((2, 30), 8.0), extras=reverse,
        cosmology=COSMOLOGY, end=[9.0, 10.0],
    )  # fmt: skip
    for first, second in zip(jax.tree.leaves(halos), jax.tree.leaves(backwards), strict=True):
        np.testing.assert_allclose(first, second, rtol=1e-12)
    median = H.HaloHistories.from_arrays(mvir[0], time=TIME[:30])
    expected = limit_concentration(H.Diemer19()(np.log10(mvir[0]), median.redshift))
    np.testing.assert_allclose(median.log_concentration[0], expected, rtol=1e-9)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"mvir": np.linspace(10.0, 12.0, 20)}, "not their log10"),
        ({"mvir": np.linspace(0.0, 1e12, 20)}, "mvir: halo 0 has 0 Msun at 0.4 Gyr; every value must be positive"),
        ({"concentration": np.full((1, 20), 0.9)}, "concentration: the smallest is 0.9"),
        ({"concentration": np.full((1, 19), 9.0)}, "with 20 times"),
        ({"redshift": TIME[:20]}, "got time and redshift; give one of"),
        ({"time": None}, "got none; give one of"),
        ({"time": TIME[[0, 2, 1]]}, "neither rise nor fall"),
        ({"time": None, "scale_factor": TIME[:20] - 0.4}, "allowed above 0, 1 today"),
    ],
)
def test_plain_arrays_that_are_no_histories_are_refused(changes, words):
    with pytest.raises(ValueError, match=words):
        H.HaloHistories.from_arrays(**{"mvir": np.geomspace(1e9, 1e12, 20), "time": TIME[:20], **changes})


def test_histories_print_as_a_few_lines():
    extras = {"spin": H.ExtraCurve(np.ones((3, 60)), SPIN)}
    words = {"source": "power laws " * 30}
    mergers = H.Mergers(np.full((3, 1), 2.0), np.full((3, 1), 0.3))
    halos = power_laws(extras=extras, end=[5.0, 13.0, 13.0], host=[-1, 0, -1], mergers=mergers, provenance=words)
    assert repr(halos) == f"HaloHistories(3 halos, 60 times, 10^12 Msun, {halos.span})"
    lines = str(halos).splitlines()
    assert lines[0] == repr(halos) and len(lines) <= 8 and max(map(len, lines)) <= 120
    for text in (
        "source: power laws",
        "end before the last time",
        "mergers: 3",
        "satellites: 1",
        "spin [1]: spin",
    ):
        assert any(text in line for line in lines), text
    assert "log_mvir" in repr(jax.tree.map(lambda leaf: object(), halos))
    assert jax.jit(lambda halos: len(repr(halos)) + halos.time[0])(halos) > 0
