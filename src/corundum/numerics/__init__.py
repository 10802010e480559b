"""Numerical methods that know no astrophysics."""

from .lanes import LaneSolver
from .limiters import (
    AbstractMinimum,
    AbstractPositivePart,
    HardMinimum,
    HardPositivePart,
    SmoothMinimum,
    SmoothPositivePart,
    Unlimited,
)
from .solver import AbstractSolver, Equation, Stops, Trajectory

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
    """The reference engine loads on first use: importing diffrax takes a quarter of a second."""
    if name == "DiffraxSolver":
        from .diffrax_solver import DiffraxSolver

        return DiffraxSolver
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it has {', '.join(__all__)}")
