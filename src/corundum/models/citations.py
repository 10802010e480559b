"""Which papers a model uses, and which of them have been looked up.

Docstrings and the sources of parameters name papers in words ("Pandya et al. 2023").  The bibliography that comes with
the package lists the words that stand for each paper, its BibTeX entry, and whether its numbers were compared with the
paper or with an independent copy of them.  What was not is marked ``[unverified]`` wherever its source is shown.
"""

import functools
import inspect
from importlib import resources
from typing import Any, NamedTuple

from ..parameters import describe
from .checks.trial import components_of

__all__ = ["citations", "marked", "papers_of", "unverified"]

MARK = "[unverified]"


class _Paper(NamedTuple):
    names: tuple[str, ...]  # texts that name it
    checked: bool
    status: str  # what was compared with what
    entry: str


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
    return papers_of(model)


def papers_of(*sources: Any) -> dict[str, str]:
    """BibTeX entries, by key, of the papers that components and texts name.

    Parameters
    ----------
    *sources : components, or str
        A text, such as a line of the provenance of halos, is searched itself.

    Examples
    --------
    >>> from corundum.models.citations import papers_of
    >>> list(papers_of("algorithm of Parkinson, Cole & Helly 2008"))
    ['2008MNRAS.383..557P']
    """
    texts = [source for source in sources if isinstance(source, str)]
    for component in (source for source in sources if not isinstance(source, str)):
        texts += [inspect.getdoc(kind) or "" for kind in dict.fromkeys(map(type, components_of(component)))]
        texts += [number.source for number in describe(component).values()]
    text = " ".join(" ".join(texts).split())
    return {key: paper.entry for key, paper in _library().items() if any(name in text for name in paper.names)}


def marked(source: str) -> str:
    """The source of a parameter, followed by ``[unverified]`` where a paper that it names has not been looked up.

    A source may carry the mark itself, where the paper has been looked up but this number of it has not.

    Examples
    --------
    >>> from corundum.models.citations import marked
    >>> marked("Leroy et al. 2008"), marked("Soltan 1982"), marked("choice")
    ('Leroy et al. 2008', 'Soltan 1982 [unverified]', 'choice')
    """
    if MARK in source:
        return source
    papers = [paper for paper in _library().values() if any(name in source for name in paper.names)]
    return source if all(paper.checked for paper in papers) else f"{source} {MARK}"


def unverified() -> dict[str, str]:
    """Papers of the bibliography that have not been looked up: the words that name each, and the reason.

    Examples
    --------
    >>> "Soltan 1982" in co.models.unverified()
    True
    """
    return {paper.names[0]: paper.status for paper in _library().values() if not paper.checked}


@functools.cache
def _library() -> dict[str, _Paper]:
    text = (resources.files("corundum.data") / "references" / "library.bib").read_text(encoding="utf-8")
    papers = {}
    for block in text.split("% match:")[1:]:
        names, line, entry = block.split("\n", 2)
        word, _, status = line.removeprefix("%").strip().partition(":")
        key = entry.partition("{")[2].partition(",")[0]
        papers[key] = _Paper(
            tuple(name.strip() for name in names.split(";")), word == "checked", status.strip(), entry.strip()
        )
    return papers
