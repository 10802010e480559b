"""Tables as people have them: other meanings of short names, numbers that are missing or impossible, other programs."""

import gzip

import astropy.table
import h5py
import numpy as np
import pytest

from corundum import halos as H
from corundum.cosmology import pandya26_cosmology

COSMOLOGY = pandya26_cosmology()
SCALE = np.round(np.geomspace(0.1, 1.0, 20), 4)
MASS = 1e12 * np.array([1.0, 2.0, 3.0])[:, None] * SCALE**1.5
TABLE = {"halo_id": np.repeat([1, 2, 3], 20), "scale_factor": np.tile(SCALE, 3), "mvir": MASS.ravel()}
RATIO = np.asarray(COSMOLOGY.virial_radius(MASS, 1.0 / SCALE - 1.0)).ravel()


def table(**changes):
    columns = {**TABLE, **changes}
    return {name: np.broadcast_to(values, 60) for name, values in columns.items() if values is not None}


def written(path, columns, separator=",", quote="", missing="nan"):
    rows = zip(*columns.values(), strict=True)
    lines = [separator.join(quote + name + quote for name in columns)]
    lines += [separator.join(missing if value != value else str(value) for value in row) for row in rows]
    path.write_text("\n".join(lines) + "\n")
    return path


def final(halos):
    return np.asarray(halos.log_mvir[:, -1])


def assert_all_three(halos):
    np.testing.assert_allclose(final(halos), np.log10(MASS[:, -1]), atol=1e-9)
    np.testing.assert_allclose(halos.time[-1], COSMOLOGY.age(0.0), rtol=1e-9)


def _at(row, value, of=TABLE["mvir"]):
    changed = np.array(of, float)
    changed[row] = value
    return changed


@pytest.mark.parametrize(
    ("names", "keywords"),
    [
        (("x", "y", "z"), {}),
        (("X", "Y", "Z"), {}),
        (("a", "b", "c"), {}),
        (("z",), {"columns": {"z": None}}),
        (("z",), {"columns": {"redshift": None}}),
        (("z",), {"columns": {"z": ""}}),  # run files have no None
        (("redshift",), {"columns": {"redshift": None}}),
    ],
)
def test_positions_and_axis_ratios_are_no_times(tmp_path, names, keywords):
    columns = table(**dict.fromkeys(names, 31.25))
    assert_all_three(H.read_table(written(tmp_path / "t.csv", columns), **keywords))


def test_a_column_that_contradicts_the_time_can_be_left_out(tmp_path):
    path = written(tmp_path / "t.csv", table(z=31.25))
    with pytest.raises(ValueError, match=r"redshift and scale factor disagree .* columns=\{'redshift': None\}"):
        H.read_table(path)
    with pytest.raises(ValueError, match="got 'zz' to leave out; the table has halo_id"):
        H.read_table(path, columns={"zz": None})
    alone = written(tmp_path / "u.csv", table(scale_factor=None, x=1.0, y=2.0, z=np.tile(1.0 / SCALE - 1.0, 3)))
    with pytest.raises(ValueError, match=r"x, y, z are taken as positions; .* columns=\{'redshift': 'z'\}"):
        H.read_table(alone)
    assert_all_three(H.read_table(alone, columns={"redshift": "z"}))


def test_a_table_with_cosmic_ages_only(tmp_path):
    age = np.asarray(COSMOLOGY.age(1.0 / SCALE - 1.0))
    path = written(tmp_path / "t.csv", table(scale_factor=None, age=np.tile(age * 1e3, 3)))
    assert_all_three(H.read_table(path, units={"time": "Myr"}))
    with pytest.raises(ValueError, match="the universe is 13.81 Gyr old; its unit was taken as Gyr"):
        H.read_table(path)


IMPOSSIBLE = {
    "fill value": ({"mvir": _at(9, 1e20)}, "halo 1 has 1e.20 Msun at .* Gyr, more than any halo, a fill value"),
    "fill value of netCDF": ({"mvir": _at(29, 9.969209968386869e36)}, "halo 2 has 9.969e.36 Msun"),
    "negative fill value": ({"mvir": _at(9, -999.0)}, "halo 1 has a mass that is not a positive number"),
    "fill value of a logarithm": (
        {"mvir": None, "log_mvir": _at(9, 1e20, np.log10(TABLE["mvir"]))},
        "halo 1 has 1e.37 Msun at .* Gyr, more than any halo",
    ),
    "scale factor": ({"scale_factor": _at(9, -999.0, TABLE["scale_factor"])}, "halo 1 has a time at which no halo"),
    "redshift": (
        {"scale_factor": None, "redshift": _at(9, 1e20, 1.0 / TABLE["scale_factor"] - 1.0)},
        "halo 1 has a time at which no halo",
    ),
    "radius": ({"rvir": _at(9, 1e20, RATIO)}, "halo 1 has a radius of .* times that of its mass"),
    "weight": ({"weight": np.repeat([-1.0, 1.0, 2.0], 20)}, "halo 1 has the weight -1"),
    "missing weight": ({"weight": np.repeat([np.nan, 1.0, 2.0], 20)}, "halo 1 has the weight nan"),
    "separation": ({"separation": np.repeat([-999.0, 1.0, 2.0], 20)}, "halo 1 has the separation -999"),
}


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_a_halo_with_impossible_numbers_is_refused_or_counted(tmp_path, name):
    changes, words = IMPOSSIBLE[name]
    path = written(tmp_path / "t.csv", table(**changes))
    with pytest.raises(ValueError, match=words + ".*drop_bad=True"):
        H.read_table(path)
    halos = H.read(path, drop_bad=True)
    note = dict(halos.provenance)["halos"]
    assert len(halos) == 2 and note.startswith("3 read, 2 kept; halo ") and np.max(final(halos)) < 13.0


def test_rows_that_contradict_each_other_are_refused(tmp_path):
    with pytest.raises(ValueError, match="halo 1 has weights from 1 to 9; a halo has one weight"):
        H.read_table(written(tmp_path / "t.csv", table(weight=_at(4, 9.0, np.ones(60)))))
    with pytest.raises(ValueError, match=r"line 6 has no halo_id, .* \(1 such rows\)"):
        H.read_table(written(tmp_path / "t.csv", table(halo_id=_at(4, np.nan, TABLE["halo_id"]))))


@pytest.mark.parametrize("missing", ["", "--", "NaN", "null", "N/A"])
def test_missing_numbers_are_read_as_missing(tmp_path, missing):
    columns = table(concentration=_at(9, np.nan, np.full(60, 8.0)))
    halos = H.read_table(written(tmp_path / "t.csv", columns, missing=missing))
    assert_all_three(halos)
    assert "missing at 1 of 60 snapshots" in dict(halos.provenance)["concentration"]


@pytest.mark.parametrize("kind", ["semicolons", "quotes", "gzip", "byte-order mark", "Latin-1", "other ends of lines"])
def test_text_of_other_programs_is_read(tmp_path, kind):
    separator = ";" if kind == "semicolons" else ","
    path = written(tmp_path / "t.csv", table(), separator, '"' if kind == "quotes" else "")
    content = path.read_bytes()
    changed = {
        "gzip": gzip.compress(content),
        "byte-order mark": b"\xef\xbb\xbf" + content,
        "Latin-1": "# Größe der Halos\n".encode("latin-1") + content,
        "other ends of lines": content.replace(b"\n", b"\r\n"),
    }
    path.write_bytes(changed.get(kind, content))
    assert_all_three(H.read(path))


def test_tables_of_astropy_and_declared_fill_values(tmp_path):
    columns = table()
    masked = astropy.table.Table({**columns, "mvir": np.ma.array(_at(9, 1e20), mask=np.arange(60) == 9)})
    masked.write(tmp_path / "astropy.h5", path="halos", serialize_meta=True)
    with h5py.File(tmp_path / "declared.h5", "w") as file:
        for name, values in {**columns, "mvir": _at(9, 7e11)}.items():
            file[name] = values
        file["mvir"].attrs["_FillValue"] = np.array([7e11])
    for name in ("astropy.h5", "declared.h5"):
        halos = H.read(tmp_path / name, drop_bad=True)
        np.testing.assert_allclose(final(halos), np.log10(MASS[1:, -1]), atol=1e-9)
        assert "halo 1 has a mass that is not a positive number" in dict(halos.provenance)["halos"]
