"""Setting JAX up: double precision, one CPU device for each core, and compiler options.

`configure` is the only place of corundum that sets `jax.config` or the environment.
"""

import gc
import os
import sys

__all__ = ["configure"]

# A version of XLA that does not know one of these passes over it.
_FAST_LOOPS = ",".join(
    (
        "--xla_backend_extra_options=xla_cpu_small_while_loop_byte_threshold=1000000000",
        "xla_cpu_disable_new_fusion_emitters",
        "xla_cpu_disable_loop_unrolling",
    )
)


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
