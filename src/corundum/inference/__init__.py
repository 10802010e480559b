"""From observations to constraints: priors, likelihood, point estimates, posteriors, calibration and forecasts.

`Target` joins a model, halos, data and free parameters into one log density; `maximise`, `laplace`, `nuts` and
`ensemble` explore it; `predictive` and `extras` look at what it predicts; `campaign` fits mocks to see whether
intervals can be believed; `forecast` asks what other data would tell.
"""

import importlib.util

_MISSING = [name for name in ("numpyro", "optax", "optimistix", "arviz") if importlib.util.find_spec(name) is None]
if _MISSING:
    raise ImportError(
        f"corundum.inference needs {', '.join(_MISSING)}, which is not installed: pip install 'corundum[inference]'"
    )

from .chains import ChainProgress, Chains, ChainStore  # noqa: E402
from .climbers import BFGS, AbstractOptimiser, Adam, GaussNewton  # noqa: E402
from .convergence import HaloConvergence, halo_convergence  # noqa: E402
from .ensemble import AffineInvariant, EnsembleSlice, ensemble  # noqa: E402
from .evaluate import Linearised, linearise, log_density_at, predict, value_and_gradient  # noqa: E402
from .forecast import Forecast, Scenario, forecast, scaled_scenarios, shift_scenarios  # noqa: E402
from .free import FreeParameter, distribution, free_parameters  # noqa: E402
from .laplace import (  # noqa: E402
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
from .likelihood import AbstractLikelihood, Data, Gaussian, ScatterLikelihood, StudentT  # noqa: E402
from .mocks import AbstractMockFit, Campaign, FitLaplace, FitNuts, campaign, mock_data  # noqa: E402
from .nuts import NutsSettings, nuts  # noqa: E402
from .optimise import PointEstimate, Starts, maximise, spread_starts  # noqa: E402
from .posterior import Posterior, Verdict, verdict  # noqa: E402
from .predictive import (  # noqa: E402
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
from .summaries import (  # noqa: E402
    ENOUGH,
    TOLERANCE,
    AbstractSummaries,
    FunctionSummaries,
    PopulationSummaries,
    Prediction,
)
from .target import Target  # noqa: E402

__all__ = [
    "AbstractCurvature",
    "AbstractLikelihood",
    "AbstractMockFit",
    "AbstractOptimiser",
    "AbstractSummaries",
    "Adam",
    "AffineInvariant",
    "BFGS",
    "Campaign",
    "ChainProgress",
    "ChainStore",
    "Chains",
    "Data",
    "Differences",
    "ENOUGH",
    "EXTRAS",
    "EnsembleSlice",
    "Exact",
    "Extra",
    "FitLaplace",
    "FitNuts",
    "Forecast",
    "FreeParameter",
    "FunctionSummaries",
    "GaussNewton",
    "Gaussian",
    "HaloConvergence",
    "Identifiability",
    "Indices",
    "Laplace",
    "Linearised",
    "NutsSettings",
    "PointEstimate",
    "PopulationSummaries",
    "Posterior",
    "Prediction",
    "Predictive",
    "ScatterLikelihood",
    "Scenario",
    "Starts",
    "StudentT",
    "TOLERANCE",
    "Target",
    "Verdict",
    "add_predictive",
    "campaign",
    "distribution",
    "ensemble",
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
    "nuts",
    "predict",
    "predictive",
    "scaled_scenarios",
    "shift_scenarios",
    "spread_starts",
    "unfitted",
    "value_and_gradient",
    "verdict",
]
