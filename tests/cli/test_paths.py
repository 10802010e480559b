"""Relative paths in run files: in the working directory or beside the run file, and absolute in what is written."""

import shutil
import tomllib
from importlib import resources

import numpy as np
import pytest

import corundum as co
from corundum.cli.jobs.fit_plan import plan_fit
from corundum.cli.main import main
from corundum.cli.runfile.job import prepare
from corundum.cli.runfile.reader import read_run_file
from tree_files import SCALES, known_forest, write_lhalotree

RUN = '[halos]\nkind = "halos.read"\npath = "inputs/halos.h5"\n[model]\nkind = "models.MinimalRegulator"\n'


@pytest.fixture
def places(tmp_path, monkeypatch):
    """A folder with a run file and its halos, and two others."""
    for name in ("project/inputs", "elsewhere", "results"):
        (tmp_path / name).mkdir(parents=True)
    co.halos.save(
        tmp_path / "project/inputs/halos.h5", co.halos.diffmah_population(4, cosmology=co.cosmology.planck18())
    )
    (tmp_path / "project/run.toml").write_text(RUN)
    monkeypatch.chdir(tmp_path / "project")
    return tmp_path


def resolved(file, capsys):
    assert main(["run", str(file), "--dry-run"]) == 0
    return tomllib.loads(capsys.readouterr().out)


def test_a_resolved_run_file_is_the_same_run_in_every_directory(places, monkeypatch, capsys):
    here = resolved("run.toml", capsys)
    assert here["halos"]["path"] == str(places / "project/inputs/halos.h5")
    monkeypatch.chdir(places / "elsewhere")
    assert resolved(places / "project/run.toml", capsys) == here
    assert main(["run", "../project/run.toml", "-o", "../results/run", "--set", "output.figures=[]"]) == 0
    capsys.readouterr()
    monkeypatch.chdir(places / "results")
    assert resolved("run/run.toml", capsys)["halos"] == here["halos"]
    # Finished: from another directory, and from the file beside the results, it is known as the same run.
    assert main(["run", "run/run.toml", "-o", "run"]) == 0
    assert "holds this run already" in capsys.readouterr().out


def test_the_working_directory_comes_before_the_folder_of_the_run_file(places, monkeypatch, capsys):
    shutil.copytree(places / "project/inputs", places / "elsewhere/inputs")
    monkeypatch.chdir(places / "elsewhere")
    assert resolved("../project/run.toml", capsys)["halos"]["path"] == str(places / "elsewhere/inputs/halos.h5")


def test_a_path_that_leads_nowhere_is_refused_as_it_was_written(places, monkeypatch, capsys):
    (places / "project/run.toml").write_text(RUN.replace("halos.h5", "hallos.h5"))
    assert main(["run", "run.toml", "-o", "unused"]) == 2
    shown = capsys.readouterr().err
    assert "run.toml:1:1" in shown and "inputs/hallos.h5" in shown


def test_paths_inside_components_are_found_too(places, monkeypatch, capsys):
    write_lhalotree(places / "project/inputs/trees_024.0", known_forest())
    np.savetxt(places / "project/inputs/scales.txt", SCALES)
    run = RUN.replace("halos.h5", "trees_024.0").replace(
        "[model]",
        'cosmology = "cosmology.planck18"\n[halos.format]\nkind = "halos.LHaloTree"\n'
        'scale_factors = "inputs/scales.txt"\n[model]',
    )
    (places / "project/run.toml").write_text(run)
    monkeypatch.chdir(places / "elsewhere")
    halos = resolved("../project/run.toml", capsys)["halos"]
    assert halos["format"]["scale_factors"] == str(places / "project/inputs/scales.txt")


def test_measurements_in_files_are_found_beside_the_run_file(places, monkeypatch):
    text = (resources.files("corundum") / "data/measurements/shmr_behroozi19_sf.txt").read_text()
    (places / "project/inputs/mine.txt").write_text(text)
    fit = '[fit]\ndata = ["inputs/mine.txt"]\nfree = ["stiffness"]\n[output]\nredshifts = [0.0]\n'
    (places / "project/run.toml").write_text(RUN + fit)
    monkeypatch.chdir(places / "elsewhere")
    plan = plan_fit(read_run_file("../project/run.toml"))
    assert plan.tables["fit"]["data"] == [str(places / "project/inputs/mine.txt")]
    compared = '[compare]\nmeasurements = ["inputs/mine.txt"]\n[output]\nredshifts = [0.0]\n'
    (places / "project/run.toml").write_text(RUN + compared)
    job = prepare(read_run_file("../project/run.toml"))
    assert [data.name for data, _ in job.measurements] == ["mine"]
    assert job.tables["compare"]["measurements"] == [str(places / "project/inputs/mine.txt")]
