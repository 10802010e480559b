"""Galaxy models: reservoirs, flows and the ledger that joins them, and processes that can be added."""

from .base import AbstractModel, Fluxes, derivative
from .black_holes import BlackHole
from .delayed_enrichment import DelayedEnrichment
from .galaxy import AbstractGalaxyModel
from .ledger import Flow, Ledger, Rates
from .presets import PANDYA26_FREE, pandya23, pandya26
from .process import AbstractProcess, Added, channel_multipliers
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
    "Flow",
    "Fluxes",
    "HaloRecycling",
    "Ledger",
    "PANDYA26_FREE",
    "Rates",
    "ThermalCGM",
    "ThermalForcing",
    "ThermalState",
    "TurbulentCGM",
    "TurbulentForcing",
    "TurbulentState",
    "channel_multipliers",
    "derivative",
    "pandya23",
    "pandya26",
]
