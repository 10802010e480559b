"""Pieces of messages that several families share: similar names, text on one line, and warnings."""

import difflib
import sys
import warnings
from collections.abc import Iterable

__all__ = ["did_you_mean", "one_line", "short_name", "similar_names", "warn_user", "warnings_issued"]

_LONGEST_NAME = 40  # characters
_ISSUED = [0]
_INSIDE = (__name__.partition(".")[0], "equinox", "jax", "jaxtyping", "dataclasses", "contextlib", "functools")


def similar_names(name: object, known: Iterable[str], *, number: int = 3, cutoff: float = 0.4) -> list[str]:
    """The names of `known` that look like `name`, the most similar first.

    What all of them have before the last dot, such as ``physics.``, does not make them similar.

    Parameters
    ----------
    name : object
        What the user wrote; its text is compared.
    known : iterable of str
        Names that would be right.
    number : int
        How many names to return at most.
    cutoff : float
        Smallest similarity, between 0 and 1 (`difflib.get_close_matches`).

    Examples
    --------
    >>> similar_names("mass_loadin", ["mass_loading", "energy_loading", "seed"], number=1)
    ['mass_loading']
    >>> similar_names("physics.Colling", ["physics.spline_law", "physics.TabulatedNetCooling"])
    ['physics.TabulatedNetCooling']
    """
    known = list(known)
    module, dot, _ = str(name).rpartition(".")
    shared = module + dot if all(one.startswith(module + dot) for one in known) else ""
    last_parts = {one.removeprefix(shared): one for one in known}
    similar = difflib.get_close_matches(str(name).removeprefix(shared), last_parts, n=number, cutoff=cutoff)
    return [last_parts[one] for one in similar]


def did_you_mean(name: object, known: Iterable[str], *, number: int = 3, cutoff: float = 0.4) -> str:
    """``"did you mean A or B? "`` for an unknown name that looks like known ones, else an empty text.

    Parameters
    ----------
    name, known, number, cutoff
        As for `similar_names`.

    Examples
    --------
    >>> did_you_mean("mstr", ["mstar", "mism", "mcgm"], number=1)
    'did you mean mstar? '
    >>> did_you_mean("temperature", ["mstar"])
    ''
    """
    similar = similar_names(name, known, number=number, cutoff=cutoff)
    return f"did you mean {' or '.join(similar)}? " if similar else ""


def one_line(text: object) -> str:
    """Text on one line, for names of files and of what is in them.

    The name of a file may hold any character, and the names inside a damaged file hold whatever the damage has left:
    line ends, control characters and bytes that are no text are written as escapes.

    Parameters
    ----------
    text : object
        A name or a sentence; a path or an error stands for its text, and bytes are what h5py gives for a name that is
        not UTF-8.

    Examples
    --------
    >>> from corundum.messages import one_line
    >>> print(one_line("Tree\\n0\\x1b"), one_line("Gr\u00f6\u00dfe"))
    Tree\\n0\\x1b Gr\u00f6\u00dfe
    """
    characters = text.decode("utf-8", "backslashreplace") if isinstance(text, bytes) else str(text)
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
        for character in characters
    )


def short_name(name: object) -> str:
    """`one_line` of a name, cut after 40 characters: names in a damaged file may be as long as the file.

    Examples
    --------
    >>> from corundum.messages import short_name
    >>> short_name("Group_M_Crit200"), len(short_name("x" * 1000))
    ('Group_M_Crit200', 43)
    """
    text = one_line(name)
    return text if len(text) <= _LONGEST_NAME else text[:_LONGEST_NAME] + "..."


def warn_user(message: str) -> None:
    """Warn at the line outside this package that led here, so that a line of a script is named and warns once.

    Examples
    --------
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     warn_user("amplitude: 30 is large")
    >>> str(caught[0].message)
    'amplitude: 30 is large'
    """
    _ISSUED[0] += 1
    level, frame = 1, sys._getframe()
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] in _INSIDE:
        frame, level = frame.f_back, level + 1
    warnings.warn(message, stacklevel=level)


def warnings_issued() -> int:
    """How often this process has called `warn_user`, by which a caller sees whether something in between has warned.

    Examples
    --------
    >>> before = warnings_issued()
    >>> warnings_issued() - before
    0
    """
    return _ISSUED[0]
