"""Results files: what goes in comes out, every dataset says what it is, and nothing is ever half written."""

import errno
import os

import h5py
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import corundum as co
from corundum import io
from corundum.storage import files
from synthetic import histories
from synthetic import population as made


def same(first, second):
    """Equal trees of equal arrays, bit for bit, dtypes included."""
    if jax.tree.structure(first) != jax.tree.structure(second):
        return False
    pairs = zip(jax.tree.leaves(first), jax.tree.leaves(second), strict=True)
    return all(np.asarray(a).tobytes() == np.asarray(b).tobytes() and a.dtype == b.dtype for a, b in pairs)


@pytest.fixture(scope="module")
def trees():
    return histories()


@pytest.fixture(scope="module")
def galaxies(trees):
    return made(trees)


@pytest.fixture(scope="module")
def relations(galaxies):
    kernel = co.observables.NadarayaWatson()
    relation = co.observables.StellarToHaloMass()
    now = galaxies.at(0.0)
    estimate = kernel(relation.x(now), relation.y(now), jnp.linspace(10.0, 13.0, 7), valid=now.valid)
    return {"StellarToHaloMass": {"z=0.0": estimate}, "direct": estimate}


RUN_INFO = {
    "command": "corundum run a.toml",
    "timing_s": {"save": 1.25, "evolve": 3.5},
    "halos": 60,
    "finished": None,
    "ok": True,
    "devices": ["cpu:0", "cpu:1"],
    "grid": np.linspace(0.0, 1.0, 5),
    "empty": [],
    "text": "Grüße, 10⁵ M☉\n[table]\n",
}


@pytest.fixture(scope="module")
def saved(tmp_path_factory, galaxies, trees, relations):
    path = tmp_path_factory.mktemp("results") / "results.h5"
    io.save(path, galaxies, trees, relations, RUN_INFO, model=co.models.ThermalCGM())
    return path


def test_everything_comes_back_bit_for_bit(saved, galaxies, trees, relations):
    results = io.load(saved)
    assert same(results.population, galaxies)
    assert same(results.halos, trees)
    assert results.halos.provenance == trees.provenance
    assert same(results.relations, relations)
    assert results.population.quantities == galaxies.quantities
    assert results.population.status_counts() == galaxies.status_counts()
    assert np.array_equal(results.population.at(2.0)["mstar"], galaxies.at(2.0)["mstar"], equal_nan=True)


def test_run_information_comes_back(saved):
    info = io.load(saved).run_info
    assert np.array_equal(info.pop("grid"), RUN_INFO["grid"])
    assert info == {key: value for key, value in RUN_INFO.items() if key != "grid"}
    assert list(info["timing_s"]) == ["save", "evolve"]
    assert type(info["halos"]) is int and type(info["ok"]) is bool


def test_the_model_comes_back_with_its_parameters(saved):
    results = io.load(saved)
    model = co.models.ThermalCGM()
    assert same(results.model, model)
    assert list(results.parameters) == list(co.describe(model))
    for name, known in co.describe(model).items():
        assert results.parameters[name][1:] == known[1:], name
        assert float(results.parameters[name].value) == float(known.value), name
    # and it works: the loaded law gives the rates of the original
    loading = (m.mass_loading(100.0, 1.0) for m in (model, results.model))
    assert same(*loading)


def test_a_solved_population_comes_back(tmp_path, population, halos):
    io.save(tmp_path / "solved.h5", population, halos, model=co.models.pandya26())
    results = io.load(tmp_path / "solved.h5")
    assert same(results.population, population)
    assert same(results.model, co.models.pandya26())
    assert np.asarray(results.population.redshifts).tolist() == [0.0, 2.0, 1.0]


def test_every_dataset_says_what_it_is(saved):
    seen = []

    def check(name, item):
        if isinstance(item, h5py.Dataset):
            assert item.attrs["unit"], name
            assert len(item.attrs["description"]) > 3, name
            assert item.attrs["log"].dtype == bool, name
            seen.append(name)

    with h5py.File(saved) as file:
        file.visititems(check)
        assert set(file) == {"run_info", "model", "halos", "galaxies", "relations"}
        assert {"z=0.0", "z=2.0"} < set(file["galaxies"])
        assert file["galaxies/z=0.0/mstar"].attrs["unit"] == "Msun"
        assert file["galaxies/z=0.0/flows/wind_heating/energy"].attrs["unit"] == "erg/s"
        assert "supernova energy" in file["galaxies/z=0.0/flows/wind_heating/energy"].attrs["description"]
        assert "1 = needed more steps" in file["galaxies/status"].attrs["description"]
    assert len(seen) > 150


def test_the_same_results_make_the_same_bytes(tmp_path, galaxies, trees):
    for name in ("a.h5", "b.h5"):
        io.save(tmp_path / name, galaxies, trees, run_info={"x": 1})
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()


def test_what_was_not_saved_is_absent(tmp_path, galaxies):
    io.save(tmp_path / "bare.h5", galaxies)
    results = io.load(tmp_path / "bare.h5")
    assert results.halos is None and results.model is None
    assert results.parameters == {} and results.relations == {} and results.run_info == {}
    assert same(results.population, galaxies)


def test_a_population_of_an_unknown_model_is_read_all_the_same(tmp_path, galaxies):
    io.save(tmp_path / "r.h5", galaxies)
    with h5py.File(tmp_path / "r.h5", "r+") as file:
        file["galaxies"].attrs["state_kind"] = "mymodel.State"
    state = io.load(tmp_path / "r.h5").population.state
    assert state._fields == galaxies.state._fields and np.array_equal(state.mism, galaxies.state.mism, equal_nan=True)


values = st.recursive(
    st.one_of(st.text(), st.integers(-(2**60), 2**60), st.floats(allow_nan=False), st.booleans(), st.none()),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=4,
)
keys = st.text("abcdefghijklmnopqrstuvwxyz_ .é", min_size=1, max_size=6).filter(lambda key: set(key) != {"."})


@settings(max_examples=25, deadline=None)
@given(info=st.dictionaries(keys, st.one_of(values, st.dictionaries(keys, values, max_size=2)), max_size=4))
def test_any_run_information_comes_back(tmp_path_factory, info):
    from corundum.storage.arrays import read_values, write_values

    path = tmp_path_factory.mktemp("info") / "i.h5"
    try:
        with h5py.File(path, "w") as file:
            write_values(file.create_group("i", track_order=True), info, "run")
    except ValueError as error:
        assert "\x00" in str(info) or "NULL" in str(error)  # HDF5 text cannot hold a zero byte
        return
    with h5py.File(path) as file:
        assert read_values(file["i"]) == info


@pytest.mark.parametrize(
    ("info", "told"),
    [
        ({"a/b": 1}, "a/b"),
        ({"x": object()}, "cannot store a object"),
        ({3: 1}, "3"),
        ({"f": {"l": [1, {2}]}}, "f: l"),
    ],
)
def test_run_information_that_cannot_be_stored_is_named(tmp_path, galaxies, info, told):
    with pytest.raises(ValueError, match=told):
        io.save(tmp_path / "r.h5", galaxies, run_info=info)
    assert os.listdir(tmp_path) == []


def test_relations_must_be_relations(tmp_path, galaxies):
    with pytest.raises(ValueError, match="SHMR is a list; give a RegressedRelation"):
        io.save(tmp_path / "r.h5", galaxies, relations={"SHMR": [1.0]})


@pytest.mark.parametrize("when", ["writing", "closing", "replacing"])
def test_a_failed_save_leaves_the_old_file_whole(tmp_path, monkeypatch, galaxies, trees, when):
    path = tmp_path / "results.h5"
    io.save(path, galaxies)
    before = path.read_bytes()

    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, "Can't synchronously write data (file write failed: addresses ...)")

    target = {
        "writing": (h5py.Group, "create_dataset"),
        "closing": (os, "fsync"),
        "replacing": (os, "replace"),
    }[when]
    monkeypatch.setattr(*target, full)
    with pytest.raises(OSError, match="disk, quota or file size limit") as caught:
        io.save(path, galaxies, trees)
    assert caught.value.errno == errno.ENOSPC and str(path) in str(caught.value)
    monkeypatch.undo()
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["results.h5"]
    assert same(io.load(path).population, galaxies)


def test_an_interrupt_leaves_nothing_behind(tmp_path, monkeypatch, galaxies):
    def interrupt(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(h5py.Group, "create_dataset", interrupt)
    with pytest.raises(KeyboardInterrupt):
        io.save(tmp_path / "results.h5", galaxies)
    assert os.listdir(tmp_path) == []


def test_destinations_that_cannot_be(tmp_path, monkeypatch, galaxies):
    with pytest.raises(FileNotFoundError, match="no such folder; make it first"):
        io.save(tmp_path / "missing" / "results.h5", galaxies)
    with pytest.raises(IsADirectoryError, match="give the name of a file"):
        io.save(tmp_path, galaxies)

    def refuse(*args, **kwargs):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(PermissionError, match="the folder cannot be written to"):
        io.save(tmp_path / "results.h5", galaxies)


def test_a_link_is_followed_and_stays_a_link(tmp_path, galaxies):
    (tmp_path / "store").mkdir()
    (tmp_path / "link.h5").symlink_to(tmp_path / "store" / "real.h5")
    io.save(tmp_path / "link.h5", galaxies)
    assert (tmp_path / "link.h5").is_symlink()
    assert same(io.load(tmp_path / "store" / "real.h5").population, galaxies)


@pytest.mark.parametrize(
    ("share", "told"),
    [(0.0, "not an HDF5 file"), (0.0001, "cut short"), (0.4, "cut short"), (0.999, "cut short")],
)
def test_a_truncated_file_is_told(tmp_path, saved, share, told):
    content = saved.read_bytes()
    path = tmp_path / "cut.h5"
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(ValueError, match=told) as caught:
        io.load(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_files_that_are_not_ours(tmp_path):
    with pytest.raises(FileNotFoundError, match="no such results file"):
        io.load(tmp_path / "none.h5")
    with pytest.raises(ValueError, match="is a folder"):
        io.load(tmp_path)
    (tmp_path / "text.h5").write_text("mass,size\n1,2\n")
    with pytest.raises(ValueError, match="not an HDF5 file"):
        io.load(tmp_path / "text.h5")
    with h5py.File(tmp_path / "foreign.h5", "w") as file:
        file["x"] = 1
    with pytest.raises(ValueError, match="not one written by corundum"):
        io.load(tmp_path / "foreign.h5")


def test_a_newer_format_is_refused(tmp_path, galaxies):
    io.save(tmp_path / "r.h5", galaxies)
    with h5py.File(tmp_path / "r.h5", "r+") as file:
        file.attrs["format_version"] = files.FORMAT_VERSION + 1
    with pytest.raises(ValueError, match="update corundum"):
        io.load(tmp_path / "r.h5")


def test_a_file_that_lost_a_part_is_told(tmp_path, galaxies):
    io.save(tmp_path / "r.h5", galaxies)
    with h5py.File(tmp_path / "r.h5", "r+") as file:
        del file["galaxies/z=0.0/mstar"]
    with pytest.raises(ValueError, match="a part of the file is missing.*mstar"):
        io.load(tmp_path / "r.h5")


def test_the_file_gets_the_permissions_of_the_user(tmp_path, galaxies):
    old = os.umask(0o027)
    try:
        io.save(tmp_path / "r.h5", galaxies)
    finally:
        os.umask(old)
    assert (tmp_path / "r.h5").stat().st_mode & 0o777 == 0o640


def test_what_a_file_holds_prints_as_a_few_lines(tmp_path, trees, galaxies):
    io.save(tmp_path / "a.h5", galaxies, trees, run_info={"title": "a title"}, model=co.models.ThermalCGM())
    lines = str(io.load(tmp_path / "a.h5")).splitlines()
    assert lines[0] == "Results of a run" and len(lines) == 5
    assert f"{len(galaxies)} galaxies at z = " in lines[1] and "ThermalCGM with" in lines[3] and "a title" in lines[4]
