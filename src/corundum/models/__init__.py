"""Galaxy models: reservoirs, flows and the ledger that joins them, and processes that can be added."""

from typing import TYPE_CHECKING

from ..lazy_names import lazy_names

if TYPE_CHECKING:  # imported when they are first used
    from .base import AbstractModel, Fluxes, derivative
    from .checks.calibrated import outside_calibration
    from .citations import citations, unverified
    from .galaxy import AbstractGalaxyModel
    from .ledger import Flow, FlowRates, Ledger
    from .presets import PANDYA26_FREE, pandya23, pandya26, reference, reference_galaxy
    from .process import AbstractProcess, ProcessFluxes, channel_multipliers
    from .processes.black_holes import BlackHole
    from .processes.bulges import Bulge
    from .processes.compression import Compression
    from .processes.delayed_enrichment import DelayedEnrichment
    from .processes.discs import Discs
    from .processes.elements import Elements
    from .processes.gas_phases import GasPhases
    from .processes.hot_return import HotReturn
    from .processes.instability import DiscInstability
    from .processes.learned_flow import LearnedFlow
    from .processes.merging import BlackHoleMergers, Merging
    from .processes.quasar import QuasarMode
    from .processes.reincorporation import HaloRecycling
    from .processes.satellites.handing_elements import HandingOverElements, HandingOverMomentum
    from .processes.satellites.handing_over import HandingOver
    from .processes.satellites.ram_pressure import RamPressure
    from .processes.satellites.tidal_gas import TidalGasStripping
    from .processes.satellites.tides import TidalStripping
    from .processes.stellar_evolution import DelayedReturn, TypeIaSupernovae
    from .regulator import Equilibrium, MinimalRegulator, RegulatorForcing, RegulatorState
    from .thermal import ThermalCGM, ThermalForcing, ThermalState
    from .turbulent import TurbulentCGM, TurbulentForcing, TurbulentState

__all__ = [
    "AbstractGalaxyModel",
    "AbstractModel",
    "AbstractProcess",
    "Bulge",
    "DelayedReturn",
    "DiscInstability",
    "Elements",
    "ProcessFluxes",
    "BlackHole",
    "BlackHoleMergers",
    "Compression",
    "DelayedEnrichment",
    "Discs",
    "Equilibrium",
    "Flow",
    "Fluxes",
    "GasPhases",
    "HaloRecycling",
    "HotReturn",
    "LearnedFlow",
    "Ledger",
    "HandingOver",
    "HandingOverElements",
    "HandingOverMomentum",
    "Merging",
    "MinimalRegulator",
    "PANDYA26_FREE",
    "FlowRates",
    "QuasarMode",
    "RamPressure",
    "RegulatorForcing",
    "RegulatorState",
    "ThermalCGM",
    "ThermalForcing",
    "ThermalState",
    "TidalGasStripping",
    "TidalStripping",
    "TurbulentCGM",
    "TurbulentForcing",
    "TurbulentState",
    "TypeIaSupernovae",
    "channel_multipliers",
    "citations",
    "outside_calibration",
    "reference",
    "reference_galaxy",
    "unverified",
    "derivative",
    "pandya23",
    "pandya26",
]

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy_names(__name__)
