"""How long JAX has traced, lowered, compiled and loaded programs in this process.

JAX reports the duration of each of these, also of one inside another, such as the trace of a function that a traced
function calls; time that several reports share counts once.
"""

import time

__all__ = ["CompileClock", "compile_seconds", "start_compile_clock"]

_COMPILING = "/jax/core/compile/"
_MOST = 10_000  # spans that may lie inside one that has not ended


class CompileClock:
    """The time that is covered by reported spans."""

    def __init__(self):
        self.seconds = 0.0
        self._spans: list[tuple[float, float]] = []

    def __call__(self, event: str, duration_secs: float, **kwargs: str | int) -> None:
        """What JAX calls when something that it measures has ended."""
        if event.startswith(_COMPILING):
            self.add(time.perf_counter(), duration_secs)

    def add(self, end: float, duration: float) -> None:
        """Count a span that ends at `end`, no earlier than those before.

        Examples
        --------
        >>> clock = CompileClock()
        >>> clock.add(3.0, 1.0), clock.add(4.0, 3.0), clock.add(6.0, 1.0)
        (None, None, None)
        >>> clock.seconds
        4.0
        """
        start = end - duration
        while self._spans and self._spans[-1][0] >= start:
            inner_start, inner_end = self._spans.pop()
            self.seconds -= inner_end - inner_start
        if self._spans:
            start = max(start, self._spans[-1][1])
        self._spans.append((start, end))
        self.seconds += end - start
        del self._spans[:-_MOST]


_CLOCKS: list[CompileClock] = []


def start_compile_clock() -> None:
    """Have JAX report to the clock of this process, from now on."""
    import jax

    if not _CLOCKS:
        _CLOCKS.append(CompileClock())
        jax.monitoring.register_event_duration_secs_listener(_CLOCKS[0])


def compile_seconds() -> float:
    """Seconds since `start_compile_clock`, which it is zero before."""
    return _CLOCKS[0].seconds if _CLOCKS else 0.0
