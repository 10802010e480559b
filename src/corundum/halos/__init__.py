"""Halo growth histories and where they come from."""

from typing import TYPE_CHECKING

from ..lazy_names import lazy_names

if TYPE_CHECKING:  # imported when they are first used
    from .branches.branch import Branch, smooth_branches
    from .branches.repair import AbstractBranchRepair, KeepAll, RemoveExcursions, ResolutionFloor
    from .branches.smoothing import (
        AbstractMassLoss,
        AbstractSmoothing,
        AllowMassLoss,
        GaussianInLogTime,
        RefuseMassLoss,
        RunningMaximum,
    )
    from .concentration import AbstractConcentration, ConcentrationScatter, Diemer19, DuttonMaccio14
    from .conversion import Conversion, convert_trees
    from .cosmic_times import log_times
    from .extras import ExtraCurve, Extras
    from .files import save
    from .generate.diffmah import diffmah_population
    from .generate.forest_population import monte_carlo_forest
    from .generate.formation import ZhaoFormationTime
    from .generate.halo_bias import AbstractHaloBias, PeakBackgroundSplit, Tinker10
    from .generate.latents import with_latents
    from .generate.main_branches import grow_main_branches
    from .generate.mass_function import VirialMassFunction, abundance_weights, volume_weights
    from .generate.mass_sampling import (
        AbstractMassSampling,
        Despali16,
        GivenMasses,
        MassFunctionWeighted,
        UniformLogMass,
    )
    from .generate.merger_trees import MergerTrees, grow_trees
    from .generate.parkinson08 import ParkinsonColeHelly08
    from .generate.power_spectrum import LinearPower
    from .generate.roots import complete_forest, complete_roots
    from .generate.tree_population import monte_carlo_trees
    from .histories import HaloHistories
    from .interpolation import (
        HALO_QUANTITIES,
        AbstractHaloInterpolation,
        Halo,
        HaloCurves,
        HaloTables,
        Pandya26Hermite,
        SplineInLogTime,
    )
    from .mergers import Mergers
    from .reading import read
    from .report import BranchReport, report_on
    from .satellites.links import select_centrals, select_trees
    from .satellites.record import Satellites
    from .selection import (
        concatenate,
        select_by_mass,
        select_by_weight,
        select_evenly,
        select_isolated,
        select_representative,
    )
    from .tables.reader import read_table
    from .trees.forest_reader import read_forest
    from .trees.formats import (
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
    from .trees.reader import read_branches, read_trees, smooth_trees

__all__ = [
    "AbstractBranchRepair",
    "AbstractConcentration",
    "AbstractHaloBias",
    "AbstractHaloInterpolation",
    "AbstractMassLoss",
    "AbstractMassSampling",
    "AbstractSmoothing",
    "AbstractTreeFormat",
    "AllowMassLoss",
    "Branch",
    "BranchReport",
    "ConcentrationScatter",
    "Conversion",
    "ConsistentTrees",
    "ConsistentTreesHDF5",
    "Despali16",
    "Diemer19",
    "DuttonMaccio14",
    "ExtraCurve",
    "Extras",
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
    "Pandya26Hermite",
    "PeakBackgroundSplit",
    "RefuseMassLoss",
    "RemoveExcursions",
    "ResolutionFloor",
    "Satellites",
    "RunningMaximum",
    "SplineInLogTime",
    "SubLink",
    "Tinker10",
    "UniformLogMass",
    "VirialMassFunction",
    "YtreeArbor",
    "ZhaoFormationTime",
    "abundance_weights",
    "monte_carlo_forest",
    "monte_carlo_trees",
    "complete_forest",
    "complete_roots",
    "grow_main_branches",
    "grow_trees",
    "log_times",
    "concatenate",
    "convert_trees",
    "diffmah_population",
    "read",
    "read_branches",
    "read_forest",
    "read_table",
    "read_trees",
    "report_on",
    "save",
    "select_by_mass",
    "select_by_weight",
    "select_centrals",
    "select_evenly",
    "select_isolated",
    "select_representative",
    "select_trees",
    "smooth_branches",
    "smooth_trees",
    "volume_weights",
    "with_latents",
]

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy_names(__name__)
