"""Every file in examples/ runs: scripts at a small size, run files through their command with few halos."""

import re
import runpy
import sys

import pytest

from corundum.cli.main import main
from places import ROOT

EXAMPLES = ROOT / "examples"
SCRIPTS = {
    "extend.py": ["."],
    "feedback_constraints.py": [".", "24", "as published"],
    "phase_transition.py": ["phase_transition.png"],
    "honest_extrapolation.py": [".", "2", "8"],
    "learn_another_model.py": [".", "3", "12"],
    "learned_law.py": [".", "24"],
    "observer.py": [".", "12"],
    "other_packages.py": [".", "12"],
    "planted_loading.py": [".", "1", "3", "24", "2"],
    "prior_sensitivity.py": ["24", "8", "."],
    "real_data_laws.py": [".", "24", "2"],
    "simulator.py": [".", "12"],
    "student.py": [".", "12"],
    "theorist.py": [".", "12"],
}
"""Arguments of each script; what it writes goes to the current folder."""

FEW_DRAWS = [
    "halos.n=24", "fit.starts=2", "fit.sampler.chains=4", "fit.sampler.warmup=10", "fit.sampler.draws=40",
    "fit.sampler.population=40",
]  # fmt: skip
"""What makes a comparison of models small."""

RUN_FILES = {
    "black_holes.toml": ("sensitivity", ["halos.n=4"]),
    "compare_black_holes.toml": ("compare", FEW_DRAWS),
    "compare_feedback.toml": ("compare", FEW_DRAWS),
    "compare_loadings.toml": ("compare", FEW_DRAWS),
    "fit_published.toml": ("fit", ["halos.n=24"]),
    "learned_loading.toml": ("train", ["halos.n=24", "train.steps=4", "train.seeds=1", "train.batch=12"]),
    "quickstart.toml": ("run", ["halos.n=16"]),
    "reference.toml": (
        "calibrate",
        ["halos.n=6", "calibrate.rounds=1", "calibrate.ties={}", "calibrate.slope_thinning=2",
         "calibrate.free=['mass_loading.amplitude']"],
    ),
    "universe.toml": ("run", ["halos.n=6"]),
}  # fmt: skip
"""Command of each run file, and what makes it small."""


def test_no_example_is_left_out():
    assert {path.name for path in EXAMPLES.glob("*.*")} == set(SCRIPTS) | set(RUN_FILES)


@pytest.mark.slow
@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts_run(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [name, *SCRIPTS[name]])
    runpy.run_path(str(EXAMPLES / name), run_name="__main__")
    assert any(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file())
    if name == "prior_sensitivity.py":
        published = capsys.readouterr().out.split("stellar mass, linear amplitudes")[0]
        assert float(re.search(r"largest in (\d+)%", published)[1]) > 50


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name == "universe.toml" else name for name in RUN_FILES]
)
def test_run_files_run(name, tmp_path, capsys):
    command, settings = RUN_FILES[name]
    smaller = [argument for setting in settings for argument in ("--set", setting)]
    assert main([command, str(EXAMPLES / name), "-o", str(tmp_path / "out"), *smaller]) == 0, capsys.readouterr().err
    assert (tmp_path / "out" / "report.html").stat().st_size > 10_000
