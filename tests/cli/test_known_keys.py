"""Misspelt kinds and keys of run files are refused before JAX is loaded, in the words of the loaded package."""

import json
import subprocess
import sys
from importlib import resources

import pytest

from corundum.cli.runfile import reader
from corundum.cli.runfile.job import prepare
from corundum.cli.runfile.keys_of_kinds import table_of_keys
from corundum.cli.runfile.known_keys import known_keys
from corundum.cli.runfile.reader import read_run_file

RUN = """
[halos]
kind = "halos.monte_carlo_trees"
n = 2
log_mvir = [11.0, 11.1]
resolution = 1e-3
[model]
kind = "models.pandya26"
"""


def test_the_shipped_keys_are_those_of_the_signatures():
    fresh = json.loads(json.dumps(table_of_keys()))
    for part in ("groups", "places", "kinds"):
        for name in fresh[part].keys() | known_keys()[part].keys():
            assert known_keys()[part].get(name) == fresh[part].get(name), f"{part} {name}: run `make keys`"


MISTAKES = (
    'halos.kind="halos.monte_carlo_tree"',
    "halos.nn=3",
    "halos.cosmology.omega_n=0.3",
    'model.kind="models.Thermal"',
    "model.mass_loadin.amplitude=3.0",
    "model.mass_loading.amplitud=3.0",
    'model.mass_loading.kind="physics.MassLoadin"',
    "model.parameters.mass_loading.amplitud=3.0",
    "model.parameters.mass_loadin=3.0",
    "solver.tolerence=1e-4",
    'solver.kind="numerics.LaneSolvr"',
    "output.trajectory=3",
)


@pytest.mark.parametrize("mistake", MISTAKES)
def test_early_sentences_are_those_of_the_loaded_package(mistake, tmp_path, monkeypatch):
    path = tmp_path / "run.toml"
    path.write_text(RUN)
    with pytest.raises(ValueError, match=r"unknown (key|kind|parameter)") as early:
        read_run_file(path, [mistake])
    monkeypatch.setattr(reader, "check_known_keys", lambda tables: None)
    monkeypatch.setattr(reader, "READ_EARLY", {})
    with pytest.raises(ValueError, match="unknown") as late:
        prepare(read_run_file(path, [mistake]))
    assert str(early.value) == str(late.value)


@pytest.mark.parametrize("group", ["fit", "mocks", "forecast", "train", "sensitivity"])
def test_groups_of_other_commands_are_checked_too(group, tmp_path):
    path = tmp_path / "run.toml"
    path.write_text(RUN)
    with pytest.raises(ValueError, match=f"{group}.chans: unknown key; .*allowed: "):
        read_run_file(path, [f"{group}.chans=3"])


@pytest.mark.parametrize(
    "correct",
    [
        "model.mass_loading.amplitude=3.0",
        'model.mass_loading={kind = "mymodule:Mine", anything = 3.0}',
        'model.kind="mymodule:Model"',
        "model.parameters.mass_loading.amplitude=3.0",
        'fit.sampler={kind = "inference.HMC", chains = 2}',
        "fit.priors.any_name=[0.0, 1.0]",
        "solver.tolerance=1e-4",
        'fit.sampler={kind = "inference.StudentT", chains = 2}',  # another sentence says that it does not fit
        'halos.cosmology={kind = "cosmology.Cosmology", h = 0.7}',
    ],
)
def test_what_is_right_or_not_known_passes(correct, tmp_path):
    path = tmp_path / "run.toml"
    path.write_text(RUN)
    run_file = read_run_file(path, [correct])
    keys = tuple(correct.partition("=")[0].split("."))
    assert run_file.locate(keys) == f"--set {correct}"
    assert run_file.tables[keys[0]]


def test_examples_pass_and_nothing_heavy_is_imported(tmp_path):
    code = (
        "import sys; from corundum.cli.main import main;"
        "status = main(['run', sys.argv[1], '--dry-run', '--set', 'model.parameters.mass_loading.amplitud=1.0']);"
        "assert status == 2; heavy = {'jax', 'scipy', 'matplotlib'} & set(sys.modules); assert not heavy, heavy"
    )
    path = tmp_path / "run.toml"
    path.write_text(RUN)
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "unknown parameter; did you mean mass_loading.amplitude" in done.stderr


def test_the_keys_are_part_of_the_package():
    assert resources.files("corundum.cli.runfile").joinpath("keys.json").is_file()
