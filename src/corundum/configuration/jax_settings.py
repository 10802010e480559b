"""What is set: double precision, devices, compiler options, and where compiled programs are kept."""

import gc
import os
import sys
import warnings
from pathlib import Path
from typing import Any, NamedTuple

from ..messages import warn_user
from .mappings import MappingsWatch
from .program_cache import cache_root, condition, program_folder, tend

__all__ = ["KeptPrograms", "configure", "configure_file_worker", "kept_programs", "require_platform"]

# Versions of XLA that do not know one of these options ignore it.
_FAST_LOOPS = ",".join(
    (
        "--xla_backend_extra_options=xla_cpu_small_while_loop_byte_threshold=1000000000",
        "xla_cpu_disable_new_fusion_emitters",
        "xla_cpu_disable_loop_unrolling",
    )
)


_OBJECTS = 50_000  # new ones between two rounds of garbage collection
_NEVER = 1e9  # seconds that a program would have to take to be written


def configure(*, cache: bool | str | os.PathLike | None = None) -> None:
    """Set JAX to double precision, with one CPU device for each core and fast loops, and keep compiled programs.

    Call it at the start of a script or notebook, before JAX computes anything, because JAX reads these settings once;
    the command line does it by itself.  What the environment variables ``XLA_FLAGS``, ``JAX_NUM_CPU_DEVICES``,
    ``JAX_PLATFORMS`` and ``JAX_COMPILATION_CACHE_DIR`` say is kept.

    By default XLA dispatches every operation of a loop separately, which for small populations takes longer than the
    arithmetic; loops compiled as a whole make 100 halos and their derivatives up to twice as fast.  Without XLA's newer
    fusion emitters and without unrolled loops, programs are as fast and compile in two thirds of the time.

    Programs that JAX compiles from then on are kept on disk, and the next process loads them, which takes a fifth of
    the time.  A damaged file, a full disk or a folder that cannot be written only costs that time.  ``corundum cache``
    says where they are and removes them.

    Parameters
    ----------
    cache : bool or path, optional
        The folder of compiled programs, or False for none.  By default that of the environment variable
        ``CORUNDUM_CACHE_DIR`` (a folder, or ``off``), else ``corundum`` in the user's cache folder, on Linux; on other
        systems, where this has not been tested, only if asked for with True or a folder.

    Raises
    ------
    TypeError
        `cache` is neither a bool nor a path.

    Warns
    -----
    UserWarning
        JAX has computed something already, so that it keeps fewer devices than there are cores, or arrays of before are
        in single precision; the message says which.  Or programs cannot be kept, or some were damaged.

    Examples
    --------
    >>> co.configure()
    >>> jnp.zeros(2).dtype
    dtype('float64')
    """
    root = cache_root(cache)
    os.environ.setdefault("XLA_FLAGS", _FAST_LOOPS)
    first_import = "jax" not in sys.modules
    import jax

    if first_import:
        # Imported modules stay in memory, and tracing makes many objects in no cycles: looking through all of them less
        # often saves a tenth of the time.
        gc.freeze()
        gc.set_threshold(max(gc.get_threshold()[0], _OBJECTS), *gc.get_threshold()[1:])
    single = not getattr(jax.config, "jax_enable_x64", False)
    jax.config.update("jax_enable_x64", True)
    _keep_programs(root)
    chosen_by_user = "JAX_NUM_CPU_DEVICES" in os.environ or getattr(jax.config, "jax_num_cpu_devices", -1) > 0
    chosen_by_user |= "xla_force_host_platform_device_count" in os.environ.get("XLA_FLAGS", "")
    if chosen_by_user:
        return
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        jax.config.update("jax_num_cpu_devices", cores)
    except RuntimeError:
        _warn_of_a_late_call(single, cores)


class _Kept:
    """Where this process keeps programs by a call of `configure`, and its watch on memory mappings."""

    folder: str | None = None
    watch: MappingsWatch | None = None


class KeptPrograms(NamedTuple):
    """The folder in which this process keeps programs, and whether it may write into it.

    Examples
    --------
    >>> co.configuration.KeptPrograms(Path("programs"), True).writable
    True
    """

    path: Path
    writable: bool


def kept_programs() -> KeptPrograms | None:
    """Where `configure` has this process keep programs; None where it keeps none, or JAX has a folder of its own.

    Examples
    --------
    >>> print(co.configuration.kept_programs())  # here JAX_COMPILATION_CACHE_DIR is set
    None
    """
    if _Kept.folder is None:
        return None
    import jax

    config: Any = jax.config
    if config.jax_compilation_cache_dir != _Kept.folder or not config.jax_enable_compilation_cache:
        return None
    return KeptPrograms(Path(_Kept.folder), config.jax_persistent_cache_min_compile_time_secs < _NEVER)


def _keep_programs(root: Path | None) -> None:
    """Have JAX keep compiled programs below `root`, unless the user has chosen a folder of JAX's own."""
    import jax

    if _Kept.watch is None:
        _Kept.watch = MappingsWatch(_stop_writing)
        jax.monitoring.register_event_duration_secs_listener(_Kept.watch)
    current = getattr(jax.config, "jax_compilation_cache_dir", None)
    if current is not None and current != _Kept.folder:
        return
    folder = None if root is None else program_folder(root)
    if (None if folder is None else str(folder)) == current:
        return
    if folder is not None:
        readable, problem = condition(folder)
        if problem:
            warn_user(
                f"configure: compiled programs are not kept, since {problem}; name a folder of your own in "
                "CORUNDUM_CACHE_DIR, or set it to off"
            )
        damaged = tend(folder).damaged if readable else 0
        if damaged:
            programs = f"{damaged} damaged program{'s' if damaged > 1 else ''}"
            warn_user(f"configure: removed {programs} from {folder}; what is missing there is compiled again")
        # Anything else that can go wrong with a program costs the time to compile it, as `tend` says at the next start.
        warnings.filterwarnings("ignore", message="Error (reading|writing) persistent compilation cache entry")
        _set_limits(_NEVER if problem else 0.0)
        folder = folder if readable else None
    _Kept.folder = None if folder is None else str(folder)
    jax.config.update("jax_compilation_cache_dir", _Kept.folder)
    if current is not None:  # JAX keeps the folder it has begun with
        from jax.experimental.compilation_cache import compilation_cache

        compilation_cache.reset_cache()


def _set_limits(seconds: float) -> None:
    """Write the programs that took so long to compile, of any size; what the environment says is kept."""
    import jax

    for name, value in (("min_compile_time_secs", seconds), ("min_entry_size_bytes", -1)):
        if f"JAX_PERSISTENT_CACHE_{name.upper()}" not in os.environ:
            jax.config.update(f"jax_persistent_cache_{name}", value)


def _stop_writing() -> None:
    import jax

    jax.config.update("jax_persistent_cache_min_compile_time_secs", _NEVER)


def _warn_of_a_late_call(single: bool, cores: int) -> None:
    """Say what can no longer be set because JAX has started, for instance in a cell of a notebook above."""
    import jax

    lost = []
    if jax.default_backend() == "cpu" and jax.local_device_count() < cores:
        devices = jax.local_device_count()
        lost.append(f"it computes on {devices} CPU device{'s' if devices > 1 else ''} of {cores} cores")
    if single:
        lost.append("arrays of before are in single precision, to be computed again")
    if lost:
        warn_user(
            f"configure: JAX has already started, so {', and '.join(lost)}; call corundum.configure() right after the "
            "imports, before JAX computes anything, and restart a notebook to do so"
        )


def configure_file_worker() -> None:
    """Set JAX up in a fresh process that reads files: double precision, on the CPU.

    Such a process does no work for a GPU, of which it would reserve most of the memory.

    Examples
    --------
    >>> from concurrent.futures import ProcessPoolExecutor
    >>> pool = ProcessPoolExecutor(2, initializer=co.configuration.configure_file_worker)
    >>> pool.shutdown()
    """
    import jax

    jax.config.update("jax_platforms", "cpu")
    jax.config.update("jax_enable_x64", True)


def require_platform() -> None:
    """Check that JAX can start on the platform it is set to, such as the GPU.

    Raises
    ------
    RuntimeError
        It cannot: the platform is unknown, not installed, or has no device; the message names the setting.

    Examples
    --------
    >>> require_platform()
    """
    import jax

    try:
        jax.default_backend()
    except (RuntimeError, AssertionError) as error:  # the latter where no platform of the setting is known
        reason = " ".join(str(error).split()).partition(" (set JAX_PLATFORMS")[0] or "its plugin is not installed"
        platforms = getattr(jax.config, "jax_platforms", None) or ""
        raise RuntimeError(
            f"JAX cannot start with JAX_PLATFORMS={platforms} ({reason}); unset JAX_PLATFORMS to use what this machine "
            "has, set it to cpu, or install JAX for that platform, such as corundum[cuda13]"
        ) from error
