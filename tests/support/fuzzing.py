"""What fuzz tests share: how many examples they try, and what they assert, one sentence or a full account."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, settings

__all__ = ["FUZZ", "accounted", "one_sentence", "scratch_folder"]

_EXAMPLES = os.environ.get("FUZZ_EXAMPLES")  # set by a long run

FUZZ = settings(
    max_examples=int(_EXAMPLES or 4),
    derandomize=_EXAMPLES is None,
    deadline=None if _EXAMPLES is None else 60_000,
    database=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
"""A few fixed examples in every run of the tests, and as many new ones as a long run asks for."""


@contextlib.contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder for one example: fixtures of pytest are shared by all examples of a test."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@contextlib.contextmanager
def one_sentence(path: Path) -> Iterator[list[Exception]]:
    """Within the block, a refusal is a ValueError or OSError of one line that names the file; others are raised."""
    refused: list[Exception] = []
    try:
        yield refused
    except (ValueError, OSError) as error:
        message = str(error)
        plain = not isinstance(error, UnicodeError) and "\n" not in message and " at 0x" not in message
        if not (plain and 20 < len(message) < 700 and (path.name in message or path.parent.name in message)):
            raise
        refused.append(error)


def accounted(branches, smoothed) -> None:
    """Every tree of a source became a history or has a reason why not, and the histories are finite."""
    counts = branches.counts
    lost = sum(counts.get(reason, 0) for reason in ("that end in a satellite", "outside the range of mass"))
    assert counts["trees"] == len(branches.branches) + lost, counts
    assert len(branches.branches) == len(smoothed.branches) + len(smoothed.dropped)
    halos = smoothed.halos
    assert len(halos) == len(smoothed.branches)
    assert np.all(np.isfinite(halos.log_mvir)) and np.all(np.isfinite(halos.log_concentration))
    assert np.all(np.diff(halos.time) > 0.0) and np.all(np.asarray(halos.start) < halos.time[-1])
