"""Shipped measurements against the published numbers, the file format and its errors, and the knobs."""

import os
from importlib import resources

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corundum import Galaxies, observables, parameters
from corundum.cli.main import main
from corundum.observables import ERROR_KINDS, LocalLinear, Measurement, StellarToHaloMass
from corundum.observables.files import measurements_of
from corundum.observables.redshifts import comparable

ALL = observables.available()

TEXT = """# relation: {relation}
# citation: A. Nonymous 2020
# redshift: 0.5
# imf: Chabrier
# h: 0.7
# calibration: none
# statistic: median
# error_kind: {kind}
# bandwidth: 0.2
{extra}
{table}
"""
TABLE = "x y sigma scatter\n10.0 -2.0 0.1 0.2\n11.0 -1.5 0.2 0.2"


def write(tmp_path, relation="StellarToHaloMass", kind="standard error", extra="# note: made up", table=TABLE):
    path = tmp_path / "mine.txt"
    path.write_text(TEXT.format(relation=relation, kind=kind, extra=extra, table=table))
    return path


def test_at_least_two_measurements_of_each_observed_relation_at_redshift_zero():
    relations = [type(m.relation).__name__ for m in map(observables.load, ALL) if m.redshift < 0.3]
    for name in (
        "StellarToHaloMass",
        "ColdGasFraction",
        "GasMetallicity",
        "StellarMetallicity",
        "StarFormingMainSequence",
    ):
        assert relations.count(name) >= 2, name


@pytest.mark.parametrize("name", ALL)
def test_every_measurement_loads_states_its_provenance_and_is_usable(name):
    m = observables.load(name)
    assert m.name == name and m.error_kind in ERROR_KINDS
    for field in (
        "citation",
        "imf",
        "h",
        "calibration",
        "statistic",
        "selection",
        "source",
        "licence",
        "bibcode",
    ):
        assert getattr(m, field), field
    assert m.licence == "published numbers only" and "Chabrier" in m.imf
    if m.redshift_range is not None:
        assert m.redshift_range[0] <= m.redshift <= m.redshift_range[1]
    assert np.all(np.linalg.eigvalsh(m.total_covariance) > 0)
    assert np.all((m.error > 0.03) & (m.error < 0.7))
    np.linalg.cholesky(m.total_covariance)
    if m.error_kind == "scatter":
        np.testing.assert_allclose(np.sqrt(np.diag(m.covariance)), m.scatter, rtol=1e-3)
        assert m.systematic == 0
    text = m.summary()
    assert m.citation.split(",")[0] in text and m.error_kind in text and max(map(len, text.splitlines())) <= 110
    sources = (resources.files("corundum") / "data" / "SOURCES.md").read_text()
    assert f"`{name}`" in sources


def test_sources_list_no_measurement_that_is_not_there():
    sources = (resources.files("corundum") / "data" / "SOURCES.md").read_text()
    listed = [line.split("`")[1] for line in sources.splitlines() if line.startswith("| `") and ".csv" not in line]
    assert sorted(listed) == ALL


@pytest.mark.parametrize("name", ALL)
def test_bars_are_called_what_they_mostly_are(name):
    """The larger part of each error comes first, in the legend, the summary and the list of sources alike."""
    m = observables.load(name)
    kind = float(np.median(np.sqrt(np.diag(m.covariance))))
    word = {"scatter": "scatter of galaxies", "posterior": "68% posterior"}.get(m.error_kind, m.error_kind)
    if m.systematic == 0:
        assert m.error_parts == word
    else:
        first, second = m.error_parts.split(", ")
        assert ("systematic" in first) == (float(m.systematic) > kind) and ("systematic" in first) != (word in first)
        assert word in m.error_parts and "systematic" in m.error_parts
    assert f"dex in total: {m.error_parts}" in m.summary()
    sources = (resources.files("corundum") / "data" / "SOURCES.md").read_text()
    row = next(line for line in sources.splitlines() if line.startswith(f"| `{name}`"))
    last = row.rstrip(" |").rpartition(" | ")[2]
    assert last.startswith("systematic" if "systematic" in m.error_parts.split(", ")[0] else m.error_kind)


def test_the_bars_of_curti_and_of_andrews_and_martini_are_systematic():
    parts = {name: observables.load(name).error_parts for name in ("gasmzr_curti20", "gasmzr_andrews13")}
    assert parts["gasmzr_curti20"] == "0.1 dex systematic, 0.01 dex residual"
    assert parts["gasmzr_andrews13"].startswith("0.1 dex systematic, 0.05")


def test_behroozi19_is_the_published_table_with_the_published_errors_on_the_diagonal():
    m = observables.load("shmr_behroozi19_sf")
    np.testing.assert_allclose(m.x, np.arange(10.1, 12.11, 0.2), atol=1e-9)
    table = {10.1: (-3.40273, 0.171419), 11.1: (-2.41281, 0.091789), 12.1: (-1.65725, 0.038784)}
    for x, (y, error) in table.items():
        i = int(np.argmin(np.abs(m.x - x)))
        assert (m.y[i], m.error[i]) == (pytest.approx(y, abs=1e-6), pytest.approx(error, rel=1e-4))
    independent = m.diagonal()
    np.testing.assert_allclose(independent.error, m.error, rtol=1e-12)
    np.testing.assert_allclose(independent.covariance, np.diag(m.error**2))
    # The points move together: a common offset is known some eight times worse than if they were independent.
    ratio = np.sum(m.covariance) / np.sum(independent.covariance)
    assert 7.0 < ratio < 10.0
    correlation = np.asarray(m.covariance) / np.outer(m.error, m.error)
    assert 0.5 < correlation[0, -1] < 0.7 and np.all(np.diag(correlation, 1) > 0.6)


def test_moster18_is_the_published_function():
    m = observables.load("shmr_moster18")
    mass = 10.0 ** np.asarray(m.x)
    efficiency = 2 * 0.14 / ((mass / 10**11.8) ** -1.75 + (mass / 10**11.8) ** 0.57)
    np.testing.assert_allclose(m.y, np.log10(0.156 * efficiency), atol=1e-5)
    assert m.relation.x({"mvir": mass, "mstar": 0.156 * efficiency * mass})[0] == pytest.approx(10.5)
    np.testing.assert_allclose(m.scatter, 0.16 + np.log10((mass / 10**10.8) ** -1 + 1), atol=1e-4)


def test_cold_gas_contains_helium_and_its_two_samples_agree():
    xgass, calette = observables.load("coldgas_xgass"), observables.load("coldgas_calette18")
    # At lg Mstar = 10.01 lg sSFR is between -10.19 (HI -0.539) and -9.72 (HI -0.063), and H2 is -1.11.
    x = 10.01
    ssfr = -2.332 * x + 0.4156 * x**2 - 0.01828 * x**3 - x
    share = (ssfr + 10.19) / 0.47
    hi = -0.539 + share * (-0.063 + 0.539)
    i = int(np.argmin(np.abs(xgass.x - x)))
    total = 1.36 * 10**hi + 10**-1.11
    assert xgass.y[i] == pytest.approx(np.log10(total), abs=1e-4)
    hydrogen = 1.36 * 10**hi / total
    variance = hydrogen**2 * (((1 - share) * 0.033) ** 2 + (share * 0.041) ** 2) + ((1 - hydrogen) * 0.079) ** 2
    assert xgass.covariance[i, i] == pytest.approx(variance, rel=1e-3)
    apart = np.interp(calette.x[1:], xgass.x, xgass.y) - calette.y[1:]
    assert np.all(np.abs(apart) < calette.error[1:])


def test_gas_metallicities_follow_the_curves_fitted_in_their_papers():
    curti = observables.load("gasmzr_curti20")
    x = np.asarray(curti.x)
    curve = 8.793 - 0.28 / 1.2 * np.log10(1 + 10 ** (-1.2 * (x - 10.02)))
    assert np.std(curti.y - curve) < 0.012 and np.all(np.abs(curti.y - curve) < 0.025)
    assert curti.error_kind == "residual" and curti.systematic == 0.1
    andrews = observables.load("gasmzr_andrews13")
    kroupa = np.asarray(andrews.x) - np.log10(0.912)
    np.testing.assert_allclose(kroupa[[0, -1]], [7.45, 10.25], atol=1e-4)
    curve = 8.798 - np.log10(1 + 10 ** (0.640 * (8.901 - kroupa)))
    chi2 = np.sum((andrews.y - curve) ** 2 / np.diag(andrews.covariance))
    assert 15 < chi2 < 40  # 29 stacks, 3 fitted parameters


def test_other_measurements_are_the_published_numbers():
    gallazzi = observables.load("starmzr_gallazzi05")
    assert float(gallazzi.relation.solar_metallicity) == 0.02
    assert (gallazzi.x[6], gallazzi.y[6]) == (10.11, -0.23)
    assert gallazzi.error[6] == pytest.approx((0.14 + 0.80) / 2)
    # MILES spectra with BaSTI isochrones label Z = 0.0198 as [M/H] = +0.06.
    sami = observables.load("starmzr_sami22")
    assert float(sami.relation.solar_metallicity) == pytest.approx(0.0198 / 10**0.06, rel=0.003)
    model_at_that_zero = sami.relation.y({"mstar": np.ones(1), "mzstar": np.full(1, 0.0172)})
    np.testing.assert_allclose(model_at_that_zero, 0.0, atol=1e-12)
    yates = observables.load("starmzr_yates21")
    assert float(yates.relation.solar_metallicity) == 0.0142 and yates.y[4] == -0.22
    davies, bauer = observables.load("sfms_davies16"), observables.load("sfms_bauer13")
    np.testing.assert_allclose(davies.y, 0.08 + 0.66 * (davies.x - 10), atol=1e-5)
    assert bauer.y[2] == pytest.approx(10 - 9.84523, abs=1e-4)
    np.testing.assert_allclose(np.interp(davies.x, bauer.x, bauer.y), davies.y, atol=0.3)


@settings(max_examples=10, deadline=None)
@given(dy=st.floats(-1, 1), factor=st.floats(0.1, 5), name=st.sampled_from(["coldgas_xgass", "sfms_bauer13"]))
def test_knobs_change_what_they_say_and_leave_a_note(dy, factor, name):
    m = observables.load(name)
    moved = m.shifted(dy).scaled_errors(factor)
    np.testing.assert_allclose(moved.y, m.y + dy, rtol=1e-12)
    np.testing.assert_allclose(moved.error, factor * m.error, rtol=1e-9)
    assert moved.notes[: len(m.notes)] == m.notes and len(moved.notes) == len(m.notes) + 2
    cut = m.between(float(m.x[1]), float(m.x[-2]))
    np.testing.assert_array_equal(cut.x, m.x[1:-1])
    np.testing.assert_array_equal(cut.total_covariance, m.total_covariance[1:-1, 1:-1])
    wider = m.with_systematic(0.3, 0.5)
    assert np.all(wider.error**2 >= 0.3**2) and wider.diagonal().systematic == 0.0


def test_knobs_refuse_nonsense():
    m = observables.load("shmr_moster18")
    with pytest.raises(ValueError, match=r"no point of shmr_moster18 has 1 <= x <= 2; they span 10\.5 to 12\.5"):
        m.between(1, 2)
    with pytest.raises(ValueError, match="must be positive"):
        m.scaled_errors(0.0)


def test_a_measurement_is_a_pytree_that_predicts_a_model_at_its_points():
    m = observables.load("shmr_behroozi19_sf")
    rng = np.random.default_rng(0)
    mvir = 10 ** rng.uniform(9.8, 12.6, 800)
    ratio = np.interp(np.log10(mvir), m.x, m.y)

    @jax.jit
    def chi2(m, offset):
        predicted = m.predict({"mvir": mvir, "mstar": mvir * 10 ** (ratio + offset)}, LocalLinear(0.05))
        residual = predicted.mean - m.y
        return residual @ jnp.linalg.solve(m.total_covariance, residual), predicted.reached

    value, reached = chi2(m, 0.0)
    assert reached.all() and value < 2.0
    slope = jax.grad(lambda offset: chi2(m, offset)[0])(0.3)
    ones = np.ones(len(m))
    assert slope == pytest.approx(2 * 0.3 * ones @ np.linalg.solve(m.total_covariance, ones), rel=0.05)
    assert len(jax.tree.leaves(m)) == 6
    default = m.predict({"mvir": mvir, "mstar": mvir * 1e-2})
    np.testing.assert_allclose(default.mean, -2.0)


def test_points_without_galaxies_are_nan_and_gradients_of_the_others_stay_finite():
    m = observables.load("shmr_moster18")
    one = m.predict({"mvir": jnp.array([10**11.5]), "mstar": jnp.array([10**9.5])})
    assert not one.reached.any()
    assert np.isnan([one.mean, one.scatter, one.standard_error]).all()
    mvir = 10 ** jnp.linspace(11.2, 11.8, 100)

    def distance(shift):
        mean = m.predict({"mvir": mvir, "mstar": mvir * 10 ** (-2.0 + shift)}).mean
        return jnp.nansum((mean - m.y) ** 2), mean

    slope, mean = jax.grad(distance, has_aux=True)(0.0)
    reached = np.isfinite(mean)
    assert 0 < reached.sum() < len(m)
    assert float(slope) == pytest.approx(2.0 * float(jnp.nansum(mean - m.y)), rel=1e-10)


def test_galaxies_of_another_redshift_are_refused_unless_asked_for():
    m = observables.load("shmr_behroozi19_z2")
    values = {"mvir": 10 ** jnp.linspace(11.0, 12.5, 50), "mstar": 10 ** jnp.linspace(8.5, 10.5, 50)}
    at = {z: Galaxies(z, values, np.ones(50, bool), np.ones(50)) for z in (0.0, 2.0)}
    assert m.predict(at[2.0]).reached.any()
    with pytest.raises(ValueError, match=r"is at z = 2 and these galaxies are at z = 0; evolve with redshifts=\[2\]"):
        m.predict(at[0.0])
    np.testing.assert_array_equal(m.predict(at[0.0], redshift_tolerance=np.inf).mean, m.predict(values).mean)
    gallazzi = observables.load("starmzr_gallazzi05")  # z = 0.1, of galaxies at 0.005 to 0.22
    allowed = [z for z in (0.0, 0.1, 0.2, 0.22, 0.25, 1.0) if comparable(gallazzi, z)]
    assert allowed == [0.0, 0.1, 0.2, 0.22]


def test_predict_respects_the_mask_and_the_weights_of_the_galaxies():
    class Weighted(dict):
        valid = np.array([True, True, False])
        weights = np.array([3.0, 1.0, 5.0])

    m = observables.load("shmr_moster18").between(11.0, 11.2)
    two_suffice = LocalLinear(0.2, minimum_count=1.0)
    got = m.predict(Weighted(mvir=np.full(3, 10**11.1), mstar=10**11.1 * np.array([1e-2, 1e-3, 1.0])), two_suffice)
    np.testing.assert_allclose(got.mean, -2.25)


def test_a_file_of_your_own_and_a_relation_of_your_own(tmp_path):
    m = observables.read(str(write(tmp_path)))
    assert (m.name, m.redshift, m.notes) == ("mine", 0.5, ("made up",))
    np.testing.assert_allclose(m.error, [0.1, 0.2])
    with_covariance = "x,y,c1,c2\n10,-2,0.04,0.01\n11,-1,0.01,0.09"
    extra = "# relation.solar_metallicity: 0.019\n# redshift_range: 0.1 0.9\n# systematic: 0.1"
    m = observables.read(write(tmp_path, "StellarMetallicity", extra=extra, table=with_covariance))
    assert parameters.get_values(m.relation, ["solar_metallicity"])[0] == 0.019
    assert m.redshift_range == (0.1, 0.9)
    assert m.total_covariance[0, 1] == pytest.approx(0.01 + 0.01 * np.exp(-1.0))
    mine = StellarToHaloMass()
    assert observables.read(write(tmp_path, "mine"), relation=mine).relation is mine


def test_the_path_of_a_file_goes_wherever_a_name_does(tmp_path, monkeypatch, capsys):
    path = write(tmp_path)
    monkeypatch.chdir(tmp_path)
    names = [m.name for m in measurements_of(["mine.txt", path, "shmr_moster18", observables.load("./mine.txt")])]
    assert names == ["mine", "mine", "shmr_moster18", "mine"]
    assert main(["data", "show", "mine.txt"]) == 0 and "A. Nonymous 2020" in capsys.readouterr().out
    with pytest.raises(ValueError, match=r"missing\.txt"):
        observables.load("missing.txt")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (dict(relation="StelarToHaloMass"), r"did you mean StellarToHaloMass.*allowed .*HaloBaryonFraction"),
        (dict(relation=""), r"misses relation; add a line '# relation: \.\.\.'"),
        (dict(kind="sigma"), "got error_kind 'sigma'; allowed standard error, posterior, residual, scatter"),
        (dict(extra="# bandwith: 3"), r"line 10: unknown key 'bandwith': did you mean bandwidth\?"),
        (dict(extra="# redshift: 3"), "'redshift' is given twice"),
        (dict(extra="# systematic: big"), "got systematic 'big'; it must be a finite number"),
        (dict(extra="# systematic: -0.1"), "errors not negative"),
        (dict(extra="# redshift_range: 3"), "give two redshifts"),
        (dict(extra="# relation.solar: 3"), "unknown parameter 'solar'"),
        (dict(table=""), "holds no table"),
        (dict(table="x y sigma"), "holds no table"),
        (dict(table="x y\n1 2"), "got error columns none; give either sigma or all of c1 ... c1"),
        (dict(table="x y sigma c1\n1 2 3 4"), "got error columns sigma, c1; give either"),
        (dict(table="x y c1\n1 2 3\n2 2 3"), "got error columns c1; give either sigma or all of c1 ... c2"),
        (dict(table="x y sigma err\n1 2 3 4"), "unknown column 'err'"),
        (dict(table="x y sigma x\n1 2 3 4"), "column names appear twice: x"),
        (dict(table="y sigma\n1 2"), "no column 'x'; it has y, sigma"),
        (dict(table="x y sigma\n1 2"), "line 12: has 2 cells but there are 3 columns"),
        (dict(table="x y sigma\n1 two 3"), "line 12: column y holds 'two', which is not a number"),
        (dict(table="x y sigma\n1 nan 3"), "line 12: column y holds 'nan'; remove that row"),
        (dict(table="x y sigma\n1 2 0"), "line 12: got sigma 0; it must be positive"),
        (dict(table="x y sigma\n2 2 1\n1 2 1"), "x does not increase"),
        (
            dict(table="x y c1 c2\n1 2 1 0.5\n2 2 0.4 1"),
            r"not symmetric: \[0, 1\] is 0\.5 but \[1, 0\] is 0\.4",
        ),
        (dict(table="x y c1 c2\n1 2 1 2\n2 2 2 1"), "not positive definite"),
    ],
)
def test_bad_files_are_one_clear_sentence(tmp_path, change, message):
    with pytest.raises(ValueError, match=message) as error:
        observables.read(write(tmp_path, **change))
    assert "mine" in str(error.value) and "\n" not in str(error.value)


def test_unreadable_files_are_one_clear_sentence(tmp_path):
    with pytest.raises(ValueError, match="no such file"):
        observables.read(tmp_path / "nothing.txt")
    with pytest.raises(ValueError, match="is a directory"):
        observables.read(tmp_path)
    (tmp_path / "binary.txt").write_bytes(bytes(range(128, 256)))
    with pytest.raises(ValueError, match="not a text file"):
        observables.read(tmp_path / "binary.txt")
    (tmp_path / "empty.txt").write_text("")
    with pytest.raises(ValueError, match="holds no table"):
        observables.read(tmp_path / "empty.txt")
    os.symlink(tmp_path / "loop.txt", tmp_path / "loop.txt")
    with pytest.raises(ValueError, match="cannot be read"):
        observables.read(tmp_path / "loop.txt")
    with pytest.raises(ValueError, match="did you mean shmr_moster18.*there are .*by its path"):
        observables.load("shmr_moster")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (dict(y=[1.0]), r"got x \(2,\), y \(1,\)"),
        (dict(scatter=[1.0]), "got scatter"),
        (dict(covariance=[[1.0, np.nan], [np.nan, 1.0]]), "covariance has a value that is not finite"),
        (dict(bandwidth=0.0), "widths are positive"),
    ],
)
def test_hand_made_measurements_are_checked(change, message):
    good = dict(
        name="mine",
        relation=StellarToHaloMass(),
        x=[1.0, 2.0],
        y=[0.0, 0.0],
        covariance=np.eye(2),
        error_kind="standard error",
        citation="nobody",
    )
    assert len(Measurement(**good)) == 2
    with pytest.raises(ValueError, match=message):
        Measurement(**(good | change))


def test_a_measurement_prints_as_one_line_also_inside_a_transformation():
    measurement = observables.load("shmr_moster18")
    assert repr(measurement) == str(measurement)
    assert repr(measurement).startswith("<Measurement shmr_moster18: stellar-to-halo mass ratio, ")
    assert "\n" not in repr(measurement) and len(repr(measurement)) < 200
    lines = []
    jax.jit(lambda m: lines.append(repr(m)) or m.x)(measurement)
    assert lines == [repr(measurement)]
    assert "points at z" in repr(jax.tree.map(lambda leaf: None, measurement))


def test_mass_functions_are_the_published_points():
    """Values of the acceptance tables of the field: stars at three epochs, atomic and molecular gas."""
    points = {
        "smf_driver22": {9.0: -1.812, 10.0: -2.259, 11.0: -2.698, 11.25: -3.172},
        "smf_weaver23_z1": {10.125: -2.444, 10.875: -2.726, 11.375: -3.528},
        "smf_weaver23_z2": {9.125: -2.434, 10.625: -3.192, 11.375: -4.270},
        "smf_weaver23_z3": {9.625: -2.738, 10.875: -3.844, 11.125: -4.043},
        "himf_jones18": {8.1103: -1.525, 9.7034: -2.190, 10.4966: -3.735},
        "h2mf_fletcher21": {8.481: -2.105, 9.0078: -2.393, 9.8849: -3.127},
    }
    for name, values in points.items():
        m = observables.load(name)
        for x, y in values.items():
            i = int(np.argmin(np.abs(m.x - x)))
            assert (m.x[i], m.y[i]) == (pytest.approx(x, abs=2e-3), pytest.approx(y, abs=1e-3)), name
