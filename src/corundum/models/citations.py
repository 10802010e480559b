"""Which papers a model stands on: the BibTeX entry of every source that its parts and numbers name.

Docstrings and parameter sources name papers in words ("Pandya et al. 2023"); the bibliography that comes with the
package knows those words.
"""

import functools
import inspect
from collections.abc import Iterator, Mapping
from importlib import resources
from typing import Any

import equinox as eqx

from ..parameters import describe

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
    """
    words = [inspect.getdoc(kind) or "" for kind in dict.fromkeys(map(type, _parts(model)))]
    words += [number.source for number in describe(model).values()]
    told = " ".join(" ".join(words).split())
    return {key: entry for key, (names, entry) in _library().items() if any(name in told for name in names)}


def _parts(component: Any) -> Iterator[Any]:
    """A component and all components inside it."""
    if isinstance(component, Mapping):
        for part in component.values():
            yield from _parts(part)
    elif isinstance(component, eqx.Module):
        yield component
        for part in vars(component).values():
            yield from _parts(part)


@functools.cache
def _library() -> dict[str, tuple[tuple[str, ...], str]]:
    """Key -> (words that name the paper, entry)."""
    text = (resources.files("corundum.data") / "references" / "library.bib").read_text(encoding="utf-8")
    found = {}
    for block in text.split("% match:")[1:]:
        names, _, entry = block.partition("\n")
        key = entry.partition("{")[2].partition(",")[0]
        found[key] = (tuple(name.strip() for name in names.split(";")), entry.strip())
    return found
