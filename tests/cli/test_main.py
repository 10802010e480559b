"""The command itself: help, versions, measurements, models, exit codes."""

import io
import os
import re
import subprocess
import sys
import time

import pytest

from corundum import models, observables, parameters
from corundum.cli import environment
from corundum.cli.errors import run_guarded
from corundum.cli.main import main
from corundum.cli.progress import progress_bar, quietly, stage


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["data", "--help"], ["model", "show", "-h"]])
def test_help_is_there_for_every_command(arguments, capsys):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 0
    assert capsys.readouterr().out.startswith("usage: corundum")


def test_help_of_run_names_every_group_and_every_file(capsys):
    with pytest.raises(SystemExit):
        main(["run", "--help"])
    told = capsys.readouterr().out
    for word in (
        "[halos]",
        "[model]",
        "[solver]",
        "[output]",
        "[compare]",
        "[compare_halos]",
        "[earlier_halos]",
        "--set",
        "results.h5",
    ):
        assert word in told


def test_the_command_imports_nothing_heavy_of_its_own():
    code = (
        "import sys, corundum; before = set(sys.modules); import corundum.cli.main;"
        "new = {name.split('.')[0] for name in set(sys.modules) - before};"
        "assert not new & {'jax', 'h5py', 'matplotlib', 'diffrax', 'diffmah', 'tqdm'}, new"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("arguments", [[], ["rnu"], ["run", "x.toml"], ["data", "show"], ["run", "--set"]])
def test_wrong_usage_exits_with_2(arguments, capsys):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2 and "usage: corundum" in capsys.readouterr().err


def test_versions(capsys):
    assert main(["version"]) == 0
    told = capsys.readouterr().out
    for name in ("corundum 0", "python 3", "jax ", "diffrax ", "numpy "):
        assert name in told


def test_data_list_and_show_tell_every_measurement(capsys):
    assert main(["data", "list"]) == 0
    listed = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in listed] == observables.available()
    name = observables.available()[0]
    assert main(["data", "show", name]) == 0
    shown = capsys.readouterr().out
    data = observables.load(name)
    assert data.citation in shown and f"{float(data.y[0]):.4g}" in shown
    assert len(re.findall(r"^-?\d", shown, re.MULTILINE)) == len(data)


def test_model_list_and_show_tell_every_parameter(capsys):
    assert main(["model", "list"]) == 0
    assert "models.pandya26" in capsys.readouterr().out
    assert main(["model", "show", "pandya26"]) == 0
    shown = capsys.readouterr().out
    for name, number in parameters.describe(models.pandya26()).items():
        (line,) = [line for line in shown.splitlines() if line.startswith(f"{name} ")]
        assert number.meaning in line and number.source in line and f"{float(number.value):.6g}" in line


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["data", "show", "behroozi91"], "unknown measurement 'behroozi91': did you mean"),
        (["model", "show", "pandya62"], "did you mean models.pandya26 or models.pandya23?"),
        (["model", "show", "not_there:X"], "there is no module 'not_there'"),
        (["run", "nowhere.toml", "-o", "out"], "nowhere.toml: no such file or directory"),
        (["run", ".", "-o", "out"], "is a directory"),
    ],
)
def test_mistakes_are_one_sentence_and_exit_with_2(arguments, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("corundum: error: ") and err.count("\n") == 1 and message in err
    assert list(tmp_path.iterdir()) == []


def raising(error):
    def command():
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (ValueError("n: got 0;\n allowed 1"), 2, "corundum: error: n: got 0; allowed 1"),
        (RuntimeError("no"), 2, "corundum: error: no"),
        (OSError(28, "No space left on device", "a.h5"), 2, "corundum: error: a.h5: no space left on device"),
        (ImportError("install corundum[trees]"), 2, "corundum: error: install corundum[trees]"),
        (RuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 8 bytes"), 2, "smaller output.block"),
        (MemoryError(), 2, "smaller output.block"),
        (KeyError("mstar"), 1, "unexpected KeyError: 'mstar'; repeat with --debug"),
        (AssertionError(), 1, "unexpected AssertionError: no message"),
        (KeyboardInterrupt("kept"), 130, "corundum: interrupted: kept"),
        (KeyboardInterrupt(), 130, "corundum: interrupted"),
    ],
)
def test_every_error_is_a_sentence_and_a_code(error, status, message, capsys):
    assert run_guarded(raising(error)) == status
    err = capsys.readouterr().err
    assert message in err and err.count("\n") == 1 and "Traceback" not in err


def test_debug_shows_the_traceback():
    with pytest.raises(KeyError):
        run_guarded(raising(KeyError("mstar")), debug=True)


def test_a_process_of_its_own_has_double_precision_and_a_device_for_each_core(tmp_path):
    (tmp_path / "probe.py").write_text(
        "import jax\n"
        "from corundum import models\n"
        "def make():\n"
        "    raise ValueError(f'{jax.numpy.ones(1).dtype} {jax.device_count()}')\n"
    )
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    plain = {"JAX_NUM_CPU_DEVICES": "", "XLA_FLAGS": ""}
    for changes, devices in ((plain, cores), ({"JAX_NUM_CPU_DEVICES": "3", "XLA_FLAGS": ""}, 3)):
        changes = {name: value for name, value in changes.items() if value}
        kept = {name: value for name, value in os.environ.items() if name not in plain}
        done = subprocess.run(
            [sys.executable, "-m", "corundum.cli.main", "model", "show", "probe:make"],
            capture_output=True, text=True, cwd=tmp_path, env=kept | changes, timeout=120,
        )  # fmt: skip
        assert done.returncode == 2 and f"float64 {devices}" in done.stderr, done.stderr
        assert "Traceback" not in done.stderr


def test_a_script_is_set_up_as_the_command_line_is_unless_its_environment_says_otherwise():
    probe = (
        "import corundum as co, os\n"
        "co.configure()\n"
        "import jax\n"
        "co.configure()\n"  # again changes nothing, and neither does a third time with devices in use
        "print(jax.numpy.ones(1).dtype, jax.device_count(), os.environ['XLA_FLAGS'])\n"
        "co.configure()\n"
    )
    kept = {name: value for name, value in os.environ.items() if name not in ("JAX_NUM_CPU_DEVICES", "XLA_FLAGS")}
    flags = "--xla_force_host_platform_device_count=3"
    for changes, expected in (({}, "small_while_loop"), ({"XLA_FLAGS": flags}, f"float64 3 {flags}\n")):
        done = subprocess.run(
            [sys.executable, "-c", probe], capture_output=True, text=True, env=kept | changes, timeout=120
        )
        assert done.returncode == 0 and done.stdout.startswith("float64") and expected in done.stdout, done.stderr


@pytest.mark.parametrize("terminal", [True, False])
def test_progress_shows_rate_and_time_left_on_a_terminal_only(terminal, monkeypatch):
    shown = io.StringIO()
    shown.isatty = lambda: terminal
    monkeypatch.setattr(sys, "stderr", shown)
    with progress_bar(100, 20, title="galaxies", unit="halos") as progress:
        time.sleep(0.2)
        progress(60)
        time.sleep(0.2)
        progress(100, note="loss 1.3")
    if terminal:
        assert (
            "100/100" in shown.getvalue()
            and "loss 1.3" in shown.getvalue()
            and "halos/s" in shown.getvalue()
            and "<" in shown.getvalue()
        )
    else:
        assert shown.getvalue() == ""


@pytest.mark.parametrize(("terminal", "quiet"), [(True, False), (True, True), (False, False)])
def test_stages_are_lines_with_their_time_on_a_terminal(terminal, quiet, monkeypatch):
    shown, timing = io.StringIO(), {}
    shown.isatty = lambda: terminal
    monkeypatch.setattr(sys, "stderr", shown)
    with quietly(quiet):
        with stage("drawing figures", timing, "figures") as part:
            part("stellar masses")
        with pytest.raises(KeyboardInterrupt), stage("saving", timing):
            raise KeyboardInterrupt
    assert list(timing) == ["figures"]
    if terminal and not quiet:
        lines = [line.rpartition("\r")[2].rstrip() for line in shown.getvalue().split("\n")[:-1]]
        assert re.fullmatch(r"drawing figures +0\.0 s", lines[0]) and lines[1:] == ["saving"]
        assert "\rdrawing figures: stellar masses " in shown.getvalue()
    else:
        assert shown.getvalue() == ""


def test_git_state_of_a_repository_and_of_none(tmp_path):
    assert environment.git_state(tmp_path) is None

    def git(*arguments):
        subprocess.run(
            ["git", "-c", "user.name=a", "-c", "user.email=a@b", *arguments],
            cwd=tmp_path,
            check=True,
            capture_output=True,
        )

    git("init")
    (tmp_path / "a").write_text("1")
    git("add", "a")
    git("commit", "-m", "first")
    state = environment.git_state(tmp_path)
    assert re.fullmatch(r"[0-9a-f]{40}", state["commit"]) and state["dirty"] is False
    (tmp_path / "a").write_text("2")
    assert environment.git_state(tmp_path) == {"commit": state["commit"], "dirty": True}
