"""Conversion of merger trees to a file of histories: what an interruption leaves is used again, and only then."""

import contextlib

import numpy as np
import pytest

import corundum as co
from corundum import halos as H
from corundum.halos import conversion
from corundum.halos.trees import reader
from corundum.storage.locks import InUseError
from tree_files import FORMATS, SCALES, known_forest, write_consistent_trees, write_sublink

ROWS = known_forest()


@pytest.fixture
def forest(tmp_path):
    """Three files of trees, in a directory of their own."""
    folder = tmp_path / "trees"
    folder.mkdir()
    for part in range(3):
        write_consistent_trees(folder / f"tree_0_0_{part}.dat", ROWS)
    return folder


def test_an_interrupted_conversion_goes_on(forest, tmp_path, monkeypatch):
    read = []

    whole = reader.branches_of_file

    def counted(file, **options):
        if file.name == "tree_0_0_1.dat" and len(read) == 1:
            raise KeyboardInterrupt
        read.append(file.name)
        return whole(file, **options)

    monkeypatch.setattr(reader, "branches_of_file", counted)
    with pytest.raises(KeyboardInterrupt):
        conversion.convert_trees(forest, tmp_path / "halos.h5")
    assert not (tmp_path / "halos.h5").exists()
    write_consistent_trees(forest / "tree_0_0_0.dat", known_forest(3))  # a file that has changed is read again
    progress = []
    converted = conversion.convert_trees(
        forest, tmp_path / "halos.h5", progress=lambda *counts: progress.append(counts)
    )
    assert read == ["tree_0_0_0.dat", "tree_0_0_0.dat", "tree_0_0_1.dat", "tree_0_0_2.dat"]
    assert len(converted.halos) == 11 and progress == [(0, 3), (1, 3), (2, 3), (3, 3)]
    assert not (tmp_path / "halos.h5.parts").exists()


def test_finished_files_are_not_read_again(forest, tmp_path, monkeypatch):
    def stop(*arguments, **keywords):
        raise KeyboardInterrupt

    monkeypatch.setattr(conversion, "smooth_trees", stop)
    with contextlib.suppress(KeyboardInterrupt):
        conversion.convert_trees(forest, tmp_path / "halos.h5")
    monkeypatch.undo()
    monkeypatch.setattr(reader, "branches_of_file", stop)
    converted = conversion.convert_trees(forest, tmp_path / "halos.h5")
    monkeypatch.undo()
    direct = co.halos.read(forest)
    np.testing.assert_array_equal(converted.halos.log_mvir, direct.log_mvir)
    np.testing.assert_array_equal(converted.halos.mergers.time, direct.mergers.time)


def test_what_was_read_with_other_settings_is_read_again(tmp_path, monkeypatch):
    folder, scales, read = tmp_path / "trees", tmp_path / "scales.txt", []
    folder.mkdir()
    write_sublink(folder / "tree_extended.0.hdf5", ROWS)
    scales.write_text("\n".join(map(str, SCALES)))
    whole = reader.branches_of_file

    def stop(*arguments, **keywords):
        raise KeyboardInterrupt

    def interrupted(cosmology):
        form = H.SubLink(scale_factors=str(scales))
        with pytest.raises(KeyboardInterrupt):
            conversion.convert_trees(folder, tmp_path / "halos.h5", format=form, cosmology=cosmology)
        return len(read)

    monkeypatch.setattr(conversion, "smooth_trees", stop)
    monkeypatch.setattr(reader, "branches_of_file", lambda file, **options: read.append(file) or whole(file, **options))
    assert [interrupted(co.cosmology.tng()) for _ in range(2)] == [1, 1]
    assert interrupted(co.cosmology.Cosmology(h=0.7)) == 2
    scales.write_text("\n".join(map(str, SCALES**1.01)))
    assert [interrupted(co.cosmology.Cosmology(h=0.7)) for _ in range(2)] == [3, 3]


def test_a_damaged_checkpoint_is_reported_and_its_file_read_again(forest, tmp_path, monkeypatch):
    def stop(*arguments, **keywords):
        raise KeyboardInterrupt

    monkeypatch.setattr(conversion, "smooth_trees", stop)
    with pytest.raises(KeyboardInterrupt):
        conversion.convert_trees(forest, tmp_path / "halos.h5")
    monkeypatch.undo()
    checkpoint = tmp_path / "halos.h5.parts" / "block-00001.npz"
    checkpoint.write_bytes(checkpoint.read_bytes()[:100])
    read, whole = [], reader.branches_of_file
    monkeypatch.setattr(
        reader, "branches_of_file", lambda file, **options: read.append(file.name) or whole(file, **options)
    )
    with pytest.warns(UserWarning, match="block-00001.npz is damaged"):
        converted = conversion.convert_trees(forest, tmp_path / "halos.h5")
    assert read == ["tree_0_0_1.dat"]
    np.testing.assert_array_equal(converted.halos.log_mvir, co.halos.read(forest).log_mvir)


def test_trees_of_several_workers_are_those_of_one(forest, tmp_path):
    one = conversion.convert_trees(forest, tmp_path / "one.h5").halos
    two = conversion.convert_trees(forest, tmp_path / "two.h5", workers=2).halos
    np.testing.assert_array_equal(one.log_mvir, two.log_mvir)
    np.testing.assert_array_equal(one.separation, two.separation)
    assert one.provenance == two.provenance


def test_two_conversions_into_one_file_do_not_mix(forest, tmp_path, monkeypatch):
    output = tmp_path / "halos.h5"

    def again(*arguments, **keywords):
        with pytest.raises(InUseError, match=r"halos\.h5: another conversion writes to it .*wait until it has ended"):
            conversion.convert_trees(forest / "tree_0_0_0.dat", output)
        return whole(*arguments, **keywords)

    whole = conversion.smooth_trees
    monkeypatch.setattr(conversion, "smooth_trees", again)
    assert len(conversion.convert_trees(forest, output).halos) == 3 * len(co.halos.read(forest / "tree_0_0_0.dat"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["halos.h5", "trees"]


def test_a_conversion_into_the_folder_of_its_source_can_be_repeated(tmp_path):
    """What corundum wrote is no source: not for HDF5 trees, whose files may have any name, nor for text."""
    for name in ("SubLink", "Galacticus", "forests", "Consistent-Trees"):
        case = FORMATS[name]
        folder = tmp_path / name
        folder.mkdir()
        case.write(folder, known_forest())
        output = folder / ("tree_extended.7.hdf5" if name == "SubLink" else "halos.hdf5")
        counts = []
        for _ in range(2):
            converted = co.halos.convert_trees(folder, output, format=case.format, **case.keywords)
            counts.append(converted.report.counts)
        assert counts[0] == counts[1] and counts[0]["halos kept"] == 4
