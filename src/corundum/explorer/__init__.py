"""An explorer in the browser: galaxies beside data, with a slider for each number of the model.

`explore` serves the page to a browser on this machine, or shows it in a notebook; ``corundum explore`` does the same
for a run file.  `Engine` computes what is on screen: exact solutions, exact slopes, and steps towards the data.
"""

from typing import TYPE_CHECKING

from . import _extra  # isort: skip  # noqa: F401  before anything that needs those packages
from ..lazy_names import lazy_names

if TYPE_CHECKING:  # imported when they are first used
    from .engine import Engine
    from .export import standalone_page
    from .serve import Running, explore
    from .server import Explorer, application
    from .view import View, view_of

__all__ = ["Engine", "Explorer", "Running", "View", "application", "explore", "standalone_page", "view_of"]

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy_names(__name__)
