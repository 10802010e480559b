"""Files are whole or absent, and what cannot be read is explained in one sentence that names the file."""

import errno
import subprocess
import sys

import h5py
import pytest

from corundum.storage.files import (
    atomic_path,
    check_destination,
    checksum,
    create_hdf5,
    has_hdf5_signature,
    missing_file_message,
    open_foreign_hdf5,
    open_hdf5,
)

WRITE = """
import resource, sys
import numpy as np
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
kind, path = sys.argv[1:]
if kind == "HDF5":
    from corundum.storage.files import create_hdf5
    with create_hdf5(path, "numbers") as file:
        for number in range(50):
            file[f"a{number}"] = np.arange(1000.0)
elif kind == "PNG":
    from matplotlib.figure import Figure
    from corundum.plots.saving import save_figure
    figure = Figure()
    figure.subplots().imshow(np.random.default_rng(0).random((200, 200)))
    save_figure(figure, path)
else:
    from corundum.io.posterior import save_posterior
    from corundum.storage.arviz_data import arviz_data
    save_posterior(path, arviz_data({"posterior": {"slope": np.zeros((4, 2000))}}))
"""


def test_a_file_takes_its_name_only_when_it_is_complete(tmp_path):
    path = tmp_path / "table.txt"
    path.write_text("before")
    with pytest.raises(KeyboardInterrupt), atomic_path(path) as temporary:
        temporary.write_text("half")
        raise KeyboardInterrupt
    assert path.read_text() == "before" and list(tmp_path.iterdir()) == [path]
    with atomic_path(path) as temporary:
        temporary.write_text("after")
        assert path.read_text() == "before"
    assert path.read_text() == "after" and list(tmp_path.iterdir()) == [path]


def test_destinations_are_checked_before_the_work(tmp_path):
    check_destination(tmp_path / "results.h5")
    with pytest.raises(IsADirectoryError, match="give the name of a file"):
        check_destination(tmp_path)
    with pytest.raises(FileNotFoundError, match="no such folder; make it first"):
        check_destination(tmp_path / "missing" / "results.h5")


def test_a_file_of_other_content_is_refused(tmp_path):
    with create_hdf5(tmp_path / "halos.h5", "halos") as file:
        file["mass"] = [1.0]
    words = "halos.h5: holds halos, not results"
    with pytest.raises(ValueError, match=words), open_hdf5(tmp_path / "halos.h5", "results"):
        pass
    with pytest.raises(FileNotFoundError, match="no such halos file"), open_hdf5(tmp_path / "none.h5", "halos"):
        pass


FOREIGN = {
    "text": (b"halo_id,mass\n1,2\n", "is not an HDF5 file.*; copy the file again"),
    "first bytes only": (b"\x89HDF\r\n\x1a\n", "the HDF5 file is damaged .*; copy the file again"),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_foreign_files_that_cannot_be_read(name, tmp_path):
    content, words = FOREIGN[name]
    path = tmp_path / "trees.hdf5"
    path.write_bytes(content)
    assert has_hdf5_signature(path) == (name != "text")
    with pytest.raises(ValueError, match=f"trees.hdf5: {words}") as caught, open_foreign_hdf5(path):
        pass
    assert "\n" not in str(caught.value)


def test_a_missing_part_of_a_foreign_file_is_named(tmp_path):
    with h5py.File(tmp_path / "trees.hdf5", "w") as file:
        file["mass"] = [1.0]
    words = "a part of the file is missing .*radius.*; copy the file again"
    with pytest.raises(ValueError, match=words), open_foreign_hdf5(tmp_path / "trees.hdf5") as file:
        file["radius"]


def test_a_missing_file_is_shown_its_neighbours(tmp_path):
    assert missing_file_message(tmp_path / "a.h5") == f"{tmp_path / 'a.h5'}: no such file; {tmp_path} has no files"
    (tmp_path / "b.h5").write_text("")
    assert missing_file_message(tmp_path / "a.h5").endswith("has b.h5")
    assert "no folder" in missing_file_message(tmp_path / "none" / "a.h5")
    with pytest.raises(ValueError, match="no such file; .* has b.h5"), open_foreign_hdf5(tmp_path / "a.h5"):
        pass
    assert not has_hdf5_signature(tmp_path / "a.h5")


def test_the_checksum_is_that_of_the_content_in_order(tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("a")
    two.write_text("b")
    (tmp_path / "both").write_text("ab")
    assert checksum([one, two]) == checksum([tmp_path / "both"]) != checksum([two, one])


@pytest.mark.parametrize("kind", ["HDF5", "PNG", "posterior"])
def test_a_full_disk_is_one_sentence_and_leaves_what_was_there(kind, tmp_path):
    """In a process of its own, whose files must not grow beyond 20 kB: HDF5 itself would print hundreds of lines."""
    pytest.importorskip("arviz")
    path = tmp_path / {"HDF5": "a.h5", "PNG": "a.png", "posterior": "a.nc"}[kind]
    path.write_text("before")
    done = subprocess.run([sys.executable, "-c", WRITE, kind, str(path)], capture_output=True, text=True)
    words = f"OSError: [Errno {errno.EFBIG}] the disk, quota or file size limit was reached while writing; free some"
    assert done.returncode == 1 and done.stderr.splitlines()[-1].startswith(words), done.stderr
    assert "Exception ignored" not in done.stderr and str(path) in done.stderr.splitlines()[-1]
    assert path.read_text() == "before" and list(tmp_path.iterdir()) == [path]


def test_an_error_at_another_file_inside_the_block_stays_what_it_is(tmp_path):
    with pytest.raises(FileNotFoundError) as caught, atomic_path(tmp_path / "a.txt"):
        (tmp_path / "missing.txt").read_text()
    assert caught.value.filename == str(tmp_path / "missing.txt")
