"""What tracing depends on beside a function and its arguments: code, versions, settings and devices.

A kept trace is of use only while all of these are the same, so that they are part of its key.  Code that somebody has
changed in memory has no files to compare, and nothing is kept then.
"""

import functools
import hashlib
import importlib.metadata
import sys
import time
from pathlib import Path
from types import FunctionType

import jax

from .structures import LIBRARIES, PACKAGE

__all__ = ["circumstances", "is_as_written", "momentary_settings", "package_checksum"]

_STARTED = time.time()
_ROOT = Path(__file__).parents[2]
_IGNORED = ("cache", "log", "dump", "explain", "traceback")  # settings by which no program differs
_MOMENTARY = (
    "jax_enable_x64", "jax_default_matmul_precision", "jax_numpy_dtype_promotion", "jax_numpy_rank_promotion",
    "jax_default_prng_impl", "jax_threefry_partitionable", "jax_random_seed_offset",
)  # fmt: skip
_WITHOUT_TRACES = (
    "jax_disable_jit", "jax_debug_nans", "jax_debug_infs", "jax_check_tracer_leaks", "jax_default_device",
    "jax_enable_checks",
)  # fmt: skip

_HOMES = frozenset({PACKAGE, *LIBRARIES})
_INSIDE = {"_wrap_method": "method", "property": "fget", "staticmethod": "__func__", "classmethod": "__func__"}
"""Where a method's own function is, by the kind of what equinox or Python puts around it."""


def momentary_settings() -> tuple | None:
    """Settings of JAX that a block of code can change for itself; None where one asks for every step to be looked at.

    Examples
    --------
    >>> with jax.debug_nans(True):
    ...     print(momentary_settings())
    None
    """
    config = jax.config
    if any(getattr(config, name, None) for name in _WITHOUT_TRACES):
        return None
    return tuple(getattr(config, name, None) for name in _MOMENTARY)


def circumstances() -> str | None:
    """One text of all of them; None where a file of the code has changed since this process has begun.

    Examples
    --------
    >>> "'jax_enable_x64': True" in circumstances()
    True
    """
    code = package_checksum(_ROOT, _STARTED)
    if code is None:
        return None
    names = sorted(name for name in jax.config.values if not any(word in name for word in _IGNORED))
    settings = {name: getattr(jax.config, name, None) for name in names}
    devices = [(device.platform, device.device_kind) for device in jax.local_devices()]
    return "\n".join([code, *_versions(), str(settings), str(devices)])


@functools.cache
def _versions():
    return [f"python {sys.version}", *(f"{name} {_version(name)}" for name in (*LIBRARIES, "jaxlib", "scipy"))]


def _version(name):
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


@functools.cache
def package_checksum(root: Path, before: float) -> str | None:
    """Checksum of all files below `root`, by which another version is told apart from this one.

    Parameters
    ----------
    root : Path
    before : float
        When the process has read its code [s since 1970].

    Returns
    -------
    str or None
        None where a file has changed since: the code in memory is no longer that of the files.

    Examples
    --------
    >>> from pathlib import Path
    >>> print(package_checksum(Path(__file__).parent, 0.0))
    None
    """
    checksum = hashlib.blake2b(digest_size=16)
    for path in sorted(root.rglob("*")):
        if path.is_dir() or path.parent.name == "__pycache__":
            continue
        if path.stat().st_mtime > before:
            return None
        content = path.read_bytes()
        checksum.update(f"{path.relative_to(root)} {len(content)}\n".encode())
        checksum.update(content)
    return checksum.hexdigest()


def is_as_written() -> bool:
    """Whether no function of this package has been replaced by one from elsewhere, in its modules and classes.

    Checks of annotations put functions of their own around those of the package, so that it is False beside them.

    Examples
    --------
    >>> type(is_as_written()).__name__
    'bool'
    """
    for module_name, module in list(sys.modules.items()):
        if module_name.partition(".")[0] != PACKAGE or module is None:
            continue
        for member in list(vars(module).values()):
            members = [member]
            if isinstance(member, type) and member.__module__ == module_name:
                members = [getattr(one, _INSIDE.get(type(one).__name__, ""), one) for one in vars(member).values()]
            if not all(_is_of_a_package(one) for one in members if isinstance(one, FunctionType)):
                return False
    return True


def _is_of_a_package(function):
    """Whether the code of a function is of this package, its libraries or Python."""
    home = str(function.__globals__.get("__name__"))
    return home.partition(".")[0] in _HOMES or home in sys.stdlib_module_names or home.startswith("namedtuple_")
