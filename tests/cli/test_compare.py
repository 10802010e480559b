"""`corundum compare` end to end, on a model that solves at once."""

import csv
import tomllib

import pytest

import corundum as co
from corundum.cli.main import main
from corundum.cli.runfile.reader import read_run_file
from corundum.cli.runfile.variants import as_one_file, variants_of

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
[fit]
data = ["shmr_behroozi19_sf"]
free = ["time", "loading"]
redshifts = [0.0]
starts = 2
[fit.sampler]
kind = "inference.SurrogateHMC"
chains = 4
warmup = 20
draws = 60
[fit.priors]
time = [0.0, 1.0]
"""
VARIANTS = (
    RUN
    + """
[variants.free]
[variants.fixed]
fit.free = ["time"]
fit.sampler.draws = 50
"""
)


@pytest.fixture
def run_file(tmp_path):
    (tmp_path / "run.toml").write_text(VARIANTS)
    return tmp_path / "run.toml"


def test_variants_change_what_they_name(run_file):
    variants = variants_of(read_run_file(run_file, ["variants.free.halos.n=40", "fit.starts=3"]))
    assert list(variants) == ["free", "fixed"]
    free, fixed = (variants[name].tables for name in ("free", "fixed"))
    assert "variants" not in free and free["fit"]["free"] == ["time", "loading"] and fixed["fit"]["free"] == ["time"]
    assert (free["halos"]["n"], fixed["halos"]["n"]) == (40, 32) and fixed["fit"]["starts"] == 3
    assert free["fit"]["sampler"]["draws"] == 60
    assert fixed["fit"]["sampler"] == {"kind": "inference.SurrogateHMC", "chains": 4, "warmup": 20, "draws": 50}


def test_a_table_of_another_kind_takes_the_place_of_the_one_before(tmp_path):
    path = tmp_path / "run.toml"
    path.write_text(VARIANTS + '[variants.fixed.halos]\nkind = "halos.monte_carlo_trees"\nn = 8\n')
    assert variants_of(read_run_file(path))["fixed"].tables["halos"] == {"kind": "halos.monte_carlo_trees", "n": 8}


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ("", "variants: has 0 variants; name at least two, as [variants.first] and [variants.second]"),
        ("[variants.one]\n", "variants: has 1 variants; name at least two"),
        ("[variants]\none = 1\ntwo = 2\n", "one: expected a table; write what it changes below [variants.one]"),
        ("[variants.one]\n[variants.two.variants.x]\n", "a variant has no variants of its own"),
        ("[variants.one]\n[variants.two.hallos]\n", "unknown group; did you mean halos?"),
        ("[variants.one]\n[variants.two.output]\nblok = 3\n", "unknown key; did you mean block?"),
        ('[variants.one]\n[variants.two]\nfit.data = ["coldgas_xgass"]\n', "two: is fitted to other data than one"),
        ('[variants.one]\n[variants.two]\nfit.free = ["tim"]\n', "did you mean time?"),
    ],
)  # fmt: skip
def test_mistakes_are_one_sentence_with_their_place(tmp_path, capsys, more, sentence):
    path = tmp_path / "run.toml"
    path.write_text(RUN + more)
    assert main(["compare", str(path), "-o", str(tmp_path / "out")]) == 2
    message = capsys.readouterr().err.strip().splitlines()[-1]
    assert sentence in message and message.startswith(f"corundum: error: {path}"), message
    assert not (tmp_path / "out").exists()


def test_files_become_variants_of_the_first(tmp_path):
    for name, draws in (("a", 50), ("b", 60)):
        (tmp_path / f"{name}.toml").write_text(RUN.replace("draws = 60", f"draws = {draws}"))
    files = [read_run_file(tmp_path / f"{name}.toml") for name in "ab"]
    variants = variants_of(as_one_file(files))
    assert {name: file.tables["fit"]["sampler"]["draws"] for name, file in variants.items()} == {"a": 50, "b": 60}
    with pytest.raises(ValueError, match="another file is named a too; rename one of them"):
        as_one_file([files[0], files[0]])


@pytest.mark.slow
def test_models_are_compared_interrupted_resumed_and_reported(run_file, tmp_path, monkeypatch, capsys):
    out, calls, keep = tmp_path / "out", [], co.io.Checkpoint.save

    def stopping(self, arrays, identity=None):
        keep(self, arrays, identity)
        calls.append(self.path.name)
        if calls.count("chains-1.npz") == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(co.io.Checkpoint, "save", stopping)
    assert main(["compare", str(run_file), "-o", str(out)]) == 130
    monkeypatch.setattr(co.io.Checkpoint, "save", keep)
    assert main(["compare", str(run_file), "-o", str(out)]) == 0
    printed = capsys.readouterr().out
    assert "against" in printed and "report.html" in printed
    with open(out / "comparison.csv") as file:
        rows = list(csv.DictReader(file))
    assert {row["model"] for row in rows} == {"free", "fixed"} and float(rows[0]["ln_bayes_factor"]) == 0.0
    assert float(rows[0]["ln_evidence"]) >= float(rows[1]["ln_evidence"])
    assert (out / "figures" / "model_comparison.png").exists() and (out / "posterior-2.nc").exists()
    assert list(tomllib.loads((out / "run.toml").read_text())["variants"]) == ["free", "fixed"]
    # What was written is a run file of the same comparison, uninterrupted this time.
    again = tmp_path / "again"
    assert main(["compare", str(out / "run.toml"), "-o", str(again)]) == 0
    assert (again / "comparison.csv").read_text() == (out / "comparison.csv").read_text()
