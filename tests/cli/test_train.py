"""`corundum train` end to end, on a model that compiles at once."""

import json
import os
import signal
import subprocess
import sys
import time
import tomllib

import numpy as np
import pytest

import corundum as co
from corundum.cli.main import main
from corundum.plots.reports.train import learned_laws
from places import SUPPORT

RUN = """
title = "learning"
[halos]
kind = "halos.diffmah_population"
n = 32
log_mvir = [10.5, 12.5]
[model]
kind = "learning:LearningGrowth"
[output]
redshifts = [0.0]
[fit]
data = ["shmr_behroozi19_sf", "coldgas_xgass"]
free = ["galaxy.time"]
[train]
steps = 24
batch = 16
seeds = 3
every = 8
held_out = ["coldgas_xgass"]
"""


@pytest.fixture
def run_file(tmp_path):
    (tmp_path / "run.toml").write_text(RUN)
    return str(tmp_path / "run.toml")


@pytest.mark.slow  # half a minute of compiling; on a table of histories below
def test_a_training_on_relations_is_reported_saved_and_done_once(run_file, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["train", run_file, "-o", str(out)]) == 0
    printed = capsys.readouterr().out
    assert "3 seeds of 13 weights and 1 parameter: validation loss" in printed
    assert "no step has seen it" in printed and "combinations of weights and parameters; ln evidence" in printed
    trained, run_info = co.io.load_training(out / "trained.h5")
    assert run_info["title"] == "learning" and trained.losses.shape == (3, 24) and trained.names == ("galaxy.time",)
    assert np.all(np.isfinite(trained.validation)) and type(trained.model).__name__ == "LearningGrowth"
    figures = {path.stem for path in (out / "figures").glob("*.png")}
    laws = {"law_mass_loading", "band_mass_loading_z0"}
    assert figures == {"training", *laws, "data_shmr_behroozi19_sf", "data_coldgas_xgass"}
    report = (out / "report.html").read_text()
    assert "No step has seen these data." in report and "chi2 / point before" in report
    assert "mass_loading at z = 0 with the Gaussian of all weights" in report
    assert main(["train", run_file, "-o", str(out)]) == 0
    assert "finished" in capsys.readouterr().out


def test_a_report_shows_learned_laws_of_processes_too():
    law = co.physics.neural_law("log_mstar", base=co.physics.StarFormationFeeding(), width=2)
    loading = co.physics.neural_law("log_vvir", base=co.physics.MassLoading(), width=2)
    model = co.models.ThermalCGM(mass_loading=loading, processes={"hole": co.models.BlackHole(cold=law)})
    laws = learned_laws([model, model])
    assert list(laws) == ["mass_loading", "processes.hole.cold"] and laws["processes.hole.cold"] == [law, law]


def test_the_resolved_file_names_all_settings(run_file, capsys):
    assert main(["train", run_file, "--dry-run"]) == 0
    table = tomllib.loads(capsys.readouterr().out)["train"]
    assert table["rule"] == {
        "kind": "inference.AdamRule", "highest": 0.02, "warmup": 0.05, "last": 0.02, "largest_gradient": 10.0
    }  # fmt: skip
    assert table["steps"] == 24 and table["weight_scale"] == 1.0


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("train.held_out=['gasmzr_curti20']", "train.held_out: 'gasmzr_curti20' is not among data"),
        ("train.held_out=['shmr_behroozi19_sf', 'coldgas_xgass']", "it names all of"),
        ("train.data_batch=5", "are one part, which covariances join; leave data_batch out"),
        ("train.batch=500", "batch: got 500 halos; 24 are left"),
        ("train.stepz=3", "did you mean steps"),
        ("train.rule.highest=-1.0", "highest: got -1.0"),
        ("model.kind='growing:Growing'", "it has no network"),
    ],
)
def test_mistakes_are_one_sentence(run_file, tmp_path, capsys, setting, message):
    free = ["--set", "fit.free=['time']"] if "Growing'" in setting else []
    assert main(["train", run_file, "-o", str(tmp_path / "out"), "--set", setting, *free]) == 2
    error = capsys.readouterr().err
    assert message in error and "Traceback" not in error


@pytest.mark.slow
def test_a_training_that_is_killed_resumes_bit_for_bit(run_file, tmp_path):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(SUPPORT), os.environ.get("PYTHONPATH", "")])}
    code = (
        "import corundum.inference.training.train as t; t._SECONDS = 0.0\n"
        "import sys; from corundum.cli.main import main; sys.exit(main(sys.argv[1:]))"
    )

    def start(out):
        return subprocess.Popen(
            [sys.executable, "-c", code, "train", run_file, "-o", str(out), "-q"], env=environment, cwd=tmp_path
        )

    assert start(tmp_path / "whole").wait() == 0
    process = start(tmp_path / "killed")
    kept = tmp_path / "killed" / "checkpoint" / "training.npz"
    while not kept.exists() and process.poll() is None:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert kept.exists()
    assert start(tmp_path / "killed").wait() == 0
    one, other = (co.io.load_training(tmp_path / name / "trained.h5")[0] for name in ("whole", "killed"))
    for a, b in zip(one[:2] + one[3:7], other[:2] + other[3:7], strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.fixture
def histories_file(tmp_path):
    rows = [f"{halo} {z} {1e9 + halo * 1e8 * (3 - z)} 0.05" for halo in range(32) for z in (0.0, 2.0)]
    (tmp_path / "states.txt").write_text("\n".join(["halo redshift mstar mstar_error", *rows]) + "\n")
    text = RUN.split("[fit]")[0] + '[train]\nhistories = "states.txt"\nfree = ["galaxy.time"]\nsteps = 6\nbatch = 16\n'
    (tmp_path / "histories.toml").write_text(text)
    return str(tmp_path / "histories.toml")


def test_a_training_on_a_table_of_histories_is_reported_saved_and_done_once(histories_file, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["train", histories_file, "-o", str(out), "--set", "train.posterior=false"]) == 0
    printed = capsys.readouterr().out
    assert "mstar, halos of the steps: chi2 of a point" in printed
    assert any("mstar, halos kept apart" in line and "no step has seen it" in line for line in printed.splitlines())
    trained, _ = co.io.load_training(out / "trained.h5")
    assert trained.losses.shape == (1, 6) and trained.names == ("galaxy.time",)
    assert "Over the data" not in (out / "report.html").read_text()
    again = tomllib.loads(json.loads((out / "run_info.json").read_text())["run_file"])
    assert again["train"]["histories"] == str(tmp_path / "states.txt")
    assert {path.stem for path in (out / "figures").glob("*.png")} >= {"training", "law_mass_loading"}
    assert main(["train", histories_file, "-o", str(out), "--set", "train.posterior=false"]) == 0
    assert "finished" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["train.histories='nowhere.txt'"], "train.histories: "),
        (["fit.data=['shmr_behroozi19_sf']"], "train.histories: the group [fit] names data as well"),
        (["train.held_out=['shmr_behroozi19_sf']"], "train.held_out: a table of histories has no measurements"),
        (["train.errors={mism=0.1}"], "errors: those of mism do not fit"),
        (["train.free=['galaxy.tame']"], "did you mean galaxy.time"),
        (["model.kind='growing:Growing'", "train.free=['time']"], "model: it has no network"),
    ],
)
def test_mistakes_with_histories_are_one_sentence(histories_file, tmp_path, capsys, settings, message):
    changes = [word for setting in settings for word in ("--set", setting)]
    assert main(["train", histories_file, "-o", str(tmp_path / "out"), *changes]) == 2
    error = capsys.readouterr().err
    assert message in error and "Traceback" not in error


def test_what_belongs_to_histories_is_refused_without_them(run_file, tmp_path, capsys):
    assert main(["train", run_file, "-o", str(tmp_path / "out"), "--set", "train.free=['galaxy.time']"]) == 2
    assert "train.free: belongs to histories" in capsys.readouterr().err
