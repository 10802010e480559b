"""Sets of tree files with parts that are missing, empty, or there twice: whole where they are whole, else refused."""

import h5py
import numpy as np
import pytest

import corundum as co
from corundum import halos as H
from tree_files import (
    COSMOLOGY,
    FORMATS,
    SCALES,
    known_forest,
    main_mass,
    read_case,
    write_consistent_trees,
    write_consistent_trees_hdf5,
    write_hlists,
    write_lhalotree,
    write_lhalotree_hdf5,
    write_public_forests,
    write_sublink,
)

ROWS = known_forest()
FINAL = np.log10([main_mass(tree, 1.0) for tree in range(4)])
LHALO, SUBLINK, LHALO_HDF5 = (FORMATS[name] for name in ("LHaloTree", "SubLink", "LHaloTree HDF5"))
SETS = {
    "Consistent-Trees": (FORMATS["Consistent-Trees"], write_consistent_trees, "tree_0_{}_0.dat"),
    "forests": (FORMATS["forests"], write_consistent_trees_hdf5, "forest_{}.h5"),
    "LHaloTree": (LHALO, write_lhalotree, "trees_063.{}"),
    "LHaloTree HDF5": (LHALO_HDF5, write_lhalotree_hdf5, "trees_sf1_099.{}.hdf5"),
    "SubLink": (SUBLINK, write_sublink, "tree_extended.{}.hdf5"),
}


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("numbers", [(0, 2), (1, 2), (0, 1, 3, 5)])
def test_a_file_that_is_missing_from_a_set_is_named(name, numbers, tmp_path):
    case, write, pattern = SETS[name]
    for number in numbers:
        write(tmp_path / pattern.format(number), ROWS)
    missing = [pattern.format(number) for number in range(max(numbers)) if number not in numbers]
    with pytest.raises(ValueError, match=f"{', '.join(missing)} (is|are) missing from the numbered files"):
        read_case(tmp_path, case)
    assert len(read_case(tmp_path / pattern.format(2 if 2 in numbers else 3), case)) == 4  # alone, as it was named


@pytest.mark.parametrize("name", SETS)
def test_whole_sets_are_read(name, tmp_path):
    case, write, pattern = SETS[name]
    for number in range(11):  # the tenth comes after the second
        write(tmp_path / pattern.format(number), ROWS)
    branches = H.read_branches(tmp_path, format=case.format, **case.keywords)
    assert len(branches.branches) == 44 and list(branches.files)[2] == pattern.format(2)


def test_two_sets_in_one_folder_are_not_added(tmp_path):
    write_consistent_trees(tmp_path / "tree_0_0_0.dat", ROWS)
    write_consistent_trees(tmp_path / "isotree_0_0_0.dat", ROWS)
    with pytest.raises(ValueError, match="holds isotree_.* and tree_.*, whose trees may be the same; move one set"):
        co.halos.read(tmp_path)
    for name in ("trees_062.0", "trees_063.0"):
        write_lhalotree(tmp_path / name, ROWS)
    with pytest.raises(ValueError, match=r"holds trees_062\.\* and trees_063\.\*, whose trees may be the same"):
        read_case(tmp_path, LHALO)


def test_the_list_of_trees_says_which_boxes_are_missing(tmp_path):
    write_consistent_trees(tmp_path / "tree_0_0_0.dat", ROWS)
    lines = ["#TreeRootID FileID Offset Filename", "1000 0 712 tree_0_0_0.dat"]
    (tmp_path / "locations.dat").write_text("\n".join(lines) + "\n")
    assert len(co.halos.read(tmp_path)) == 4
    (tmp_path / "locations.dat").write_text("\n".join([*lines, "2000 1 712 tree_0_0_1.dat"]) + "\n")
    with pytest.raises(ValueError, match=r"1 of 2 files that locations.dat lists are missing \(tree_0_0_1.dat\)"):
        co.halos.read(tmp_path)


def test_parts_without_trees_are_whole_files(tmp_path):
    write_lhalotree(tmp_path / "trees_063.1", ROWS)
    (tmp_path / "trees_063.0").write_bytes(np.zeros(2, "i4").tobytes())
    (tmp_path / "trees_063.2").write_bytes(np.array([1, 0, 0], "i4").tobytes())  # one tree of no halos
    assert len(co.halos.read(tmp_path, format=LHALO.format, cosmology=COSMOLOGY)) == 4
    other = tmp_path / "hdf5"
    other.mkdir()
    write_lhalotree_hdf5(other / "trees_sf1_099.1.hdf5", ROWS)
    with h5py.File(other / "trees_sf1_099.0.hdf5", "w") as file:
        file["Header/Redshifts"] = 1.0 / SCALES - 1.0
        file["Header"].attrs["NtreesPerFile"] = 0
    assert len(co.halos.read(other, cosmology=COSMOLOGY)) == 4  # recognised although the first file has no tree
    (tmp_path / "trees_063.3").write_bytes(b"")
    with pytest.raises(ValueError, match="trees_063.3: does not begin with the counts"):
        read_case(tmp_path, LHALO)


def test_other_files_may_be_without_halos(tmp_path):
    text = write_consistent_trees(tmp_path / "tree_0_0_1.dat", ROWS).read_text()
    header = text[: text.index("#tree ")].replace("\n4\n", "\n0\n")
    (tmp_path / "tree_0_0_0.dat").write_text(header)
    assert len(co.halos.read(tmp_path)) == 4
    path = write_sublink(tmp_path / "tree_extended.1.hdf5", ROWS)
    with h5py.File(path) as file, h5py.File(tmp_path / "tree_extended.0.hdf5", "w") as empty:
        for name, values in file.items():
            empty[name] = values[:0]
    assert len(read_case(tmp_path, SUBLINK)) == 4


def test_a_snapshot_that_is_missing_is_named_by_its_scale_factor(tmp_path):
    write_hlists(tmp_path, ROWS)
    lost = tmp_path / f"hlist_{SCALES[14]:.5f}.list"
    text = lost.read_text()
    lost.unlink()
    words = f"hlist_{SCALES[13]:.5f}.list: its halos continue at scale factor {SCALES[14]:g}, but the next file is "
    with pytest.raises(ValueError, match=words + f"hlist_{SCALES[15]:.5f}.list; a snapshot is missing"):
        co.halos.read(tmp_path)
    lost.write_text("\n".join(line for line in text.splitlines() if line.startswith("#")) + "\n")
    with pytest.raises(ValueError, match=words):  # a header without halos is the same where halos go on
        co.halos.read(tmp_path)
    lost.write_text("\n".join(text.splitlines()[:-2]) + "\n")
    with pytest.raises(ValueError, match=r"2 halos continue in halos that hlist_0\.\d+\.list does not have"):
        co.halos.read(tmp_path)
    lost.write_text(text)
    assert len(co.halos.read(tmp_path)) == 4


def test_early_snapshots_without_halos_are_empty(tmp_path):
    write_hlists(tmp_path, ROWS)
    header = [line for line in (tmp_path / "hlist_0.10000.list").read_text().splitlines() if line.startswith("#")]
    (tmp_path / "hlist_0.05000.list").write_text("\n".join(header) + "\n")
    np.testing.assert_allclose(co.halos.read(tmp_path).log_mvir[:, -1], FINAL, atol=1e-5)
    (tmp_path / "hlist_0.100001.list").write_text((tmp_path / "hlist_0.10000.list").read_text())
    with pytest.raises(ValueError, match="hold the same scale factor 0.1; remove one"):
        co.halos.read(tmp_path)


@pytest.mark.parametrize("table", [False, True])
def test_forests_of_the_public_converter(table, tmp_path):
    write_public_forests(tmp_path, ROWS, table=table)
    halos = co.halos.read(tmp_path)
    np.testing.assert_allclose(halos.log_mvir[:, -1], FINAL, atol=1e-5)
    np.testing.assert_allclose(halos.separation, [np.inf, 2.0, np.inf, np.inf], rtol=1e-3)
    provenance = dict(halos.provenance)
    assert "2 files" in provenance["source"] and "5 trees, 1 that end in a satellite" in provenance["trees"]
    for name in ("forest.h5", "forest_1.h5"):
        assert len(co.halos.read(tmp_path / name)) == (4 if name == "forest.h5" else 2)
    write_public_forests(tmp_path, ROWS, table=table, metadata=False)
    assert float(co.halos.read(tmp_path).cosmology.h) == 0.7  # of the group simulation_params


def test_the_container_says_which_files_are_missing(tmp_path):
    write_public_forests(tmp_path, ROWS)
    extra = (tmp_path / "forest_1.h5").read_bytes()
    (tmp_path / "forest_1.h5").unlink()
    for path in (tmp_path, tmp_path / "forest.h5"):
        with pytest.raises(ValueError, match=r"forest.h5: links to forest_1.h5, which is missing \(1 of 2 files\)"):
            co.halos.read(path)
    assert len(co.halos.read(tmp_path / "forest_0.h5")) == 2
    for number in (1, 2):
        (tmp_path / f"forest_{number}.h5").write_bytes(extra)
    with pytest.raises(ValueError, match="forest.h5 does not link to forest_2.h5, which may hold the same trees"):
        co.halos.read(tmp_path)


CHANGED = {
    "other order": (lambda info, counts: (info[::-1], counts), None),
    "lost forest": (lambda info, counts: (info[:1], counts), "states Nforests = 2 but has 1; the file is incomplete"),
    "lost row": (lambda info, counts: (info, {**counts, "Nhalos": 99}), "states Nhalos = 99 but has 83"),
    "rows of no forest": (
        lambda info, counts: (info[1:], {**counts, "Nforests": 1}), "hold 43 halos, which are not the 83 rows",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGED)
def test_every_row_belongs_to_one_forest(name, tmp_path):
    change, words = CHANGED[name]
    write_public_forests(tmp_path, ROWS)
    path = tmp_path / "forest_0.h5"
    with h5py.File(path, "r+") as file:
        info, counts = change(file["ForestInfo"][()], {key: file.attrs[key] for key in ("Nforests", "Nhalos")})
        del file["ForestInfo"]
        file["ForestInfo"] = info
        file.attrs.update(counts)
    if words is None:
        assert len(co.halos.read(path)) == 2
    else:
        with pytest.raises(ValueError, match=f"forest_0.h5: .*{words}"):
            co.halos.read(path)


def test_ids_of_hdf5_are_exact(tmp_path):
    path = write_sublink(tmp_path / "tree_extended.0.hdf5", ROWS)
    with h5py.File(path, "r+") as file:
        ids = file["DescendantID"][()].astype(np.uint64)  # -1 becomes the largest unsigned number
        del file["DescendantID"]
        file["DescendantID"] = ids
    assert len(read_case(path, SUBLINK)) == 4
    with h5py.File(path, "r+") as file:
        del file["DescendantID"]
        file["DescendantID"] = ids + np.uint64(2**63 - 1)
    with pytest.raises(ValueError, match="DescendantID has .* number the halos anew"):
        read_case(path, SUBLINK)
