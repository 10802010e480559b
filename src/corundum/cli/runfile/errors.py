"""Errors of run files: what is wrong, at which key, and what would be right."""

from collections.abc import Iterable

from ...messages import did_you_mean
from .toml import dotted

__all__ = ["RunFileError", "allowed_names"]


class RunFileError(ValueError):
    """Something wrong at one key of a run file; `corundum.cli.runfile.reader` adds the position in the file.

    Parameters
    ----------
    keys : tuple of str
        The path of the key, from the group down; empty where the whole file is meant.
    problem : str
        What is wrong there.

    Examples
    --------
    >>> RunFileError(("halos", "n"), "got 0; allowed at least 1").args[0]
    'halos.n: got 0; allowed at least 1'
    """

    def __init__(self, keys: tuple[str, ...], problem: str):
        self.keys = keys
        self.problem = problem
        super().__init__(f"{dotted(keys)}: {problem}" if keys else problem)


def allowed_names(name: str, known: Iterable[str]) -> str:
    """The end of a message about an unknown name: the most similar right ones, then all of them.

    Examples
    --------
    >>> allowed_names("tolerence", ["tolerance", "max_steps"])
    'did you mean tolerance? allowed: tolerance, max_steps'
    """
    known = list(known)
    if not known:
        return "none are allowed"
    cutoff = 0.45 if "." in str(name) else 0.55  # names of classes have several words, of which one may be right
    return f"{did_you_mean(name, known, number=2, cutoff=cutoff)}allowed: {', '.join(known)}"
