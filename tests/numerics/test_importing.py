"""A package whose modules compute arrays is imported as one program, and is then the package that it always was."""

import json
import os
import subprocess
import sys

import jax
import numpy as np
import pytest

from corundum.numerics.importing import import_as_one_program
from places import ROOT
from programs import compiled_programs

CONSTANTS = """
import collections
import jax
import jax.numpy as jnp

@jax.jit
def inverse(x):
    return jnp.log(x / (1.0 - x))

Pair = collections.namedtuple("Pair", "low high")
PLAIN = 3.0
TABLE = jnp.linspace(0.0, 1.0, 5)
PAIR = Pair(inverse(0.25), inverse(0.75))
BY_NAME = collections.OrderedDict(low=PAIR.low, text="as it is")

def value():
    return TABLE[1] + PAIR.high
"""


@pytest.fixture
def package(tmp_path, monkeypatch):
    """The name of a package with arrays at its top level, which disappears with the test."""

    def write(name, text):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("")
        (tmp_path / name / "constants.py").write_text(text)
        names.append(name)
        return f"{name}.constants"

    names = []
    monkeypatch.syspath_prepend(str(tmp_path))
    yield write
    for module in [module for module in sys.modules if module.split(".")[0] in names]:
        del sys.modules[module]


def test_arrays_of_an_import_are_results_of_one_program(package):
    module = package("computes_arrays", CONSTANTS)
    with compiled_programs() as programs:
        import_as_one_program(module)
    assert len(programs) == 1, programs
    constants = sys.modules[module]
    np.testing.assert_array_equal(constants.TABLE, np.linspace(0.0, 1.0, 5))
    assert constants.PLAIN == 3.0
    assert constants.BY_NAME["text"] == "as it is"
    assert type(constants.PAIR).__name__ == "Pair"
    np.testing.assert_allclose([*constants.PAIR, constants.BY_NAME["low"]], np.log([1 / 3, 3.0, 1 / 3]), rtol=1e-14)
    assert float(constants.value()) == pytest.approx(0.25 + np.log(3.0), rel=1e-14)


def test_a_trace_that_is_under_way_does_not_hold_the_arrays_of_an_import(package):
    module = package("computes_later", CONSTANTS)

    def draw(x):
        import_as_one_program(module)
        return x * sys.modules[module].value()

    assert float(jax.jit(draw)(2.0)) == pytest.approx(2 * (0.25 + np.log(3.0)))
    assert not isinstance(sys.modules[module].TABLE, jax.core.Tracer)
    assert float(sys.modules[module].value()) == pytest.approx(0.25 + np.log(3.0))


def test_a_package_that_needs_numbers_while_it_is_imported_is_imported_as_usual(package):
    module = package("needs_numbers", CONSTANTS + "\nEDGE = float(TABLE[1])\n")
    import_as_one_program(module)
    assert sys.modules[module].EDGE == 0.25
    np.testing.assert_array_equal(sys.modules[module].TABLE, np.linspace(0.0, 1.0, 5))


def test_an_error_of_the_package_itself_reaches_the_caller(package):
    with pytest.raises(ZeroDivisionError):
        import_as_one_program(package("fails", "1 / 0"))


DRAWS = """
import sys
sys.path.insert(0, sys.argv[1])
import corundum as co
co.configure(cache=False)
import json
from programs import compiled_programs

counts = {}
for name in ("diffmah_population", "monte_carlo_trees"):
    draw = getattr(co.halos, name)
    with compiled_programs() as first:
        draw(12, key=1)
    with compiled_programs() as again:
        draw(12, key=2, log_mvir=(11.0, 12.0))
    counts[name] = [first, again]
print(json.dumps(counts))
"""


def test_a_draw_of_halos_compiles_at_most_three_programs_and_another_of_as_many_none(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", DRAWS, str(ROOT / "tests" / "support")],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=dict(os.environ),
    )
    assert done.returncode == 0, done.stderr
    for first, again in json.loads(done.stdout.splitlines()[-1]).values():
        assert len(first) <= 3, first
        assert again == []
