"""The process around a run: versions, devices and the state of the code repository, recorded beside the results."""

import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

__all__ = ["versions", "describe", "git_state"]

_DISTRIBUTIONS = ("corundum", "jax", "jaxlib", "equinox", "diffrax", "numpy", "scipy", "h5py", "diffmah")


def versions() -> dict[str, str]:
    """Version of Python and of each package a result depends on."""
    numbers = {"python": platform.python_version()}
    for name in _DISTRIBUTIONS:
        try:
            numbers[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            numbers[name] = "not installed"
    return numbers


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
