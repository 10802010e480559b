"""The cause is told where it is: a file in use, without permission, cut short or damaged; errors of others pass."""

import errno
import subprocess
import sys

import h5py
import numpy as np
import pytest

from corundum.halos.trees.formats.hdf5 import has_members, read_columns
from corundum.storage import files
from corundum.storage.files import create_hdf5, open_foreign_hdf5, open_hdf5
from corundum.storage.hdf5_errors import explain_hdf5_error

HOLD = "import h5py, sys, time; file = h5py.File(sys.argv[1], 'r+'); print('open', flush=True); time.sleep(60)"


@pytest.fixture
def path(tmp_path):
    """A good file."""
    with create_hdf5(tmp_path / "masses.h5", "masses") as file:
        file["mstar"] = np.arange(1000.0)
    return tmp_path / "masses.h5"


@pytest.fixture
def held(path, monkeypatch):
    """A good file that another process has open for writing."""
    monkeypatch.delenv("HDF5_USE_FILE_LOCKING", raising=False)
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "open\n"
    yield path
    process.kill()
    process.communicate()


def test_a_file_that_another_process_writes_is_in_use(held):
    for opened in (open_hdf5(held, "masses"), open_foreign_hdf5(held)):
        with pytest.raises(OSError, match="is in use: another process has it open for writing; wait") as caught, opened:
            pass
        assert caught.value.filename == str(held) and "damaged" not in str(caught.value)
    with pytest.raises(OSError, match="in use"):  # it may well be what was looked for
        has_members(held, "mstar")


@pytest.mark.parametrize("error", [RuntimeError("no backend"), KeyError("mstr"), OSError("disk"), ValueError("one.\n")])
def test_errors_that_only_pass_through_an_open_file_stay_what_they_are(path, error):
    for opened in (open_hdf5(path, "masses"), open_foreign_hdf5(path)):
        with pytest.raises(type(error)) as caught, opened as file:
            file["mstar"][0]
            raise error
        assert caught.value is error


def test_what_is_missing_in_the_file_is_named(path):
    for opened in (open_hdf5(path, "masses"), open_foreign_hdf5(path)):
        with pytest.raises(ValueError, match=r"masses\.h5: a part of the file is missing .*radius"), opened as file:
            file["radius"]


def raised(message, number=None):
    """An error as h5py raises it: the innermost code is that of h5py."""
    source = "def fail():\n    raise error"
    error = OSError(message) if number is None else OSError(number, message)
    scope = {"__name__": "h5py._objects", "error": error}
    exec(source, scope)
    try:
        scope["fail"]()
    except OSError as caught:
        return caught


@pytest.mark.parametrize(
    ("message", "number", "kind", "words"),
    [
        ("unable to lock file, errno = 37", errno.ENOLCK, OSError, "has no locks; .*HDF5_USE_FILE_LOCKING=FALSE"),
        ("file is already open for write (may use <h5clear file> to clear)", None, ValueError, "h5clear -s"),
        ("unable to open file: errno = 13", errno.EACCES, PermissionError, "no permission to read"),
        ("Can't read data (file read failed: errno = 5, error message", None, OSError, "input/output error"),
        ("unable to open: errno = 24", errno.EMFILE, OSError, "too many open files"),
        ("Can't read data (required filter 'blosc' is not registered)", None, ValueError, "import hdf5plugin"),
        ("bad superblock version number", None, ValueError, "is damaged .bad superblock"),
    ],
)
def test_every_cause_has_its_sentence(message, number, kind, words, tmp_path):
    explained = explain_hdf5_error(raised(message, number), tmp_path / "a.h5")
    assert type(explained) is kind
    with pytest.raises(kind, match=words):
        raise explained
    assert "a.h5" in str(explained) and "\n" not in str(explained)


def test_a_file_system_without_locks_is_read_without(path, monkeypatch):
    real, calls = h5py.File, []

    def without_locks(name, mode="r", **options):
        calls.append(options)
        if options.get("locking") is not False:
            raise OSError(errno.ENOLCK, "unable to lock file, errno = 37")
        return real(name, mode, **options)

    monkeypatch.setattr(files.h5py, "File", without_locks)
    with open_hdf5(path, "masses") as file:
        assert file["mstar"][1] == 1.0
    assert calls == [{}, {"locking": False}]


@pytest.mark.parametrize("name", ["mass.h5", "lost.h5"])
def test_virtual_datasets_are_read_only_with_the_files_that_hold_their_values(name, tmp_path):
    with h5py.File(tmp_path / "mass.h5", "w") as file:
        file["mass"] = np.arange(3.0)
    layout = h5py.VirtualLayout(shape=(3,), dtype=float)
    layout[:] = h5py.VirtualSource(name, "mass", shape=(3,))
    with h5py.File(tmp_path / "all.h5", "w") as file:
        file.create_virtual_dataset("mass", layout)
    with open_foreign_hdf5(tmp_path / "all.h5") as file:
        if name == "mass.h5":
            columns = read_columns(file, {"mass": "mass"}, slice(None), tmp_path / "all.h5")
            assert columns["mass"].tolist() == [0.0, 1.0, 2.0]
        else:  # HDF5 itself would read zeros
            with pytest.raises(ValueError, match=r"all\.h5: the values of /mass are in lost\.h5, which is missing"):
                read_columns(file, {"mass": "mass"}, slice(None), tmp_path / "all.h5")


def test_compression_and_links_that_need_something_else_are_told(tmp_path):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("mass", data=np.arange(1000.0), compression="gzip")
        file["other"] = h5py.ExternalLink("b.h5", "mass")
    content = path.read_bytes()
    number = content.index(b"deflate") - 8  # where the file says which filter it is: one of a plugin
    path.write_bytes(content[:number] + (32001).to_bytes(2, "little") + content[number + 2 :])
    with (
        pytest.raises(ValueError, match=r"a\.h5: a dataset is compressed with .*hdf5plugin"),
        open_foreign_hdf5(path) as file,
    ):
        file["mass"][:]
    with pytest.raises(ValueError, match=r"a\.h5: links to another file that cannot"), open_foreign_hdf5(path) as file:
        file["other"]
