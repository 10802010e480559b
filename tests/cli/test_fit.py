"""`corundum fit`, `corundum mocks` and `corundum forecast` end to end, on a model that solves at once."""

import csv
import re
import sys
import tomllib
from importlib import resources

import numpy as np
import pytest

import corundum as co
from corundum.cli.jobs.parts import many_halos, modes
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
predictive = 16
check = ["sfms_davies16"]
[fit.sampler]
kind = "inference.NUTS"
chains = 2
warmup = 16
draws = 24
[fit.priors]
time = [0.0, 1.0]
"offset.coldgas_xgass" = {kind = "Normal", loc = 0.0, scale = 0.05}
[mocks]
number = 6
block = 4
truth_halos = 32
[mocks.fit]
starts = 2
[forecast]
factors = [1.0, 0.5]
add = ["sfms_davies16"]
[forecast.sampler]
chains = 2
warmup = 8
draws = 16
"""


@pytest.fixture
def run_file(tmp_path):
    (tmp_path / "run.toml").write_text(RUN)
    return str(tmp_path / "run.toml")


def test_a_mode_that_was_not_reached_is_said():
    mode = modes.Mode(None, "1 of 8 starts converged; one mode; ln density -3.20", False)
    assert mode.sentence.startswith("did NOT converge, so that the Gaussian is not about the highest density; ")
    assert "give more starts" in mode.sentence and mode.sentence.endswith(mode.words)


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
    assert "    mode     converged; " in told
    data = co.io.load_posterior(out / "posterior-2.nc")
    assert data.posterior.attrs["mode_converged"] == 1 and data.posterior.attrs["mode"].startswith("converged; ")
    assert {"posterior", "prior", "posterior_predictive", "prior_predictive", "log_likelihood", "observed_data",
            "sample_stats"} <= set(data)  # fmt: skip
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
    assert main(["fit", run_file, "-o", str(out), "--set", "fit.sampler.draws=25"]) == 2
    assert "holds a different run (fit.sampler.draws is 24 there and 25 here)" in capsys.readouterr().err


@pytest.mark.slow
def test_mocks(run_file, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["mocks", run_file, "-o", str(out), "--set", "fit.combinations=[['coldgas_xgass']]"]) == 0
    assert "6 mocks by FitLaplace" in capsys.readouterr().out
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
    assert sigma["with GAMA (Davies+16)", "time"] <= sigma["errors as they are", "time"] + 1e-9
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
        ("fit.sampler=inference.NUTZ", "fit.sampler.kind: unknown kind 'inference.NUTZ'; did you mean inference.NUTS"),
        ("fit.sampler.kind=inference.StudentT", "'inference.StudentT' does not fit here; it can be 'inference."),
        ("fit.sampler={kind='inference.HMC', length=2.0}", "fit.sampler.length: unknown key; allowed: trajectory"),
        ("fit.sampler.draws=2", "draws: got 2; give a whole number of at least 4"),
        (
            "fit.likelihood.degrees=4",
            "fit.likelihood: this table needs kind = \"...\"; it can be 'inference.Gaussian', ",
        ),
        ("fit.regression.bandwidth=0.2", "this table needs kind = \"...\"; it can be 'observables.LocalLinear'"),
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


METHODS = """
import equinox as eqx
import jax.numpy as jnp
from corundum import inference, observables

class Independent(inference.AbstractSampler):
    draws: int = eqx.field(static=True, default=64)
    def sample(self, target, start, *, key, store=None, progress=None):
        return inference.Chains(start.coordinate_draws(4 * self.draws, key=key).reshape(4, self.draws, -1))

class WideGaussian(inference.AbstractLikelihood):
    width: float = eqx.field(static=True, default=2.0)
    def __call__(self, residual, covariance, groups):
        return inference.Gaussian()(residual, self.width**2 * covariance, groups)
    def information(self, size):
        return self.width**-2

class GasFraction(observables.AbstractRelation):
    title = "gas fraction"
    x_axis = observables.ColdGasFraction.x_axis
    y_axis = observables.ColdGasFraction.y_axis
    def x(self, galaxies):
        return jnp.log10(galaxies["mstar"])
    def y(self, galaxies):
        return jnp.log10(galaxies["mism"] / galaxies["mstar"])
"""


@pytest.fixture
def own_methods(run_file, tmp_path, monkeypatch):
    """A module of a user's own sampler, likelihood and relation, and a file of data for the relation."""
    (tmp_path / "mymethods.py").write_text(METHODS)
    lines = (resources.files("corundum") / "data/measurements/coldgas_xgass.txt").read_text().splitlines()
    (tmp_path / "mine.txt").write_text("\n".join(line for line in lines if not line.startswith("# relation:")))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    yield [
        run_file,
        "--set", "fit.data=[{kind='observables.read', path='mine.txt', relation='mymethods:GasFraction'}]",
        "--set", "fit.combinations=[['mine']]", "--set", "fit.free=['time', 'loading']",
        "--set", "fit.priors={time=[0.0, 1.0]}",
        "--set", "fit.likelihood={kind='mymethods:WideGaussian', width=3.0}",
        "--set", "fit.sampler={kind='mymethods:Independent', draws=32}",
        "--set", "mocks.fit={kind='inference.FitSampler', starts=2, sampler={kind='mymethods:Independent'}}",
        "--set", "forecast.sampler=mymethods:Independent", "--set", "forecast.add=['sfms_davies16']",
    ]  # fmt: skip
    sys.modules.pop("mymethods", None)


def test_methods_of_a_users_own_are_named_by_kind_in_fit_mocks_and_forecast(own_methods, capsys):
    for command in ("fit", "mocks", "forecast"):
        assert main([command, *own_methods, "--dry-run"]) == 0, capsys.readouterr().err
        tables = tomllib.loads(capsys.readouterr().out)
        assert tables["fit"]["sampler"] == {"kind": "mymethods:Independent", "draws": 32}
        assert tables["fit"]["likelihood"] == {"kind": "mymethods:WideGaussian", "width": 3.0}
        assert tables["fit"]["data"][0]["relation"] == {"kind": "mymethods:GasFraction"}
    assert tables["forecast"]["sampler"] == {"kind": "mymethods:Independent", "draws": 64}
    with pytest.raises(SystemExit):
        main(["fit", "--help"])


def test_the_resolved_run_file_names_every_method_with_its_numbers(run_file, capsys):
    assert main(["fit", run_file, "--dry-run", "--set", "fit.likelihood=inference.StudentT"]) == 0
    fit = tomllib.loads(capsys.readouterr().out)["fit"]
    assert fit["sampler"]["kind"] == "inference.NUTS" and fit["sampler"]["draws"] == 24
    assert fit["sampler"]["target_accept"] == 0.85 and fit["optimiser"]["kind"] == "inference.GaussNewton"
    assert fit["likelihood"] == {"kind": "inference.StudentT", "degrees": 4.0}


@pytest.mark.parametrize(
    "kind", [None, "NUTS", "HMC", "SurrogateHMC", "NestedSampler", "AffineInvariant", "SliceEnsemble"]
)
def test_every_sampler_is_named_by_its_kind(run_file, tmp_path, capsys, kind):
    settings = '[fit.sampler]\nkind = "inference.NUTS"\nchains = 2\nwarmup = 16\ndraws = 24\n'
    (tmp_path / "run.toml").write_text(RUN.replace(settings, ""))
    setting = [] if kind is None else ["--set", f"fit.sampler.kind=inference.{kind}"]
    assert main(["fit", run_file, "--dry-run", *setting]) == 0
    sampler = tomllib.loads(capsys.readouterr().out)["fit"]["sampler"]
    assert sampler["kind"] == f"inference.{kind or 'SurrogateHMC'}"


@pytest.mark.slow
def test_a_fit_with_methods_of_a_users_own(own_methods, tmp_path, capsys):
    for command in ("fit", "mocks", "forecast"):
        assert main([command, *own_methods, "-o", str(tmp_path / command)]) == 0, capsys.readouterr().err
    data = co.io.load_posterior(tmp_path / "fit" / "posterior-1.nc")
    assert data.posterior["time"].shape == (4, 32)
    assert "6 mocks by FitSampler" in capsys.readouterr().out


MANY = """
[fit.many_halos]
kind = "halos.diffmah_population"
n = 200
log_mvir = [10.5, 12.5]
key = 3
"""


@pytest.fixture
def many_file(tmp_path):
    smaller = RUN.replace("[fit]\n", "[fit]\nmany_halos_points = 24\nsample = false\n")
    (tmp_path / "many.toml").write_text(smaller + MANY)
    return str(tmp_path / "many.toml")


@pytest.mark.slow
def test_a_fit_corrected_to_many_halos_is_interrupted_and_resumed(many_file, tmp_path, monkeypatch, capsys):
    """Modes are those of a run without interruption, and a correction that is kept is not computed again."""
    solved, both = [], many_halos.both_predictions
    monkeypatch.setattr(many_halos, "both_predictions", lambda *args: solved.append(1) or both(*args))
    assert main(["fit", many_file, "-o", str(tmp_path / "whole")]) == 0
    assert "2 fits of 3 parameters in 32 halos corrected to 200" in capsys.readouterr().out and len(solved) == 2
    keep = co.io.Checkpoint.save

    def stopping(self, arrays, identity=None):
        keep(self, arrays, identity)
        if self.path.name == "many-halos-1.npz":
            raise KeyboardInterrupt

    monkeypatch.setattr(co.io.Checkpoint, "save", stopping)
    assert main(["fit", many_file, "-o", str(tmp_path / "parts")]) == 130 and len(solved) == 4
    monkeypatch.setattr(co.io.Checkpoint, "save", keep)
    assert main(["fit", many_file, "-o", str(tmp_path / "parts")]) == 0 and len(solved) == 4
    tables = [(tmp_path / name / "parameters.csv").read_text() for name in ("whole", "parts")]
    assert tables[0] == tables[1]
    assert "many_halos_points = 24" in (tmp_path / "parts" / "run.toml").read_text()


def test_data_beyond_the_many_halos_are_left_out_in_a_sentence(many_file, tmp_path, capsys):
    """Many halos of fewer masses than the few say nothing of data at the others."""
    narrower = ["--set", "fit.many_halos.log_mvir=[10.5, 11.6]"]
    assert main(["fit", many_file, "-o", str(tmp_path / "out"), *narrower]) == 0
    sentence = r"[1-9]\d* points? of .* beyond the galaxies of most of the posterior: left out, because many halos"
    for text in (capsys.readouterr().out, (tmp_path / "out" / "findings.txt").read_text()):
        assert re.search(sentence, text)


@pytest.mark.parametrize("command", ["mocks", "forecast"])
def test_commands_that_do_not_correct_to_many_halos_say_so(many_file, capsys, command):
    assert main([command, many_file, "--dry-run"]) == 2
    assert "fit.many_halos: only corundum fit corrects predictions to many halos; remove it" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("fit.many_halos.kind=models.ThermalCGM", "fit.many_halos"),
        ("fit.many_halos.nn=3", "fit.many_halos.nn: unknown key"),
        ("fit.many_halos_points=2", "many_halos_points: got 2"),
        ("fit.many_halos_error=-1.0", "many_halos_error"),
    ],
)
def test_mistakes_in_many_halos(many_file, capsys, setting, message):
    assert main(["fit", many_file, "--dry-run", "--set", setting]) == 2
    assert message in capsys.readouterr().err
