"""Compiled programs kept on disk: where, for which machine, how many, and whether they are whole.

JAX writes and reads compiled programs itself; its key of a program holds the program, the version of jaxlib, the
compiler's options and the devices.  What it leaves out is done here, for kept traces as well
(`corundum.numerics.traces`): a folder for each kind of processor, whose instructions a program may use; a limit on the
size, above which what was used longest ago is removed; and a check of what is there.
JAX writes a program in several steps and never replaces one, and some compressions have no checksum, so each program's
size and checksum are recorded when it is first seen and compared whenever a process starts.
"""

import contextlib
import hashlib
import importlib.metadata
import importlib.util
import json
import os
import platform
import sys
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

__all__ = [
    "CacheState",
    "Condition",
    "Upkeep",
    "cache_root",
    "command_root",
    "condition",
    "empty_cache",
    "folder_state",
    "program_folder",
    "tend",
]

MOST_BYTES = 512 * 2**20
MOST_PROGRAMS = 10_000
_AFTER_REMOVAL = 0.8  # of those limits, so that not every start has to remove something
_LEAST_FREE = 64 * 2**20  # bytes on the disk
_DAY = 24 * 3600.0  # all programs are read through once in it
_WRITING = 60.0  # seconds for which an incomplete program may be one that another process is writing
_PROGRAMS, _RECORD = "programs", "checks.json"
_PROGRAM = ("-cache", "-trace")  # what JAX writes, and the kept traces of `corundum.numerics.traces`
_OFF = "off"


class CacheState(NamedTuple):
    """What is kept on disk.

    Attributes
    ----------
    root : Path, optional
        The folder of corundum's own files; None where nothing is kept.
    programs : int
        Number of compiled programs and kept traces in it, those of other processors and versions included.
    size : int
        Bytes that they take.

    Examples
    --------
    >>> co.configuration.CacheState(None, 0, 0).size
    0
    """

    root: Path | None
    programs: int
    size: int


class Upkeep(NamedTuple):
    """What `tend` has done: numbers of damaged programs and of those used longest ago that it has removed."""

    damaged: int
    outdated: int


class Condition(NamedTuple):
    """Whether programs in a folder can be loaded, and why none can be written into it; empty where they can."""

    readable: bool
    problem: str


def cache_root(cache: bool | str | os.PathLike | None = None) -> Path | None:
    """The folder in which corundum keeps compiled programs, or None where it keeps none.

    Parameters
    ----------
    cache : bool or path, optional
        As for `corundum.configure`.  None follows the environment variable ``CORUNDUM_CACHE_DIR``: a folder, or
        ``off``; where it is not set, the user's cache folder on Linux, and nothing on other systems, on which this has
        not been tested.  True is the user's cache folder on any system.

    Raises
    ------
    TypeError
        `cache` is neither a bool nor a path.

    Examples
    --------
    >>> co.configuration.cache_root("kept").name
    'kept'
    >>> print(co.configuration.cache_root(False))
    None
    """
    if cache is False:
        return None
    if isinstance(cache, str | os.PathLike):
        return Path(os.path.abspath(os.path.expanduser(cache)))
    if cache is not None and cache is not True:
        raise TypeError(f"configure: got cache={cache!r}; give True, False or the path of a folder")
    stated = os.environ.get("CORUNDUM_CACHE_DIR", "").strip()
    if stated.lower() == _OFF and cache is None:
        return None
    if stated and stated.lower() != _OFF:
        return Path(os.path.abspath(os.path.expanduser(stated)))
    if cache is None and not sys.platform.startswith("linux"):
        return None
    import platformdirs

    folder = Path(platformdirs.user_cache_dir("corundum", appauthor=False))
    return folder if folder.is_absolute() else None  # a process without a home has no cache folder


def command_root() -> Path | None:
    """The folder in which this process's commands keep what they kept: none where JAX has a folder of its own.

    Examples
    --------
    >>> print(co.configuration.command_root())  # here JAX_COMPILATION_CACHE_DIR is set
    None
    """
    return None if os.environ.get("JAX_COMPILATION_CACHE_DIR") else cache_root()


def program_folder(root: Path) -> Path:
    """The folder of the programs that this version of jaxlib has compiled for this kind of processor."""
    key = hashlib.sha256("\n".join(_processor()).encode()).hexdigest()[:12]
    return root / _PROGRAMS / f"jaxlib-{importlib.metadata.version('jaxlib')}-{platform.machine()}-{key}"


def _processor() -> list[str]:
    """The processor's model and instruction sets; the host's name where the system does not state them."""
    names = ("vendor_id", "model name", "flags", "CPU implementer", "CPU part", "Features")
    stated: dict[str, str] = {}
    with contextlib.suppress(OSError), open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
        for line in file:
            name, _, value = line.partition(":")
            if not line.strip():
                break  # one processor stands for all
            if name.strip() in names:
                stated[name.strip()] = " ".join(sorted(value.split()))
    if "flags" in stated or "Features" in stated:
        return [f"{name} {value}" for name, value in sorted(stated.items())]
    return [platform.machine(), platform.processor(), platform.node()]


def condition(folder: Path) -> Condition:
    """Make the folder and see what can be done with it.

    Programs are machine code that this process would run, so that a folder into which others may write is not used.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        state = folder.stat()
        free = os.statvfs(folder) if hasattr(os, "statvfs") else None
    except OSError as error:
        return Condition(False, f"{folder} cannot be made ({(error.strerror or str(error)).lower()})")
    if hasattr(os, "getuid") and (state.st_uid not in (os.getuid(), 0) or state.st_mode & 0o022):
        return Condition(False, f"others may write into {folder}")
    if not os.access(folder, os.W_OK | os.X_OK):
        return Condition(True, f"{folder} cannot be written (permission denied)")
    if free is not None and free.f_bavail * free.f_frsize < _LEAST_FREE:
        return Condition(True, f"the disk of {folder} is nearly full")
    return Condition(True, "")


def tend(folder: Path) -> Upkeep:
    """Remove damaged programs from `folder`, and what was used longest ago where all folders exceed the limits.

    Where another process does the same, or the disk refuses, programs are compiled again at worst.
    """
    damaged = 0
    with contextlib.suppress(OSError):
        damaged = _check(folder, time.time())
    outdated = 0
    with contextlib.suppress(OSError):
        outdated = _limit(folder.parent, folder)
    return Upkeep(damaged, outdated)


def folder_state(root: Path | None) -> CacheState:
    """How many programs there are below `root` and how large they are.

    Examples
    --------
    >>> co.configuration.folder_state(co.configuration.cache_root("kept")).programs
    0
    """
    sizes = [state.st_size for _, state in _programs(root / _PROGRAMS)] if root is not None else []
    return CacheState(root, len(sizes), sum(sizes))


def empty_cache(root: Path) -> int:
    """Remove every compiled program below `root`, and nothing else; returns how many there were.

    Examples
    --------
    >>> co.configuration.empty_cache(co.configuration.cache_root("kept"))
    0
    """
    number = 0
    for path, _ in list(_programs(root / _PROGRAMS)):
        with contextlib.suppress(OSError):
            path.unlink()
            number += 1
    _drop_empty(root / _PROGRAMS, keep=None)
    return number


def _programs(programs: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """Every program in the folders of `programs`, with the state of its file."""
    for folder in _entries(programs):
        yield from _programs_of(Path(folder.path)) if folder.is_dir(follow_symlinks=False) else ()


def _programs_of(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    for entry in _entries(folder):
        if entry.name.endswith(_PROGRAM):
            with contextlib.suppress(OSError):  # another process has just removed it
                yield Path(entry.path), entry.stat(follow_symlinks=False)


def _entries(folder: Path) -> list[os.DirEntry]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:
        return []


def _check(folder: Path, now: float) -> int:
    """Compare the programs with the record of them, remove those that differ, and record new ones."""
    record = _read_record(folder)
    known: dict[str, Any] = record["programs"]
    # zlib's own checksum is tested whenever JAX reads a program; zstd's format has none unless asked for.
    read_all = _has_zstd() or not 0 <= now - record["read_through"] < _DAY
    seen, damaged = {}, 0
    for path, state in _programs_of(folder):
        name, stamp = path.name, [state.st_size, state.st_mtime_ns]
        if name in known and known[name][:2] == stamp and not read_all:
            seen[name] = known[name]
            continue
        content = path.read_bytes()
        with contextlib.suppress(OSError):  # when a program was last used decides what is removed first
            os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
        checksum = zlib.crc32(content)
        if checksum == known[name][2] if name in known else _is_whole(content):
            seen[name] = [*stamp, checksum]
        elif name in known or now - state.st_mtime > _WRITING:
            path.unlink(missing_ok=True)
            damaged += 1
    if seen != known or read_all and seen:
        _write_record(folder, {"read_through": now if read_all else record["read_through"], "programs": seen})
    return damaged


def _is_whole(content: bytes) -> bool:
    """Whether a program that is new here can be unpacked.

    Programs packed with zstd are taken as they are: JAX refuses those that are cut off.
    """
    if content[:4] == b"\x28\xb5\x2f\xfd":
        return True
    try:
        unpacker = zlib.decompressobj()
        unpacker.decompress(content)
        return unpacker.eof and not unpacker.unused_data
    except zlib.error:
        return False


def _has_zstd() -> bool:
    """Whether JAX packs programs with zstd, whose packages it takes where they are installed."""
    return sys.version_info >= (3, 14) or importlib.util.find_spec("zstandard") is not None


def _read_record(folder: Path) -> dict[str, Any]:
    try:
        record = json.loads((folder / _RECORD).read_text(encoding="utf-8"))
        programs = {
            str(name): [int(size), int(changed), int(checksum)]
            for name, (size, changed, checksum) in record["programs"].items()
        }
        return {"read_through": float(record["read_through"]), "programs": programs}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {"read_through": 0.0, "programs": {}}


def _write_record(folder: Path, record: dict[str, Any]) -> None:
    scratch = folder / f".{_RECORD}.{os.getpid()}.tmp"
    try:
        scratch.write_text(json.dumps(record), encoding="utf-8")
        scratch.replace(folder / _RECORD)
    finally:
        scratch.unlink(missing_ok=True)


def _limit(programs: Path, current: Path) -> int:
    """Remove the programs that were used longest ago where there are too many, or too large ones."""
    kept = [(max(state.st_atime, state.st_mtime), state.st_size, path) for path, state in _programs(programs)]
    number, size = len(kept), sum(size for _, size, _ in kept)
    if number <= MOST_PROGRAMS and size <= MOST_BYTES:
        return 0
    removed = 0
    for _, one, path in sorted(kept):
        if number <= _AFTER_REMOVAL * MOST_PROGRAMS and size <= _AFTER_REMOVAL * MOST_BYTES:
            break
        path.unlink(missing_ok=True)
        number, size, removed = number - 1, size - one, removed + 1
    _drop_empty(programs, keep=current)
    return removed


def _drop_empty(programs: Path, keep: Path | None) -> None:
    """Remove folders of earlier versions and of other processors that have no program left."""
    for entry in _entries(programs):
        folder = Path(entry.path)
        if folder != keep and entry.is_dir(follow_symlinks=False) and not any(_programs_of(folder)):
            (folder / _RECORD).unlink(missing_ok=True)
            with contextlib.suppress(OSError):  # it holds files that are not ours
                folder.rmdir()
