"""Scaling relations: what is observed, with which errors, and the same relations of model galaxies."""

from typing import TYPE_CHECKING

from ..lazy_names import lazy_names

if TYPE_CHECKING:  # imported when they are first used
    from .abundance import Abundance, cosmic_density, cosmic_sfr_density, mass_function_of, stellar_mass_function
    from .catalogue import regress_catalogue
    from .clustering.correlation import ProjectedCorrelation
    from .clustering.halo_model import HaloModel, ProjectedPairs
    from .clustering.occupation import Occupation, OccupationByMass, halo_occupation
    from .cosmic_densities import (
        AbstractCosmicDensity,
        CosmicAtomicGas,
        CosmicMolecularGas,
        CosmicStarFormation,
        CosmicStellarMass,
    )
    from .cosmic_history import CosmicHistory, cosmic_history
    from .files import available, load, read
    from .histories import histories_of
    from .kernel import published_nodes, scott_bandwidth
    from .mass_functions import (
        AbstractMassFunction,
        AtomicMassFunction,
        MolecularMassFunction,
        StellarMassFunction,
    )
    from .measurement import ERROR_KINDS, Measurement
    from .regression import AbstractRegression, LocalLinear, NadarayaWatson, RegressedRelation
    from .relations import (
        AbstractRelation,
        ColdGasFraction,
        GasMetallicity,
        HaloBaryonFraction,
        StarFormingMainSequence,
        StellarMetallicity,
        StellarToHaloMass,
    )
    from .scatter import AbstractScatter, LocalScatter, PooledScatter
    from .structure.black_holes import BlackHoleBulge
    from .structure.passive import PassiveFraction
    from .structure.sizes import BulgeShare, SizeMass
    from .surveys.residuals import Residual, Residuals, residuals
    from .surveys.sources import OtherSource, other_sources
    from .surveys.survey import Survey, SurveyTest, available_surveys, survey

__all__ = [
    "AbstractCosmicDensity",
    "AbstractMassFunction",
    "AtomicMassFunction",
    "AbstractRegression",
    "AbstractRelation",
    "AbstractScatter",
    "Abundance",
    "BlackHoleBulge",
    "BulgeShare",
    "ColdGasFraction",
    "CosmicAtomicGas",
    "CosmicHistory",
    "CosmicMolecularGas",
    "CosmicStarFormation",
    "CosmicStellarMass",
    "ERROR_KINDS",
    "GasMetallicity",
    "HaloModel",
    "HaloBaryonFraction",
    "LocalLinear",
    "LocalScatter",
    "Measurement",
    "NadarayaWatson",
    "Occupation",
    "OccupationByMass",
    "OtherSource",
    "PassiveFraction",
    "PooledScatter",
    "ProjectedCorrelation",
    "ProjectedPairs",
    "RegressedRelation",
    "Residual",
    "Residuals",
    "SizeMass",
    "StarFormingMainSequence",
    "MolecularMassFunction",
    "StellarMassFunction",
    "StellarMetallicity",
    "StellarToHaloMass",
    "Survey",
    "SurveyTest",
    "available",
    "available_surveys",
    "cosmic_density",
    "cosmic_history",
    "cosmic_sfr_density",
    "halo_occupation",
    "histories_of",
    "load",
    "mass_function_of",
    "other_sources",
    "published_nodes",
    "read",
    "regress_catalogue",
    "residuals",
    "scott_bandwidth",
    "stellar_mass_function",
    "survey",
]

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy_names(__name__)
