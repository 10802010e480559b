"""The output directory: one run each, nothing foreign touched, nothing half written."""

import errno
import json
import os

import numpy as np
import pytest

from corundum.cli.jobs import output as output_module
from corundum.cli.jobs.output import claim as claim_while
from corundum.cli.jobs.output import refuse_early
from corundum.storage import locks
from corundum.storage.checkpoints import fingerprint
from corundum.storage.locks import InUseError

RUN = {"title": "a", "halos": {"kind": "x", "n": 3}, "model": {"kind": "y", "parameters": {"a.b": 1.0}}}


def claim(root, tables, identity, **options):
    """A directory that a run has had, and leaves again."""
    with claim_while(root, tables, identity, **options) as taken:
        return taken


def computed(root, finished=None, identity="id"):
    """Leave `root` as a run does that has finished a block, or everything."""
    taken = claim(root, RUN, identity)
    (taken.folder("checkpoint") / "block-00000.npz").write_bytes(b"0")
    taken.write_info({"identity": identity, "finished": finished})
    if finished:
        taken.file("results.h5").write_bytes(b"0")
    return taken


def test_a_directory_is_made_with_its_parents_and_holds_the_resolved_run_file(tmp_path):
    taken = claim(tmp_path / "a" / "b", RUN, "id")
    assert taken.state == "new"
    assert 'kind = "x"' in taken.file("run.toml").read_text()


@pytest.mark.parametrize(("finished", "state"), [(None, "resumed"), ("2026-01-01", "finished")])
def test_the_same_run_is_resumed_or_found_finished(tmp_path, finished, state):
    computed(tmp_path, finished)
    assert claim(tmp_path, RUN, "id").state == state
    assert (tmp_path / "checkpoint" / "block-00000.npz").exists()


@pytest.mark.parametrize("result", ["sensitivity.h5", "posterior-1.nc", "parameters.csv", "mocks.csv", "forecast.csv"])
def test_what_every_command_leaves_is_a_finished_run_and_goes_with_it(tmp_path, result):
    taken = claim(tmp_path, RUN, "id")
    taken.write_info({"identity": "id", "finished": "2026-01-01"})
    taken.file(result).write_bytes(b"0")
    assert claim(tmp_path, RUN, "id").state == "finished"
    with pytest.raises(ValueError, match="holds a different run"):
        claim(tmp_path, {**RUN, "title": "b"}, "id")
    claim(tmp_path, RUN, "id", overwrite=True)
    assert not taken.file(result).exists()


def test_overwrite_discards_an_earlier_run_and_only_that(tmp_path):
    computed(tmp_path, "2026-01-01")
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / ".results.h5.1-ab.tmp").write_text("left by a killed run")
    assert claim(tmp_path, RUN, "id", overwrite=True).state == "new"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["notes.txt", "run.toml"]


def test_a_run_that_computed_nothing_gives_way_to_a_corrected_one(tmp_path):
    claim(tmp_path, RUN, "id")
    assert claim(tmp_path, {**RUN, "title": "b"}, "id").state == "new"


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_directory_with_files_that_are_no_run_is_refused(tmp_path, overwrite):
    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(ValueError, match="is not empty and holds no corundum run; choose another"):
        claim(tmp_path, RUN, "id", overwrite=overwrite)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_different_run_is_refused_with_the_keys_that_differ(tmp_path):
    computed(tmp_path)
    other = {
        **RUN,
        "halos": {"kind": "x", "n": 4, "key": 1},
        "model": {"kind": "y", "parameters": {"a.b": 2.0}},
    }
    with pytest.raises(ValueError) as refused:
        claim(tmp_path, other, "id")
    assert "halos.n is 3 there and 4 here; halos.key is not set there and 1 here" in str(refused.value)
    assert 'model.parameters."a.b" is 1.0 there and 2.0 here' in str(refused.value)
    assert "--overwrite" in str(refused.value)
    assert (tmp_path / "checkpoint" / "block-00000.npz").exists()


def test_the_same_run_file_with_other_inputs_is_refused(tmp_path):
    computed(tmp_path)
    with pytest.raises(ValueError, match="made from other inputs"):
        claim(tmp_path, RUN, "another")


def test_a_damaged_run_file_is_refused(tmp_path):
    computed(tmp_path)
    (tmp_path / "run.toml").write_text("[")
    with pytest.raises(ValueError, match="run.toml is damaged"):
        claim(tmp_path, RUN, "id")


def test_a_file_in_the_place_of_the_directory_is_refused(tmp_path):
    (tmp_path / "out").write_text("")
    for root in (tmp_path / "out", tmp_path / "out" / "below"):
        with pytest.raises(ValueError, match="is, or lies below, a file; choose another with -o"):
            claim(root, RUN, "id")


def test_a_directory_that_cannot_be_written_is_refused(tmp_path, monkeypatch):
    # Permissions do not bind the superuser, who may run the tests: the system call is made to fail.
    def refuse(*_, **__):
        raise PermissionError(errno.EACCES, "Permission denied", str(tmp_path))

    monkeypatch.setattr(output_module.Path, "mkdir", refuse)
    with pytest.raises(ValueError, match=r"cannot be written \(permission denied\); choose another with -o"):
        claim(tmp_path / "out", RUN, "id")


def test_a_full_disk_leaves_what_was_there(tmp_path, monkeypatch):
    taken = computed(tmp_path)
    before = taken.read_info()

    def full(self, text, **_):
        with open(self, "w") as file:
            file.write(text[:3])
        raise OSError(errno.ENOSPC, "No space left on device", str(self))

    monkeypatch.setattr(output_module.Path, "write_text", full)
    with pytest.raises(OSError, match="disk"):
        taken.write_info({"identity": "changed"})
    assert taken.read_info() == before == json.loads((tmp_path / "run_info.json").read_text())
    assert not list(tmp_path.glob(".*.tmp"))


def test_fingerprints_see_values_shapes_and_sources(tmp_path):
    source = tmp_path / "m.py"
    source.write_text("a")
    arrays = np.arange(6.0)
    first = fingerprint({"a": arrays}, [source])
    assert first == fingerprint({"a": arrays.copy()}, [source])
    assert first != fingerprint({"a": arrays.reshape(2, 3)}, [source])
    assert first != fingerprint({"a": arrays + 1e-16 * (arrays == 0)}, [source])
    source.write_text("b")
    assert first != fingerprint({"a": arrays}, [source])


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("tables", [RUN, {**RUN, "title": "b"}])
def test_a_directory_that_a_run_works_in_is_refused_and_untouched(tmp_path, tables, overwrite):
    computed(tmp_path)
    with claim_while(tmp_path, RUN, "id"):
        before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
        words = rf"{tmp_path}: another run writes to it \(process {os.getpid()} on .*\); wait until it has ended"
        with pytest.raises(InUseError, match=words):
            refuse_early(tmp_path, RUN)
        with pytest.raises(InUseError, match=words):
            claim(tmp_path, tables, "id", overwrite=overwrite)
        assert before == {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    refuse_early(tmp_path, RUN)
    (tmp_path / ".corundum-lock").write_text("{}")  # of a run that was killed
    refuse_early(tmp_path, RUN)
    assert claim(tmp_path, tables, "id", overwrite=True).state == "new"


def test_what_can_be_refused_is_refused_before_halos_are_drawn(tmp_path):
    own = {"halos": {"n": 3, "log_mvir": [10.0, 12.0], "path": "a.h5"}, "model": {"parameters": {"a.b": 1.0}}}
    claim(tmp_path, {**RUN, **own}, "id").file("results.h5").write_bytes(b"0")
    refuse_early(tmp_path, {"halos": {"n": 3, "path": "./a.h5", "key": 4}})  # spellings and defaults may be the same
    with pytest.raises(
        ValueError, match=r"a different run \(halos.n is 3 there and 4 here; .* is 1.0 there and 2.0 here"
    ):
        refuse_early(tmp_path, {"halos": {"n": 4}, "model": {"parameters": {"a.b": 2.0}}})
    with pytest.raises(ValueError, match=r"halos.log_mvir is \[10.0, 12.0\] there and \[10.0, 11.0\] here"):
        refuse_early(tmp_path, {"halos": {"log_mvir": [10.0, 11.0]}})
    refuse_early(tmp_path, {"halos": {"n": 4}}, overwrite=True)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "notes.txt").write_text("mine")
    with pytest.raises(ValueError, match="is not empty and holds no corundum run"):
        refuse_early(tmp_path / "other", RUN)
    with pytest.raises(ValueError, match="is, or lies below, a file"):
        refuse_early(tmp_path / "other" / "notes.txt", RUN)
    with pytest.raises(ValueError, match="notes.txt is a file.; choose another with -o"):
        refuse_early(tmp_path / "other" / "notes.txt" / "run", RUN)
    refuse_early(tmp_path / "new" / "run", RUN)
    assert not (tmp_path / "new").exists()


def test_a_finished_run_is_known_where_nothing_can_be_written(tmp_path, monkeypatch):
    computed(tmp_path, "2026-01-01")

    def refuse(*_, **__):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(locks.os, "open", refuse)
    assert claim(tmp_path, RUN, "id").state == "finished"
    with pytest.raises(ValueError, match=r"cannot be written \(read-only file system\); choose another with -o"):
        claim(tmp_path, RUN, "id", overwrite=True)


def test_what_is_left_of_a_run_that_was_being_discarded_never_counts_as_finished(tmp_path, monkeypatch):
    computed(tmp_path, "2026-01-01")

    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(output_module.shutil, "rmtree", stop)
    with pytest.raises(KeyboardInterrupt):
        claim(tmp_path, {**RUN, "title": "b"}, "id", overwrite=True)
    monkeypatch.undo()
    with pytest.raises(ValueError, match="holds a different run .title is 'a' there and 'b' here"):
        claim(tmp_path, {**RUN, "title": "b"}, "id")
    assert claim(tmp_path, {**RUN, "title": "b"}, "id", overwrite=True).state == "new"
