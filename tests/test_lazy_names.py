"""Public names are imported when they are used: nothing heavy before, and everything as if it had been imported."""

import importlib
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import corundum as co
from corundum.lazy_names import _homes

PACKAGES = [
    "corundum", "corundum.halos", "corundum.halos.trees.formats", "corundum.inference", "corundum.io",
    "corundum.models", "corundum.numerics", "corundum.observables", "corundum.physics", "corundum.plots",
    "corundum.population", "corundum.sensitivity",
]  # fmt: skip
HEAVY = {
    "jax", "jaxlib", "equinox", "jaxtyping", "numpy", "scipy", "h5py", "matplotlib", "diffmah", "diffrax", "lineax",
    "tqdm", "numpyro", "optax", "optimistix", "arviz", "pandas", "xarray", "astropy", "SALib", "ytree",
}  # fmt: skip


@pytest.mark.parametrize("name", PACKAGES)
def test_every_public_name_is_listed_once_and_can_be_used(name):
    package = importlib.import_module(name)
    homes = _homes(package)
    assert set(package.__all__) == set(homes) and len(package.__all__) == len(set(package.__all__))
    for public, (home, original) in homes.items():
        member = getattr(package, public)
        module = importlib.import_module(home, name)
        assert member is (module if original is None else getattr(module, original))
    assert set(package.__all__) <= set(dir(package))


@pytest.mark.parametrize("name", ["sensitivity.budgets", "inference.laplace", "plots.network", "models.citations"])
def test_a_function_is_not_hidden_by_its_module(name):
    family, _, function = name.partition(".")
    assert isinstance(importlib.import_module(f"corundum.{name}"), ModuleType)
    assert callable(getattr(getattr(co, family), function))


ALL_WAYS = """
from corundum import *
from corundum.halos import monte_carlo_trees as trees
import corundum.models
import corundum as co
assert evolve is co.evolve and trees is co.halos.monte_carlo_trees
assert corundum.models.thermal.ThermalCGM is co.models.ThermalCGM
"""


def test_all_ways_to_import_work():
    done = subprocess.run([sys.executable, "-c", ALL_WAYS], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with pytest.raises(AttributeError, match=r"module 'corundum.models' has no attribute 'Thermal'; it has Abstract"):
        _ = co.models.Thermal
    assert not hasattr(co.halos, "_private") and not hasattr(co.halos, "nothing")


def loaded(code, *arguments):
    """The heavy packages that a fresh process has imported after `code`."""
    report = f"\nimport sys; print('loaded', *sorted({HEAVY!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code + report, *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.splitlines()[-1].split()[1:])


def test_an_import_waits_for_nothing_heavy():
    # One package of scientific Python needs others: what is used is paid for.
    assert loaded(f"import {', '.join(PACKAGES)}") == set()
    assert loaded("from corundum import evolve").isdisjoint({"scipy", "matplotlib", "diffmah", "diffrax", "tqdm"})


FIRST_PAGE = """
import sys
sys.path.insert(0, sys.argv[1])
import corundum.cli.jobs.run
from corundum.configuration import configure
configure()
from measured import MEASURED
from synthetic import histories, population
galaxies, data = population(histories(12)), [(MEASURED, 0.0)]
corundum.plots.standard_report(sys.argv[2], galaxies, drawings=["later"], measurements=data)
"""


def test_a_run_writes_its_numbers_before_it_imports_what_draws(tmp_path):
    page = tmp_path / "report.html"
    assert "matplotlib" not in loaded(FIRST_PAGE, str(Path(__file__).parent / "support"), str(page))
    assert "Model and data" in page.read_text()


COMMAND = """
import sys
from corundum.cli.main import main
try:
    status = main(sys.argv[1:])
except SystemExit as stop:
    status = stop.code
assert status == int({status}), status
"""


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["--help"], 0),
        (["run", "--help"], 0),
        (["version"], 0),
        (["cache"], 0),
        (["run", "nowhere.toml", "-o", "out"], 2),
    ],
)
def test_help_and_plain_mistakes_answer_without_jax(arguments, status):
    assert loaded(COMMAND.format(status=status), *arguments) <= ({"numpy"} if status else set())


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("outptu.block=3", "unknown group; did you mean"),
        ("output.blokc=3", "unknown key; did you mean"),
        ("output.block=many", "expected a whole number"),
        ("output.block=0", "allowed at least 1"),
        ("output.figures=[1]", "expected"),
        ("compare.measurement=[]", "unknown key; did you mean"),
    ],
)
def test_mistakes_in_settings_of_a_run_file_are_refused_without_jax(override, words, tmp_path):
    file = tmp_path / "run.toml"
    file.write_text('[halos]\nkind = "halos.monte_carlo_trees"\n[model]\nkind = "models.pandya26"\n')
    code = "import io, sys\nsys.stderr = io.StringIO()" + COMMAND.format(status=2)
    code += f"\nshown = sys.stderr.getvalue()\nassert {words!r} in shown and shown.count(chr(10)) == 1, shown"
    arguments = ["run", str(file), "-o", str(tmp_path / "out"), "--set", override]
    assert loaded(code, *arguments) <= {"numpy"}
