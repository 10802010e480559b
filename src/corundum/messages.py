"""Pieces of error messages that several families share: names similar to one that is unknown."""

import difflib
from collections.abc import Iterable

__all__ = ["did_you_mean", "similar_names"]


def similar_names(name: object, known: Iterable[str], *, number: int = 3, cutoff: float = 0.4) -> list[str]:
    """The names of `known` that look like `name`, the most similar first.

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
    """
    return difflib.get_close_matches(str(name), list(known), n=number, cutoff=cutoff)


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
