"""What a command says about its stages: compiling counted apart, what they took the last time, and where time went."""

import io
import json
import sys
import time

import pytest

from corundum.cli import progress
from corundum.cli.compile_clock import CompileClock
from corundum.cli.last_time import LastTime
from corundum.cli.progress import expecting, progress_bar, stage


def on_terminal(monkeypatch):
    """What is written to stderr from now on, as if that were a terminal."""
    shown = io.StringIO()
    shown.isatty = lambda: True
    monkeypatch.setattr(sys, "stderr", shown)
    return shown


def test_compiling_and_stages_inside_are_counted_apart(monkeypatch):
    terminal = on_terminal(monkeypatch)
    clock = {"time": 0.0, "compiled": 0.0}

    def work(seconds, compiling=0.0):
        clock["time"] += seconds
        clock["compiled"] += compiling

    monkeypatch.setattr(time, "perf_counter", lambda: clock["time"])
    monkeypatch.setattr(progress, "compile_seconds", lambda: clock["compiled"])
    timing: dict[str, float] = {}
    with stage("preparing", timing, "prepare"):
        work(1.0, 0.25)
        for _ in range(2):
            with stage("making halos", name="halos"):
                work(4.0, 3.0)
        work(0.5)
    with stage("saving", timing, "save"):
        work(2.0)
    assert timing == {"halos": 2.0, "compile": 6.25, "prepare": 1.25, "save": 2.0}
    assert sum(timing.values()) == clock["time"]
    lines = [line.rpartition("\r")[2].rstrip() for line in terminal.getvalue().split("\n")[:-1]]
    assert lines[0].endswith("4.0 s, 3.0 s of it compiling") and lines[2].endswith("1.5 s, 0.2 s of it compiling")
    assert lines[3].endswith("2.0 s")


def test_spans_inside_one_another_count_once():
    clock = CompileClock()
    for end, duration in ((1.0, 0.5), (1.5, 0.25), (2.0, 1.8), (2.5, 1.0), (9.0, 1.0)):
        clock.add(end, duration)
    assert clock.seconds == pytest.approx(1.8 + 0.5 + 1.0)
    clock("/jax/compilation_cache/compile_time_saved_sec", 5.0)
    assert clock.seconds == pytest.approx(3.3)


def test_stages_say_what_they_took_the_last_time(monkeypatch, tmp_path):
    terminal = on_terminal(monkeypatch)
    first = LastTime(tmp_path / "root", "run quickstart")
    first.record("evolve", 12.3, 11.2)
    first.record("save", 0.1, 0.0)
    first.save()
    LastTime(tmp_path / "root", "run other").save()
    with expecting(LastTime(tmp_path / "root", "run quickstart")), stage("evolving", {}, "evolve"):
        with progress_bar(2, title="galaxies", unit="halos") as update:
            update(2)
        with stage("saving", name="save"):
            pass
    shown = terminal.getvalue()
    assert "evolving: ... 12 s the last time" in shown and "compiling (11 s the last time)" in shown
    assert "saving: ..." in shown and "0 s the last time" not in shown


@pytest.mark.parametrize("content", ["", "[]", '{"run": 3}', '{"run": {"evolve": [1.0]}}', '{"run": {"evolve": "x"}}'])
def test_a_damaged_record_of_the_last_time_says_nothing(content, tmp_path):
    (tmp_path / "stage_seconds.json").write_text(content)
    last_time = LastTime(tmp_path, "run")
    assert last_time.compiling("evolve") is None
    last_time.record("evolve", 2.0, 1.0)
    last_time.save()
    assert LastTime(tmp_path, "run").compiling("evolve") == 1.0


def test_nothing_is_written_where_nothing_is_kept_and_old_runs_are_forgotten(tmp_path):
    nowhere = LastTime(None, "run")
    nowhere.record("evolve", 2.0, 1.0)
    nowhere.save()
    assert nowhere.seconds("evolve") is None and not list(tmp_path.iterdir())
    for number in range(102):
        LastTime(tmp_path, f"run {number}").save()
    titles = json.loads((tmp_path / "stage_seconds.json").read_text())
    assert len(titles) == 100 and "run 1" not in titles and "run 101" in titles
    assert [path.name for path in tmp_path.iterdir()] == ["stage_seconds.json"]
    (tmp_path / "file").write_text("")
    LastTime(tmp_path / "file" / "below", "run").save()
