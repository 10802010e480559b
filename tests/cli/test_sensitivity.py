"""`corundum sensitivity` and `corundum check-gradients` end to end, on a model that solves at once."""

import sys

import numpy as np
import pytest

import corundum as co
from corundum.cli.main import main

RUN = """
title = "toy"
[halos]
kind = "halos.diffmah_population"
n = 4
log_mvir = [11.0, 12.0]
[model]
kind = "toy:Toy"
[output]
redshifts = [0.0]
figures = ["png"]
[sensitivity]
parameters = ["inflow", "time", "loading"]
halos = 2
times = 4
sets = 5
sobol = 2
block = 2
"""


@pytest.fixture
def run_file(tmp_path):
    (tmp_path / "run.toml").write_text(RUN)
    return str(tmp_path / "run.toml")


def test_a_run_is_interrupted_resumed_and_reported(run_file, tmp_path, monkeypatch, capsys):
    keep, calls = co.io.CheckpointFolder.save, []

    def stopping(self, block, arrays, inputs=None):
        keep(self, block, arrays, inputs)
        calls.append((self.folder.name, block))
        if len(calls) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(co.io.CheckpointFolder, "save", stopping)
    out = tmp_path / "out"
    assert main(["sensitivity", run_file, "-o", str(out)]) == 130
    assert "the same command resumes" in capsys.readouterr().err
    first = dict(np.load(out / "checkpoint" / "prior" / "block-00000.npz", allow_pickle=False))
    assert main(["sensitivity", run_file, "-o", str(out)]) == 0
    assert calls == [("prior", 0), ("prior", 1), ("prior", 2), *(("sobol", k) for k in range(5))]
    told = capsys.readouterr().out
    assert "sensitivity of 2 halos to 3 parameters (2 solved)" in told and "Toy has no reservoir cgm" in told

    arrays, info = co.io.load_sensitivity(out / "sensitivity.h5")
    jacobian = arrays["jacobian/derivative"]
    assert jacobian.labels("parameter") == ["inflow", "time", "loading"] and np.all(np.isfinite(jacobian.values))
    channel = arrays["channels/derivative"]
    np.testing.assert_allclose(
        channel.sel(channel="inflow").values * np.log(10), jacobian.sel(parameter="inflow").values, rtol=1e-9
    )
    np.testing.assert_allclose(arrays["routes/derivative"].sum("channel").values, jacobian.values, atol=1e-4)
    assert arrays["modes/eigenvalue"].values.dtype == complex and arrays["prior/phi"].shape[0] == 3
    assert arrays["dgsm/nu"].dims == ("halo", "redshift", "quantity", "parameter")
    assert "budgets/mass" not in arrays and "sobol/total" in arrays and info["title"] == "toy"
    assert first["jacobian"].shape == (2, 2, 1, 2, 3)
    report = (out / "report.html").read_text()
    for title in ("Response to parameters", "Time scales and modes", "Over the whole prior", "How to reproduce"):
        assert title in report
    assert "a galaxy in a halo of 10^" in report and "log10 gas" not in report
    assert (out / "figures" / "jacobian.png").exists() and not (out / "checkpoint").exists()
    assert main(["sensitivity", run_file, "-o", str(out)]) == 0
    assert "nothing was done" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ('sensitivity.parameters=["inflw"]', "unknown parameter 'inflw' of Toy: did you mean inflow"),
        ("sensitivity.parameters=[]", "got an empty list"),
        ("sensitivity.sobol=3", "got 3; allowed 0 or a power of two"),
        ("sensitivity.redshifts=[50.0]", "these histories cover"),
        ("sensitivity.halo=3", "unknown key; did you mean halos?"),
        ("sensitivity.sets=-1", "got -1; allowed at least 0"),
    ],
)
def test_mistakes_are_told_in_one_sentence(run_file, setting, message, capsys):
    assert main(["sensitivity", run_file, "--dry-run", "--set", setting]) == 2
    error = capsys.readouterr().err
    assert message in error and "Traceback" not in error and error.count("\n") == 1


def test_sobol_indices_without_their_package_are_refused_at_once(run_file, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "SALib.analyze.sobol", None)
    assert main(["sensitivity", run_file, "--dry-run"]) == 2
    error = capsys.readouterr().err
    assert "sobol: Sobol indices and Morris screening need SALib, which is not installed" in error
    assert "or set sobol = 0" in error and error.count("\n") == 1


def test_a_dry_run_writes_out_all_defaults(run_file, capsys):
    assert main(["sensitivity", run_file, "--dry-run"]) == 0
    told = capsys.readouterr().out
    assert "[sensitivity]" in told and "redshifts = [0.0]" in told and "sobol = 2" in told


def test_gradients_of_a_model_are_checked(capsys):
    asked = ["toy:Toy", "--parameters", "inflow", "idle", "--halos", "2", "--steps", "1e-3", "--tolerances", "1e-10"]
    assert main(["check-gradients", *asked]) == 0
    told = capsys.readouterr().out
    assert "1 columns passed, 0 failed" in told and "no response" in told and "step 1e-03" in told
    assert main(["check-gradients", *asked, "--threshold", "1e-16"]) == 1
    assert "1 failed" in capsys.readouterr().out
    assert main(["check-gradients", "toy:Toy", "--parameters", "inflw"]) == 2
    assert "did you mean inflow" in capsys.readouterr().err
    assert main(["check-gradients", "ThermalCGN"]) == 2
    assert "models.ThermalCGM" in capsys.readouterr().err
