"""Locks: one process at a time writes to a run directory or converts into a file.

A lock is a file in which the process that holds it states who it is.  The operating system releases a lock when its
process ends, in whatever way, so that a run that was killed never has to be unlocked by hand.  Where the file system
has no locks, as some network file systems, the statement decides: a process of this host that no longer runs holds
nothing.
"""

import contextlib
import datetime
import errno
import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .hdf5_errors import NO_LOCKS

try:
    import fcntl
except ImportError:  # Windows has none, so the statement decides
    fcntl = None  # type: ignore[assignment]

__all__ = ["InUseError", "exclusive"]

_ATTEMPTS = 20  # at a lock file that its last holder is just removing


class InUseError(RuntimeError):
    """Another process holds the lock."""


@contextlib.contextmanager
def exclusive(lock: Path, use: str) -> Iterator[None]:
    """Hold a lock while the block runs; where another process holds it, refuse at once instead of waiting.

    Parameters
    ----------
    lock : Path
        The lock file, which is made and removed again; its folder must exist.
    use : str
        What is locked and what another holder does with it; the message opens with it.

    Raises
    ------
    InUseError
        Another process holds the lock; the message says which, on which host, and since when.
    OSError
        The lock file cannot be made.

    Examples
    --------
    >>> from pathlib import Path
    >>> from corundum.storage.locks import exclusive
    >>> with exclusive(Path(".lock"), "out: another run writes to it"):
    ...     Path(".lock").exists()
    True
    >>> Path(".lock").exists()
    False
    """
    handle = _take(lock, use)
    try:
        yield
    finally:
        # Removed while it is still held: a process that opens the file now finds in `_is_at` that it has lost its name.
        with contextlib.suppress(OSError):
            lock.unlink()
        os.close(handle)


def _take(lock: Path, use: str) -> int:
    """The open lock file, once this process holds it."""
    for _ in range(_ATTEMPTS):
        handle = os.open(lock, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            _hold(handle, lock, use)
            if _is_at(handle, lock):
                _state_holder(handle)
                return handle
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)
    raise InUseError(f"{use}; wait until it has ended")


def _hold(handle: int, lock: Path, use: str) -> None:
    holder = _holder(handle)
    try:
        if fcntl is None:
            raise OSError(errno.ENOSYS, "this system has no locks")
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return
    except OSError as error:
        if error.errno not in (errno.EAGAIN, errno.EACCES, *NO_LOCKS):
            raise
        stated = error.errno in NO_LOCKS
    if stated and not _runs(holder):
        return
    who = "process {process} on {host}, since {started}".format_map(holder) if holder else "which one is not stated"
    remedy = f"wait until it has ended, or remove {lock} if it has" if stated else "wait until it has ended"
    raise InUseError(f"{use} ({who}); {remedy}")


def _is_at(handle: int, lock: Path) -> bool:
    """Whether the open file still has its name."""
    try:
        return os.path.samestat(os.fstat(handle), lock.stat())
    except FileNotFoundError:
        return False


def _state_holder(handle: int) -> None:
    started = datetime.datetime.now().astimezone().isoformat(timespec="seconds")
    os.ftruncate(handle, 0)
    os.lseek(handle, 0, os.SEEK_SET)
    os.write(handle, json.dumps({"process": os.getpid(), "host": socket.gethostname(), "started": started}).encode())


def _holder(handle: int) -> dict[str, Any]:
    """What the last holder states of itself; empty where that cannot be read."""
    try:
        stated = json.loads(os.read(handle, 4096))
        return {"process": int(stated["process"]), "host": str(stated["host"]), "started": str(stated["started"])}
    except (ValueError, KeyError, TypeError):
        return {}


def _runs(holder: dict[str, Any]) -> bool:
    """Whether a holder may still run; one of another host cannot be asked and counts as running."""
    if not holder or holder["host"] != socket.gethostname():
        return bool(holder)
    try:
        os.kill(holder["process"], 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # it runs, as another user
    return True
