"""Compiled programs on disk: they are loaded again, and whatever is wrong with them only costs time."""

import json
import os
import subprocess
import sys
import time
import zlib

import pytest

import corundum as co
from corundum.cli.main import main
from corundum.configuration import cache_root, mappings, program_cache
from corundum.configuration.mappings import MappingsWatch
from corundum.configuration.program_cache import condition, program_folder, tend

LONG_AGO = time.time() - 7 * 24 * 3600

SMALL_PROGRAMS = """
import sys
from corundum.configuration import configure
configure()
import jax, jax.numpy as jnp
events = []
jax.monitoring.register_event_listener(lambda event, **_: events.append(event.rpartition("/")[2]))
total = 0.0
for number in range(int(sys.argv[1])):
    total += float(jax.jit(lambda x: jnp.cumsum(jnp.sin(x) * number)[-1])(jnp.arange(1.0, 9.0)))
print(total, events.count("cache_hits"), events.count("cache_misses"))
"""


def start(root, number, **environment):
    """A process that compiles, or loads, `number` programs and two that make their argument."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("JAX_", "XLA_", "CORUNDUM_"))}
    return subprocess.Popen(
        [sys.executable, "-c", SMALL_PROGRAMS, str(number)], text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=kept | {"CORUNDUM_CACHE_DIR": str(root), "XLA_FLAGS": ""} | environment,
    )  # fmt: skip


def finished(process):
    """(sum of results, programs loaded, programs written, what was said) of such a process."""
    printed, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    total, loaded, written = printed.split()
    return float(total), int(loaded), int(written), errors


def age(path, seconds=LONG_AGO):
    os.utime(path, (seconds, seconds))


@pytest.fixture
def folder(tmp_path):
    """A folder with three whole programs of long ago, which have been seen once."""
    folder = tmp_path / "root" / "programs" / "jaxlib"
    folder.mkdir(parents=True)
    for name in "abc":
        (folder / f"{name}-cache").write_bytes(zlib.compress(name.encode() * 1000))
        age(folder / f"{name}-cache")
    assert tend(folder) == (0, 0)
    return folder


def names(folder):
    return sorted(path.name for path in folder.glob("*-cache"))


def test_what_is_compiled_is_loaded_again_and_damage_is_compiled_again(tmp_path):
    total, loaded, written, errors = finished(start(tmp_path, 3))
    assert not loaded and written >= 3 and not errors
    assert finished(start(tmp_path, 3)) == (total, written, 0, "")
    programs = sorted(program_folder(tmp_path).glob("*-cache"))
    assert len(programs) == written
    programs[0].write_bytes(programs[0].read_bytes()[:-20])
    state, content = programs[1].stat(), bytearray(programs[1].read_bytes())
    content[len(content) // 2] ^= 1
    programs[1].write_bytes(content)
    os.utime(programs[1], ns=(state.st_atime_ns, state.st_mtime_ns))  # as where a disk forgets: JAX's checksum sees it
    again, loaded, written_again, errors = finished(start(tmp_path, 3))
    # JAX never writes over a damaged program: it is compiled, and removed when all are read through.
    assert again == total and loaded == written - 2 and written_again == 2
    assert errors.count("removed 1 damaged program from") == 1 and "persistent compilation" not in errors


def test_processes_share_a_folder(tmp_path):
    results = {finished(process)[0] for process in [start(tmp_path, 8) for _ in range(3)]}
    assert len(results) == 1
    total, loaded, written, _ = finished(start(tmp_path, 8))
    assert {total} == results and loaded >= 6 and written <= 4  # two that write a program at once may damage it


@pytest.mark.slow
def test_four_processes_write_and_read_hundreds_of_programs(tmp_path):
    for _ in range(2):
        results = [finished(process) for process in [start(tmp_path, 500) for _ in range(4)]]
        assert len({total for total, *_ in results}) == 1
    # Where two processes write a program at once, it may be damaged, and is then compiled again.
    total, loaded, written, _ = finished(start(tmp_path, 500))
    assert total == results[0][0] and loaded >= 490 and written <= 10


@pytest.mark.parametrize("damage", [lambda content: content[:-1], lambda content: b"", lambda content: content + b"x"])
def test_programs_that_change_are_removed(folder, damage):
    path = folder / "b-cache"
    path.write_bytes(damage(path.read_bytes()))
    assert tend(folder) == (1, 0) and names(folder) == ["a-cache", "c-cache"]
    assert tend(folder) == (0, 0)


def test_damage_that_leaves_no_trace_is_seen_when_all_are_read_through(folder, monkeypatch):
    path, content = folder / "b-cache", bytearray((folder / "b-cache").read_bytes())
    content[5] ^= 1
    path.write_bytes(content)
    age(path)
    assert tend(folder).damaged == 0
    record = json.loads((folder / "checks.json").read_text())
    (folder / "checks.json").write_text(json.dumps(record | {"read_through": LONG_AGO}))
    assert tend(folder).damaged == 1
    content = bytearray((folder / "c-cache").read_bytes())
    content[5] ^= 1
    (folder / "c-cache").write_bytes(content)
    age(folder / "c-cache")
    monkeypatch.setattr(program_cache, "_has_zstd", lambda: True)  # without a checksum of its own: always read through
    assert tend(folder).damaged == 1 and names(folder) == ["a-cache"]


def test_a_new_program_that_is_cut_off_stays_only_while_it_may_be_written(folder):
    (folder / "d-cache").write_bytes(zlib.compress(b"d" * 5000)[:-3])
    assert tend(folder).damaged == 0 and "d-cache" in names(folder)
    age(folder / "d-cache")
    assert tend(folder).damaged == 1 and "d-cache" not in names(folder)


@pytest.mark.parametrize("text", ["", "[1]", '{"programs": {"a-cache": 3}}', '{"programs": {}, "read_through": null}'])
def test_a_damaged_record_is_written_anew(folder, text):
    (folder / "checks.json").write_text(text)
    assert tend(folder) == (0, 0) and len(names(folder)) == 3
    assert set(json.loads((folder / "checks.json").read_text())["programs"]) == set(names(folder))


def test_what_was_used_longest_ago_goes_first_and_so_do_empty_folders(folder, monkeypatch):
    other = folder.parent / "jaxlib-of-before"
    other.mkdir()
    (other / "old-cache").write_bytes(zlib.compress(b"old"))
    age(other / "old-cache", LONG_AGO - 1000)
    (folder / "note.txt").write_text("not a program")
    age(folder / "b-cache", LONG_AGO + 1000)
    age(folder / "c-cache", LONG_AGO + 500)
    monkeypatch.setattr(program_cache, "MOST_PROGRAMS", 3)
    assert tend(folder).outdated == 2 and names(folder) == ["b-cache", "c-cache"]
    assert not other.exists() and (folder / "note.txt").exists()
    monkeypatch.setattr(program_cache, "MOST_BYTES", 30)
    assert tend(folder).outdated >= 1 and "c-cache" not in names(folder)


def test_looking_at_a_program_does_not_count_as_use(folder):
    (folder / "checks.json").unlink()
    tend(folder)
    assert (folder / "a-cache").stat().st_atime == pytest.approx(LONG_AGO, abs=1e-3)


def test_folders_that_others_may_write_are_not_used_and_full_disks_are_only_read(folder, monkeypatch):
    assert condition(folder) == (True, "")
    assert condition(folder / "a-cache" / "below").problem.endswith("cannot be made (not a directory)")
    monkeypatch.setattr(program_cache, "_LEAST_FREE", 2**80)
    assert condition(folder).readable and condition(folder).problem == f"the disk of {folder} is nearly full"
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert condition(folder) == (True, f"{folder} cannot be written (permission denied)")
    folder.chmod(0o777)
    assert condition(folder) == (False, f"others may write into {folder}")


def test_a_folder_that_cannot_be_made_is_told_once_and_costs_only_time(tmp_path):
    (tmp_path / "file").write_text("")
    _, loaded, written, errors = finished(start(tmp_path / "file", 1))
    assert not loaded and not written
    assert errors.count("configure: compiled programs are not kept, since") == 1 and "CORUNDUM_CACHE_DIR" in errors


def test_the_environment_and_the_argument_say_where(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(sys, "platform", "linux")
    for variable, argument, expected in (
        ("", None, tmp_path / "corundum"),
        (str(tmp_path / "a"), None, tmp_path / "a"),
        (str(tmp_path / "a"), tmp_path / "b", tmp_path / "b"),
        (str(tmp_path / "a"), False, None),
        ("off", None, None),
        ("off", True, tmp_path / "corundum"),
        ("OFF", str(tmp_path / "b"), tmp_path / "b"),
    ):
        monkeypatch.setenv("CORUNDUM_CACHE_DIR", variable)
        assert cache_root(argument) == expected
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setenv("CORUNDUM_CACHE_DIR", "")
    assert cache_root() is None and cache_root(True) is not None


@pytest.mark.wrong_types
def test_a_number_is_no_folder():
    with pytest.raises(TypeError, match=r"configure: got cache=3; give True, False or the path of a folder"):
        co.configure(cache=3)


def test_programs_of_another_processor_or_version_have_a_folder_of_their_own(monkeypatch, tmp_path):
    here = program_folder(tmp_path)
    monkeypatch.setattr(program_cache, "_processor", lambda: ["flags avx512f"])
    assert program_folder(tmp_path) != here and "jaxlib-" in here.name


def test_a_folder_of_jax_is_left_alone(tmp_path):
    other = tmp_path / "of-jax"
    _, _, written, _ = finished(start(tmp_path / "root", 1, JAX_COMPILATION_CACHE_DIR=str(other)))
    assert not (tmp_path / "root").exists() and not (other / "checks.json").exists()


def test_the_command_says_where_programs_are_and_removes_them(folder, monkeypatch, capsys):
    monkeypatch.delenv("JAX_COMPILATION_CACHE_DIR", raising=False)
    monkeypatch.setenv("CORUNDUM_CACHE_DIR", str(folder.parents[1]))
    (folder / "note.txt").write_text("not a program")
    assert main(["cache"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith(f"3 compiled programs, 0.0 MiB, in {folder.parents[1]}\n") and "--empty" in shown
    assert main(["cache", "--empty"]) == 0 and names(folder) == [] and (folder / "note.txt").exists()
    assert capsys.readouterr().out == f"3 compiled programs removed from {folder.parents[1]}\n"
    monkeypatch.setenv("CORUNDUM_CACHE_DIR", "off")
    assert main(["cache"]) == 0 and "are not kept" in capsys.readouterr().out
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", "elsewhere")
    assert main(["cache"]) == 0 and "JAX keeps compiled programs in elsewhere" in capsys.readouterr().out


def test_writing_stops_and_the_user_is_warned_before_memory_mappings_run_out(monkeypatch):
    stopped = []
    watch = MappingsWatch(lambda: stopped.append(True))

    def compile_programs(number):
        for _ in range(number):
            watch("/jax/core/compile/backend_compile_duration", 0.1, fun_name="f")
            watch("/jax/core/compile/jaxpr_trace_duration", 0.1)

    monkeypatch.setattr(mappings, "mappings", lambda: (50_000, 65_530))
    compile_programs(64)
    assert not stopped
    monkeypatch.setattr(mappings, "mappings", lambda: (60_000, 65_530))
    compile_programs(63)
    assert not stopped
    with pytest.warns(UserWarning, match=r"holds 60000 of the 65530 memory mappings .* call jax.clear_caches\(\)"):
        compile_programs(1)
    compile_programs(200)
    assert stopped == [True]
