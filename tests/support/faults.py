"""Faults that files of halos have in practice, each with the numbers that say how: hypothesis draws them.

A fault is a function that changes a file in place.  `harmless` ones leave every halo of the file as it was; after any
other one a reader must refuse the file in one sentence, or account for all halos that it holds.
"""

import gzip
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
from hypothesis import strategies as st

__all__ = ["NUMBERS", "faults_of", "harmless_faults_of"]

Fault = Callable[[Path], None]

NUMBERS = ("nan", "inf", "-1", "0", "1e400", "9.96921e+36", "1e20", "abc", "", "1,5", "0x1F", "١٢")
"""What stands in files where a number should be."""

_TYPES = ("i1", "i4", "i8", "u8", "f4", "f8", ">i4", ">f8", "S12", "f2", "c16", "bool")
_LINES = ("", "garbage", "#tree 5", "# comment", "1 2 3", "\x00\x00", "#h0 = 70")
_ATTRIBUTES = (np.nan, 0.0, -1, "text", b"0.7", [0.7, 0.3], [], np.float32(0.7), np.array([0.7]), 1e40)


def _named(name: str, function: Fault) -> Fault:
    function.__name__ = function.__qualname__ = name  # hypothesis prints it
    return function


# ---- any file


def cut_to(fraction: float) -> Fault:
    def fault(path):
        content = path.read_bytes()
        path.write_bytes(content[: int(fraction * len(content))])

    return _named(f"cut_to({fraction!r})", fault)


def flipped(place: float, value: int) -> Fault:
    def fault(path):
        content = bytearray(path.read_bytes())
        if content:
            content[int(place * (len(content) - 1))] ^= value
            path.write_bytes(bytes(content))

    return _named(f"flipped({place!r}, {value})", fault)


def overwritten(place: float, length: int, value: int) -> Fault:
    """A block of one byte, as a disk with a bad sector returns it."""

    def fault(path):
        content = bytearray(path.read_bytes())
        first = int(place * max(len(content) - 1, 0))
        content[first : first + length] = bytes([value]) * len(content[first : first + length])
        path.write_bytes(bytes(content))

    return _named(f"overwritten({place!r}, {length}, {value})", fault)


# ---- text


def _lines(change: Callable[[list[str]], list[str]]) -> Fault:
    def fault(path):
        lines = path.read_text(encoding="utf-8", errors="surrogateescape").split("\n")
        path.write_text("\n".join(change(lines)), encoding="utf-8", errors="surrogateescape")

    return fault


def _at(place: float, lines: list[str]) -> int:
    return int(place * (len(lines) - 1))


def without_line(place: float) -> Fault:
    def change(lines):
        k = _at(place, lines)
        return lines[:k] + lines[k + 1 :]

    return _named(f"without_line({place!r})", _lines(change))


def repeated_line(place: float) -> Fault:
    def change(lines):
        k = _at(place, lines)
        return lines[: k + 1] + lines[k:]

    return _named(f"repeated_line({place!r})", _lines(change))


def with_line(place: float, text: str) -> Fault:
    def change(lines):
        k = _at(place, lines)
        return lines[:k] + [text] + lines[k:]

    return _named(f"with_line({place!r}, {text!r})", _lines(change))


def with_field(place: float, column: float, text: str) -> Fault:
    """Another text in one field of one line."""

    def change(lines):
        k = _at(place, lines)
        separator = "," if "," in lines[k] else None
        fields = lines[k].split(separator)
        if fields:
            fields[int(column * (len(fields) - 1))] = text
        return lines[:k] + [(separator or " ").join(fields)] + lines[k + 1 :]

    return _named(f"with_field({place!r}, {column!r}, {text!r})", _lines(change))


def crlf(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))


def byte_order_mark(path: Path) -> None:
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())


def latin_comment(path: Path) -> None:
    first, _, rest = path.read_bytes().partition(b"\n")
    path.write_bytes(first + b"\n#Units: Radien in kpc/h (Gr\xf6\xdfe)\n" + rest)


def compressed(path: Path) -> None:
    """Compressed under the same name, which happens where a download tool does it."""
    path.write_bytes(gzip.compress(path.read_bytes()))


# ---- HDF5


def _hdf5(change: Callable[[h5py.File], None]) -> Fault:
    def fault(path):
        with h5py.File(path, "r+") as file:
            change(file)

    return fault


def _datasets(file: h5py.File) -> list[str]:
    names: list[str] = []
    file.visititems(lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) else None)
    return sorted(names)


def _attributes(file: h5py.File) -> list[tuple[str, str]]:
    places = [("/", name) for name in file.attrs]
    file.visititems(lambda path, item: places.extend((path, name) for name in item.attrs))
    return sorted(places)


def _pick(place: float, options: list):
    return options[int(place * (len(options) - 1))]


def without_dataset(which: float) -> Fault:
    def change(file):
        del file[_pick(which, _datasets(file))]

    return _named(f"without_dataset({which!r})", _hdf5(change))


def changed_dataset(which: float, how: Callable[[np.ndarray], np.ndarray], words: str) -> Fault:
    def change(file):
        name = _pick(which, _datasets(file))
        values = file[name][...]
        attributes = dict(file[name].attrs)
        try:
            with np.errstate(all="ignore"):
                values = how(values)
        except (TypeError, ValueError, OverflowError, IndexError):  # not a change that such values can have
            return
        del file[name]
        file[name] = values
        file[name].attrs.update(attributes)

    return _named(f"changed_dataset({which!r}, {words})", _hdf5(change))


def _with_row(place: float, value: float) -> Callable[[np.ndarray], np.ndarray]:
    def how(values):
        values = values.copy()
        if len(values):
            values[int(place * (len(values) - 1))] = value
        return values

    return how


def without_attribute(which: float) -> Fault:
    def change(file):
        places = _attributes(file)
        if places:
            path, name = _pick(which, places)
            del file[path].attrs[name]

    return _named(f"without_attribute({which!r})", _hdf5(change))


def with_attribute(which: float, value: object) -> Fault:
    def change(file):
        places = _attributes(file)
        if places:
            path, name = _pick(which, places)
            file[path].attrs[name] = value

    return _named(f"with_attribute({which!r}, {value!r})", _hdf5(change))


def stored_in_chunks(path: Path) -> None:
    """The same values with compression and checksums."""
    with h5py.File(path, "r+") as file:
        for name in _datasets(file):
            values, attributes = file[name][...], dict(file[name].attrs)
            if values.ndim and values.size:
                del file[name]
                file.create_dataset(name, data=values, chunks=True, compression="gzip", fletcher32=True)
                file[name].attrs.update(attributes)


# ---- strategies

_SHARE = st.floats(0.0, 1.0, width=16)

_ANY = st.one_of(
    st.builds(cut_to, _SHARE),
    st.builds(flipped, _SHARE, st.integers(1, 255)),
    st.builds(overwritten, _SHARE, st.integers(1, 600), st.sampled_from((0, 255, 32, 10))),
)
_TEXT = st.one_of(
    st.builds(without_line, _SHARE),
    st.builds(repeated_line, _SHARE),
    st.builds(with_line, _SHARE, st.sampled_from(_LINES)),
    st.builds(with_field, _SHARE, _SHARE, st.sampled_from(NUMBERS)),
    st.just(compressed),
)
_HDF5 = st.one_of(
    st.builds(without_dataset, _SHARE),
    st.builds(without_attribute, _SHARE),
    st.builds(with_attribute, _SHARE, st.sampled_from(_ATTRIBUTES)),
    st.builds(
        lambda which, kind: changed_dataset(which, lambda v: v.astype(kind), f"as {kind}"),
        _SHARE, st.sampled_from(_TYPES),
    ),
    st.builds(
        lambda which, place, value: changed_dataset(which, _with_row(place, value), f"{value} at {place}"),
        _SHARE, _SHARE, st.sampled_from((np.nan, np.inf, -1, 0, 9.96921e36, -(2**31), 2**40)),
    ),
    st.builds(lambda which: changed_dataset(which, lambda v: v[:0], "empty"), _SHARE),
    st.builds(lambda which: changed_dataset(which, lambda v: v[:-1], "one shorter"), _SHARE),
    st.builds(lambda which: changed_dataset(which, lambda v: v[..., None], "one more dimension"), _SHARE),
    st.builds(lambda which: changed_dataset(which, lambda v: v[0], "first value alone"), _SHARE),
)  # fmt: skip


def _is_hdf5(path: Path) -> bool:
    return h5py.is_hdf5(path)


def faults_of(path: Path) -> st.SearchStrategy[Fault]:
    """Faults that a file may have by its kind."""
    return st.one_of(_ANY, _HDF5) if _is_hdf5(path) else st.one_of(_ANY, _TEXT) if _is_text(path) else _ANY


def harmless_faults_of(path: Path) -> st.SearchStrategy[Fault]:
    """Changes after which a file holds the same halos."""
    if _is_hdf5(path):
        return st.just(stored_in_chunks)
    return st.sampled_from((crlf, byte_order_mark, latin_comment)) if _is_text(path) else st.nothing()


def _is_text(path: Path) -> bool:
    return b"\0" not in path.read_bytes()
