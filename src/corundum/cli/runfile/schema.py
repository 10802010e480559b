"""The groups of a run file that are settings rather than components, with the type and range of every key.

`GROUPS` lists all groups.  Components (``halos``, ``model``, ``solver``, ``compare_halos``, ``earlier_halos``) take the
arguments of what their ``kind`` names; the others are dataclasses: those below, and those of
`corundum.cli.runfile.inference_settings`.
"""

import dataclasses
import math
from typing import Any, Literal

__all__ = ["GROUPS", "READ_EARLY", "Compare", "FigureFormat", "Output", "Sensitivity", "setting"]

FigureFormat = Literal["png", "pdf", "svg"]
"""File formats of figures."""


def setting(default: Any, *, bounds: tuple[float, float] | None = None) -> Any:
    """A field of a group with its default and its range, both ends allowed."""
    return dataclasses.field(default=default, metadata={"corundum": {"bounds": bounds, "unit": "1"}})


@dataclasses.dataclass(frozen=True)
class Output:
    """What a run keeps and draws.

    Attributes
    ----------
    redshifts : tuple of float
        Redshifts at which the whole population is kept.
    trajectories : int
        Number of halos whose whole history is kept, spread evenly over final mass; none in trees with satellites.
    block : int
        Halos between two checkpoints; bounds the memory.  Ten thousand or more on an accelerator.
    figures : tuple of str
        File formats of the figures, in a folder beside the report, which holds them all; none if empty.
    """

    redshifts: tuple[float, ...] = setting((0.0, 1.0, 2.0), bounds=(0.0, 100.0))
    trajectories: int = setting(6, bounds=(0, 1000))
    block: int = setting(512, bounds=(1, math.inf))
    figures: tuple[FigureFormat, ...] = setting(("png",))


@dataclasses.dataclass(frozen=True)
class Compare:
    """What the population is compared with.

    Attributes
    ----------
    measurements : tuple of str, optional
        Names from ``corundum data list``; by default all that fit the redshifts and quantities kept.
    survey : str, optional
        Measurements with tolerances, by the name of a survey or the path of its file: ``corundum run`` says how far the
        galaxies are from each.
    """

    measurements: tuple[str, ...] | None = setting(None)
    survey: str | None = setting(None)


@dataclasses.dataclass(frozen=True)
class Sensitivity:
    """What ``corundum sensitivity`` computes; other commands do not read it.

    Attributes
    ----------
    parameters : tuple of str, optional
        Names as `corundum model show` lists them; by default those that Pandya et al. 2026 vary where the
        model has them, otherwise every number of the model.
    redshifts : tuple of float
        Where Jacobians and budgets are taken.
    halos : int
        Halos of the run file to use, spread evenly over final mass.
    times : int
        Cosmic times of the history of one galaxy's eigenmodes.
    sets : int
        Points of the Latin hypercube over the prior; 0 leaves the prior-wide maps out.
    sobol : int
        Base points of the Sobol indices, a power of two; each takes (parameters + 2) solves, 0 leaves them out.
    block : int
        Parameter sets between two checkpoints.
    key : int
        Random key of the designs.
    """

    parameters: tuple[str, ...] | None = setting(None)
    redshifts: tuple[float, ...] = setting((0.0,), bounds=(0.0, 100.0))
    halos: int = setting(24, bounds=(1, math.inf))
    times: int = setting(48, bounds=(2, 1000))
    sets: int = setting(128, bounds=(0, math.inf))
    sobol: int = setting(0, bounds=(0, math.inf))
    block: int = setting(8, bounds=(1, math.inf))
    key: int = setting(0, bounds=(0, math.inf))


GROUPS = (
    "halos",
    "model",
    "solver",
    "output",
    "compare",
    "compare_halos",
    "earlier_halos",
    "sensitivity",
    "fit",
    "mocks",
    "forecast",
    "train",
    "calibrate",
    "variants",
)
"""Names of all groups, in the order in which a resolved run file has them."""

READ_EARLY = {"output": Output, "compare": Compare}
"""Groups that every command reads and that need nothing but this file: they are checked as soon as a file is read."""
