"""Writing files in one step, and opening them with checks.

Every file that corundum writes is first written under another name in the same folder and renamed when it is complete,
so that a full disk, a crash or an interrupt never damages the file that was there before.  `open_hdf5` opens what
corundum wrote and says in one sentence whether a file is missing, foreign, truncated or too new; `open_foreign_hdf5`
does the same for files of other codes.
"""

import contextlib
import errno
import hashlib
import io
import os
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path

import h5py

from .. import __version__
from ..messages import one_line
from .hdf5_errors import NO_LOCKS, explain_hdf5_error, is_lock_error

__all__ = [
    "FORMAT_VERSION",
    "atomic_path",
    "check_destination",
    "checksum",
    "content_of",
    "create_hdf5",
    "open_hdf5",
    "open_foreign_hdf5",
    "has_hdf5_signature",
    "missing_file_message",
]

FORMAT_VERSION = 1
"""Version of the HDF5 layout; raised when a file can no longer be read by older code."""

_FORMAT = "corundum"
_HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_NAMES_IN_MESSAGE = 8


@contextlib.contextmanager
def atomic_path(path: str | os.PathLike) -> Iterator[Path]:
    """A temporary path in the folder of `path`, which is renamed to `path` when the block ends without an error.

    Parameters
    ----------
    path : path
        Where the file shall be; a link is followed.

    Yields
    ------
    Path
        An empty file to write to.

    Raises
    ------
    OSError
        The folder is missing or not writable, `path` is a folder, or the disk is full.  A file that was at `path`
        before is then unchanged.

    Examples
    --------
    >>> from pathlib import Path
    >>> from corundum.storage.files import atomic_path
    >>> with atomic_path("table.txt") as temporary:
    ...     characters = temporary.write_text("z 0.0")
    >>> Path("table.txt").read_text()
    'z 0.0'
    """
    target = Path(os.path.realpath(path))
    check_destination(target)
    temporary = target.with_name(f".{target.name}.{os.getpid()}-{secrets.token_hex(4)}.tmp")
    try:
        # The file is created exclusively and with the user's umask before any work is done, so that a folder without
        # write permission is noticed at once.
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        yield temporary
        _sync(temporary)
        os.replace(temporary, target)
    except OSError as error:
        if error.filename is not None and os.fspath(error.filename) not in (os.fspath(temporary), os.fspath(target)):
            raise  # an error at another file, which the work inside the block has met
        raise _explain_write_error(error, target) from error
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def create_hdf5(path: str | os.PathLike, content: str) -> Iterator[h5py.File]:
    """A new HDF5 file to write to, put in place when the block ends (see `atomic_path`).

    The file is built in memory and written in one piece: HDF5 itself, when the disk is full, prints hundreds of lines
    and may end the process, and it locks what it writes, which some network file systems cannot do.

    Parameters
    ----------
    path : path
    content : str
        What the file holds, such as ``"results"`` or ``"halos"``; `open_hdf5` checks it.

    Yields
    ------
    h5py.File

    Raises
    ------
    OSError
        As for `atomic_path`.

    Examples
    --------
    >>> from corundum.storage.files import create_hdf5, open_hdf5
    >>> with create_hdf5("masses.h5", "masses") as file:
    ...     file["mstar"] = [1.0e10, 2.0e10]
    >>> with open_hdf5("masses.h5", "masses") as file:
    ...     file["mstar"][0].item()
    10000000000.0
    """
    image = io.BytesIO()
    with atomic_path(path) as temporary:
        with h5py.File(image, "w") as file:
            file.attrs["format"] = _FORMAT
            file.attrs["content"] = content
            file.attrs["format_version"] = FORMAT_VERSION
            file.attrs["corundum_version"] = __version__
            yield file
        temporary.write_bytes(image.getbuffer())


@contextlib.contextmanager
def open_hdf5(path: str | os.PathLike, content: str) -> Iterator[h5py.File]:
    """A file written by corundum, open for reading.

    Parameters
    ----------
    path : path
    content : str
        What the file has to hold, as given to `create_hdf5`.

    Yields
    ------
    h5py.File

    Raises
    ------
    FileNotFoundError
        There is no such file.
    OSError
        It is in use by another process, or must not or cannot be read.
    ValueError
        It is a folder, not an HDF5 file, cut short, damaged, not written by corundum, or too new.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(errno.ENOENT, f"no such {content} file; check the spelling", str(path))
    if path.is_dir():
        raise ValueError(f"{path}: is a folder; give the HDF5 file inside it")
    with _open_for_reading(path) as file:
        _check_header(file, path, content)
        yield file


def content_of(path: str | os.PathLike) -> str:
    """What a file written by corundum holds, as given to `create_hdf5`; empty where that cannot be read."""
    try:
        with h5py.File(path) as file:
            return str(file.attrs.get("content", ""))
    except OSError:
        return ""


@contextlib.contextmanager
def open_foreign_hdf5(path: str | os.PathLike) -> Iterator[h5py.File]:
    """An HDF5 file written by another code, open for reading.

    Parameters
    ----------
    path : path

    Yields
    ------
    h5py.File

    Raises
    ------
    OSError
        It is in use by another process, or must not or cannot be read.
    ValueError
        There is no such file, it is not HDF5, it is truncated or damaged, or what is read from it is missing.
    """
    path = Path(path)
    if not path.exists():
        raise ValueError(missing_file_message(path))
    with _open_for_reading(path) as file:
        yield file


@contextlib.contextmanager
def _open_for_reading(path: Path) -> Iterator[h5py.File]:
    """An HDF5 file whose faults are told in one sentence; an error that HDF5 has not raised passes as it is."""
    try:
        with _open_with_or_without_lock(path) as file:
            yield file
    except Exception as error:
        explained = explain_hdf5_error(error, path)
        if explained is None:
            raise
        raise explained from error


def _open_with_or_without_lock(path: Path) -> h5py.File:
    try:
        return h5py.File(path, "r")
    except OSError as error:
        # Where the file system has no locks nobody can hold one, so the file may be read without.
        if not (is_lock_error(error) and error.errno in NO_LOCKS):
            raise
        return h5py.File(path, "r", locking=False)


def has_hdf5_signature(path: str | os.PathLike) -> bool:
    """Whether a file begins as HDF5 files do, even if the rest is damaged; False where it cannot be read."""
    try:
        with open(path, "rb") as file:
            return file.read(len(_HDF5_SIGNATURE)) == _HDF5_SIGNATURE
    except OSError:
        return False


def missing_file_message(path: Path) -> str:
    """What to tell a user whose file does not exist: the path, and what the folder has instead.

    Examples
    --------
    >>> from pathlib import Path
    >>> from corundum.storage.files import missing_file_message
    >>> _ = Path("forest.h5").write_text("")
    >>> missing_file_message(Path("forests.h5"))
    'forests.h5: no such file; . has forest.h5'
    """
    if not path.parent.is_dir():
        return one_line(f"{path}: no such file; there is no folder {path.parent} either")
    names = sorted(file.name for file in path.parent.iterdir())[:_NAMES_IN_MESSAGE]
    return one_line(f"{path}: no such file; {path.parent} has {', '.join(names) or 'no files'}")


def checksum(paths: Iterable[Path]) -> str:
    """SHA-256 of the content of some files, one after the other, in hexadecimal.

    Examples
    --------
    >>> from pathlib import Path
    >>> from corundum.storage.files import checksum
    >>> _ = Path("empty.txt").write_text("")
    >>> checksum([Path("empty.txt")])[:8]
    'e3b0c442'
    """
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as content:
            while block := content.read(1 << 22):
                digest.update(block)
    return digest.hexdigest()


def check_destination(target: Path) -> None:
    """Refuse a path that no file can be written to, before the work whose result it shall hold begins.

    Raises
    ------
    OSError
        It is a folder, or its folder is missing.
    """
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, "is a folder; give the name of a file in it", str(target))
    if not target.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "no such folder; make it first", str(target.parent))


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _explain_write_error(error: OSError, target: Path) -> OSError:
    # h5py reports the errno of the failed write in the middle of a long text: we keep the number and say what it
    # means.
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        reason = "the disk, quota or file size limit was reached while writing; free some space or write elsewhere"
    elif error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        reason = "the folder cannot be written to; choose another folder or change its permissions"
        return PermissionError(error.errno, reason, str(target.parent))
    elif error.strerror and error.filename is not None:
        reason = f"writing failed ({error.strerror.lower()})"
    else:
        reason = f"writing failed ({str(error).splitlines()[0]})"
    return type(error)(error.errno or errno.EIO, reason, str(target))


def _check_header(file: h5py.File, path: Path, content: str) -> None:
    if file.attrs.get("format") != _FORMAT:
        raise ValueError(f"{path}: is an HDF5 file but not one written by corundum")
    version = int(file.attrs["format_version"])
    if version > FORMAT_VERSION:
        writer = file.attrs.get("corundum_version", "unknown")
        raise ValueError(
            f"{path}: has format version {version}, written by corundum {writer}, but "
            f"this corundum reads up to {FORMAT_VERSION}; update corundum"
        )
    stored = file.attrs["content"]
    if stored != content:
        raise ValueError(f"{path}: holds {stored}, not {content}; open it with the function for {stored}")
