"""Galaxy models: reservoirs, flows and the ledger that joins them, and processes that can be added."""

from .base import AbstractModel, Fluxes, derivative
from .black_holes import BlackHole
from .citations import citations
from .delayed_enrichment import DelayedEnrichment
from .galaxy import AbstractGalaxyModel
from .ledger import Flow, Ledger, Rates
from .presets import PANDYA26_FREE, pandya23, pandya26
from .process import AbstractProcess, Added, channel_multipliers
from .regulator import Equilibrium, MinimalRegulator, RegulatorForcing, RegulatorState
from .reincorporation import HaloRecycling
from .thermal import ThermalCGM, ThermalForcing, ThermalState
from .turbulent import TurbulentCGM, TurbulentForcing, TurbulentState

__all__ = [
    "AbstractGalaxyModel",
    "AbstractModel",
    "AbstractProcess",
    "Added",
    "BlackHole",
    "DelayedEnrichment",
    "Equilibrium",
    "Flow",
    "Fluxes",
    "HaloRecycling",
    "Ledger",
    "MinimalRegulator",
    "PANDYA26_FREE",
    "Rates",
    "RegulatorForcing",
    "RegulatorState",
    "ThermalCGM",
    "ThermalForcing",
    "ThermalState",
    "TurbulentCGM",
    "TurbulentForcing",
    "TurbulentState",
    "channel_multipliers",
    "citations",
    "derivative",
    "pandya23",
    "pandya26",
]
