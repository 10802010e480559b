"""Halo growth histories and where they come from."""

from .branches import Branch, histories_from_branches
from .concentration import AbstractConcentration, ConcentrationScatter, Diemer19, DuttonMaccio14
from .histories import HaloHistories
from .interpolation import (
    HALO_QUANTITIES,
    AbstractHaloInterpolation,
    Halo,
    HaloCurves,
    HaloTables,
    PublishedHermite,
    SplineInLogTime,
)
from .monte_carlo import log_times, monte_carlo
from .sampling import AbstractMassSampling, Despali16, GivenMasses, MassFunctionWeighted, UniformLogMass
from .smoothing import (
    AbstractMassLoss,
    AbstractSmoothing,
    AllowMassLoss,
    GaussianInLogTime,
    RefuseMassLoss,
    RunningMaximum,
)
from .table import read_table

__all__ = [
    "AbstractConcentration",
    "AbstractHaloInterpolation",
    "AbstractMassLoss",
    "AbstractMassSampling",
    "AbstractSmoothing",
    "AllowMassLoss",
    "Branch",
    "ConcentrationScatter",
    "Despali16",
    "Diemer19",
    "DuttonMaccio14",
    "GaussianInLogTime",
    "GivenMasses",
    "HALO_QUANTITIES",
    "Halo",
    "HaloCurves",
    "HaloHistories",
    "HaloTables",
    "MassFunctionWeighted",
    "PublishedHermite",
    "RefuseMassLoss",
    "RunningMaximum",
    "SplineInLogTime",
    "UniformLogMass",
    "histories_from_branches",
    "log_times",
    "monte_carlo",
    "read_table",
]
