"""``corundum halos``: make, convert, inspect and plot, and what they say when something is wrong."""

import hashlib
import signal
import subprocess
import sys

import h5py
import numpy as np
import pytest

import corundum as co
from corundum import halos as H
from corundum.cli.main import main
from corundum.cli.runfile.builder import build
from corundum.halos.trees import reader as trees
from tree_files import SCALES, known_forest, write_consistent_trees, write_sublink

ROWS = known_forest()


@pytest.fixture
def forest(tmp_path):
    """Three files of trees, in a directory of their own."""
    folder = tmp_path / "trees"
    folder.mkdir()
    for part in range(3):
        write_consistent_trees(folder / f"tree_0_0_{part}.dat", ROWS)
    return folder


def test_make_inspect_and_plot(tmp_path, capsys):
    path, figure = tmp_path / "halos.h5", tmp_path / "halos.png"
    asked = ["--set", "n=30", "--set", "log_mvir=[10.0, 12.0]", "--set", "scatter.dex=0.1"]
    assert main(["halos", "make", "halos.diffmah_population", "-o", str(path), *asked]) == 0
    assert "30 halos written" in capsys.readouterr().out
    before = path.read_bytes()
    assert main(["halos", "make", "halos.diffmah_population", "-o", str(path), *asked]) == 2
    assert f"{path}: exists already; choose another file with -o" in capsys.readouterr().err
    assert path.read_bytes() == before
    assert main(["halos", "make", "halos.diffmah_population", "-o", str(path), *asked, "--overwrite"]) == 0
    capsys.readouterr()
    same = co.halos.diffmah_population(30, log_mvir=(10.0, 12.0), scatter=H.ConcentrationScatter(dex=0.1))
    np.testing.assert_array_equal(co.halos.read(path).log_concentration, same.log_concentration)
    assert main(["halos", "inspect", str(path)]) == 0
    told = capsys.readouterr().out
    for words in ("30 halos at 100 times from z = 12 to 0", "h = 0.6774", "diffmah"):
        assert words in told
    words = dict(co.halos.read(path).provenance)
    settings, code = words["settings"], words["code"]
    assert "n = 30" in settings and "first_log_mvir = 8.0" in settings and co.__version__ in code
    assert words["sha256"] == f"settings {hashlib.sha256(settings.encode()).hexdigest()}"
    assert main(["halos", "plot", str(path), "-o", str(figure)]) == 0
    assert figure.read_bytes().startswith(b"\x89PNG")


def test_convert_writes_histories_and_a_report(forest, tmp_path, capsys):
    path = tmp_path / "halos.h5"
    assert main(["halos", "inspect", str(forest)]) == 0
    assert "ConsistentTrees, 3 files\nh = 0.7\nOmega_m = 0.3\nmass definition vir" in capsys.readouterr().out
    assert main(["halos", "convert", str(forest), "-o", str(path), "--set", "log_mvir=[11.2, 13.0]"]) == 0
    told = capsys.readouterr().out
    for words in ("9 halos kept", "3 that end in a satellite", "rms: median", "9 halos written", "0 halos left out"):
        assert words in told
    halos = co.halos.read(path)
    np.testing.assert_allclose(halos.log_mvir[:3, -1], [12.0, 11.7, 11.4], atol=1e-6)
    words = dict(halos.provenance)
    assert "tree_0_0_0.dat" in words["sha256"] and len(words["sha256"].split("; ")) == 3 and words["code"]
    with h5py.File(path) as file:
        assert file.attrs["corundum_version"] == co.__version__
        for name in ("time", "log_mvir", "mergers/time"):
            assert file["halos"][name].attrs["unit"] and file["halos"][name].attrs["description"]
    page = (tmp_path / "halos.html").read_text()
    for words in ("Raw over smooth", "snapshots missing inside a branch", "data:image/png", "What was done"):
        assert words in page
    assert "File by file" in page and all(f"<td>tree_0_0_{part}.dat</td>" in page for part in range(3))
    assert "  tree_0_0_2.dat: 5 trees, 1 that end in a satellite, 1 outside the range of mass, " in told
    assert "  tree_0_0_2.dat: " in told and "3 halos kept" in told
    assert sorted(p.name for p in tmp_path.iterdir()) == ["halos.h5", "halos.html", "trees"]


KILLED = """
import os, signal, sys
from corundum.cli.main import main
from corundum.halos import conversion as halo_conversion
from corundum.storage.checkpoints import np

stage, arguments = sys.argv[1], sys.argv[2:]
owner, name = {"a file": (np, "savez"), "the end": (halo_conversion, "save")}[stage]
write = getattr(owner, name)

def killed(*values, **named):
    write(*values, **named)
    if stage == "the end" or len(os.listdir(arguments[-1] + ".parts")) == 2:
        os.kill(os.getpid(), signal.SIGKILL)

setattr(owner, name, killed)
main(arguments)
"""


@pytest.mark.parametrize(("stage", "again"), [("a file", 2), ("the end", 0)])
def test_a_killed_conversion_leaves_no_half_file_and_works_again(stage, again, forest, tmp_path, monkeypatch):
    """Killed as the second file is being written, and as the histories are but do not have their name yet."""
    out = tmp_path / "out" / "halos.h5"
    out.parent.mkdir()
    command = ["halos", "convert", str(forest), "-o", str(out)]
    done = subprocess.run([sys.executable, "-c", KILLED, stage, *command], capture_output=True, text=True, timeout=300)
    assert done.returncode == -signal.SIGKILL, done.stderr
    # Nothing under the name of the conversion; the lock of a process that was killed is free.
    assert sorted(path.name for path in out.parent.iterdir()) == [".halos.h5.lock", "halos.h5.parts"]
    read, whole = [], trees.branches_of_file
    monkeypatch.setattr(trees, "branches_of_file", lambda file, **options: read.append(file) or whole(file, **options))
    assert main(command) == 0
    assert len(read) == again and len(co.halos.read(out)) == 12
    assert sorted(path.name for path in out.parent.iterdir()) == ["halos.h5", "halos.html"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["make", "halos.monte_carol", "-o", "x.h5"], "unknown kind 'halos.monte_carol'; did you mean"),
        (["make", "halos.diffmah_population", "-o", "x.h5", "--set", "n=0"], "n: got 0"),
        (["make", "halos.diffmah_population", "-o", "x.h5", "--set", "m=3"], "unknown key"),
        (["make", "halos.diffmah_population", "-o", "x.h5", "--set", "n"], "write --set"),
        (["make", "halos.diffmah_population", "-o", "none/x.h5", "--set", "n=2"], "no such folder"),
        (["convert", "nowhere", "-o", "x.h5"], "nowhere: no such file"),
        (["convert", "prose.txt", "-o", "."], "is a folder; give the name of a file in it"),
        (["convert", "prose.txt", "-o", "x.h5"], "prose.txt: is no merger tree in a format known here"),
        (["convert", "tree_extended.0.hdf5", "-o", "x.h5"], "format=halos.SubLink(scale_factors=...)"),
        (["convert", "tree_extended.0.hdf5", "-o", "x.h5", "--set", "formt.kind=x"], "did you mean format"),
        (["convert", "tree_extended.0.hdf5", "-o", "x.h5", "--workers", "0"], "workers: got 0"),
        (["inspect", "prose.txt"], "prose.txt: is no merger tree"),
        (["plot", "prose.txt", "-o", "x.png"], "prose.txt: is no merger tree"),
    ],
)
def test_mistakes_are_one_sentence_and_exit_with_2(arguments, words, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "prose.txt").write_text("It was a dark and stormy night.\n")
    write_sublink(tmp_path / "tree_extended.0.hdf5", ROWS)
    assert main(["halos", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("corundum: error: ") and err.count("\n") == 1 and words in err
    assert not (tmp_path / "x.h5").exists()


def test_formats_with_words_of_their_own(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_sublink(tmp_path / "tree_extended.0.hdf5", ROWS)
    (tmp_path / "scales.txt").write_text("\n".join(map(str, SCALES)))
    sets = ["--set", "format.kind=halos.SubLink", "--set", "format.scale_factors=scales.txt"]
    sets += ["--set", "cosmology.kind=cosmology.tng", "--set", 'repairs=[{kind = "halos.KeepAll"}]']
    assert main(["halos", "convert", "tree_extended.0.hdf5", "-o", "x.h5", *sets]) == 0
    assert "KeepAll" in capsys.readouterr().out and len(co.halos.read("x.h5")) == 4
    assert main(["halos", "convert", "tree_extended.0.hdf5", "-o", "y.h5", *sets, "--set", "log_mvir=[1.0, 2.0]"]) == 2
    assert "no central halo is left" in capsys.readouterr().err and not list(tmp_path.glob("y.h5*"))
    with pytest.raises(ValueError, match="x.h5: holds histories that are ready, so log_mvir cannot be applied"):
        co.halos.read("x.h5", log_mvir=(1.0, 2.0))
    assert len(build({"kind": "halos.read", "path": "x.h5"}, ("halos",), (co.halos.HaloHistories,)).value) == 4


def test_plain_tables_are_read_too(tmp_path):
    time = np.geomspace(1.0, 13.7, 20)
    rows = "\n".join(f"1,{t},{12.0 + np.log10(t / 13.7)}" for t in time)
    (tmp_path / "table.csv").write_text(f"halo_id,time,log_mvir\n{rows}\n")
    halos = co.halos.read(tmp_path / "table.csv", smoothing=H.GaussianInLogTime(0.0))
    np.testing.assert_allclose(halos.log_mvir[0, -1], 12.0, atol=1e-9)
    with pytest.raises(ValueError, match="table.csv: is a table of main branches, so lowest_ratio cannot be applied"):
        co.halos.read(tmp_path / "table.csv", lowest_ratio=0.1)


def test_help_says_how(capsys):
    for action in ("make", "convert", "inspect", "plot"):
        with pytest.raises(SystemExit) as stop:
            main(["halos", action, "--help"])
        assert stop.value.code == 0 and "usage: corundum halos" in capsys.readouterr().out
