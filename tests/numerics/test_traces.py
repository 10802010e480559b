"""Kept traces: another process has the same numbers without tracing, and what is wrong with a file only costs time."""

import json
import os
import pickle
import shutil
import subprocess
import sys
import zlib
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import pytest

import corundum as co
from corundum.configuration import KeptPrograms
from corundum.numerics.traces import KeptTraces, kept
from corundum.numerics.traces import circumstances as surroundings
from corundum.numerics.traces.circumstances import package_checksum
from corundum.numerics.traces.files import read_trace, write_trace

EVOLVE = """
import hashlib, json, sys
import corundum as co
BEFORE
co.configure()
import jax, numpy as np
model, halos = co.models.ThermalCGM(), co.halos.monte_carlo_trees(2)
traced = []

def count(frame, event, _):
    if event == "call" and frame.f_code.co_name == "_evolve_batch":
        traced.append(frame.f_code.co_name)

def evolve(model, halos):
    sys.setprofile(count)
    try:
        return co.evolve(model, halos)
    finally:
        sys.setprofile(None)

CHANGE
population = evolve(model, halos)
numbers = hashlib.sha256(b"".join(np.asarray(leaf).tobytes() for leaf in jax.tree.leaves(population))).hexdigest()
print(json.dumps([len(traced), numbers, float(population["mstar"][0, 0])]))
"""
READ_ONLY = "import os; os.access = lambda path, mode: False"
OWN_LAW = """
class Weaker(co.physics.MassLoading):
    def __call__(self, *arguments, **named):
        return 0.5 * super().__call__(*arguments, **named)

model = co.models.ThermalCGM(mass_loading=Weaker())
"""
OTHER_CODE = """
weaker = co.physics.MassLoading.__call__
co.physics.MassLoading.__call__ = lambda *arguments, **named: 0.5 * weaker(*arguments, **named)
"""
GRADIENT = """
def summed(amplitude):
    return evolve(co.replace(model, {"mass_loading.amplitude": amplitude}), halos)["mstar"].sum()

assert float(jax.grad(summed)(1.0)) != 0.0
assert float(jax.jit(summed)(1.0)) > 0.0
traced.clear()
"""


def start(root, change="", before="", source=None, **environment):
    """A process that evolves two halos and keeps its programs below `root`."""
    names = {name: value for name, value in os.environ.items() if not name.startswith(("JAX_", "XLA_", "CORUNDUM_"))}
    source = str(source or Path(co.__file__).parents[1])
    names |= {"PYTHONPATH": os.pathsep.join([source, os.environ.get("PYTHONPATH", "")])}
    names |= {"CORUNDUM_CACHE_DIR": str(root), "XLA_FLAGS": "--xla_backend_optimization_level=0"}
    code = EVOLVE.replace("CHANGE", change).replace("BEFORE", before)
    return subprocess.Popen(
        [sys.executable, "-c", code], text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=names | environment,
    )  # fmt: skip


def finished(process):
    """(times traced, hash of all numbers, a stellar mass, what was said) of such a process."""
    printed, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    return (*json.loads(printed), errors)


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """The folder of a process that has traced and kept, and what it had."""
    root = tmp_path_factory.mktemp("programs")
    traced, numbers, mass, errors = finished(start(root))
    assert traced == 1 and "Warning" not in errors
    return root, numbers, mass


@pytest.fixture
def folder(first, tmp_path):
    """A copy of that folder, to be damaged."""
    shutil.copytree(first[0], tmp_path / "root")
    return tmp_path / "root"


def traces_below(root):
    return sorted(root.rglob("*-trace"))


def names_of(paths):
    return {path.name for path in paths}


def longest(root):
    """The trace of `evolve`, beside those of programs that draw halos."""
    return max(traces_below(root), key=lambda path: path.stat().st_size)


def test_another_process_traces_nothing_and_has_the_same_numbers(first):
    root, numbers, _ = first
    before = traces_below(root)
    assert finished(start(root))[:2] == (0, numbers)
    assert before and traces_below(root) == before


def test_two_processes_at_once_keep_one_trace_of_each_and_have_the_same_numbers(first, tmp_path):
    both = [start(tmp_path), start(tmp_path)]
    assert {finished(process)[1] for process in both} == {first[1]}
    assert names_of(traces_below(tmp_path)) == names_of(traces_below(first[0])) and not list(tmp_path.rglob("*.tmp"))


@pytest.mark.parametrize("change", [OWN_LAW, OTHER_CODE], ids=["own law", "other code"])
def test_what_is_not_of_the_package_is_traced(first, folder, change):
    traced, _, mass, errors = finished(start(folder, change))
    assert traced == 1 and abs(mass / first[2] - 1.0) > 0.05, errors
    assert names_of(traces_below(folder)) == names_of(traces_below(first[0]))


def test_inside_transformations_the_function_itself_is_traced(first):
    assert finished(start(first[0], GRADIENT))[:2] == (0, first[1])


def other_bytes(content):
    return bytes(reversed(content))


def cut_off(content):
    return content[: len(content) // 2]


def of_another_key(content):
    line, _, program = zlib.decompress(content).partition(b"\n")
    return zlib.compress(json.dumps({**json.loads(line), "key": "another"}).encode() + b"\n" + program)


def with_an_unknown_class(content):
    return zlib.compress(zlib.decompress(content).replace(b"corundum.", b"coruncum."))


def with_a_damaged_program(content):
    line, _, program = zlib.decompress(content).partition(b"\n")
    return zlib.compress(line + b"\n" + program[: len(program) // 2])


def with_another_program(content):
    line, _, _ = zlib.decompress(content).partition(b"\n")
    number = json.loads(line)["others"]["list"].count(None)
    exported = jax.export.export(jax.jit(lambda x: [x] * number))(jnp.ones(2))
    return zlib.compress(line + b"\n" + bytes(exported.serialize()))


@pytest.mark.parametrize(
    "damage",
    [other_bytes, cut_off, of_another_key, with_an_unknown_class, with_a_damaged_program, with_another_program],
)
def test_a_file_that_is_not_the_trace_is_written_anew(first, folder, damage):
    path = longest(folder)
    whole = path.read_bytes()
    path.write_bytes(damage(whole))
    (path.parent / "checks.json").unlink(missing_ok=True)  # which would show that the file has changed
    assert finished(start(folder))[:2] == (1, first[1])
    assert path.read_bytes() == whole


def test_a_file_cannot_make_a_process_run_code(first, folder, tmp_path):
    path = longest(folder)
    run = tmp_path / "run"

    class Run:
        def __reduce__(self):
            return (os.mkdir, (str(run),))

    path.write_bytes(zlib.compress(pickle.dumps(Run())))
    assert finished(start(folder))[0] == 1 and not run.exists()


def test_a_folder_that_cannot_be_written_is_read(first, folder, tmp_path):
    (tmp_path / "empty").mkdir()
    for root, times in ((folder, 0), (tmp_path / "empty", 1)):
        before = traces_below(root)
        traced, numbers, _, errors = finished(start(root, before=READ_ONLY))
        assert (traced, numbers) == (times, first[1]) and errors.count("cannot be written") == 1
        assert traces_below(root) == before


def test_a_write_that_fails_leaves_nothing(tmp_path):
    assert not write_trace(tmp_path / "missing" / "name-trace", "key", {}, b"program")
    (tmp_path / "taken-trace").mkdir()
    assert not write_trace(tmp_path / "taken-trace", "key", {}, b"program")
    assert [path.name for path in tmp_path.iterdir()] == ["taken-trace"]
    assert read_trace(tmp_path / "taken-trace", "key") is None


@pytest.fixture
def kept_below(tmp_path, monkeypatch):
    """Traces of any length are kept in this process, whose annotations are checked."""
    monkeypatch.setattr(kept, "kept_programs", lambda: KeptPrograms(tmp_path, True))
    monkeypatch.setattr(kept, "is_as_written", lambda: True)
    monkeypatch.setattr(kept, "_LEAST_STEPS", 0)
    return tmp_path


def test_results_come_back_in_their_structure(kept_below):
    x = jnp.array([[2.0, 1.0], [1.0, 3.0]])
    for _ in range(2):  # the second reads what the first has written
        (result,) = KeptTraces(jnp.linalg.cholesky)((x,), {"upper": True})
        assert (result == jnp.linalg.cholesky(x, upper=True)).all()
    assert len(traces_below(kept_below)) == 1


def test_only_the_first_call_waits_for_the_device(kept_below, monkeypatch):
    waited, block = [], jax.block_until_ready
    monkeypatch.setattr(jax, "block_until_ready", lambda tree: waited.append(tree) or block(tree))
    traces = KeptTraces(jnp.sin)
    for _ in range(3):
        traces((jnp.ones(2),), {})
    assert len(waited) == 1


def test_arrays_on_another_device_and_watched_computations_have_no_trace(kept_below):
    traces, x = KeptTraces(jnp.sin), jnp.ones(2)
    assert (traces((x,), {})[0] == jnp.sin(x)).all()
    assert traces((jax.device_put(x, jax.local_devices()[1]),), {}) is None
    with jax.debug_nans(True):
        assert traces((x,), {}) is None
    assert jax.jit(lambda x: 0.0 * x + (traces((jnp.ones(2),), {}) is None))(x).tolist() == [1.0, 1.0]
    assert jax.vmap(lambda x: 0.0 * x + (traces((x,), {}) is None))(x).tolist() == [1.0, 1.0]


def test_a_trace_that_cannot_run_is_left_alone(kept_below, monkeypatch):
    x = jnp.ones(2)
    assert KeptTraces(jnp.sin)((x,), {}) is not None and len(traces_below(kept_below)) == 1

    def fails(*arrays):
        raise RuntimeError("no such device")

    monkeypatch.setattr(kept, "_called", lambda exported, function: fails)
    traces = KeptTraces(jnp.sin)
    assert traces((x,), {}) is None and traces((x,), {}) is None


def test_errors_of_the_function_are_its_own(kept_below):
    with pytest.raises(TypeError, match="dot_general"):
        KeptTraces(jnp.dot)((jnp.ones(2), jnp.ones(3)), {})


def test_off_keeps_nothing(tmp_path):
    assert finished(start("off", HOME=str(tmp_path)))[0] == 1
    assert not traces_below(tmp_path)


def test_a_change_in_the_package_is_another_key(first, folder, tmp_path):
    source = tmp_path / "source"
    shutil.copytree(Path(co.__file__).parent, source / "corundum", ignore=shutil.ignore_patterns("__pycache__"))
    assert finished(start(folder, source=source))[:2] == (0, first[1])
    with (source / "corundum" / "physics" / "seed.py").open("a") as file:
        file.write("# a comment\n")
    assert finished(start(folder, source=source))[:2] == (1, first[1])
    assert len(traces_below(folder)) == 2 * len(traces_below(first[0]))


def test_the_key_holds_code_versions_settings_and_devices(monkeypatch):
    monkeypatch.setattr(surroundings, "is_as_written", lambda: True)  # annotations are checked in tests
    before = surroundings.circumstances()
    with jax.enable_x64(False):
        assert surroundings.circumstances() != before
    assert surroundings.circumstances() == before
    surroundings._versions.cache_clear()
    monkeypatch.setattr(surroundings.importlib.metadata, "version", lambda name: "0.0")
    assert surroundings.circumstances() != before
    surroundings._versions.cache_clear()


def test_files_that_change_while_a_process_runs_keep_nothing(tmp_path):
    (tmp_path / "law.py").write_text("slope = 1\n")
    os.utime(tmp_path / "law.py", (100.0, 100.0))
    assert package_checksum(tmp_path, 99.0) is None
    first = package_checksum(tmp_path, 101.0)
    (tmp_path / "law.py").write_text("slope = 2\n")
    os.utime(tmp_path / "law.py", (100.0, 100.0))
    assert first != package_checksum(tmp_path, 102.0)


def test_settings_of_a_call_are_in_its_key(monkeypatch):
    monkeypatch.setattr(kept, "circumstances", lambda: "")

    def key(*arguments):
        leaves, structure = jax.tree.flatten((arguments, {}))
        others = tuple(None if eqx.is_array(leaf) else (type(leaf), leaf) for leaf in leaves)
        kinds = tuple(kept._kind_of(leaf) for leaf in leaves if eqx.is_array(leaf))
        return kept._key(co.evolve, (structure, others, kinds, ()))

    x = jnp.ones(3)
    calls = [(x,), (x, 1), (x, 1.0), (x, True), (x, "1"), (x, None), (jnp.ones(4),), (x.astype(int),), ([x],)]
    calls += [(co.models.ThermalCGM(),), (co.models.pandya26(),), (x, jnp.sin), (x, jnp.cos), (x, float("nan"))]
    calls += [(x, float("inf")), (jnp.array(1.0),), (jnp.asarray(1.0 + 0 * x[0]).astype(float),)]
    keys = [key(*call) for call in calls]
    assert len(set(keys[:-1])) == len(keys) - 1 and keys == [key(*call) for call in calls]
