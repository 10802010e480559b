"""How long the stages of a run took the last time, so that users know what to expect.

It is kept beside the compiled programs; where none are kept, nothing is written.
"""

import contextlib
import json
import os
from pathlib import Path
from typing import Any

__all__ = ["LastTime"]

_FILE = "stage_seconds.json"
_MOST_TITLES = 100


class LastTime:
    """Seconds of each stage of the run with this title, of which how many went into compiling.

    Parameters
    ----------
    root : Path, optional
        The folder of `corundum.configuration.command_root`; None to keep nothing.
    title : str
        Of the run, with its command.
    """

    def __init__(self, root: Path | None, title: str):
        self._file, self._title = None if root is None else root / _FILE, title
        self._before = self._read().get(title, {})
        self._now: dict[str, list[float]] = {}

    def seconds(self, stage: str) -> float | None:
        """Seconds that a stage took; None where that is not known."""
        return self._number(stage, 0)

    def compiling(self, stage: str) -> float | None:
        """Seconds of a stage that went into compiling; None where that is not known."""
        return self._number(stage, 1)

    def record(self, stage: str, seconds: float, compiling: float) -> None:
        """Keep how long a stage took this time."""
        self._now[stage] = [round(seconds, 2), round(compiling, 2)]

    def save(self) -> None:
        """Write what was recorded, of the hundred runs of late; where that fails, nothing is known the next time."""
        if self._file is None:
            return
        titles = {title: stages for title, stages in self._read().items() if title != self._title}
        titles[self._title] = self._before | self._now
        kept = dict(list(titles.items())[-_MOST_TITLES:])
        with contextlib.suppress(OSError):
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            scratch = self._file.with_name(f".{_FILE}.{os.getpid()}.tmp")
            scratch.write_text(json.dumps(kept), encoding="utf-8")
            scratch.replace(self._file)

    def _number(self, stage: str, place: int) -> float | None:
        try:
            return float(self._before[stage][place])
        except (KeyError, IndexError, TypeError, ValueError):
            return None

    def _read(self) -> dict[str, Any]:
        try:
            content = json.loads(self._file.read_text(encoding="utf-8")) if self._file is not None else {}
        except (OSError, ValueError):
            return {}
        if not isinstance(content, dict):
            return {}
        return {title: stages for title, stages in content.items() if isinstance(stages, dict)}
