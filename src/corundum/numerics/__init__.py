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
from .solver import AbstractSolver, DiffraxSolver, Trajectory

__all__ = [
    "AbstractMinimum",
    "AbstractPositivePart",
    "AbstractSolver",
    "DiffraxSolver",
    "HardMinimum",
    "HardPositivePart",
    "LaneSolver",
    "SmoothMinimum",
    "SmoothPositivePart",
    "Trajectory",
    "Unlimited",
]
