"""Slow checks: the page on sensitivity and the example run as they are."""

import re
import runpy
import sys

import pytest

from places import ROOT


@pytest.mark.slow
def test_the_documentation_runs(tmp_path, monkeypatch):
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "sensitivity.md").read_text(), flags=re.DOTALL)
    assert len(blocks) == 2
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    for block in blocks:
        exec(compile(block, "sensitivity.md", "exec"), names)
    assert (tmp_path / "jacobian.png").stat().st_size > 10_000


@pytest.mark.slow
def test_the_example_finds_energy_loading_first(tmp_path, monkeypatch, capsys):
    example = ROOT / "examples" / "prior_sensitivity.py"
    monkeypatch.setattr(sys, "argv", [str(example), "24", "8", str(tmp_path)])
    runpy.run_path(str(example), run_name="__main__")
    told = capsys.readouterr().out
    published = told.split("stellar mass, linear amplitudes")[0]
    assert float(re.search(r"largest in (\d+)%", published)[1]) > 50
    assert (tmp_path / "prior_sensitivity.png").exists()
