"""The page of an explorer as one file that needs no server: the picture, and its slopes, are inside."""

import base64
import json
import re
from importlib import resources

from .engine import COLUMNS
from .server import Explorer

__all__ = ["standalone_page"]


def standalone_page(explorer: Explorer) -> str:
    """The text of a page that works from disk: galaxies move along the exact slopes at the values of the model.

    Far from these values the picture is a first-order estimate, and says so.  Laws cannot be changed there.

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
    names = list(explorer.view.names)
    blocks = [names[first : first + COLUMNS] for first in range(0, len(names), COLUMNS)]
    description = explorer.describe({})
    counted = blocks if description["indices"] else []
    description |= {"exports": False, "laws": {}}
    inside = {
        "description": description,
        "picture": _text(explorer.solve({}, {})),
        "slopes": [_text(explorer.slopes({}, {}, block)) for block in blocks],
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


def _file(name: str) -> str:
    return resources.files(__package__).joinpath("page", name).read_text("utf-8")


def _text(message: bytes) -> str:
    return base64.b64encode(message).decode()
