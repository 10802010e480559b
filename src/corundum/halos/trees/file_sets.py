"""The files of a directory that belong to a format, and whether the set is whole.

Simulations write their trees into numbered files.  A file that is missing from such a set takes its trees with it and
leaves no other trace, so that a gap in the numbers is refused.
"""

import itertools
import re
from collections.abc import Sequence
from pathlib import Path

from ...storage.text_files import without_suffix
from ..files import is_halo_file

__all__ = ["files_in", "require_whole_set"]

_NUMBER = re.compile(r"(\d+)")
_NAMES_IN_MESSAGE = 4
_LARGEST_SET = 1_000_000  # files; larger numbers in names are no numbers of parts


def files_in(folder: Path, *patterns: str) -> list[Path]:
    """The files of a folder whose names fit one of these patterns, in the order of the numbers in their names.

    Hidden files are left out, such as the ``._tree_0_0_0.dat`` that copies between systems leave behind, and files that
    corundum wrote, so that a conversion may write into the folder of its source and be repeated.

    Examples
    --------
    >>> from pathlib import Path
    >>> from corundum.halos.trees.file_sets import files_in
    >>> for name in ("trees_063.10", "trees_063.2", "._trees_063.2"):
    ...     _ = Path(name).write_bytes(b"")
    >>> [file.name for file in files_in(Path("."), "*trees_*.*")]
    ['trees_063.2', 'trees_063.10']
    """
    files = {file for pattern in patterns for file in folder.glob(pattern)}
    sources = [file for file in files if not file.name.startswith(".") and file.is_file() and not is_halo_file(file)]
    return sorted(sources, key=_natural_order)


def require_whole_set(files: Sequence[Path], pattern: str) -> None:
    """Refuse the files of a folder where some of their set are missing, or where they are of two sets.

    Parameters
    ----------
    files : sequence of Path
    pattern : str
        Regular expression of the names of numbered files without the suffix of their compression, with one group for
        each number that counts from 0; other files are no part of a set.

    Raises
    ------
    ValueError
        A number between 0 and the largest one is missing, or the names are those of two sets.

    Examples
    --------
    >>> from pathlib import Path
    >>> from corundum.halos.trees.file_sets import require_whole_set
    >>> require_whole_set([Path("trees_063.0"), Path("trees_063.1")], r"trees_\\d+\\.(\\d+)")
    >>> require_whole_set([Path("trees_063.0"), Path("trees_063.2")], r"trees_\\d+\\.(\\d+)")
    Traceback (most recent call last):
    ...
    ValueError: .: trees_063.1 is missing from the numbered files, so that trees would be lost; ...
    """
    sets: dict[str, dict[tuple[int, ...], Path]] = {}
    for file in files:
        match = re.fullmatch(pattern, without_suffix(file))
        if match is None:
            continue
        numbers = tuple(map(int, match.groups()))
        parts = sets.setdefault(_name(match, ["*"] * len(numbers)), {})
        if numbers in parts:
            raise ValueError(f"{file.parent}: holds both {parts[numbers].name} and {file.name}; remove one of them")
        parts[numbers] = file
    if len(sets) > 1:
        raise ValueError(
            f"{files[0].parent}: holds {' and '.join(list(sets)[:_NAMES_IN_MESSAGE])}, whose trees may be the same; "
            "move one set into a folder of its own"
        )
    for parts in sets.values():
        _require_all_numbers(parts, pattern)


def _require_all_numbers(parts: dict[tuple[int, ...], Path], pattern: str) -> None:
    counts = [max(numbers) + 1 for numbers in zip(*parts, strict=True)]
    total = 1
    for count in counts:
        total *= count
    if total == len(parts) or total > _LARGEST_SET:
        return
    example = next(iter(parts.values()))
    match = re.fullmatch(pattern, without_suffix(example))
    if match is None:
        return
    missing = (numbers for numbers in itertools.product(*map(range, counts)) if numbers not in parts)
    names = [_name(match, [str(number) for number in numbers]) for numbers in itertools.islice(missing, 3)]
    count = total - len(parts)
    others = f" and {count - len(names)} more" if count > len(names) else ""
    raise ValueError(
        f"{example.parent}: {', '.join(names)}{others} {'are' if count > 1 else 'is'} missing from the numbered files, "
        "so that trees would be lost; copy the whole set, or read the files one at a time and join the halos"
    )


def _name(match: re.Match[str], numbers: Sequence[str]) -> str:
    """The name of a file with other numbers in the place of its own."""
    text, end = "", 0
    for group, number in enumerate(numbers, 1):
        text += match.string[end : match.start(group)] + number
        end = match.end(group)
    return text + match.string[end:]


def _natural_order(file: Path) -> tuple[tuple[str, int], ...]:
    pieces = _NUMBER.split(file.name)
    return tuple((text, int(number or 0)) for text, number in itertools.zip_longest(pieces[::2], pieces[1::2]))
