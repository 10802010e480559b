"""The format of merger trees is recognised by the content of the files; where that is not clear, the user is asked."""

import re

import h5py
import pytest

import corundum as co
from corundum import halos as H
from corundum.halos.trees.format_detection import recognise_format
from tree_files import COSMOLOGY, FORMATS, SCALES, cut, known_forest, write_consistent_trees, write_sublink

ROWS = known_forest()


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "big-endian"])
def test_formats_are_recognised_by_content(name, tmp_path):
    case = FORMATS[name]
    path = case.write(tmp_path, ROWS)
    assert type(recognise_format(path)) is type(case.format)
    assert type(recognise_format(tmp_path)) is type(case.format)


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
    path = FORMATS[name].write(tmp_path, ROWS)
    cut(path)
    with pytest.raises(ValueError, match=f"{path.name}: the HDF5 file is cut short.*copy the file again"):
        recognise_format(path)


STRANGE = b"Tr\xffee\n0\x1b[31m" + b"x" * 900  # what damage can make of a name inside a file


def test_strange_names_inside_a_file_are_named_on_one_line(tmp_path):
    with h5py.File(tmp_path / "strange.h5", "w") as file:
        h5py.h5g.create(file.id, STRANGE)
    (tmp_path / "new\nline.txt").write_text("")
    columns = {"format": H.SubLink(SCALES.tolist()), "cosmology": COSMOLOGY}
    for read, escaped in (
        (
            lambda: recognise_format(tmp_path / "strange.h5"),
            r"its groups are Tr\xffee\n0\x1b[31mxxxxxxxxxxxxxxxxxxxxx...;",
        ),
        (
            lambda: H.read_branches(tmp_path / "strange.h5", **columns),
            r"it has Tr\xffee\n0\x1b[31mxxxxxxxxxxxxxxxxxxxxx...",
        ),
        (
            lambda: H.read_table(tmp_path / "strange.h5"),
            r"at its top level, only Tr\xffee\n0\x1b[31mxxxxxxxxxxxxxxxxxxxxx...;",
        ),
        (lambda: recognise_format(tmp_path / "other.h5"), r"has new\nline.txt, strange.h5"),
    ):
        with pytest.raises(ValueError, match=re.escape(escaped)) as caught:
            read()
        assert str(caught.value).isprintable() and len(str(caught.value)) < 700


def test_two_formats_in_one_directory_are_not_guessed_between(tmp_path):
    write_consistent_trees(tmp_path / "tree_0.dat", ROWS)
    write_sublink(tmp_path / "tree_extended.0.hdf5", ROWS)
    with pytest.raises(ValueError, match="fits ConsistentTrees and SubLink; say which, as format="):
        co.halos.read(tmp_path)
    assert len(co.halos.read(tmp_path, format=H.ConsistentTrees())) == 4
