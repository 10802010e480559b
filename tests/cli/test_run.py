"""Whole runs: what they write, and that an interruption loses nothing."""

import dataclasses
import errno
import html
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tomllib
from pathlib import Path

import h5py
import numpy as np
import pytest

from corundum import io
from corundum.cli.jobs import blocks
from corundum.cli.jobs.output import claim
from corundum.cli.main import main
from corundum.cli.runfile.schema import GROUPS, Output
from corundum.population import evolve
from places import ROOT

HALOS = """
import numpy as np
from corundum.cosmology import pandya26_cosmology
from corundum.halos import HaloHistories

def power_laws(n: int, log_mvir: tuple[float, float] = (11.6, 12.0), key: int = 0) -> HaloHistories:
    cosmology = pandya26_cosmology()
    time = np.geomspace(float(cosmology.age(10.0)), float(cosmology.age(0.0)), 24)
    final = np.linspace(*log_mvir, n)[:, None]
    log_mvir = final + (1.5 + 0.1 * key) * np.log10(time / time[-1])
    return HaloHistories(time, log_mvir, np.full_like(log_mvir, 0.9), provenance={"source": "power laws"})

def no_halos():
    return 3
"""
RUN = """\
title = "small"
[halos]
kind = "smallhalos:power_laws"
n = 14
[model]
kind = "models.pandya26"
[model.parameters]
mass_loading.amplitude = 2.0
[output]
redshifts = [0.0, 2.0]
trajectories = 0
block = 4
figures = ["png"]
[compare]
measurements = ["shmr_behroozi19_sf"]
"""


@pytest.fixture(autouse=True, scope="module")
def here(tmp_path_factory):
    """A working directory with a run file and a module of halos."""
    folder = tmp_path_factory.mktemp("runs")
    (folder / "smallhalos.py").write_text(HALOS)
    (folder / "run.toml").write_text(RUN)
    before, path = os.getcwd(), list(sys.path)
    os.chdir(folder)
    yield folder
    os.chdir(before)
    sys.path[:] = path
    sys.modules.pop("smallhalos", None)


@pytest.fixture(scope="module")
def finished(here):
    """The uninterrupted run."""
    assert main(["run", "run.toml", "-o", "whole"]) == 0
    return here / "whole"


def arrays(path):
    """Every dataset of the results but the run information, as bytes."""
    found = {}
    with h5py.File(path) as file:
        file.visititems(lambda name, item: found.update({name: item[()]}) if isinstance(item, h5py.Dataset) else None)
    return {name: np.asarray(value).tobytes() for name, value in found.items() if not name.startswith("run_info")}


def test_a_run_leaves_results_report_figures_and_what_made_them(finished):
    assert {path.name for path in finished.iterdir()} == {
        "run.toml", "run_info.json", "results.h5", "report.html", "figures"
    }  # fmt: skip
    results = io.load(finished / "results.h5")
    assert len(results.population) == len(results.halos) == 14
    assert np.all(np.asarray(results.population.valid))
    assert "z=0.0" in results.relations["StellarToHaloMass"]
    predicted = results.relations["measurements"]["shmr_behroozi19_sf"]
    assert np.all(np.isfinite(predicted.mean[predicted.reached]))
    assert float(results.parameters["mass_loading.amplitude"].value) == 2.0
    assert "small" in (finished / "report.html").read_text()
    figures = [path.name for path in (finished / "figures").iterdir()]
    assert figures and all(name.endswith(".png") for name in figures)


def test_the_report_names_the_model_its_changes_its_papers_and_its_time(finished):
    page = html.unescape((finished / "report.html").read_text())
    info = json.loads((finished / "run_info.json").read_text())
    assert "<dt>model, of class ThermalCGM</dt><dd>models.pandya26</dd>" in page
    assert "<td>mass_loading.amplitude</td><td>2 *</td><td>1</td><td>0.01 to 10</td>" in page
    assert re.search(r"1 of \d+ numbers differ from those of models.pandya26", page)
    assert "@article{2026arXiv260406318P" in page and "2019MNRAS.488.3143B" in page
    stages = [stage for stage in info["timing_s"] if stage != "report"]
    times = [float(re.search(rf"<td>{stage}</td><td class=\"number\">([\d.]+)</td>", page)[1]) for stage in stages]
    assert sum(times) == pytest.approx(
        float(re.search(r"<td>together</td><td class=\"number\">([\d.]+)", page)[1]), abs=1
    )
    assert "<td>finished</td>" not in page and "<td>resumed</td>" not in page and ">None<" not in page


def test_figures_are_drawn_again_from_the_results(finished, tmp_path, capsys):
    copy = shutil.copytree(finished, tmp_path / "copy")
    before = {path.name: path.read_bytes() for path in (copy / "figures").iterdir()}
    shutil.rmtree(copy / "figures")
    assert main(["plot", str(copy)]) == 0
    assert {path.name: path.read_bytes() for path in (copy / "figures").iterdir()} == before
    assert sorted(capsys.readouterr().out.split()) == sorted(str(copy / "figures" / name) for name in before)
    assert main(["plot", str(copy), "--only", "mass_budget", "--format", "pdf", "svg"]) == 0
    assert {path.name for path in (copy / "figures").iterdir()} == {*before, "mass_budget.pdf", "mass_budget.svg"}


def test_what_cannot_be_drawn_again_is_refused_in_one_sentence(finished, tmp_path, capsys):
    fit = tmp_path / "fit"
    fit.mkdir()
    shutil.copy(finished / "run.toml", fit)
    for given, words in (
        (["nowhere"], "nowhere: there is no such directory; give the one that a run has written with -o"),
        ([str(tmp_path)], "holds no corundum run; give the one"),
        ([str(fit)], "holds a run file and no results; the command that started the run resumes it"),
        (["whole", "--only", "budget"], "has no figure 'budget'; did you mean"),
    ):
        assert main(["plot", *given]) == 2
        assert words in capsys.readouterr().err
    (fit / "posterior-1.nc").touch()
    assert main(["plot", str(fit)]) == 2
    assert "holds a corundum fit, whose files are not enough to draw its figures again" in capsys.readouterr().err


def test_a_run_stopped_while_it_draws_leaves_the_report_with_its_numbers(here, monkeypatch, capsys):
    def stopped(*args, **kwargs):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("corundum.plots.standard_drawings", stopped)
        assert main(["run", "run.toml", "-o", "interrupted"]) == 130
    page = (here / "interrupted" / "report.html").read_text()
    assert "The figures are being drawn" in page and "<figure" not in page
    assert "Model and data" in page and "mass_loading.amplitude" in page
    assert main(["run", "run.toml", "-o", "interrupted"]) == 0
    page = (here / "interrupted" / "report.html").read_text()
    assert "The figures are being drawn" not in page and "<figure" in page


def test_what_was_run_is_written_beside_the_results(finished):
    info = json.loads((finished / "run_info.json").read_text())
    assert info["finished"] and info["started"] and info["resumed"] == []
    assert info["seeds"] == {"halos.key": 0}
    assert info["versions"]["corundum"] and info["versions"]["jax"] and info["devices"]
    stages = ["read", "load", "halos", "prepare", "evolve", "relations", "first report", "save", "figures", "report"]
    assert [stage for stage in info["timing_s"] if stage != "compile"] == stages
    resolved = tomllib.loads((finished / "run.toml").read_text())
    assert info["run_file"] == (finished / "run.toml").read_text()
    assert resolved["halos"] == {"kind": "smallhalos:power_laws", "n": 14, "log_mvir": [11.6, 12.0], "key": 0}
    assert resolved["model"]["parameters"]["mass_loading.amplitude"] == 2.0
    assert resolved["solver"]["kind"] == "numerics.LaneSolver"
    assert io.load(finished / "results.h5").run_info["identity"] == info["identity"]


def test_a_finished_run_is_not_repeated_and_its_run_file_is_the_same_run(finished, capsys):
    before = (finished / "results.h5").stat().st_mtime_ns
    for file in ("run.toml", "whole/run.toml"):
        assert main(["run", file, "-o", "whole"]) == 0
        assert "holds this run already" in capsys.readouterr().out
    assert (finished / "results.h5").stat().st_mtime_ns == before


def test_two_processes_make_the_run_of_one(finished):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        coordinator = f"127.0.0.1:{free.getsockname()[1]}"
    command = [sys.executable, "-m", "corundum.cli.main", "run", "run.toml", "-o", "shared"]
    command += ["--coordinator", coordinator, "--processes", "2", "--process"]
    streams = dict(stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    devices = {**os.environ, "JAX_NUM_CPU_DEVICES": "2"}  # as in this process
    running = [subprocess.Popen([*command, str(process)], env=devices, **streams) for process in range(2)]
    printed = [process.communicate(timeout=400)[0] for process in running]
    assert [process.returncode for process in running] == [0, 0], printed
    assert "14 halos, 14 solved" in printed[0] and "solved" not in printed[1]
    shared, alone = (io.load(Path(folder) / "results.h5").population for folder in ("shared", finished))
    assert np.array_equal(shared.steps, alone.steps) and np.array_equal(shared.status, alone.status)
    for name, value in alone.values.items():  # round-off depends on how many halos a device holds
        np.testing.assert_allclose(shared[name], value, rtol=1e-10, err_msg=name)


def test_another_run_does_not_touch_it(finished, capsys):
    before = arrays(finished / "results.h5")
    assert main(["run", "run.toml", "-o", "whole", "--set", "model.parameters.mass_loading.amplitude=3"]) == 2
    assert 'model.parameters."mass_loading.amplitude" is 2.0 there and 3.0 here' in capsys.readouterr().err
    assert arrays(finished / "results.h5") == before


@pytest.mark.slow
def test_whole_histories_and_a_second_set_of_halos_are_kept_and_compared(here, capsys):
    (here / "two.toml").write_text(RUN + '[compare_halos]\nkind = "smallhalos:power_laws"\nn = 12\nkey = 1\n')
    assert main(["run", "two.toml", "-o", "two", "--set", "output.trajectories=2"]) == 0
    assert "small: 14 halos, 14 solved, 0 failed\n" in capsys.readouterr().out
    first, second = (io.load(here / "two" / name) for name in ("results.h5", "compared.h5"))
    assert len(second.population) == len(second.halos) == 12
    assert not np.array_equal(second.population["mstar"][:4], first.population["mstar"][:4])
    report = (here / "two" / "report.html").read_text()
    assert "Comparison of the halos" in report and "trajectories = 2" in report
    assert (here / "two" / "figures" / "growth_histories.png").exists()
    assert not (here / "two" / "checkpoint").exists()

    histories, population = io.load(here / "two" / "trajectories.h5").population, first.population
    assert len(histories) == 2 and len(histories.redshifts) == 100
    today = int(np.argmin(histories.redshifts))
    rows = [int(np.argmin(np.abs(population["mvir"][:, 0] - mvir))) for mvir in histories["mvir"][:, today]]
    np.testing.assert_allclose(histories["mstar"][:, today], population["mstar"][rows, 0], rtol=1e-4)


def counting(monkeypatch, act_at=None, action=None):
    """Count the blocks evolved; before number `act_at` do `action`."""
    calls = []

    def counted(*arguments, **keywords):
        calls.append(1)
        if len(calls) == act_at:
            action()
        return evolve(*arguments, **keywords)

    monkeypatch.setattr(blocks, "evolve", counted)
    return calls


def test_ctrl_c_loses_at_most_a_block_and_the_same_command_resumes_bit_for_bit(finished, monkeypatch, capsys):
    command = ["run", "run.toml", "-o", "stopped"]
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job begins with it ignored
    calls = counting(monkeypatch, 3, lambda: os.kill(os.getpid(), signal.SIGINT))
    assert main(command) == 130
    out, err = capsys.readouterr()
    assert out == "" and err == "corundum: interrupted: what is finished is kept in stopped; the same command resumes\n"
    stopped = finished.parent / "stopped"
    assert len(list((stopped / "checkpoint").glob("*.npz"))) == 2 and not (stopped / "results.h5").exists()
    # One block is cut short on disk, as no interruption but perhaps a broken disk does: it is computed again.
    block = stopped / "checkpoint" / "block-00001.npz"
    block.write_bytes(block.read_bytes()[:2000])

    calls = counting(monkeypatch)
    assert main(command) == 0
    assert len(calls) - 1 == 3, "the first of four blocks is kept (one call only finds out the shapes)"
    assert arrays(stopped / "results.h5") == arrays(finished / "results.h5")
    assert len(json.loads((stopped / "run_info.json").read_text())["resumed"]) == 1


def test_a_full_disk_is_told_and_the_run_resumes(finished, monkeypatch, capsys):
    command = ["run", "run.toml", "-o", "full"]
    savez = np.savez
    calls = []

    def full(file, **leaves):
        calls.append(1)
        if len(calls) == 2:
            file.write(b"half")
            raise OSError(errno.ENOSPC, "No space left on device")
        savez(file, **leaves)

    monkeypatch.setattr(np, "savez", full)
    assert main(command) == 2
    err = capsys.readouterr().err
    assert err.startswith("corundum: error: ") and "disk" in err and err.count("\n") == 1
    folder = finished.parent / "full"
    assert [path.name for path in (folder / "checkpoint").iterdir()] == ["block-00000.npz"]
    assert main(command) == 0
    assert arrays(folder / "results.h5") == arrays(finished / "results.h5")


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("halos.nn=3", "--set halos.nn=3: halos.nn: unknown key; did you mean n?"),
        ("halos.n=ten", "--set halos.n=ten: halos.n: got the text 'ten'; expected a whole number"),
        ("halos.kind=smallhalos:no_halos", "halos.n: unknown key; "),
        ("halos={kind='smallhalos:no_halos'}", "makes int, which does not fit here; it can be 'halos."),
        ("model.kind=models.Ledger", "'models.Ledger' does not fit here; it can be 'models."),
        ("model.parameters.mass_loading.amplitude=0", "got 0; allowed between 0.01 and 10"),
        ("solver.tolerance=2.0", "solver tolerance: got 2.0; allowed 0 < tolerance < 1"),
        ("solver.tolerence=1e-5", "solver.tolerence: unknown key; did you mean tolerance?"),
        ("output.redshifts=[]", "output.redshifts: got an empty list"),
        ("output.redshifts=[1.0, 1.0]", "a redshift is given twice"),
        ("output.redshifts=[-0.5]", "output.redshifts: got -0.5; allowed between 0 and 100"),
        ("output.redshifts=0", "got 0; expected a list of numbers"),
        ("output.block=0", "output.block: got 0; allowed at least 1"),
        ('output.figures=["gif"]', "output.figures: got the list [gif]; expected a list of"),
        ('compare.measurements=["behroozi"]', "unknown measurement 'behroozi'"),
        ('compare.measurements=["shmr_behroozi19_z2", "sfms_bauer13"]', "is at z = 0.18, which is not kept"),
        ("compare.measurments=[]", "compare.measurments: unknown key; did you mean measurements?"),
    ],
)
def test_mistakes_in_a_run_file_are_found_before_anything_is_written(override, message, here, capsys):
    assert main(["run", "run.toml", "-o", "never", "--set", override]) == 2
    err = capsys.readouterr().err
    assert message in err and err.count("\n") == 1
    assert not (here / "never").exists()


def test_a_mistake_in_the_file_has_line_and_column(here, capsys):
    (here / "typo.toml").write_text(RUN.replace("\nn = 14", "\n  m = 14"))
    assert main(["run", "typo.toml", "--dry-run"]) == 2
    assert capsys.readouterr().err.startswith("corundum: error: typo.toml:4:3: halos.m: unknown key; ")


def test_a_redshift_outside_the_histories_is_corrected_without_overwrite(here, capsys):
    command = ["run", "run.toml", "-o", "corrected", "--set", "halos.n=4"]
    assert main([*command, "--set", "output.redshifts=[0.0, 12.0]"]) == 2
    assert "these histories cover 0 <= z <= 10" in capsys.readouterr().err
    assert not list((here / "corrected" / "checkpoint").iterdir())

    with claim(here / "corrected", {"title": "x"}, "id") as taken:
        assert taken.state == "new"


def test_a_dry_run_prints_a_run_file_that_is_the_same_run(here, capsys):
    assert main(["run", "run.toml", "--dry-run"]) == 0
    printed = capsys.readouterr().out
    (here / "printed.toml").write_text(printed)
    assert main(["run", "printed.toml", "--dry-run"]) == 0
    assert capsys.readouterr().out == printed
    assert tomllib.loads(printed)["output"]["redshifts"] == [0.0, 2.0]


def test_the_first_line_and_the_report_say_which_model_ran_and_what_to_know_about_it(here, capsys):
    note = "calibrated below 10^12.1 Msun only"
    assert main(["run", "run.toml", "-o", "noted", "--set", f'note="{note}"']) == 0
    kind = tomllib.loads((here / "noted" / "run.toml").read_text())["model"]["kind"]
    assert capsys.readouterr().out.splitlines()[0] == f"model {kind}: {note}"
    assert f"model {kind}: {note}; " in (here / "noted" / "report.html").read_text()
    head = (ROOT / "examples" / "quickstart.toml").read_text().split("title =")[0]
    assert "models.pandya26" in head and "NOT above" in head


def test_the_quickstart_is_valid_and_its_keys_are_documented(capsys):
    root = ROOT
    assert main(["run", str(root / "examples" / "quickstart.toml"), "--dry-run", "--set", "halos.n=4"]) == 0
    resolved = tomllib.loads(capsys.readouterr().out)
    written = tomllib.loads((root / "examples" / "quickstart.toml").read_text())
    assert resolved["halos"]["n"] == 4 and resolved["compare"] == written["compare"]
    documented = (root / "docs" / "reference" / "run_files.md").read_text()
    for group in GROUPS:
        assert f"### `[{group}]`" in documented
    for group in ("output", "compare", "solver"):
        for key in resolved[group]:
            assert f"`{key}`" in documented, f"{group}.{key}"
    defaults = {field.name: field.default for field in dataclasses.fields(Output)}
    assert f"`{list(defaults['redshifts'])}`" in documented and f"| {defaults['block']} |" in documented
