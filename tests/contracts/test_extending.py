"""The page on adding physics: its four classes stay short, and work with everything else."""

import ast
import importlib.util
import sys

import numpy as np
import pytest

from corundum import sensitivity
from corundum.cli.main import main as command
from places import ROOT

EXAMPLE = ROOT / "examples" / "extend.py"


@pytest.fixture(scope="module")
def extend():
    spec = importlib.util.spec_from_file_location("extend", EXAMPLE)
    module = importlib.util.module_from_spec(spec)
    sys.modules["extend"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["extend"]


def test_each_addition_takes_fewer_than_forty_lines():
    classes = [node for node in ast.parse(EXAMPLE.read_text()).body if isinstance(node, ast.ClassDef)]
    lengths = {node.name: node.end_lineno - node.lineno + 1 for node in classes}
    assert {"Bremsstrahlung", "Stripping", "Dust", "Bathtub"} <= set(lengths)
    assert max(lengths.values()) < 40


def test_a_model_of_ones_own_is_solved_differentiated_drawn_and_saved(extend, tmp_path, capsys):
    extend.main(str(tmp_path), ["my model"])
    shown = capsys.readouterr().out
    assert "'solved': 2" in shown and "d lg M_star / d time" in shown
    assert {path.name for path in tmp_path.iterdir()} == {"my_model.h5", "my_model.png"}


def test_additions_have_names_multipliers_and_a_prior(extend):
    model = extend.EXTENDED["my reservoir"]()
    assert "processes.dust.share" in sensitivity.prior_box(model, ["processes.dust.share"]).names
    assert "channels.dust_wind" in sensitivity.channel_names(model)


def test_additions_are_named_in_run_files_and_shown(extend, tmp_path, capsys):
    run = '[halos]\nkind = "halos.diffmah_population"\n'
    run += '[model]\nkind = "models.ThermalCGM"\n[model.cooling]\nkind = "extend:Bremsstrahlung"\n'
    run += '[model.processes.dust]\nkind = "extend:Dust"\nshare = 0.2\n'
    run += "[model.parameters]\nprocesses.dust.share = 0.25\n"
    file, drawing = tmp_path / "run.toml", tmp_path / "network.png"
    file.write_text(run)
    assert command(["model", "show", str(file), "--diagram", str(drawing)]) == 0
    shown = capsys.readouterr().out
    (line,) = [line for line in shown.splitlines() if line.startswith("processes.dust.share ")]
    assert " 0.25 " in line and "dust -> cgm" in shown and "@article{2026arXiv260406318P" in shown
    assert drawing.stat().st_size > 10_000


@pytest.mark.slow
def test_the_whole_example_runs(extend, tmp_path):
    extend.main(str(tmp_path))
    assert len(list(tmp_path.iterdir())) == 8
    assert np.all([path.stat().st_size > 0 for path in tmp_path.iterdir()])
