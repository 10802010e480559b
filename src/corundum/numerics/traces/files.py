"""The files of kept traces, beside the compiled programs: read without trust, and written as a whole or not at all.

A file is one stream of zlib, whose checksum says whether it is whole, of a line that says what it is and the program
as `jax.export` writes it.  Reading runs nothing that the file holds.
"""

import contextlib
import json
import os
import tempfile
import zlib
from pathlib import Path
from typing import Any

__all__ = ["read_trace", "write_trace"]

_KIND = "corundum trace 1"
_LEVEL = 1  # of compression, which takes milliseconds and saves half of the bytes


def read_trace(path: Path, key: str) -> tuple[dict[str, Any], bytes] | None:
    """What a file says of its program, and the program; None where there is none, or another than that of `key`.

    Examples
    --------
    >>> from pathlib import Path
    >>> print(read_trace(Path("missing"), "key"))
    None
    """
    try:
        content = zlib.decompress(path.read_bytes())
        line, _, program = content.partition(b"\n")
        header = json.loads(line)
        if header["kind"] != _KIND or header["key"] != key or not program:
            return None
        return header, program
    except (OSError, ValueError, KeyError, TypeError, zlib.error, RecursionError):
        return None


def write_trace(path: Path, key: str, header: dict[str, Any], program: bytes) -> bool:
    """Write a file that `read_trace` reads; whether it is there now.

    Other processes see the whole file or none.  A full disk or a folder that cannot be written only costs the time to
    trace again, of which `configure` has warned.

    Examples
    --------
    >>> from pathlib import Path
    >>> path = Path("sine-trace")
    >>> write_trace(path, "key", {"results": 1}, b"program")
    True
    >>> read_trace(path, "key")[1]
    b'program'
    """
    line = json.dumps({"kind": _KIND, "key": key, **header}).encode()
    scratch = None
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".", suffix=".tmp", delete=False) as file:
            scratch = file.name
            file.write(zlib.compress(line + b"\n" + program, _LEVEL))
        os.replace(scratch, path)
        return True
    except OSError:
        if scratch is not None:
            with contextlib.suppress(OSError):
                os.unlink(scratch)
        return False
