"""Merger-tree readers: the same known forest in every format gives the same histories; bad files are refused in one
sentence that names the file.
"""

import shutil

import h5py
import numpy as np
import pytest

import corundum as co
from corundum import halos as H
from corundum.cosmology import Cosmology, planck18
from corundum.halos.trees.format_detection import recognise_format
from corundum.halos.trees.formats import millennium
from corundum.halos.trees.formats.base import scale_factor_list, split_rows
from tree_files import (
    COSMOLOGY,
    SCALES,
    concentration,
    known_forest,
    main_mass,
    write_consistent_trees,
    write_consistent_trees_hdf5,
    write_galacticus,
    write_hlists,
    write_lhalotree,
    write_lhalotree_hdf5,
    write_millennium,
    write_sublink,
)

ROWS = known_forest()
RAW = H.GaussianInLogTime(0.0)
AGES = np.asarray(COSMOLOGY.age(1.0 / SCALES - 1.0))
WITH_SCALES = dict(cosmology=COSMOLOGY)

LHALO, SUBLINK = H.LHaloTree(scale_factors=SCALES.tolist()), H.SubLink(scale_factors=SCALES.tolist())
WRITERS = {
    "Consistent-Trees": (lambda p: write_consistent_trees(p / "tree_0_0_0.dat", ROWS), H.ConsistentTrees(), {}),
    "old header": (lambda p: write_consistent_trees(p / "tree_0.dat", ROWS, old=True), H.ConsistentTrees(), {}),
    "isotrees": (lambda p: write_consistent_trees(p / "isotree_0_0_0.dat", ROWS), H.ConsistentTrees(), {}),
    "hlist": (lambda p: write_hlists(p, ROWS), H.HaloLists(), {}),
    "forests": (lambda p: write_consistent_trees_hdf5(p / "forest_0.h5", ROWS), H.ConsistentTreesHDF5(), {}),
    "forest table": (
        lambda p: write_consistent_trees_hdf5(p / "forest_0.h5", ROWS, table=True), H.ConsistentTreesHDF5(), {},
    ),
    "LHaloTree": (lambda p: write_lhalotree(p / "trees_024.0", ROWS), LHALO, WITH_SCALES),
    "big-endian": (lambda p: write_lhalotree(p / "trees_024.0", ROWS, order=">"), LHALO, WITH_SCALES),
    "LHaloTree HDF5": (
        lambda p: write_lhalotree_hdf5(p / "trees_sf1_024.0.hdf5", ROWS), H.LHaloTreeHDF5(), WITH_SCALES,
    ),
    "SubLink": (lambda p: write_sublink(p / "tree_extended.0.hdf5", ROWS), SUBLINK, WITH_SCALES),
    "Galacticus": (lambda p: write_galacticus(p / "forests.hdf5", ROWS), H.GalacticusForests(), {}),
    "Galacticus version 1": (lambda p: write_galacticus(p / "t.hdf5", ROWS, version=1), H.GalacticusForests(), {}),
    "Millennium": (lambda p: write_millennium(p / "query.csv", ROWS), H.MillenniumCSV(), {}),
}  # fmt: skip


def read(path, form, more, **keywords):
    if isinstance(form, H.MillenniumCSV):  # the database is of one simulation, whose cosmology is known
        more = dict(cosmology=Cosmology(h=0.73, omega_m=0.25))
    keywords = {"smoothing": RAW, **more, **keywords}
    return co.halos.read(path, format=form, **keywords)


def test_the_same_forest_in_every_format_gives_the_same_histories(tmp_path):
    for name, (write, form, more) in WRITERS.items():
        folder = tmp_path / name
        folder.mkdir()
        path = write(folder)
        if isinstance(form, H.MillenniumCSV):
            assert len(read(path, form, more)) == 4
            continue
        halos = read(path, form, more, times=AGES)
        assert len(halos) == 4, name
        for row in range(4):
            late = slice(row, None)
            np.testing.assert_allclose(halos.start[row], AGES[row], rtol=1e-6, err_msg=name)
            np.testing.assert_allclose(halos.log_mvir[row, late], np.log10(main_mass(row, SCALES[late])), atol=1e-5)
            np.testing.assert_allclose(
                10.0 ** halos.log_concentration[row, late], concentration(row, SCALES[late]), rtol=5e-3, err_msg=name
            )
        which, time, ratio = halos.mergers.to_list()
        assert which.tolist() == [0, 0], name
        np.testing.assert_allclose(time, AGES[[9, 17]], rtol=1e-6)
        np.testing.assert_allclose(ratio, [0.25, 0.1], rtol=1e-5)
        # The first is the heaviest, the second two radii of the first from it, the others alone.
        np.testing.assert_allclose(halos.separation, [np.inf, 2.0, np.inf, np.inf], rtol=1e-3, err_msg=name)
        words = dict(halos.provenance)
        assert "1 that end in a satellite" in words["trees"] and "4 read, 4 kept" in words["halos"]
        assert type(form).__name__ in words["source"]


@pytest.mark.parametrize("name", [name for name in WRITERS if name != "big-endian"])
def test_formats_are_told_apart(name, tmp_path):
    write, form, _ = WRITERS[name]
    path = write(tmp_path)
    assert type(recognise_format(path)) is type(form)
    assert type(recognise_format(tmp_path)) is type(form)


def test_small_chunks_and_many_files_give_the_same_branches(tmp_path):
    for part in range(2):
        rows = known_forest()
        write_consistent_trees(tmp_path / f"tree_0_0_{part}.dat", rows)
    whole = H.read_branches(tmp_path)
    small = H.read_branches(tmp_path, chunk=1)
    assert len(whole.branches) == len(small.branches) == 8
    for one, other in zip(whole.branches, small.branches, strict=True):
        np.testing.assert_array_equal(one.log_mvir, other.log_mvir)
        np.testing.assert_array_equal(one.mergers, other.mergers)
    for form, write in ((H.SubLink(SCALES.tolist()), write_sublink), (H.LHaloTree(SCALES.tolist()), write_lhalotree)):
        path = write(tmp_path / "x", ROWS)
        parts = [H.read_branches(path, format=form, chunk=chunk, cosmology=COSMOLOGY).branches for chunk in (1, 10**6)]
        assert [b.name for b in parts[0]] == [b.name for b in parts[1]]
        for one, other in zip(*parts, strict=True):
            np.testing.assert_array_equal(one.log_mvir, other.log_mvir)


def test_large_answers_of_the_database_are_read_a_few_trees_at_a_time(tmp_path, monkeypatch):
    path = write_millennium(tmp_path / "query.csv", ROWS)
    form = H.MillenniumCSV()
    whole = H.read_branches(path, format=form)
    monkeypatch.setattr(millennium, "_LINES", 7)
    forests = list(form.forests(path, 0.73, 10))
    assert [len(forest.name) for forest in forests] == [40, 24, 19, 23, 22]  # the satellite of the second apart
    small = H.read_branches(path, format=form, chunk=10)
    assert small.counts == whole.counts
    for one, other in zip(whole.branches, small.branches, strict=True):
        assert one.name == other.name and one.separation == other.separation
        np.testing.assert_array_equal(one.log_mvir, other.log_mvir)
        np.testing.assert_array_equal(one.mergers, other.mergers)
    header, *rows = path.read_text().splitlines()[1:-1]
    path.write_text("\n".join([header, *rows[::-1]]) + "\n")
    assert len(H.read_branches(path, format=form).branches) == 4  # whole in memory, in any order
    with pytest.raises(ValueError, match="query.csv .lines .*: descendant .* end the query with 'order by haloId'"):
        H.read_branches(path, format=form, chunk=10)


def test_files_are_read_in_parallel(tmp_path):
    for part in range(2):
        write_consistent_trees(tmp_path / f"tree_0_0_{part}.dat", ROWS)
    done = []
    both = H.read_branches(tmp_path, workers=2, progress=lambda now, total: done.append((now, total)))
    assert len(both.branches) == 8 and done == [(1, 2), (2, 2)]
    for branch, other in zip(both.branches, H.read_branches(tmp_path).branches, strict=True):
        np.testing.assert_array_equal(branch.time, other.time)
        np.testing.assert_array_equal(branch.log_mvir, other.log_mvir)


def test_a_range_of_masses_keeps_only_its_halos(tmp_path):
    path = write_consistent_trees(tmp_path / "tree_0.dat", ROWS)
    halos = co.halos.read(path, log_mvir=(11.5, 12.5))
    np.testing.assert_allclose(halos.log_mvir[:, -1], [12.0, 11.7], atol=1e-6)
    assert "2 outside the range of mass" in dict(halos.provenance)["trees"]
    with pytest.raises(ValueError, match="tree_0.dat.*no central halo is left .*widen the mass range"):
        co.halos.read(path, log_mvir=(14.0, 15.0))


def test_the_cosmology_is_that_of_the_files(tmp_path):
    path = write_consistent_trees(tmp_path / "tree_0.dat", ROWS)
    halos = co.halos.read(path)
    assert (float(halos.cosmology.h), float(halos.cosmology.omega_m)) == (0.7, 0.3)
    with pytest.raises(ValueError, match="cosmology: has h = 0.6766 but .*tree_0.dat states 0.7"):
        co.halos.read(path, cosmology=planck18())
    bare = write_lhalotree(tmp_path / "trees_024.0", ROWS)
    halos = co.halos.read(bare, format=H.LHaloTree(scale_factors=SCALES.tolist()))
    assert "assumed; give cosmology" in dict(halos.provenance)["cosmology"]


def test_masses_in_other_definitions_are_converted(tmp_path):
    path = write_consistent_trees(tmp_path / "tree_0.dat", ROWS)
    as_virial, as_200c = (co.halos.read(path, format=H.ConsistentTrees(definition=d)) for d in ("vir", "200c"))
    assert np.all(np.asarray(as_200c.log_mvir[:, -1] - as_virial.log_mvir[:, -1]) > 0.05)
    assert "200c, converted" in dict(as_200c.provenance)["mass definition"]


def _cut(path, fraction=0.6):
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * fraction)])


def _replaced(old, new, count=1):
    return lambda path: path.write_text(path.read_text().replace(old, new, count))


def _set(dataset, row, value):
    def change(path):
        with h5py.File(path, "r+") as file:
            file[dataset][row] = value

    return change


def _deleted(name):
    def change(path):
        with h5py.File(path, "r+") as file:
            del file[name]

    return change


def _last_tree(path):
    text = path.read_text()
    path.write_text(text[: text.rindex("#tree")])


BAD = {
    "cut text": ("Consistent-Trees", _cut, "stops in the middle of a line; the file is cut short"),
    "cut row": ("Consistent-Trees", _replaced(" 1001 ", " "), "line .* has 14 fields where the header names 15"),
    "lost tree": ("Consistent-Trees", _last_tree, "states 4 trees but has 3; the file is cut short"),
    "not a number": ("Consistent-Trees", _replaced(" 1001 ", " 10x1 "), "the file is damaged"),
    "no mmp": ("Consistent-Trees", _replaced("mmp?(9)", "other(9)"), r"has no column 'mmp\?'"),
    "unit": ("Consistent-Trees", _replaced("Msun / h", "g"), "states masses in 'g'; allowed Msun/h"),
    "column twice": ("Consistent-Trees", _replaced("Rvir(7)", "mvir(7)"), "two columns are named 'mvir'"),
    "cut hlist": (
        "hlist", lambda p: _cut(p / "hlist_1.00000.list", 0.9), "hlist_1.00000.list: stops in the middle",
    ),
    "cut binary": ("LHaloTree", _cut, "promises 128 halos of 104 bytes but holds"),
    "cut HDF5": ("SubLink", _cut, "truncated or damaged"),
    "cut LHaloTree HDF5": ("LHaloTree HDF5", _cut, "truncated or damaged"),
    "cut Galacticus": ("Galacticus", _cut, "truncated or damaged"),
    "cut forests": ("forests", _cut, "truncated or damaged"),
    "cut CSV": ("Millennium", _cut, "has .* fields where the header names 11|is not in the file"),
    "lost tree group": ("LHaloTree HDF5", _deleted("Tree2"), "states 4 trees but has 3"),
    "no descendants": ("SubLink", _deleted("DescendantID"), "has no dataset 'DescendantID'"),
    "no masses": ("SubLink", _deleted("Group_M_TopHat200"), "has no dataset 'Group_M_TopHat200'"),
    "orphan link": ("SubLink", _set("DescendantID", 3, 77), "descendant 77 is not in the file"),
    "loop": (
        "SubLink", _set("DescendantID", 0, 1005),
        "halo 1000 at scale factor 1 becomes halo 1005 .* do not form a tree",
    ),
    "twice": ("SubLink", _set("SubhaloID", 4, 1003), "halo 1003 appears twice"),
    "snapshot": ("SubLink", _set("SnapNum", 0, 80), "snapshots 0 to 80 but the list of scale factors has 25"),
    "wrong link": ("LHaloTree HDF5", _set("Tree0/Descendant", 5, 999), "descendant 999, outside its tree of 40"),
    "no unit": ("Galacticus", _deleted("units"), "does not state the unit of mass"),
    "no nodes": ("Galacticus", _deleted("forestHalos/nodeMass"), "has no dataset 'nodeMass'"),
    "forest count": ("forests", _set("ForestInfo/ForestNhalos", 3, 500), "the file is incomplete"),
    "no mass column": ("Millennium", _replaced("m_tophat", "m_x"), "has no column 'm_tophat'"),
    "bytes in CSV": (
        "Millennium", lambda p: p.write_bytes(p.read_bytes()[:9500] + b"\xff\xfe" + p.read_bytes()[9500:]),
        "after line 3: holds bytes that are no text",
    ),
    "scale factor": ("Galacticus", _set("forestHalos/expansionFactor", 3, 1e30), "scale factors run from 0.1 to 1e.30"),
    "mass": ("Galacticus", _set("forestHalos/nodeMass", 3, 1e30), "halo 1003 has a mass of 1.43e.30 Msun, which no"),
    "position": ("SubLink", _set("SubhaloPos", 3, -1e30), "halo 1003 lies at 1.43e.27 comoving Mpc; the file is"),
    "redshift": ("LHaloTree HDF5", _set("Header/Redshifts", 3, -5.0), "scale factors run from -0.25 to 1"),
    "text in CSV": ("Millennium", _replaced("\n1000,", "\nx1000,"), "line 3 has 'x1000' for haloid"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_files_are_refused_in_one_sentence_naming_the_file(name, tmp_path):
    format_name, spoil, words = BAD[name]
    write, form, more = WRITERS[format_name]
    path = write(tmp_path)
    spoil(path)
    with pytest.raises(ValueError, match=words) as caught:
        read(path, form, more)
    message = str(caught.value)
    assert path.name in message or tmp_path.name in message
    assert "\n" not in message and not message.rstrip(".").count(". ")


def test_orphans_of_text_trees_name_halo_and_line(tmp_path):
    path = write_consistent_trees(tmp_path / "tree_0.dat", ROWS)
    lines = path.read_text().splitlines()
    row = next(k for k, line in enumerate(lines) if not line.startswith("#") and line.split()[1:2] == ["1005"])
    fields = lines[row].split()
    fields[3] = "424242"
    path.write_text("\n".join([*lines[:row], " ".join(fields), *lines[row + 1 :]]) + "\n")
    with pytest.raises(ValueError, match=r"tree_0.dat \(from line 12\): descendant 424242 is not in the file"):
        co.halos.read(path)


def test_other_byte_order_in_the_records_only(tmp_path):
    path = write_lhalotree(tmp_path / "trees_024.0", ROWS)
    header = 8 + 4 * 4
    body = np.frombuffer(path.read_bytes()[header:], "<i4").astype(">i4").tobytes()
    path.write_bytes(path.read_bytes()[:header] + body)
    with pytest.raises(ValueError, match="trees_024.0.*outside its tree.*another byte order"):
        read(path, *WRITERS["LHaloTree"][1:])


def test_simulations_are_not_mixed(tmp_path):
    write_consistent_trees(tmp_path / "tree_0_0_0.dat", ROWS)
    other = write_consistent_trees(tmp_path / "tree_0_0_1.dat", ROWS)
    _replaced("h0 = 0.7", "h0 = 0.6")(other)
    with pytest.raises(ValueError, match="tree_0_0_1.dat: states h = 0.6.* different simulations"):
        co.halos.read(tmp_path)


def test_files_that_are_no_trees(tmp_path):
    cases = {"prose.dat": b"It was a dark and stormy night.\n", "zeros.bin": bytes(500), "empty.dat": b""}
    for name, content in cases.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ValueError, match=f"{name}: (is no merger tree in a format known|the file is empty)"):
            co.halos.read(tmp_path / name)
    with pytest.raises(ValueError, match="no such file; .* has "):
        co.halos.read(tmp_path / "nowhere")
    with pytest.raises(ValueError, match="has no files of the format LHaloTree"):
        co.halos.read(tmp_path, format=H.LHaloTree(SCALES.tolist()))


@pytest.mark.parametrize("name", ["forests", "LHaloTree HDF5", "SubLink", "Galacticus"])
def test_hdf5_that_is_cut_short_is_no_unknown_format(name, tmp_path):
    path = WRITERS[name][0](tmp_path)
    _cut(path)
    with pytest.raises(ValueError, match=f"{path.name}: the HDF5 file is truncated or damaged .*copy the file again"):
        recognise_format(path)


def test_two_formats_in_one_directory_are_not_guessed_between(tmp_path):
    write_consistent_trees(tmp_path / "tree_0.dat", ROWS)
    write_sublink(tmp_path / "tree_extended.0.hdf5", ROWS)
    with pytest.raises(ValueError, match="fits ConsistentTrees and SubLink; say which, as format="):
        co.halos.read(tmp_path)
    assert len(co.halos.read(tmp_path, format=H.ConsistentTrees())) == 4


def test_scale_factors_are_asked_for_and_checked(tmp_path):
    path = write_sublink(tmp_path / "tree_extended.0.hdf5", ROWS)
    with pytest.raises(ValueError, match=r"SubLink files hold snapshot numbers .* format=halos.SubLink\(scale_factors"):
        co.halos.read(path)
    (tmp_path / "list.txt").write_text("# number scale\n" + "\n".join(f"{k} {a}" for k, a in enumerate(SCALES)))
    np.testing.assert_array_equal(scale_factor_list(tmp_path / "list.txt", "SubLink"), SCALES)
    with pytest.raises(ValueError, match="from 0.5 to 12; they must be above 0 and at most 1"):
        scale_factor_list([0.5, 12.0], "SubLink")
    with pytest.raises(ValueError, match="cannot be read as a list of scale factors"):
        scale_factor_list(tmp_path / "none.txt", "SubLink")


@pytest.mark.parametrize("form", [H.LHaloTree, H.LHaloTreeHDF5, H.SubLink, H.MillenniumCSV])
def test_unknown_masses_are_refused(form, tmp_path):
    (tmp_path / "x").write_bytes(b"1")
    with pytest.raises(ValueError, match=f"{form.__name__}: got mass='weight'; allowed "):
        form(mass="weight").simulation(tmp_path / "x")


def test_chunks_are_whole_trees():
    assert list(split_rows([5, 5, 5, 20, 1], 10)) == [(0, 2), (2, 3), (3, 4), (4, 5)]


def test_zero_centrals(tmp_path):
    rows = [row._replace(host=0 if row.host != 0 else 1) for row in ROWS]
    path = write_sublink(tmp_path / "tree_extended.0.hdf5", rows)
    with pytest.raises(ValueError, match="no central halo is left .*satellite"):
        read(path, *WRITERS["SubLink"][1:])
    shutil.rmtree(tmp_path)
