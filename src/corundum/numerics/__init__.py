"""Numerical methods that know no astrophysics: solvers of many trajectories at once, and smooth limits."""

from typing import TYPE_CHECKING

from ..lazy_names import lazy_names

if TYPE_CHECKING:  # imported when they are first used
    from .limiters import (
        AbstractMinimum,
        AbstractPositivePart,
        HardMinimum,
        HardPositivePart,
        SmoothMinimum,
        SmoothPositivePart,
        Unlimited,
    )
    from .solvers.base import AbstractSolver, Equation, Stops, Trajectory
    from .solvers.diffrax_solver import DiffraxSolver
    from .solvers.forward_lanes import ForwardLaneSolver
    from .solvers.lanes import LaneSolver

__all__ = [
    "AbstractMinimum",
    "AbstractPositivePart",
    "AbstractSolver",
    "DiffraxSolver",
    "Equation",
    "ForwardLaneSolver",
    "HardMinimum",
    "HardPositivePart",
    "LaneSolver",
    "SmoothMinimum",
    "SmoothPositivePart",
    "Stops",
    "Trajectory",
    "Unlimited",
]

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy_names(__name__)
