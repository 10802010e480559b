"""Reading halo tables: analytic histories come back, flaws of real tables are handled and recorded, and bad input is
refused.
"""

import warnings

import h5py
import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from corundum import halos as H
from corundum.cosmology import Cosmology, pandya26_cosmology
from corundum.halos.concentration import LOWEST_CONCENTRATION
from corundum.halos.definitions import virial_quantities
from corundum.halos.nfw import concentration_at, enclosed_mass, reference_density
from corundum.units import GRAVITY

COSMOLOGY = pandya26_cosmology()
TIME = np.geomspace(0.8, float(COSMOLOGY.age(0.0)), 40)
REDSHIFT = np.asarray(COSMOLOGY.redshift(TIME))
ALPHA = {"b": 1.2, "a": 0.6, "7": 2.5}  # halo ids need not be numbers
RAW = H.GaussianInLogTime(0.0)


def test_velocities_that_cannot_be_warn_of_nothing():
    """One velocity is so small that its square is zero, one mass so large that its conversion overflows."""
    mass, vvir = np.array([1e12, 1e12, 1e12, 1e12, 1e300]), np.array([140.0, 140.0, 140.0, 1e-200, 140.0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for definition in ("vir", "200c"):
            quantities = virial_quantities(
                {"vvir": vvir}, mass, np.zeros(5), definition, COSMOLOGY, H.Diemer19(), "table.csv"
            )
            assert np.all(np.isfinite(quantities.log_mvir[:4])) and abs(quantities.log_mvir[0] - 12.0) < 0.1


def log_mass(alpha, time=TIME):
    return 11.5 + alpha * np.log10(time / TIME[-1]) + 0.1 * np.sin(np.log(time))


def columns(**changes):
    """A table of three halos, latest snapshot first, as columns of equal length."""
    masses = 10.0 ** np.concatenate([log_mass(alpha)[::-1] for alpha in ALPHA.values()])
    table = {
        "halo_id": np.repeat(list(ALPHA), len(TIME)),
        "time": np.tile(TIME[::-1], 3),
        "mvir": masses,
        "concentration": np.tile(10.0 - 3.0 * np.log10(TIME[::-1]), 3),
    }
    table.update(changes)
    return {name: values for name, values in table.items() if values is not None}


def write_text(path, table, separator=",", comments="", units=None):
    names = [f"{name} [{units[name]}]" if name in (units or {}) else name for name in table]
    rows = zip(*(table[name] for name in table), strict=True)
    fields = (separator.join(v if isinstance(v, str) else repr(float(v)) for v in row) for row in rows)
    path.write_text(comments + separator.join(names) + "\n" + "\n".join(fields) + "\n")
    return path


def write_hdf5(path, table, units=None):
    with h5py.File(path, "w") as file:
        for name, values in table.items():
            data = file.create_dataset(name, data=values.astype("S") if values.dtype.kind == "U" else values)
            if name in (units or {}):
                data.attrs["unit"] = units[name]
    return path


def assert_reads_back(halos):
    assert len(halos) == 3
    np.testing.assert_allclose(halos.time, TIME, rtol=1e-12)
    for row, alpha in enumerate(ALPHA.values()):
        np.testing.assert_allclose(halos.log_mvir[row], log_mass(alpha), atol=1e-9)
    np.testing.assert_allclose(halos.log_concentration[0], np.log10(10.0 - 3.0 * np.log10(TIME)), atol=1e-6)
    np.testing.assert_allclose(halos.start, TIME[0])


def comoving(unit_h=1.0):
    """Virial radii of the table in comoving kpc times `unit_h`."""
    table = columns()
    redshift = np.tile(REDSHIFT[::-1], 3)
    return np.asarray(COSMOLOGY.virial_radius(table["mvir"], redshift)) * (1 + redshift) * unit_h


@pytest.mark.parametrize("separator", [",", "  ", ", "])
def test_reads_text(tmp_path, separator):
    path = write_text(tmp_path / "t.csv", columns(), separator, comments="# made up\n\n#second comment\n")
    assert_reads_back(H.read_table(path, smoothing=RAW, times=TIME))


def test_reads_hdf5_with_unit_attributes(tmp_path):
    h = 0.7
    table = columns(mvir=columns()["mvir"] * h / 1e10, time=columns()["time"] * 1e3, rvir=comoving(h) / 1e3)
    units = {"mvir": "1e10 Msun/h", "time": "Myr", "rvir": "cMpc/h"}
    halos = H.read_table(write_hdf5(tmp_path / "t.hdf5", table, units), smoothing=RAW, times=TIME, h=h)
    assert_reads_back(halos)
    expected = np.log10(COSMOLOGY.virial_radius(10.0**halos.log_mvir, halos.redshift))
    np.testing.assert_allclose(halos.log_rvir, expected, atol=1e-8)


def test_units_from_header_and_keyword_and_other_names(tmp_path):
    table = {
        "Tree": columns()["halo_id"],
        "A": 1 / (1 + np.tile(REDSHIFT[::-1], 3)),
        "logM": None,
        "R": comoving(0.7),
    }
    table["logM"] = np.log10(columns()["mvir"] * 0.7)
    path = write_text(tmp_path / "t.txt", table, " ", units={"logM": "Msun/h", "R": "kpc"})
    arguments = dict(columns={"halo_id": "Tree"}, h=0.7, smoothing=RAW, times=TIME)
    halos = H.read_table(path, units={"rvir": "comoving kpc/h"}, **arguments)
    np.testing.assert_allclose(halos.log_mvir[1], log_mass(0.6), atol=1e-9)
    words = dict(halos.provenance)
    assert "rvir = R [ckpc/h]" in words["columns"] and "log_mvir = logM [Msun/h]" in words["columns"]
    with pytest.raises(ValueError, match="rvir is typically"):
        H.read_table(path, **arguments)


@given(
    noise=hnp.arrays(float, (2, 30), elements=st.floats(-0.3, 0.3)),
    gaps=st.sets(st.integers(1, 28), min_size=14, max_size=14),
    late=st.sampled_from([0, 17]),
)
@settings(max_examples=12, deadline=None)
def test_gaps_noise_and_mass_loss(noise, gaps, late, tmp_path_factory):
    time = np.geomspace(1.0, float(COSMOLOGY.age(0.0)), 30)
    keep = np.array([i not in gaps for i in range(30)])
    rows = [(0, t, m) for t, m in zip(time[keep], log_mass(1.0, time)[keep] + noise[0][keep], strict=True)]
    rows += [(1, t, m) for t, m in zip(time[late:], log_mass(2.0, time)[late:] + noise[1][late:], strict=True)]
    ids, times, masses = (np.array(column) for column in zip(*rows, strict=True))
    table = {"halo_id": ids, "time": times, "log_mvir": masses}
    halos = H.read_table(write_text(tmp_path_factory.mktemp("t") / "t.csv", table))
    np.testing.assert_allclose(halos.start, [time[0], time[late]], rtol=1e-12)
    assert np.all(np.diff(halos.log_mvir, axis=1) >= -1e-9)
    for row in (0, 1):
        np.testing.assert_allclose(halos.log_mvir[row, -1], masses[ids == row].max(), atol=1e-9)
    halo = read_tables(halos.tables(), 0.5 * (time[late] + time[-1]))
    np.testing.assert_allclose(halo.vvir**2, GRAVITY * halo.mvir / halo.rvir, rtol=1e-12)
    lossy = sum(bool(np.any(np.diff(masses[ids == row]) < 0)) for row in (0, 1))
    assert f"{lossy} halos lose mass" in dict(halos.provenance)["mass loss"]


read_all = jax.jit(lambda halos, time: halos.at(time=time))
read_tables = jax.jit(jax.vmap(H.SplineInLogTime().read, in_axes=(H.HaloTables.HALO_AXIS, None)))


def test_mass_loss_is_kept_or_refused_on_request(tmp_path):
    masses = columns()["mvir"].copy()
    masses[:5] *= 0.5  # the latest snapshots of the first halo
    path = write_text(tmp_path / "t.csv", columns(mvir=masses))
    kept = H.read_table(path, mass_loss=H.AllowMassLoss(), smoothing=RAW)
    np.testing.assert_allclose(kept.log_mvir[0, -1], np.log10(masses[0]), atol=1e-9)
    raised = H.read_table(path, smoothing=RAW)
    np.testing.assert_allclose(raised.log_mvir[0, -1], np.log10(masses[5]), atol=1e-9)
    with pytest.raises(ValueError, match="halo b loses mass.*drop_bad=True"):
        H.read_table(path, mass_loss=H.RefuseMassLoss())
    dropped = H.read_table(path, mass_loss=H.RefuseMassLoss(), drop_bad=True)
    assert len(dropped) == 2 and "halo b loses mass" in dict(dropped.provenance)["halos"]


def test_missing_concentrations_follow_the_halo_itself(tmp_path):
    model, redshift = H.Diemer19(), np.tile(REDSHIFT[::-1], 3)
    median = np.asarray(model(np.log10(columns()["mvir"]), redshift))
    c = 10.0 ** (median + np.repeat([0.2, -0.1, 0.0], len(TIME)))
    c[3:20] = np.nan
    c[2 * len(TIME) :] = -1.0
    path = write_text(tmp_path / "t.csv", columns(concentration=c))
    halos = H.read_table(path, smoothing=RAW, times=TIME)
    expected = median.reshape(3, -1)[:, ::-1] + np.array([[0.2], [-0.1], [0.0]])
    high = expected > 0.7
    np.testing.assert_allclose(np.asarray(halos.log_concentration)[high], expected[high], atol=1e-5)
    assert float(halos.log_concentration.min()) >= np.log10(LOWEST_CONCENTRATION)
    assert "missing at 57 of 120 snapshots, in 2 halos" in dict(halos.provenance)["concentration"]


def test_concentration_by_scale_radius_or_peak_velocity(tmp_path):
    redshift, c = np.tile(REDSHIFT[::-1], 3), columns()["concentration"]
    radius = np.asarray(COSMOLOGY.virial_radius(columns()["mvir"], redshift))
    x = np.geomspace(1.0, 4.0, 20001)
    peak = np.max((np.log1p(x) - x / (1 + x)) / x)
    vmax = np.sqrt(GRAVITY * columns()["mvir"] / radius * peak * c / (np.log1p(c) - c / (1 + c)))
    for name, values in (("rs", radius / c), ("vmax", vmax)):
        table = columns(concentration=None, **{name: values})
        assert_reads_back(H.read_table(write_text(tmp_path / "t.csv", table), smoothing=RAW, times=TIME))


def test_other_mass_definitions_are_converted(tmp_path):
    definition = columns(mass_definition=np.repeat("200c", 3 * len(TIME)))
    halos = H.read_table(write_hdf5(tmp_path / "t.h5", definition), smoothing=RAW, times=TIME)
    # At z = 0, colossus 1.4.0 turns c = 10 - 3 lg t0 inside 200 times critical into these virial values.
    excess = np.asarray(halos.log_mvir[:, -1]) - [log_mass(alpha)[-1] for alpha in ALPHA.values()]
    np.testing.assert_allclose(excess, 0.075538, atol=1e-4)
    np.testing.assert_allclose(10.0 ** halos.log_concentration[:, -1], 8.72127, rtol=1e-3)
    assert "200c, converted" in dict(halos.provenance)["mass definition"]
    with pytest.raises(ValueError, match="got 'vir' but"):
        H.read_table(tmp_path / "t.h5", mass_definition="vir")


def test_a_conversion_without_concentrations_assumes_a_relation_and_says_so(tmp_path):
    bare = write_text(tmp_path / "t.csv", columns(concentration=None))
    halos = H.read_table(bare, mass_definition="200c", smoothing=RAW, times=TIME)
    assert "for 120 snapshots with the concentration of Diemer19" in dict(halos.provenance)["mass definition"]
    # The assumed concentration is the one whose virial value follows the relation at the virial mass.
    virial = 10.0 ** H.Diemer19()(halos.log_mvir, halos.redshift)
    mass = 10.0 ** np.array([log_mass(alpha) for alpha in ALPHA.values()])
    density = COSMOLOGY.virial_density(halos.redshift) / reference_density("200c", halos.redshift, COSMOLOGY)
    c = concentration_at(virial, 1.0 / density)
    np.testing.assert_allclose(10.0**halos.log_mvir * enclosed_mass(c) / enclosed_mass(virial), mass, rtol=2e-4)


def test_redshift_wins_over_time_and_weights_are_kept(tmp_path):
    table = columns(redshift=np.tile(REDSHIFT[::-1], 3), time=columns()["time"] * 1.003)
    table["weight"] = np.repeat([3.0, 2.0, 1.0], len(TIME))
    table["isolated"] = np.repeat([1.0, 0.0, np.nan], len(TIME))
    halos = H.read_table(write_text(tmp_path / "t.csv", table), smoothing=RAW)
    np.testing.assert_allclose(halos.time[-1], TIME[-1], rtol=1e-9)
    np.testing.assert_array_equal(halos.weights, [3.0, 2.0, 1.0])
    np.testing.assert_array_equal(halos.separation, [np.inf, 0.0, np.nan])
    np.testing.assert_array_equal(H.select_isolated(halos).weights, [3.0])


def test_result_is_a_pytree(tmp_path):
    halos = H.read_table(write_text(tmp_path / "t.csv", columns()))
    leaves, structure = jax.tree.flatten(halos)
    again = jax.tree.unflatten(structure, leaves)
    np.testing.assert_array_equal(read_all(again, 3.0).mvir, read_all(halos, 3.0).mvir)


def _column(name, change):
    """A table in which one column is altered by `change`, a function of a copy of its values."""
    values = columns()[name].copy()
    changed = change(values)
    return columns(**{name: values if changed is None else changed})


def _set(index, value):
    return lambda values: values.__setitem__(index, value)


def _renamed(old, new):
    return {new if name == old else name: values for name, values in columns().items()}


TWO_POINTS = {name: values[: len(TIME) + 2] for name, values in columns().items()}

BAD_TABLES = {
    "missing mass": (columns(mvir=None), {}, "no mvir or log_mvir among .*give the name it has in the table"),
    "misspelt mass": (_renamed("mvir", "mvri"), {}, "did you mean 'mvri'.*columns={'mvir': 'mvri'}"),
    "missing time": (columns(time=None), {}, "no time or redshift or scale_factor"),
    "missing halo": (_renamed("halo_id", "galaxy"), {}, "no halo_id"),
    "asked for a name not there": (
        columns(),
        {"columns": {"mvir": "Mvirr"}},
        r"got 'Mvirr' for mvir; did you mean mvir\?",
    ),
    "asked for no quantity": (
        columns(),
        {"columns": {"mass_vir": "mvir"}},
        "got the quantity 'mass_vir'; .*allowed halo_id",
    ),
    "two masses": (columns(log_mvir=np.log10(columns()["mvir"])), {}, "both masses"),
    "two halo ids": (
        _renamed("halo_id", "halo") | {"branch": columns()["halo_id"]},
        {},
        "could both be halo_id",
    ),
    "unknown unit": (columns(), {"units": {"mvir": "Msun/hh"}}, "allowed Msun, Msun/h"),
    "unit of no column": (columns(), {"units": {"rvir": "kpc"}}, "no column for rvir"),
    "unit of no quantity": (columns(), {"units": {"mvri": "Msun"}}, r"did you mean mvir\? allowed halo_id"),
    "h missing": (columns(), {"units": {"mvir": "Msun/h"}}, "give h="),
    "h is H0": (columns(), {"h": 67.74}, "over 100 km/s/Mpc"),
    "time in Myr": (_column("time", lambda t: t * 1e3), {}, "taken as Gyr, allowed are Gyr, Myr"),
    "mass in 1e10": (
        _column("mvir", lambda m: m / 1e10),
        {},
        "taken as Msun, allowed are Msun, Msun/h, 1e10 Msun",
    ),
    "mass is log": (_column("mvir", np.log10), {}, "columns={'log_mvir': 'mvir'}"),
    "log is mass": (_renamed("mvir", "logM"), {}, "columns={'mvir': 'logM'}"),
    "radius in Mpc": (columns(rvir=comoving() * 1e-3), {}, "rvir is typically"),
    "velocity in m/s": (columns(vvir=np.full(120, 1e5)), {}, "vvir is typically"),
    "concentration in log": (
        _column("concentration", lambda c: np.log10(c) * 0.9),
        {},
        "concentration is typically",
    ),
    "NaN time": (_column("time", _set(5, np.nan)), {}, "halo b has a time that is not a number"),
    "NaN mass": (_column("mvir", _set(5, np.nan)), {}, "halo b has a mass that is not a positive number"),
    "negative mass": (_column("mvir", _set(45, -1e10)), {}, "halo a has a mass"),
    "zero mass": (_column("mvir", _set(45, 0.0)), {}, "halo a has a mass"),
    "zero radius": (
        columns(rvir=np.where(np.arange(120) == 3, 0.0, comoving())),
        {"units": {"rvir": "ckpc"}},
        "radius",
    ),
    "doubled time": (_column("time", _set(5, TIME[::-1][6])), {}, "halo b has two snapshots at"),
    "disordered time": (_column("time", _set([5, 9], TIME[::-1][[9, 5]])), {}, "not in the order of time"),
    "early end": ({n: v[2:] for n, v in columns().items()}, {}, "halo b ends at .* before the last time"),
    "two points": (TWO_POINTS, {}, "halo a has 2 snapshots where a history needs at least 4"),
    "future redshift": (columns(redshift=np.full(120, -0.5)), {}, "redshift runs from -0.5"),
    "scale factor is redshift": (columns(a=np.tile(REDSHIFT + 0.1, 3)), {}, "check whether it is a redshift"),
    "time against redshift": (columns(redshift=np.tile(REDSHIFT, 3)), {}, "disagree by up to"),
    "isolated as text": (columns(isolated=np.full(120, 2.0)), {}, "isolated must be 1 or 0 in every row"),
    "mixed definitions": (columns(mdef=np.array(["vir", "200c"] * 60)), {}, "must have the same one"),
    "unknown definition": (columns(), {"mass_definition": "fof"}, "allowed 'bn98'"),
}


@pytest.mark.parametrize("name", BAD_TABLES)
def test_bad_tables_are_refused_in_one_sentence(name, tmp_path):
    table, arguments, words = BAD_TABLES[name]
    for path in (write_text(tmp_path / "t.csv", table), write_hdf5(tmp_path / "t.h5", table)):
        with pytest.raises(ValueError, match=words) as caught:
            H.read_table(path, **arguments)
        message = str(caught.value)
        assert "\n" not in message and not message.rstrip(".").count(". ")


def test_misspelt_optional_columns_are_pointed_out(tmp_path):
    path = write_text(tmp_path / "t.csv", _renamed("concentration", "concentratoin"))
    with pytest.warns(UserWarning, match="columns={'concentration': 'concentratoin'}"):
        halos = H.read_table(path)
    assert "not used: concentratoin" in dict(halos.provenance)["columns"]


def test_text_that_is_no_number_is_located(tmp_path):
    path = write_text(tmp_path / "t.csv", columns(), comments="# one\n")
    path.write_text(path.read_text().replace(repr(float(columns()["mvir"][2])), "heavy"))
    with pytest.raises(ValueError, match="line 5 has 'heavy' for mvir"):
        H.read_table(path)


BAD_FILES = {
    "empty": (b"", "the file is empty"),
    "comments only": (b"# nothing\n# here\n", "comments only"),
    "header only": (b"halo_id,time,mvir\n", "no rows"),
    "no header": (b"1,2,3\n4,5,6\n", "should name the columns"),
    "ragged": (b"halo_id,time,mvir\n1,2,3\n1,2\n", "line 3 has 2 fields where the header names 3"),
    "doubled name": (b"halo_id,time,time\n1,2,3\n", "two columns are named 'time'"),
    "binary": (bytes(range(128, 255)), "neither text nor HDF5"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_bad_files_are_refused(name, tmp_path):
    content, words = BAD_FILES[name]
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=words):
        H.read_table(path)


def test_files_that_are_not_there_or_damaged(tmp_path):
    path = write_hdf5(tmp_path / "t.h5", columns())
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(ValueError, match="cut short"):
        H.read_table(path)
    with pytest.raises(ValueError, match="is a directory"):
        H.read_table(tmp_path)
    with pytest.raises(ValueError, match="no such file.*t.h5"):
        H.read_table(tmp_path / "tt.h5")
    with h5py.File(tmp_path / "groups.h5", "w") as file:
        file.create_group("halo_1")
    with pytest.raises(ValueError, match="no datasets at its top level, only halo_1"):
        H.read_table(tmp_path / "groups.h5")
    with h5py.File(tmp_path / "shapes.h5", "w") as file:
        file["halo_id"], file["time"] = np.ones(3), np.ones(4)
    with pytest.raises(ValueError, match="of one length"):
        H.read_table(tmp_path / "shapes.h5")


def test_dropping_bad_halos_loses_nothing_silently(tmp_path):
    times = columns()["time"].copy()
    times[5] = times[6]
    path = write_text(tmp_path / "t.csv", columns(time=times))
    halos = H.read_table(path, drop_bad=True)
    assert len(halos) == 2
    assert "3 read, 2 kept; halo b has two snapshots at" in dict(halos.provenance)["halos"]
    masses = np.full(120, np.nan)
    with pytest.raises(ValueError, match="2 more of 3 cannot be used.*no halo is left"):
        H.read_table(write_text(tmp_path / "u.csv", columns(mvir=masses)), drop_bad=True)


def test_other_cosmologies_set_the_hubble_constant(tmp_path):
    cosmology = Cosmology(h=0.7, omega_m=0.3)
    table = columns(time=None, redshift=np.tile(REDSHIFT[::-1], 3))
    path = write_text(tmp_path / "t.csv", table, units={"mvir": "Msun/h"})
    halos = H.read_table(path, cosmology=cosmology)
    np.testing.assert_allclose(halos.log_mvir[0, -1], np.log10(columns()["mvir"][0] / 0.7), atol=1e-9)
    np.testing.assert_allclose(halos.time[-1], cosmology.age(REDSHIFT[-1]), rtol=1e-9)
