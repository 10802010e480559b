"""Physical laws as small frozen objects that hold their parameters and compute one thing."""

from .cgm import AbstractCGMProfile, IsothermalCGM, PowerLawCGM
from .cooling import (
    AbstractCooling,
    AbstractDensityConvention,
    ElectronIonDensities,
    SutherlandDopita93,
    SutherlandDopita93Bilinear,
    TotalDensitySquared,
)
from .enrichment import InflowMetallicity, StellarReturn
from .loading import AbstractScaling, Ceiling, DepletionTime, EnergyLoading, MassLoading, MetalLoading
from .outflow import OverpressureOutflow
from .prevention import AbstractPrevention, LogisticPrevention
from .reionisation import (
    AbstractFilteringMass,
    AbstractReionisation,
    Kravtsov04FilteringMass,
    Okamoto08,
    PublishedFilteringMass,
)
from .seed import GasSeed
from .virial import FreeFall, VirialTemperature, dynamical_time

__all__ = [
    "AbstractCGMProfile",
    "AbstractCooling",
    "AbstractDensityConvention",
    "AbstractFilteringMass",
    "AbstractPrevention",
    "AbstractReionisation",
    "AbstractScaling",
    "Ceiling",
    "DepletionTime",
    "ElectronIonDensities",
    "EnergyLoading",
    "FreeFall",
    "GasSeed",
    "InflowMetallicity",
    "IsothermalCGM",
    "Kravtsov04FilteringMass",
    "LogisticPrevention",
    "MassLoading",
    "MetalLoading",
    "Okamoto08",
    "OverpressureOutflow",
    "PowerLawCGM",
    "PublishedFilteringMass",
    "StellarReturn",
    "SutherlandDopita93",
    "SutherlandDopita93Bilinear",
    "TotalDensitySquared",
    "VirialTemperature",
    "dynamical_time",
]
