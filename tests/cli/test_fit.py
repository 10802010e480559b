"""`corundum fit`, `corundum mocks` and `corundum forecast` end to end, on a model that solves at once."""

import csv

import numpy as np
import pytest

import corundum as co
from corundum.cli.main import main

RUN = """
title = "growing"
[halos]
kind = "halos.diffmah_population"
n = 32
log_mvir = [10.5, 12.5]
[model]
kind = "growing:Growing"
[output]
redshifts = [0.0]
figures = ["png"]
[fit]
data = ["shmr_behroozi19_sf", "coldgas_xgass"]
combinations = [["shmr_behroozi19_sf"], ["shmr_behroozi19_sf", "coldgas_xgass"]]
free = ["time", "loading", "offset.coldgas_xgass"]
redshifts = [0.0]
starts = 2
chains = 2
warmup = 16
draws = 24
predictive = 16
check = ["sfms_davies16"]
[fit.priors]
time = [0.0, 1.0]
"offset.coldgas_xgass" = {kind = "Normal", loc = 0.0, scale = 0.05}
[mocks]
number = 6
block = 4
starts = 2
truth_halos = 32
[forecast]
factors = [1.0, 0.5]
add = ["sfms_davies16"]
chains = 2
warmup = 8
draws = 16
"""


@pytest.fixture
def run_file(tmp_path):
    (tmp_path / "run.toml").write_text(RUN)
    return str(tmp_path / "run.toml")


@pytest.mark.slow
def test_a_fit_is_interrupted_resumed_and_reported(run_file, tmp_path, monkeypatch, capsys):
    out, calls, keep = tmp_path / "out", [], co.io.Checkpoint.save

    def stopping(self, arrays, identity=None):
        keep(self, arrays, identity)
        calls.append(self.path.name)
        if calls.count("chains-1.npz") == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(co.io.Checkpoint, "save", stopping)
    assert main(["fit", run_file, "-o", str(out)]) == 130
    assert "the same command resumes" in capsys.readouterr().err
    monkeypatch.setattr(co.io.Checkpoint, "save", keep)
    assert main(["fit", run_file, "-o", str(out)]) == 0
    told = capsys.readouterr().out
    assert "2 fits of 3 parameters in 32 halos" in told and "starts converged" in told and "points of" in told
    data = co.io.load_posterior(out / "posterior-2.nc")
    assert {"posterior", "prior", "posterior_predictive", "prior_predictive", "log_likelihood", "observed_data",
            "sample_stats"} <= set(data.groups())  # fmt: skip
    assert data.posterior["time"].shape == (2, 24) and data.posterior["time"].attrs["units"] == "dex"
    rows = list(csv.reader((out / "parameters.csv").open()))
    assert [row[0] for row in rows[1:]] == ["time", "loading", "offset.coldgas_xgass"] and len(rows[0]) == 7
    assert r"\begin{tabular}{lcc}" in (out / "parameters.tex").read_text()
    assert "parameters are known to less than half" in (out / "findings.txt").read_text()
    report = (out / "report.html").read_text()
    for title in ("What the fit says", "Over the data", "What was not fitted", "Can it be trusted"):
        assert title in report
    assert (out / "figures" / "corner.png").exists() and not (out / "checkpoint").exists()
    assert main(["fit", run_file, "-o", str(out)]) == 0
    assert "nothing was done" in capsys.readouterr().out
    assert main(["fit", run_file, "-o", str(out), "--set", "fit.draws=25"]) == 2
    assert "holds a different run (fit.draws is 24 there and 25 here)" in capsys.readouterr().err


@pytest.mark.slow
def test_mocks(run_file, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["mocks", run_file, "-o", str(out), "--set", "fit.combinations=[['coldgas_xgass']]"]) == 0
    assert "6 mocks by laplace" in capsys.readouterr().out
    rows = list(csv.DictReader((out / "mocks.csv").open()))
    assert len(rows) == 18 and all(0.0 <= float(row["rank"]) <= 1.0 for row in rows)
    assert "coverage of 68%" in (out / "report.html").read_text()


@pytest.mark.slow
def test_forecast(run_file, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["forecast", run_file, "-o", str(out)]) == 0
    assert "errors x 0.5" in capsys.readouterr().out
    rows = list(csv.DictReader((out / "forecast.csv").open()))
    sigma = {(row["scenario"], row["parameter"]): float(row["sigma Fisher"]) for row in rows}
    assert sigma["errors x 0.5", "loading"] < sigma["errors as they are", "loading"]
    assert sigma["with sfms_davies16", "time"] <= sigma["errors as they are", "time"] + 1e-9
    assert np.isfinite(float(rows[0]["sigma sampled"])) and (out / "figures" / "forecast.png").exists()


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("fit.data=[]", "got an empty list"),
        ('fit.data=["shmr_behroozi"]', "unknown measurement 'shmr_behroozi': did you mean"),
        ('fit.combinations=[["sfms_davies16"]]', "'sfms_davies16' is not among data"),
        ('fit.free=["tme"]', "unknown parameter 'tme' of Growing: did you mean time"),
        ("fit.priors.time=[0.9, 1.0]", "lies outside its prior"),
        ('fit.priors.time={kind="Norml"}', "no distribution 'Norml' in numpyro; did you mean Normal"),
        ("fit.method=magic", "expected 'nuts' or 'hmc' or 'ensemble' or 'laplace'"),
        ("fit.sampels=3", "unknown key"),
    ],
)
def test_mistakes_are_told_in_one_sentence(run_file, capsys, setting, message):
    assert main(["fit", run_file, "--dry-run", "--set", setting]) == 2
    error = capsys.readouterr().err
    assert message in error and error.startswith("corundum: error: ") and error.count("\n") == 1


def test_a_run_file_without_a_fit(run_file, tmp_path, capsys):
    (tmp_path / "bare.toml").write_text(RUN[: RUN.index("[fit]")])
    assert main(["fit", str(tmp_path / "bare.toml"), "--dry-run"]) == 2
    assert "the group [fit] is missing" in capsys.readouterr().err


def test_the_resolved_run_file_repeats_the_run(run_file, tmp_path, capsys):
    assert main(["fit", run_file, "--dry-run"]) == 0
    (tmp_path / "again.toml").write_text(capsys.readouterr().out)
    assert main(["fit", str(tmp_path / "again.toml"), "--dry-run"]) == 0
    assert capsys.readouterr().out == (tmp_path / "again.toml").read_text()
