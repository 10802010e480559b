"""How JAX is set up, and what is told where it cannot compute or was set up too late."""

import os
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import corundum as co
from corundum.configuration import require_platform
from corundum.parameters import require_float64
from toy import Toy


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (AssertionError(), r"JAX_PLATFORMS=cuda \(its plugin is not installed\); unset JAX_PLATFORMS"),
        (
            RuntimeError("Unable to initialize backend 'tpu': no\nlib (set JAX_PLATFORMS='' to)"),
            "no lib.; unset",
        ),
    ],
)
def test_a_platform_that_is_not_installed_is_named_with_the_way_out(error, words, monkeypatch):
    def refuse():
        raise error

    require_platform()
    monkeypatch.setattr(jax, "default_backend", refuse)
    monkeypatch.setattr(type(jax.config), "jax_platforms", property(lambda _: "cuda"), raising=False)
    with pytest.raises(RuntimeError, match=words) as caught:
        co.models.MinimalRegulator()
    assert "\n" not in str(caught.value)


def test_what_a_process_received_in_single_precision_is_named(halos):
    sent = jax.tree.map(np.asarray, (Toy(), halos[:2]))
    with jax.enable_x64(False):
        model, received = jax.tree.map(jnp.asarray, sent)
    words = "is in single precision, since this process made or received it before .*configure.. first in each process"
    for objects in ((model, halos[:2]), (Toy(), received)):
        with pytest.raises(RuntimeError, match=words):
            co.evolve(*objects, [0.0])
        with pytest.raises(RuntimeError, match=words):
            co.sensitivity.parameter_jacobian(*objects, ["gas"])
    require_float64(Toy(), halos)


def test_single_precision_met_late_is_told(halos):
    with jax.enable_x64(False), pytest.raises(RuntimeError, match="JAX is set to float32: call corundum.configure"):
        co.evolve(Toy(), halos, [0.0])


def test_a_good_file_opened_in_single_precision_is_not_called_damaged(halos, tmp_path):
    co.halos.save(tmp_path / "halos.h5", halos[:2])
    with jax.enable_x64(False), pytest.raises(RuntimeError, match="JAX is set to float32: call corundum.configure"):
        co.halos.read(tmp_path / "halos.h5")
    np.testing.assert_array_equal(co.halos.read(tmp_path / "halos.h5").log_mvir, halos[:2].log_mvir)


def test_the_command_line_names_a_platform_that_is_not_there(tmp_path):
    command = [sys.executable, "-m", "corundum", "halos", "make", "halos.diffmah_population"]
    command += ["--set", "n=2", "-o", "halos.h5"]
    nowhere = {**os.environ, "JAX_PLATFORMS": "nowhere"}
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=nowhere)
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert done.stderr.startswith("corundum: error: JAX cannot start with JAX_PLATFORMS=nowhere (")


def test_a_call_after_jax_has_started_says_what_can_no_longer_be_set(monkeypatch):
    jax.devices()
    monkeypatch.setattr(type(jax.config), "jax_num_cpu_devices", property(lambda _: -1), raising=False)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(64), raising=False)
    monkeypatch.delenv("JAX_NUM_CPU_DEVICES", raising=False)
    monkeypatch.setenv("XLA_FLAGS", "")
    with pytest.warns(UserWarning, match="configure: JAX has already started, so it computes on 2 CPU devices of 64"):
        co.configure()
    monkeypatch.undo()
    co.configure()
    assert jax.local_device_count() == 2
