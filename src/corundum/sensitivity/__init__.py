"""Exact Jacobians and sensitivities: how galaxies respond to parameters, channels and each other."""

from .coordinates import AbstractCoordinates, AsGiven, Ln, Log10, Natural, PriorWidth
from .derivatives import AbstractMode, Forward, Reverse
from .jacobians import Jacobian, channel_jacobian, history_redshifts, parameter_jacobian
from .labelled import Labelled
from .second import Summary, gradient, hessian, hessian_vector_product
from .state import Modes, StateJacobian, modes, state_jacobian
from .variational import INITIAL, PROCESSES, Routes, by_process, routes

__all__ = [
    "AbstractCoordinates",
    "AbstractMode",
    "AsGiven",
    "Forward",
    "INITIAL",
    "Jacobian",
    "Labelled",
    "Ln",
    "Log10",
    "Modes",
    "Natural",
    "PROCESSES",
    "PriorWidth",
    "Reverse",
    "Routes",
    "StateJacobian",
    "Summary",
    "by_process",
    "channel_jacobian",
    "gradient",
    "hessian",
    "hessian_vector_product",
    "history_redshifts",
    "modes",
    "parameter_jacobian",
    "routes",
    "state_jacobian",
]
