"""The process around a run: JAX's configuration, versions, devices and the state of the code repository.

`configure`, which scripts know as `corundum.configure`, is the one place of corundum that sets `jax.config`; `describe`
is what is recorded beside the results.
"""

import gc
import importlib.metadata
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

__all__ = ["configure", "versions", "describe", "git_state"]

# A version of XLA that does not know one of these passes over it.
_FAST_LOOPS = ",".join(
    (
        "--xla_backend_extra_options=xla_cpu_small_while_loop_byte_threshold=1000000000",
        "xla_cpu_disable_new_fusion_emitters",
        "xla_cpu_disable_loop_unrolling",
    )
)
_DISTRIBUTIONS = ("corundum", "jax", "jaxlib", "equinox", "diffrax", "numpy", "scipy", "h5py", "diffmah")


def configure() -> None:
    """Set JAX to double precision, with one CPU device for each core and fast loops unless the user has said otherwise.

    For the command line, and for scripts and notebooks before JAX computes anything: what it has started with stays.
    ``XLA_FLAGS``, ``JAX_NUM_CPU_DEVICES`` and ``JAX_PLATFORMS`` of the environment are respected.

    XLA starts every operation of a loop by itself, which for small populations takes longer than the arithmetic; loops
    compiled as a whole make 100 halos and their derivatives up to twice as fast.  Without its newer emitters of code
    and without unrolled loops, programs are as fast and compile in two thirds of the time.
    """
    os.environ.setdefault("XLA_FLAGS", _FAST_LOOPS)
    fresh = "jax" not in sys.modules
    import jax

    if fresh:
        gc.freeze()  # what importing made stays; looking through it again and again takes a twelfth of a short run
    jax.config.update("jax_enable_x64", True)
    asked = "JAX_NUM_CPU_DEVICES" in os.environ
    asked = asked or "xla_force_host_platform_device_count" in os.environ.get("XLA_FLAGS", "")
    if asked:
        return
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        jax.config.update("jax_num_cpu_devices", cores)
    except RuntimeError:
        # A Python session that calls `main` after using JAX keeps the devices it already has.
        return


def versions() -> dict[str, str]:
    """Version of Python and of each package a result depends on."""
    found = {"python": platform.python_version()}
    for name in _DISTRIBUTIONS:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


def describe() -> dict[str, Any]:
    """Versions, machine, devices and git state, as plain strings, numbers and lists."""
    import jax

    return {
        "versions": versions(),
        "machine": platform.platform(),
        "processor": platform.machine(),
        "cores": os.cpu_count(),
        "backend": jax.default_backend(),
        "devices": [str(device) for device in jax.devices()],
        "git": git_state(Path.cwd()),
    }


def git_state(directory: Path) -> dict[str, Any] | None:
    """Commit of the repository around `directory`, and whether files in it have changed; None without one."""
    commit = _git(directory, "rev-parse", "HEAD")
    if commit is None:
        return None
    return {"commit": commit, "dirty": bool(_git(directory, "status", "--porcelain", "--untracked-files=no"))}


def _git(directory: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(directory), *arguments], capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
