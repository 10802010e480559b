"""The page of an explorer as one file that needs no server, with an emulator of its galaxies inside.

It holds the exact picture and its slopes at the values of the model, and exact pictures at four places of every slider.
In between, a number moves the picture along cubics with the exact slope at the start; what several numbers change is
added.
"""

import base64
import json
import re
from collections.abc import Mapping
from importlib import resources
from typing import Any

import numpy as np

from .engine import COLUMNS, Engine
from .payload import packed
from .server import Explorer

__all__ = ["standalone_page"]

_NODES = (0.0, 1.0 / 3.0, 2.0 / 3.0, 1.0)  # of a slider
_MOVING = ("mean", "x", "y", "histories")  # arrays that have slopes


def standalone_page(explorer: Explorer) -> str:
    """The text of a page that works from disk: galaxies move between exact solutions along every slider.

    Where several sliders have moved, what each changes is added, and the page says that this is an estimate.  Laws
    cannot be changed there.

    Parameters
    ----------
    explorer : Explorer

    Examples
    --------
    >>> view = co.explorer.view_of(co.models.MinimalRegulator(), halos, ["shmr_behroozi19_sf"])
    >>> page = co.explorer.standalone_page(co.explorer.Explorer(view, "Eight galaxies"))
    >>> "Eight galaxies" in page, "<script src" in page, "<link rel=\\"stylesheet" in page
    (True, False, False)
    """
    engine, names = explorer.engine({}), list(explorer.view.names)
    start = engine.solve({})
    blocks = [names[first : first + COLUMNS] for first in range(0, len(names), COLUMNS)]
    description = explorer.describe({})
    counted = blocks if description["indices"] else []
    description |= {"exports": False, "laws": {}}
    inside = {
        "description": description,
        "picture": _text(explorer.solve({}, {})),
        "slopes": [_text(explorer.slopes({}, {}, block)) for block in blocks],
        "nodes": [_text(_along(engine, start, parameter)) for parameter in description["parameters"]],
        "indices": [{"names": block, "message": _text(explorer.indices({}, {}, block))} for block in counted],
    }
    if description["posterior"]:
        inside["posterior"] = _text(explorer.posterior())
    page = _file("index.html")
    page = re.sub(r'<link rel="stylesheet" href="page/(.+?)">', lambda match: f"<style>{_file(match[1])}</style>", page)
    scripts = re.findall(r'<script defer src="page/(.+?)"></script>', page)
    page = re.sub(r'<script defer src="page/.+?"></script>\n', "", page)
    numbers = json.dumps(inside, allow_nan=False).replace("</", "<\\/")
    parts = [f'<script id="inside" type="application/json">{numbers}</script>']
    parts += [f"<script>{_file(name)}</script>" for name in scripts]
    return page.replace("</body>", "\n".join([*parts, "</body>"]))


def _along(engine: Engine, start: Mapping[str, np.ndarray], parameter: Mapping[str, Any]) -> bytes:
    """How pictures at some places along a slider differ from that at the start, as one message."""
    name = parameter["name"]
    ends = np.array([parameter["low"], parameter["high"]])
    low, high = np.log10(ends) if parameter["log"] else ends
    at = low + (high - low) * np.array(_NODES)
    values = np.clip(10.0**at if parameter["log"] else at, *ends)
    pictures = [engine.solve({name: float(value)}) for value in values]
    changes = {key: np.array([picture[key] - start[key] for picture in pictures]) for key in _MOVING}
    changes["mean"] = np.where([picture["reached"] for picture in pictures], changes["mean"], np.nan)
    return packed(changes, half=True, name=name, at=at.tolist())


def _file(name: str) -> str:
    return resources.files(__package__).joinpath("page", name).read_text("utf-8")


def _text(message: bytes) -> str:
    return base64.b64encode(message).decode()
