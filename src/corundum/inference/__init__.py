"""From observations to constraints: priors, likelihood, point estimates, posteriors, calibration and forecasts.

`Target` joins a model, halos, data and free parameters into one log density; `maximise`, `laplace` and `sample`
explore it; `predictive` and its companions show what it predicts; `campaign` fits mock data to check whether
intervals can be believed; `forecast` estimates what other data would add.  Likelihoods, optimisers, curvatures and
samplers are objects given by keyword; one of your own is a class.
"""

from typing import TYPE_CHECKING

from . import _extra  # isort: skip  # noqa: F401  before anything that needs those packages
from ..lazy_names import lazy_names

if TYPE_CHECKING:  # imported when they are first used
    from .calibration.calibrate import Calibration, calibrate, ln_evidences
    from .calibration.joint import JointSummaries, joint
    from .calibration.mocks import calibrate_mocks
    from .calibration.predictions import SurveyPrediction, predict_survey
    from .calibration.problem import check_calibration
    from .data import Data
    from .evaluate import Linearised, linearise, ln_density_at, predict, value_and_gradient
    from .evidence.bridge import Evidence, bridge_evidence
    from .evidence.comparison import Comparison, Criterion, common_points, compare
    from .free import FreeParameter, distribution, free_parameters
    from .laplace import AbstractCurvature, Differences, Exact, Laplace, expected_information, laplace
    from .learned.bands import LawBands, law_bands
    from .learned.criticism import Criticism, criticise
    from .learned.departures import departure_priors
    from .learned.distil import Distillation, ShortFormula, distil
    from .learned.formulas import AbstractFormulaSearch, OperonSearch, SparseSearch
    from .likelihoods.base import AbstractLikelihood
    from .likelihoods.gaussian import Gaussian
    from .likelihoods.scatter import ScatterLikelihood
    from .likelihoods.student_t import StudentT
    from .optimisers.adam import Adam
    from .optimisers.base import AbstractOptimiser
    from .optimisers.bfgs import BFGS
    from .optimisers.gauss_newton import GaussNewton
    from .optimisers.maximise import PointEstimate, Starts, maximise, spread_starts
    from .posterior import Posterior, Verdict, gaussian_posterior, keep_mode, verdict
    from .predictive import Predictive, add_predictive, predictive
    from .samplers.affine_invariant import AffineInvariant
    from .samplers.base import AbstractSampler
    from .samplers.chains import ChainProgress, Chains
    from .samplers.hmc import HMC
    from .samplers.nested import NestedSampler
    from .samplers.nuts import NUTS
    from .samplers.sample import sample
    from .samplers.slice_ensemble import SliceEnsemble
    from .samplers.surrogate_hmc import SurrogateHMC
    from .studies.control_convergence import ControlConvergence, control_convergence
    from .studies.convergence import HaloConvergence, halo_convergence
    from .studies.forecast import Forecast, Scenario, forecast, scaled_scenarios, shift_scenarios
    from .studies.identifiability import Identifiability, fisher, identifiability
    from .studies.mock_fits import MOCK_STATUS, AbstractMockFit, FitLaplace, FitSampler
    from .studies.mocks import Campaign, campaign, mock_data
    from .studies.unfitted import (
        UNFITTED_QUANTITIES,
        Indices,
        UnfittedQuantity,
        feedback_indices,
        predict_unfitted,
        unfitted_quantities,
    )
    from .summaries import (
        FEWEST_GALAXIES,
        TOLERANCE,
        AbstractSummaries,
        FunctionSummaries,
        PopulationSummaries,
        Prediction,
    )
    from .surrogates.base import AbstractEmulator, AbstractSurrogate
    from .surrogates.control import ControlVariate, control_variate
    from .surrogates.kernel import KernelEmulator, KernelSurrogate
    from .target import Target
    from .training.histories import HistoryObjective
    from .training.last_layer import LastLayerPosterior, last_layer_posterior
    from .training.network_posterior import NetworkPosterior, network_posterior
    from .training.objectives import AbstractObjective, PopulationObjective
    from .training.rules import AbstractTrainingRule, AdamRule
    from .training.states import States, read_states
    from .training.train import TrainingProgress, train
    from .training.trained import Trained

__all__ = [
    "AbstractCurvature",
    "AbstractEmulator",
    "AbstractFormulaSearch",
    "AbstractLikelihood",
    "AbstractMockFit",
    "AbstractObjective",
    "AbstractOptimiser",
    "AbstractSampler",
    "AbstractSummaries",
    "AbstractSurrogate",
    "AbstractTrainingRule",
    "Adam",
    "AdamRule",
    "AffineInvariant",
    "BFGS",
    "Calibration",
    "Campaign",
    "ChainProgress",
    "Chains",
    "Comparison",
    "ControlConvergence",
    "ControlVariate",
    "Criterion",
    "Criticism",
    "Data",
    "Differences",
    "Distillation",
    "Evidence",
    "Exact",
    "FEWEST_GALAXIES",
    "FitLaplace",
    "FitSampler",
    "Forecast",
    "FreeParameter",
    "FunctionSummaries",
    "GaussNewton",
    "Gaussian",
    "HMC",
    "HaloConvergence",
    "HistoryObjective",
    "Identifiability",
    "Indices",
    "JointSummaries",
    "KernelEmulator",
    "KernelSurrogate",
    "Laplace",
    "LastLayerPosterior",
    "LawBands",
    "Linearised",
    "MOCK_STATUS",
    "NUTS",
    "NestedSampler",
    "NetworkPosterior",
    "OperonSearch",
    "PointEstimate",
    "PopulationObjective",
    "PopulationSummaries",
    "Posterior",
    "Prediction",
    "Predictive",
    "ScatterLikelihood",
    "Scenario",
    "ShortFormula",
    "SliceEnsemble",
    "SparseSearch",
    "Starts",
    "States",
    "StudentT",
    "SurrogateHMC",
    "SurveyPrediction",
    "TOLERANCE",
    "Target",
    "Trained",
    "TrainingProgress",
    "UNFITTED_QUANTITIES",
    "UnfittedQuantity",
    "Verdict",
    "add_predictive",
    "bridge_evidence",
    "calibrate",
    "campaign",
    "calibrate_mocks",
    "check_calibration",
    "common_points",
    "compare",
    "control_convergence",
    "control_variate",
    "criticise",
    "departure_priors",
    "distil",
    "distribution",
    "expected_information",
    "feedback_indices",
    "fisher",
    "forecast",
    "free_parameters",
    "gaussian_posterior",
    "halo_convergence",
    "identifiability",
    "joint",
    "keep_mode",
    "laplace",
    "last_layer_posterior",
    "law_bands",
    "linearise",
    "ln_density_at",
    "ln_evidences",
    "maximise",
    "mock_data",
    "network_posterior",
    "predict",
    "predict_survey",
    "predict_unfitted",
    "predictive",
    "read_states",
    "sample",
    "scaled_scenarios",
    "shift_scenarios",
    "spread_starts",
    "train",
    "unfitted_quantities",
    "value_and_gradient",
    "verdict",
]

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy_names(__name__)
