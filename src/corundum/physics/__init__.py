"""Physical laws as small frozen objects that hold their parameters and compute one thing."""

from typing import TYPE_CHECKING

from ..lazy_names import lazy_names

if TYPE_CHECKING:  # imported when they are first used
    from .black_holes.feedback import AbstractFeedback, MaintenanceFeedback, TwoModeFeedback
    from .black_holes.feeding import (
        AbstractFeeding,
        DynamicalFeeding,
        MergerFeeding,
        NoFeeding,
        SecularFeeding,
        StarFormationFeeding,
        eddington_rate,
    )
    from .black_holes.hot_feeding import BondiFeeding, HotGasFeeding, MaximalCoolingFeeding, VirialVelocityFeeding
    from .cooling.base import AbstractCooling, AbstractNetCooling
    from .cooling.densities import (
        AbstractDensityConvention,
        ElectronIonDensities,
        HydrogenDensitySquared,
        TotalDensitySquared,
    )
    from .cooling.photoionised import FaucherGiguere20, PhotoionisedCooling
    from .cooling.shifted import ShiftedSutherlandDopita93, ShiftedSutherlandDopita93Bilinear
    from .cooling.sutherland_dopita93 import EquilibriumDensities, SutherlandDopita93
    from .cooling.tabulated import TabulatedNetCooling
    from .cooling.wiersma09 import read_wiersma09
    from .galaxy import AbstractGalaxyScaling, AbstractScaling, Galaxy
    from .gas.condensation import (
        AbstractCondensation,
        CoolingRadiusCondensation,
        HarmonicCondensation,
        IsobaricCondensation,
        PrecipitationThreshold,
        SlowerTimeCondensation,
    )
    from .gas.outflow import AbstractEscapeSpeed, OverpressureOutflow, SonicEscape, VirialEscape
    from .gas.prevention import AbstractPrevention, EnergyDrivenPrevention, LogisticPrevention
    from .gas.profiles import AbstractCGMProfile, IsothermalCGM, IsothermalShells, PowerLawCGM
    from .gas.recycling import DynamicalReturn, Henriques13Return
    from .gas.reionisation import (
        AbstractFilteringMass,
        AbstractReionisation,
        Kravtsov04FilteringMass,
        KravtsovManwadkar22FilteringMass,
        Okamoto08,
        Pandya26FilteringMass,
    )
    from .gas.turbulence import AbstractDrivingScale, SlidingScale, Turbulence, VirialScale
    from .gas.virial import FreeFall, VirialTemperature, dynamical_time
    from .learned.beyond import AbstractBeyond, ConstantBeyond, FadingBeyond, LinearBeyond
    from .learned.departures import AbstractDeparture, GaussianProcessDeparture, SplineDeparture
    from .learned.expression_law import ExpressionLaw
    from .learned.expressions import Formula
    from .learned.features import FEATURES, Feature
    from .learned.kernels import AbstractKernel, Matern32, Matern52, SquaredExponential
    from .learned.law import LearnedLaw, gaussian_process_law, neural_law, spline_law
    from .learned.links import AbstractLink, LogitLink, LogLink
    from .learned.monotone import AbstractMonotoneDeparture, FallingDeparture, RisingDeparture
    from .learned.neural import NeuralDeparture, neural_departure, untrained, untrained_network
    from .learned.tinygp_kernel import TinygpKernel
    from .merging.dynamical_friction import AbstractMergingTime, BoylanKolchin08, DynamicalFriction, Jiang08
    from .merging.sizes import MergedSizes
    from .scattered import ScatteredLaw, ScatteredRate
    from .seed import AbstractSeed, GasSeed, TurbulentSeed
    from .stars.discs import AbstractDiscSize, DiscSize, MoMaoWhite98DiscSize
    from .stars.emptying import AbstractEmptying, GradualEmptying, UnlimitedEmptying
    from .stars.enrichment import InflowMetallicity, StellarReturn
    from .stars.imf import chabrier_return, kroupa_return, salpeter_return
    from .stars.molecular_gas import (
        AbstractMolecularFraction,
        BlitzRosolowsky06,
        DiscRings,
        GnedinDraine14,
        Krumholz09,
    )
    from .stars.momentum import AbstractSpin, LogNormalSpin, MomentumDiscSize
    from .stars.onset import AbstractOnset, MassOnset, Pandya23Onset
    from .stars.star_formation import DynamicalDepletion, MolecularDepletion
    from .winds.fire2 import (
        Fire2DepletionTime,
        Fire2InflowMetallicity,
        Fire2MassLoading,
        Fire2ThermalAccretion,
        Fire2ThermalWind,
        Fire2WindVelocity,
    )
    from .winds.loading import Ceiling, DepletionTime, EnergyLoading, MassLoading, MetalLoading
    from .winds.muratov15 import ConstantLoading, Muratov15StellarMass, Muratov15Velocity
    from .winds.wind_energy import AbstractWindEnergy, BernoulliWind, LoadedWind

__all__ = [
    "AbstractBeyond",
    "AbstractCGMProfile",
    "AbstractCondensation",
    "AbstractCooling",
    "AbstractDensityConvention",
    "AbstractDeparture",
    "AbstractDiscSize",
    "AbstractDrivingScale",
    "AbstractEmptying",
    "AbstractEscapeSpeed",
    "AbstractFeedback",
    "AbstractFeeding",
    "AbstractFilteringMass",
    "AbstractGalaxyScaling",
    "AbstractKernel",
    "AbstractLink",
    "AbstractMergingTime",
    "AbstractMolecularFraction",
    "AbstractMonotoneDeparture",
    "AbstractNetCooling",
    "AbstractOnset",
    "AbstractPrevention",
    "AbstractReionisation",
    "AbstractScaling",
    "AbstractSeed",
    "AbstractSpin",
    "AbstractWindEnergy",
    "BernoulliWind",
    "BlitzRosolowsky06",
    "BondiFeeding",
    "BoylanKolchin08",
    "Ceiling",
    "ConstantBeyond",
    "ConstantLoading",
    "CoolingRadiusCondensation",
    "DepletionTime",
    "DiscRings",
    "DiscSize",
    "DynamicalDepletion",
    "DynamicalFeeding",
    "DynamicalFriction",
    "DynamicalReturn",
    "ElectronIonDensities",
    "EnergyDrivenPrevention",
    "EnergyLoading",
    "EquilibriumDensities",
    "ExpressionLaw",
    "FEATURES",
    "FadingBeyond",
    "FallingDeparture",
    "FaucherGiguere20",
    "Feature",
    "Fire2DepletionTime",
    "Fire2InflowMetallicity",
    "Fire2MassLoading",
    "Fire2ThermalAccretion",
    "Fire2ThermalWind",
    "Fire2WindVelocity",
    "Formula",
    "FreeFall",
    "Galaxy",
    "GasSeed",
    "GaussianProcessDeparture",
    "GnedinDraine14",
    "GradualEmptying",
    "HarmonicCondensation",
    "Henriques13Return",
    "HotGasFeeding",
    "HydrogenDensitySquared",
    "InflowMetallicity",
    "IsobaricCondensation",
    "IsothermalCGM",
    "IsothermalShells",
    "Jiang08",
    "Kravtsov04FilteringMass",
    "KravtsovManwadkar22FilteringMass",
    "Krumholz09",
    "LearnedLaw",
    "LinearBeyond",
    "LoadedWind",
    "LogLink",
    "LogNormalSpin",
    "LogisticPrevention",
    "LogitLink",
    "MaintenanceFeedback",
    "MassLoading",
    "MassOnset",
    "Matern32",
    "Matern52",
    "MaximalCoolingFeeding",
    "MergedSizes",
    "MergerFeeding",
    "MetalLoading",
    "MoMaoWhite98DiscSize",
    "MolecularDepletion",
    "MomentumDiscSize",
    "Muratov15StellarMass",
    "Muratov15Velocity",
    "NeuralDeparture",
    "NoFeeding",
    "Okamoto08",
    "OverpressureOutflow",
    "Pandya23Onset",
    "Pandya26FilteringMass",
    "PhotoionisedCooling",
    "PowerLawCGM",
    "PrecipitationThreshold",
    "RisingDeparture",
    "ScatteredLaw",
    "ScatteredRate",
    "SecularFeeding",
    "ShiftedSutherlandDopita93",
    "ShiftedSutherlandDopita93Bilinear",
    "SlidingScale",
    "SlowerTimeCondensation",
    "SonicEscape",
    "SplineDeparture",
    "SquaredExponential",
    "StarFormationFeeding",
    "StellarReturn",
    "SutherlandDopita93",
    "TabulatedNetCooling",
    "TinygpKernel",
    "TotalDensitySquared",
    "Turbulence",
    "TurbulentSeed",
    "TwoModeFeedback",
    "UnlimitedEmptying",
    "VirialEscape",
    "VirialScale",
    "VirialTemperature",
    "VirialVelocityFeeding",
    "chabrier_return",
    "dynamical_time",
    "eddington_rate",
    "gaussian_process_law",
    "kroupa_return",
    "neural_departure",
    "neural_law",
    "read_wiersma09",
    "salpeter_return",
    "spline_law",
    "untrained",
    "untrained_network",
]

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy_names(__name__)
