"""The groups of a run file that are settings rather than components, with the type and range of every key.

`GROUPS` lists all groups.  Components (``halos``, ``model``, ``solver``, ``compare_halos``) take the
arguments of what their ``kind`` names; the others are the dataclasses below.
"""

import dataclasses
import math
from typing import Any, Literal

__all__ = ["GROUPS", "Output", "Compare"]


def _setting(default: Any, *, bounds: tuple[float, float] | None = None) -> Any:
    return dataclasses.field(default=default, metadata={"corundum": {"bounds": bounds, "unit": "1"}})


@dataclasses.dataclass(frozen=True)
class Output:
    """What a run keeps and draws.

    Attributes
    ----------
    redshifts : tuple of float
        Redshifts at which the whole population is kept.
    trajectories : int
        Number of halos whose whole history is kept, spread evenly over final mass.
    block : int
        Halos between two checkpoints; bounds the memory.  Accelerators want ten thousand or more.
    figures : tuple of str
        File formats of the figures; none if empty.
    """

    redshifts: tuple[float, ...] = _setting((0.0, 1.0, 2.0), bounds=(0.0, 100.0))
    trajectories: int = _setting(6, bounds=(0, 1000))
    block: int = _setting(512, bounds=(1, math.inf))
    figures: tuple[Literal["png", "pdf"], ...] = _setting(("png", "pdf"))


@dataclasses.dataclass(frozen=True)
class Compare:
    """What the population is compared with.

    Attributes
    ----------
    measurements : tuple of str, optional
        Names from ``corundum data list``; by default all that fit the redshifts and quantities kept.
    """

    measurements: tuple[str, ...] | None = _setting(None)


GROUPS = ("halos", "model", "solver", "output", "compare", "compare_halos")
"""Names of all groups, in the order in which a resolved run file has them."""
