"""`corundum run` beside a survey: what it prints, what its report says, and mistakes; and merger trees in a run."""

import pytest

import corundum as co
from corundum.cli.jobs import blocks, run
from corundum.cli.main import main
from corundum.storage.checkpoints import CheckpointFolder

RUN = """
title = "beside data"
[halos]
kind = "halos.complete_roots"
n = 24
log_mvir = [10.5, 12.5]
[model]
kind = "models.MinimalRegulator"
[output]
redshifts = [0.0]
trajectories = 0
[compare]
measurements = []
survey = "./stars.toml"
"""

SURVEY = """
meaning = "stars of halos"
[[test]]
data = "shmr_behroozi19_sf"
redshift = 0.0
galaxies = "centrals"
tolerance = 5.0
calibrates = true
[[test]]
data = "smf_driver22"
redshift = 0.0
tolerance = 0.01
"""


TREES = """
[halos]
kind = "halos.monte_carlo_forest"
n = 3
log_mvir = [11.5, 12.5]
smallest = 0.02
smallest_log_mvir = 9.0
key = 4
[model]
kind = "models.ThermalCGM"
[model.processes.merging]
kind = "models.Merging"
[model.processes.handing_over]
kind = "models.HandingOver"
[output]
redshifts = [0.0]
block = 4
figures = []
"""


@pytest.fixture
def run_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run.toml").write_text(RUN)
    (tmp_path / "stars.toml").write_text(SURVEY)
    return str(tmp_path / "run.toml")


def test_a_run_says_how_far_it_is_from_a_survey(run_file, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["run", run_file, "-o", str(out)]) == 0
    printed = capsys.readouterr().out
    assert "within tolerance: 1 of 1 that were fitted, 0 of 1 that were not" in printed
    population = co.io.load(out / "results.h5").population
    rows = co.observables.residuals(co.observables.survey(str(tmp_path / "stars.toml")), population).rows
    assert f"rms {rows[0].rms:.2f}" in printed
    report = (out / "report.html").read_text()
    assert "Survey stars" in report and f"{rows[1].rms:.2f}" in report
    assert (out / "figures" / "survey.png").exists()


def test_another_survey_in_the_same_file_is_another_run(run_file, tmp_path, capsys):
    out = str(tmp_path / "out")
    assert main(["run", run_file, "-o", out]) == 0
    (tmp_path / "stars.toml").write_text(SURVEY.replace("tolerance = 5.0", "tolerance = 0.001"))
    assert main(["run", run_file, "-o", out]) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert main(["run", run_file, "-o", out, "--overwrite"]) == 0
    assert "within tolerance: 0 of 1 that were fitted" in capsys.readouterr().out


@pytest.mark.parametrize("setting,sentence", [
    ("compare.survey='referense'", "did you mean reference"),
    ("compare.survey='reference'", "is at z = 0.95, which is not kept; output.redshifts = [0, 0.95, 2.2]"),
    ("halos.kind='halos.monte_carlo_trees'", "compares number densities at z = 0, and these halos have none"),
])  # fmt: skip
def test_mistakes_are_one_sentence(run_file, tmp_path, capsys, setting, sentence):
    assert main(["run", run_file, "-o", str(tmp_path / "out"), "--set", setting]) == 2
    error = capsys.readouterr().err
    assert sentence in error and "Traceback" not in error


def test_blocks_do_not_cut_trees(tmp_path, monkeypatch):
    """Satellites need their hosts: trees are evolved at once, whatever the size of a block."""
    forest = co.halos.monte_carlo_forest(3, log_mvir=(11.5, 12.5), smallest=0.02, smallest_log_mvir=9.0, key=4)
    evolved, done = [], []
    galaxies = co.evolve(co.models.MinimalRegulator(), co.halos.complete_roots(0.0, 4), [0.0])
    monkeypatch.setattr(blocks, "evolve", lambda model, halos, *_, **__: evolved.append(len(halos)) or galaxies)
    blocks.evolve_in_blocks(
        None, forest, (0.0,), solver=None, block=4, progress=done.append, announce=evolved.append,
        store=CheckpointFolder(tmp_path, "trees"),
    )  # fmt: skip
    assert evolved == done == [len(forest)] and len(forest) > 8


def test_several_processes_refuse_merger_trees(tmp_path, monkeypatch, capsys):
    (tmp_path / "run.toml").write_text(TREES)
    monkeypatch.setattr(run, "works_alone", lambda: False)
    assert main(["run", str(tmp_path / "run.toml"), "--dry-run"]) == 2
    assert "merger trees with satellites are evolved by one process" in capsys.readouterr().err


@pytest.mark.slow  # half a minute of compiling; test_blocks_do_not_cut_trees has the point
def test_whole_trees_run_with_blocks_smaller_than_a_tree(tmp_path, capsys):
    """Satellites need their hosts: the rows of a block would cut trees."""
    (tmp_path / "run.toml").write_text(TREES)
    out = tmp_path / "out"
    assert main(["run", str(tmp_path / "run.toml"), "-o", str(out)]) == 0
    saved = co.io.load(out / "results.h5")
    forest = co.halos.monte_carlo_forest(3, log_mvir=(11.5, 12.5), smallest=0.02, smallest_log_mvir=9.0, key=4)
    assert len(forest) > 8 and len(saved.population) == len(forest)
    assert f"{len(forest)} halos, {len(forest)} solved" in capsys.readouterr().out


EARLIER = """
[earlier_halos]
kind = "halos.complete_roots"
redshift = 2.2
n = 24
log_mvir = [10.5, 12.5]
key = 3
"""


def test_measurements_of_an_earlier_time_are_compared_with_halos_that_are_counted_then(run_file, tmp_path, capsys):
    """A mass function at z = 2.2 needs number densities of then, which main branches of today have not."""
    then = '[[test]]\ndata = "smf_weaver23_z2"\nredshift = 2.2\ntolerance = 5.0\n'
    (tmp_path / "stars.toml").write_text(SURVEY + then)
    out, redshifts = tmp_path / "out", "output.redshifts=[0.0, 2.2]"
    assert main(["run", run_file, "-o", str(out), "--set", redshifts]) == 2
    assert "smf_weaver23_z2 compares number densities at z = 2.2, and these halos have none" in capsys.readouterr().err
    (tmp_path / "run.toml").write_text(RUN + EARLIER)
    assert main(["run", run_file, "-o", str(out), "--set", redshifts]) == 0
    printed = capsys.readouterr().out
    earlier, today = (co.io.load(out / name).population for name in ("earlier.h5", "results.h5"))
    assert list(earlier.redshifts) == pytest.approx([2.2], abs=1e-6) and len(today.redshifts) == 2
    survey = co.observables.survey(str(tmp_path / "stars.toml"))
    rows = co.observables.residuals(survey, (today, earlier)).rows
    assert rows[2].prediction.reached.any() and f"rms {rows[2].rms:.2f}" in printed


def test_earlier_halos_of_today_are_refused(run_file, tmp_path, capsys):
    (tmp_path / "run.toml").write_text(RUN + EARLIER.replace("2.2", "0.0"))
    assert main(["run", run_file, "-o", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert (
        "earlier_halos: they are counted at z = 0.00, and [halos] at 0.00; give halos that are counted earlier" in error
    )


def test_earlier_halos_that_no_output_sees_are_refused(run_file, tmp_path, capsys):
    (tmp_path / "run.toml").write_text(RUN + EARLIER)
    assert main(["run", run_file, "-o", str(tmp_path / "out")]) == 2
    assert "earlier_halos: they end at z = 2.20, and no output is so early" in capsys.readouterr().err
