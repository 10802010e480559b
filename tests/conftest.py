"""Shared test set-up: double precision and two CPU devices, as the command line sets them.

Compiled programs of the processes that tests start are kept in the directory of pytest's own cache: compiling takes
most of the time of the suite.  For the same reason machine code is not optimised here, which changes round-off and
speed alone; `make demo` and benchmarks run what users run.  The workers themselves keep no programs.  Linear algebra
takes one thread: with a thread for each core in each worker, threads spend most of the time waiting for each other.
"""

import gc
import os
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(Path(__file__).parents[1] / ".pytest_cache" / "jax"))
os.environ.setdefault(
    "XLA_FLAGS",
    "--xla_backend_optimization_level=0 "
    "--xla_backend_extra_options=xla_cpu_disable_new_fusion_emitters,xla_cpu_disable_loop_unrolling",
)
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.3")

import jax

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_num_cpu_devices", 2)
jax.config.update("jax_enable_compilation_cache", False)

import jaxtyping  # noqa: E402
import numpy as np  # noqa: E402
import pytest  # noqa: E402

from annotations import check_annotations  # noqa: E402

check_annotations()

import corundum as co  # noqa: E402

# Tracing makes millions of small objects that stay; looking through them all again and again is a tenth of the time.
gc.set_threshold(100_000, 20, 20)
_MAPPINGS = Path("/proc/self/maps")


@pytest.fixture(scope="module", autouse=True)
def _room_for_programs():
    """Compiled programs take memory mappings; where a process has all that Linux gives it, 65530, XLA crashes."""
    yield
    if _MAPPINGS.exists() and len(_MAPPINGS.read_bytes().splitlines()) > 25_000:
        jax.clear_caches()


@pytest.fixture(autouse=True)
def _as_users_have_it(request):
    """Tests of what happens to wrong values see the package as users have it, without the check of annotations."""
    marked = request.node.get_closest_marker("wrong_types") is not None
    if marked:
        jaxtyping.config.update("jaxtyping_disable", True)
    yield
    if marked:
        jaxtyping.config.update("jaxtyping_disable", False)


@pytest.fixture(scope="session")
def reference():
    """The published solution; see tests/data/README.md."""
    with np.load(Path(__file__).parent / "data" / "thermal_pandya26.npz", allow_pickle=False) as data:
        return dict(data)


@pytest.fixture(scope="session")
def published_halos(reference):
    """The ten reference histories, read as the published package reads them."""
    rows = reference["halo_log10"]
    return co.halos.HaloHistories(
        reference["time_gyr"],
        rows[:, 1],
        rows[:, 4],
        log_rvir=rows[:, 2],
        log_growth=rows[:, 0],
        start=reference["start_gyr"],
        interpolation=co.halos.Pandya26Hermite(),
    )


@pytest.fixture(scope="session")
def halos(reference):
    """The ten reference histories on C2 splines."""
    rows = reference["halo_log10"]
    return co.halos.HaloHistories(reference["time_gyr"], rows[:, 1], rows[:, 4])


@pytest.fixture(scope="session")
def population(halos):
    """The default model in those halos at z = 0, 2, 1 (in this order)."""
    return co.evolve(co.models.ThermalCGM(), halos, [0.0, 2.0, 1.0])
