"""How many programs a run compiles: nearly all of the first run's time is theirs."""

import json
import os
import subprocess
import sys

from places import ROOT

RUNS = """
import json, sys
sys.path.insert(0, sys.argv[1])
from corundum.configuration import configure
configure(cache=False)
from corundum.cli.main import main
from programs import compiled_programs

def programs_of(name, *settings):
    settings = [word for setting in ("halos.n=24", *settings) for word in ("--set", setting)]
    with compiled_programs() as programs:
        assert main(["run", sys.argv[2], "-o", name, *settings]) == 0
    return programs

first = programs_of("first")
others = {
    "halos": programs_of("halos", "halos.key=1"),
    "parameter": programs_of("parameter", "model.parameters.mass_loading.amplitude=3.0"),
    "redshifts": programs_of("redshifts", "output.redshifts=[0.0, 0.1, 1.5, 2.1]"),
    "measurement": programs_of("measurement", "compare.measurements=['coldgas_xgass']"),
}
print(json.dumps([first, others]))
"""


def test_a_run_compiles_at_most_twelve_programs_and_others_of_the_same_shapes_none(tmp_path):
    arguments = [str(ROOT / "tests" / "support"), str(ROOT / "examples" / "quickstart.toml")]
    done = subprocess.run(
        [sys.executable, "-c", RUNS, *arguments], capture_output=True, text=True, cwd=tmp_path, env=dict(os.environ)
    )
    assert done.returncode == 0, done.stderr
    first, others = json.loads(done.stdout.splitlines()[-1])
    assert len(first) <= 12, first
    assert others == {"halos": [], "parameter": [], "redshifts": [], "measurement": []}
