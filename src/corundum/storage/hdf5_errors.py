"""What an error of the HDF5 library means: in use, cut short, damaged, not permitted, or nothing to do with the file.

HDF5 reports whatever happens to a file by a long text of its own.  `explain_hdf5_error` turns it into one sentence
about the file, and leaves errors alone that only passed through while a file was open, such as that of a law that
refuses a number: the cause of those is elsewhere, and to call the file damaged would hide it.
"""

import errno
import os
import re
from pathlib import Path
from types import TracebackType

from ..messages import one_line

__all__ = ["NO_LOCKS", "explain_hdf5_error", "is_lock_error"]

NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)
"""Error numbers of a file system without locks, as some network file systems are."""

_ERRNO = re.compile(r"errno = (\d+)")
_NO_FILTER = (
    "a dataset is compressed with a filter that this HDF5 library does not have; `import hdf5plugin` before you read "
    "it, or rewrite the file with `h5repack -f NONE`"
)
_NO_LINK = "links to another file that cannot be opened; copy that file too"
_SENTENCES = {
    "may use <h5clear file>": "is marked as open for writing: another program still writes it, or was stopped while it "
    "wrote; wait until that program has ended, or remove the mark with `h5clear -s FILE`",
    "truncated file": "the HDF5 file is cut short: it is still being written or copied, or was copied only in part; "
    "wait until that is finished, or copy the file again",
    "signature not found": "is not an HDF5 file, or even its first bytes are missing; copy the file again",
    "required filter": _NO_FILTER,
    "can't open directory": _NO_FILTER,  # where HDF5 looks for filters
    "unable to open external": _NO_LINK,
    "object (can't open file)": _NO_LINK,
}


def explain_hdf5_error(error: Exception, path: Path) -> Exception | None:
    """The error to raise instead of one that occurred while a file was opened or read.

    Parameters
    ----------
    error : Exception
        It must have been raised, since its traceback says whether HDF5 raised it.
    path : Path
        The file.

    Returns
    -------
    Exception or None
        An `OSError` where the operating system refused something (the file is in use, no permission, a broken disk),
        a `ValueError` where something is wrong with the file, and None where HDF5 has not raised the error.

    Examples
    --------
    >>> import h5py
    >>> from pathlib import Path
    >>> from corundum.storage.hdf5_errors import explain_hdf5_error
    >>> characters = Path("table.h5").write_text("z 0.0")
    >>> try:
    ...     h5py.File("table.h5", "r")
    ... except OSError as error:
    ...     explain_hdf5_error(error, Path("table.h5"))
    ValueError('table.h5: is not an HDF5 file, or even its first bytes are missing; copy the file again')
    """
    if not _raised_by_hdf5(error.__traceback__):
        return None
    text = one_line(" ".join(str(error).strip("\"'").split()))  # it quotes names in the file
    number = _error_number(error, text)
    if is_lock_error(error):
        if number in NO_LOCKS:
            reason = "the file system has no locks; set the environment variable HDF5_USE_FILE_LOCKING=FALSE"
        else:
            reason = "is in use: another process has it open for writing; wait until that process has closed it"
        return OSError(number or errno.EAGAIN, reason, str(path))
    if number in (errno.EACCES, errno.EPERM):
        return PermissionError(number, "you have no permission to read the file; change its permissions", str(path))
    if number is not None:
        return OSError(number, f"cannot be read ({os.strerror(number).lower()})", str(path))
    for sign, sentence in _SENTENCES.items():
        if sign in text:
            return ValueError(f"{path}: {sentence}")
    if isinstance(error, KeyError):
        return ValueError(
            f"{path}: a part of the file is missing ({text[:120]}); copy the file again, or repeat what wrote it"
        )
    return ValueError(f"{path}: the HDF5 file is damaged ({text[:120]}); copy the file again, or repeat what wrote it")


def is_lock_error(error: Exception) -> bool:
    """Whether HDF5 could not lock a file, because another process holds a lock or because the file system has none."""
    return "unable to lock file" in str(error)


def _raised_by_hdf5(traceback: TracebackType | None) -> bool:
    """Whether the innermost code of a traceback belongs to h5py."""
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    module = "" if traceback is None else traceback.tb_frame.f_globals.get("__name__", "")
    return str(module).partition(".")[0] == "h5py"


def _error_number(error: Exception, text: str) -> int | None:
    """The number that the operating system gave, which h5py often has in its text only."""
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno
    match = _ERRNO.search(text)
    return int(match[1]) if match and int(match[1]) else None
