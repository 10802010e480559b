"""Numerical methods that know no astrophysics: solvers of many trajectories at once, and smooth limits."""

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
from .solvers.lanes import LaneSolver

__all__ = [
    "AbstractMinimum",
    "AbstractPositivePart",
    "AbstractSolver",
    "DiffraxSolver",
    "Equation",
    "HardMinimum",
    "HardPositivePart",
    "LaneSolver",
    "SmoothMinimum",
    "SmoothPositivePart",
    "Stops",
    "Trajectory",
    "Unlimited",
]


def __getattr__(name: str):
    """Import the reference engine on first use: importing diffrax takes a quarter of a second."""
    if name == "DiffraxSolver":
        from .solvers.diffrax_solver import DiffraxSolver

        return DiffraxSolver
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it has {', '.join(__all__)}")


def __dir__() -> list[str]:
    return sorted(__all__)
