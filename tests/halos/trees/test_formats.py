"""Merger-tree formats: the same known forest in every format gives the same histories, and damaged files are refused in
one sentence that names the file.
"""

import h5py
import numpy as np
import pytest

import corundum as co
from corundum import halos as H
from corundum.halos.trees import format_detection
from corundum.halos.trees.forests import Forest
from corundum.halos.trees.formats import Simulation, millennium
from corundum.halos.trees.formats.base import scale_factor_list, split_rows
from tree_files import (
    COSMOLOGY,
    FORMATS,
    HUBBLE,
    SCALES,
    concentration,
    cut,
    known_forest,
    main_mass,
    read_case,
    replaced,
    write_consistent_trees,
    write_lhalotree,
    write_millennium,
    write_sublink,
)

ROWS = known_forest()
AGES = np.asarray(COSMOLOGY.age(1.0 / SCALES - 1.0))


@pytest.mark.parametrize("name", FORMATS)
def test_the_same_forest_gives_the_same_histories_in_every_format(name, tmp_path):
    case = FORMATS[name]
    path = case.write(tmp_path, ROWS)
    if isinstance(case.format, H.MillenniumCSV):  # in the cosmology of the database the masses and times differ
        assert len(read_case(path, case)) == 4
        return
    halos = read_case(path, case, times=AGES)
    assert len(halos) == 4
    for row in range(4):
        late = slice(row, None)
        np.testing.assert_allclose(halos.start[row], AGES[row], rtol=1e-6)
        np.testing.assert_allclose(halos.log_mvir[row, late], np.log10(main_mass(row, SCALES[late])), atol=1e-5)
        np.testing.assert_allclose(
            10.0 ** halos.log_concentration[row, late], concentration(row, SCALES[late]), rtol=5e-3
        )
    merged_halo, time, ratio = halos.mergers.to_list()
    assert merged_halo.tolist() == [0, 0]
    np.testing.assert_allclose(time, AGES[[9, 17]], rtol=1e-6)
    np.testing.assert_allclose(ratio, [0.25, 0.1], rtol=1e-5)
    # The first is the heaviest, the second two radii of the first from it, the others alone.
    np.testing.assert_allclose(halos.separation, [np.inf, 2.0, np.inf, np.inf], rtol=1e-3)
    provenance = dict(halos.provenance)
    assert "1 that end in a satellite" in provenance["trees"] and "4 read, 4 kept" in provenance["halos"]
    assert type(case.format).__name__ in provenance["source"]


def test_every_format_is_tested():
    written = {type(case.format) for case in FORMATS.values()}
    assert written == set(format_detection.FORMATS)


@pytest.mark.parametrize("name", FORMATS)
def test_the_four_methods_of_a_format(name, tmp_path):
    case = FORMATS[name]
    path = case.write(tmp_path, ROWS)
    (file,) = case.format.files(path)
    assert case.format.recognises(path) and isinstance(case.format.simulation(file), Simulation)
    forests = list(case.format.forests(file, 0.7, 10**6))
    assert all(isinstance(forest, Forest) for forest in forests)
    halos = sum(len(forest.name) for forest in forests)
    roots = sum(int(np.sum(forest.descendant == -1)) for forest in forests)
    # Of catalogues only the main branches of central halos (94 halos), the last halo of each of the two mergers, and
    # the satellite at the end are kept.
    assert (halos, roots) == (97 if isinstance(case.format, H.HaloLists) else len(ROWS), 5)


@pytest.mark.parametrize("name", ["LHaloTree", "big-endian", "LHaloTree HDF5", "SubLink"])
def test_numbers_in_single_precision_become_masses_in_double(name, tmp_path):
    case = FORMATS[name]
    path = case.write(tmp_path, ROWS)
    if h5py.is_hdf5(path):
        with h5py.File(path, "r+") as file:
            stored = {}
            file.visititems(lambda key, item: stored.update({key: item[...]}) if "Group_M" in key else None)
            for key, values in stored.items():
                del file[key]
                file[key] = values.astype("f4")
    (forest,) = case.format.forests(path, HUBBLE, 10**6)
    assert all(values.dtype == np.float64 for values in (forest.mass, forest.position, *forest.columns.values()))
    central = np.isfinite(forest.mass)
    stored_mass = np.array([row.mass * HUBBLE / 1e10 for row in ROWS]).astype("f4").astype("f8")
    np.testing.assert_allclose(forest.mass[central], stored_mass[central] * 1e10 / HUBBLE, rtol=1e-15)


@pytest.mark.parametrize("kind", [*format_detection.FORMATS, H.YtreeArbor])
def test_recognising_never_raises_an_error(kind, tmp_path):
    (tmp_path / "empty").mkdir()
    paths = [tmp_path / "empty", tmp_path / "missing.dat"]
    for suffix in (".dat", ".list", ".csv", ".hdf5", ".h5", ".0"):
        for name, content in (("prose", b"It was a dark night.\n"), ("bytes", bytes(range(256))), ("nothing", b"")):
            paths.append(tmp_path / (name + suffix))
            paths[-1].write_bytes(content)
    assert not any(kind().recognises(path) for path in paths)


def _set(dataset, row, value):
    def change(path):
        with h5py.File(path, "r+") as file:
            file[dataset][row] = value

    return change


def _attribute(group, name, value):
    def change(path):
        with h5py.File(path, "r+") as file:
            file[group].attrs[name] = value

    return change


def _deleted(name):
    def change(path):
        with h5py.File(path, "r+") as file:
            del file[name]

    return change


def _last_tree(path):
    text = path.read_text()
    path.write_text(text[: text.rindex("#tree")])


DAMAGED = {
    "cut text": ("Consistent-Trees", cut, "stops in the middle of a line; the file is cut short"),
    "cut row": ("Consistent-Trees", replaced(" 1001 ", " "), "line .* has 17 fields where the header names 18"),
    "lost tree": ("Consistent-Trees", _last_tree, "states 4 trees but has 3; the file is cut short"),
    "not a number": ("Consistent-Trees", replaced(" 1001 ", " 10x1 "), "the file is damaged"),
    "no mmp": ("Consistent-Trees", replaced("mmp?(9)", "other(9)"), r"has no column 'mmp\?'"),
    "long name": (
        "Consistent-Trees", replaced(" pid(5)", " " + "x" * 900), "no column 'pid'; .* num_prog, xx*[.]{3}, mvir",
    ),
    "unit": ("Consistent-Trees", replaced("Msun / h", "g"), "states masses in 'g'; allowed Msun/h"),
    "column twice": ("Consistent-Trees", replaced("Rvir(7)", "mvir(7)"), "two columns are named 'mvir'"),
    "cut hlist": (
        "hlist", lambda p: cut(p / "hlist_1.00000.list", 0.9), "hlist_1.00000.list: stops in the middle",
    ),
    "cut binary": ("LHaloTree", cut, "promises 128 halos of 104 bytes but holds"),
    "cut HDF5": ("SubLink", cut, "cut short"),
    "cut LHaloTree HDF5": ("LHaloTree HDF5", cut, "cut short"),
    "cut Galacticus": ("Galacticus", cut, "cut short"),
    "cut forests": ("forests", cut, "cut short"),
    "cut CSV": ("Millennium", cut, "stops in the middle of a line; the file is cut short"),
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
    "no mass column": ("Millennium", replaced("m_tophat", "m_x"), "has no column 'm_tophat'"),
    "bytes in CSV": (
        "Millennium", lambda p: p.write_bytes(p.read_bytes()[:9500] + b"\xff\xfe" + p.read_bytes()[9500:]),
        "after line 3: holds bytes that are no text",
    ),
    "scale factor": ("Galacticus", _set("forestHalos/expansionFactor", 3, 1e30), "has the scale factor 1e.30, a fill"),
    "no scale factor": (
        "Galacticus", _set("forestHalos/expansionFactor", 3, np.nan),
        "forests.hdf5 .*has the scale factor nan .1 of 128 cannot be right.; scale factors must be from 0.0001 to 1",
    ),
    "mass": ("Galacticus", _set("forestHalos/nodeMass", 3, 1e30), "halo 1003 has a mass of 1.43e.30 Msun, which no"),
    "position": ("SubLink", _set("SubhaloPos", 3, -1e30), "halo 1003 lies at 1.43e.27 comoving Mpc; the file is"),
    "overflow": ("Galacticus", _set("forestHalos/position", 3, 1e308), "halo 1003 lies at inf comoving Mpc; the file"),
    "no expansion": ("Galacticus version 1", _set("haloTrees/redshift", 3, -1.0), "has the scale factor inf .1 of 128"),
    "no trees": (
        "Millennium", lambda p: p.write_text("\n".join(p.read_text().splitlines()[:2]) + "\n"),
        "MillenniumCSV query.csv, 1 file: holds no halos",
    ),
    "count": ("LHaloTree HDF5", _attribute("Header", "NtreesPerFile", 2.5), "states NtreesPerFile = 2.5, which is no"),
    "redshift": ("LHaloTree HDF5", _set("Header/Redshifts", 3, -5.0), "trees 0 to 3.: has the scale factor -0.25 "),
    "text in CSV": ("Millennium", replaced("\n1000,", "\nx1000,"), "line 3 has 'x1000' for haloid"),
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGED)
def test_bad_files_are_refused_in_one_sentence_naming_the_file(name, tmp_path):
    format_name, damage, words = DAMAGED[name]
    case = FORMATS[format_name]
    path = case.write(tmp_path, ROWS)
    damage(path)
    with pytest.raises(ValueError, match=words) as caught:
        read_case(path, case)
    message = str(caught.value)
    assert path.name in message or tmp_path.name in message
    assert "\n" not in message and len(message) < 700 and not message.rstrip(".").count(". ")


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
        read_case(path, FORMATS["LHaloTree"])


def test_large_answers_of_the_database_are_read_a_few_trees_at_a_time(tmp_path, monkeypatch):
    path = write_millennium(tmp_path / "query.csv", ROWS)
    tree_format = H.MillenniumCSV()
    whole = H.read_branches(path, format=tree_format)
    monkeypatch.setattr(millennium, "_LINES", 7)
    forests = list(tree_format.forests(path, 0.73, 10))
    assert [len(forest.name) for forest in forests] == [40, 24, 19, 23, 22]  # the satellite of the second apart
    small = H.read_branches(path, format=tree_format, chunk=10)
    assert small.counts == whole.counts
    for one, other in zip(whole.branches, small.branches, strict=True):
        assert one.name == other.name and one.separation == other.separation
        np.testing.assert_array_equal(one.log_mvir, other.log_mvir)
        np.testing.assert_array_equal(one.mergers, other.mergers)
    query, header, *rows = path.read_text().splitlines()[:-1]
    path.write_text("\n".join([query, header, *rows[::-1]]) + "\n")
    assert len(H.read_branches(path, format=tree_format).branches) == 4  # whole in memory, in any order
    with pytest.raises(ValueError, match="query.csv .lines .*: descendant .* end the query with 'order by haloId'"):
        H.read_branches(path, format=tree_format, chunk=10)


def test_scale_factors_are_asked_for_and_checked(tmp_path):
    path = write_sublink(tmp_path / "tree_extended.0.hdf5", ROWS)
    with pytest.raises(ValueError, match=r"SubLink files hold snapshot numbers .* format=halos.SubLink\(scale_factors"):
        co.halos.read(path)
    (tmp_path / "list.txt").write_text("# number scale\n" + "\n".join(f"{k} {a}" for k, a in enumerate(SCALES)))
    np.testing.assert_array_equal(scale_factor_list(tmp_path / "list.txt", "SubLink"), SCALES)
    with pytest.raises(ValueError, match="from 0.5 to 12; they must be from 0.0001 to 1"):
        scale_factor_list([0.5, 12.0], "SubLink")
    with pytest.raises(ValueError, match="cannot be read as a list of scale factors"):
        scale_factor_list(tmp_path / "none.txt", "SubLink")


@pytest.mark.parametrize("tree_format", [H.LHaloTree, H.LHaloTreeHDF5, H.SubLink, H.MillenniumCSV])
def test_unknown_masses_are_refused(tree_format, tmp_path):
    (tmp_path / "x").write_bytes(b"1")
    with pytest.raises(ValueError, match=f"{tree_format.__name__}: got mass='weight'; allowed "):
        tree_format(mass="weight").simulation(tmp_path / "x")


def test_chunks_are_whole_trees():
    assert list(split_rows([5, 5, 5, 20, 1], 10)) == [(0, 2), (2, 3), (3, 4), (4, 5)]


@pytest.mark.parametrize(
    ("name", "links"), [("LHaloTree HDF5", ("Tree0/Descendant", "Tree0/SnapNum")), ("SubLink", ("SnapNum",))]
)
def test_whole_numbers_that_are_stored_as_floating_point_are_read(name, links, tmp_path):
    case = FORMATS[name]
    path = case.write(tmp_path, ROWS)
    whole = co.halos.read_branches(path, format=case.format, **case.keywords)
    with h5py.File(path, "r+") as file:
        for link in links:
            values = file[link][...].astype("f8")
            del file[link]
            file[link] = values
    again = co.halos.read_branches(path, format=case.format, **case.keywords)
    assert [b.log_mvir.tolist() for b in again.branches] == [b.log_mvir.tolist() for b in whole.branches]
