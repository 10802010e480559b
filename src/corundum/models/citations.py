"""Which papers a model uses: the BibTeX entry of every source that its laws and parameters name.

Docstrings and the sources of parameters name papers in words ("Pandya et al. 2023"); the bibliography that comes with
the package lists the words that stand for each paper.
"""

import functools
import inspect
from importlib import resources
from typing import Any

from ..parameters import describe
from .checks.trial import components_of

__all__ = ["citations"]


def citations(model: Any) -> dict[str, str]:
    """BibTeX entries, by key, of the papers that `model`, its parts, processes and parameters name.

    Parameters
    ----------
    model : AbstractModel, or any component

    Returns
    -------
    dict of str to str
        In the order of the bibliography.

    Examples
    --------
    >>> "2026arXiv260406318P" in co.models.citations(co.models.pandya26())
    True
    """
    texts = [inspect.getdoc(kind) or "" for kind in dict.fromkeys(map(type, components_of(model)))]
    texts += [number.source for number in describe(model).values()]
    text = " ".join(" ".join(texts).split())
    return {key: entry for key, (names, entry) in _library().items() if any(name in text for name in names)}


@functools.cache
def _library() -> dict[str, tuple[tuple[str, ...], str]]:
    """Key -> (texts that name the paper, entry)."""
    text = (resources.files("corundum.data") / "references" / "library.bib").read_text(encoding="utf-8")
    entries = {}
    for block in text.split("% match:")[1:]:
        names, _, entry = block.partition("\n")
        key = entry.partition("{")[2].partition(",")[0]
        entries[key] = (tuple(name.strip() for name in names.split(";")), entry.strip())
    return entries
