"""Paths in run files: where a relative one leads, so that a run file means the same files in every directory.

A relative path is looked for in the working directory and then beside the run file.  The resolved run file holds the
absolute path of what was used, so that a run can be repeated from anywhere.
"""

import contextlib
import contextvars
from collections.abc import Iterator
from pathlib import Path

__all__ = ["absolute_path", "beside"]

_folder: contextvars.ContextVar[Path | None] = contextvars.ContextVar("folder of the run file", default=None)


@contextlib.contextmanager
def beside(run_file: Path) -> Iterator[None]:
    """Within the block, relative paths are also looked for in the folder of a run file."""
    token = _folder.set(run_file.resolve().parent)
    try:
        yield
    finally:
        _folder.reset(token)


def absolute_path(text: str) -> str:
    """The absolute path of a file or directory that a run file names; `text` itself where it does not exist.

    Examples
    --------
    >>> from pathlib import Path
    >>> Path("runs").mkdir()
    >>> _ = Path("runs/halos.csv").write_text("halo_id,time,mvir")
    >>> with beside(Path("runs/run.toml")):
    ...     absolute_path("halos.csv") == str(Path("runs/halos.csv").resolve())
    True
    >>> absolute_path("halos.csv")
    'halos.csv'
    """
    path = Path(text).expanduser()
    for folder in (Path.cwd(), _folder.get()):
        if text and folder is not None and (folder / path).exists():
            return str((folder / path).absolute())
    return text
