"""Text files as people have them: compressed or not, with any ends of lines, and with comments in any encoding.

Files of merger trees and tables are written once and copied many times, between systems that end lines differently,
and many are kept compressed.  What they hold is digits and ASCII names, so that every text is read as Latin-1, in which
each byte is a character and no comment can be a mistake.
"""

import bz2
import gzip
import io
import lzma
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from .files import missing_file_message

__all__ = ["TEXT_SUFFIXES", "compression", "line_blocks", "text_lines", "without_suffix"]

TEXT_SUFFIXES = ("", ".gz", ".bz2", ".xz")
"""What the name of a text file may end with beside its own suffix."""

_READ: dict[bytes, tuple[str, Callable[..., Any]]] = {
    b"\x1f\x8b\x08": ("gzip", gzip.open),
    b"BZh": ("bzip2", bz2.open),
    b"\xfd7zXZ\x00": ("xz", lzma.open),
}
_NOT_READ = {
    b"PK\x03\x04": "zip", b"(\xb5/\xfd": "zstd", b"7z\xbc\xaf": "7z", b"\x1f\x9d": "compress", b"\x04\"M\x18": "lz4",
}  # fmt: skip
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf".decode("latin-1")
_LINES_TOGETHER = 1 << 16  # characters that are read at once where single lines are needed


def compression(path: Path) -> str | None:
    """How a file is compressed, recognised by its first bytes: the name of the method, or None.

    Raises
    ------
    ValueError
        The file cannot be opened.

    Examples
    --------
    >>> import gzip
    >>> from pathlib import Path
    >>> from corundum.storage.text_files import compression
    >>> _ = Path("tree_0_0_0.dat.gz").write_bytes(gzip.compress(b"#scale id"))
    >>> compression(Path("tree_0_0_0.dat.gz"))
    'gzip'
    """
    start = _first_bytes(path, 8)
    methods = {signature: name for signature, (name, _) in _READ.items()} | _NOT_READ
    return next((name for signature, name in methods.items() if start.startswith(signature)), None)


def without_suffix(path: Path) -> str:
    """The name of a text file without the suffix of its compression.

    Examples
    --------
    >>> from pathlib import Path
    >>> from corundum.storage.text_files import without_suffix
    >>> without_suffix(Path("forest/tree_0_0_0.dat.gz"))
    'tree_0_0_0.dat'
    """
    return path.name.removesuffix(path.suffix) if path.suffix in TEXT_SUFFIXES else path.name


def text_lines(path: Path, *, whole: bool = False) -> Iterator[str]:
    """The lines of a text file, each with its end.

    Parameters
    ----------
    path, whole
        As for `line_blocks`.

    Raises
    ------
    ValueError
        As for `line_blocks`.

    Examples
    --------
    >>> from pathlib import Path
    >>> from corundum.storage.text_files import text_lines
    >>> _ = Path("query.csv").write_bytes(b"haloId,redshift\\r\\n1,0.5\\r\\n")
    >>> list(text_lines(Path("query.csv")))
    ['haloId,redshift\\n', '1,0.5\\n']
    """
    for _, block in line_blocks(path, _LINES_TOGETHER, whole=whole):
        yield from io.StringIO(block)


def line_blocks(path: Path, size: int, *, whole: bool = True) -> Iterator[tuple[int, str]]:
    """Blocks of whole lines of a text file, each with the number of its first line.

    Parameters
    ----------
    path : Path
        Plain text, or compressed with gzip, bzip2 or xz, whatever its name is.
    size : int
        Characters of a block, about.
    whole : bool
        Whether to refuse a file that stops in the middle of a line, because the first digits of a number are a number
        too.

    Yields
    ------
    int, str
        Lines end with ``"\\n"`` whatever ends them in the file; a byte-order mark at the start is left out.

    Raises
    ------
    ValueError
        There is no such file, it cannot be read, is no text, or is cut short.

    Examples
    --------
    >>> from pathlib import Path
    >>> from corundum.storage.text_files import line_blocks
    >>> _ = Path("rows.txt").write_text("1 2\\n3 4\\n5 6\\n")
    >>> list(line_blocks(Path("rows.txt"), 6))
    [(1, '1 2\\n'), (2, '3 4\\n5 6\\n')]
    """
    number, remainder = 1, ""
    for piece in _pieces(path, size):
        text = remainder + piece
        cut = text.rfind("\n") + 1
        remainder = text[cut:]
        if cut:
            yield number, text[:cut]
            number += text.count("\n", 0, cut)
    if remainder and whole:
        raise ValueError(f"{path}: stops in the middle of a line; the file is cut short, so copy it again")
    if remainder:
        yield number, remainder


def _pieces(path: Path, size: int) -> Iterator[str]:
    """The text of a file, `size` characters at a time."""
    start = _first_bytes(path, 8)
    method = compression(path)
    opener = next((opener for name, opener in _READ.values() if name == method), None)
    if method is not None and opener is None:
        raise ValueError(f"{path}: is compressed ({method}); unpack it first (gzip, bzip2 and xz are read as they are)")
    if start.startswith(_UTF16):
        raise ValueError(f"{path}: is text in UTF-16; save it as UTF-8")
    with io.TextIOWrapper((opener or open)(path, "rb"), "latin-1") as file:
        piece = _read(file, size, path).removeprefix(_BYTE_ORDER_MARK)
        if "\0" in piece:
            raise ValueError(f"{path}: is not a text file")
        while piece:
            yield piece
            piece = _read(file, size, path)


def _read(file: io.TextIOWrapper, size: int, path: Path) -> str:
    try:
        return file.read(size)
    except (EOFError, OSError, lzma.LZMAError, zlib.error) as error:
        reason = " ".join(str(error).split()).rstrip(".")
        raise ValueError(f"{path}: is cut short or damaged ({reason}); copy it again") from None


def _first_bytes(path: Path, count: int) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(count)
    except FileNotFoundError:
        raise ValueError(missing_file_message(path)) from None
    except OSError as error:
        raise ValueError(f"{path}: cannot be read ({(error.strerror or str(error)).lower()})") from None
