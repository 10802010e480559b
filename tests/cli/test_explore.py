"""`corundum explore`: its explorer of a run file, the run files it writes, and mistakes in one sentence."""

import http.client
import re
import signal
import subprocess
import sys
import time
import urllib.request

import pytest

from corundum.cli.jobs.explore import explorer_of
from corundum.cli.main import main
from corundum.cli.runfile.job import prepare
from corundum.cli.runfile.reader import read_run_file

RUN = """
title = "a small sample"
[halos]
kind = "halos.monte_carlo_trees"
n = 6
resolution = 1e-3
[model]
kind = "models.pandya26"
[model.parameters]
mass_loading.slope = -1.5
[compare]
measurements = ["shmr_behroozi19_sf"]
[fit]
data = ["shmr_behroozi19_sf"]
free = ["mass_loading.slope", "offset.shmr_behroozi19_sf"]
[fit.priors]
mass_loading.slope = {kind = "Normal", loc = -1.0, scale = 0.2}
offset.shmr_behroozi19_sf = {kind = "Normal", loc = 0.0, scale = 0.1}
"""


@pytest.fixture(scope="module")
def run_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("explore") / "run.toml"
    path.write_text(RUN)
    return path


def test_run_files_of_what_is_shown_make_the_same_model(run_file, tmp_path):
    explorer = explorer_of(read_run_file(run_file), 4)
    assert explorer.title == "a small sample" and len(explorer.view.halos) == 4
    laws = {"energy_loading": "ConstantLoading"}
    values = {"mass_loading.amplitude": 2.5, "energy_loading.constant": 0.3, "channels.wind": 0.5}
    (tmp_path / "explored.toml").write_text(explorer.run_file(laws, values))
    job = prepare(read_run_file(tmp_path / "explored.toml"))
    assert type(job.model.energy_loading).__name__ == "ConstantLoading"
    assert float(job.model.energy_loading.constant) == 0.3
    assert float(job.model.mass_loading.amplitude) == 2.5
    assert float(job.model.mass_loading.slope) == -1.5
    assert float(job.model.channels["wind"]) == 0.5
    assert [measurement.name for measurement, _ in job.measurements] == ["shmr_behroozi19_sf"]


def test_priors_and_ticks_are_those_of_the_fit_in_the_run_file(run_file):
    description = explorer_of(read_run_file(run_file), 4).describe({})
    priors = {entry["name"]: entry["prior"] for entry in description["parameters"]}
    assert description["free"] == ["mass_loading.slope"]
    assert priors["mass_loading.slope"] == "normal, 0.2 around -1"
    assert priors["mass_loading.amplitude"] == "uniform in decades from 0.01 to 10, the declared range"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--port", "99999"], "port: got 99999; allowed 0"),
        (["--halos", "0"], "--halos: got 0; "),
        (["--set", "compare.measurements=[]"], "no measurement fits the redshifts of output.redshifts"),
        (["--set", "compare.measurment=3"], "unknown key; did you mean measurements?"),
        (
            ["--set", "fit.priors={'mass_loading.slope' = [-9.0, 0.0]}"],
            "mass_loading.slope: (-9, 0) is outside",
        ),
    ],
)
def test_mistakes_are_refused_in_one_sentence(run_file, arguments, message, capsys):
    assert main(["explore", str(run_file), *arguments]) == 2
    written = capsys.readouterr().err
    assert message in written and "Traceback" not in written


def test_a_dry_run_says_what_would_be_shown(run_file, capsys):
    assert main(["explore", str(run_file), "--halos", "3", "--dry-run"]) == 0
    assert capsys.readouterr().out == "3 halos, 53 numbers, shmr_behroozi19_sf\n"


def test_one_page_is_written_where_it_was_asked_for(run_file, tmp_path, capsys):
    file = tmp_path / "explored.html"
    simple = 'model={kind = "models.MinimalRegulator"}'
    assert main(["explore", str(run_file), "--halos", "3", "--set", simple, "--export", str(file)]) == 0
    assert capsys.readouterr().out == f"{file}\n"
    assert "a small sample" in file.read_text()
    assert [path.name for path in tmp_path.iterdir()] == ["explored.html"]


def test_a_missing_file_and_settings_without_one(tmp_path, capsys):
    assert main(["explore", str(tmp_path / "none.toml")]) == 2
    assert "no such file" in capsys.readouterr().err
    assert main(["explore", "--set", "halos.n=3"]) == 2
    assert "--set: there is no run file to set keys of; name one" in capsys.readouterr().err


def test_the_command_prints_an_address_that_works_until_ctrl_c(run_file):
    command = [sys.executable, "-m", "corundum", "explore", str(run_file), "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        lines = [process.stdout.readline(), process.stdout.readline()]
        address = re.search(r"http://127\.0\.0\.1:\d+/\?token=\S+", lines[0])
        assert address and lines[1] == "Ctrl-C ends it.\n"
        with urllib.request.urlopen(address[0], timeout=60) as answer:
            assert answer.status == 200
        host, token = re.search(r"//(.+?)/\?token=(.+)", address[0]).groups()
        asking = http.client.HTTPConnection(host)
        slopes = '{"names": ["mass_loading.amplitude"]}'
        asking.request("POST", "/slopes", slopes, {"X-Token": token})  # which compiles for longer than this test
        while (
            b"slopes"
            not in urllib.request.urlopen(
                urllib.request.Request(f"http://{host}/busy", headers={"X-Token": token})
            ).read()
        ):
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        assert process.wait(8) == 0
        assert "Traceback" not in process.stderr.read()
    finally:
        process.kill()
