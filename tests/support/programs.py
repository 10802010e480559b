"""Counting the programs that XLA compiles."""

import contextlib

import jax

_compiled: list[str] = []


def _record(event: str, seconds: float, *, fun_name: str = "", **_):
    if event == "/jax/core/compile/backend_compile_duration":
        _compiled.append(fun_name)


jax.monitoring.register_event_duration_secs_listener(_record)


@contextlib.contextmanager
def compiled_programs():
    """The names of the functions that are compiled inside; complete when the block is left."""
    before, names = len(_compiled), []
    yield names
    names.extend(_compiled[before:])
