"""How many programs a run compiles: nearly all of the first run's time is theirs."""

import json
import os
import subprocess
import sys

import pytest

from places import ROOT

RUNS = """
import json, sys
sys.path.insert(0, sys.argv[1])
from corundum.configuration import configure
configure(cache=False)
from corundum.cli.main import main
from programs import compiled_programs

def programs_of(name, *settings):
    settings = [word for setting in ("halos.n=24", *MODEL, *settings) for word in ("--set", setting)]
    with compiled_programs() as programs:
        assert main(["run", sys.argv[2], "-o", name, *settings]) == 0
    return programs

MODEL, parameter = json.loads(sys.argv[3])
first = programs_of("first")
others = {
    "halos": programs_of("halos", "halos.key=1"),
    "parameter": programs_of("parameter", f"model.parameters.{parameter}=3.0"),
    "redshifts": programs_of("redshifts", "output.redshifts=[0.0, 0.1, 1.5, 2.1]"),
    "measurement": programs_of("measurement", "compare.measurements=['coldgas_xgass']"),
}
print(json.dumps([first, others]))
"""


REGULATOR = [
    "model.kind='models.MinimalRegulator'", "model.parameters={}",
    "compare.measurements=['shmr_behroozi19_sf', 'coldgas_xgass', 'sfms_davies16', 'shmr_behroozi19_z2']",
]  # fmt: skip
"""A model without metals, whose programs compile in a third of the time."""


@pytest.mark.parametrize(
    ("model", "parameter"),
    [
        pytest.param(REGULATOR, "mass_loading.constant", id="regulator"),
        pytest.param([], "mass_loading.amplitude", id="as published", marks=pytest.mark.slow),
    ],
)
def test_a_run_compiles_at_most_twelve_programs_and_others_of_the_same_shapes_none(tmp_path, model, parameter):
    arguments = [str(ROOT / "tests" / "support"), str(ROOT / "examples" / "quickstart.toml")]
    arguments.append(json.dumps([model, parameter]))
    done = subprocess.run(
        [sys.executable, "-c", RUNS, *arguments], capture_output=True, text=True, cwd=tmp_path, env=dict(os.environ)
    )
    assert done.returncode == 0, done.stderr
    first, others = json.loads(done.stdout.splitlines()[-1])
    assert len(first) <= 12, first
    assert others == {"halos": [], "parameter": [], "redshifts": [], "measurement": []}
