"""From observations to constraints: priors, likelihood, point estimates, posteriors, calibration and forecasts.

`Target` joins a model, halos, data and free parameters into one log density; `maximise`, `laplace` and `sample`
explore it; `predictive` and `extras` look at what it predicts; `campaign` fits mocks to see whether
intervals can be believed; `forecast` asks what other data would tell.
"""

from . import _extra  # isort: skip  # noqa: F401  before anything that needs those packages
from .convergence import HaloConvergence, halo_convergence
from .evaluate import Linearised, linearise, log_density_at, predict, value_and_gradient
from .forecast import Forecast, Scenario, forecast, scaled_scenarios, shift_scenarios
from .free import FreeParameter, distribution, free_parameters
from .laplace import (
    AbstractCurvature,
    Differences,
    Exact,
    Identifiability,
    Laplace,
    expected_information,
    fisher,
    identifiability,
    laplace,
)
from .likelihood import AbstractLikelihood, Data, Gaussian, ScatterLikelihood, StudentT
from .mocks import AbstractMockFit, Campaign, FitLaplace, FitSampler, campaign, mock_data
from .optimisers.maximise import PointEstimate, Starts, maximise, spread_starts
from .optimisers.methods import BFGS, AbstractOptimiser, Adam, GaussNewton
from .posterior import Posterior, Verdict, verdict
from .predictive import (
    EXTRAS,
    Extra,
    Indices,
    Predictive,
    add_predictive,
    extras,
    feedback_indices,
    predictive,
    unfitted,
)
from .samplers.affine_invariant import AffineInvariant
from .samplers.base import AbstractSampler
from .samplers.chains import ChainProgress, Chains
from .samplers.hmc import HMC
from .samplers.nuts import NUTS
from .samplers.sample import sample
from .samplers.slice_ensemble import SliceEnsemble
from .summaries import ENOUGH, TOLERANCE, AbstractSummaries, FunctionSummaries, PopulationSummaries, Prediction
from .target import Target

__all__ = [
    "AbstractCurvature",
    "AbstractLikelihood",
    "AbstractMockFit",
    "AbstractOptimiser",
    "AbstractSampler",
    "AbstractSummaries",
    "Adam",
    "AffineInvariant",
    "BFGS",
    "Campaign",
    "ChainProgress",
    "Chains",
    "Data",
    "Differences",
    "ENOUGH",
    "EXTRAS",
    "Exact",
    "Extra",
    "FitLaplace",
    "FitSampler",
    "Forecast",
    "FreeParameter",
    "FunctionSummaries",
    "GaussNewton",
    "Gaussian",
    "HMC",
    "HaloConvergence",
    "Identifiability",
    "Indices",
    "Laplace",
    "Linearised",
    "NUTS",
    "PointEstimate",
    "PopulationSummaries",
    "Posterior",
    "Prediction",
    "Predictive",
    "ScatterLikelihood",
    "Scenario",
    "Starts",
    "SliceEnsemble",
    "StudentT",
    "TOLERANCE",
    "Target",
    "Verdict",
    "add_predictive",
    "campaign",
    "distribution",
    "expected_information",
    "extras",
    "feedback_indices",
    "fisher",
    "forecast",
    "free_parameters",
    "halo_convergence",
    "identifiability",
    "laplace",
    "linearise",
    "log_density_at",
    "maximise",
    "mock_data",
    "predict",
    "predictive",
    "sample",
    "scaled_scenarios",
    "shift_scenarios",
    "spread_starts",
    "unfitted",
    "value_and_gradient",
    "verdict",
]
