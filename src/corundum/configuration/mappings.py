"""A watch on memory mappings, of which each compiled program takes dozens and Linux gives a process 65530.

Where a process has used them up, XLA ends it with a segmentation fault: while it compiles, loads, or writes a program
out.  Before that, programs are no longer written and the user is warned.
"""

from pathlib import Path

from ..messages import warn_user

__all__ = ["MappingsWatch", "mappings"]

_MAPS = Path("/proc/self/maps")
_LIMIT = Path("/proc/sys/vm/max_map_count")
_COMPILED = "/jax/core/compile/backend_compile_duration"  # JAX records it for programs it loads, too
_SPARE = 0.8  # of the limit, of which a program with many loops may take hundreds
_EVERY = 64  # programs; counting takes up to 20 ms, and so many take some thousands of mappings


def mappings() -> tuple[int, int] | None:
    """Memory mappings that this process has, and how many it can have; None where the system does not say."""
    try:
        with _MAPS.open("rb") as file:
            return sum(1 for _ in file), int(_LIMIT.read_text())
    except (OSError, ValueError):
        return None


class MappingsWatch:
    """Counts mappings as programs are compiled, and calls `stop_writing` once where four fifths are used."""

    def __init__(self, stop_writing):
        self._stop_writing, self._programs, self._warned = stop_writing, 0, False

    def __call__(self, event: str, duration_secs: float, **kwargs: str | int) -> None:
        """What JAX calls with the duration of every event it measures."""
        if event != _COMPILED or self._warned:
            return
        self._programs += 1
        if self._programs % _EVERY:
            return
        state = mappings()
        if state is None or state[0] < _SPARE * state[1]:
            return
        self._warned = True
        self._stop_writing()
        warn_user(
            f"this process holds {state[0]} of the {state[1]} memory mappings that Linux allows it, most of them for "
            "compiled programs, and XLA crashes without more: call jax.clear_caches() to free them"
        )
