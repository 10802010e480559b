"""Halo growth histories and where they come from."""

import importlib

from .branches import Branch, smooth_branches
from .concentration import AbstractConcentration, ConcentrationScatter, Diemer19, DuttonMaccio14
from .formation import ZhaoFormationTime
from .formats import (
    AbstractTreeFormat,
    ConsistentTrees,
    ConsistentTreesHDF5,
    GalacticusForests,
    HaloLists,
    LHaloTree,
    LHaloTreeHDF5,
    MillenniumCSV,
    SubLink,
    YtreeArbor,
)
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
from .mass_function import VirialMassFunction, abundance_weights, volume_weights
from .merger_trees import MergerTrees, grow_main_branches, grow_trees
from .mergers import Mergers
from .monte_carlo import log_times, monte_carlo
from .monte_carlo_trees import extended_press_schechter
from .parkinson08 import ParkinsonColeHelly08
from .power import LinearPower
from .repair import AbstractBranchRepair, KeepAll, RemoveExcursions, ResolutionFloor
from .report import BranchReport, report_on
from .sampling import AbstractMassSampling, Despali16, GivenMasses, MassFunctionWeighted, UniformLogMass
from .selection import select_by_mass, select_by_weight, select_evenly, select_isolated, select_representative
from .smoothing import (
    AbstractMassLoss,
    AbstractSmoothing,
    AllowMassLoss,
    GaussianInLogTime,
    RefuseMassLoss,
    RunningMaximum,
)
from .table import read_table
from .trees import read_branches, read_trees, smooth_trees

__all__ = [
    "AbstractBranchRepair",
    "AbstractConcentration",
    "AbstractHaloInterpolation",
    "AbstractMassLoss",
    "AbstractMassSampling",
    "AbstractSmoothing",
    "AbstractTreeFormat",
    "AllowMassLoss",
    "Branch",
    "BranchReport",
    "ConcentrationScatter",
    "ConsistentTrees",
    "ConsistentTreesHDF5",
    "Despali16",
    "Diemer19",
    "DuttonMaccio14",
    "GalacticusForests",
    "GaussianInLogTime",
    "GivenMasses",
    "HALO_QUANTITIES",
    "Halo",
    "HaloCurves",
    "HaloHistories",
    "HaloLists",
    "HaloTables",
    "KeepAll",
    "LHaloTree",
    "LHaloTreeHDF5",
    "LinearPower",
    "MassFunctionWeighted",
    "MergerTrees",
    "Mergers",
    "MillenniumCSV",
    "ParkinsonColeHelly08",
    "PublishedHermite",
    "RefuseMassLoss",
    "RemoveExcursions",
    "ResolutionFloor",
    "RunningMaximum",
    "SplineInLogTime",
    "SubLink",
    "UniformLogMass",
    "VirialMassFunction",
    "YtreeArbor",
    "ZhaoFormationTime",
    "abundance_weights",
    "extended_press_schechter",
    "grow_main_branches",
    "grow_trees",
    "log_times",
    "monte_carlo",
    "read",
    "read_branches",
    "read_table",
    "read_trees",
    "report_on",
    "save",
    "select_by_mass",
    "select_by_weight",
    "select_evenly",
    "select_isolated",
    "select_representative",
    "smooth_branches",
    "smooth_trees",
    "volume_weights",
]


def __getattr__(name: str):
    """`read` and `save` belong to `corundum.io`, the owner of files; here is where one looks for them."""
    if name in ("read", "save"):
        return getattr(importlib.import_module("corundum.io.halos"), name)
    raise AttributeError(f"module 'corundum.halos' has no attribute {name!r}; it has {', '.join(__all__)}")
