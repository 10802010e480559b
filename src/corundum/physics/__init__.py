"""Physical laws as small frozen objects that hold their parameters and compute one thing."""

from .black_hole import (
    AbstractFeeding,
    BondiFeeding,
    DynamicalFeeding,
    MaximalCoolingFeeding,
    NoFeeding,
    StarFormationFeeding,
    TwoModeFeedback,
    eddington_rate,
)
from .cgm import (
    AbstractCGMProfile,
    IsothermalCGM,
    IsothermalShells,
    PowerLawCGM,
)
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
from .discs import (
    DiscSize,
)
from .emptying import (
    AbstractEmptying,
    GradualEmptying,
    UnlimitedEmptying,
)
from .enrichment import (
    InflowMetallicity,
    StellarReturn,
)
from .fire2 import (
    Fire2DepletionTime,
    Fire2InflowMetallicity,
    Fire2MassLoading,
    Fire2ThermalAccretion,
    Fire2ThermalWind,
    Fire2WindVelocity,
)
from .galaxy import (
    AbstractGalaxyScaling,
    AbstractScaling,
    Galaxy,
)
from .imf import (
    chabrier_return,
    kroupa_return,
    salpeter_return,
)
from .loading import (
    Ceiling,
    DepletionTime,
    EnergyLoading,
    MassLoading,
    MetalLoading,
)
from .onset import (
    AbstractOnset,
    MassOnset,
    PublishedOnset,
)
from .outflow import (
    OverpressureOutflow,
)
from .photoionised import (
    FaucherGiguere20,
    PhotoionisedCooling,
    TabulatedNetCooling,
)
from .prevention import (
    AbstractPrevention,
    EnergyDrivenPrevention,
    LogisticPrevention,
)
from .published_loadings import (
    ConstantLoading,
    Muratov15StellarMass,
    Muratov15Velocity,
)
from .recycling import (
    DynamicalReturn,
    Henriques13Return,
)
from .reionisation import (
    AbstractFilteringMass,
    AbstractReionisation,
    Kravtsov04FilteringMass,
    KravtsovManwadkar22FilteringMass,
    Okamoto08,
    PublishedFilteringMass,
)
from .seed import (
    GasSeed,
    TurbulentSeed,
)
from .star_formation import (
    DynamicalDepletion,
    MolecularDepletion,
)
from .turbulence import (
    AbstractDrivingScale,
    SlidingScale,
    Turbulence,
    VirialScale,
)
from .virial import (
    FreeFall,
    VirialTemperature,
    dynamical_time,
)
from .wind_energy import (
    AbstractWindEnergy,
    BernoulliWind,
    LoadedWind,
)

__all__ = [
    "AbstractCGMProfile",
    "AbstractCondensation",
    "AbstractCooling",
    "AbstractDensityConvention",
    "AbstractDrivingScale",
    "AbstractEmptying",
    "AbstractFeeding",
    "AbstractFilteringMass",
    "AbstractGalaxyScaling",
    "AbstractNetCooling",
    "AbstractOnset",
    "AbstractPrevention",
    "AbstractReionisation",
    "AbstractScaling",
    "AbstractWindEnergy",
    "BernoulliWind",
    "BondiFeeding",
    "Ceiling",
    "ConstantLoading",
    "DepletionTime",
    "DiscSize",
    "DynamicalDepletion",
    "DynamicalFeeding",
    "DynamicalReturn",
    "ElectronIonDensities",
    "EnergyDrivenPrevention",
    "EnergyLoading",
    "FaucherGiguere20",
    "Fire2DepletionTime",
    "Fire2InflowMetallicity",
    "Fire2MassLoading",
    "Fire2ThermalAccretion",
    "Fire2ThermalWind",
    "Fire2WindVelocity",
    "FreeFall",
    "Galaxy",
    "GasSeed",
    "GradualEmptying",
    "HarmonicCondensation",
    "Henriques13Return",
    "HydrogenDensitySquared",
    "InflowMetallicity",
    "IsothermalCGM",
    "IsothermalShells",
    "Kravtsov04FilteringMass",
    "KravtsovManwadkar22FilteringMass",
    "LoadedWind",
    "LogisticPrevention",
    "MassLoading",
    "MassOnset",
    "MaximalCoolingFeeding",
    "MetalLoading",
    "MolecularDepletion",
    "Muratov15StellarMass",
    "Muratov15Velocity",
    "NoFeeding",
    "Okamoto08",
    "OverpressureOutflow",
    "PhotoionisedCooling",
    "PowerLawCGM",
    "PrecipitationThreshold",
    "PublishedFilteringMass",
    "PublishedOnset",
    "SlidingScale",
    "SlowerTimeCondensation",
    "StarFormationFeeding",
    "StellarReturn",
    "SutherlandDopita93",
    "SutherlandDopita93Bilinear",
    "TabulatedNetCooling",
    "TotalDensitySquared",
    "Turbulence",
    "TurbulentSeed",
    "TwoModeFeedback",
    "UnlimitedEmptying",
    "VirialScale",
    "VirialTemperature",
    "chabrier_return",
    "dynamical_time",
    "eddington_rate",
    "kroupa_return",
    "salpeter_return",
]
