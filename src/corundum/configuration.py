"""Setting JAX up: double precision, one CPU device for each core, and compiler options.

`configure` is the only place of corundum that sets `jax.config` or the environment.
"""

import gc
import os
import sys

from .messages import warn_user

__all__ = ["configure", "configure_file_worker", "require_platform"]

# Versions of XLA that do not know one of these options ignore it.
_FAST_LOOPS = ",".join(
    (
        "--xla_backend_extra_options=xla_cpu_small_while_loop_byte_threshold=1000000000",
        "xla_cpu_disable_new_fusion_emitters",
        "xla_cpu_disable_loop_unrolling",
    )
)


def configure() -> None:
    """Set JAX to double precision, with one CPU device for each core and fast loops.

    Call it at the start of a script or notebook, before JAX computes anything, because JAX reads these settings once;
    the command line does it by itself.  What the environment variables ``XLA_FLAGS``, ``JAX_NUM_CPU_DEVICES`` and
    ``JAX_PLATFORMS`` say is kept.

    By default XLA dispatches every operation of a loop separately, which for small populations takes longer than the
    arithmetic; loops compiled as a whole make 100 halos and their derivatives up to twice as fast.  Without XLA's newer
    fusion emitters and without unrolled loops, programs are as fast and compile in two thirds of the time.

    Warns
    -----
    UserWarning
        JAX has computed something already, so that it keeps fewer devices than there are cores, or arrays of before are
        in single precision; the message says which.

    Examples
    --------
    >>> co.configure()
    >>> jnp.zeros(2).dtype
    dtype('float64')
    """
    os.environ.setdefault("XLA_FLAGS", _FAST_LOOPS)
    first_import = "jax" not in sys.modules
    import jax

    if first_import:
        # Imported modules stay in memory; without them, garbage collection saves a twelfth of a short run.
        gc.freeze()
    single = not getattr(jax.config, "jax_enable_x64", False)
    jax.config.update("jax_enable_x64", True)
    chosen_by_user = "JAX_NUM_CPU_DEVICES" in os.environ or getattr(jax.config, "jax_num_cpu_devices", -1) > 0
    chosen_by_user |= "xla_force_host_platform_device_count" in os.environ.get("XLA_FLAGS", "")
    if chosen_by_user:
        return
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        jax.config.update("jax_num_cpu_devices", cores)
    except RuntimeError:
        _warn_of_a_late_call(single, cores)


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
