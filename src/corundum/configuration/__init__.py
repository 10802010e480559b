"""Setting JAX up: double precision, one CPU device for each core, compiler options, and compiled programs on disk.

`configure` is the only place of corundum that sets `jax.config` or the environment.  The programs that JAX compiles
after it are kept in a folder of the user, so that the next process loads them; `folder_state` says how many there are.
"""

from .jax_settings import KeptPrograms, configure, configure_file_worker, kept_programs, require_platform
from .program_cache import CacheState, cache_root, command_root, empty_cache, folder_state

__all__ = [
    "CacheState",
    "KeptPrograms",
    "cache_root",
    "command_root",
    "configure",
    "configure_file_worker",
    "empty_cache",
    "folder_state",
    "kept_programs",
    "require_platform",
]
