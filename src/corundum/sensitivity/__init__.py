"""Exact Jacobians and sensitivities: how galaxies respond to parameters, channels and their own state.

`parameter_jacobian`, `channel_jacobian` and `state_jacobian` are the three Jacobians; `routes` splits the first over
the flows that carry it.  `budgets` integrates where the baryons go.  The functions of a whole prior (`latin_hypercube`
and other designs, `run_study`, `sobol_indices` and other measures) and of data (`summary_jacobian`, `expected_fisher`,
`greedy_design`) build on them.  `check_gradients` compares derivatives with finite differences.
"""

from typing import TYPE_CHECKING

from ..lazy_names import lazy_names

if TYPE_CHECKING:  # imported when they are first used
    from .budgets import INDICES, SHARES, Budgets, budgets
    from .checks import GradientCheck, check_gradients, error_matrix
    from .coordinates import AbstractCoordinates, AsGiven, Ln, Log10, Natural, PriorWidth, natural_range
    from .counterfactual import counterfactual
    from .derivatives import AbstractMode, Forward, Reverse, check_redshifts
    from .fisher import PRIOR_INFORMATION, DesignTable, Fisher, expected_fisher, fisher_of, greedy_design
    from .gradients import Summary, gradient, hessian, hessian_vector_product
    from .jacobians import Jacobian, channel_jacobian, history_redshifts, parameter_jacobian
    from .labelled import Labelled
    from .parameter_space import channel_names, choose_parameters, known_parameters
    from .prior_wide.designs import Box, Design, latin_hypercube, morris, prior_box, saltelli, sobol_sequence
    from .prior_wide.measures import (
        Measures,
        PriorMap,
        dgsm,
        fractional_norms,
        morris_effects,
        prior_map,
        sobol_indices,
    )
    from .prior_wide.study import JacobiansOf, StatesOf, Study, SummaryOf, run_study
    from .state import Modes, StateJacobian, followed_modes, modes, state_jacobian
    from .summaries import Observable, SummaryJacobian, observable_of, summary_jacobian
    from .variational import CHANNEL_GROUPS, INITIAL_STATE, Routes, by_channel_group, routes

__all__ = [
    "AbstractCoordinates",
    "AbstractMode",
    "AsGiven",
    "Box",
    "Budgets",
    "Design",
    "DesignTable",
    "Fisher",
    "Forward",
    "GradientCheck",
    "INDICES",
    "INITIAL_STATE",
    "Jacobian",
    "JacobiansOf",
    "Labelled",
    "Ln",
    "Log10",
    "Measures",
    "Modes",
    "Natural",
    "Observable",
    "PRIOR_INFORMATION",
    "CHANNEL_GROUPS",
    "PriorMap",
    "PriorWidth",
    "Reverse",
    "Routes",
    "SHARES",
    "StateJacobian",
    "StatesOf",
    "Study",
    "Summary",
    "SummaryJacobian",
    "SummaryOf",
    "budgets",
    "by_channel_group",
    "channel_jacobian",
    "channel_names",
    "check_gradients",
    "check_redshifts",
    "choose_parameters",
    "counterfactual",
    "dgsm",
    "error_matrix",
    "expected_fisher",
    "fisher_of",
    "followed_modes",
    "fractional_norms",
    "gradient",
    "greedy_design",
    "hessian",
    "hessian_vector_product",
    "history_redshifts",
    "known_parameters",
    "latin_hypercube",
    "modes",
    "natural_range",
    "observable_of",
    "morris",
    "morris_effects",
    "parameter_jacobian",
    "prior_box",
    "prior_map",
    "routes",
    "run_study",
    "saltelli",
    "sobol_indices",
    "sobol_sequence",
    "state_jacobian",
    "summary_jacobian",
]

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy_names(__name__)
