"""Writing and opening files so that nothing is ever half there.

Every file corundum leaves behind is written beside its destination and then takes its name in one step, so
that a full disk, a crash or an interrupt never damages a file that was already there.  `open_hdf5` is the one
way in: it tells a missing, foreign, truncated or too new file apart, each in one sentence.
"""

import contextlib
import errno
import hashlib
import os
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path

import h5py

from .. import __version__

__all__ = ["FORMAT_VERSION", "atomic_path", "check_destination", "checksum", "create_hdf5", "open_hdf5"]

FORMAT_VERSION = 1
"""Version of the HDF5 layout; raised when a file can no longer be read by older code."""

_FORMAT = "corundum"


@contextlib.contextmanager
def atomic_path(path: str | os.PathLike) -> Iterator[Path]:
    """A scratch path in the folder of `path`; it becomes `path` when the block ends without an error.

    Raises
    ------
    OSError
        The folder is missing or not writable, `path` is a folder, or the disk is full.  What was at `path`
        before is untouched.
    """
    target = Path(os.path.realpath(path))
    check_destination(target)
    scratch = target.with_name(f".{target.name}.{os.getpid()}-{secrets.token_hex(4)}.tmp")
    try:
        # Made here, exclusively and with the user's umask, so that a folder without permission is found out
        # first.
        os.close(os.open(scratch, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        yield scratch
        _sync(scratch)
        os.replace(scratch, target)
    except OSError as error:
        raise _explained(error, target) from error
    finally:
        scratch.unlink(missing_ok=True)


@contextlib.contextmanager
def create_hdf5(path: str | os.PathLike, content: str) -> Iterator[h5py.File]:
    """A new HDF5 file to be filled, put in place at the end of the block (see `atomic_path`).

    Parameters
    ----------
    path : path
    content : str
        What the file holds, ``"results"`` or ``"halos"``; `open_hdf5` checks it.
    """
    with atomic_path(path) as scratch, h5py.File(scratch, "w") as file:
        file.attrs["format"] = _FORMAT
        file.attrs["content"] = content
        file.attrs["format_version"] = FORMAT_VERSION
        file.attrs["corundum_version"] = __version__
        yield file


@contextlib.contextmanager
def open_hdf5(path: str | os.PathLike, content: str) -> Iterator[h5py.File]:
    """A file written by corundum, open for reading.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ValueError
        It is a folder, not an HDF5 file, cut short, damaged, not written by corundum, or too new.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(errno.ENOENT, "no such results file; check the spelling", str(path))
    if path.is_dir():
        raise ValueError(f"{path}: is a folder; give the HDF5 file inside it")
    try:
        with h5py.File(path, "r") as file:
            _check_header(file, path, content)
            yield file
    except PermissionError as error:
        raise PermissionError(error.errno, "the file may not be read by you", str(path)) from error
    except (OSError, RuntimeError) as error:
        raise ValueError(f"{path}: {_reading_trouble(error)}") from error
    except KeyError as error:
        name = str(error).strip("\"'")
        raise ValueError(f"{path}: a part of the file is missing ({name}); write it again") from error


def checksum(paths: Iterable[Path]) -> str:
    """SHA-256 of the content of files, one after the other, in hexadecimal."""
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as content:
            while block := content.read(1 << 22):
                digest.update(block)
    return digest.hexdigest()


def check_destination(target: Path) -> None:
    """Refuse a place that no file can be written to, before the work that would fill it.

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


def _explained(error: OSError, target: Path) -> OSError:
    # h5py reports the errno of the failed write inside a page of addresses: keep the number, say what it
    # means.
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        told = "the disk, quota or file size limit was reached while writing; free some space or write elsewhere"
    elif error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        told = "the folder cannot be written to; choose another folder or change its permissions"
        return PermissionError(error.errno, told, str(target.parent))
    elif error.strerror and error.filename is not None:
        told = f"writing failed ({error.strerror.lower()})"
    else:
        told = f"writing failed ({str(error).splitlines()[0]})"
    return type(error)(error.errno or errno.EIO, told, str(target))


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
    found = file.attrs["content"]
    if found != content:
        raise ValueError(f"{path}: holds {found}, not {content}; open it with the function for {found}")


def _reading_trouble(error: Exception) -> str:
    text = str(error)
    if "truncated file" in text:
        return "the file is cut short; copy it again, or repeat the run that wrote it"
    if "signature not found" in text:
        return "is not an HDF5 file (or not even its beginning is there); give a file written by corundum"
    return "the file is damaged; copy it again, or repeat the run that wrote it"
