"""Physical laws as small frozen objects that hold their parameters and compute one thing."""

from .cgm import AbstractCGMProfile, IsothermalCGM, PowerLawCGM
from .condensation import (
    AbstractCondensation,
    HarmonicCondensation,
    PrecipitationThreshold,
    SlowerTimeCondensation,
)
from .cooling import (
    AbstractCooling,
    AbstractDensityConvention,
    AbstractNetCooling,
    ElectronIonDensities,
    HydrogenDensitySquared,
    SutherlandDopita93,
    SutherlandDopita93Bilinear,
    TotalDensitySquared,
)
from .enrichment import InflowMetallicity, StellarReturn
from .galaxy import AbstractGalaxyScaling, AbstractScaling, Galaxy
from .loading import Ceiling, DepletionTime, EnergyLoading, MassLoading, MetalLoading
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
    "AbstractCondensation",
    "AbstractCooling",
    "AbstractDensityConvention",
    "AbstractFilteringMass",
    "AbstractGalaxyScaling",
    "AbstractNetCooling",
    "AbstractPrevention",
    "AbstractReionisation",
    "AbstractScaling",
    "Ceiling",
    "DepletionTime",
    "ElectronIonDensities",
    "EnergyLoading",
    "FreeFall",
    "Galaxy",
    "GasSeed",
    "HarmonicCondensation",
    "HydrogenDensitySquared",
    "InflowMetallicity",
    "IsothermalCGM",
    "Kravtsov04FilteringMass",
    "LogisticPrevention",
    "MassLoading",
    "MetalLoading",
    "Okamoto08",
    "OverpressureOutflow",
    "PowerLawCGM",
    "PrecipitationThreshold",
    "PublishedFilteringMass",
    "SlowerTimeCondensation",
    "StellarReturn",
    "SutherlandDopita93",
    "SutherlandDopita93Bilinear",
    "TotalDensitySquared",
    "VirialTemperature",
    "dynamical_time",
]
